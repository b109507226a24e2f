// The two thin bars of a Stage: views and zoom above the picture, actions and status below it.

const ACTIONS = {
  undo: ['Undo', 'Ctrl+Z'], redo: ['Redo', 'Ctrl+Shift+Z'], apply: ['Apply', 'Enter'],
  save: ['Save', 'Ctrl+S'], stop: ['Stop', 'Esc'],
};

function topBar(onView, onZoom) {
  const views = {};
  const group = h('div', { class: 'ge-segments', role: 'group', 'aria-label': 'Compare' });
  for (const [name, label] of Object.entries(VIEWS)) {
    group.append(views[name] = h('button', { type: 'button', onclick: () => onView(name) }, label));
  }
  const percent = h('button', { type: 'button', class: 'ge-percent', title: 'Fit the picture (0)', onclick: () => onZoom(0) });
  const button = (name, title, direction) =>
    h('button', { type: 'button', class: 'ge-tool', title, 'aria-label': title, onclick: () => onZoom(direction) }, icon(name));
  const bar = h('div', { class: 'ge-bar' }, group, h('div', { class: 'ge-zoom', role: 'group', 'aria-label': 'Zoom' },
    button('minus', 'Zoom out (-)', -1), percent, button('plus', 'Zoom in (+)', 1)));
  return {
    bar,
    update(view, comparable, k) {
      for (const [name, node] of Object.entries(views)) {
        node.setAttribute('aria-pressed', name === view);
        node.disabled = !comparable && name !== 'result';
        node.title = node.disabled ? 'There is no picture to compare with yet' : name === 'before' ? 'Or hold Space, or press the picture' : '';
      }
      percent.textContent = `${Math.round(100 * k)} %`;
      percent.setAttribute('aria-label', `Zoom ${Math.round(100 * k)} percent; press to fit`);
    },
  };
}

function bottomBar(model, onAction) {
  const buttons = h('div', { class: 'ge-actions', role: 'group', 'aria-label': 'Actions' });
  const status = h('span', { class: 'ge-status' });
  const bar = h('div', { class: 'ge-bar ge-bottom' }, buttons, status);
  return {
    bar,
    update() {
      const names = model.get('actions'), why = model.get('disabled');
      const shown = [...buttons.children].map(node => node.dataset.name);
      if (names.join() !== shown.join()) {
        buttons.replaceChildren(...names.map(name => {
          const node = h('button', { type: 'button', class: 'ge-tool', 'data-name': name, 'aria-label': ACTIONS[name][0] }, icon(name));
          node.addEventListener('click', () => node.getAttribute('aria-disabled') !== 'true' && onAction(name));
          return node;
        }));
      }
      for (const node of buttons.children) {  // a disabled button keeps its focus and says why
        const [label, keys] = ACTIONS[node.dataset.name], reason = why[node.dataset.name];
        node.setAttribute('aria-disabled', reason !== undefined);
        node.title = reason ? `${label}: ${reason}` : `${label} (${keys})`;
      }
      status.textContent = model.get('status');
      bar.hidden = !names.length && !model.get('status');
    },
  };
}
