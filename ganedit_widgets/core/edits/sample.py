"""Start from another picture: that of a seed, or one that was kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..latent import Latent
from ..short import short
from .base import Report, ignore


@dataclass(frozen=True, eq=False)
class Sample:
    """Replace the picture by that of a seed: w_avg + ψ·(f(z) − w_avg) (Karras et al. 2019, section B)."""

    seed: int
    psi: float = 0.7  # 1: as varied as the training data; 0: the average picture
    label: tuple[float, ...] | None = None  # None: zeros; the typical ones of a self-conditioned generator

    __repr__ = short
    total = 1
    anew = True  # what was before has no part in the result

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the seed's latent. Raises `LatentError` for a seed outside 0 … 2³² − 1 or an unfit label."""
        require_own(generator, latent)
        if not 0 <= self.seed < 2**32:
            raise LatentError(f"Seed {self.seed} was given: choose one from 0 to 4294967295.")
        if self.label is not None and len(self.label) != generator.label_dim:
            raise LatentError(
                f"A label of {len(self.label)} numbers was given, this generator takes {generator.label_dim}: "
                "leave it out, or give as many."
            )
        label = None if self.label is None else torch.tensor(self.label, dtype=torch.float32)
        yield generator.sample(self.seed, self.psi, label)


@dataclass(frozen=True, eq=False)
class Restore:
    """Replace the picture by a latent that was kept: from a file, a recipe, another session of the same model."""

    latent: Latent
    note: str = ""  # where it comes from, to be read aloud

    __repr__ = short
    total = 1
    anew = True  # what was before has no part in the result

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield a copy of the kept latent."""
        require_own(generator, latent)
        require_own(generator, self.latent)
        generator.latent(self.latent.w)  # refuses another shape
        yield self.latent.detached()
