"""Bias, activation, gain and clamp, in this order."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# name -> (function, default gain): the gain keeps the variance of a unit normal input
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], float]] = {
    "linear": (lambda x: x, 1.0),
    "relu": (F.relu, math.sqrt(2)),
    "lrelu": (lambda x: F.leaky_relu(x, 0.2), math.sqrt(2)),
    "tanh": (torch.tanh, 1.0),
    "sigmoid": (torch.sigmoid, 1.0),
    "elu": (F.elu, 1.0),
    "selu": (F.selu, 1.0),
    "softplus": (F.softplus, 1.0),
    "swish": (lambda x: torch.sigmoid(x) * x, math.sqrt(2)),
}


def bias_act(
    x: Tensor, bias: Tensor | None = None, act: str = "linear", gain: float = 1.0, clamp: float | None = None
) -> Tensor:
    """Return clamp(act(x + bias)·default_gain·gain, ±clamp·gain).

    `x` is (N, C, ...), `bias` (C,); `gain` multiplies the activation's default gain and also the clamp
    (StyleGAN2, Karras et al. 2020, appendix B).
    """
    function, default_gain = ACTIVATIONS[act]
    if bias is not None:
        x = x + bias.to(x.dtype).reshape(1, -1, *[1] * (x.ndim - 2))
    x = function(x)
    if default_gain * gain != 1:
        x = x * (default_gain * gain)
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)
