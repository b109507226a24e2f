// AlignBox: a picture with a box to drag, resize and turn. See ganedit_widgets/panels/alignbox.py for the Python side.

// Messages in: {t: 'picture', width, height, mime, box} + bytes, of a smaller copy; {t: 'box', box}.
// Messages out: {t: 'ready'}, {t: 'box', box}, {t: 'action', name}.

const TALLEST = 260, RIM = 14, GRIP = 5;  // CSS pixels: the picture's height, the space around it, a handle's radius

function svg(tag, props = {}) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  return node;
}

function boxStore(model) {
  const store = { bitmap: null, width: 1, height: 1, box: null, held: false, views: new Set() };
  store.redraw = () => { for (const view of store.views) view.draw(); };
  store.set = box => { store.box = kept(box, store.width, store.height); store.redraw(); };
  store.tell = () => model.send({ t: 'box', box: listOf(store.box) });
  store.receive = async (message, buffers) => {
    if (message.t === 'picture') {
      const bitmap = await createImageBitmap(new Blob([buffers[0]], { type: message.mime }));
      store.bitmap?.close();
      Object.assign(store, { bitmap, width: message.width, height: message.height });
    }
    if ((message.t === 'picture' || message.t === 'box') && !store.held && message.box) {
      store.box = boxOf(message.box);
      store.redraw();
    }
  };
  return store;
}

function boxView(model, el, store) {
  const life = scope(model), aspect = model.get('aspect');
  const canvas = h('canvas', { class: 'ge-align-picture' }), seen = h('canvas', { class: 'ge-align-seen', role: 'img', 'aria-label': 'What the model sees' });
  const dim = svg('path', { class: 'ge-dim', 'fill-rule': 'evenodd' });
  const square = svg('polygon', { class: 'ge-square', 'data-part': 'move' });
  const stem = svg('path', { class: 'ge-stem' });
  const grips = ['turn', 'corner', 'corner', 'corner', 'corner'].map((part, i) => {
    const [halo, dot] = ['ge-halo', 'ge-grip'].map(name => svg('circle', { class: name, 'data-part': part, 'data-corner': i - 1 }));
    return { halo, dot };
  });
  const overlay = svg('svg', { class: 'ge-align-overlay', tabindex: 0, role: 'application', 'aria-roledescription': 'movable box' });
  overlay.append(dim, stem, square, ...grips.flatMap(({ halo, dot }) => [halo, dot]));
  const place = h('div', { class: 'ge-align-place' }, canvas, overlay);
  const numbers = h('div', { class: 'ge-soft ge-align-numbers', 'aria-live': 'polite' });
  const root = h('div', { class: 'ge-root ge-alignbox', role: 'group', 'aria-label': model.get('label'), 'data-lm-suppress-shortcuts': 'true' },
    place, h('div', { class: 'ge-align-beside' }, h('div', { class: 'ge-soft' }, 'The model sees'), seen, numbers));
  let scale = 1;  // CSS pixels of a pixel of the picture

  function layout() {
    if (!store.bitmap) return;
    const room = root.clientWidth - 150 - 2 * RIM;  // beside it stands what the model sees
    scale = Math.max(40, Math.min(room, TALLEST * store.width / store.height)) / store.width;
    const width = Math.round(store.width * scale), height = Math.round(store.height * scale);
    Object.assign(canvas, { width: Math.round(width * devicePixelRatio), height: Math.round(height * devicePixelRatio) });
    Object.assign(canvas.style, { width: `${width}px`, height: `${height}px`, margin: `${RIM}px` });
    const context = canvas.getContext('2d', { alpha: false });
    context.imageSmoothingQuality = 'high';
    context.drawImage(store.bitmap, 0, 0, canvas.width, canvas.height);
    const rim = RIM / scale;
    overlay.setAttribute('viewBox', `${-rim} ${-rim} ${store.width + 2 * rim} ${store.height + 2 * rim}`);
  }

  function draw() {
    root.hidden = !store.bitmap || !store.box;
    if (root.hidden) return;
    layout();
    const { box, width, height } = store, corners = cornersOf(box, aspect), px = 1 / scale;
    const outline = `M${corners.map(p => p.join(' ')).join('L')}Z`;
    dim.setAttribute('d', `M0 0H${width}V${height}H0Z${outline}`);
    square.setAttribute('points', corners.map(p => p.join(',')).join(' '));
    const top = pointOf(box, aspect, 0, -1), away = 20 * px / (box.side / 2);
    const outside = pointOf(box, aspect, 0, -1 - away), rim = (RIM - GRIP) * px;
    const fits = outside[0] > -rim && outside[1] > -rim && outside[0] < width + rim && outside[1] < height + rim;
    const knob = fits ? outside : pointOf(box, aspect, 0, -1 + away);
    stem.setAttribute('d', `M${top.join(' ')}L${knob.join(' ')}`);
    [knob, ...corners].forEach(([x, y], i) => {
      const p = [clamp(x, -rim, width + rim), clamp(y, -rim, height + rim)];  // within reach, wherever the corner is
      for (const [node, radius] of [[grips[i].halo, 14], [grips[i].dot, GRIP]]) {
        node.setAttribute('cx', p[0]);
        node.setAttribute('cy', p[1]);
        node.setAttribute('r', radius * px);
      }
    });
    const side = Math.round(112 * devicePixelRatio);
    Object.assign(seen, { width: Math.round(side * Math.min(1, aspect)), height: Math.round(side / Math.max(1, aspect)) });
    drawCrop(seen, store.bitmap, width, height, box);
    const text = `${Math.round(box.side)} px · ${(Math.round(box.angle * 10) / 10 || 0)}°`;
    numbers.textContent = text;
    overlay.setAttribute('aria-label', `${model.get('label')}: ${text} around ${Math.round(box.x)}, ${Math.round(box.y)}`);
  }

  // ---- pointer
  let grip = null;
  const pointAt = event => {
    const bounds = canvas.getBoundingClientRect();
    return [(event.clientX - bounds.left) / scale, (event.clientY - bounds.top) / scale];
  };
  life.dom(overlay, 'pointerdown', event => {
    const part = event.target.dataset?.part;
    if (grip || event.button !== 0 || !part) return;
    event.preventDefault();
    overlay.focus({ preventScroll: true });
    overlay.setPointerCapture(event.pointerId);
    const corner = [[-1, -1], [1, -1], [1, 1], [-1, 1]][event.target.dataset.corner] ?? [0, 0];
    grip = { id: event.pointerId, part, corner, from: pointAt(event), box: store.box };
    store.held = true;
    root.dataset.grip = part;
  });
  life.dom(overlay, 'pointermove', event => {
    if (event.pointerId !== grip?.id) return;
    store.set(GESTURES[grip.part](grip.box, aspect, grip.from, pointAt(event), ...grip.corner));
  });
  life.dom(overlay, 'pointerup pointercancel lostpointercapture', event => {
    if (event.pointerId !== grip?.id) return;
    const moved = store.box !== grip.box;
    grip = null;
    store.held = false;
    delete root.dataset.grip;
    if (moved) store.tell();
  });

  // ---- keys
  let telling = 0;
  life.dom(overlay, 'keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'Escape' && grip) {  // give the drag up
      take(event);
      store.set(grip.box);
      grip = null;
      store.held = false;
      delete root.dataset.grip;
      return;
    }
    const box = store.box && keyed(store.box, event);
    if (!box) return;
    take(event);
    store.set(box);
    clearTimeout(telling);
    telling = setTimeout(store.tell, 120);
  });
  actionKeys(life, model, root);

  mount(el, root);
  const watcher = new ResizeObserver(draw);
  watcher.observe(root);
  life.onEnd(() => { watcher.disconnect(); clearTimeout(telling); });
  const self = { draw };
  store.views.add(self);
  life.onEnd(() => store.views.delete(self));
  draw();
  return life.end;
}

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = boxStore(model);
      model.on('msg:custom', store.receive);
      return () => { store.bitmap?.close(); model.off('msg:custom', store.receive); };
    },
    render({ model, el }) {
      const end = boxView(model, el, store);
      if (!store.bitmap) model.send({ t: 'ready' });
      return end;
    },
  };
};
