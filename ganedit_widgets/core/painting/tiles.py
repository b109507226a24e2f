"""Index map → colors with patterns: each label is a tile of 8 × 8 pixels, laid over the picture."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from ..image import Pixels
from .labels import Label
from .regions import IndexPixels

SIDE = 8  # pixels of a tile
SHADE = 0.34  # how far the lines of a pattern go towards black or white

_Y, _X = np.mgrid[0:SIDE, 0:SIDE]
LINES: dict[str, NDArray[np.bool_]] = {
    "solid": np.zeros((SIDE, SIDE), bool),
    "rising": (_X + _Y) % SIDE < 2,
    "falling": (_X - _Y) % SIDE < 2,
    "lines": _Y % 4 == 0,
    "columns": _X % 4 == 0,
    "dots": (_X % 4 < 2) & (_Y % 4 < 2) & ((_X // 4 + _Y // 4) % 2 == 0),
    "checks": (_X // 4 + _Y // 4) % 2 == 0,
    "grid": (_X % SIDE == 0) | (_Y % SIDE == 0),
}


def tiles_of(
    labels: Sequence[Label], opacity: float = 0.6, hidden: Collection[int] = (), patterns: bool = True
) -> NDArray[np.uint8]:
    """Return the tile of each label, (labels, 8, 8, 4) RGBA, alpha not premultiplied.

    `opacity` in 0 ... 1. Labels that are `hidden`, or have no color, are transparent.
    """
    tiles = np.zeros((len(labels), SIDE, SIDE, 4), np.uint8)
    for index, label in enumerate(labels):
        if label.color is None or index in hidden:
            continue
        flat = np.array(label.color, float)
        lightness = flat @ [0.299, 0.587, 0.114]
        line = flat + SHADE * ((0 if lightness > 110 else 255) - flat)
        drawn = LINES[label.pattern] if patterns else LINES["solid"]
        tiles[index, ..., :3] = np.where(drawn[..., None], line, flat).round()
        tiles[index, ..., 3] = round(255 * opacity)
    return tiles


def colored(mask: IndexPixels, tiles: NDArray[np.uint8], x: int = 0, y: int = 0) -> NDArray[np.uint8]:
    """Return a piece of a mask (h, w), whose corner lies at (x, y), as RGBA (h, w, 4)."""
    rows, columns = np.arange(y, y + mask.shape[0]) % SIDE, np.arange(x, x + mask.shape[1]) % SIDE
    return tiles[mask, rows[:, None], columns[None]]


def over(picture: Pixels, rgba: NDArray[np.uint8]) -> Pixels:
    """Lay RGBA (H, W, 4) over a picture (H, W, 3); where alpha is 255 its colors are kept exactly."""
    alpha = rgba[..., 3:] / 255
    return (picture * (1 - alpha) + rgba[..., :3] * alpha).round().astype(np.uint8)


def heated(picture: Pixels, heat: NDArray[np.floating] | None) -> Pixels:
    """Lay a heat map (H, W) in 0 ... 1 over a picture: nothing where it is 0, then orange, then bright yellow."""
    if heat is None:
        return picture
    value = np.clip(np.nan_to_num(heat), 0, 1)
    hot = np.stack([200 + 55 * value, 40 + 200 * value**2, 20 + 60 * value**3, 190 * np.sqrt(value)], -1)
    return over(picture, hot.round().astype(np.uint8))
