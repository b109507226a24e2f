"""Find one latent that shows parts of several pictures: inpainting, joining, local style, scribbles.

Abdal et al., "Image2StyleGAN++", CVPR 2020, section 5. Its noise stage is `FitNoise`, made afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..descent import descend, gradients, require_differentiable
from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..image import Picture, Pixels
from ..latent import Latent
from ..masks import Mask
from ..short import short
from .base import Report, ignore
from .objective import Objective, Part, require_walk
from .starts import STARTS, Coordinates, starting_points


@dataclass(frozen=True, eq=False)
class EmbedParts:
    """w* in W+ that lowers Σ over `parts` of their distances, plus stay·D²(w) and near·(distance from where one is).

    Make one with `reconstruct`, `embed_part`, `inpaint`, `join`, `local_style` or `scribble`, which know the weights.
    """

    parts: tuple[Part, ...]
    iterations: int = 150
    start: str = "average"  # or "current", "random" (the nearest of 16 pictures), "encoder" (if the model has one)
    rate: float = 0.15  # Adam's, in standard deviations of W
    stay: float = 0.03  # weight of D², see `Embed`
    near: float = 0.0  # weight of the mean square of the way from the latent at hand, in standard deviations of W
    perceptual: str = "auto"  # see `core.perceptual.distance_to`
    stop_after: int | None = None  # end early, after so many steps

    __repr__ = short

    @property
    def picture(self) -> Picture | Pixels | None:
        """What it aims at, if that is one picture."""
        only = self.parts[0].picture if len(self.parts) == 1 else None
        return only if isinstance(only, Picture | np.ndarray) else None

    @property
    def total(self) -> int:
        """The number of steps."""
        return self.iterations if self.stop_after is None else min(self.stop_after, self.iterations)

    def stopped(self, done: int) -> EmbedParts:
        """Return the search that ends after `done` steps."""
        return replace(self, stop_after=done)

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the best latent so far; report "psnr" (dB, within the masks), "perceptual" and "distance" with each."""
        require_own(generator, latent)
        require_differentiable(generator)
        require_walk(self.total, self.rate)
        if self.start not in STARTS:
            raise LatentError(f"{self.start!r} was given: choose one of {', '.join(map(repr, STARTS))}.")
        base = latent if self.start == "current" else Latent(latent.w, latent.fingerprint, label=latent.label)
        way = Coordinates(generator, base)
        with gradients():
            judge = Objective(generator, self.parts, self.stay, self.perceptual, self.near, latent)
            points = starting_points(way, self.start, latent, judge.target, judge, 1)
        yield from descend([points], way.latents, judge, self.iterations, self.rate, report, self.stop_after)


# ---- one for each operation


def reconstruct(picture: Picture | Pixels, iterations: int = 150) -> EmbedParts:
    """Find the whole picture: `Embed` in W+, as an edit that takes parts."""
    return EmbedParts((Part(picture),), iterations)


def embed_part(picture: Picture | Pixels, mask: Mask, iterations: int = 150) -> EmbedParts:
    """Find a latent that looks like `picture` inside `mask`; what is outside becomes what the model thinks fits."""
    return EmbedParts((Part(picture, mask),), iterations)


def inpaint(picture: Picture | Pixels, hole: Mask, iterations: int = 150) -> EmbedParts:
    """Fill the `hole`: its pixels have no influence on the result, which stays nearer to what the model draws."""
    return EmbedParts((Part(picture, outside(hole)),), iterations, stay=0.2)


def join(picture: Picture | Pixels, other: Picture | Pixels, mask: Mask, iterations: int = 150) -> EmbedParts:
    """Join two pictures: `picture` inside the mask, `other` outside, with a seam that the model heals."""
    return EmbedParts((Part(picture, mask), Part(other, outside(mask))), iterations)


def local_style(
    picture: Picture | Pixels, style: Picture | Pixels, mask: Mask, strength: float = 1.0, iterations: int = 150
) -> EmbedParts:
    """Keep `picture` outside the mask, and inside it take on the textures and colors `style` has there.

    `strength` is the weight of the style; 0 leaves the inside free.
    """
    return EmbedParts((Part(picture, outside(mask)), Part(style, mask, 0.0, 0.0, strength)), iterations)


def scribble(
    picture: Picture | Pixels, strokes: Mask | None = None, near: float = 0.03, iterations: int = 80
) -> EmbedParts:
    """Follow rough strokes painted over the picture at hand, and stay near its latent, so that they become plausible.

    `picture` is painted on; `strokes`, where that is, makes them count more. A larger `near` follows them less.
    """
    parts = (Part(picture),) if strokes is None else (Part(picture), Part(picture, strokes, pixel=8.0, look=0.0))
    return EmbedParts(parts, iterations, "current", stay=0.0, near=near)


def outside(mask: Mask) -> Mask:
    """Return the mask of everything that is not inside `mask`."""
    return np.asarray(mask) == 0
