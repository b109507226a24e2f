// The ink: what the page knows and the surface below does not show yet, drawn as the surface is going to show it.

function maskInk(model, store) {
  const { width, height } = store;
  const canvas = h('canvas', { class: 'ge-mask-ink', width, height });
  const context = canvas.getContext('2d');
  const ink = { canvas, bare: false, hover: null, hosted: false };
  ink.whole = () => ink.bare || ink.hover !== null || !ink.hosted || !store.drawn;

  function alphas() {
    const shown = model.get('palette').map((label, i) => label.color && !model.get('hidden').includes(i) ? model.get('opacity') : 0);
    return ink.bare ? shown.map(() => 0) : shown;
  }

  function glowing() {  // what a click would give: the chosen label's color, white for the background
    const { color } = model.get('palette')[model.get('label')];
    return color ? [1, 3, 5].map(i => parseInt(color.slice(i, i + 2), 16)) : [255, 255, 255];
  }

  // Lay the mask's colors over the picture in a box, opaque: so the eraser shows the picture at once.
  ink.draw = box => {
    const { base, tiles, mask } = store;
    if (!base || !tiles || !mask) return;
    const [x0, y0, w, h] = box, image = context.createImageData(w, h), out = image.data, alpha = alphas();
    const glow = ink.hover === null ? null : glowing();
    for (let y = y0, o = 0; y < y0 + h; y++) for (let x = x0; x < x0 + w; x++, o += 4) {
      const i = y * width + x, label = mask[i], a = alpha[label], b = 4 * i;
      const t = 4 * ((label * SIDE + (y & 7)) * SIDE + (x & 7));
      out[o] = base[b] + a * (tiles[t] - base[b]);
      out[o + 1] = base[b + 1] + a * (tiles[t + 1] - base[b + 1]);
      out[o + 2] = base[b + 2] + a * (tiles[t + 2] - base[b + 2]);
      out[o + 3] = 255;
      if (glow && store.clusters?.[i] === ink.hover) for (let c = 0; c < 3; c++) out[o + c] = 0.35 * out[o + c] + 0.65 * glow[c];
    }
    context.putImageData(image, x0, y0);
  };

  // Only what was hit since last time: the rest of a stroke in the hand is there already.
  ink.add = () => {
    const box = store.takeFresh();
    if (box) ink.draw(box);
  };
  ink.redraw = () => {
    store.takeFresh();
    if (ink.whole()) return ink.draw([0, 0, width, height]);
    context.clearRect(0, 0, width, height);
    for (const { box } of store.wet) ink.draw(box);
    const box = store.stroke && boxOf(store.stroke);
    if (box) ink.draw(box);
  };
  return ink;
}

// What is drawn above the ink in lines: the ring of the brush, and a path on its way.
function maskLines(store) {
  const make = (tag, props) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
    return node;
  };
  const svg = make('svg', { class: 'ge-mask-lines', viewBox: `0 0 ${store.width} ${store.height}`, 'aria-hidden': 'true' });
  const rings = ['ge-line-dark', 'ge-line-light'].map(name => make('circle', { class: name, r: 0 }));
  const paths = ['ge-line-dark', 'ge-line-light'].map(name => make('path', { class: name, d: '' }));
  svg.append(...paths, ...rings);
  return {
    svg,
    ring(point, size) {
      for (const node of rings) node.style.display = point ? '' : 'none';
      if (!point) return;
      const [x, y] = size < 2 ? [Math.floor(point[0]) + 0.5, Math.floor(point[1]) + 0.5] : point;
      for (const node of rings) for (const [key, value] of [['cx', x], ['cy', y], ['r', Math.max(size, 1) / 2]]) node.setAttribute(key, value);
    },
    path(points, closed) {
      const d = points?.length ? `M${points.map(p => `${p[0]} ${p[1]}`).join('L')}${closed ? 'Z' : ''}` : '';
      for (const node of paths) node.setAttribute('d', d);
    },
  };
}
