// Filmstrip: thumbnails to choose from. See ganedit_widgets/panels/filmstrip.py for the Python side.

// Messages in: {t: 'cells', seq, cells: [{id, caption, aspect, undone, mark, buffer}], current} + one JPEG per
// cell whose `buffer` is not null. Messages out: {t: 'ready'}, {t: 'ack', seq}, {t: 'select', id}, {t: 'mark', id, mark}.

function stripStore(model) {
  const store = { cells: [], current: null, views: new Set(), loaded: false };
  const urls = new Map();

  store.receive = (message, buffers) => {
    if (message.t !== 'cells') return;
    for (const { id, buffer } of message.cells) {
      if (buffer === null) continue;
      if (urls.has(id)) URL.revokeObjectURL(urls.get(id));
      urls.set(id, URL.createObjectURL(new Blob([buffers[buffer]], { type: 'image/jpeg' })));
    }
    for (const [id, url] of urls) {
      if (message.cells.some(cell => cell.id === id)) continue;
      URL.revokeObjectURL(url);
      urls.delete(id);
    }
    store.cells = message.cells.map(cell => ({ ...cell, url: urls.get(cell.id) ?? '' }));
    store.current = message.current;
    store.loaded = true;
    store.redraw();
    model.send({ t: 'ack', seq: message.seq });
    if (store.cells.some(cell => !cell.url)) model.send({ t: 'ready' });  // an earlier message was lost
  };
  store.redraw = () => { for (const view of store.views) view.arrange(); };
  store.select = id => {
    store.current = id;
    store.redraw();
    model.send({ t: 'select', id });
  };
  store.mark = (id, mark) => {
    store.cells.find(cell => cell.id === id).mark = mark;
    store.redraw();
    model.send({ t: 'mark', id, mark });
  };
  store.end = () => { for (const url of urls.values()) URL.revokeObjectURL(url); };
  return store;
}

function stripView(model, el, store) {
  const life = scope(model), cells = new Map();
  const list = h('div', { class: 'ge-list', role: 'listbox', tabindex: 0, 'aria-orientation': 'horizontal' });
  const hint = h('div', { class: 'ge-hint' });
  const root = h('div', { class: 'ge-root ge-filmstrip', 'data-lm-suppress-shortcuts': 'true' }, list, hint);
  const strip = { prefix: `ge-${Math.random().toString(36).slice(2)}-`, current: () => store.current };
  let focused = null;  // the cell the keys act on; it differs from `current` only where marking is on

  // Scroll the strip itself, never the page.
  function reveal(node) {
    const box = list.getBoundingClientRect(), cell = node.getBoundingClientRect();
    if (cell.left < box.left) list.scrollLeft -= box.left - cell.left + 8;
    if (cell.right > box.right) list.scrollLeft += cell.right - box.right + 8;
  }

  function arrange() {
    const ids = new Set(store.cells.map(cell => cell.id));
    for (const [id, cell] of cells) if (!ids.has(id)) { cell.node.remove(); cells.delete(id); }
    let place = list.firstChild;
    store.cells.forEach((cell, i) => {
      if (!cells.has(cell.id)) cells.set(cell.id, filmCell(strip, cell.id));
      const { node, update } = cells.get(cell.id);
      if (node === place) place = place.nextSibling;
      else list.insertBefore(node, place);
      update(cell, i, store.cells.length);
    });
    if (!ids.has(focused) || !model.get('markable')) focused = ids.has(store.current) ? store.current : store.cells[0]?.id ?? null;
    for (const [id, { node }] of cells) node.classList.toggle('ge-focused', id === focused);
    list.setAttribute('aria-activedescendant', focused === null ? '' : strip.prefix + focused);
    list.setAttribute('aria-label', model.get('label'));
    list.classList.toggle('ge-wrap', model.get('wrap'));
    list.classList.toggle('ge-markable', model.get('markable'));
    list.hidden = !store.cells.length;
    hint.hidden = Boolean(store.cells.length) || !model.get('hint');
    hint.textContent = model.get('hint');
    root.style.setProperty('--ge-size', `${model.get('size')}px`);
    const node = cells.get(focused)?.node;
    if (node && node.dataset.shown !== String(store.current)) { node.dataset.shown = String(store.current); reveal(node); }
  }

  const cellOf = id => store.cells.find(cell => cell.id === id);
  const nextMark = { '': '+', '+': '-', '-': '' };
  function choose(id) {
    focused = id;
    if (model.get('markable')) arrange();
    else if (id !== store.current) store.select(id);
    reveal(cells.get(id).node);
  }

  life.dom(list, 'click', event => {
    const node = event.target.closest('.ge-cell');
    const found = [...cells].find(([, cell]) => cell.node === node);
    if (!found) return;
    choose(found[0]);
    if (model.get('markable')) store.mark(found[0], nextMark[cellOf(found[0]).mark]);
  });

  // The cell one row up or down, nearest in x.
  function inRow(direction) {
    const from = cells.get(focused).node.getBoundingClientRect(), distance = box => Math.abs(box.left - from.left);
    const rows = [...cells].map(([id, { node }]) => ({ id, box: node.getBoundingClientRect() }))
      .filter(({ box }) => direction * (box.top - from.top) > 1);
    const nearest = Math.min(...rows.map(({ box }) => Math.abs(box.top - from.top)));
    return rows.filter(({ box }) => Math.abs(box.top - from.top) < nearest + 1).sort((a, b) => distance(a.box) - distance(b.box))[0]?.id;
  }

  life.dom(list, 'keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || focused === null) return;
    const at = store.cells.findIndex(cell => cell.id === focused), last = store.cells.length - 1;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    const rows = model.get('wrap') ? { ArrowUp: -1, ArrowDown: 1 }[event.key] : undefined;
    if (to !== undefined) { take(event); choose(store.cells[clamp(to, 0, last)].id); }
    else if (rows) { take(event); const id = inRow(rows); if (id !== undefined) choose(id); }
    else if (event.key === 'Enter' && !model.get('markable')) { take(event); store.select(focused); }
    else if (model.get('markable')) {
      const mark = { '+': '+', '=': '+', '-': '-', Delete: '', Backspace: '', ' ': nextMark[cellOf(focused).mark] }[event.key];
      if (mark !== undefined) { take(event); store.mark(focused, mark); }
    }
  });

  life.model('change:size change:wrap change:markable change:label change:hint', arrange);
  const self = { arrange };
  store.views.add(self);
  life.onEnd(() => store.views.delete(self));
  actionKeys(life, model, root);
  mount(el, root);
  arrange();
  return life.end;
}

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = stripStore(model);
      model.on('msg:custom', store.receive);
      return () => { store.end(); model.off('msg:custom', store.receive); };
    },
    render({ model, el }) {
      const end = stripView(model, el, store);
      if (!store.loaded) model.send({ t: 'ready' });
      return end;
    },
  };
};
