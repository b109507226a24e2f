"""How much of each channel's energy lies in each part (Editing in Style, equation 1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def normalized(activations: Tensor) -> Tensor:
    """Return activations (N, C, H, W) with mean 0 and variance 1 over the pixels of each picture and channel.

    StyleGAN1's instance normalization, which later generators lack and the method needs. A channel that does not vary
    says nothing of any part: it becomes 1 everywhere, its energy spread evenly.
    """
    flat = activations.flatten(2).float()
    spread = flat.std(2, unbiased=False, keepdim=True)
    centered = (flat - flat.mean(2, keepdim=True)) / spread.clamp(min=1e-12)
    still = spread <= 1e-6 * flat.abs().mean(2, keepdim=True).clamp(min=1e-12)
    return torch.where(still, torch.ones_like(centered), centered).reshape(activations.shape)


def resized(members: Tensor, size: tuple[int, int]) -> Tensor:
    """Return memberships (N, K, h, w) at another size: nearest, so that each pixel still belongs to one cluster."""
    return members if members.shape[-2:] == size else F.interpolate(members, size=size, mode="nearest-exact")


def contributions(activations: Tensor, members: Tensor, each: bool = False) -> Tensor:
    """Return M (K, C) = mean over pictures and pixels of A²·U, or (N, K, C) for `each` picture by itself.

    `activations` (N, C, H, W) are normalized first; `members` (N, K, h, w), summing to 1 over K, are brought to their
    size. Σₖ M = 1 for every channel, and the M of merged clusters is the sum of theirs.
    """
    energy = normalized(activations).square().flatten(2)  # (N, C, P)
    u = resized(members, (activations.shape[-2], activations.shape[-1])).flatten(2).to(energy)  # (N, K, P)
    m = u @ energy.transpose(1, 2) / energy.shape[-1]
    return m if each else m.mean(0)
