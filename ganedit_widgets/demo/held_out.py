"""Portraits that no network of the demo has been trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from .portraits import Attributes
from .portraits.dataset import draw

TRAINING_SEED, HELD_OUT_SEED, FLOOR_SEED = 0, 1, 2


def held_out(start: int, count: int, size: int, seed: int = HELD_OUT_SEED) -> tuple[Tensor, Tensor, Attributes]:
    """Draw portraits from number `start` on.

    Returns pictures (B, 3, size, size) and labels (B, size, size), uint8, and attributes.
    """
    return draw(torch.arange(start, start + count), size, seed)
