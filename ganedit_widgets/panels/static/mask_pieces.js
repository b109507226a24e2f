// Pieces of an index map: boxes that grow, cutting out and writing back.

const SIDE = 8;  // pixels of a tile

// A box that grows around pixels, and its x, y, width, height.
const nowhere = () => ({ x0: Infinity, y0: Infinity, x1: 0, y1: 0 });
function grow(box, x, y) {
  if (x < box.x0) box.x0 = x;
  if (x >= box.x1) box.x1 = x + 1;
  if (y < box.y0) box.y0 = y;
  if (y >= box.y1) box.y1 = y + 1;
}
const boxOf = ({ x0, y0, x1, y1 }) => x1 > x0 ? [x0, y0, x1 - x0, y1 - y0] : null;

// Reading and writing the store's mask, below a stroke that is in the hand.
function maskPieces(store, labels) {
  const { width } = store;
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
    store.counts = new Array(labels).fill(0);
    for (const value of store.mask) store.counts[value]++;
  }
  return { cut, write, set, below, count };
}
