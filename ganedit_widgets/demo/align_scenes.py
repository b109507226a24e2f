"""Portraits placed in scenes, with the box where each one lies: what the aligner learns from and is measured on."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

CUT_OUT, WALL, PRINT = 0, 1, 2  # a person before something else; before a longer wall; the picture as a picture


@dataclass(frozen=True)
class Spread:
    """How far boxes vary; lengths in shares of the scene's side."""

    sides: tuple[float, float]  # drawn evenly on a logarithmic scale
    angle: float  # degrees: standard deviation, cut at 2.5 of them
    center: float | None = None  # standard deviation around the middle; None: anywhere the box fits


FAR = Spread((0.2, 1.0), 22.0)  # the first look
NEAR = Spread((0.45, 0.85), 9.0, 0.09)  # the second
WHOLE = Spread((0.9, 1.05), 2.0, 0.015)  # pictures that are aligned already


@dataclass(frozen=True)
class Scenes:
    """Pictures (B, 3, size, size) in [-1, 1]; boxes: center and side (B,) in shares of the side, angle in radians."""

    pictures: Tensor
    x: Tensor
    y: Tensor
    side: Tensor
    angle: Tensor


def scenes(
    tiles: Tensor, labels: Tensor, spread: Spread, rng: torch.Generator, size: int = 64, canvas: int = 96
) -> Scenes:
    """Place portraits `tiles` (B, 3, S, S), `labels` (B, S, S), both uint8, into scenes of `size` pixels.

    They are put together in `canvas` pixels, then scaled down.
    """
    n = len(tiles)
    x, y, side, angle = _boxes(n, spread, rng)
    kind = torch.randint(0, 5, (n,), generator=rng).clamp(max=3)  # 0, 1: cut out; 2: wall; 3, 4: print
    kind = torch.tensor([CUT_OUT, CUT_OUT, WALL, PRINT])[kind][:, None, None, None]
    people = (labels[:, None] != 0).float()
    layers = torch.cat([tiles.float() / 127.5 - 1, people], 1)
    placed, inside = _place(layers, canvas, x, y, side, angle)
    opaque = torch.where(kind == PRINT, inside, placed[:, 3:])
    pictures = torch.lerp(_backgrounds(tiles, people, kind, canvas, rng), placed[:, :3], opaque)
    both = torch.cat([pictures, _window(x, y, side, canvas, rng)], 1)
    both = F.interpolate(both, (size, size), mode="area")
    pictures, window = _photographed(both[:, :3], rng).clamp(-1, 1), both[:, 3:]
    return Scenes(pictures * window - (1 - window) / 255, x, y, side, angle)  # gray 127


def _boxes(n: int, spread: Spread, rng: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    low, high = map(math.log, spread.sides)
    side = (low + (high - low) * torch.rand(n, generator=rng)).exp()
    angle = math.radians(spread.angle) * torch.randn(n, generator=rng).clamp(-2.5, 2.5)
    if spread.center is not None:
        x, y = 0.5 + spread.center * torch.randn(2, n, generator=rng)
    else:
        room = (1.06 - side).clamp(min=0.04)  # it may leave the scene a little
        x, y = 0.5 + room * (torch.rand(2, n, generator=rng) - 0.5)
    return x, y, side, angle


def _place(layers: Tensor, canvas: int, x: Tensor, y: Tensor, side: Tensor, angle: Tensor) -> tuple[Tensor, Tensor]:
    """Return portraits on the canvas (B, C, h, w), their rims continued, and where they lie themselves (B, 1, h, w)."""
    cos, sin = angle.cos() / side, angle.sin() / side
    cx, cy = 2 * x - 1, 2 * y - 1
    rows = torch.stack(
        [
            torch.stack([cos, sin, -cos * cx - sin * cy], 1),
            torch.stack([-sin, cos, sin * cx - cos * cy], 1),
        ],
        1,
    )
    grid = F.affine_grid(rows, [len(layers), 1, canvas, canvas], align_corners=False)
    placed = torch.empty(len(layers), layers.shape[1], canvas, canvas)
    level = (layers.shape[-1] / (side * canvas)).log2().round().clamp(0, 3).long()  # an antialiased size for each
    for k in level.unique().tolist():
        chosen = level == k
        small = F.avg_pool2d(layers[chosen], 2**k) if k else layers[chosen]
        placed[chosen] = F.grid_sample(small, grid[chosen], "bilinear", "border", align_corners=False)
    soft = canvas / 2 * side[:, None, None]  # canvas pixels in half a portrait
    inside = ((1 - grid.abs().amax(3)) * soft).add(0.5).clamp(0, 1)[:, None]
    return placed, inside


def _backgrounds(tiles: Tensor, people: Tensor, kind: Tensor, canvas: int, rng: torch.Generator) -> Tensor:
    """Return what is behind (B, 3, h, w): the portrait's own wall, blotches, gradients, edges, other portraits."""
    n = len(tiles)
    found = torch.empty(n, 3, canvas, canvas)
    grain = torch.randint(0, 4, (n,), generator=rng)
    for i, cells in enumerate((1, 2, 5, 16)):
        chosen = grain == i
        rough = torch.rand(int(chosen.sum()), 3, cells, cells, generator=rng) * 2 - 1
        mode = "nearest" if cells == 5 and i % 2 == 0 else "bilinear"
        found[chosen] = F.interpolate(rough, (canvas, canvas), mode=mode)
    strength = torch.rand(n, 1, 1, 1, generator=rng)
    base = torch.rand(n, 3, 1, 1, generator=rng) * 1.8 - 0.9
    found = torch.lerp(base.expand_as(found), found, strength)
    busy = torch.rand(n, generator=rng) < 0.15  # a piece of another portrait, far too large
    other = tiles.roll(1, 0)[busy].float()[:, :, 48:80, 8:40] / 127.5 - 1
    found[busy] = F.interpolate(other, (canvas, canvas), mode="bilinear")
    empty = (1 - people).sum((2, 3), keepdim=True).clamp(min=1)
    wall = (tiles.float() / 127.5 - 1).mul(1 - people).sum((2, 3), keepdim=True) / empty
    tilt = torch.linspace(-1, 1, canvas)
    slopes = 0.15 * torch.randn(2, n, 1, 1, 1, generator=rng)
    own = wall + slopes[0] * tilt + slopes[1] * tilt[:, None]
    return torch.where(kind == WALL, own, found)


def _photographed(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Change contrast, brightness and color a little, add grain, and blur some."""
    n = len(pictures)
    gain = 0.75 + 0.5 * torch.rand(n, 3, 1, 1, generator=rng).lerp(torch.rand(n, 1, 1, 1, generator=rng), 0.7)
    shift = 0.15 * torch.randn(n, 1, 1, 1, generator=rng)
    pictures = pictures * gain + shift
    blurred = torch.rand(n, generator=rng) < 0.2
    small = F.avg_pool2d(pictures[blurred], 2)
    pictures[blurred] = F.interpolate(small, pictures.shape[-2:], mode="bilinear", align_corners=False)
    grain = 0.06 * torch.rand(n, 1, 1, 1, generator=rng)
    return pictures + grain * torch.randn(pictures.shape, generator=rng)


def _window(x: Tensor, y: Tensor, side: Tensor, canvas: int, rng: torch.Generator) -> Tensor:
    """Return the part of the scene that its picture covers (B, 1, h, w): 1, and 0 where it is gray beyond the rim."""
    n = len(x)
    ticks = (torch.arange(canvas) + 0.5) / canvas
    cut = torch.rand(4, n, generator=rng) < 0.18
    slack = side * (torch.rand(4, n, generator=rng) * 0.6 - 0.06)
    reach = torch.where(cut, side / 2 + slack, 9.0)  # from the box's center to each rim
    covered = [
        (ticks > (center - low)[:, None]) & (ticks < (center + high)[:, None])
        for center, low, high in ((x, reach[0], reach[1]), (y, reach[2], reach[3]))
    ]
    return (covered[0][:, None, None, :] & covered[1][:, None, :, None]).float()
