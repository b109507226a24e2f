"""What came of a painted edit: how much changed inside its region and outside, and the way back into a photograph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..align import Box, paste_back
from ..errors import ImageError
from ..generators.base import Generator
from ..image import Picture, Pixels, read_image, to_pixels
from ..latent import Latent
from ..parts.meters import Change, Meter
from .embed import Embed
from .paint import Paint
from .paint_region import paste_region

if TYPE_CHECKING:
    from ..history import History


def painted_change(generator: Generator, edit: Paint, before: Latent, after: Latent) -> Change:
    """Return how much the picture of `before` changed on the way to `after`, inside the region of `edit` and outside.

    Root mean square ΔE; the parts are the segmenter's classes, where the picture showed them before. Raises as
    `Paint.steps` does.
    """
    labels = edit.segmenter.labels(generator, before)
    region, _ = edit.area(labels)
    with torch.no_grad():
        pictures = [generator.draw(latent) for latent in (before, after)]
    large = [_scaled(x, generator.size) for x in (labels, region.astype(np.uint8))]
    return Meter(pictures[0], large[1] > 0, large[0], edit.segmenter.classes).read(pictures[1])


def photograph(history: History) -> Picture | None:
    """Return the picture that was embedded, and that what came later is an edit of; None if there is none."""
    begun = history.begun
    if not isinstance(begun, Embed):
        return None
    return begun.picture if isinstance(begun.picture, Picture) else Picture(begun.picture)


def painted_since(generator: Generator, history: History) -> NDArray[np.bool_]:
    """Return the regions (H, W) of all painted edits since the last seed or photograph, as one, in pictures' size.

    Raises `ImageError` if nothing was painted since.
    """
    entries, found = history.entries[: history.index + 1], np.zeros(generator.size, bool)
    first = max((i for i, entry in enumerate(entries) if getattr(entry.edit, "anew", False)), default=0)
    for entry, earlier in zip(entries[first + 1 :], entries[first:], strict=False):
        if isinstance(entry.edit, Paint):
            region = entry.edit.region(generator, earlier.latent)
            found |= _scaled(region.astype(np.uint8), generator.size).numpy() > 0
    if not found.any():
        raise ImageError("Nothing was painted on this photograph yet: paint over something and run the edit first.")
    return found


def over_photograph(generator: Generator, history: History, feather: int = 2) -> Pixels:
    """Return the photograph that was embedded, with what painted edits changed since; elsewhere bit for bit as it was.

    (H, W, 3) uint8. Where the photograph is a file, at its own size, with only the change added, so that its detail
    stays; else at the model's size. What other edits changed elsewhere is left out. Raises `ImageError` if no
    photograph was embedded, or nothing was painted since.
    """
    photo = photograph(history)
    if photo is None:
        raise ImageError("There is no photograph to put the edit back into: embed one first.")
    region = painted_since(generator, history)
    with torch.no_grad():
        edited = to_pixels(generator.draw(history.latent))
    crop = photo.fitted(generator.size)
    mixed = paste_region(crop, edited, region, feather)
    if photo.source is None:
        return mixed
    whole = read_image(photo.source)
    return _into(whole, crop, mixed, region, photo.box or Box.whole(whole.shape, generator.size))


def _into(whole: Pixels, crop: Pixels, mixed: Pixels, region: NDArray[np.bool_], box: Box) -> Pixels:
    """Return `whole` with what `mixed` changed of its `crop`; scaling carries nothing over the region's edge."""
    changed = paste_back(whole, mixed, box, feather=0, since=crop)
    white = np.repeat(np.where(region, 255, 0).astype(np.uint8)[..., None], 3, 2)
    inside = paste_back(np.zeros_like(whole), white, box, feather=0)[..., :1] > 127
    return np.where(inside, changed, whole)


def _scaled(values: NDArray[np.uint8], size: tuple[int, int]) -> Tensor:
    """Return an index map (h, w) at another size, by the nearest place."""
    found = F.interpolate(torch.from_numpy(values)[None, None].float(), size=size, mode="nearest-exact")
    return found[0, 0].to(torch.uint8)
