"""What the oracle is trained to minimize."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from .network import Reading
from .targets import Targets, weights


def attribute_loss(reading: Reading, truth: Targets, mean: Tensor, std: Tensor) -> Tensor:
    """Squared error of the numbers that can be seen, in units of their variance, and cross-entropy of the choices."""
    error = (reading.numbers - (truth.numbers - mean) / std).square() * truth.seen * weights().to(mean)
    glasses = F.binary_cross_entropy_with_logits(reading.glasses, truth.glasses)
    style = F.cross_entropy(reading.style, truth.style)
    return error.sum(1).mean() / weights().sum() + 0.3 * glasses + 0.1 * style


def identity_loss(embedding: Tensor, person: Tensor, temperature: float = 0.1) -> Tensor:
    """Supervised contrastive loss (Khosla et al. 2020, equation 2) of unit vectors (B, D) of persons (B,)."""
    likeness = embedding @ embedding.T / temperature
    itself = torch.eye(len(person), dtype=torch.bool, device=person.device)
    same = (person[:, None] == person[None]) & ~itself
    log_odds = likeness - likeness.masked_fill(itself, -torch.inf).logsumexp(1, keepdim=True)
    return -((log_odds * same).sum(1) / same.sum(1).clamp(min=1)).mean()


def part_loss(logits: Tensor, labels: Tensor, part_weights: Tensor) -> Tensor:
    """Cross-entropy of logits (B, P, H, W) and labels (B, H, W), rare parts weighing more."""
    return F.cross_entropy(logits, labels.long(), part_weights)


def rarity(counts: Tensor) -> Tensor:
    """Return weights (P,) that fall with the square root of how often a part occurs; their mean over pixels is 1."""
    share = counts.double() / counts.sum()
    raw = share.clamp(min=1e-4).rsqrt()
    return (raw / (raw * share).sum()).float()
