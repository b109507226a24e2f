"""Move along a named direction: the plainest edit there is; copy this file for a method whose answer is known at once.

Shen et al., "InterFaceGAN", TPAMI 2020; Härkönen et al., "GANSpace", NeurIPS 2020; Wu et al., "StyleSpace", CVPR 2021.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import DirectionError
from ..generators.base import Generator, require_own
from ..latent import Latent
from ..probes.directions import Direction, parts, require_fit
from ..short import short
from .base import Report, ignore


@dataclass(frozen=True, eq=False)
class MoveAlong:
    """w' = w + strength·unit·n on the chosen layers, or the same for the styles of a direction in S space.

    Strength 1 is one standard deviation of this model's latents along n, whatever the direction (`Direction.unit`).
    """

    direction: Direction
    strength: float = 1.0
    layers: range | None = None  # None: the direction's own layers, or all; not for S space

    __repr__ = short
    total = 1

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the moved latent. Raises `DirectionError` if the direction is not of this model."""
        require_own(generator, latent)
        require_fit(generator, self.direction)
        if not math.isfinite(self.strength):
            raise DirectionError(f"Strength {self.strength} was given for {self.direction.name!r}: give a number.")
        amount = self.strength * self.direction.unit
        steps = {layer: amount * n.to(latent.w.device) for layer, n in parts(self.direction.vector).items()}
        if self.direction.space == "s":
            yield latent.shifted(steps)
        else:
            yield latent.moved(steps[""], self.direction.layers if self.layers is None else self.layers)
