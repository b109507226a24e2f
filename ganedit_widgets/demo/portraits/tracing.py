"""Finding where rays of sight meet a solid: a coarse grid first, then every ray near what it found."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from .geometry import Solid

COARSE = 64  # cells a side of the coarse grid
SURVEY_ROUNDS = (3, 3)  # steps between two looks at which rays have arrived
ROUNDS = (2, 3, 4, 5)
BEND = 1.0  # how far, in samples, neighbors may stray from a plane where heights are interpolated
STRIDE = 1.2  # of the distance: most surfaces are met at an angle


@dataclass(frozen=True)
class Surface:
    """One traced solid: the columns (M,) of the picture it may cover, heights z (B, M), and where it is hit (B, M)."""

    solid: Solid
    columns: Tensor
    z: Tensor
    hit: Tensor


def trace(solid: Solid, plane: Tensor, side: int, view: float) -> Surface:
    """The surface seen by side² parallel rays through the points ``plane`` (2, side²), which span ±view.

    Sphere tracing (Hart, 1996) of rays that start where they enter the solid's hull. Where the surface is
    smooth, the coarse grid's heights are interpolated: they are off by a fraction of a pixel.
    """
    cell = side // COARSE if side % COARSE == 0 else 1
    pixel = 2 * view / side
    if cell <= 1:
        start, end = solid.hull.crossing(plane)
        columns = (start > -8).any(0).nonzero().squeeze(1)
        z, last, _ = march(solid, plane[:, columns], start[:, columns], end[:, columns], pixel)
        return Surface(solid, columns, z, last < 0.75 * pixel)
    near, smooth, height = _survey(solid, plane, side, cell, pixel)
    columns = _enlarge(near, cell).flatten().nonzero().squeeze(1)
    rough = (~_enlarge(smooth, cell).flatten()[columns]).nonzero().squeeze(1)
    z = torch.nn.functional.interpolate(height.unsqueeze(1), size=(side, side), mode="bilinear").flatten(1)[:, columns]
    rays, hit = plane[:, columns[rough]], torch.ones_like(z, dtype=torch.bool)
    z[:, rough], last, _ = march(solid, rays, *solid.hull.crossing(rays), pixel)
    hit[:, rough] = last < 0.75 * pixel
    return Surface(solid, columns, z, hit)


def _survey(solid: Solid, plane: Tensor, side: int, cell: int, pixel: float) -> tuple[Tensor, Tensor, Tensor]:
    """On the coarse grid: cells the solid may reach, cells it curves gently in (both (C, C)), and heights (B, C, C)."""
    count, width = side // cell, cell * pixel
    middle = plane.view(2, count, cell, count, cell).mean((2, 4)).flatten(1)
    start, end = solid.hull.crossing(middle)
    met = (start > -8).any(0).view(1, 1, count, count).float()
    columns = torch.nn.functional.max_pool2d(met, 3, 1, 1).flatten().nonzero().squeeze(1)
    z, last, least = torch.full_like(start, -9.0), torch.full_like(start, 9.0), torch.full_like(start, 9.0)
    z[:, columns], last[:, columns], least[:, columns] = march(
        solid, middle[:, columns], start[:, columns], end[:, columns], pixel, SURVEY_ROUNDS
    )
    # Rays that just pass the hull may still touch their cell.
    near = ((least < width) | (start < -8) | (z > end)).any(0) & torch.zeros_like(met).bool().flatten().index_fill(
        0, columns, True
    )
    near = near.view(count, count)
    high = torch.where(last < 0.75 * pixel, z, -9.0).view(-1, 1, count, count)
    top = torch.nn.functional.max_pool2d(high, 3, 1, 1)
    bottom = -torch.nn.functional.max_pool2d(-high, 3, 1, 1)
    bend = torch.nn.functional.avg_pool2d(high, 3, 1, 1) - high
    smooth = (bend.abs() < BEND * pixel) & (bottom > -8) & (top - bottom < 4 * width)
    return near, smooth.all(0)[0], high[:, 0]


def _enlarge(cells: Tensor, factor: int) -> Tensor:
    return cells.repeat_interleave(factor, 0).repeat_interleave(factor, 1)


def march(
    solid: Solid, plane: Tensor, start: Tensor, end: Tensor, pixel: float, rounds: tuple[int, ...] = ROUNDS
) -> tuple[Tensor, Tensor, Tensor]:
    """Heights (B, N), last and least distances (B, N) of rays through (2, N) from heights ``start`` to ``end`` (B, N).

    After each round the rays that have arrived are left alone, so that the few along edges and in gaps walk on.
    """
    z, last = start.clone(), torch.full_like(start, 9.0)
    least = last.clone()
    columns = None
    for number, steps in enumerate((1, *rounds)):
        if number == len(rounds) and rounds is ROUNDS:
            z[:, columns] = _leap(solid, plane[:, columns], z[:, columns])
        here, flat = (z, plane) if columns is None else (z[:, columns], plane[:, columns])
        flat = flat.expand(len(z), -1, -1)
        close = torch.full_like(here, 9.0)
        for _ in range(steps):
            d = solid.distance(torch.cat([flat, here.unsqueeze(1)], 1))
            close = torch.minimum(close, d)
            here = here - STRIDE * d.clamp(min=-0.05)
        floor = end if columns is None else end[:, columns]
        if columns is None:
            z, last, least = here, d, close
            columns = torch.arange(z.shape[1], device=z.device)
        else:
            z[:, columns], last[:, columns] = here, d
            least[:, columns] = torch.minimum(least[:, columns], close)
        columns = columns[((d.abs() > 0.5 * pixel) & (here > floor)).any(0)]
        if not len(columns):
            break
    return z, torch.where(z > end, last, 9.0), least


def _leap(solid: Solid, plane: Tensor, z: Tensor) -> Tensor:
    """Rays that creep along a surface they do not meet, set down where they enter the next ellipsoid below."""
    below, _ = solid.blobs.crossing(plane, z + 0.01)
    return torch.where(below > -8, torch.minimum(below + 0.01, z), z)
