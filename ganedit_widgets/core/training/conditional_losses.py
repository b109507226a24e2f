"""What self-conditioning adds to the GAN's losses (Liu et al., SIGGRAPH 2022, and their released code)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def label_loss(logits: Tensor, soft: Tensor) -> Tensor:
    """Return Σₐ KL((l, m, h)ₐ ‖ softmax(logits)ₐ), each averaged over its N·3 elements.

    `logits` and `soft`, the labels as `soft_labels` makes them, are (N, A, 3). Their weight λ = 0.5 thus counts λ/3 per
    attribute and picture. It is 0 where the softmax equals the labels.
    """
    terms = torch.xlogy(soft, soft) - soft * torch.log_softmax(logits, -1)
    return terms.sum(1).mean()


def paper_gamma(resolution: int, batch: int) -> float:
    """Return R1's γ = 0.0002·resolution²/batch, `batch` in pictures per process: 52.4 for 1024 pixels and 4."""
    return 0.0002 * resolution**2 / batch


def path_penalty(pictures: Tensor, ws: Tensor, mean: Tensor, decay: float = 0.01) -> tuple[Tensor, Tensor]:
    """Return the mean of (‖Jᵀy‖ − a)² and the new a (Karras et al. 2020, section 3.2; one y for each picture).

    `pictures` (N, 3, R, R) were drawn from `ws` (N, L, D), which requires a gradient; ‖·‖ is the root of the sum over D
    of the mean over L. `mean` is a before, a scalar; `decay`: how fast it follows.
    """
    noise = torch.randn_like(pictures) / math.sqrt(pictures.shape[2] * pictures.shape[3])
    (slope,) = torch.autograd.grad((pictures * noise).sum(), ws, create_graph=True)
    lengths = slope.square().sum(2).mean(1).sqrt()
    new = mean + decay * (lengths.detach().mean() - mean)
    return (lengths - new).square().mean(), new
