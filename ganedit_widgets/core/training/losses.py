"""The non-saturating GAN loss and its lazy R1 penalty."""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

Critic = Callable[[Tensor], Tensor]  # pictures (N, C, R, R) -> scores (N, 1)


def generator_loss(fake_scores: Tensor) -> Tensor:
    """Return −log σ(D(G(z))), averaged (Goodfellow et al. 2014, the non-saturating form)."""
    return F.softplus(-fake_scores).mean()


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Return −log σ(D(x)) − log(1 − σ(D(G(z)))), averaged."""
    return F.softplus(-real_scores).mean() + F.softplus(fake_scores).mean()


def r1_penalty(critic: Critic, real: Tensor) -> Tensor:
    """Return ‖∇ₓD(x)‖², averaged over real pictures (Mescheder et al. 2018, equation 9 without γ/2)."""
    real = real.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
