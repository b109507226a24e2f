// Upload: choose, drop or paste one picture. See ganedit_widgets/panels/chrome.py for the Python side.

function uploadView(model, el) {
  const life = scope(model);
  const note = h('div', { class: 'ge-note', role: 'alert' });
  const complain = text => { note.textContent = text; note.hidden = !text; };
  const zone = h('div', { class: 'ge-zone', tabindex: 0, role: 'group', 'aria-label': model.get('label') });
  const { button, input } = filePicker(life, model, model.get('label'), zone, complain);
  const hint = h('span', { class: 'ge-soft' });
  const update = () => { hint.textContent = model.get('hint'); };
  zone.append(button, input, hint);
  complain('');
  life.model('change:hint', update);
  update();
  mount(el, h('div', { class: 'ge-root ge-upload' }, zone, note));
  return life.end;
}

export default () => ({ render: ({ model, el }) => uploadView(model, el) });
