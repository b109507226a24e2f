// LayerStrip: one cell per style layer, each saying whose it is. See ganedit_widgets/panels/layer_strip.py.

function layerStripView(model, el) {
  const life = scope(model);
  const cells = h('div', { class: 'ge-shares' });
  const names = h('div', { class: 'ge-share-names', 'aria-hidden': 'true' });
  const presets = h('div', { class: 'ge-share-presets', role: 'group', 'aria-label': 'Presets' });
  const root = h('div', { class: 'ge-root ge-layer-strip', role: 'group', 'data-lm-suppress-shortcuts': 'true' }, cells, names, presets);
  let focused = 0, brush = null;  // while painting: {pointer, value, last}

  const shares = () => model.get('shares');
  function set(changes) {
    const next = shares().map((share, i) => changes[i] ?? share);
    if (next.every((share, i) => share === shares()[i])) return;
    model.set('shares', next);
    model.save_changes();
  }
  const toggled = share => (share < 0.5 ? 1 : 0);
  function whose(share) {
    const [a, b] = model.get('parents');
    return share === 0 ? a : share === 1 ? b : `${Math.round(100 * share)} % ${b}`;
  }

  // ---- painting: the first cell decides what the brush paints
  function at(event) {
    const { left, width } = cells.getBoundingClientRect();
    return clamp(Math.floor((event.clientX - left) / width * shares().length), 0, shares().length - 1);
  }
  function paint(to) {
    const changes = {};
    for (let i = Math.min(brush.last, to); i <= Math.max(brush.last, to); i++) changes[i] = brush.value;
    brush.last = to;
    set(changes);
  }
  life.dom(cells, 'pointerdown', event => {
    if (event.button !== 0 || brush || model.get('disabled')) return;
    take(event);
    const i = at(event);
    brush = { pointer: event.pointerId, value: toggled(shares()[i]), last: i };
    cells.setPointerCapture(event.pointerId);
    focus(i);
    paint(i);
  });
  life.dom(cells, 'pointermove', event => { if (event.pointerId === brush?.pointer) paint(at(event)); });
  life.dom(cells, 'pointerup pointercancel lostpointercapture', event => { if (event.pointerId === brush?.pointer) brush = null; });

  // ---- keys
  function focus(i) {
    focused = clamp(i, 0, shares().length - 1);
    update();
    cells.children[focused]?.focus({ preventScroll: true });
  }
  life.dom(cells, 'keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const last = shares().length - 1, share = shares()[focused];
    const to = { ArrowLeft: focused - 1, ArrowRight: focused + 1, Home: 0, End: last }[event.key];
    const value = { ArrowUp: share + 0.1, ArrowDown: share - 0.1, ' ': toggled(share), a: 0, b: 1 }[event.key.length > 1 ? event.key : event.key.toLowerCase()];
    if (to === undefined && value === undefined) return;
    take(event);
    if (to !== undefined) {
      if (event.shiftKey && !model.get('disabled')) set({ [clamp(to, 0, last)]: share });  // Shift carries the share along
      focus(to);
    } else if (!model.get('disabled')) set({ [focused]: clamp(Math.round(100 * value) / 100, 0, 1) });
  });

  function groupOf(i) {
    return Object.entries(model.get('groups')).find(([, [lo, hi]]) => i >= lo && i < hi)?.[0] ?? '';
  }

  function update() {
    const given = shares(), n = given.length, off = model.get('disabled');
    if (cells.childElementCount !== n) {
      cells.replaceChildren(...given.map(() => h('div', { class: 'ge-share', role: 'slider', 'aria-valuemin': 0, 'aria-valuemax': 100 }, h('i'), h('span'))));
    }
    focused = clamp(focused, 0, Math.max(0, n - 1));
    [...cells.children].forEach((cell, i) => {
      const share = given[i], text = `Layer ${i} (${groupOf(i)}): ${whose(share)}`;
      cell.firstChild.style.height = `${100 * share}%`;
      cell.lastChild.textContent = share === 0 || share === 1 ? whose(share) : '';
      cell.classList.toggle('ge-taken', share > 0.5);
      cell.classList.toggle('ge-first', i > 0 && groupOf(i) !== groupOf(i - 1));
      cell.tabIndex = i === focused ? 0 : -1;
      cell.title = `${text}. Click or drag to paint; keys: arrows, Space, A, B`;
      for (const [name, value] of [['label', `Layer ${i}, ${groupOf(i)}`], ['valuenow', Math.round(100 * share)], ['valuetext', whose(share)], ['disabled', Boolean(off)]]) cell.setAttribute(`aria-${name}`, value);
    });
    cells.classList.toggle('ge-off', Boolean(off));
    names.replaceChildren(...Object.entries(model.get('groups')).map(([name, [lo, hi]]) => {
      const node = h('span', {}, name);
      node.style.flexGrow = hi - lo;
      return node;
    }));
    const made = Object.entries(model.get('presets'));
    if (made.map(([name]) => name).join() !== [...presets.children].map(b => b.textContent).join()) {
      presets.replaceChildren(...made.map(([name]) => h('button', { type: 'button', class: 'ge-share-preset',
        onclick: () => { if (!model.get('disabled')) set(model.get('presets')[name]); } }, name)));
    }
    [...presets.children].forEach((button, i) => {
      button.setAttribute('aria-pressed', made[i][1].join() === given.join());
      button.setAttribute('aria-disabled', Boolean(off));
      button.title = off || model.get('hints')[made[i][0]] || '';
    });
    root.setAttribute('aria-label', model.get('label'));
  }

  life.model('change:shares change:groups change:presets change:parents change:label change:disabled change:hints', update);
  actionKeys(life, model, root);
  mount(el, root);
  update();
  return life.end;
}

export default () => ({ render: ({ model, el }) => layerStripView(model, el) });
