// Helpers shared by every widget of the library; joined in front of each widget's own script.

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Build an element: h('button', {class: 'ge-x', title: 't', onclick: f}, child, 'text').
function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
    else node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children);
  return node;
}

// Stroke icons on a 16 x 16 grid; drawn here, so that nothing is fetched.
const ICONS = {
  undo: 'M6 3 3 6l3 3M3 6h6a4 4 0 0 1 0 8H7',
  redo: 'M10 3l3 3-3 3M13 6H7a4 4 0 0 0 0 8h2',
  save: 'M8 2v8M5 7l3 3 3-3M3 13h10',
  stop: 'M4.5 4.5h7v7h-7z',
  apply: 'M3 8.5 6.5 12 13 4.5',
  plus: 'M8 3.5v9M3.5 8h9',
  minus: 'M3.5 8h9',
  up: 'M4 9.5 8 5.5 12 9.5',
  down: 'M4 6.5 8 10.5 12 6.5',
  close: 'M4.5 4.5l7 7M11.5 4.5l-7 7',
  reset: 'M3.5 8a4.5 4.5 0 1 1 1.6 3.5M3.2 12.2l1.7-.9.9 1.7',
  layers: 'M8 2.5 2.5 5.5 8 8.5l5.500-3zM2.500 8.500 8 11.500l5.500-3M2.500 11 8 14l5.500-3',
  grip: 'M6 4 3 8l3 4M10 4l3 4-3 4',
};

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('viewBox', '0 0 16 16');
  svg.setAttribute('class', 'ge-icon');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

// A place to register listeners that all end together: DOM, model and observers.
function scope(model) {
  const abort = new AbortController(), endings = [];
  return {
    dom(target, names, fn, options = {}) {
      for (const name of names.split(' ')) target.addEventListener(name, fn, { ...options, signal: abort.signal });
    },
    model(names, fn) {
      for (const name of names.split(' ')) model.on(name, fn);
      endings.push(() => names.split(' ').forEach(name => model.off(name, fn)));
    },
    onEnd: fn => endings.push(fn),
    end() { abort.abort(); endings.splice(0).forEach(fn => fn()); },
  };
}

// The keys of every widget, and the action Python is told; Enter is left to the widget.
function actionOf(event) {
  if (event.altKey) return undefined;
  if (!event.ctrlKey && !event.metaKey) return event.key === 'Escape' ? 'stop' : undefined;
  const key = (/^[a-z]$/i.test(event.key) ? event.key : event.code.replace('Key', '')).toLowerCase();  // any alphabet
  return event.shiftKey ? { z: 'redo' }[key] : { z: 'undo', y: 'redo', s: 'save' }[key];
}

// Send the actions of `keydown` events inside `root`; what a widget has taken for itself does not come here.
function actionKeys(life, model, root) {
  life.dom(root, 'keydown', event => {
    const name = actionOf(event);
    if (!name || event.defaultPrevented) return;
    take(event);
    model.send({ t: 'action', name });
  });
}

// Put the widget into its cell; it may become narrower than its content asks.
function mount(el, root) {
  el.style.minWidth ||= '0';
  el.append(root);
}

// Ours now: neither the page nor the notebook may act on this event as well.
function take(event) { event.preventDefault(); event.stopPropagation(); }
