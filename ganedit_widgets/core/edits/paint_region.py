"""Where a painted edit takes place: the classes it is about, before and after, and whatever was painted over.

Ling et al., "EditGAN", NeurIPS 2021, section 3.3.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..errors import ImageError
from ..image import Pixels
from ..parts.meters import widened
from ..segment.labels import UNLABELED, LabelMap

SHARE = 100  # the margin is the height's hundredth part: the published 5 pixels at 512
LEAST = 2  # pixels of margin at least
FAVORITE = "mouth"  # what people change first
LARGE_CLASSES = 3  # of a portrait: background, hair and skin
GREW = 0.05  # of a class, painted over a larger one: more than a hand's trembling
CONCERNED = 0.2  # a class of which this share was painted over or added is what the edit is about


def edit_region(
    before: LabelMap, after: LabelMap, classes: Sequence[int], margin: int | None = None
) -> NDArray[np.bool_]:
    """Return r (H, W): what shows one of `classes` before or after, and what differs, grown by `margin` pixels.

    `margin` None: a hundredth of the height, 2 at least.
    """
    inside = np.isin(before, classes) | np.isin(after, classes) | (before != after)
    return grown(inside, default_margin(before.shape[0]) if margin is None else margin)


def default_margin(height: int) -> int:
    """Return how many pixels a region is grown by: 5 at a height of 512."""
    return max(LEAST, height // SHARE)


def grown(inside: NDArray[np.bool_], margin: int) -> NDArray[np.bool_]:
    """Return a region (H, W) with all pixels that lie within a square of `margin` pixels around it."""
    found: NDArray[np.bool_] = widened(torch.from_numpy(inside), max(margin, 0)).numpy()
    return found


def suggested_classes(before: LabelMap, painted: LabelMap) -> tuple[int, ...]:
    """Return the classes that a painting is about: a fifth of their pixels or more differ, or they were made to grow.

    A mouth painted larger changes much of the mouth and little of the skin around it: so the mouth is meant, also by a
    small stroke, as it grows over what is larger. If nothing else is suggested, what was painted with is; nothing only
    where nothing differs. The class that most was painted with comes first.
    """
    changed = before != painted
    pixels, sizes = (np.bincount(x.ravel(), minlength=256) for x in (painted[changed], before))
    found = set(much_changed(before, painted))
    for number in np.flatnonzero(pixels).tolist():
        over = sizes[before[changed & (painted == number)]].max()
        if over > sizes[number] and pixels[number] >= GREW * sizes[number]:
            found.add(number)
    return tuple(sorted(found or np.flatnonzero(pixels).tolist(), key=lambda number: (-int(pixels[number]), number)))


def much_changed(before: LabelMap, after: LabelMap) -> tuple[int, ...]:
    """Return the classes of whose pixels a fifth or more differ, by number; where little does, none."""
    changed = before != after
    found = []
    for number in np.union1d(before[changed], after[changed]).tolist():
        shown = (before == number) | (after == number)
        if (shown & changed).sum() >= CONCERNED * shown.sum():
            found.append(int(number))
    return tuple(found)


def first_class(classes: Sequence[str], counts: Sequence[int], shown: LabelMap) -> int:
    """Return the class to begin to paint with on a picture whose labels are `shown` (H, W).

    The mouth, which is edited most; else the first after the background that is shown and is not among the three
    largest. Never one that a segmenter has not seen: `counts` are the pixels it learned each class from.
    """
    seen = [number for number in range(1, len(classes)) if counts[number]]
    pixels = np.bincount(shown.ravel(), minlength=256)
    large = np.argsort(-pixels, kind="stable")[:LARGE_CLASSES]
    favorite = [number for number in seen if classes[number] == FAVORITE]
    small = [number for number in seen if pixels[number] and number not in large]
    return (favorite or small or seen or [0])[0]


def filled_in(painted: LabelMap, before: LabelMap) -> LabelMap:
    """Return the painted label map, with what was there before where nothing is painted (255)."""
    return np.where(painted == UNLABELED, before, painted)


def paste_region(original: Pixels, edited: Pixels, region: NDArray[np.bool_], feather: int = 2) -> Pixels:
    """Return `edited` inside `region` (h, w) and `original` outside it, bit for bit; both (H, W, 3) uint8.

    Within the region's outermost `feather` pixels one fades into the other. A region of another size is scaled.
    Raises `ImageError` if the pictures differ in size.
    """
    if original.shape != edited.shape:
        raise ImageError(
            f"Pictures of {original.shape[1]}×{original.shape[0]} and {edited.shape[1]}×{edited.shape[0]} pixels "
            "cannot be pasted: scale one of them first."
        )
    inside = torch.from_numpy(region)[None, None].float()
    inside = F.interpolate(inside, size=original.shape[:2], mode="nearest-exact")
    share = inside
    for _ in range(feather):  # each time one pixel of the edge loses weight, none outside gains any
        share = share + _shrunk(inside)
        inside = _shrunk(inside)
    alpha = (share / (feather + 1))[0, 0, :, :, None].numpy()
    mixed = np.rint(alpha * edited + (1 - alpha) * original.astype(np.float32)).astype(np.uint8)
    return np.where(alpha > 0, mixed, original)


def _shrunk(inside: Tensor) -> Tensor:
    """Return a region (1, 1, H, W) without its outermost pixels; the picture's edge is no edge of it."""
    return 1 - F.max_pool2d(1 - inside, 3, stride=1, padding=1)
