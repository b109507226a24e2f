// Knobs: a column of sliders. See ganedit_widgets/panels/knobs.py for the Python side.

// Messages in: {t: 'set', key, fields, stamp}. Messages out, all with key and stamp: {t: 'input', value, final},
// {t: 'layers', value: [lo, hi]}, {t: 'toggle', value}; and {t: 'remove', key}, {t: 'move', key, by}.

function knobsView(model, el, store) {
  const life = scope(model), rows = new Map();
  const grid = h('div', { class: 'ge-rows' });
  const root = h('div', { class: 'ge-root ge-knobs', role: 'group', 'data-lm-suppress-shortcuts': 'true' }, grid);

  // What a row is built from; where it changes, the row is built anew.
  const shape = ({ label, unit, layers }) => JSON.stringify([label, unit, Boolean(layers)]);

  function arrange() {
    for (const [key, row] of rows) {
      if (store.rows.has(key) && row.shape === shape(store.rows.get(key))) continue;
      row.end();
      row.node.remove();
      rows.delete(key);
    }
    const active = grid.contains(document.activeElement) ? document.activeElement : null;
    let place = grid.firstChild;
    for (const key of store.rows.keys()) {
      if (!rows.has(key)) rows.set(key, { ...knobRow(model, store, key), shape: shape(store.rows.get(key)) });
      const { node, update } = rows.get(key);
      if (node === place) place = place.nextSibling;
      else grid.insertBefore(node, place);  // moved only where the order has changed
      update();
    }
    if (active?.isConnected && active !== document.activeElement) active.focus();  // a row that is moved loses it
    grid.classList.toggle('ge-checks', [...store.rows.values()].some(row => row.enabled !== null));
  }
  const self = { arrange, update: key => rows.get(key)?.update() };
  const updateAll = () => { for (const row of rows.values()) row.update(); };
  const describe = () => root.setAttribute('aria-label', model.get('label'));
  life.model('change:layer_count change:presets', updateAll);
  life.model('change:label', describe);
  store.views.add(self);
  life.onEnd(() => { store.views.delete(self); for (const row of rows.values()) row.end(); });
  describe();
  arrange();
  actionKeys(life, model, root);
  mount(el, root);
  return life.end;
}

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = knobStore(model);
      store.read();
      model.on('msg:custom', store.receive);
      model.on('change:rows', store.read);
      return () => { store.end(); model.off('msg:custom', store.receive); model.off('change:rows', store.read); };
    },
    render: ({ model, el }) => knobsView(model, el, store),
  };
};
