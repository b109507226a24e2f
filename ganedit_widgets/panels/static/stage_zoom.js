// Zoom and pan of one view: the picture's layers carry one CSS transform; the canvases keep picture size.

const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8, 12, 16, 24, 32];

// Keep a zoomer and a trait of the model, [k, x / width, y / height], alike; every view, and who is linked, shows the same.
function zoomLink(model, trait, life, viewport, zoom) {
  let telling = 0;
  const now = () => {
    const { width, height } = viewport.getBoundingClientRect();
    return width ? [zoom.state.k, zoom.state.x / width, zoom.state.y / height] : null;  // null: not on show
  };
  const alike = view => view.every((value, i) => Math.abs(value - model.get(trait)[i]) < 1e-4);
  function follow() {
    const [k, x, y] = model.get(trait), { width, height } = viewport.getBoundingClientRect();
    Object.assign(zoom.state, { k: clamp(k, 1, ZOOMS.at(-1)), x: x * width, y: y * height });
    zoom.apply();
  }
  life.onEnd(() => clearTimeout(telling));
  life.model(`change:${trait}`, () => { const view = now(); if (view && !alike(view)) follow(); });
  return {
    follow,
    tell() {
      const view = now();
      if (!view || alike(view)) return;
      model.set(trait, view);
      clearTimeout(telling);
      telling = setTimeout(() => model.save_changes(), 150);
    },
  };
}

function zoomer(viewport, layers, onChange) {
  const state = { k: 1, x: 0, y: 0 };

  function apply() {
    const { width, height } = viewport.getBoundingClientRect();
    state.x = clamp(state.x, width * (1 - state.k), 0);
    state.y = clamp(state.y, height * (1 - state.k), 0);
    const transform = `translate(${state.x}px, ${state.y}px) scale(${state.k})`;
    for (const layer of layers) layer.style.transform = transform;
    onChange(state.k, width);
  }

  // Zoom to k so that the picture point under (px, py), viewport pixels, stays where it is.
  function to(k, px, py) {
    const { width, height } = viewport.getBoundingClientRect();
    px ??= width / 2;
    py ??= height / 2;
    k = clamp(k, 1, ZOOMS.at(-1));
    state.x = px - (px - state.x) * k / state.k;
    state.y = py - (py - state.y) * k / state.k;
    state.k = k;
    apply();
  }

  return {
    state, apply, to,
    step: direction => to(direction > 0 ? ZOOMS.find(z => z > state.k * 1.01) ?? state.k
                                        : ZOOMS.findLast(z => z < state.k / 1.01) ?? 1),
    pan(dx, dy) { state.x += dx; state.y += dy; apply(); },
    wheel(event) {
      const box = viewport.getBoundingClientRect();
      const delta = event.deltaY * (event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? 400 : 1);
      to(state.k * Math.exp(-delta / 300), event.clientX - box.left, event.clientY - box.top);
    },
  };
}
