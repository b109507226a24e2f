"""Where a search for a latent begins, and the coordinates in which it walks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..descent import Judgement
from ..errors import LatentError
from ..generators.base import Generator
from ..latent import Latent
from ..probes.whitening import Whitening
from ..short import short

SPACES, STARTS = ("w+", "w", "z"), ("average", "current", "random", "encoder")
TRIED = 16  # random pictures among which the start "random" chooses the nearest

Judge = Callable[[Sequence[Latent]], Judgement]


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Points (N, rows, D) ↔ latents: whitened W with a row for each layer ("w+") or one for all ("w"), or z."""

    generator: Generator
    base: Latent  # whose offsets, noise and label every latent has
    space: str = "w+"

    __repr__ = short

    def latents(self, points: Tensor) -> list[Latent]:
        """Return the latent of each point; differentiable."""
        rows = self.generator.latent_shape[0]
        if self.space == "z":
            ws = self.generator.map(points[:, 0], self.base.label)[:, None]
        else:
            ws = Whitening.of(self.generator).to_w(points)
        return [replace(self.base, w=w.expand(rows, -1)) for w in ws]

    def point(self, w: Tensor) -> Tensor:
        """Return the point (1, rows, D) of w (L, D) or (D,); in "w" that of the mean of its rows."""
        w = w.reshape(-1, w.shape[-1])
        rows = self.generator.latent_shape[0] if self.space == "w+" else 1
        u = Whitening.of(self.generator).to_u(w if len(w) == rows else w.mean(0, keepdim=True))
        return u.expand(rows, -1).clone()[None]


def starting_points(way: Coordinates, start: str, latent: Latent, target: Tensor, judge: Judge, count: int) -> Tensor:
    """Return (count, rows, D): the first points of `count` walks that go side by side.

    `start`: "average", "current" (`latent`), "encoder" (what the model's encoder makes of `target`), or "random" (the
    best judged of 16 sampled latents). In Z it is always "random", for no z of a latent is known.
    Raises `LatentError` if the model has no encoder.
    """
    generator = way.generator
    if way.space == "z":
        seeds = range(max(TRIED, count))
        return _nearest([generator.z(seed)[None] for seed in seeds], way, judge, count)
    if start == "random":
        samples = generator.w_samples[: max(TRIED, count)].clone()
        return _nearest([way.point(w) for w in samples], way, judge, count)
    if start == "encoder":
        if generator.encoder is None:
            raise LatentError(
                f"{generator.name} has no encoder beside it: choose the start 'average', or train one with "
                "`ganedit train encoder`."
            )
        return way.point(generator.encoder(target)[0])
    return way.point(latent.w.to(generator.w_avg) if start == "current" else generator.w_avg.detach().clone())


def _nearest(points: list[Tensor], way: Coordinates, judge: Judge, count: int) -> Tensor:
    """Return the `count` points whose latents are judged best, the best first."""
    with torch.no_grad():
        losses = [float(judge(way.latents(point)).loss[0]) for point in points]
    order = sorted(range(len(points)), key=losses.__getitem__)
    return torch.cat([points[i] for i in order[:count]])
