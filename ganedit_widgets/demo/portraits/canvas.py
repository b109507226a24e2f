"""The surface that features are painted on: colors and labels of visible points."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .parts import PART


@dataclass
class Canvas:
    """Colors (B, 3, N) in linear light, part numbers (B, N), and how far an edge spreads (head units)."""

    color: Tensor
    label: Tensor
    soft: float
    gloss: Tensor  # (B, N) strength of the highlight

    def cover(self, inside: Tensor) -> Tensor:
        """How much (B, N) of a point lies inside an outline, from its signed distance, positive inside."""
        return (inside / self.soft + 0.5).clamp_(0, 1)

    def paint(self, alpha: Tensor, color: Tensor, part: str | None = None) -> None:
        """Lay a color (B, 3, 1) or (B, 3, N) over the points with opacity alpha (B, N); label those it covers."""
        self.color = torch.lerp(self.color, color.to(self.color), alpha.unsqueeze(1))
        if part is not None:
            self.label = torch.where(alpha >= 0.5, PART[part], self.label)

    def tint(self, alpha: Tensor, factor: Tensor) -> None:
        """Multiply the colors by a factor (B, 3, 1) with opacity alpha (B, N)."""
        self.color = self.color * (1 + alpha.unsqueeze(1) * (factor - 1))


def linear(color: Tensor) -> Tensor:
    """SRGB in [0, 1] to linear light, by the square: close enough for a drawing, and its inverse is a root."""
    return color * color


def paint_color(red: float, green: float, blue: float, like: Tensor) -> Tensor:
    """One sRGB color as linear light (1, 3, 1)."""
    return linear(like.new_tensor([red, green, blue])).view(1, 3, 1)
