"""Portraits that no network of the demo has been trained on."""

from __future__ import annotations

import torch
from torch import Tensor

from .oracle.targets import mirror_pictures, mirrored
from .portraits import Attributes
from .portraits.dataset import draw

TRAINING_SEED, HELD_OUT_SEED, FLOOR_SEED = 0, 1, 2


def held_out(start: int, count: int, size: int, seed: int = HELD_OUT_SEED) -> tuple[Tensor, Tensor, Attributes]:
    """Draw portraits from number `start` on: pictures (B, 3, size, size) and labels (B, size, size), uint8; attributes.

    Portraits of odd number are mirrored, because training mirrors half of its pictures and hair has a parting.
    """
    numbers = torch.arange(start, start + count)
    pictures, labels, attributes = draw(numbers, size, seed)
    flip = numbers % 2 == 1
    return mirror_pictures(pictures, flip), mirror_pictures(labels, flip), mirrored(attributes, flip)
