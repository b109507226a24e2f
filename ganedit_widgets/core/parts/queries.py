"""Which channels to take from a reference so that one part changes and the rest does not (Editing in Style, 3.3).

M (C,) is how much of a channel's energy lies in the part, in [0, 1]; q (C,) in [0, 1] is how much of the channel is
taken. What is taken outside the part is Σ q·(1 − M), and ε is the most of it that is allowed, in channels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import LatentError


def simple_query(m: Tensor, strength: float) -> Tensor:
    """Return q = min(1, λ·M): every channel changes, those of the part more. Raises `LatentError` for λ < 0."""
    if not strength >= 0:
        raise LatentError(f"A strength of {strength} was given: it must be 0 or more.")
    return (strength * m).clamp(max=1)


def greedy_query(m: Tensor, epsilon: float, rho: float = 0.0, fraction: bool = False) -> Tensor:
    """Return the q that maximizes Σ q·M subject to Σ q·(1 − M) < ε, channels with M ≤ ρ left out.

    By falling M, channels are taken while their running cost Σ (1 − M) stays below ε: the optimum of the linear
    programme but for its one fractional channel, which is added with `fraction`. At ε = 0 nothing is taken, at ε ≥ C
    every channel above ρ. Raises `LatentError` for a negative ε.
    """
    if not epsilon >= 0:
        raise LatentError(f"A budget ε of {epsilon} was given: it must be 0 or more.")
    order = torch.argsort(m, descending=True, stable=True)
    cost = 1 - m[order]
    spent = cost.cumsum(0)
    taken = (spent < epsilon).to(m)
    if fraction:
        left = epsilon - (spent - cost)
        share = torch.where(cost > 0, left / cost.clamp(min=1e-12), torch.ones_like(cost)).clamp(0, 1)
        taken = torch.maximum(taken, share) if epsilon > 0 else taken
    q = torch.zeros_like(m)
    q[order] = taken
    return q * (m > rho)


def soft_query(m: Tensor, part: int, temperature: float = 0.1, least: float = 0.8) -> Tensor:
    """Return q = 1 where the softmax over parts of M (K, C), divided by a temperature, exceeds `least` for `part`.

    With M of a single picture it needs neither ε nor ρ (Chong et al., "Retrieve in Style", ICCV 2021).
    """
    return ((m / temperature).softmax(0)[part] > least).to(m)
