"""A small curve as SVG: a few kilobytes of text, drawn by the browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, MARGIN = 320, 72, 5  # units of the drawing; it is scaled to the space there is
MOST = 240  # points: more cannot be seen
LEAST = 1e-9  # of a loss whose logarithm is drawn


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


def loss_curve(losses: Sequence[float], steps: int, caption: str, points: int = 0) -> str:
    """Return a curve of `losses` with its axes named: a logarithm of the loss upwards, over `steps` steps.

    `points`: how many losses there will be, if not one for each step. However wide it is, the texts keep their size.
    """
    logarithms = [math.log10(max(loss, LEAST)) for loss in losses]
    drawn = curve(logarithms, points or steps, f"Loss on a logarithmic scale; {caption}")
    high, low = (f"{end(losses):.3g}" if len(losses) > 1 else "" for end in (max, min))
    upwards, across = _texts(high, "loss, log", low), _texts("1", "step", str(steps))
    return f'<div class="ge-axes"><div>{upwards}</div>{drawn}<div></div><div>{across}</div></div>'


def _texts(*texts: str) -> str:
    return "".join(f"<span>{text}</span>" for text in texts)
