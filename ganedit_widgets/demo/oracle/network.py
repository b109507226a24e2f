"""The oracle's network: one trunk, and heads for attributes, identity and parts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..portraits import PARTS
from .targets import COLUMNS, STYLES


@dataclass(frozen=True)
class OracleConfig:
    """Sizes of the network; `size` is the side that pictures are brought to, in pixels."""

    size: int = 128
    widths: tuple[int, ...] = (24, 48, 80, 112, 64)  # at size/2, size/4, … size/32
    features: int = 128
    identity: int = 64
    parts: int = len(PARTS)


@dataclass(frozen=True)
class Reading:
    """What the network says about B pictures, before it is put into names."""

    numbers: Tensor  # (B, C), of unit variance
    glasses: Tensor  # (B,) logits
    style: Tensor  # (B, 9) logits
    identity: Tensor  # (B, 64), of unit length
    features: Tensor  # (B, F), of unit variance on portraits


def convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3×3 convolution, batch normalization, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):
    """x + F(x) with two convolutions (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """Return a map of the same shape."""
        return F.relu(x + self.second(self.first(x)))


class OracleNetwork(nn.Module):
    """Reads pictures (B, 3, size, size) in [-1, 1].

    2×2 pixels become 12 channels of one (and 2×2 labels come out of one), so that no convolution runs at full size.
    The last map is flattened, not averaged: portraits are aligned, and where a feature lies is what pose is read from.
    """

    feature_mean: Tensor
    feature_std: Tensor
    number_mean: Tensor
    number_std: Tensor

    def __init__(self, cfg: OracleConfig) -> None:
        super().__init__()
        self.cfg = cfg
        w = cfg.widths
        self.levels = nn.ModuleList(
            [
                convolution(12, w[0]),
                *(nn.Sequential(convolution(w[i], w[i + 1], 2), Residual(w[i + 1])) for i in range(len(w) - 2)),
                convolution(w[-2], w[-1], 2),
            ]
        )
        flat = w[-1] * (cfg.size // 2 ** len(w)) ** 2
        self.penultimate = nn.Sequential(nn.Linear(flat, cfg.features), nn.BatchNorm1d(cfg.features), nn.ReLU())
        self.numbers = nn.Linear(cfg.features, len(COLUMNS))
        self.glasses = nn.Linear(cfg.features, 1)
        self.style = nn.Linear(cfg.features, STYLES)
        self.identity = nn.Sequential(
            nn.Linear(flat, cfg.features),
            nn.BatchNorm1d(cfg.features),
            nn.ReLU(),
            nn.Linear(cfg.features, cfg.identity),
        )
        # From the fourth level up, each joined with the level it has come to.
        ups = [(w[3], w[2], w[2] * 4 // 5), (w[2] * 4 // 5, w[1], w[1] * 5 // 6), (w[1] * 5 // 6, w[0], w[0])]
        self.decoder = nn.ModuleList([convolution(low + skip, out) for low, skip, out in ups])
        self.parts = nn.Conv2d(w[0], 4 * cfg.parts, 1)
        columns = w[1] + w[2] + cfg.features
        for name, width in (("feature", columns), ("number", len(COLUMNS))):
            self.register_buffer(f"{name}_mean", torch.zeros(width))
            self.register_buffer(f"{name}_std", torch.ones(width))
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def maps(self, pictures: Tensor) -> list[Tensor]:
        """Return the maps of all levels, fine to coarse."""
        x = F.pixel_unshuffle(pictures, 2)
        found = []
        for level in self.levels:
            x = level(x)
            found.append(x)
        return found

    def read(self, maps: list[Tensor]) -> Reading:
        """Return what the maps say about attributes, identity and the picture as a whole."""
        flat = maps[-1].flatten(1)
        penultimate = self.penultimate(flat)
        features = torch.cat([self.texture(maps), penultimate], 1).float()
        return Reading(
            self.numbers(penultimate).float(),
            self.glasses(penultimate).float().squeeze(1),
            self.style(penultimate).float(),
            F.normalize(self.identity(flat).float(), dim=1),
            (features - self.feature_mean) / self.feature_std,
        )

    @staticmethod
    def texture(maps: list[Tensor]) -> Tensor:
        """Mean activations of the second and third level: they see blur and grain, to which the heads are blind."""
        return torch.cat([maps[1].mean((2, 3)), maps[2].mean((2, 3))], 1)

    def segment(self, maps: list[Tensor]) -> Tensor:
        """Return the parts' logits (B, P, size, size)."""
        x = maps[3]
        for layer, skip in zip(self.decoder, maps[2::-1], strict=True):
            x = layer(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip], 1))
        return F.pixel_shuffle(self.parts(x), 2).float()
