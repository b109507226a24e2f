// What Python says about the mask: what it agrees on, what somebody else has painted, how it all looks.
// See ganedit_widgets/panels/mask_link.py for the other side.

// Messages in: {t: 'state', seq, depth, heard} + mask; {t: 'patch', seq, kind, id, depth, box?} + after;
//   {t: 'looks', drawn, look} + tiles; {t: 'base', mime} + picture; {t: 'clusters'} + values; {t: 'file', ...} + bytes.
// Messages out: {t: 'ready', first?}, {t: 'paint', id, box, label} + hits, {t: 'undo', id}, {t: 'redo', id},
//   {t: 'redraw'}, {t: 'export', to}, {t: 'upload', ...} + bytes.

function maskSync(model, store, { cut, write, below, count, each }) {
  const { width, height, page } = store;
  let seq = -1, lost = false, bases = 0;

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
    store.pending.forEach(store.again);
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
    const number = ++bases;
    const bitmap = await createImageBitmap(new Blob([bytes], { type: message.mime }), { colorSpaceConversion: 'none' });
    if (number !== bases) { bitmap.close(); return; }  // a newer picture has come meanwhile
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
}
