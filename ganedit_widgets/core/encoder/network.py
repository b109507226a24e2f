"""A small convolutional network from pictures to W+: one step in W for all layers, and a residual for each."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..generators.base import Generator

LARGEST = 128  # pixels: larger pictures are scaled down first
WIDTHS = (32, 48, 64, 96, 128)  # channels after each halving
GROUPS = 8  # of normalization: one way of computing for a batch of any size


@dataclass(frozen=True)
class EncoderConfig:
    """What must be known beside the weights to build the network again."""

    resolution: int  # of what it looks at; other pictures are scaled
    num_ws: int  # L
    w_dim: int  # D
    widths: tuple[int, ...] = WIDTHS
    narrow: int = 48  # channels at 4×4 before the dense layers
    hidden: int = 256


def config_for(generator: Generator) -> EncoderConfig:
    """Return the sizes that fit a generator: 1.1 million weights for 128×128 pictures and 12 layers of 128 numbers."""
    resolution = min(LARGEST, *generator.size)
    halvings = (resolution // 4).bit_length() - 1
    return EncoderConfig(resolution, *generator.latent_shape, WIDTHS[:halvings])


class Down(nn.Module):
    """Halve the size, then refine: (N, I, h, w) → (N, O, h/2, w/2)."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(n_in, n_out, 3, stride=2, padding=1)
        self.norm = nn.GroupNorm(GROUPS, n_out)
        self.refine = nn.Conv2d(n_out, n_out, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, I, h, w) to (N, O, h/2, w/2)."""
        x = F.leaky_relu(self.norm(self.conv(x)), 0.2)
        return x + F.leaky_relu(self.refine(x), 0.2)


class EncoderNetwork(nn.Module):
    """Picture → (u, r): a point of whitened W, and what each layer of W+ deviates from it (Tov et al., "e4e", 2021).

    Both begin at zero: an untrained encoder guesses the average picture.
    """

    def __init__(self, cfg: EncoderConfig) -> None:
        super().__init__()
        self.cfg = cfg
        widths = (3, *cfg.widths)
        self.blocks = nn.Sequential(*[Down(a, b) for a, b in pairwise(widths)])
        self.narrow = nn.Conv2d(widths[-1], cfg.narrow, 1)
        self.dense = nn.Linear(cfg.narrow * (cfg.resolution >> len(cfg.widths)) ** 2, cfg.hidden)
        self.point = nn.Linear(cfg.hidden, cfg.w_dim)
        self.residual = nn.Linear(cfg.hidden, cfg.num_ws * cfg.w_dim)
        for head in (self.point, self.residual):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Map pictures (N, 3, H, W) in [-1, 1] to u (N, D) and r (N, L, D), in standard deviations of W."""
        r = self.cfg.resolution
        if pictures.shape[-2:] != (r, r):
            pictures = F.interpolate(pictures, size=(r, r), mode="area" if pictures.shape[-1] > r else "bilinear")
        x = F.leaky_relu(self.narrow(self.blocks(pictures)), 0.2).flatten(1)
        x = F.leaky_relu(self.dense(x), 0.2)
        return self.point(x), self.residual(x).reshape(-1, self.cfg.num_ws, self.cfg.w_dim)


def shapes_of(cfg: EncoderConfig) -> dict[str, torch.Size]:
    """Return the name and shape of every weight, without making any."""
    with torch.device("meta"):
        return {name: tensor.shape for name, tensor in EncoderNetwork(cfg).state_dict().items()}
