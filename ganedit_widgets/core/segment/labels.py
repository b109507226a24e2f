"""Label maps: a class number for each pixel of a picture, checked where they enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..errors import SegmentError
from ..latent import Latent
from ..short import short

LabelMap: TypeAlias = "NDArray[np.uint8]"  # (H, W) of class numbers
UNLABELED = 255  # the number of pixels that nobody has labeled


@dataclass(frozen=True, eq=False)
class Labeled:
    """A picture of the model, and what each of its pixels shows: one example to learn from."""

    latent: Latent
    labels: LabelMap  # (H, W) of class numbers, 255 where nothing is said
    name: str = ""  # for messages

    __repr__ = short


def checked_labels(labels: object, classes: Sequence[str], size: tuple[int, int], whose: str = "") -> LabelMap:
    """Return `labels` as uint8 if it is a label map (H, W) of `size` that counts in `classes`.

    Raises `SegmentError` for another type or size, and for a number that no class has.
    """
    whose = whose or "The label map"
    if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype.kind not in "iu":
        given = f"{labels.dtype} {labels.shape}" if isinstance(labels, np.ndarray) else type(labels).__name__
        raise SegmentError(f"{whose} is {given}: give class numbers, an integer array (height, width).")
    if labels.shape != tuple(size):
        raise SegmentError(
            f"{whose} has {labels.shape[1]}×{labels.shape[0]} pixels, this model's label maps have "
            f"{size[1]}×{size[0]}: paint on the picture at hand, or scale it without smoothing."
        )
    strange = labels[(labels != UNLABELED) & ((labels < 0) | (labels >= len(classes)))]
    if strange.size:
        raise SegmentError(
            f"{whose} holds the class number {int(strange[0])}, but there are {len(classes)} classes, numbered from 0 "
            f"({', '.join(classes)}): use these numbers, and {UNLABELED} for what is not labeled."
        )
    return labels.astype(np.uint8)


def class_number(classes: Sequence[str], name: str) -> int:
    """Return the number of a class. Raises `SegmentError` if there is none of this name."""
    if name not in classes:
        raise SegmentError(f"There is no class {name!r}; there are {', '.join(classes)}.")
    return list(classes).index(name)


def counted(labels: Sequence[LabelMap], classes: Sequence[str]) -> tuple[int, ...]:
    """Return how many pixels of all the label maps each class has."""
    counts = sum((np.bincount(x.ravel(), minlength=256) for x in labels), np.zeros(256, np.int64))
    return tuple(int(n) for n in counts[: len(classes)])
