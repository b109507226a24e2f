// What a frame does in the browser as a whole: its keys, its name for screen readers, files out, files in.

const EXTRA_ICONS = {
  code: 'M5.5 4.500 2 8l3.500 3.500M10.500 4.500 14 8l-3.500 3.500',
  file: 'M4 2.500h5l3 3v8H4zM9 2.500v3h3',
  help: 'M6 6a2 2 0 1 1 2.600 1.900c-.4.200-.6.500-.6 1v.400M8 11.700v.100',
  copy: 'M5.500 5.500h7v7h-7zM3.500 10.500v-7h7',
};
Object.assign(ICONS, EXTRA_ICONS);

// Call fn once the node is laid out in the page: `render` runs before that.
function whenLaidOut(life, node, fn) {
  const watcher = new ResizeObserver(() => {
    if (!node.isConnected) return;
    watcher.disconnect();
    fn();
  });
  watcher.observe(node);
  life.onEnd(() => watcher.disconnect());
}

const typesText = node => node.matches('textarea, input:not([type=range], [type=checkbox], [type=radio], [type=button])');

// The outermost element of the frame: our keys work from every control in it; plain keys stay in it.
function frameShell(life, model, node) {
  whenLaidOut(life, node, () => {
    const frame = node.closest('.ge-studio');
    if (!frame) return;
    frame.setAttribute('role', 'region');
    frame.setAttribute('aria-label', model.get('title'));
    life.dom(frame, 'keydown', event => {
      const name = actionOf(event), ownUndo = /undo|redo/.test(name) && typesText(event.target);  // a field's own
      if (name && !ownUndo && !event.defaultPrevented) {
        take(event);
        model.send({ t: 'action', name });
      } else if (ownUndo || (!event.ctrlKey && !event.metaKey && !event.altKey && !(event.shiftKey && event.key === 'Enter'))) {
        event.stopPropagation();  // or the letters of the notebook's command mode would cut and insert cells
      }
    });
  });
}

// Give the user a file.
function saveFile(name, mime, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: mime }));
  const link = h('a', { href: url, download: name, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

// Copy text, also where the page is no secure context and there is no clipboard to write to.
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const area = h('textarea', { style: 'position:fixed;opacity:0', readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand('copy');
    area.remove();
    return done;
  }
}

const megabytes = bytes => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;

// Send a chosen file to Python, or say why not: a larger message would close the connection without a word.
async function sendFile(model, file, complain) {
  const most = model.get('limit');
  if (file.size > most) {
    complain(`${file.name} has ${megabytes(file.size)}, at most ${megabytes(most)} can be sent through the notebook: `
      + 'make it smaller, or put it on the server and give its path.');
    return;
  }
  if (!file.size) { complain(`${file.name} is empty: choose another file.`); return; }
  complain('');
  model.send({ t: 'upload', name: file.name, size: file.size }, undefined, [await file.arrayBuffer()]);
}

// A button that opens the file dialog; files may be dropped on `zone` or pasted into it as well.
function filePicker(life, model, label, zone, complain) {
  const input = h('input', { type: 'file', accept: model.get('accept'), class: 'ge-hidden', tabindex: -1, 'aria-hidden': 'true' });
  const button = h('button', { type: 'button', class: 'ge-button', onclick: () => input.click() }, label);
  const use = files => { if (files?.length) sendFile(model, files[0], complain); };
  life.dom(input, 'change', () => { use(input.files); input.value = ''; });
  life.dom(zone, 'dragover', event => {
    if (![...event.dataTransfer.types].includes('Files')) return;
    take(event);
    zone.classList.add('ge-drop');
  });
  life.dom(zone, 'dragleave', event => { if (!zone.contains(event.relatedTarget)) zone.classList.remove('ge-drop'); });
  life.dom(zone, 'drop', event => {
    zone.classList.remove('ge-drop');
    if (!event.dataTransfer.files.length) return;
    take(event);
    use(event.dataTransfer.files);
  });
  life.dom(zone, 'paste', event => {
    if (!event.clipboardData.files.length) return;
    take(event);
    use(event.clipboardData.files);
  });
  return { button, input };
}
