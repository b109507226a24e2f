// PartView: pictures with their parts over them. See ganedit_widgets/panels/part_view.py for the Python side.

// Messages in: {t: 'tiles', seq, tiles: [{id, caption, main, picture, map, w, h}]} + JPEGs (`picture`) and bytes (`map`).
// Messages out: {t: 'ready'}, {t: 'ack', seq}, {t: 'action', name}.

function partStore(model) {
  const store = { tiles: [], hover: null, at: null, views: new Set(), loaded: false };
  const pictures = new Map();  // id -> ImageBitmap
  let newest = 0;

  store.receive = async (message, buffers) => {
    if (message?.t !== 'tiles') return;
    newest = message.seq;
    const made = await Promise.all(message.tiles.map(({ picture }) => picture === null ? null
      : createImageBitmap(new Blob([buffers[picture]], { type: 'image/jpeg' }))));
    message.tiles.forEach(({ id }, i) => {
      if (!made[i]) return;
      pictures.get(id)?.close();
      pictures.set(id, made[i]);
    });
    if (message.seq === newest) {
      for (const [id, bitmap] of pictures) {
        if (message.tiles.some(tile => tile.id === id)) continue;
        bitmap.close();
        pictures.delete(id);
      }
      store.tiles = message.tiles.map(tile => ({ ...tile, bitmap: pictures.get(tile.id), map: tile.map === null ? null : bytesOf(buffers[tile.map]) }));
      store.loaded = true;
      for (const view of store.views) view.arrange();
    }
    model.send({ t: 'ack', seq: message.seq });
    if (message.tiles.some(({ id }) => !pictures.has(id))) model.send({ t: 'ready' });  // an earlier message was lost
  };
  store.point = (part, tile = null) => {
    if (store.hover === part && store.at === tile) return;
    Object.assign(store, { hover: part, at: tile });
    for (const view of store.views) view.redraw();
  };
  store.select = (part, more) => {
    const name = model.get('parts')[part]?.name, chosen = model.get('selected');
    if (name === undefined) return;
    const has = chosen.includes(name);
    const next = more ? (has ? chosen.filter(n => n !== name) : [...chosen, name]) : has && chosen.length === 1 ? [] : [name];
    model.set('selected', next);
    model.save_changes();
    for (const view of store.views) view.redraw();
  };
  store.end = () => { for (const bitmap of pictures.values()) bitmap.close(); };
  return store;
}

const bytesOf = view => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
const percent = share => `${share > 0 && share < 0.01 ? '<1' : Math.round(100 * share)} %`;

function partTile(life, store, model, tile) {
  const picture = h('canvas', { class: 'ge-part-picture' }), overlay = h('canvas', { class: 'ge-part-overlay' });
  const caption = h('span', { class: 'ge-part-caption' });
  const node = h('div', { class: 'ge-part-tile' }, h('div', { class: 'ge-part-frame' }, picture, overlay), caption);
  const self = { node, overlay, tile };
  self.update = next => {
    const changed = self.tile.bitmap !== next.bitmap || !picture.dataset.drawn;
    self.tile = next;
    node.classList.toggle('ge-part-main', next.main);
    caption.textContent = next.caption;
    overlay.setAttribute('role', 'img');
    if (!changed || !next.bitmap) return;
    Object.assign(picture, { width: next.bitmap.width, height: next.bitmap.height });
    picture.getContext('2d').drawImage(next.bitmap, 0, 0);
    picture.dataset.drawn = '1';
  };
  const partAt = event => {
    const { map, w, h: rows } = self.tile, box = overlay.getBoundingClientRect();
    if (!map) return null;
    const x = clamp(Math.floor((event.clientX - box.left) / box.width * w), 0, w - 1);
    const y = clamp(Math.floor((event.clientY - box.top) / box.height * rows), 0, rows - 1);
    return tableOf(model.get('parts'))[map[y * w + x]] ?? null;
  };
  life.dom(overlay, 'pointermove pointerdown', event => store.point(partAt(event), self.tile.id));
  life.dom(overlay, 'pointerleave', () => store.point(null));
  life.dom(overlay, 'click', event => {
    const part = partAt(event);
    if (part !== null) store.select(part, event.shiftKey || event.ctrlKey || event.metaKey);
  });
  return self;
}

function partView(model, el, store) {
  const life = scope(model), tiles = new Map();
  const place = h('div', { class: 'ge-part-tiles' });
  const said = h('div', { class: 'ge-part-said' });
  const list = h('div', { class: 'ge-part-list', role: 'group', 'aria-label': 'List of parts' });
  const root = h('div', { class: 'ge-root ge-partview', role: 'group', 'data-lm-suppress-shortcuts': 'true' }, place, said, list);
  let waiting = 0;

  function arrange() {
    for (const [id, tile] of tiles) if (!store.tiles.some(t => t.id === id)) { tile.node.remove(); tiles.delete(id); }
    store.tiles.forEach((tile, i) => {
      if (!tiles.has(tile.id)) tiles.set(tile.id, partTile(life, store, model, tile));
      const made = tiles.get(tile.id);
      made.update(tile);
      if (place.children[i] !== made.node) place.insertBefore(made.node, place.children[i] ?? null);
    });
    root.style.setProperty('--ge-main', `${model.get('width')}px`);
    root.style.setProperty('--ge-size', `${model.get('size')}px`);
    root.setAttribute('aria-label', model.get('label'));
    chips();
    redraw();
  }

  function chips() {
    const parts = model.get('parts');
    const made = parts.map((part, i) => {
      const swatch = h('i', { class: 'ge-part-swatch' }), name = h('span', { class: 'ge-part-name' }, part.name);
      swatch.style.background = `rgb(${part.color.join(' ')})`;
      const chip = list.children[i] ?? h('button', { type: 'button', class: 'ge-part-chip' });
      if (!chip.dataset.heard) {
        chip.dataset.heard = '1';
        life.dom(chip, 'pointerenter focus', () => store.point(i));
        life.dom(chip, 'pointerleave blur', () => store.point(null));
        life.dom(chip, 'click', event => store.select(i, event.shiftKey || event.ctrlKey || event.metaKey));
      }
      chip.replaceChildren(swatch, name, h('span', { class: 'ge-part-share' }));
      return chip;
    });
    const focused = made.indexOf(list.getRootNode().activeElement);
    if (made.length !== list.children.length || made.some((chip, i) => list.children[i] !== chip)) list.replaceChildren(...made);
    if (focused >= 0) made[focused].focus({ preventScroll: true });
  }

  function redraw() {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(draw);
  }

  function draw() {
    const parts = model.get('parts'), table = tableOf(parts), names = model.get('selected');
    const selected = new Set(parts.map((part, i) => [part, i]).filter(([part]) => names.includes(part.name)).map(([, i]) => i));
    const hover = store.hover !== null && store.hover < parts.length ? store.hover : null;
    for (const { tile, overlay } of tiles.values()) drawOverlay(overlay, tile, parts, table, { opacity: model.get('opacity'), hover, selected });
    const known = store.tiles.filter(tile => tile.map), shares = known.map(tile => sharesOf(tile, table, parts.length));
    const mean = i => shares.reduce((sum, found) => sum + found[i], 0) / Math.max(1, shares.length);
    [...list.children].forEach((chip, i) => {
      if (!parts[i]) return;
      chip.setAttribute('aria-pressed', selected.has(i));
      chip.classList.toggle('ge-part-lit', hover === i);
      chip.lastChild.textContent = shares.length ? percent(shares[0][i]) : '';
      chip.title = shares.length && !shares[0][i] ? `${parts[i].name}: not in the first picture` : `${parts[i].name}: click to select, Shift+click to select several`;
    });
    said.textContent = sentence(parts, hover, known, shares, mean, names);
    for (const { tile, overlay } of tiles.values()) overlay.setAttribute('aria-label', `${tile.caption || 'this picture'}, its parts in colors`);
  }

  function sentence(parts, hover, known, shares, mean, names) {
    if (!parts.length) return model.get('hint');
    if (hover === null) return names.length ? `Selected: ${names.join(', ')}` : 'Point at a part; click selects it, Shift+click several.';
    const at = Math.max(0, known.findIndex(tile => tile.id === store.at));
    const here = shares.length ? `${percent(shares[at][hover])} of ${known[at].caption || 'this picture'}` : '';
    const all = shares.length > 1 ? `, ${percent(mean(hover))} of all ${shares.length}` : '';
    return `${parts[hover].name}: ${here}${all}`;
  }

  actionKeys(life, model, root);
  life.model('change:parts change:label change:width change:size', arrange);
  life.model('change:selected change:opacity change:hint', redraw);
  const watcher = new ResizeObserver(redraw);
  watcher.observe(root);
  life.onEnd(() => { watcher.disconnect(); cancelAnimationFrame(waiting); });
  const self = { arrange, redraw };
  store.views.add(self);
  life.onEnd(() => store.views.delete(self));
  mount(el, root);
  arrange();
  return life.end;
}

export default () => {
  let store;
  return {
    initialize({ model }) {
      store = partStore(model);
      model.on('msg:custom', store.receive);
      return () => { store.end(); model.off('msg:custom', store.receive); };
    },
    render({ model, el }) {
      const end = partView(model, el, store);
      if (!store.loaded) model.send({ t: 'ready' });
      return end;
    },
  };
};
