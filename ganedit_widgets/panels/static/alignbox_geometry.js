// A box {x, y, side, angle} in pixels and degrees of its picture, as in ganedit_widgets/core/align/box.py.

const radians = degrees => degrees * Math.PI / 180;
const boxOf = ([x, y, side, angle]) => ({ x, y, side, angle });
const listOf = ({ x, y, side, angle }) => [x, y, side, angle];

// The point of the box at (u, v), both -1 ... 1, seen upright; `aspect` is width / height.
function pointOf(box, aspect, u, v) {
  const cos = Math.cos(radians(box.angle)), sin = Math.sin(radians(box.angle));
  const across = u * box.side * aspect / 2, down = v * box.side / 2;
  return [box.x + across * cos - down * sin, box.y + across * sin + down * cos];
}

const cornersOf = (box, aspect) => [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([u, v]) => pointOf(box, aspect, u, v));

// A box that meets the picture and is of a sensible size.
function kept(box, width, height) {
  const longer = Math.max(width, height);
  return {
    x: clamp(box.x, 0, width), y: clamp(box.y, 0, height),
    side: clamp(box.side, Math.max(4, longer / 50), 3 * longer),
    angle: ((box.angle + 180) % 360 + 360) % 360 - 180,
  };
}

// What a drag from `from` to `to`, points of the picture, makes of the box it began with.
const GESTURES = {
  move: (box, aspect, from, to) => ({ ...box, x: box.x + to[0] - from[0], y: box.y + to[1] - from[1] }),
  turn(box, aspect, from, to) {
    const angle = p => Math.atan2(p[1] - box.y, p[0] - box.x) * 180 / Math.PI;
    return { ...box, angle: box.angle + angle(to) - angle(from) };
  },
  // The corner follows the pointer along the diagonal, the opposite one stays.
  corner(box, aspect, from, to, u, v) {
    const still = pointOf(box, aspect, -u, -v), far = pointOf(box, aspect, u, v);
    const diagonal = [far[0] - still[0], far[1] - still[1]];
    const grown = 1 + ((to[0] - from[0]) * diagonal[0] + (to[1] - from[1]) * diagonal[1]) / (diagonal[0] ** 2 + diagonal[1] ** 2);
    const factor = Math.max(grown, 0.02);
    return { ...box, side: box.side * factor, x: still[0] + diagonal[0] * factor / 2, y: still[1] + diagonal[1] * factor / 2 };
  },
};

// What a key makes of the box; undefined where it means nothing. Shift: five times as much.
function keyed(box, event) {
  const step = event.shiftKey ? 5 : 1, by = box.side / 100 * step;
  switch (event.key) {
    case 'ArrowLeft': return { ...box, x: box.x - by };
    case 'ArrowRight': return { ...box, x: box.x + by };
    case 'ArrowUp': return { ...box, y: box.y - by };
    case 'ArrowDown': return { ...box, y: box.y + by };
    case '+': case '=': return { ...box, side: box.side * 1.02 };
    case '-': case '_': return { ...box, side: box.side / 1.02 };
    case ',': case '<': return { ...box, angle: box.angle - step };
    case '.': case '>': return { ...box, angle: box.angle + step };
    case '0': return { ...box, angle: 0 };
  }
  return undefined;
}

// Draw what the box holds onto a canvas; beyond its rim the picture is reflected, as in Python.
function drawCrop(canvas, bitmap, width, height, box) {
  const context = canvas.getContext('2d', { alpha: false });
  const scale = canvas.height / box.side;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = 'high';
  context.translate(canvas.width / 2, canvas.height / 2);
  context.scale(scale, scale);
  context.rotate(-radians(box.angle));
  context.translate(-box.x, -box.y);
  const corners = cornersOf(box, canvas.width / canvas.height);
  const [left, right] = [Math.min, Math.max].map(f => Math.floor(f(...corners.map(p => p[0])) / width));
  const [top, bottom] = [Math.min, Math.max].map(f => Math.floor(f(...corners.map(p => p[1])) / height));
  const overlap = 0.5 / scale;  // or the rims would show as fine lines
  for (let i = left; i <= right; i++) for (let j = top; j <= bottom; j++) {
    context.save();
    context.translate((i + (i & 1)) * width, (j + (j & 1)) * height);
    context.scale(i & 1 ? -1 : 1, j & 1 ? -1 : 1);
    context.drawImage(bitmap, -overlap * (left < right), -overlap * (top < bottom),
      width + 2 * overlap * (left < right), height + 2 * overlap * (top < bottom));
    context.restore();
  }
}
