"""Which pixels a brush or a polygon covers; the same rules, operation by operation, as static/mask_raster.js.

A pixel is the unit square around its center (x + 0.5, y + 0.5); points are (x, y) in pixels, (0, 0) being the corner of
the picture. All arithmetic is in float64, so that page and Python agree on every pixel.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ImageError

Hits = NDArray[np.bool_]  # (H, W): what is covered


def brush(points: ArrayLike, size: float, shape: tuple[int, int]) -> Hits:
    """Return the pixels of `shape` = (height, width) that a round brush of diameter `size` covers along `points`.

    `points`: (N, 2), or (N, 3) with a pressure in 0 ... 1 that scales the diameter. A pixel is covered if its center is
    no farther than the radius from a segment. A brush below 2 pixels goes from center to center, one pixel wide.
    Raises `ImageError` for what are no such points, and for a size that is not finite.
    """
    given = _places(points, (2, 3))
    if not math.isfinite(size):
        raise ImageError(f"A brush of size {size} was given: give its diameter in pixels.")
    hits = np.zeros(shape, bool)
    for i, point in enumerate(given):
        pressure = float(point[2]) if given.shape[1] > 2 else 1.0
        before = given[max(i - 1, 0)]
        _segment(hits, (before[0], before[1]), (point[0], point[1]), max(size * pressure, 1.0) / 2)
    return hits


def _segment(hits: Hits, a: tuple[float, float], b: tuple[float, float], r: float) -> None:
    """Cover what is within `r` of the segment from `a` to `b`."""
    if r < 1:
        a, b = _center(a), _center(b)
    (ax, ay), (bx, by) = a, b
    dx, dy = bx - ax, by - ay
    square = dx * dx + dy * dy
    x0, x1 = _range(ax, bx, r, hits.shape[1])
    y0, y1 = _range(ay, by, r, hits.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    px, py = np.arange(x0, x1)[None] + 0.5, np.arange(y0, y1)[:, None] + 0.5
    t = np.clip(((px - ax) * dx + (py - ay) * dy) / square, 0, 1) if square > 0 else 0.0
    ex, ey = px - (ax + t * dx), py - (ay + t * dy)
    hits[y0:y1, x0:x1] |= ex * ex + ey * ey <= r * r


def polygon(points: ArrayLike, shape: tuple[int, int]) -> Hits:
    """Return the pixels of `shape` whose centers lie inside a polygon (N, 2) with N >= 3, by the even-odd rule.

    Raises `ImageError` for what are no such points.
    """
    corners = _places(points, (2,))
    hits = np.zeros(shape, bool)
    if len(corners) < 3:
        return hits
    centers = np.arange(shape[1]) + 0.5
    ends = np.stack([corners, np.roll(corners, -1, 0)])
    ends = np.where(
        ends[0, :, 1:] > ends[1, :, 1:], ends[::-1], ends
    )  # upper end first: neighbors share an edge exactly
    (ax, ay), (bx, by) = ends[0].T, ends[1].T
    for row in range(*_range(float(ay.min()), float(by.max()), 1, shape[0])):
        y = row + 0.5
        crossing = (ay <= y) != (by <= y)
        across = ax[crossing] + (y - ay[crossing]) * (bx[crossing] - ax[crossing]) / (by[crossing] - ay[crossing])
        hits[row] = np.count_nonzero(across[:, None] < centers[None], axis=0) % 2 == 1
    return hits


def _places(points: ArrayLike, columns: tuple[int, ...]) -> NDArray[np.float64]:
    """The points as (N, one of `columns`); plain numbers are x, y, x, y, ..."""
    try:
        given = np.asarray(points, np.float64)
    except (TypeError, ValueError):
        raise ImageError("The points are not all x and y: give two numbers for each.") from None
    if given.ndim < 2 and given.size % 2 == 0:
        given = given.reshape(-1, 2)
    if given.ndim != 2 or given.shape[1] not in columns:
        wanted = " or ".join(f"(N, {n})" for n in columns)
        raise ImageError(f"Points of shape {given.shape} were given: give x and y for each, {wanted}.")
    if not np.isfinite(given).all():
        raise ImageError("One of the points is not finite: give x and y in pixels of the picture.")
    return given


def _center(point: tuple[float, float]) -> tuple[float, float]:
    return math.floor(point[0]) + 0.5, math.floor(point[1]) + 0.5


def _range(a: float, b: float, r: float, most: int) -> tuple[int, int]:
    return max(0, math.floor(min(a, b) - r)), min(most, math.ceil(max(a, b) + r) + 1)
