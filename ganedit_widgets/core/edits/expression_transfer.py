"""Give a picture the expression of another: what changed from their neutral to their expressive picture, added.

Abdal et al., "Image2StyleGAN", ICCV 2019, section "Expression transfer".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import LatentError
from ..generators.base import Generator, require_own
from ..latent import Latent
from ..short import short
from .base import Report, ignore
from .sources import Source, latent_of


@dataclass(frozen=True, eq=False)
class TransferExpression:
    """w' = w + λ·(w₃ − w₂): w₂ the neutral, w₃ the expressive picture of somebody, λ the strength.

    Layers that hardly change carry noise: those whose ‖w₃ − w₂‖ lies below `threshold` are left out, and what remains
    is made longer, so that the change keeps the length it had. The threshold is measured in standard deviations of
    W, √E‖w − w̄‖²: two unrelated pictures of a model are about √2 apart in every layer. With λ = 0, with w₃ = w₂, or
    with a threshold above all layers the latent stays exactly as it is.
    """

    neutral: Source
    expressive: Source
    strength: float = 1.0  # 1: as strong as theirs; negative: the opposite
    threshold: float = 0.0  # in standard deviations of W
    layers: tuple[int, ...] | None = None  # of W+, in any order; None: all
    note: str = ""  # what the expression is, to be read aloud

    __repr__ = short
    total = 1

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the changed latent. Raises `LatentError` for parameters that are no numbers, or unknown layers."""
        require_own(generator, latent)
        if not math.isfinite(self.strength) or not self.threshold >= 0:
            raise LatentError(
                f"Strength {self.strength} and threshold {self.threshold} were given: "
                "give a finite strength, and a threshold of at least 0."
            )
        neutral, expressive = (latent_of(generator, source) for source in (self.neutral, self.expressive))
        change = (expressive.w - neutral.w).to(latent.w)
        gains = self._gains(generator, change)
        steps = {}
        for name in {**neutral.offsets, **expressive.offsets}:
            zero = torch.zeros(())
            step = expressive.offsets.get(name, zero) - neutral.offsets.get(name, zero)
            gain = self.strength * float(gains[generator.style_layers.get(name, 0)])
            if gain and step.any():
                steps[name] = gain * step.to(latent.w)
        yield latent.moved(self.strength * gains[:, None] * change).shifted(steps)

    def _gains(self, generator: Generator, change: Tensor) -> Tensor:
        """Return (L,): 0 for the layers left out, and for the others what gives the change its length back."""
        rows = generator.latent_shape[0]
        chosen = range(rows) if self.layers is None else self.layers
        strange = [row for row in chosen if not 0 <= row < rows]
        if strange:
            raise LatentError(f"Layer {strange[0]} was asked for: this model has layers 0 to {rows - 1}.")
        asked = torch.zeros(rows, dtype=torch.bool, device=change.device)
        asked[list(chosen)] = True
        lengths = change.norm(dim=1)
        kept = asked & (lengths / w_deviation(generator) >= self.threshold)
        if torch.equal(kept, asked):
            return kept.to(change)  # exactly 1: nothing was lost
        left = lengths[kept].square().sum().sqrt()
        return kept * (lengths[asked].square().sum().sqrt() / left if left > 0 else torch.zeros_like(left))


def w_deviation(generator: Generator) -> float:
    """Return √E‖w − w̄‖² of the model's own latents: how far they lie from the average."""
    return float((generator.w_samples - generator.w_avg).square().sum(1).mean().sqrt())


def drive(
    generator: Generator,
    neutral: Source,
    drivers: Sequence[Source],
    strength: float = 1.0,
    threshold: float = 0.0,
    layers: tuple[int, ...] | None = None,
) -> list[TransferExpression]:
    """Return one edit for each of `drivers`, pictures of one person, relative to that person's `neutral` picture.

    Made on one latent, they are a film of its owner doing what the drivers do. Raises `LatentError` if one of the
    pictures is not of this model.
    """
    for source in (neutral, *drivers):
        latent_of(generator, source)
    return [TransferExpression(neutral, driver, strength, threshold, layers) for driver in drivers]
