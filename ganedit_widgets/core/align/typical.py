"""What is typical of a set of pictures, when they are very small: enough to say where one could lie in another."""

from __future__ import annotations

from collections.abc import Generator as Walk
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ..generators.base import Generator

COARSE = 16  # pixels: side of the pictures that are compared
AXES = 24  # principal components
MOST = 9.0  # a pixel's squared error counts at most so many times its variance: a strange background is forgiven


@dataclass(frozen=True, eq=False)
class Typical:
    """Principal components of pictures, (d,) = 3·16·16 numbers each, and what is left of each pixel.

    Tipping and Bishop, "Probabilistic Principal Component Analysis", 1999, with a variance of its own for each pixel.
    """

    average: Tensor  # (d,)
    axes: Tensor  # (k, d), of length 1
    variances: Tensor  # (k,), along the axes
    rest: Tensor  # (d,): mean square of what the axes leave unexplained

    @classmethod
    def of_model(cls, generator: Generator, samples: int, batch: int) -> Walk[None, None, Typical]:
        """Draw the pictures of `samples` latents, `batch` between two yields; *return* what is typical of them."""
        drawn: list[Tensor] = []
        for rows in generator.w_samples[:samples].split(batch):
            with torch.inference_mode(False), torch.no_grad():  # what is measured will be differentiated through
                pictures = generator.draw_many([generator.latent(w) for w in rows.clone()], until=2 * COARSE)
                drawn.append(F.interpolate(pictures, (COARSE, COARSE), mode="area"))
            yield
        return cls.of(torch.cat(drawn))

    @classmethod
    def of(cls, pictures: Tensor) -> Typical:
        """Return what is typical of pictures (N, 3, 16, 16)."""
        with torch.inference_mode(False), torch.no_grad():
            flat = pictures.flatten(1).double().cpu()
            average = flat.mean(0)
            _, sizes, axes = torch.linalg.svd(flat - average, full_matrices=False)
            count = min(AXES, max(1, len(flat) // 4))
            axes, variances = axes[:count], sizes[:count].square() / len(flat)
            left = flat - average - (flat - average) @ axes.t() @ axes
            rest = left.square().mean(0)
            rest = rest + 0.5 * rest.mean() + 1e-3
            found = average, axes, variances + rest.mean(), rest
            return cls(*(x.float().to(pictures.device) for x in found))

    def oddity(self, crops: Tensor) -> Tensor:
        """Return how untypical crops (N, 3, 16, 16) are, (N,): about 1.5 for those that were measured."""
        off = crops.flatten(1) - self.average
        along = off @ self.axes.t()
        left = (off - along @ self.axes).square() / self.rest
        return left.clamp(max=MOST).mean(1) + 0.5 * (along.square() / self.variances).mean(1)

    def weighed(self, error: Tensor) -> Tensor:
        """Return the mean of squared errors (N, 1, h, w) over what is to be expected there, large ones bounded."""
        expected = self.rest.view(1, 3, COARSE, COARSE).mean(1, keepdim=True)
        expected = F.interpolate(expected, error.shape[-2:], mode="bilinear", align_corners=False) * 2
        return (MOST * torch.log1p(error / expected / MOST)).mean()
