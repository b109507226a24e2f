// One slider with its label, number, layer control and buttons.

const parse = text => Number(text.trim().replace(',', '.').replace('−', '-') || NaN);

// As many decimals as the step has, and one more for what lies between two steps: the field has room for no more.
function format(value, step) {
  const decimals = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9)));
  const between = Math.abs(value - Number(value.toFixed(decimals))) > 1e-9;
  return between ? String(Number(value.toFixed(decimals + 1))) : value.toFixed(decimals);
}

// Number field: Enter or leaving it takes the value, Escape gives it back, arrows step.
function numberField(life, label, change) {
  const field = h('input', { class: 'ge-number', type: 'text', inputmode: 'decimal', autocomplete: 'off', 'aria-label': `${label}, value` });
  let typing = false, last = '';
  const show = text => { last = text; if (!typing) field.value = text; };
  const leave = keep => {
    const value = parse(field.value), typed = typing && keep && Number.isFinite(value);
    typing = false;
    show(last);
    if (typed) change(value);
  };
  life.dom(field, 'focus', () => field.select());
  life.dom(field, 'input', () => { typing = true; });
  life.dom(field, 'blur', () => leave(true));
  life.dom(field, 'keydown', event => {
    const undo = typing && actionOf(event) === 'undo';  // of the typing; the browser does it
    if (undo) event.stopPropagation();
    if (!typing || !['Enter', 'Escape', 'ArrowUp', 'ArrowDown'].includes(event.key)) return;
    leave(event.key !== 'Escape');
    if (event.key.startsWith('Arrow')) return;  // goes on to step from here
    take(event);
    field.select();
  });
  return { field, show };
}

function knobRow(model, store, key) {
  const life = scope(model), row = () => store.rows.get(key), id = `ge-${Math.random().toString(36).slice(2)}`;
  const { label, unit } = row();
  const range = h('input', { type: 'range', id, step: 'any' });
  const marks = Object.fromEntries(['low', 'high', 'fill', 'default'].map(name => [name, h('i', { class: `ge-mark-${name}` })]));
  const slider = h('div', { class: 'ge-slider' }, h('div', { class: 'ge-track' }, ...Object.values(marks)), range);
  const name = h('label', { for: id, class: 'ge-name', title: label }, label);
  const strip = h('img', { class: 'ge-strip', alt: '', draggable: 'false' });
  const enable = h('input', { type: 'checkbox', class: 'ge-enable', 'aria-label': `${label}, on` });
  const chip = h('button', { type: 'button', class: 'ge-chip', 'aria-expanded': 'false' }, icon('layers'), h('span'));
  const tool = (symbol, title) => h('button', { type: 'button', class: 'ge-tool', title, 'aria-label': `${title}: ${label}` }, icon(symbol));
  const reset = tool('reset', 'Back to the default'), remove = tool('close', 'Remove');
  const up = tool('up', 'Earlier (Alt+↑)'), down = tool('down', 'Later (Alt+↓)');
  const { field: number, show } = numberField(life, label, value => store.input(key, value, true));
  const layers = row().layers ? layerControl(model, store, key, life) : null;
  if (layers) layers.box.hidden = true;
  const node = h('div', { class: 'ge-knob', 'data-key': key }, enable, name, slider,
    h('span', { class: 'ge-value' }, number, h('span', { class: 'ge-unit' }, unit)), chip, h('span', { class: 'ge-ends' }, up, down, reset, remove));
  node.append(strip, ...(layers ? [layers.box] : []));

  const snap = value => {
    const { min, step } = row();
    return Number((min + Math.round((value - min) / step) * step).toFixed(6));
  };

  // ---- the slider: pointer, keys, double click
  const holdOn = () => store.held.add(key);
  const letGo = () => { if (store.held.delete(key)) store.input(key, row().value, true); };
  let settle = 0;
  life.dom(range, 'pointerdown', event => { if (event.button === 0) holdOn(); });
  life.dom(range, 'pointerup pointercancel', letGo);
  life.dom(range, 'input', () => store.input(key, snap(Number(range.value)), false));
  life.onEnd(() => { clearTimeout(settle); store.held.delete(key); });
  life.dom(range, 'blur', () => { letGo(); if (settle) finish(); });
  const finish = () => { clearTimeout(settle); settle = 0; store.input(key, row().value, true); };
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  const onKey = event => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const sideways = event.target === number && /Left|Right/.test(event.key);  // moves the text cursor there
    const { min, max, step, value } = row();
    let next = steps[event.key] !== undefined && !sideways ? snap(value + steps[event.key] * (event.shiftKey ? 10 : 1) * step) : undefined;
    if (event.target === range && event.key === 'Home') next = min;
    if (event.target === range && event.key === 'End') next = max;
    if (event.key === 'Enter') { take(event); model.send({ t: 'action', name: 'apply' }); }
    if (next === undefined) return;
    take(event);
    if (event.target === range) next = clamp(next, Math.min(min, value), Math.max(max, value));
    store.input(key, next, false);
    clearTimeout(settle);
    settle = setTimeout(finish, 250);
  };
  life.dom(range, 'keydown', onKey);
  life.dom(number, 'keydown', onKey);
  const toDefault = () => store.input(key, row().default, true);
  life.dom(slider, 'dblclick', toDefault);
  life.dom(name, 'dblclick', toDefault);
  life.dom(reset, 'click', toDefault);
  life.dom(strip, 'click', event => {
    const { left, width } = strip.getBoundingClientRect(), { min, max } = row();
    store.input(key, snap(min + (max - min) * (event.clientX - left) / width), true);
  });
  life.dom(remove, 'click', () => store.remove(key));
  life.dom(up, 'click', () => store.move(key, -1));
  life.dom(down, 'click', () => store.move(key, 1));
  life.dom(node, 'keydown', event => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey && by && row().movable) { take(event); store.move(key, by); }
  });
  life.dom(enable, 'change', () => store.toggle(key, enable.checked));
  life.dom(chip, 'click', () => {
    layers.box.hidden = !layers.box.hidden;
    chip.setAttribute('aria-expanded', !layers.box.hidden);
  });

  function update() {
    const { value, min, max, step, default: start, warn } = row();
    const at = v => 100 * clamp((v - min) / (max - min), 0, 1);
    Object.assign(range, { min, max });
    range.value = value;
    const risky = Boolean(warn && (value < warn[0] || value > warn[1]));
    range.setAttribute('aria-valuetext', `${format(value, step)} ${unit}${risky ? ', outside the safe range' : ''}`.trim());
    show(format(value, step));
    marks.fill.style.cssText = `left:${Math.min(at(value), at(start))}%;right:${100 - Math.max(at(value), at(start))}%`;
    marks.default.style.left = `${at(start)}%`;
    marks.low.style.width = warn ? `${at(warn[0])}%` : 0;
    marks.high.style.width = warn ? `${100 - at(warn[1])}%` : 0;
    node.classList.toggle('ge-risky', risky);
    node.classList.toggle('ge-past', value < min || value > max);
    node.classList.toggle('ge-off', row().enabled === false);
    const exact = String(Number(value.toFixed(6)));
    const past = value < min || value > max ? 'Past the end of the track' : number.value.length < exact.length ? exact : '';
    number.title = risky ? 'Outside the range in which results are dependable' : past;
    reset.style.visibility = value === start ? 'hidden' : '';
    remove.hidden = !row().removable;
    up.hidden = down.hidden = !row().movable;
    enable.hidden = row().enabled === null;
    enable.checked = row().enabled === true;
    strip.hidden = !row().strip;
    if (row().strip && strip.src !== row().strip) strip.src = row().strip;
    chip.hidden = !layers;
    if (layers) {
      layers.update();
      const text = layerText(row().layers, model.get('layer_count'));
      chip.lastChild.textContent = text;
      chip.setAttribute('aria-label', `${label}, layers ${text}`);
      chip.title = `Layers ${text}`;
    }
  }
  update();
  return { node, update, end: life.end };
}
