"""Bilinear upsampling of chosen pixels only, written as weighted sums of rows, so that any linear map may go first."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]


def neighbors(native: Size, size: Size, pixels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the rows of a map of `native` size that make `pixels` of the map at `size`, and their weights.

    `pixels` (P,): row·width + column. Both results are (P, K): of a map (h·w, C), pixel p is Σₖ weight[p, k]·row[p, k].
    K is 1 where the sizes agree and 4 otherwise. As `F.interpolate(mode="bilinear", align_corners=False)` does it.
    """
    if native == size:
        return pixels[:, None], torch.ones(len(pixels), 1, device=pixels.device)
    y0, y1, v = _between(native[0], size[0], pixels // size[1])
    x0, x1, u = _between(native[1], size[1], pixels % size[1])
    rows = torch.stack([y0 * native[1] + x0, y0 * native[1] + x1, y1 * native[1] + x0, y1 * native[1] + x1], 1)
    weights = torch.stack([(1 - v) * (1 - u), (1 - v) * u, v * (1 - u), v * u], 1)
    return rows, weights


def _between(native: int, size: int, i: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the two places of a line of `native` that pixel i of `size` lies between, and how far it is to the 2nd."""
    place = ((i + 0.5) * (native / size) - 0.5).clamp(min=0)
    low = place.floor().long().clamp(max=native - 1)
    return low, (low + 1).clamp(max=native - 1), place - low


def sum_of_upsampled(maps: Sequence[Tensor], weights: Sequence[Tensor | None], size: Size, pixels: Tensor) -> Tensor:
    """Return Σ over the maps of upsample(map @ weight) at `pixels`: (P, O); differentiable in the maps.

    `maps`: (h, w, C), each of its native size; `weights`: (C, O), or None for a map (h, w, O) that is multiplied
    already. The product is taken before the upsampling, with which it commutes, and only for the rows that some pixel
    needs: nothing of the size pixels × ΣC is ever made.
    """
    table, index, shares, done = [], [], [], 0
    natives = [(x.shape[0], x.shape[1]) for x in maps]
    for native in dict.fromkeys(natives):
        rows, share = neighbors(native, size, pixels)
        needed, places = torch.unique(rows, return_inverse=True)
        level: Tensor | None = None
        for x, weight, n in zip(maps, weights, natives, strict=True):
            if n == native:
                x = x.reshape(-1, x.shape[-1])[needed]
                x = x if weight is None else x @ weight
                level = x if level is None else level + x
        assert level is not None  # its size was that of a map
        table.append(level)
        index.append(places.reshape(rows.shape) + done)
        shares.append(share.to(level))
        done += len(needed)
    summed: Tensor = F.embedding_bag(
        torch.cat(index, 1), torch.cat(table), per_sample_weights=torch.cat(shares, 1), mode="sum"
    )
    return summed
