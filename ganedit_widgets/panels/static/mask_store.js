// The page's copy of the mask: a stroke in the hand, and steps, which are carried out here at once and sent.

function maskStore(model) {
  const [height, width] = model.get('shape'), page = Math.random().toString(36).slice(2, 10);
  const store = {
    width, height, page, mask: null, base: null, tiles: null, clusters: null, counts: [], depth: [0, 0],
    pending: [], done: [], undone: [], stroke: null, fresh: nowhere(), wet: [], views: new Set(),
    drawn: false,  // whether the surface shows what it should
  };
  let sent = 0;
  const pieces = maskPieces(store, model.get('palette').length), { cut, write, set } = pieces;
  const each = (name, ...args) => { for (const view of store.views) view[name](...args); };
  store.say = (text, level = 'info') => each('say', text, level);

  // ---- one stroke in the hand: hits are remembered, so that nothing is painted twice and all can be given up
  store.begin = label => {
    if (!store.mask || store.stroke) return false;
    const locked = model.get('locked'), { name } = model.get('palette')[label];
    if (locked.includes(label)) { store.say(`“${name}” is locked: unlock it (K) to paint with it.`, 'error'); return false; }
    store.say('');
    const n = width * height, locks = new Uint8Array(256);
    for (const i of locked) locks[i] = 1;
    store.stroke = { label, locks, hits: new Uint8Array(n), before: new Uint8Array(n), ...nowhere() };
    return true;
  };
  store.hit = (x, y) => {
    const { stroke, mask } = store, i = y * width + x;  // another view may have given the stroke up
    if (!stroke || stroke.hits[i] || mask[i] === stroke.label || stroke.locks[mask[i]]) return;
    stroke.hits[i] = 1;
    stroke.before[i] = mask[i];
    store.counts[mask[i]]--;
    store.counts[stroke.label]++;
    mask[i] = stroke.label;
    grow(stroke, x, y);
    grow(store.fresh, x, y);
  };
  // What was hit since the last call, for whoever draws it.
  store.takeFresh = () => {
    const box = boxOf(store.fresh);
    store.fresh = nowhere();
    return box;
  };
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
  store.again = step => {  // on a mask that somebody else has changed
    delete step.after;
    if (step.kind !== 'paint') return travel(step);
    const before = cut(store.mask, step.box), after = before.slice();
    step.hits.forEach((on, i) => { if (on) after[i] = step.label; });
    write(step.box, after);
    remember({ box: step.box, before, after });
  };
  maskSync(model, store, { ...pieces, each });
  return store;
}
