"""What an edit changed: inside the part it was meant for, outside it, and in every other part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator
from ..image import Pixels
from ..latent import Latent
from ..short import short
from .catalog import PartCatalog
from .color import difference

if TYPE_CHECKING:
    from ..edits.borrow import Borrow

MARGIN = 0.03  # share of the picture's side by which a part is widened: its edge is blurred by finer layers
STRONG = 40.0  # ΔE shown in full
HEAT = ((0, 0, 4), (87, 16, 110), (188, 55, 84), (249, 142, 9), (252, 255, 164))  # dark to bright, even in lightness


@dataclass(frozen=True, eq=False)
class Change:
    """How much a picture changed, as root mean square ΔE; 2.3 is just noticeable, 100 is black for white."""

    inside: float
    outside: float
    parts: Mapping[str, float]  # part → change within its labels of the meter; absent parts are left out
    difference: Tensor = field(repr=False)  # (H, W) ΔE

    __repr__ = short


@dataclass(frozen=True, eq=False)
class Meter:
    """Compares pictures with one from before: `read` costs a millisecond, so that it can follow a slider."""

    before: Tensor  # (1, 3, H, W) in [-1, 1]
    inside: Tensor  # (H, W) bool: where change is meant to be
    labels: Tensor  # (H, W): number of the part that each pixel counts for
    names: tuple[str, ...]

    __repr__ = short

    def read(self, after: Tensor) -> Change:
        """Return what differs in `after` (1, 3, H, W), in [-1, 1]. Raises `LatentError` for a picture of another size.

        The squared error in CIELAB inside and outside a part is how Editing in Style measures locality.
        """
        if after.shape != self.before.shape:
            raise LatentError(
                f"A picture of shape {tuple(after.shape)} was given, the one before has {tuple(self.before.shape)}: "
                "draw both in full."
            )
        delta = difference(self.before, after.to(self.before))[0].cpu()
        found = {name: _rms(delta, self.labels == i) for i, name in enumerate(self.names) if (self.labels == i).any()}
        return Change(_rms(delta, self.inside), _rms(delta, ~self.inside), found, delta)


def meter(generator: Generator, latent: Latent, borrows: Sequence[Borrow]) -> Meter:
    """Return what measures how `borrows` change the picture of `latent`.

    Inside is where `latent` or a reference shows its part, for what is borrowed may be larger than what it replaces.
    Those pixels count for the part that is borrowed, all others for what `latent` shows there: the numbers of the parts
    divide those inside and outside, so that the number of a single borrowed part is the one inside.
    Raises `LatentError` if no borrow is given, a catalog is of another checkpoint, or a part is in neither picture.
    """
    if not borrows:
        raise LatentError("Nothing is borrowed, so that nothing is inside: give one part at least.")
    found = [region(generator, b.catalog, b.part, [latent, b.reference]) for b in borrows]
    catalog = borrows[0].catalog
    numbers = [catalog.parts.index(catalog.part(b.part)) for b in borrows]
    labels = _claimed(catalog.part_map(generator, [latent])[0], list(zip(numbers, found, strict=True)))
    with torch.no_grad():
        before = generator.draw(latent)
    return Meter(before, torch.stack(found).any(0), labels, tuple(part.name for part in catalog.parts))


def _claimed(labels: Tensor, regions: Sequence[tuple[int, Tensor]]) -> Tensor:
    """Return labels (H, W) with each part's region; where several overlap, what is shown counts, else the first."""
    found = labels.clone()
    for number, inside in reversed(regions):
        found[inside] = number
    for number, inside in regions:
        found[inside & (labels == number)] = number
    return found


def region(
    generator: Generator, catalog: PartCatalog, part: str, latents: Sequence[Latent], margin: float = MARGIN
) -> Tensor:
    """Return where (H, W) any picture of `latents` shows a part, widened by a share of the picture's height.

    Raises `LatentError` if none shows it.
    """
    number = catalog.parts.index(catalog.part(part))
    shown = (catalog.part_map(generator, latents) == number).any(0)
    if not shown.any():
        raise LatentError(f"None of these pictures shows {part!r}: choose another part or reference.")
    return widened(shown, round(margin * len(shown)))


def widened(mask: Tensor, pixels: int) -> Tensor:
    """Return a mask (H, W) bool with every pixel within so many of it, in both directions."""
    return F.max_pool2d(mask[None, None].float(), 2 * pixels + 1, 1, pixels)[0, 0] > 0


def heat(delta: Tensor, strong: float = STRONG) -> Pixels:
    """Return ΔE (H, W) as a picture (H, W, 3) uint8: black where nothing changed, yellow from `strong` on."""
    places = np.linspace(0, 1, len(HEAT))
    level = (delta / strong).clamp(0, 1).cpu().numpy()
    return np.stack([np.interp(level, places, [color[c] for color in HEAT]) for c in range(3)], -1).astype(np.uint8)


def _rms(delta: Tensor, where: Tensor) -> float:
    """Return the root mean square of delta (H, W) over a mask; 0 if the mask is empty."""
    return float(delta[where].square().mean().sqrt()) if where.any() else 0.0
