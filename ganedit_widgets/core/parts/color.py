"""Colors as the eye tells them apart: sRGB to CIELAB under D65 (CIE 015:2004; IEC 61966-2-1)."""

from __future__ import annotations

import torch
from torch import Tensor

TO_XYZ = (  # rows X, Y, Z of linear sRGB; they sum to the white point, so that white has no color
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


def lab(pictures: Tensor) -> Tensor:
    """Return L*, a*, b* (N, 3, H, W) of sRGB pictures (N, 3, H, W) in [-1, 1]; L* lies in [0, 100]."""
    srgb = (pictures.float().clamp(-1, 1) + 1) / 2
    linear = torch.where(srgb > 0.04045, ((srgb + 0.055) / 1.055).clamp(min=0) ** 2.4, srgb / 12.92)
    matrix = linear.new_tensor(TO_XYZ)
    xyz = torch.einsum("xc,nchw->nxhw", matrix / matrix.sum(1, keepdim=True), linear)
    edge = 6 / 29
    f = torch.where(xyz > edge**3, xyz.clamp(min=1e-9) ** (1 / 3), xyz / (3 * edge**2) + 4 / 29)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def difference(before: Tensor, after: Tensor) -> Tensor:
    """Return ΔE (N, H, W) of pictures (N, 3, H, W) in [-1, 1]: distance in CIELAB (CIE 1976).

    2.3 is just noticeable (Mahy et al. 1994), black and white are 100 apart.
    """
    return (lab(before) - lab(after)).square().sum(1).sqrt()
