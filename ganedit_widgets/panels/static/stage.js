// Stage: one picture with zoom, pan and comparison. See ganedit_widgets/panels/stage.py for the Python side.

// Messages in: {t: 'frame', slot: 'result'|'before', seq, mime, moving} + bytes.
// Messages out: {t: 'ready'}, {t: 'ack', slot, seq, error?}, {t: 'action', name}.

function stageView(model, el, store) {
  const life = scope(model);
  const canvas = () => h('canvas', { class: 'ge-picture', width: 1, height: 1 });
  const layers = { result: canvas(), before: canvas(), difference: canvas() };
  const panes = {};
  for (const [name, node] of Object.entries(layers)) panes[name] = h('div', { class: `ge-pane ge-pane-${name}` }, node);
  const badge = h('span', { class: 'ge-badge' }), empty = h('span', { class: 'ge-empty' }, 'No picture yet');
  const viewport = h('div', { class: 'ge-viewport', tabindex: 0, role: 'img',
    'aria-keyshortcuts': 'Space + - 0 Control+Z Control+Y Escape Enter' }, ...Object.values(panes), empty, badge);
  const spoken = h('span', { class: 'ge-hidden', 'aria-live': 'polite' });
  const root = h('div', { class: 'ge-root ge-stage', role: 'group', 'data-lm-suppress-shortcuts': 'true' });

  const split = wipe(viewport, life, part => { panes.before.style.setProperty('--ge-part', `${100 * part}%`); });
  const zoom = zoomer(viewport, Object.values(layers), (k, width) => {
    const perPixel = k * width * devicePixelRatio / (store.result?.width ?? width);
    root.classList.toggle('ge-crisp', k > 1 && perPixel > 1.5);  // whoever zooms in wants to see pixels
    root.classList.toggle('ge-zoomed', k > 1);
    bars.update(seen(), comparable(), k);
    linked.tell();
  });
  const linked = zoomLink(model, 'zoom', life, viewport, zoom);
  const bars = topBar(setView, direction => direction ? zoom.step(direction) : zoom.to(1));
  const below = bottomBar(model, act);
  let held = false, said = model.get('status'), speaking = 0;

  const comparable = () => Boolean(store.before && store.result);
  const seen = () => !comparable() ? 'result' : held ? 'before' : model.get('view');

  function speak(text) {  // only what lasts a moment: numbers that change with every picture are not read out
    clearTimeout(speaking);
    speaking = setTimeout(() => { spoken.textContent = text; }, 700);
  }
  life.onEnd(() => clearTimeout(speaking));
  function setView(name) { model.set('view', name); model.save_changes(); }
  function act(name) { model.send({ t: 'action', name }); }
  function hold(on) {
    if (held === (on && comparable())) return;
    held = on && comparable();
    refresh();
  }

  const difference = differenceOf(layers.difference, store);
  function draw(slot, message) {
    const node = layers[slot], bitmap = store[slot];
    if (node.width !== bitmap.width || node.height !== bitmap.height) {
      node.width = bitmap.width;
      node.height = bitmap.height;
    }
    node.getContext('2d', { alpha: false }).drawImage(bitmap, 0, 0);
    if (slot === 'result' && message) Object.assign(root.dataset, { seq: message.seq, moving: message.moving });
    if (slot === 'result') layout();
    refresh();
  }

  // The picture fits into width x 1.5 width and never grows wider than the cell.
  function layout() {
    const width = model.get('width'), { width: w, height: h } = store.result ?? { width: 1, height: 1 };
    root.style.setProperty('--ge-width', `${width}px`);
    viewport.style.width = `${Math.round(Math.min(width, 1.5 * width * w / h))}px`;
    viewport.style.aspectRatio = `${w} / ${h}`;
    linked.follow();
  }

  function refresh() {
    const view = seen();
    root.dataset.view = view;
    viewport.setAttribute('aria-label', `${model.get('alt')} (${VIEWS[view].toLowerCase()})`);
    viewport.setAttribute('aria-busy', model.get('busy'));
    root.classList.toggle('ge-busy', model.get('busy'));
    root.classList.toggle('ge-has-picture', Boolean(store.result));
    root.classList.toggle('ge-comparable', comparable());
    let text = { before: 'before', split: 'before | result' }[view] ?? '';
    if (view === 'difference') text = difference(model.get('gain'));
    badge.textContent = store.note || text;
    badge.classList.toggle('ge-badge-warn', Boolean(store.note));
    if (spoken.dataset.view !== view) {
      spoken.dataset.view = view;
      speak(`View: ${VIEWS[view].toLowerCase()}`);
    }
    if (model.get('status') !== said) speak(said = model.get('status'));
    bars.update(view, comparable(), zoom.state.k);
    below.update();
  }

  // ---- pointer: press shows the picture before, a drag pans when zoomed, the middle button always pans
  let press = null;
  life.dom(viewport, 'pointerdown', event => {
    if (press || (event.button !== 0 && event.button !== 1)) return;
    viewport.focus({ preventScroll: true });
    press = { id: event.pointerId, x: event.clientX, y: event.clientY, pans: event.button === 1, timer: 0 };
    if (event.button === 1) event.preventDefault();  // no automatic scrolling
    if (event.pointerType !== 'touch' || zoom.state.k > 1) viewport.setPointerCapture(event.pointerId);
    if (event.button !== 0) return;
    if (seen() === 'split') split.follow(event);
    else press.timer = setTimeout(() => hold(true), zoom.state.k > 1 || event.pointerType === 'touch' ? 200 : 0);
  });
  life.dom(viewport, 'pointermove', event => {
    if (!press || event.pointerId !== press.id) return;
    const dx = event.clientX - press.x, dy = event.clientY - press.y;
    if (!press.pans && zoom.state.k > 1 && !held && Math.hypot(dx, dy) > 4 && seen() !== 'split') {
      press.pans = true;
      clearTimeout(press.timer);
    }
    if (press.pans) {
      zoom.pan(dx, dy);
      Object.assign(press, { x: event.clientX, y: event.clientY });
    } else if (seen() === 'split') split.follow(event);
  });
  life.dom(viewport, 'pointerup pointercancel lostpointercapture', event => {
    if (!press || event.pointerId !== press.id) return;
    clearTimeout(press.timer);
    press = null;
    hold(false);
  });
  life.dom(viewport, 'wheel', event => {  // a plain wheel scrolls the page
    if (!event.ctrlKey && !event.metaKey) return;
    take(event);
    zoom.wheel(event);
  }, { passive: false });

  // ---- keys: only while the focus is inside, only those listed; Tab is never touched
  life.dom(root, 'keydown', event => {
    const onPicture = event.target === viewport;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    if (onPicture && event.key === 'Enter' && !event.shiftKey) { take(event); act('apply'); }
    else if (onPicture && event.key === ' ' && comparable()) { take(event); hold(true); }
    else if ('+=-0'.includes(event.key)) { take(event); event.key === '0' ? zoom.to(1) : zoom.step(event.key === '-' ? -1 : 1); }
    else if (onPicture && zoom.state.k > 1 && event.key.startsWith('Arrow')) {
      const [dx, dy] = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
      take(event);
      zoom.pan(dx, dy);
    }
  });
  actionKeys(life, model, root);
  life.dom(root, 'keyup', event => { if (event.key === ' ' && held) { take(event); hold(false); } });
  life.dom(viewport, 'blur', () => hold(false));

  root.append(bars.bar, viewport, below.bar, spoken);
  mount(el, root);
  life.model('change:view change:gain change:alt change:status change:busy change:actions change:disabled', refresh);
  life.model('change:width', layout);
  life.dom(window, 'resize', linked.follow);  // also when the device pixel ratio changes
  const watcher = new ResizeObserver(linked.follow);
  watcher.observe(viewport);
  life.onEnd(() => watcher.disconnect());
  const self = { draw, refresh };
  store.views.add(self);
  life.onEnd(() => store.views.delete(self));
  split.set(0.5);
  layout();
  for (const slot of ['before', 'result']) if (store[slot]) draw(slot);
  refresh();
  return life.end;
}

export default () => {
  let store;  // `initialize` and `render` receive different proxies of one model; the pictures live here
  return {
    initialize({ model }) {
      store = frameStore(model);
      model.on('msg:custom', store.receive);
      return () => { model.off('msg:custom', store.receive); store.result?.close(); store.before?.close(); };
    },
    render({ model, el }) {
      const end = stageView(model, el, store);
      if (!store.result) model.send({ t: 'ready' });
      return end;
    },
  };
};
