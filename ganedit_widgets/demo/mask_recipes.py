"""Painting by rule: what somebody would do to a label map by hand, done the same way every time.

After the recipes of Ling et al., "EditGAN", NeurIPS 2021: cut a part out, fill the hole, scale, move, paste.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..core.segment import LabelMap

Place = NDArray[np.bool_]


def shown(labels: LabelMap, classes: Sequence[int]) -> Place:
    """Return where one of `classes` is, (H, W)."""
    return np.isin(labels, classes)


def center(place: Place) -> tuple[float, float]:
    """Return the mean (row, column) of a place; the middle of the picture if it is empty."""
    if not place.any():
        return (place.shape[0] - 1) / 2, (place.shape[1] - 1) / 2
    rows, columns = np.nonzero(place)
    return float(rows.mean()), float(columns.mean())


def cut(labels: LabelMap, classes: Sequence[int], fill: int) -> LabelMap:
    """Return the map with `classes` painted over by the class `fill`."""
    return np.where(shown(labels, classes), np.uint8(fill), labels)


def moved(labels: LabelMap, classes: Sequence[int], fill: int, down: float, right: float) -> LabelMap:
    """Return the map with `classes` moved by shares of its height and width, and `fill` where they were."""
    way = (round(down * labels.shape[0]), round(right * labels.shape[1]))
    pasted = np.roll(np.where(shown(labels, classes), labels, 255), way, (0, 1))
    return np.where(pasted == 255, cut(labels, classes, fill), pasted).astype(np.uint8)


def scaled(labels: LabelMap, classes: Sequence[int], fill: int, factor: float) -> LabelMap:
    """Return the map with `classes` made larger or smaller about their center, and `fill` where they no longer are."""
    place = shown(labels, classes)
    row, column = center(place)
    rows, columns = np.indices(labels.shape)
    rows = np.rint(row + (rows - row) / factor).astype(int).clip(0, labels.shape[0] - 1)
    columns = np.rint(column + (columns - column) / factor).astype(int).clip(0, labels.shape[1] - 1)
    return np.where(place[rows, columns], labels[rows, columns], cut(labels, classes, fill)).astype(np.uint8)


def transplanted(labels: LabelMap, donor: LabelMap, classes: Sequence[int], fill: int) -> LabelMap:
    """Return the map with `classes` as `donor` has them, laid over their center here, and `fill` where they were.

    If the map shows none of them, they are laid where the donor has them.
    """
    own, theirs = shown(labels, classes), shown(donor, classes)
    way = np.rint(np.subtract(center(own), center(theirs))).astype(int) if own.any() else np.zeros(2, int)
    pasted = np.roll(np.where(theirs, donor, 255), tuple(way), (0, 1))
    return np.where(pasted == 255, cut(labels, classes, fill), pasted).astype(np.uint8)


def as_donor(labels: LabelMap, donor: LabelMap, classes: Sequence[int]) -> LabelMap:
    """Return the map with whatever `donor` shows where either of the two shows one of `classes`.

    What was hidden comes to light this way: the forehead under a fringe, the wall behind long hair.
    """
    return np.where(shown(labels, classes) | shown(donor, classes), donor, labels).astype(np.uint8)
