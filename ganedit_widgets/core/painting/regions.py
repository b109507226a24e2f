"""Regions of an index map: the piece around a pixel, the whole of a label, how much there is, where a change lies."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

IndexPixels = NDArray[np.uint8]  # (H, W) of label numbers
Hits = NDArray[np.bool_]
Box = tuple[int, int, int, int]  # x, y, width, height


def same_label(mask: IndexPixels, x: int, y: int) -> Hits:
    """Return all pixels with the label of pixel (x, y)."""
    return mask == mask[y, x]


def connected(mask: IndexPixels, x: int, y: int) -> Hits:
    """Return the pixels that can be reached from (x, y) over its own label, going across and down (4-connected)."""
    same = same_label(mask, x, y)
    height, width = same.shape
    edges = np.diff(np.pad(same.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)  # runs of a row: [start, end)
    ends = np.nonzero(edges == -1)[1]
    first = np.searchsorted(rows, np.arange(height + 1))  # of each row
    seed = int(first[y] + np.searchsorted(ends[first[y] : first[y + 1]], x, "right"))
    seen = np.zeros(len(rows), bool)
    seen[seed] = True
    waiting, reached = [seed], np.zeros((height, width), bool)
    while waiting:
        run = waiting.pop()
        row, start, end = int(rows[run]), int(starts[run]), int(ends[run])
        reached[row, start:end] = True
        for beside in (row - 1, row + 1):
            if 0 <= beside < height:
                low, high = first[beside], first[beside + 1]
                found = np.arange(
                    low + np.searchsorted(ends[low:high], start, "right"), low + np.searchsorted(starts[low:high], end)
                )
                waiting += (new := found[~seen[found]]).tolist()
                seen[new] = True
    return reached


def counts(mask: IndexPixels, labels: int) -> NDArray[np.int64]:
    """Return how many pixels each of so many labels has."""
    return np.bincount(mask.ravel(), minlength=labels)


def bounds(hits: Hits) -> Box | None:
    """Return the smallest box (x, y, width, height) around what is true; None if nothing is."""
    rows, columns = np.flatnonzero(hits.any(1)), np.flatnonzero(hits.any(0))
    if not len(rows):
        return None
    x, y = int(columns[0]), int(rows[0])
    return x, y, int(columns[-1]) + 1 - x, int(rows[-1]) + 1 - y
