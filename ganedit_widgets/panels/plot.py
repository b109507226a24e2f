"""A small curve as SVG: a few kilobytes of text, drawn by the browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 320, 72, 5  # units of the drawing; it is scaled to the space there is
MOST = 240  # points: more cannot be seen


def curve(values: Sequence[float], total: int, caption: str) -> str:
    """Return a curve of `values` over `total` steps, the largest on top; `caption` is read aloud."""
    marks = []
    if len(values) > 1:
        low, high = min(values), max(values)
        span = (high - low) or 1.0
        inner_width, inner_height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
        steps = range(0, len(values), max(1, len(values) // MOST))
        shown = sorted({*steps, len(values) - 1})
        points = [
            (MARGIN + inner_width * i / max(1, total - 1), MARGIN + inner_height * (high - values[i]) / span)
            for i in shown
        ]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        x, y = points[-1]
        marks = [
            f'<polyline points="{line}" fill="none" stroke="var(--jp-brand-color1, #1976d2)" stroke-width="1.5"'
            ' stroke-linejoin="round" vector-effect="non-scaling-stroke"/>',
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="var(--jp-brand-color1, #1976d2)"/>',
        ]
    frame = (
        f'<rect x="0.5" y="0.5" width="{WIDTH - 1}" height="{HEIGHT - 1}" rx="6" fill="none"'
        ' stroke="var(--jp-border-color2, #d5d9de)"/>'
    )
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" role="img" aria-label="{escape(caption, quote=True)}"'
        f' style="display:block">{frame}{"".join(marks)}</svg>'
    )
