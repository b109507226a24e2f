"""Ten small networks for each pixel, computed as one: how they are trained, and how they are used.

Ling et al., "EditGAN", NeurIPS 2021, section 3.1 and supplement; Zhang et al., "DatasetGAN", CVPR 2021.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

INIT = 0.02  # standard deviation of fresh weights
EPSILON = 1e-5  # of the batch normalizations
MANY = 32  # classes from which on the layers are wider


def widths_for(classes: int) -> tuple[int, int]:
    """Return the widths of the two hidden layers, as published."""
    return (256, 128) if classes >= MANY else (128, 32)


@dataclass(eq=False)
class Ensemble:
    """M networks Linear→ReLU→BatchNorm, twice, →Linear as they are trained: on concatenated features of all layers."""

    first: Tensor  # (M, D, H1)
    first_bias: Tensor  # (M, 1, H1)
    scale1: Tensor  # (M, 1, H1): of the batch normalization
    shift1: Tensor
    second: Tensor  # (M, H1, H2)
    second_bias: Tensor
    scale2: Tensor
    shift2: Tensor
    third: Tensor  # (M, H2, C)
    third_bias: Tensor

    @classmethod
    def fresh(cls, models: int, inputs: int, classes: int, rng: torch.Generator, device: torch.device) -> Ensemble:
        """Return an untrained one; the weights depend on the state of `rng` only."""
        one, two = widths_for(classes)

        def normal(*shape: int) -> Tensor:
            return (torch.randn(models, *shape, generator=rng) * INIT).to(device)

        def constant(value: float, width: int) -> Tensor:
            return torch.full((models, 1, width), float(value), device=device)

        return cls(
            normal(inputs, one), constant(0, one), constant(1, one), constant(0, one),
            normal(one, two), constant(0, two), constant(1, two), constant(0, two),
            normal(two, classes), constant(0, classes),
        )  # fmt: skip

    @property
    def weights(self) -> list[Tensor]:
        """All tensors that are learned."""
        return list(vars(self).values())

    def hidden(self, x: Tensor) -> Tensor:
        """Return what the first layer makes of features (M, B, D), before its normalization: (M, B, H1)."""
        return torch.relu(torch.baddbmm(self.first_bias, x, self.first))

    def logits(self, x: Tensor) -> Tensor:
        """Return logits (M, B, C) of features (M, B, D), normalized over the batch."""
        x = _normalized(self.hidden(x), self.scale1, self.shift1)
        x = torch.relu(torch.baddbmm(self.second_bias, x, self.second))
        return torch.baddbmm(self.third_bias, _normalized(x, self.scale2, self.shift2), self.third)

    def folded(self, x: Tensor) -> dict[str, Tensor]:
        """Return the weights of three plain layers that do the same, normalizing as over the batch x (M, B, D)."""
        h = self.hidden(x)
        second, second_bias = _absorb(h, self.scale1, self.shift1, self.second, self.second_bias)
        h = torch.relu(torch.baddbmm(second_bias, h, second))
        third, third_bias = _absorb(h, self.scale2, self.shift2, self.third, self.third_bias)
        return {
            "first": self.first, "first_bias": self.first_bias, "second": second, "second_bias": second_bias,
            "third": third, "third_bias": third_bias,
        }  # fmt: skip


def _statistics(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean(1, keepdim=True), (x.var(1, unbiased=False, keepdim=True) + EPSILON).rsqrt()


def _normalized(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    mean, slope = _statistics(x)
    return (x - mean) * slope * scale + shift


def _absorb(x: Tensor, scale: Tensor, shift: Tensor, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weight and bias of the linear layer that normalizes as over x first."""
    mean, slope = _statistics(x)
    slope = slope * scale
    return slope.transpose(1, 2) * weight, torch.baddbmm(bias, shift - mean * slope, weight)


def later_layers(weights: Mapping[str, Tensor], hidden: Tensor) -> Tensor:
    """Return logits (M, P, C) from the sums of the first layer (P, M·H1), with biases: a matmul for each layer."""
    second, third = weights["second"], weights["third"]
    x = torch.relu(hidden).reshape(len(hidden), len(second), -1).transpose(0, 1)
    x = torch.relu(torch.baddbmm(weights["second_bias"], x, second))
    return torch.baddbmm(weights["third_bias"], x, third)


def plain_logits(folded: Mapping[str, Tensor], x: Tensor) -> Tensor:
    """Return logits (M, B, C) of concatenated features (M, B, D) by the weights that `Ensemble.folded` returns."""
    for layer in ("first", "second"):
        x = torch.relu(torch.baddbmm(folded[f"{layer}_bias"], x, folded[layer]))
    return torch.baddbmm(folded["third_bias"], x, folded["third"])


def uncertainty_of(logits: Tensor) -> Tensor:
    """Return how much the networks disagree at each pixel, (P,) in nats, from logits (M, P, C).

    The Jensen–Shannon divergence H(mean p) − mean H(p) (DatasetGAN, section 3.3): 0 where all give the same odds.
    """
    p = logits.softmax(-1)
    return (_entropy(p.mean(0)) - _entropy(p).mean(0)).clamp(min=0)


def _entropy(p: Tensor) -> Tensor:
    return -torch.special.xlogy(p, p).sum(-1)
