// The bar of a painter: tools, size, opacity, undo and redo, zoom.

Object.assign(ICONS, {
  brush: 'M13.500 2.500 7.300 8.700M8.800 10.200 13.500 2.500M5.800 8.700a2.300 2.300 0 0 1 1.500 4c-1 1-3 .900-4.800.300 1-.600 1-1.300 1.100-2.300a2.300 2.300 0 0 1 2.200-2z',
  eraser: 'M9.200 3 13.500 7.300 8 12.800H5.300L2.700 10.200a1 1 0 0 1 0-1.400zM6 6.200l4.300 4.300M8 12.800h5.500',
  line: 'M3 13 13 3M2 13a1 1 0 1 0 2 0 1 1 0 1 0-2 0M12 3a1 1 0 1 0 2 0 1 1 0 1 0-2 0',
  fill: 'M7 2.500 2.500 7a1 1 0 0 0 0 1.400l3.600 3.600a1 1 0 0 0 1.400 0L12 7.500zM3 7.500h8.500M13.300 10c.900 1.300 1.200 1.900 1.200 2.400a1.200 1.200 0 0 1-2.400 0c0-.500.300-1.100 1.200-2.400z',
  lasso: 'M8 2.500c3.300 0 6 1.700 6 3.900s-2.700 3.900-6 3.900-6-1.700-6-3.900 2.700-3.900 6-3.900zM5 9.800c-1.200.800-1.300 2.200 0 2.500s1.200 1.400.2 1.900',
  polygon: 'M8 2.500 13.500 6.500 11.400 13H4.600L2.500 6.500z',
  smart: 'M3 13 9.500 6.500M11 2v2.400M13.800 4.500h-2.400M8 3l.900.900M12.500 6.800l.9.900M9.500 6.500l1-1',
  pick: 'M9 4.500 11.500 7M10 5.500 4 11.500 3 13l1.500-1 6-6M10.300 3.200a1.700 1.700 0 0 1 2.500 2.500L11 7.500 8.500 5z',
  lock: 'M4 7.500h8v6H4zM5.500 7.500V5.300a2.500 2.500 0 0 1 5 0v2.200',
  unlock: 'M4 7.500h8v6H4zM5.500 7.500V5.300a2.500 2.500 0 0 1 4.800-1',
  eye: 'M1.500 8C3 5.300 5.300 4 8 4s5 1.300 6.500 4C13 10.700 10.700 12 8 12s-5-1.300-6.500-4zM6.300 8a1.700 1.700 0 1 0 3.400 0 1.700 1.700 0 1 0-3.400 0',
  closed: 'M1.500 7C3 9.400 5.300 10.500 8 10.500S13 9.400 14.500 7M4 9.500 3 11.300M8 10.500v2M12 9.500l1 1.800',
});

const toolButton = (name, title, onclick, keys) =>
  h('button', { type: 'button', class: 'ge-tool', title, 'aria-label': title, 'aria-keyshortcuts': keys, onclick }, icon(name));

function setTraits(model, traits) {
  for (const [name, value] of Object.entries(traits)) model.set(name, value);
  model.save_changes();
}

// A slider with its name and number. `show` and `read` translate between its 0 ... 100 and the trait's value.
function maskSlider(model, trait, label, keys, { show, read, text }) {
  const number = h('span', { class: 'ge-mask-number' });
  const range = h('input', { type: 'range', min: 0, max: 100, step: 1, 'aria-label': label, title: `${label} (${keys})` });
  range.addEventListener('input', () => { model.set(trait, read(Number(range.value))); });
  range.addEventListener('change', () => model.save_changes());
  const update = () => {
    const value = model.get(trait);
    if (Math.abs(read(Number(range.value)) - value) > 1e-6) range.value = show(value);
    number.textContent = text(value);
    range.setAttribute('aria-valuetext', text(value));
  };
  update();
  return { node: h('label', { class: 'ge-mask-slider' }, h('span', {}, label), range, number), update };
}

// One tab stop for a row of buttons; arrows go along it.
function rovingKeys(life, row) {
  const buttons = () => [...row.querySelectorAll('button')].filter(b => !b.hidden);
  const enter = target => { for (const b of buttons()) b.tabIndex = b === target ? 0 : -1; };
  enter(buttons()[0]);
  life.dom(row, 'focusin', event => { if (event.target.matches('button')) enter(event.target); });
  life.dom(row, 'keydown', event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], all = buttons();
    if (!step) return;
    take(event);
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
}

function maskBar(model, store, life, zoom) {
  const tools = Object.entries(TOOLS).map(([id, { name, key }]) => {
    const node = toolButton(id, `${name} (${key})`, () => setTraits(model, { tool: id }), key);
    node.dataset.tool = id;
    return node;
  });
  const toolRow = h('div', { class: 'ge-mask-tools', role: 'toolbar', 'aria-label': 'Tools' }, ...tools);
  const undo = toolButton('undo', 'Undo (Ctrl+Z)', () => store.travel('undo'), 'Control+Z');
  const redo = toolButton('redo', 'Redo (Ctrl+Shift+Z)', () => store.travel('redo'), 'Control+Shift+Z');
  const percent = h('button', { type: 'button', class: 'ge-percent', title: 'Back to 100 % (0)', onclick: () => zoom.to(1) });
  const zoomRow = h('span', { class: 'ge-zoom' }, toolButton('minus', 'Zoom out (-)', () => zoom.step(-1), '-'), percent,
    toolButton('plus', 'Zoom in (+, or Ctrl+wheel)', () => zoom.step(1), '+'));
  const most = Math.max(8, Math.round(Math.max(store.width, store.height) / 2));
  const size = maskSlider(model, 'size', 'Size', '[ and ]', {
    show: value => 100 * Math.sqrt((value - 1) / (most - 1)), read: value => Math.round(1 + (most - 1) * (value / 100) ** 2),
    text: value => `${Math.round(value)} px` });
  const opacity = maskSlider(model, 'opacity', 'Opacity', 'H hides all', {
    show: value => 100 * value, read: value => value / 100, text: value => `${Math.round(100 * value)} %` });
  const scopes = [['connected', 'Connected'], ['whole', 'Everywhere']].map(([id, text]) => {
    const node = h('button', { type: 'button', onclick: () => setTraits(model, { scope: id }) }, text);
    node.dataset.scope = id;
    return node;
  });
  const scope = h('span', { class: 'ge-segments', role: 'group', 'aria-label': 'How far' }, ...scopes);
  rovingKeys(life, toolRow);

  function update() {
    const tool = model.get('tool');
    for (const node of tools) {
      node.setAttribute('aria-pressed', node.dataset.tool === tool);
      node.hidden = node.dataset.tool === 'smart' && !store.clusters && tool !== 'smart';
    }
    for (const node of scopes) node.setAttribute('aria-pressed', node.dataset.scope === model.get('scope'));
    const what = tool === 'smart' ? 'of this cluster' : 'of this label';
    scopes[0].title = `Only the connected piece ${what} (Shift+F)`;
    scopes[1].title = `All pixels ${what} (Shift+F)`;
    scope.hidden = !SCOPED.includes(tool);
    size.node.hidden = !SIZED.includes(tool);
    for (const [node, i] of [[undo, 0], [redo, 1]]) node.setAttribute('aria-disabled', !store.depth[i]);
    undo.title = store.depth[0] ? `Undo (Ctrl+Z), ${store.depth[0]} steps` : 'Undo (Ctrl+Z): nothing was painted yet';
    redo.title = store.depth[1] ? `Redo (Ctrl+Shift+Z), ${store.depth[1]} steps` : 'Redo (Ctrl+Shift+Z): nothing was undone';
    percent.textContent = `${Math.round(100 * zoom.state.k)} %`;
    size.update();
    opacity.update();
  }
  const top = h('div', { class: 'ge-bar ge-mask-bar' }, toolRow, h('span', { class: 'ge-actions' }, undo, redo), zoomRow);
  const options = h('div', { class: 'ge-mask-options' }, opacity.node, size.node, scope);
  return { top, options, update };
}
