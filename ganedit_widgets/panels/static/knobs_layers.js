// The layer control of one slider: a strip with one cell per style layer, two handles, and presets.

function layerControl(model, store, key, life) {
  const cells = h('div', { class: 'ge-cells', 'aria-hidden': 'true' });
  const handle = name => h('div', { class: 'ge-handle', role: 'slider', tabindex: 0, 'aria-label': `${name} layer` });
  const first = handle('First'), last = handle('Last');
  const strip = h('div', { class: 'ge-layers' }, cells, first, last);
  const presets = h('div', { class: 'ge-presets', role: 'group', 'aria-label': 'Layer presets' });
  const box = h('div', { class: 'ge-layer-box' }, strip, presets);
  const range = () => store.rows.get(key).layers, count = () => model.get('layer_count');
  let pointer = null, edge = 0;

  function set(which, boundary, final) {
    let [lo, hi] = range();
    if (which === 0) lo = clamp(boundary, 0, hi - 1);
    else hi = clamp(boundary, lo + 1, count());
    store.layers(key, lo, hi, final);
  }
  const boundary = event => {
    const { left, width } = strip.getBoundingClientRect();
    return Math.round((event.clientX - left) / width * count());
  };

  life.dom(strip, 'pointerdown', event => {
    if (event.button !== 0) return;
    take(event);
    const at = boundary(event), [lo, hi] = range();
    edge = Math.abs(at - lo) < Math.abs(at - hi) || (at - lo === hi - at && at < lo) ? 0 : 1;
    [first, last][edge].focus({ preventScroll: true });
    strip.setPointerCapture(pointer = event.pointerId);
    store.held.add(key);
    set(edge, at, false);
  });
  life.dom(strip, 'pointermove', event => { if (event.pointerId === pointer) set(edge, boundary(event), false); });
  life.dom(strip, 'pointerup pointercancel lostpointercapture', event => {
    if (event.pointerId !== pointer) return;
    pointer = null;
    store.held.delete(key);
    store.layers(key, ...range(), true);
  });
  for (const [which, node] of [first, last].entries()) {
    life.dom(node, 'keydown', event => {
      const step = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      const to = { Home: 0, End: count() }[event.key];
      if (step === undefined && to === undefined) return;
      take(event);
      set(which, to ?? range()[which] + step, true);
    });
  }

  function update() {
    const n = count(), [lo, hi] = range();
    if (cells.childElementCount !== n) cells.replaceChildren(...Array.from({ length: n }, (_, i) => h('i', {}, String(i))));
    cells.classList.toggle('ge-tight', strip.clientWidth < 17 * n);  // no room for the numbers
    [...cells.children].forEach((cell, i) => cell.classList.toggle('ge-on', i >= lo && i < hi));
    for (const [node, at, value, low, high] of [[first, lo, lo, 0, hi - 1], [last, hi, hi - 1, lo, n - 1]]) {
      node.style.left = `${100 * at / n}%`;
      for (const [name, number] of [['now', value], ['min', low], ['max', high]]) node.setAttribute(`aria-value${name}`, number);
    }
    const named = { all: [0, n], ...model.get('presets') };
    if (Object.keys(named).join() !== [...presets.children].map(b => b.textContent).join()) {
      presets.replaceChildren(...Object.keys(named).map(name => h('button', { type: 'button', class: 'ge-preset',
        onclick: () => store.layers(key, ...({ all: [0, count()], ...model.get('presets') })[name], true) }, name)));
    }
    for (const button of presets.children) button.setAttribute('aria-pressed', named[button.textContent].join() === [lo, hi].join());
  }
  const watcher = new ResizeObserver(update);
  watcher.observe(strip);
  life.onEnd(() => watcher.disconnect());
  return { box, update };
}

// "all", "4-7" or "5": the layers of a row, both ends included, as people say it.
function layerText([lo, hi], count) {
  return lo === 0 && hi === count ? 'all' : hi - lo === 1 ? String(lo) : `${lo}–${hi - 1}`;
}
