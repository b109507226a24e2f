// The palette: one row for each label with its color and pattern, its pixels, a lock and an eye.

const FEW = 10;  // labels that need no search

function maskPalette(model, store, life) {
  const labels = model.get('palette');
  const choose = i => setTraits(model, { label: i, hidden: model.get('hidden').filter(j => j !== i) });
  const toggle = (trait, i) => {
    const now = model.get(trait);
    setTraits(model, { [trait]: now.includes(i) ? now.filter(j => j !== i) : [...now, i].sort((a, b) => a - b) });
  };
  const rows = labels.map((label, i) => {
    const swatch = h('canvas', { class: 'ge-mask-swatch', width: 16, height: 16, 'aria-hidden': 'true' });
    const count = h('span', { class: 'ge-mask-count' });
    const name = h('button', { type: 'button', role: 'radio', class: 'ge-mask-name', onclick: () => choose(i) },
      swatch, h('span', { class: 'ge-mask-text' }, label.name), count);
    const lock = h('button', { type: 'button', class: 'ge-tool', onclick: () => toggle('locked', i) });
    const eye = h('button', { type: 'button', class: 'ge-tool', onclick: () => toggle('hidden', i) });
    eye.hidden = !label.color;
    const node = h('div', { class: 'ge-mask-row' }, name, lock, eye);
    return { node, name, swatch, count, lock, eye };
  });
  const search = h('input', { type: 'search', class: 'ge-text', placeholder: 'Search labels', 'aria-label': 'Search labels' });
  search.hidden = labels.length <= FEW;
  life.dom(search, 'input', () => {
    const text = search.value.trim().toLowerCase();
    rows.forEach(({ node }, i) => { node.hidden = !labels[i].name.toLowerCase().includes(text); });
  });
  const list = h('div', { class: 'ge-mask-list', role: 'radiogroup', 'aria-label': 'Labels' }, ...rows.map(row => row.node));
  life.dom(list, 'keydown', event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step || !event.target.matches('.ge-mask-name')) return;
    take(event);
    const shown = rows.map((_, i) => i).filter(i => !rows[i].node.hidden);
    const next = shown[clamp(shown.indexOf(model.get('label')) + step, 0, shown.length - 1)];
    choose(next);
    rows[next].name.focus();
  });

  function paintSwatch(canvas, i) {  // the tile twice across and down, as it will look on the picture
    const context = canvas.getContext('2d'), image = context.createImageData(16, 16);
    for (let y = 0; y < 16; y++) for (let x = 0; x < 16; x++) for (let c = 0; c < 4; c++) {
      image.data[4 * (16 * y + x) + c] = store.tiles[4 * ((i * SIDE + (y & 7)) * SIDE + (x & 7)) + c];
    }
    context.putImageData(image, 0, 0);
  }
  function press(node, on, name, whenOn, whenOff, icons) {
    const title = on ? whenOn : whenOff;
    if (node.title === title) return;
    Object.assign(node, { title });
    node.setAttribute('aria-label', `${name}: ${title}`);
    node.setAttribute('aria-pressed', on);
    node.replaceChildren(icon(icons[on ? 0 : 1]));
  }
  let drawn = null;
  function update() {
    const label = model.get('label'), locked = model.get('locked'), hidden = model.get('hidden');
    rows.forEach((row, i) => {
      const { name } = labels[i], pixels = (store.counts[i] ?? 0).toLocaleString('en');
      row.node.classList.toggle('ge-chosen', i === label);
      row.node.classList.toggle('ge-unseen', hidden.includes(i));
      row.name.setAttribute('aria-checked', i === label);
      row.name.setAttribute('aria-label', `${name}, ${pixels} pixels`);
      row.name.tabIndex = i === label ? 0 : -1;
      row.name.title = `Paint “${name}”${i > 0 && i < 10 ? ` (${i})` : ''}`;
      row.count.textContent = pixels;
      press(row.lock, locked.includes(i), name, 'Locked: its pixels stay (K)', 'Lock: keep its pixels (K)', ['lock', 'unlock']);
      press(row.eye, !hidden.includes(i), name, 'Shown: click to hide', 'Hidden: click to show', ['eye', 'closed']);
      if (store.tiles && drawn !== store.tiles) paintSwatch(row.swatch, i);
    });
    drawn = store.tiles;
  }
  return { node: h('div', { class: 'ge-mask-palette' }, search, list), update, choose, toggle, labels };
}
