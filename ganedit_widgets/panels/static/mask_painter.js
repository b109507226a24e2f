// MaskPainter: bar, picture and palette. See ganedit_widgets/panels/mask_painter.py for the Python side.

function maskView(model, el, store) {
  const life = scope(model), { width, height } = store;
  const ink = maskInk(model, store), lines = maskLines(store);
  const world = h('div', { class: 'ge-mask-world' }, ink.canvas, lines.svg);
  const viewport = h('div', { class: 'ge-viewport ge-mask-viewport', tabindex: 0, role: 'application', 'aria-roledescription': 'mask painter' }, world);
  const hint = h('span', { class: 'ge-soft' }), said = h('div', { class: 'ge-message', role: 'status' });
  const root = h('div', { class: 'ge-root ge-mask-painter', role: 'group', 'data-lm-suppress-shortcuts': 'true' });

  // ---- zoom, the same in every view, and for whoever is linked with it
  const zoom = zoomer(viewport, [world], (k, shown) => {
    viewport.classList.toggle('ge-crisp', k * shown * devicePixelRatio / width > 1.5);
    world.style.setProperty('--ge-mask-zoom', k);
    bar.update();
    linked.tell();
  });
  const linked = zoomLink(model, 'view', life, viewport, zoom);

  const bar = maskBar(model, store, life, zoom), palette = maskPalette(model, store, life);
  const tools = maskTools(model, store, lines, () => self.refresh(true));

  // ---- where the pointer is
  let waiting = false, all = false, cursor = null, taken = null, pans = false, label = model.get('label'), previous = label === 0 ? 1 : 0;
  const sized = () => SIZED.includes(model.get('tool')) && !pans;
  const point = event => {
    const box = world.getBoundingClientRect();
    return [(event.clientX - box.left) * width / box.width, (event.clientY - box.top) * height / box.height,
      event.pointerType === 'pen' ? clamp(event.pressure || 0.5, 0.1, 1) : 1];
  };
  function showCursor() {
    lines.ring(cursor && (sized() ? cursor : null), model.get('size'));
    const at = cursor && clamp(Math.floor(cursor[1]), 0, height - 1) * width + clamp(Math.floor(cursor[0]), 0, width - 1);
    const cluster = cursor && model.get('tool') === 'smart' && store.clusters ? store.clusters[at] : null;
    if (cluster !== taken) taken = null;
    const hover = taken === null ? cluster : null;  // what was just taken is shown as it is
    if (hover !== ink.hover) { ink.hover = hover; self.refresh(); }
  }
  const hand = {
    tools, zoom, palette, viewport, point,
    previous: () => previous,
    isBare: () => ink.bare,
    bare(on) { ink.bare = on; root.classList.toggle('ge-bare', on); self.refresh(); },
    isPanning: () => pans,
    take() { taken = ink.hover; showCursor(); },  // the cluster under the pointer
    panning(on) { pans = on; viewport.classList.toggle('ge-pans', on); showCursor(); },
    follow(event) {
      cursor = event && point(event);
      if (cursor) tools.hover(cursor);
      showCursor();
    },
    moveCursor(dx, dy) {
      const [x, y] = cursor ?? [width / 2, height / 2];
      cursor = [clamp(Math.floor(x) + dx, 0, width - 1) + 0.5, clamp(Math.floor(y) + dy, 0, height - 1) + 0.5, 1];
      tools.hover(cursor);
      showCursor();
      self.say(`${Math.floor(cursor[0])}, ${Math.floor(cursor[1])}: ${palette.labels[store.mask?.[Math.floor(cursor[1]) * width + Math.floor(cursor[0])] ?? 0].name}`);
    },
    dab() { if (cursor && !tools.held) { tools.down(cursor, false); tools.up(); } },
  };
  maskKeys(life, root, model, store, hand);
  maskPointers(life, viewport, zoom, hand);
  life.dom(viewport, 'blur', () => hand.panning(false));

  // ---- files and words
  const complain = text => { if (text) self.say(text, 'error'); };
  const { button, input } = filePicker(life, model, 'Import PNG…', root, complain);
  button.title = 'A mask of this size: with a palette, or in the labels’ colors; or drop one here';
  const exporting = h('button', { type: 'button', class: 'ge-button', title: 'The mask with its palette, exact to the pixel',
    onclick: () => model.send({ t: 'export', to: store.page }) }, 'Export PNG');
  const clear = h('button', { type: 'button', class: 'ge-button', title: 'Take away every label that is not locked; undo brings them back',
    onclick: () => { tools.cancel(); tools.clear(); } }, 'Clear');
  const patterns = h('input', { type: 'checkbox' });
  life.dom(patterns, 'change', () => setTraits(model, { patterns: patterns.checked }));
  const below = h('div', { class: 'ge-mask-files' }, button, input, exporting, clear,
    h('label', { class: 'ge-mask-check', title: 'Patterns tell labels apart without their colors' }, patterns, 'Patterns'));

  function update() {
    const { name } = palette.labels[model.get('label')], tool = TOOLS[model.get('tool')];
    root.setAttribute('aria-label', model.get('title'));
    viewport.setAttribute('aria-label', `${model.get('title')}: ${tool.name}, label ${name}. Arrows move, Enter acts.`);
    viewport.dataset.tool = model.get('tool');
    hint.textContent = ink.bare ? 'Labels are hidden: H shows them' : tool.hint;
    patterns.checked = model.get('patterns');
    if (model.get('label') !== label) [previous, label] = [label, model.get('label')];
    bar.update();
    palette.update();
    showCursor();
  }
  function layout() {
    const most = Math.min(model.get('width'), 1.25 * model.get('width') * width / height);
    root.style.setProperty('--ge-mask-width', `${Math.round(most)}px`);
    viewport.style.aspectRatio = `${width} / ${height}`;
    linked.follow();
  }
  const self = {
    refresh(fresh = false) {  // in the next frame, however often it was asked; all, or what is fresh of a stroke
      all ||= fresh !== true;
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        const whole = all;
        waiting = all = false;  // first: should drawing fail, the next frame draws again
        if (whole) ink.redraw();
        else ink.add();
        update();
      });
    },
    say(text, level = 'info') {
      said.textContent = text;
      said.dataset.level = level;
      said.hidden = !text;
    },
  };
  const hear = () => { const { text, level } = model.get('notice'); self.say(text, level); };
  store.views.add(self);
  life.onEnd(() => { store.views.delete(self); if (!store.views.size) store.end(); });
  life.model('change:tool', () => { tools.cancel(); self.say(''); });
  life.model('change:tool change:label change:size change:scope change:locked change:title', update);
  life.model('change:opacity change:hidden change:patterns', () => self.refresh());
  life.model('change:notice', hear);
  life.model('change:width', layout);

  const picture = h('div', { class: 'ge-mask-picture' }, viewport, h('div', { class: 'ge-mask-hint' }, hint), said);
  root.append(bar.top, bar.options, h('div', { class: 'ge-mask-body' }, picture, h('div', { class: 'ge-mask-side' }, palette.node, below)));
  mount(el, root);
  const watcher = new ResizeObserver(linked.follow);
  watcher.observe(viewport);
  life.onEnd(() => watcher.disconnect());
  hostSurface(model, life, world, () => { ink.hosted = true; root.dataset.hosted = 'true'; self.refresh(); });
  hear();
  layout();
  self.refresh();
  return life.end;
}

export default () => {
  let store;  // `initialize` and `render` receive different proxies of one model; the mask lives here
  return {
    initialize({ model }) {
      store = maskStore(model);
      store.settled = surfaceQueue(model);
      const unlike = () => { store.drawn = false; };  // until Python has drawn it so
      const looks = 'opacity hidden patterns'.split(' ').map(name => `change:${name}`);
      model.on('msg:custom', store.receive);
      for (const name of looks) model.on(name, unlike);
      model.send({ t: 'ready', first: true });
      return () => {
        model.off('msg:custom', store.receive);
        for (const name of looks) model.off(name, unlike);
      };
    },
    render: ({ model, el }) => maskView(model, el, store),
  };
};
