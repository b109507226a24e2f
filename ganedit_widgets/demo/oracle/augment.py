"""What happens to a portrait before the oracle sees it in training, so that it can read imperfect pictures."""

from __future__ import annotations

import io
import math

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

CLEAN = 0.3  # share of the pictures that stay as they are


def augment(pictures: Tensor, rng: torch.Generator) -> Tensor:
    """Blur, coarsen, tint, add grain to or JPEG-compress some of the pictures (B, 3, H, W) in [-1, 1]."""
    changed = torch.rand(len(pictures), generator=rng) >= CLEAN
    if not bool(changed.any()):
        return pictures
    x = pictures[changed]
    for chance, change in ((0.3, _coarsen), (0.3, _blur), (0.5, _tint), (0.3, _grain), (0.2, _compress)):
        chosen = torch.rand(len(x), generator=rng) < chance
        if bool(chosen.any()):
            x = x.clone()
            x[chosen] = change(x[chosen], rng)
    pictures = pictures.clone()
    pictures[changed] = x.clamp(-1, 1)
    return pictures


def shift(pictures: Tensor, labels: Tensor, rng: torch.Generator, most: int = 3) -> tuple[Tensor, Tensor]:
    """Move pictures (B, 3, H, W) and their labels (B, H, W) together by up to `most` pixels, one move per batch."""
    down, right = torch.randint(-most, most + 1, (2,), generator=rng).tolist()
    joined = torch.cat([pictures, labels.unsqueeze(1).to(pictures)], 1)
    height, width = labels.shape[1:]
    grown = F.pad(joined, (most, most, most, most), mode="replicate")
    cut = grown[:, :, most + down : most + down + height, most + right : most + right + width]
    return cut[:, :3].contiguous(), cut[:, 3].round().to(labels.dtype)


def _uniform(low: float, high: float, rng: torch.Generator) -> float:
    return low + (high - low) * float(torch.rand((), generator=rng))


def _each(n: int, low: float, high: float, rng: torch.Generator) -> Tensor:
    return (low + (high - low) * torch.rand(n, generator=rng)).view(-1, 1, 1, 1)


def _coarsen(x: Tensor, rng: torch.Generator) -> Tensor:
    """Down to 30 … 80 % of the side and up again: a smaller generator's picture, or a young one's."""
    size = x.shape[-1]
    small = max(2, round(size * _uniform(0.3, 0.8, rng)))
    return F.interpolate(F.interpolate(x, small, mode="area"), size, mode="bilinear", align_corners=False)


def _blur(x: Tensor, rng: torch.Generator) -> Tensor:
    sigma = _uniform(0.3, 1.6, rng)
    reach = math.ceil(2.5 * sigma)
    taps = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / sigma) ** 2)
    kernel = (taps / taps.sum()).to(x).expand(3, 1, -1)
    x = F.conv2d(F.pad(x, (reach, reach, reach, reach), mode="replicate"), kernel.unsqueeze(2), groups=3)
    return F.conv2d(x, kernel.unsqueeze(3), groups=3)


def _tint(x: Tensor, rng: torch.Generator) -> Tensor:
    """A little only: colors are among what is read."""
    n = len(x)
    gray = x.mean(1, keepdim=True)
    x = gray + (x - gray) * _each(n, 0.85, 1.15, rng)
    return x * _each(n, 0.9, 1.1, rng) + _each(n, -0.08, 0.08, rng)


def _grain(x: Tensor, rng: torch.Generator) -> Tensor:
    strength = _each(len(x), 0.01, 0.12, rng)
    noise = torch.randn(x.shape, generator=rng)
    if _uniform(0, 1, rng) < 0.5:  # coarse blotches, as a young generator makes
        size = x.shape[-1]
        coarse = torch.randn(len(x), 3, size // 4, size // 4, generator=rng)
        noise = F.interpolate(coarse, size, mode="bilinear", align_corners=False)
    return x + strength * noise


def _compress(x: Tensor, rng: torch.Generator) -> Tensor:
    bytes_ = ((x.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return torch.stack([_jpeg(picture, int(_uniform(30, 90, rng))) for picture in bytes_])


def _jpeg(picture: np.ndarray, quality: int) -> Tensor:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1).float() / 127.5 - 1
