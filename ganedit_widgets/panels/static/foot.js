// Foot: what is running, how far it is, and the last thing that was said. See ganedit_widgets/panels/chrome.py.

function footView(model, el) {
  const life = scope(model);
  const name = h('span', { class: 'ge-job' }), text = h('span', { class: 'ge-left' }), fill = h('i');
  const bar = h('div', { class: 'ge-progress', role: 'progressbar', 'aria-valuemin': 0 }, fill);
  const stop = h('button', { type: 'button', class: 'ge-button ge-stop' }, icon('stop'), 'Stop');
  const said = h('span'), more = h('button', { type: 'button', class: 'ge-link' }, 'details');
  const message = h('div', { class: 'ge-message', role: 'status', 'aria-live': 'polite' }, said, more);
  const details = h('pre', { class: 'ge-details', tabindex: 0, 'aria-label': 'Details' });
  const root = h('div', { class: 'ge-root ge-foot' }, h('div', { class: 'ge-line' }, name, bar, text, stop), message, details);
  let shown = false;

  function update() {
    const { step = 0, total = 0, left = '' } = model.get('progress'), busy = model.get('busy');
    const level = model.get('level'), endless = busy && total < 2;
    root.classList.toggle('ge-running', Boolean(busy));
    name.textContent = busy;
    text.textContent = left;
    bar.classList.toggle('ge-endless', Boolean(endless));
    fill.style.width = endless ? '' : `${total ? 100 * step / total : 0}%`;
    bar.setAttribute('aria-valuemax', total || 1);
    bar.setAttribute('aria-label', busy || 'Nothing is running');
    if (endless) bar.removeAttribute('aria-valuenow');
    else bar.setAttribute('aria-valuenow', step);
    stop.setAttribute('aria-disabled', !busy);
    stop.title = busy ? 'Stop and keep what was reached (Esc)' : 'Stop: nothing is running';
    message.dataset.level = level;
    said.textContent = model.get('text');
    message.hidden = !model.get('text');
    more.hidden = !model.get('details');
    shown = shown && Boolean(model.get('details'));
    details.hidden = !shown;
    details.textContent = model.get('details');
    more.setAttribute('aria-expanded', shown);
  }
  // A refusal that lies below the window's edge would look like nothing had happened.
  function reveal() {
    if (model.get('text') && model.get('level') !== 'info') requestAnimationFrame(() => message.scrollIntoView({ block: 'nearest' }));
  }
  life.dom(stop, 'click', () => { if (model.get('busy')) model.send({ t: 'action', name: 'stop' }); });
  life.dom(more, 'click', () => { shown = !shown; update(); });
  life.model('change:text', reveal);
  life.model('change:busy change:progress change:text change:level change:details', update);
  update();
  mount(el, root);
  return life.end;
}

export default () => ({ render: ({ model, el }) => footView(model, el) });
