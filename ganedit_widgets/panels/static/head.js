// Head: title, model, tabs, and three drawers (code, file, help). See ganedit_widgets/panels/chrome.py for the Python side.

// Messages in: {t: 'file', name, mime, to} + bytes, {t: 'said', text}. Messages out: {t: 'action', name}, {t: 'tab', index},
// {t: 'drawer', name}, {t: 'download', what, to}, {t: 'save', path}, {t: 'open', path}, {t: 'upload', name, size} + bytes.

const HELP = [
  ['Hold Space on the picture, or press it', 'see the picture before'],
  ['+ − 0, Ctrl+wheel, drag', 'zoom, fit, and pan'],
  ['Ctrl+Z, Ctrl+Shift+Z', 'undo, redo'],
  ['Enter on the picture', 'apply'],
  ['Esc', 'stop what is running; the best so far is kept'],
  ['Ctrl+S', 'download the picture with its recipe'],
  ['Arrow keys on a slider', 'one step; with Shift ten'],
  ['Double click on a slider', 'back to its default'],
];

function tabBar(life, model) {
  const bar = h('div', { class: 'ge-tabs', role: 'tablist', 'aria-label': 'Panels' });
  const choose = index => {
    model.set('tab', index);
    model.save_changes();
    bar.children[index].focus();
  };
  function update() {
    const names = model.get('tabs'), hints = model.get('hints'), at = model.get('tab');
    if (names.join('|') !== [...bar.children].map(node => node.textContent).join('|')) {
      bar.replaceChildren(...names.map((name, i) =>
        h('button', { type: 'button', role: 'tab', title: hints[i] ?? '', onclick: () => choose(i) }, name)));
    }
    [...bar.children].forEach((node, i) => {
      node.setAttribute('aria-selected', i === at);
      node.tabIndex = i === at ? 0 : -1;
    });
    bar.hidden = names.length < 2;
  }
  life.dom(bar, 'keydown', event => {
    const last = model.get('tabs').length - 1, at = model.get('tab');
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    take(event);
    choose(clamp(to, 0, last));
  });
  life.model('change:tabs change:tab change:hints', update);
  update();
  return bar;
}

function codeDrawer(life, model, me) {
  const text = h('code'), pre = h('pre', { class: 'ge-code', tabindex: 0, 'aria-label': 'Python that draws this picture' }, text);
  const copy = h('button', { type: 'button', class: 'ge-button' }, 'Copy');
  const files = h('button', { type: 'button', class: 'ge-button', title: 'Pictures and vectors that only this notebook has',
    onclick: () => model.send({ t: 'download', what: 'files', to: me }) }, 'Download its files');
  let timer = 0;
  life.dom(copy, 'click', async () => {
    copy.textContent = await copyText(model.get('code')) ? 'Copied' : 'Select it and press Ctrl+C';
    clearTimeout(timer);
    timer = setTimeout(() => { copy.textContent = 'Copy'; }, 2000);
  });
  const update = () => {
    text.replaceChildren(...model.get('code').split(/(?<=\n)/).map(line => h('span', { class: /^\s*#/.test(line) && 'ge-comment' }, line)));
    files.hidden = !/^# needs the file/m.test(model.get('code'));
  };
  life.model('change:code', update);
  update();
  return h('div', {}, pre, h('div', { class: 'ge-line' }, copy, files,
    h('span', { class: 'ge-soft' }, 'These lines draw the picture on show, in any script or notebook.')));
}

function fileDrawer(life, model, me) {
  const box = h('div', { class: 'ge-files' }), note = h('div', { class: 'ge-note', role: 'alert' });
  const complain = text => { note.textContent = text; note.hidden = !text; };
  const field = (label, value, kind) => {
    const input = h('input', { class: 'ge-text', type: 'text', 'aria-label': label, placeholder: label, value, spellcheck: 'false' });
    const go = () => { if (input.value.trim()) model.send({ t: kind, path: input.value.trim() }); };
    life.dom(input, 'keydown', event => { if (event.key === 'Enter') { take(event); go(); } });
    return [input, h('button', { type: 'button', class: 'ge-button', onclick: go }, kind === 'save' ? 'Save' : 'Open')];
  };
  const download = h('button', { type: 'button', class: 'ge-button ge-primary', title: 'Ctrl+S',
    onclick: () => model.send({ t: 'download', what: 'png', to: me }) }, 'Download PNG');
  const { button, input } = filePicker(life, model, 'Choose a PNG…', box, complain);
  box.append(
    h('div', { class: 'ge-line' }, h('b', {}, 'Save'), download, h('span', { class: 'ge-soft' }, 'or on the server'),
      ...field('Path to save to', model.get('path'), 'save')),
    h('div', { class: 'ge-line' }, h('b', {}, 'Open'), button, input, h('span', { class: 'ge-soft' }, 'or on the server'),
      ...field('Path to open', model.get('path'), 'open')),
    h('div', { class: 'ge-soft' }, 'The PNG carries its recipe: open it again to go on where you stopped, undo included. '
      + 'An embedded photo travels with it. Files may also be dropped here.'), note);
  complain('');
  return box;
}

const helpDrawer = model => h('div', {}, h('p', {}, model.get('help')),
  h('div', { class: 'ge-keys' }, ...HELP.flatMap(([keys, what]) => [h('b', {}, keys), h('span', {}, what)])));

function headView(model, el, views) {
  const life = scope(model), me = Math.random().toString(36).slice(2);
  const root = h('div', { class: 'ge-root ge-head' });
  const title = h('span', { class: 'ge-title' }), chips = h('span', { class: 'ge-chips' });
  const drawers = { code: codeDrawer(life, model, me), file: fileDrawer(life, model, me), help: helpDrawer(model) };
  const names = { code: 'Code that makes this picture', file: 'Save and open', help: 'Help and keys' };
  const id = name => `ge-${me}-${name}`, tools = {};
  let open = '';
  function toggle(name) {
    open = open === name ? '' : name;
    model.send({ t: 'drawer', name: open });
    update();
  }
  for (const name of Object.keys(drawers)) {
    drawers[name].id = id(name);
    drawers[name].classList.add('ge-drawer');
    drawers[name].setAttribute('role', 'group');
    drawers[name].setAttribute('aria-label', names[name]);
    tools[name] = h('button', { type: 'button', class: 'ge-tool', title: names[name], 'aria-label': names[name],
      'aria-controls': id(name), onclick: () => toggle(name) }, icon(name));
  }
  function update() {
    title.textContent = model.get('title');
    chips.replaceChildren(...model.get('chips').map(([text, hint]) => h('span', { class: 'ge-tag', title: hint }, text)));
    for (const name of Object.keys(drawers)) {
      drawers[name].hidden = open !== name;
      tools[name].setAttribute('aria-expanded', open === name);
    }
  }
  life.dom(root, 'keydown', event => {
    if (event.key !== 'Escape' || !open) return;
    take(event);
    const name = open;
    toggle(name);
    tools[name].focus();
  });
  root.append(h('div', { class: 'ge-titlebar' }, title, chips, h('span', { class: 'ge-tools' }, ...Object.values(tools))),
    ...Object.values(drawers), tabBar(life, model));
  life.model('change:title change:chips', update);
  update();
  mount(el, root);
  frameShell(life, model, root);
  views.set(me, true);
  life.onEnd(() => views.delete(me));
  return life.end;
}

export default () => {
  const views = new Map();
  let receive;
  return {
    initialize({ model }) {
      receive = (message, buffers) => {  // only the page that asked, or any one of several
        if (message?.t === 'file' && (views.has(message.to) || !message.to)) saveFile(message.name, message.mime, buffers[0]);
      };
      model.on('msg:custom', receive);
      return () => model.off('msg:custom', receive);
    },
    render: ({ model, el }) => headView(model, el, views),
  };
};
