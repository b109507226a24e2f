"""Learning from pairs: where it is known which picture a latent should give, that is taught beside the GAN's game.

A GAN finds out by itself which z gives which picture, and needs millions of pictures for it. Where pictures are drawn
from known random numbers, z can hold those numbers: then every picture is an example with its answer, and a
generator learns from tens of thousands what to draw; the critic is left to judge how it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

SCALES = 3  # full size, half, quarter


@dataclass(frozen=True)
class Pairs:
    """Latents z (N, Z), the pictures (N, 3, R, R) in [-1, 1] they should give, and where it matters (N, 1, R, R)."""

    z: Tensor
    pictures: Tensor
    weights: Tensor

    def to(self, device: torch.device) -> Pairs:
        """Return the same pairs on another device."""
        return Pairs(self.z.to(device), self.pictures.to(device), self.weights.to(device))


@dataclass(frozen=True)
class Facts:
    """Latents z (N, Z) and numbers (N, F) that are known of their pictures, each of unit variance over all pictures."""

    z: Tensor
    values: Tensor

    def to(self, device: torch.device) -> Facts:
        """Return the same facts on another device."""
        return Facts(self.z.to(device), self.values.to(device))


class PairSource(Protocol):
    """Where pairs come from."""

    def pairs(self, n: int, resolution: int) -> Pairs:
        """Return n pairs."""

    def facts(self, n: int) -> Facts | None:
        """Return what w should tell of n latents, or None; these cost no picture."""


def fact_loss(w: Tensor, values: Tensor, ridge: float = 1e-3) -> Tensor:
    """Return how much of `values` (N, F) no linear map of `w` (N, D) explains, as a share of their variance.

    The best map is solved for anew each time and held fixed, so that the gradient makes w tell more. What jumps as z
    moves, such as a hair style, is thereby learned from thousands of latents instead of a few pictures.
    """
    x, y = w - w.mean(0), values - values.mean(0)
    with torch.no_grad():
        gram = x.t() @ x
        gram.diagonal().add_(ridge * gram.diagonal().mean() + 1e-8)
        best = torch.linalg.solve(gram, x.t() @ y)
    return (x @ best - y).square().mean()


def pair_loss(drawn: Tensor, pairs: Pairs) -> Tensor:
    """Return the weighted mean absolute error of `drawn` (N, 3, R, R): of values and of edges, at `SCALES` scales."""
    error, weights = drawn - pairs.pictures, pairs.weights
    loss = torch.zeros((), device=drawn.device)
    for scale in range(SCALES):
        if scale:
            error, weights = F.avg_pool2d(error, 2), F.avg_pool2d(weights, 2)
        across, down = error[..., 1:] - error[..., :-1], error[..., 1:, :] - error[..., :-1, :]
        parts = ((error, weights), (across, weights[..., 1:]), (down, weights[..., 1:, :]))
        loss = loss + sum((e.abs() * w).mean() for e, w in parts) / weights.mean()
    return loss / SCALES
