"""What the oracle reads off a portrait: its attributes as columns of numbers, and back."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ..portraits import HAIR_STYLES, IDENTITY, Attributes
from ..portraits.face import hair_paint

MAIN: tuple[str, ...] = (
    "yaw",
    "pitch",
    "roll",
    "smile",
    "mouth_open",
    "age",
    "hair_reach",
    "beard",
    "light",
    "skin",
)
SHAPE: tuple[str, ...] = tuple(name for name in IDENTITY if name not in ("skin", "iris"))
NUMBERS: tuple[str, ...] = (*MAIN, "gaze", "hair_length", *SHAPE)
COLORS: tuple[str, ...] = ("hair_color", "iris", "clothes", "background")
COLUMNS: tuple[str, ...] = (*NUMBERS, *(f"{color}_{channel}" for color in COLORS for channel in "rgb"))
STYLES = len(HAIR_STYLES)
MIRRORED: tuple[str, ...] = ("yaw", "roll", "gaze", "light")  # change their sign with the picture's sides
LESSER = 0.25  # weight of a column that no edit is named after

# Where the hair of each style ends, as a share of the way from the brow to the picture's lower edge: at the least
# hair_length, and how much further at the most.
ENDS: dict[str, tuple[float, float]] = {
    "bald": (0.0, 0.0),
    "short": (0.15, 0.0),
    "quiff": (0.15, 0.0),
    "bun": (0.15, 0.0),
    "curly": (0.15, 0.10),
    "fringe": (0.20, 0.38),
    "pigtails": (0.35, 0.22),
    "bob": (0.47, 0.20),
    "long": (0.75, 0.25),
}


@dataclass(frozen=True)
class Targets:
    """The truth about B portraits: numbers (B, C), which of them can be seen (B, C), glasses (B,), style (B,)."""

    numbers: Tensor
    seen: Tensor
    glasses: Tensor
    style: Tensor


def hair_reach(a: Attributes) -> Tensor:
    """Return how far down the hair falls (B,), 0 for bald heads to 1: comparable between styles, unlike hair_length."""
    ends = torch.tensor([ENDS[style] for style in HAIR_STYLES], device=a.yaw.device)[a.hair_style]
    return ends[:, 0] + ends[:, 1] * a.hair_length


def encode(a: Attributes) -> Targets:
    """Return what the networks are taught about portraits; hair colors are those shown, gray included.

    Of a bald young head neither the length nor the color of the hair can be seen.
    """
    shown = a.replace(hair_color=hair_paint(a).squeeze(-1).sqrt())
    numbers = torch.stack([hair_reach(a) if name == "hair_reach" else getattr(a, name) for name in NUMBERS], 1)
    numbers = torch.cat([numbers, *(getattr(shown, name) for name in COLORS)], 1)
    seen = torch.ones_like(numbers, dtype=torch.bool)
    hidden = (a.hair_style == HAIR_STYLES.index("bald")) & (a.age < 0.5)
    for i, name in enumerate(COLUMNS):
        if name.startswith(("hair_color", "hair_length")):
            seen[:, i] = ~hidden
    return Targets(numbers, seen, a.glasses, a.hair_style)


def decode(numbers: Tensor, glasses: Tensor, style: Tensor) -> dict[str, Tensor]:
    """Return name → (B,), colors (B, 3), from numbers (B, C), glasses logits (B,), style logits (B, 9).

    "glasses" is a probability and "hair_style" the likeliest style; numbers are not clipped to an attribute's range.
    """
    found = {name: numbers[:, i] for i, name in enumerate(NUMBERS)}
    for i, name in enumerate(COLORS):
        start = len(NUMBERS) + 3 * i
        found[name] = numbers[:, start : start + 3].clamp(0, 1)
    return {**found, "glasses": glasses.sigmoid(), "hair_style": style.argmax(1)}


def weights() -> Tensor:
    """Return the weight (C,) of each column in the loss."""
    return torch.tensor([1.0 if name in MAIN else LESSER for name in COLUMNS])


def mirrored(a: Attributes, flip: Tensor) -> Attributes:
    """Return the attributes of portraits some of which are mirrored; `flip` (B,) bool says which."""
    sign = torch.where(flip.to(a.yaw.device), -1.0, 1.0)
    return a.replace(**{name: getattr(a, name) * sign for name in MIRRORED})


def mirror_pictures(pictures: Tensor, flip: Tensor) -> Tensor:
    """Mirror those of pictures (B, 3, H, W) or labels (B, H, W) that `flip` (B,) names."""
    shape = (-1,) + (1,) * (pictures.ndim - 1)
    return torch.where(flip.view(shape).to(pictures.device), pictures.flip(-1), pictures)
