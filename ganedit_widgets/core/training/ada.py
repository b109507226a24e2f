"""Adaptive discriminator augmentation (Karras et al. 2020a): differentiable, leak-free, adjusted while training."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from .distributed import add_up


def _rotation(angle: Tensor) -> Tensor:
    c, s, zero = angle.cos(), angle.sin(), torch.zeros_like(angle)
    return torch.stack([torch.stack([c, -s, zero], -1), torch.stack([s, c, zero], -1)], -2)


def _chance(n: int, p: float, like: Tensor) -> Tensor:
    return (torch.rand(n, device=like.device) < p).to(like.dtype)


def geometric(n: int, p: float, like: Tensor) -> Tensor:
    """Return (n, 2, 3) inverse maps in the unit square: translation, isotropic scale, rotation, each with chance p."""
    angle = (torch.rand(n, device=like.device) * 2 - 1) * math.pi * _chance(n, 1 - math.sqrt(1 - p), like)
    scale = torch.exp2(torch.randn(n, device=like.device) * 0.2 * _chance(n, p, like))
    shift = (torch.rand(n, 2, device=like.device) * 2 - 1) * 0.25 * _chance(n, p, like)[:, None]
    theta = _rotation(angle) * scale[:, None, None]
    return torch.cat([theta[:, :, :2], shift[:, :, None]], 2)


def color(n: int, p: float, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return color matrices (n, 3, 3) and shifts (n, 3): brightness, contrast, luma flip, hue, saturation."""
    dev = like.device
    eye = torch.eye(3, device=dev).expand(n, 3, 3)
    axis = torch.full((3, 3), 1 / 3, device=dev)  # the projection on grey
    bright = torch.randn(n, device=dev) * 0.2 * _chance(n, p, like)
    contrast = torch.exp2(torch.randn(n, device=dev) * 0.5 * _chance(n, p, like))
    flip = (torch.rand(n, device=dev) < 0.5).float() * _chance(n, p, like)
    m = eye * contrast[:, None, None]
    m = (eye - 2 * axis * flip[:, None, None]) @ m
    hue = (torch.rand(n, device=dev) * 2 - 1) * math.pi * _chance(n, p, like)
    cross = torch.tensor([[0.0, -1, 1], [1, 0, -1], [-1, 1, 0]], device=dev) / math.sqrt(3)
    c, s = hue.cos()[:, None, None], hue.sin()[:, None, None]
    m = (c * eye + s * cross + (1 - c) * axis) @ m
    saturation = torch.exp2(torch.randn(n, device=dev) * _chance(n, p, like))[:, None, None]
    m = (axis + (eye - axis) * saturation) @ m
    return m, bright[:, None].expand(n, 3)


def augment(x: Tensor, p: float) -> Tensor:
    """Return pictures (N, 3, R, R) in [-1, 1], each transformed at random with probability `p` per transformation."""
    if p <= 0:
        return x
    grid = F.affine_grid(geometric(len(x), p, x).to(x.dtype), list(x.shape), align_corners=False)
    x = F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)
    matrix, shift = color(len(x), p, x)
    return torch.einsum("nij,njhw->nihw", matrix, x) + shift[:, :, None, None]


@dataclass
class AdaControl:
    """The augmentation strength p, steered by how often the discriminator recognizes real pictures (r_t)."""

    target: float = 0.6
    speed: float = 300_000.0  # pictures after which p may have gone from 0 to 1
    p: float = 0.0
    most: float = 0.8
    _signs: float = 0.0
    _seen: int = 0

    def observe(self, real_scores: Tensor) -> None:
        """Take note of the scores (N, 1) of a batch of real pictures."""
        self._signs += float(real_scores.detach().sign().sum())
        self._seen += len(real_scores)

    def gather(self, device: torch.device) -> None:
        """Put together what all processes have observed, so that they adjust alike."""
        both = add_up(torch.tensor([self._signs, self._seen], dtype=torch.float32, device=device))
        self._signs, self._seen = float(both[0]), int(both[1])

    def state(self) -> list[float]:
        """Return all there is to know, to `restore` later."""
        return [self.p, self._signs, self._seen]

    def restore(self, state: list[float]) -> None:
        """Be what `state` said."""
        self.p, self._signs, self._seen = float(state[0]), float(state[1]), int(state[2])

    def adjust(self) -> float:
        """Move p towards the target by as much as the pictures seen since the last call allow; return r_t."""
        if not self._seen:
            return 0.0
        r_t = self._signs / self._seen
        step = self._seen / self.speed * (1 if r_t > self.target else -1)
        self.p = min(self.most, max(0.0, self.p + step))
        self._signs, self._seen = 0.0, 0
        return r_t
