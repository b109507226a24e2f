// The tools. Each takes points [x, y, pressure] in pixels of the picture; `shift` is whether that key is held.

const TOOLS = {
  brush: { name: 'Brush', key: 'B', hint: 'Drag to paint; Shift+click: straight from the last point' },
  eraser: { name: 'Eraser', key: 'E', hint: 'Drag to take labels away; Shift+click: straight from the last point' },
  line: { name: 'Line', key: 'N', hint: 'Drag from end to end' },
  fill: { name: 'Fill', key: 'F', hint: 'Click a region to give it the chosen label' },
  lasso: { name: 'Lasso', key: 'L', hint: 'Draw around what is to be filled' },
  polygon: { name: 'Polygon', key: 'P', hint: 'Click corners; Enter or double click fills, Backspace takes one back' },
  smart: { name: 'Smart select', key: 'W', hint: 'Click a part the model has found by itself' },
  pick: { name: 'Pick label', key: 'I', hint: 'Click to choose the label that is there' },
};
const SIZED = ['brush', 'eraser', 'line'], SCOPED = ['fill', 'smart'];

function maskTools(model, store, lines, refresh) {
  const { width, height } = store;
  let last = null, corners = [];  // the end of the last stroke; the polygon on its way
  const chosen = () => model.get('label'), size = () => model.get('size');
  const cell = ([x, y]) => [clamp(Math.floor(x), 0, width - 1), clamp(Math.floor(y), 0, height - 1)];
  const inside = ([x, y]) => x >= 0 && y >= 0 && x < width && y < height;
  const segment = (a, b) => brushSegment(a, b, size() * (b[2] ?? 1), width, height, store.hit);
  const whole = () => model.get('scope') === 'whole';

  const freehand = label => ({
    down(p, shift) {
      if (!store.begin(label())) return false;
      segment(shift && last ? last : p, p);
      last = p;
    },
    move(points) {
      for (const p of points) { segment(last, p); last = p; }
    },
    up: () => store.end(),
  });

  const path = [];
  const tools = {
    brush: freehand(chosen),
    eraser: freehand(() => 0),
    line: {
      down: p => { path.splice(0, Infinity, p); },
      move(points) { lines.path([path[0], points.at(-1)]); path[1] = points.at(-1); },
      up() {
        lines.path();
        if (store.begin(chosen())) { segment(path[0], path[1] ?? path[0]); last = path[1] ?? path[0]; store.end(); }
        path.length = 0;
      },
    },
    fill: {
      down(p) {
        if (!inside(p) || !store.mask) return;
        const [x, y] = cell(p), here = store.mask[y * width + x];
        if (model.get('locked').includes(here)) { store.say(`“${model.get('palette')[here].name}” is locked: unlock it to fill it.`, 'error'); return; }
        if (!store.begin(chosen())) return;
        regionPixels(store.mask.slice(), width, height, x, y, whole(), store.hit);
        store.end();
      },
    },
    smart: {
      down(p) {
        if (!store.clusters) { store.say('There are no clusters here: give the painter some (clusters=…).', 'error'); return; }
        if (!inside(p) || !store.begin(chosen())) return;
        regionPixels(store.clusters, width, height, ...cell(p), whole(), store.hit);
        store.end();
      },
    },
    lasso: {
      down: p => { path.splice(0, Infinity, p); },
      move(points) { path.push(...points); lines.path(path, true); },
      up() {
        lines.path();
        if (path.length > 2 && store.begin(chosen())) { polygonPixels(path, width, height, store.hit); store.end(); }
        path.length = 0;
      },
    },
    polygon: {
      down(p) {
        corners.push(p);
        lines.path(corners, false);
      },
    },
    pick: {
      down(p) {
        if (!inside(p) || !store.mask) return;
        const [x, y] = cell(p);
        model.set('label', store.mask[y * width + x]);
        model.save_changes();
      },
    },
  };

  const self = {
    held: false,
    down(p, shift) {
      if (self.held) return;  // one stroke at a time
      self.held = tools[model.get('tool')].down(p, shift) !== false;
      refresh();
    },
    move(points) {  // after Escape, or with a locked label, the pointer is down and nothing is held
      if (!self.held) return;
      tools[model.get('tool')].move?.(points);
      refresh();
    },
    up() {
      if (!self.held) return;
      self.held = false;
      tools[model.get('tool')].up?.();
      refresh();
    },
    hover(p) { if (corners.length) lines.path([...corners, p], false); },
    // Enter or a double click: fill the polygon. True if there was one.
    finish() {
      if (corners.length < 3) return false;
      const points = corners;
      corners = [];
      lines.path();
      if (store.begin(chosen())) { polygonPixels(points, width, height, store.hit); store.end(); }
      return true;
    },
    clear() {
      if (!store.begin(0)) return;
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) store.hit(x, y);
      store.end();
    },
    back() {
      if (!corners.length) return false;
      corners.pop();
      lines.path(corners, false);
      return true;
    },
    // Give up what is on its way. True if there was something.
    cancel() {
      const was = self.held || corners.length > 0;
      self.held = false;
      corners = [];
      path.length = 0;
      store.abort();
      lines.path();
      refresh();
      return was;
    },
  };
  return self;
}
