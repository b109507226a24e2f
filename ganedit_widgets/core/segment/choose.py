"""Which pictures to label: first such that differ, then those the segmenter is least sure of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch

from ..errors import SegmentError
from ..generators.base import Generator
from ..probes.whitening import Whitening
from .segmenter import Reading, Segmenter

PSI = 0.7  # truncation of the samples that are labeled, as published


def diverse_seeds(generator: Generator, count: int = 16, among: Sequence[int] = range(200)) -> list[int]:
    """Return `count` of the seeds `among` whose latents lie far from each other in whitened W, the most typical first.

    Greedy k-center (Gonzalez 1985): each next one is the farthest from those chosen. Raises `SegmentError` if there are
    too few to choose from.
    """
    if not 1 <= count <= len(among):
        raise SegmentError(f"{count} of {len(among)} seeds were asked for: give more seeds to choose from.")
    white = Whitening.of(generator)
    with torch.no_grad():
        u = white.to_u(torch.stack([generator.sample(seed, PSI).w[0] for seed in among]))
    chosen = [int(u.square().sum(1).argmin())]
    near = (u - u[chosen[0]]).square().sum(1)
    while len(chosen) < count:
        near[chosen[-1]] = -1.0  # never again, though another lie at the same place
        chosen.append(int(near.argmax()))
        near = torch.minimum(near, (u - u[chosen[-1]]).square().sum(1))
    return [among[i] for i in chosen]


@dataclass(frozen=True)
class Doubt:
    """How unsure the segmenter is of a seed's picture."""

    seed: int
    score: float  # nats, see `Reading.score`
    reading: Reading = field(repr=False)


def most_unsure(generator: Generator, segmenter: Segmenter, seeds: Sequence[int], psi: float = PSI) -> Iterator[Doubt]:
    """Yield the doubt about each seed's picture as it is looked at; sort them by `score` to see what to label next."""
    for seed in seeds:
        reading = segmenter.read(generator, generator.sample(seed, psi))
        yield Doubt(seed, reading.score, reading)
