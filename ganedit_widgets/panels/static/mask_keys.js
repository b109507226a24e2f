// Keys and pointers of a painter. Only what is listed here is taken; Tab, and what the browser needs, never.

const KEYS = Object.fromEntries(Object.entries(TOOLS).map(([id, { key }]) => [key.toLowerCase(), id]));
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const larger = (size, by) => Math.max(1, by > 0 ? Math.max(size + 1, Math.round(size * 1.15)) : Math.min(size - 1, Math.round(size / 1.15)));

// What a plain key means: true if it meant something. `hand` is the view: its tools, zoom, palette and cursor.
function plainKey(event, model, store, hand) {
  const { key } = event, small = key.toLowerCase(), label = model.get('label');
  if (KEYS[small] && !event.shiftKey) setTraits(model, { tool: KEYS[small] });
  else if (small === 'f' && event.shiftKey) setTraits(model, { tool: 'fill', scope: model.get('scope') === 'whole' ? 'connected' : 'whole' });
  else if (key === '[' || key === '{') setTraits(model, { size: larger(model.get('size'), -1) });
  else if (key === ']' || key === '}') setTraits(model, { size: larger(model.get('size'), 1) });
  else if (small === 'x') hand.palette.choose(hand.previous());
  else if (small === 'k') hand.palette.toggle('locked', label);
  else if (small === 'h') hand.bare(!hand.isBare());
  else if (key === '+' || key === '=') hand.zoom.step(1);
  else if (key === '-') hand.zoom.step(-1);
  else if (key === '0') hand.zoom.to(1);
  else if (/^[1-9]$/.test(key) && Number(key) < hand.palette.labels.length) hand.palette.choose(Number(key));
  else if (key === 'Escape') return hand.tools.cancel();
  else if (key === 'Backspace' && event.target === hand.viewport) return hand.tools.back();
  else if (key === 'Enter' && event.target === hand.viewport && !event.shiftKey) { if (!hand.tools.finish()) hand.dab(); }
  else if (STEPS[key] && event.target === hand.viewport) hand.moveCursor(...STEPS[key].map(d => d * (event.shiftKey ? 10 : 1)));
  else return false;
  return true;
}

function maskKeys(life, root, model, store, hand) {
  life.dom(root, 'keydown', event => {
    if (event.defaultPrevented || event.altKey || event.target.matches('input[type=search]')) return;
    if (event.ctrlKey || event.metaKey) {
      const name = actionOf(event);
      if (name !== 'undo' && name !== 'redo') return;
      take(event);
      store.travel(name);
    } else if (event.key === ' ' && event.target === hand.viewport) {
      take(event);
      hand.panning(true);
    } else if (!(event.target.matches('input[type=range]') && STEPS[event.key]) && plainKey(event, model, store, hand)) take(event);
  });
  life.dom(root, 'keyup', event => { if (event.key === ' ') hand.panning(false); });
}

// Pointers on the picture: one paints; two fingers, the middle button or Space pan and zoom.
function maskPointers(life, viewport, zoom, hand) {
  const fingers = new Map();
  let paints = null, pans = null;
  const middle = () => {
    const [a, b] = [...fingers.values()];
    return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2, apart: Math.hypot(a.x - b.x, a.y - b.y) };
  };
  function pinch() {
    const now = middle(), box = viewport.getBoundingClientRect();
    zoom.pan(now.x - pans.x, now.y - pans.y);
    if (pans.apart > 8) zoom.to(zoom.state.k * now.apart / pans.apart, now.x - box.left, now.y - box.top);
    pans = { ...now, two: true };
  }
  life.dom(viewport, 'pointerdown', event => {
    if (event.pointerType === 'touch') fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    event.preventDefault();
    viewport.focus({ preventScroll: true });
    viewport.setPointerCapture(event.pointerId);
    if (fingers.size === 2) {
      paints = null;
      hand.tools.cancel();
      pans = { ...middle(), two: true };
    } else if (paints === null && !pans && (event.button === 1 || hand.isPanning())) pans = { id: event.pointerId, x: event.clientX, y: event.clientY };
    else if (paints === null && !pans && event.button === 0) {
      paints = event.pointerId;
      hand.tools.down(hand.point(event), event.shiftKey);
      hand.take();
    }
  });
  life.dom(viewport, 'pointermove', event => {
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (pans?.two) { if (fingers.size === 2) pinch(); }
    else if (pans?.id === event.pointerId) {
      zoom.pan(event.clientX - pans.x, event.clientY - pans.y);
      Object.assign(pans, { x: event.clientX, y: event.clientY });
    } else if (paints === event.pointerId) {
      const events = event.getCoalescedEvents?.() ?? [];
      hand.tools.move((events.length ? events : [event]).map(hand.point));
    }
    hand.follow(event);
  });
  life.dom(viewport, 'pointerup pointercancel lostpointercapture', event => {
    fingers.delete(event.pointerId);
    if (pans?.id === event.pointerId || (pans?.two && !fingers.size)) pans = null;
    if (paints !== event.pointerId) return;
    paints = null;
    hand.tools.up();
  });
  life.dom(viewport, 'pointerleave', () => hand.follow(null));
  life.dom(viewport, 'dblclick', event => { take(event); hand.tools.finish(); });
  life.dom(viewport, 'wheel', event => {  // a plain wheel scrolls the page
    if (!event.ctrlKey && !event.metaKey) return;
    take(event);
    zoom.wheel(event);
  }, { passive: false });
}
