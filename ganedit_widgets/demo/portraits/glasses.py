"""Glasses: two rims and a bridge in a plane before the eyes, and temples to the ears, met by rays in closed form."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from . import palettes
from .anatomy import Proportions
from .attributes import Attributes
from .canvas import linear
from .face import column
from .geometry import Frame

PLANE_Z = 0.565
RIM = 0.020


@dataclass(frozen=True)
class Glasses:
    """Coverage (B, N) of frame and lens along each ray, and the frame's color (B, 3, 1)."""

    frame: Tensor
    lens: Tensor
    glare: Tensor
    color: Tensor


def look_through(a: Attributes, p: Proportions, frame: Frame, plane: Tensor, depth: Tensor, soft: float) -> Glasses:
    """What the glasses cover on rays through (2, N), before surfaces of height ``depth`` (B, N)."""
    flat = torch.cat([plane, torch.zeros_like(plane[:1])]).expand(len(depth), -1, -1)
    start = frame.local(flat)
    way = frame.turn[:, 2, :].unsqueeze(-1)  # the camera's z in head coordinates
    worn = column(a.glasses > 0.5)
    z = (PLANE_Z - start[:, 2]) / way[:, 2].clamp(min=0.1)
    before = worn & (z > depth - 0.02)
    x, y = start[:, 0] + z * way[:, 0], start[:, 1] + z * way[:, 1]
    inside = _lens_distance(a, p, x, y)
    bridge_y = y - column(p.eye_y) - 0.035 - 0.02 * (1 - (x / 0.08).square())
    bridge = torch.minimum(0.017 - bridge_y.abs(), column(p.eye_x - p.eye_wide - 0.012) - x.abs())
    frame_inside = torch.maximum(RIM - inside.abs(), bridge)
    covered = (frame_inside / soft + 0.5).clamp(0, 1) * before
    covered = torch.maximum(covered, _temples(a, p, start, way, depth, soft) * worn)
    lens = (inside / soft + 0.5).clamp(0, 1) * before
    streak = x.abs() - column(p.eye_x) + 0.9 * (y - column(p.eye_y)) - 0.03
    glare = torch.exp(-((streak / 0.022) ** 2)) + 0.5 * torch.exp(-(((streak - 0.06) / 0.010) ** 2))
    color = palettes.along(palettes.GLASSES, (a.glasses_shape * 7) % 1)
    return Glasses(covered, lens, glare, linear(color).unsqueeze(-1))


def _lens_distance(a: Attributes, p: Proportions, x: Tensor, y: Tensor) -> Tensor:
    """Distance (B, N) to the rims' outline, positive inside: from round to soft rectangles with ``glasses_shape``."""
    square = column(a.glasses_shape)
    wide, high = column(p.eye_wide) + 0.030, 0.150 - 0.032 * square
    power = 2 + 2.2 * square
    dx = ((x.abs() - column(p.eye_x) - 0.004) / wide).abs().clamp(min=1e-4)
    dy = ((y - column(p.eye_y) + 0.008) / high).abs().clamp(min=1e-4)
    return (1 - (dx**power + dy**power) ** (1 / power)) * high


def _temples(a: Attributes, p: Proportions, start: Tensor, way: Tensor, depth: Tensor, soft: float) -> Tensor:
    covered = torch.zeros_like(depth)
    front_x = p.eye_x + p.eye_wide + 0.03
    for side in (-1.0, 1.0):
        dx, dz = side * (p.width + 0.03 - front_x), -0.10 - PLANE_Z + 0 * front_x
        length = (dx * dx + dz * dz).sqrt()
        nx, nz = column(-dz / length), column(dx / length)  # normal of the upright plane from rim to ear
        slope = nx * way[:, 0] + nz * way[:, 2]
        offset = nx * (start[:, 0] - column(side * front_x)) + nz * (start[:, 2] - PLANE_Z)
        z = -offset / torch.where(slope.abs() < 1e-3, 1e-3, slope)
        x, y, deep = (start[:, i] + z * way[:, i] for i in range(3))
        run = ((x - column(side * front_x)) * column(dx) + (deep - PLANE_Z) * column(dz)) / column(length)
        inside = torch.minimum(0.019 - (y - column(p.eye_y) - 0.045).abs(), torch.minimum(run, column(length) - run))
        covered = torch.maximum(covered, (inside / soft + 0.5).clamp(0, 1) * (z > depth - 0.07))
    return covered
