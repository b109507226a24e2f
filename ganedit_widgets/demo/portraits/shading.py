"""Light on a surface: soft wrapped key light with warm edges, sky and bounce light, rim and highlight."""

from __future__ import annotations

import torch
from torch import Tensor

from .geometry import unit


def key_direction(light: Tensor) -> Tensor:
    """Direction (B, 3, 1) to the main lamp, above the viewer and to a side in [-1, 1]."""
    way = torch.stack([1.9 * light, 0.55 + 0 * light, 0.75 + 0 * light], -1)
    return torch.nn.functional.normalize(way, dim=-1).unsqueeze(-1)


def shade(color: Tensor, normal: Tensor, light: Tensor, shadow: Tensor, ambient: Tensor, warm: float) -> Tensor:
    """Lit linear color (B, 3, N) from albedo (B, 3, N), normals (B, 3, N), shadow and ambient openness (B, N).

    Wrapped diffuse light whose wrap is wider in red gives the warm terminator of translucent matter; ``warm`` in
    [0, 1] says how much.
    """
    facing = (normal * key_direction(light)).sum(1)
    wraps = (0.18 + 0.30 * warm, 0.18 + 0.05 * warm, 0.18)
    lit = torch.stack([((facing + wrap) / (1 + wrap)).clamp(min=0) for wrap in wraps], 1)
    lit = lit * (0.55 + 0.45 * lit) * shadow.unsqueeze(1)
    up = normal[:, 1:2] * 0.5 + 0.5
    sky, bounce = (
        color.new_tensor([0.30, 0.33, 0.38]).view(1, 3, 1),
        color.new_tensor([0.27, 0.215, 0.19]).view(1, 3, 1),
    )
    soft = torch.lerp(bounce, sky, up) * ambient.unsqueeze(1)
    sun = color.new_tensor([1.07, 1.01, 0.93]).view(1, 3, 1)
    edge = (1 - normal[:, 2]).clamp(0, 1).pow(3) * (0.35 + 0.65 * up[:, 0]) * ambient
    rim = color.new_tensor([0.30, 0.32, 0.36]).view(1, 3, 1) * edge.unsqueeze(1)
    return color * (lit * sun + soft) + rim * (0.35 * color + 0.10)


def highlight(normal: Tensor, light: Tensor, sharpness: float) -> Tensor:
    """Blinn-Phong highlight (B, N) of the main lamp."""
    view = normal.new_tensor([0.0, 0.0, 1.0]).view(1, 3, 1)
    return (normal * unit(key_direction(light) + view)).sum(1).clamp(min=0).pow(sharpness)


def hair_highlight(normal: Tensor, strand: Tensor, light: Tensor) -> Tensor:
    """Highlight (B, N) across strands of direction ``strand`` (B, 3, 1) (Kajiya and Kay, 1989)."""
    along = unit(strand - normal * (normal * strand).sum(1, keepdim=True))
    view = normal.new_tensor([0.0, 0.0, 1.0]).view(1, 3, 1)
    cosine = (along * unit(key_direction(light) + view)).sum(1)
    return (1 - cosine * cosine).clamp(min=0).pow(14) * normal[:, 2].clamp(min=0)


def develop(color: Tensor) -> Tensor:
    """Linear light to sRGB in [0, 1], rolling off the brightest tones."""
    bright = color.clamp(min=0)
    rolled = torch.where(bright > 0.7, 0.7 + 0.3 * torch.tanh((bright - 0.7) / 0.3), bright)
    return rolled.sqrt()
