// The overlay of one tile of a PartView: parts as colors, those pointed at or selected outlined.

// cluster -> index of its part
function tableOf(parts) {
  const table = [];
  parts.forEach((part, i) => part.clusters.forEach(cluster => { table[cluster] = i; }));
  return table;
}

// The share of each part in a map.
function sharesOf(tile, table, count) {
  const found = new Array(count).fill(0);
  for (const cluster of tile.map) if (table[cluster] !== undefined) found[table[cluster]] += 1 / tile.map.length;
  return found;
}

// look: {opacity, hover: index of a part or null, selected: Set of indices}
function drawOverlay(canvas, tile, parts, table, look) {
  const box = canvas.getBoundingClientRect();
  const width = Math.max(1, Math.round(box.width * devicePixelRatio)), height = Math.max(1, Math.round(box.height * devicePixelRatio));
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const context = canvas.getContext('2d');
  context.clearRect(0, 0, width, height);
  if (!tile.map || !parts.length) return;
  const lit = look.hover !== null ? new Set([look.hover]) : look.selected;
  const small = new OffscreenCanvas(tile.w, tile.h), image = new ImageData(tile.w, tile.h);
  tile.map.forEach((cluster, i) => {
    const at = table[cluster];
    if (at === undefined) return;
    const alpha = !lit.size ? look.opacity : lit.has(at) ? Math.min(0.9, look.opacity + 0.15) : 0.3 * look.opacity;
    image.data.set([...parts[at].color, Math.round(255 * alpha)], 4 * i);
  });
  small.getContext('2d').putImageData(image, 0, 0);
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, width, height);
  if (lit.size) outline(context, tile, table, lit, width, height);
}

// The border of the lit parts: dark below, white above, so that it is seen on any picture.
function outline(context, tile, table, lit, width, height) {
  const { w, h, map } = tile, sx = width / w, sy = height / h, path = new Path2D();
  const inside = (x, y) => x >= 0 && y >= 0 && x < w && y < h && lit.has(table[map[y * w + x]]);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      if (!inside(x, y)) continue;
      for (const [dx, dy, x0, y0, x1, y1] of [[-1, 0, 0, 0, 0, 1], [1, 0, 1, 0, 1, 1], [0, -1, 0, 0, 1, 0], [0, 1, 0, 1, 1, 1]]) {
        if (inside(x + dx, y + dy)) continue;
        path.moveTo((x + x0) * sx, (y + y0) * sy);
        path.lineTo((x + x1) * sx, (y + y1) * sy);
      }
    }
  }
  const thin = devicePixelRatio * (width > 150 * devicePixelRatio ? 1.5 : 1);
  for (const [color, line] of [['rgb(0 0 0 / 65%)', 2.4 * thin], ['#fff', thin]]) {
    Object.assign(context, { strokeStyle: color, lineWidth: line, lineCap: 'round' });
    context.stroke(path);
  }
}
