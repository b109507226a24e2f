// Comparing with the picture before: which layer is seen, the wipe, and the amplified difference.

const VIEWS = { result: 'Result', before: 'Before', split: 'Split', difference: 'Difference' };

// Write |result - before| * gain into `canvas`; return the mean and the largest difference in levels of 255.
function drawDifference(canvas, store, gain) {
  const { width, height } = store.result, context = canvas.getContext('2d', { willReadFrequently: true });
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  const read = bitmap => {
    context.drawImage(bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  };
  const a = read(store.result), b = read(store.before).data;
  let sum = 0, most = 0;
  for (let i = 0; i < b.length; i += 4) {
    for (let c = i; c < i + 3; c++) {
      const d = Math.abs(a.data[c] - b[c]);
      sum += d;
      if (d > most) most = d;
      a.data[c] = d * gain;  // the array clamps to 255 by itself
    }
  }
  context.putImageData(a, 0, 0);
  return { mean: sum / (width * height * 3), most };
}

// The same, only where one of the pictures or the gain has changed; returns the words for the badge.
function differenceOf(canvas, store) {
  let last = [], text = '';
  return gain => {
    const now = [store.result, store.before, gain];
    if (now.some((item, i) => item !== last[i])) {
      const { mean, most } = drawDifference(canvas, store, gain);
      text = `difference × ${gain}: mean ${mean.toFixed(1)}, largest ${most} of 255`;
      last = now;
    }
    return text;
  };
}

// The draggable wipe: a slider for keyboard and screen reader, a line with a handle for the eye.
function wipe(viewport, life, onMove) {
  const handle = h('div', { class: 'ge-wipe', role: 'slider', tabindex: 0, 'aria-label': 'Split position',
                            'aria-valuemin': 0, 'aria-valuemax': 100 }, h('span', {}, icon('grip')));
  let part = 0.5, pointer = null;
  function set(value) {
    part = clamp(value, 0, 1);
    handle.style.left = `${100 * part}%`;
    handle.setAttribute('aria-valuenow', Math.round(100 * part));
    onMove(part);
  }
  const follow = event => {
    const box = viewport.getBoundingClientRect();
    set((event.clientX - box.left) / box.width);
  };
  life.dom(handle, 'pointerdown', event => {
    if (event.button !== 0) return;
    take(event);
    handle.focus({ preventScroll: true });
    handle.setPointerCapture(pointer = event.pointerId);
  });
  life.dom(handle, 'pointermove', event => { if (event.pointerId === pointer) follow(event); });
  life.dom(handle, 'pointerup pointercancel', () => { pointer = null; });
  life.dom(handle, 'keydown', event => {
    const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (!step) return;
    take(event);
    set(part + step * (event.shiftKey ? 5 : 1));
  });
  viewport.append(handle);
  return { handle, follow, set, get part() { return part; } };
}
