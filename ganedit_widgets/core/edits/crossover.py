"""Take some layers from another picture: one's shape, the other's colors.

Abdal et al., "Image2StyleGAN", ICCV 2019, section "Style transfer"; Karras et al. 2019, section 3.1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..groups import layer_groups
from ..latent import Latent
from ..short import short
from .base import Report, ignore
from .sources import Source, latent_of, mixed


@dataclass(frozen=True, eq=False)
class Crossover:
    """w'_l = w_l + blend_l·(other_l − w_l): how much of `other` each layer of W+ has, from 0 (none) to 1 (all).

    Layers of share 0 and 1 are copies, and so is a crossover of a picture with itself. Make `blend` by `split_at`,
    `paper_split` or `group_blend`.
    """

    other: Source
    blend: tuple[float, ...]  # one share for each layer
    note: str = ""  # what `other` is, to be read aloud

    __repr__ = short
    total = 1

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the mixture. Raises `LatentError` for a wrong number of shares, or one outside [0, 1]."""
        require_own(generator, latent)
        rows = generator.latent_shape[0]
        if len(self.blend) != rows:
            raise LatentError(f"{len(self.blend)} shares were given, this model has {rows} layers: give one for each.")
        wrong = [share for share in self.blend if not 0 <= share <= 1]
        if wrong:
            raise LatentError(f"A share of {wrong[0]} was given: choose from 0, none of it, to 1, all of it.")
        yield mixed(generator, latent, latent_of(generator, self.other), self.blend)


def split_at(generator: Generator, layer: int) -> tuple[float, ...]:
    """Return the blend that keeps the layers before `layer` and takes the others: 0 takes all, L none.

    Raises `LatentError` for a layer outside 0 … L.
    """
    rows = generator.latent_shape[0]
    if not 0 <= layer <= rows:
        raise LatentError(f"A split at layer {layer} was asked for: choose one from 0 to {rows}.")
    return (0.0,) * layer + (1.0,) * (rows - layer)


def paper_split(generator: Generator) -> tuple[float, ...]:
    """Return the blend of Image2StyleGAN: the first half of the layers is kept (9 of 18), the other half taken."""
    return split_at(generator, generator.latent_shape[0] // 2)


def group_blend(generator: Generator, shares: Mapping[str, float]) -> tuple[float, ...]:
    """Return the blend that gives each named group of `layer_groups` one share; layers of no named group keep 0.

    Raises `LatentError` for a group this model does not have.
    """
    groups = layer_groups(generator)
    unknown = sorted(set(shares) - set(groups))
    if unknown:
        raise LatentError(f"There is no group of layers {unknown[0]!r}: choose among {', '.join(groups)}.")
    blend = [0.0] * generator.latent_shape[0]
    for name, share in shares.items():
        for row in groups[name]:
            blend[row] = float(share)
    return tuple(blend)
