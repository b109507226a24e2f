"""How much of a person an expression has left, judged by what the picture looks like outside the expression's region.

A score of identity asks for a network that knows people, and this library brings none for models in general. So the
question is put to the model: outside the places where the driver's own two pictures differ, is the changed picture as
it was (1), or as unlike as two of the model's own pictures are there (0)? Hair, outline, skin and ground count; what
happens to the face inside the region does not.
"""

from __future__ import annotations

from collections.abc import Generator as Walk
from dataclasses import dataclass
from statistics import median

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from .generators.base import Generator, require_own
from .image import Pixels, to_pixels, to_tensor
from .latent import Latent
from .perceptual import distance_to
from .report_card import finish
from .short import short

PAIRS = 5  # of samples, which say how unlike two pictures usually are
LARGEST_REGION = 0.4  # of the picture: the rest is always judged
CLEAR = 0.25  # of the strongest change: from here on a place belongs to the expression
WINDOW = 16  # how many windows, in which changes are averaged, make a side
KEPT, DRIFTED = 0.8, 0.6  # shares from which on the words are "kept" and "drifted"


@dataclass(frozen=True, eq=False)
class Kept:
    """What `identity_kept` found."""

    share: float  # 0 … 1: 1 is the same outside the region, 0 as unlike as two pictures of the model
    region: NDArray[np.bool_]  # (H, W): the expression's, which was not judged
    before: Pixels  # (H, W, 3)
    after: Pixels  # (H, W, 3)

    __repr__ = short

    @property
    def word(self) -> str:
        """The share in a word: "kept", "drifted" or "lost"."""
        return "kept" if self.share >= KEPT else "drifted" if self.share >= DRIFTED else "lost"

    @property
    def judged(self) -> Pixels:
        """The picture afterwards, (H, W, 3) uint8, with the region that was not judged faded to gray."""
        faded = (self.after.astype(np.uint16) + 3 * 128) // 4
        return np.where(self.region[..., None], faded, self.after).astype(np.uint8)


def identity_kept(
    generator: Generator, before: Latent, after: Latent, neutral: Latent, expressive: Latent, kind: str = "auto"
) -> Kept:
    """Return how much of the person of `before` is left in `after`, outside the expression neutral → expressive.

    `kind` is that of `core.perceptual.distance_to`. Draws some fifteen pictures the first time, and four from then on.
    Raises `LatentError` for a latent of another model.
    """
    return finish(kept_steps(generator, before, after, neutral, expressive, kind))


def kept_steps(
    generator: Generator, before: Latent, after: Latent, neutral: Latent, expressive: Latent, kind: str = "auto"
) -> Walk[None, None, Kept]:
    """Do what `identity_kept` does, with a `yield` after each drawing; what it found is what the generator returns."""
    for latent in (before, after, neutral, expressive):
        require_own(generator, latent)
    pictures: list[Tensor] = []
    for latent in (neutral, expressive, before, after):
        with torch.no_grad():
            pictures.append(generator.draw(latent))
        yield
    region = expression_region(*pictures[:2])
    mask = torch.from_numpy(~region).to(pictures[0])[None, None]
    usual = yield from _usual(generator, kind, mask)
    with torch.no_grad():
        apart = float(distance_to(generator, pictures[2], kind, mask)(pictures[3]))
    share = 1 - min(1.0, max(apart, 0.0) / max(usual, 1e-9)) ** 0.5  # distances are squared: their roots add up
    return Kept(share, region, to_pixels(pictures[2]), to_pixels(pictures[3]))


def expression_region(neutral: Tensor, expressive: Tensor) -> NDArray[np.bool_]:
    """Return where two pictures (1, 3, H, W) of one person differ clearly, (H, W): at most two fifths of them."""
    change = (neutral.clamp(-1, 1) - expressive.clamp(-1, 1)).square().mean(1, keepdim=True)
    window = max(1, change.shape[-1] // WINDOW) | 1
    change = F.avg_pool2d(change, window, 1, window // 2, count_include_pad=False).sqrt()[0, 0].float()
    least = max(
        CLEAR * float(change.max()), float(torch.quantile(change.flatten()[:: _stride(change)], 1 - LARGEST_REGION))
    )
    found: NDArray[np.bool_] = (change > least).cpu().numpy()
    return found


def _stride(values: Tensor) -> int:
    return 1 + values.numel() // 1_000_000  # torch.quantile takes sixteen million at most


def _usual(generator: Generator, kind: str, mask: Tensor) -> Walk[None, None, float]:
    """Return how unlike two of the model's own pictures usually are within `mask` (1, 1, H, W)."""
    kept = generator.__dict__
    if "_strangers" not in kept:
        pixels = []
        for w in generator.w_samples[: 2 * PAIRS].clone():
            with torch.no_grad():
                pixels.append(to_pixels(generator.draw(generator.latent(w))))
            yield
        kept["_strangers"] = pixels
    strangers, apart = kept["_strangers"], []
    for one, other in zip(strangers[::2], strangers[1::2], strict=True):
        with torch.no_grad():
            distance = distance_to(generator, to_tensor(one, generator.device), kind, mask)
            apart.append(float(distance(to_tensor(other, generator.device))))
        yield
    return median(apart)
