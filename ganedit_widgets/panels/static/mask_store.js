// The page's copy of the mask. Steps are carried out here at once and sent; what Python agrees on comes back.
// See ganedit_widgets/panels/mask_link.py for the other side.

// Messages in: {t: 'state', seq, depth, heard} + mask; {t: 'patch', seq, kind, id, depth, box?} + after;
//   {t: 'looks', drawn, look} + tiles; {t: 'base', mime} + picture; {t: 'clusters'} + values; {t: 'file', ...} + bytes.
// Messages out: {t: 'ready', first?}, {t: 'paint', id, box, label} + hits, {t: 'undo', id}, {t: 'redo', id},
//   {t: 'redraw'}, {t: 'export', to}, {t: 'upload', ...} + bytes.

const SIDE = 8;  // pixels of a tile

function maskStore(model) {
  const [height, width] = model.get('shape'), page = Math.random().toString(36).slice(2, 10);
  const store = {
    width, height, page, mask: null, base: null, tiles: null, clusters: null, counts: [], depth: [0, 0],
    pending: [], done: [], undone: [], stroke: null, wet: [], views: new Set(),
    drawn: false,  // whether the surface shows what it should
  };
  let seq = -1, lost = false, sent = 0;
  const each = (name, ...args) => { for (const view of store.views) view[name](...args); };
  store.say = (text, level = 'info') => each('say', text, level);

  // ---- pieces of the mask
  const cut = (values, [x, y, w, h]) => {
    const piece = new Uint8Array(w * h);
    for (let row = 0; row < h; row++) piece.set(values.subarray((y + row) * width + x, (y + row) * width + x + w), row * w);
    return piece;
  };
  function below() {  // the mask without the stroke in the hand
    const { mask, stroke } = store;
    return stroke ? mask.map((value, i) => stroke.hits[i] ? stroke.before[i] : value) : mask;
  }
  function write([x, y, w, h], piece) {
    for (let j = 0; j < h; j++) for (let i = 0; i < w; i++) set((y + j) * width + x + i, piece[j * w + i]);
  }
  function set(i, label) {  // below a stroke in the hand
    const { stroke } = store;
    if (stroke?.hits[i]) { stroke.before[i] = label; return; }
    store.counts[store.mask[i]]--;
    store.counts[label]++;
    store.mask[i] = label;
  }
  function count() {
    store.counts = new Array(model.get('palette').length).fill(0);
    for (const value of store.mask) store.counts[value]++;
  }

  // ---- one stroke in the hand: hits are remembered, so that nothing is painted twice and all can be given up
  store.begin = label => {
    if (!store.mask || store.stroke) return false;
    const locked = model.get('locked'), { name } = model.get('palette')[label];
    if (locked.includes(label)) { store.say(`“${name}” is locked: unlock it (K) to paint with it.`, 'error'); return false; }
    store.say('');
    const n = width * height, locks = new Uint8Array(256);
    for (const i of locked) locks[i] = 1;
    store.stroke = { label, locks, hits: new Uint8Array(n), before: new Uint8Array(n), x0: width, y0: height, x1: 0, y1: 0 };
    return true;
  };
  store.hit = (x, y) => {
    const { stroke, mask } = store, i = y * width + x;
    if (stroke.hits[i] || mask[i] === stroke.label || stroke.locks[mask[i]]) return;
    stroke.hits[i] = 1;
    stroke.before[i] = mask[i];
    store.counts[mask[i]]--;
    store.counts[stroke.label]++;
    mask[i] = stroke.label;
    if (x < stroke.x0) stroke.x0 = x;
    if (x >= stroke.x1) stroke.x1 = x + 1;
    if (y < stroke.y0) stroke.y0 = y;
    if (y >= stroke.y1) stroke.y1 = y + 1;
  };
  const boxOf = ({ x0, y0, x1, y1 }) => x1 > x0 ? [x0, y0, x1 - x0, y1 - y0] : null;
  store.abort = () => {
    const { stroke } = store, box = stroke && boxOf(stroke);
    store.stroke = null;
    if (!box) return;
    const [x, y, w, h] = box;
    for (let j = y; j < y + h; j++) for (let i = j * width + x; i < j * width + x + w; i++) if (stroke.hits[i]) set(i, stroke.before[i]);
    each('refresh');
  };
  store.end = () => {
    const { stroke } = store, box = stroke && boxOf(stroke);
    store.stroke = null;
    if (!box) return;
    const step = { kind: 'paint', box, label: stroke.label, hits: cut(stroke.hits, box) };
    const before = cut(stroke.before, box);
    step.after = cut(store.mask, box);
    for (let i = 0; i < before.length; i++) if (!step.hits[i]) before[i] = step.after[i];
    remember({ box, before, after: step.after });
    post(step);
  };

  // ---- steps
  function remember(patch) {
    store.done.push(patch);
    store.undone = [];
    store.depth = [store.depth[0] + 1, 0];
  }
  function post(step) {
    step.id = `${page}:${++sent}`;
    store.pending.push(step);
    if (step.box) store.wet.push({ id: step.id, box: step.box });
    const { kind: t, id, box, label, hits } = step;
    if (t === 'paint') model.send({ t, id, box, label }, undefined, [hits.buffer]);
    else model.send({ t, id });
    each('refresh');
  }
  // Undo or redo what this page knows of; what it does not know comes back from Python.
  function travel(step) {
    const [from, to] = step.kind === 'undo' ? [store.done, store.undone] : [store.undone, store.done];
    const patch = from.pop();
    step.blind = !patch;
    if (!patch) return;
    const turned = { box: patch.box, before: patch.after, after: patch.before };
    to.push(turned);
    write(turned.box, turned.after);
    Object.assign(step, { box: turned.box, after: turned.after });
    const by = step.kind === 'undo' ? 1 : -1;
    store.depth = [store.depth[0] - by, store.depth[1] + by];
  }
  store.travel = kind => {
    if (!store.mask || store.stroke || !store.depth[kind === 'undo' ? 0 : 1]) return;
    const step = { kind };
    travel(step);
    post(step);
  };
  function again(step) {  // on a mask that somebody else has changed
    delete step.after;
    if (step.kind !== 'paint') return travel(step);
    const before = cut(store.mask, step.box), after = before.slice();
    step.hits.forEach((on, i) => { if (on) after[i] = step.label; });
    write(step.box, after);
    remember({ box: step.box, before, after });
  }

  // ---- what Python says
  function ask() { lost = true; model.send({ t: 'ready' }); }
  async function dry(gone) {  // the surface shows these steps: the ink above them may go
    await store.settled?.();
    store.wet = store.wet.filter(({ id }) => !gone(id));
    each('refresh');
  }
  const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
  const foreseen = (step, { box }, bytes) => !step.after || (same(step.box, box) && same(step.after, bytes));
  function surprising(message, bytes, own) {
    const { pending } = store;
    if (message.seq !== seq + 1) return true;
    if (!own) return pending.length > 0;
    return message.kind === 'none' || (pending[0].blind ? pending.length > 1 : !foreseen(pending[0], message, bytes));
  }
  function takePatch(message, bytes) {
    if (lost || seq < 0) return;
    const step = store.pending[0], own = Boolean(message.id) && step?.id === message.id;
    if (surprising(message, bytes, own)) { ask(); return; }
    seq = message.seq;
    if (own) store.pending.shift();
    if (message.kind !== 'none' && !(own && !step.blind)) takeForeign(message, bytes);
    if (!store.pending.length) store.depth = message.depth;
    if (own) dry(id => id === step.id);
    else each('refresh');
  }
  function takeForeign({ kind, box }, after) {
    const patch = { box, before: cut(below(), box), after };
    if (kind === 'paint') { store.done.push(patch); store.undone = []; }
    else if (kind === 'undo') { store.done.pop(); store.undone.push(patch); }
    else { store.undone.pop(); store.done.push(patch); }
    write(box, after);
  }
  function takeState(message, bytes) {
    const heard = message.heard[page] ?? 0, number = id => Number(id.split(':')[1]);
    lost = false;
    ({ seq, depth: store.depth } = message);
    store.pending = store.pending.filter(step => number(step.id) > heard);
    Object.assign(store, { done: [], undone: [] });
    const { stroke } = store;
    store.stroke = null;
    store.mask = bytes.slice();
    count();
    store.pending.forEach(again);
    if (stroke) {
      stroke.before = store.mask.slice();
      store.stroke = stroke;
      for (let i = 0; i < stroke.hits.length; i++) if (stroke.hits[i]) {
        store.counts[store.mask[i]]--;
        store.counts[stroke.label]++;
        store.mask[i] = stroke.label;
      }
    }
    dry(id => number(id) <= heard);
    each('refresh');
  }
  async function takeLooks(message, bytes) {
    store.tiles = bytes.slice();
    each('refresh');
    if (!message.drawn) return;
    await store.settled?.();
    const look = [model.get('opacity'), model.get('patterns'), [...model.get('hidden')].sort((a, b) => a - b)];
    store.drawn = JSON.stringify(look) === JSON.stringify(message.look);
    each('refresh');
  }
  async function takeBase(message, bytes) {
    const bitmap = await createImageBitmap(new Blob([bytes], { type: message.mime }), { colorSpaceConversion: 'none' });
    const context = new OffscreenCanvas(width, height).getContext('2d', { alpha: false, willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    store.base = context.getImageData(0, 0, width, height).data;
    each('refresh');
  }
  store.receive = (message, buffers = []) => {
    const [view] = buffers, bytes = view && new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    if (message.t === 'patch') takePatch(message, bytes?.slice());
    else if (message.t === 'state') takeState(message, bytes);
    else if (message.t === 'looks') takeLooks(message, bytes);
    else if (message.t === 'base') takeBase(message, bytes);
    else if (message.t === 'clusters') { store.clusters = bytes?.slice() ?? null; each('refresh'); }
    else if (message.t === 'file' && message.to === page) saveFile(message.name, message.mime, bytes);
  };
  return store;
}
