// Which pixels a tool covers; the same rules, operation by operation, as ganedit_widgets/core/painting/raster.py.

// Call hit(x, y) for every pixel whose center is within the brush along the segment from a to b = [x, y].
function brushSegment(a, b, size, width, height, hit) {
  const r = Math.max(size, 1) / 2;
  if (r < 1) [a, b] = [a, b].map(([x, y]) => [Math.floor(x) + 0.5, Math.floor(y) + 0.5]);
  const [ax, ay] = a, [bx, by] = b, dx = bx - ax, dy = by - ay, square = dx * dx + dy * dy;
  const from = (p, q) => Math.max(0, Math.floor(Math.min(p, q) - r));
  const until = (p, q, most) => Math.min(most, Math.ceil(Math.max(p, q) + r) + 1);
  const x0 = from(ax, bx), x1 = until(ax, bx, width), y1 = until(ay, by, height);
  for (let y = from(ay, by); y < y1; y++) for (let x = x0; x < x1; x++) {
    const px = x + 0.5, py = y + 0.5;
    const t = square > 0 ? clamp(((px - ax) * dx + (py - ay) * dy) / square, 0, 1) : 0;
    const ex = px - (ax + t * dx), ey = py - (ay + t * dy);
    if (ex * ex + ey * ey <= r * r) hit(x, y);
  }
}

// Call hit(x, y) for every pixel whose center is inside the polygon, by the even-odd rule.
function polygonPixels(points, width, height, hit) {
  if (points.length < 3) return;
  const edges = points.map((a, i) => [a, points[(i + 1) % points.length]]).map(([a, b]) => a[1] > b[1] ? [b, a] : [a, b]);
  const ys = points.map(p => p[1]);
  const first = Math.max(0, Math.floor(Math.min(...ys) - 1)), last = Math.min(height, Math.ceil(Math.max(...ys) + 1) + 1);
  for (let row = first; row < last; row++) {
    const y = row + 0.5, across = [];
    for (const [[ax, ay], [bx, by]] of edges) if ((ay <= y) !== (by <= y)) across.push(ax + (y - ay) * (bx - ax) / (by - ay));
    across.sort((p, q) => p - q);
    for (let i = 0; i + 1 < across.length; i += 2) {
      for (let x = Math.max(0, Math.floor(across[i] - 0.5)); x < width && x + 0.5 <= across[i + 1]; x++) {
        if (across[i] < x + 0.5) hit(x, row);
      }
    }
  }
}

// Call hit(x, y) for the pixels with the value of (x, y): all of them, or those connected with it across and down.
function regionPixels(values, width, height, x, y, whole, hit) {
  const value = values[y * width + x];
  if (whole) {
    for (let i = 0; i < values.length; i++) if (values[i] === value) hit(i % width, Math.floor(i / width));
    return;
  }
  const reached = new Uint8Array(values.length), waiting = [y * width + x];
  reached[waiting[0]] = 1;
  while (waiting.length) {
    const i = waiting.pop(), column = i % width;
    const beside = [column > 0 ? i - 1 : -1, column < width - 1 ? i + 1 : -1, i - width, i + width];
    for (const j of beside) if (j >= 0 && j < values.length && !reached[j] && values[j] === value) {
      reached[j] = 1;
      waiting.push(j);
    }
  }
  for (let i = 0; i < reached.length; i++) if (reached[i]) hit(i % width, Math.floor(i / width));
}
