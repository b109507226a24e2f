"""Crops that can be differentiated in the place of their box, for searches; `crop` is the exact one."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from .box import Box, Size


def place_of(box: Box) -> Tensor:
    """Return a box as (4,) float32: x and y of the center, log of the side, angle in radians."""
    return torch.tensor([box.x, box.y, math.log(box.side), math.radians(box.angle)])


def box_at(place: Tensor) -> Box:
    """Undo `place_of`."""
    x, y, log_side, angle = place.detach().cpu().double().tolist()
    return Box(x, y, math.exp(log_side), math.degrees(angle))


class Pyramid:
    """A picture (1, 3, H, W) at full size, half, a quarter, …, so that a crop of any size is antialiased."""

    def __init__(self, source: Tensor) -> None:
        self.levels = [source]
        while min(self.levels[-1].shape[-2:]) >= 2:
            self.levels.append(F.avg_pool2d(self.levels[-1], 2, ceil_mode=True, count_include_pad=False))

    def crop(self, places: Tensor, size: Size) -> Tensor:
        """Return the crops (N, 3, h, w) at `places` (N, 4), differentiable in these.

        Between the two sizes of the picture that are next to what the crops need, it is interpolated; all crops should
        be of about one side. Where a box leaves the picture, the picture is continued by reflection.
        """
        finer = (2 * size[0], 2 * size[1])  # sampled twice as finely, then averaged
        level = (places[:, 2] - math.log(finer[0])) / math.log(2)
        low = min(max(math.floor(float(level.detach().mean())), 0), len(self.levels) - 2)
        share = (level - low).clamp(0, 1)[:, None, None, None]
        grid = self._grid(places, finer)
        drawn = (1 - share) * self._sample(low, grid) + share * self._sample(low + 1, grid)
        return F.avg_pool2d(drawn, 2)

    def _sample(self, level: int, grid: Tensor) -> Tensor:
        picture = self.levels[level].expand(len(grid), -1, -1, -1)
        return F.grid_sample(picture, grid, "bilinear", "reflection", align_corners=False)

    def _grid(self, places: Tensor, size: Size) -> Tensor:
        """Return where in the picture the pixels of the crops lie, (N, h, w, 2) in [-1, 1]."""
        height, width = self.levels[0].shape[-2:]
        x, y, log_side, angle = places.t()
        across, down = log_side.exp() * size[1] / size[0] / 2, log_side.exp() / 2
        rows = torch.stack(
            [
                torch.stack([across * angle.cos(), -down * angle.sin(), x], 1) * (2 / width),
                torch.stack([across * angle.sin(), down * angle.cos(), y], 1) * (2 / height),
            ],
            1,
        )
        rows = rows - torch.tensor([[0.0, 0.0, 1.0]], device=rows.device)
        return F.affine_grid(rows, [len(places), 3, *size], align_corners=False)
