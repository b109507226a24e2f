"""The way between keyframes: its latents, and how fast the picture changes along it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from .easing import delayed
from .edits.sample import Sample
from .edits.sources import latent_of, mixed
from .generators.base import Generator
from .groups import layer_groups
from .latent import Latent
from .perceptual import distance_to
from .short import short

if TYPE_CHECKING:
    from .morph import Morph

DENSE = 16  # pictures measured in each segment: what moves faster is not seen
SMALL = 64  # pixels of the pictures that are measured: finer detail hardly looks like motion


@dataclass(frozen=True)
class Speed:
    """How far the picture moves, as one sees it, from each of evenly spaced places of a segment to the next."""

    lengths: tuple[tuple[float, ...], ...]  # one tuple for each segment

    __repr__ = short

    @property
    def weights(self) -> list[float]:
        """The visible length of every segment."""
        return [sum(lengths) for lengths in self.lengths]

    def even(self, segment: int, share: float) -> float:
        """Return the place of a segment at which `share` of its visible length is passed; both in [0, 1]."""
        way = np.cumsum((0.0, *self.lengths[segment]))
        if not way[-1] > 0 or share in (0.0, 1.0):  # also where nothing is seen to move at first
            return share
        return float(np.interp(share, way / way[-1], np.linspace(0, 1, len(way))))


class Path:
    """The keyframes of a morph in one generator, and everything between them."""

    def __init__(self, generator: Generator, morph: Morph) -> None:
        self.generator, self.morph = generator, morph
        self.keys = [latent_of(generator, source) for source in morph.keyframes]
        self.delays = [0.0] * generator.latent_shape[0]
        for name, rows in layer_groups(generator).items():
            for row in rows:
                self.delays[row] = (morph.timing or {}).get(name, 0.0)

    def shares(self, share: float) -> Tensor:
        """Return (L,): how far every layer is when the film has gone `share` of a segment."""
        return torch.tensor([delayed(share, delay) for delay in self.delays])

    def at(self, segment: int, share: float) -> Latent:
        """Return the latent of a place; those of the ends are the keyframes themselves."""
        one, two = segment, (segment + 1) % len(self.keys)
        if share in (0.0, 1.0):
            return self.keys[two if share else one].detached()
        shares = self.shares(share)
        latent = mixed(self.generator, self.keys[one], self.keys[two], shares)
        return self._sampled(latent, one, two, shares) if self.morph.path == "z" else latent

    @torch.no_grad()
    def _sampled(self, latent: Latent, one: int, two: int, shares: Tensor) -> Latent:
        """Return `latent` with w mapped from z between that of two samples, for every layer at its own share."""
        a, b = self.morph.keyframes[one], self.morph.keyframes[two]
        assert isinstance(a, Sample) and isinstance(b, Sample)  # `require_fit` has seen to that
        za, zb, w = self.generator.z(a.seed), self.generator.z(b.seed), latent.w.clone()
        for share in sorted(set(shares.tolist()) - {0.0, 1.0}):
            label = None
            if self.generator.c_dim:
                first, second = (torch.tensor(s.label or (0.0,) * self.generator.c_dim).float() for s in (a, b))
                label = torch.lerp(first, second, share)
            mapped = self.generator.map(slerp(za, zb, share), label)[0]
            psi = a.psi + share * (b.psi - a.psi)
            w[shares == share] = (self.generator.w_avg + psi * (mapped - self.generator.w_avg)).to(w)
        return replace(latent, w=w)

    @staticmethod
    def drawn(segments: int) -> int:
        """How many pictures `measure` draws."""
        return segments * DENSE + 1

    def measure(self) -> Iterator[Speed]:
        """Yield the speed as far as it is known, after every small picture."""
        lengths = [[0.0] * DENSE for _ in range(self.morph.segments)]
        before = self._small(0, 0.0)
        yield Speed(tuple(map(tuple, lengths)))
        for segment in range(self.morph.segments):
            for i in range(DENSE):
                after = self._small(segment, (i + 1) / DENSE)
                with torch.no_grad():
                    apart = float(distance_to(self.generator, before, "pyramid")(after))
                lengths[segment][i] = max(apart, 0.0) ** 0.5  # squared differences do not add up, their roots do
                before = after
                yield Speed(tuple(map(tuple, lengths)))

    def _small(self, segment: int, share: float) -> Tensor:
        until = next((1 << i for i in range(6, 2, -1) if 1 << i <= SMALL and 1 << i < max(self.generator.size)), None)
        with torch.no_grad():
            return self.generator.draw(self.at(segment, share), until=until)


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Return the point at `share` of the great circle from `a` to `b`, (N, D), whose lengths change evenly.

    (Shoemake, "Animating Rotation with Quaternion Curves", 1985.) Opposite points have no such circle: there, and
    where it is too short to matter, the way is straight.
    """
    la, lb = a.norm(dim=-1, keepdim=True), b.norm(dim=-1, keepdim=True)
    ua, ub = a / la, b / lb
    angle = torch.acos((ua * ub).sum(-1, keepdim=True).clamp(-1, 1))
    sine = torch.sin(angle)
    if bool((sine.abs() < 1e-4).any()):
        return torch.lerp(a, b, share)
    turned = (torch.sin((1 - share) * angle) * ua + torch.sin(share * angle) * ub) / sine
    return turned * torch.lerp(la, lb, share)
