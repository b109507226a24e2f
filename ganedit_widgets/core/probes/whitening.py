"""The shape of a generator's W: coordinates in which its own latents are round, and how far a latent lies outside."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..generators.base import Generator
from ..short import short

FLOOR = 0.02  # of the mean variance: the least variance that an axis of W is given


@dataclass(frozen=True, eq=False)
class Whitening:
    """u = Σ^(−½)·(w − w̄): for latents sampled by the model u has mean 0 and the variance 1 along every axis.

    Steps of one size then mean the same in every direction and for every model, and the length of u says how far a
    latent lies from what the model draws by itself (as in Zhu et al., "Improved StyleGAN Embedding: Where are the
    Good Latents?", 2020, without the nonlinearity).
    """

    average: Tensor  # (D,)
    root: Tensor  # (D, D): Σ^(½)
    inverse: Tensor  # (D, D): Σ^(−½)

    __repr__ = short

    @classmethod
    def of(cls, generator: Generator) -> Whitening:
        """Measure it from the generator's 2000 samples of W; kept with the generator."""
        found = generator.__dict__.get("_whitening")
        if found is None:
            with torch.inference_mode(False), torch.no_grad():
                found = cls._measure(generator)
            generator.__dict__["_whitening"] = found
        return found

    @classmethod
    def _measure(cls, generator: Generator) -> Whitening:
        average = generator.w_avg.detach().clone()
        centered = (generator.w_samples.clone() - average).cpu().double()  # not every device has float64
        variances, axes = torch.linalg.eigh(centered.t() @ centered / len(centered))
        deviations = variances.clamp(min=float(FLOOR * variances.mean())).sqrt()
        root, inverse = ((axes * s @ axes.t()).to(average) for s in (deviations, 1 / deviations))
        return cls(average, root, inverse)

    def to_w(self, u: Tensor) -> Tensor:
        """Return w̄ + Σ^(½)·u; both (…, D)."""
        return self.average + u @ self.root

    def to_u(self, w: Tensor) -> Tensor:
        """Return Σ^(−½)·(w − w̄); both (…, D)."""
        return (w - self.average) @ self.inverse

    def distance(self, w: Tensor) -> Tensor:
        """Return the root mean square of u, a scalar: about 1 for a sampled latent, 0 for the average."""
        return self.to_u(w).square().mean().sqrt()
