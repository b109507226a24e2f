"""The oracle's network: one trunk, and heads for attributes, identity and parts."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..portraits import PARTS
from .targets import COLUMNS, STYLES

DETAILS, GRID = 3, 4  # bands, and cells along a side, in which fine detail is measured


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
    penultimate: Tensor  # (B, 128)


def details(pictures: Tensor) -> Tensor:
    """Return log energies (B, 48) of three bands of Haar wavelets in 4×4 cells of pictures (B, 3, S, S)."""
    found = []
    for _ in range(DETAILS):
        coarse = F.avg_pool2d(pictures, 2)
        energy = (pictures - F.interpolate(coarse, scale_factor=2.0, mode="nearest")).abs().mean(1)
        found.append((F.adaptive_avg_pool2d(energy, GRID) + 2e-3).log().flatten(1))  # 2e-3: the rounding of bytes
        pictures = coarse
    return torch.cat(found, 1)


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


def describe_parts(pictures: Tensor, logits: Tensor) -> Tensor:
    """Return of each part its color, area, place, extent, slant and bend (B, 10·P), from its pixels' odds.

    The bend, E[(x − x̄)²(y − ȳ)], tells a smile from a frown; the color of the iris is that of its pixels. What heads
    of convolutions learn late is here from the start.
    """
    odds = F.avg_pool2d(logits.softmax(1), 2).flatten(2)
    total = odds.sum(2, keepdim=True) + 1.0  # of a part that is absent, all is nearly 0
    half = pictures.shape[-1] // 2
    ticks = (torch.arange(half, device=pictures.device, dtype=odds.dtype) + 0.5) / half * 2 - 1
    y, x = (axis.flatten() for axis in torch.meshgrid(ticks, ticks, indexing="ij"))
    color = odds @ F.avg_pool2d(pictures, 2).flatten(2).transpose(1, 2) / total
    place = odds @ torch.stack([x, y], 1) / total
    dx, dy = x - place[..., :1], y - place[..., 1:]
    moments = torch.stack([dx * dx, dy * dy, dx * dy, 4 * dx * dx * dy], 3)
    spread = (odds.unsqueeze(3) * moments).sum(2) / total
    return torch.cat([color, total.log(), place, spread], 2).flatten(1)


class OracleNetwork(nn.Module):
    """Reads pictures (B, 3, size, size) in [-1, 1].

    2×2 pixels become 12 channels of one (and 2×2 labels come out of one), so that no convolution runs at full size.
    The last map is flattened, not averaged: portraits are aligned, and where a feature lies is what pose is read from.
    Beside it the heads are told what the parts look like that the segmenter has found.
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
        flat = w[-1] * (cfg.size // 2 ** len(w)) ** 2 + cfg.features
        described = 10 * cfg.parts
        # Descriptions hang together closely; `whiten` is set to what makes them independent once parts are learned.
        self.scale, self.whiten = nn.BatchNorm1d(described, affine=False), nn.Linear(described, described, bias=False)
        nn.init.eye_(self.whiten.weight)
        self.described = nn.Sequential(nn.Linear(described, cfg.features), nn.ReLU())
        self.penultimate = nn.Sequential(nn.Linear(flat, cfg.features), nn.BatchNorm1d(cfg.features), nn.ReLU())
        self.numbers = nn.Linear(cfg.features + described, len(COLUMNS))
        self.glasses = nn.Linear(cfg.features + described, 1)
        self.style = nn.Linear(cfg.features + described, STYLES)
        self.identity = nn.Sequential(
            nn.Linear(flat, cfg.features),
            nn.BatchNorm1d(cfg.features),
            nn.ReLU(),
            nn.Linear(cfg.features, cfg.identity),
        )
        # From the fourth level up, each joined with the level it has come to.
        ups = [(w[3], w[2], w[2] * 4 // 5), (w[2] * 4 // 5, w[1], w[1] * 5 // 6), (w[1] * 5 // 6, w[0], w[0])]
        self.decoder = nn.ModuleList([convolution(low + skip, out) for low, skip, out in ups])
        self.refine = Residual(w[0])
        self.parts = nn.Conv2d(w[0], 4 * cfg.parts, 1)
        columns = DETAILS * GRID**2 + w[1] + w[2] + cfg.features
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

    def read(self, pictures: Tensor, maps: list[Tensor], logits: Tensor) -> Reading:
        """Return what pictures, maps and the parts' logits say; the latter are taken as they are, without gradient."""
        return self.judge(maps[-1].flatten(1), describe_parts(pictures, logits.detach()))

    def judge(self, flat: Tensor, description: Tensor) -> Reading:
        """Return what the heads say of the last map (B, 1024) and the parts' description (B, 140)."""
        parts = self.whiten(self.scale(description))
        flat = torch.cat([flat, self.described(parts)], 1)
        penultimate = self.penultimate(flat)
        joined = torch.cat([penultimate, parts], 1)
        return Reading(
            self.numbers(joined),
            self.glasses(joined).squeeze(1),
            self.style(joined),
            F.normalize(self.identity(flat), dim=1),
            penultimate,
        )

    def look(self, pictures: Tensor) -> tuple[Reading, Tensor]:
        """Return what the heads say, and features (B, F) of unit variance on portraits.

        Features are details, mean activations of two levels, and the penultimate layer: the heads have learned to
        overlook blur and grain; the levels see grain, and the details see blur.
        """
        maps = self.maps(pictures)
        reading = self.read(pictures, maps, self.segment(maps))
        levels = [maps[1].mean((2, 3)), maps[2].mean((2, 3))]
        features = torch.cat([details(pictures), *levels, reading.penultimate], 1)
        return reading, (features - self.feature_mean) / self.feature_std

    def segment(self, maps: list[Tensor]) -> Tensor:
        """Return the parts' logits (B, P, size, size)."""
        x = maps[3]
        for layer, skip in zip(self.decoder, maps[2::-1], strict=True):
            x = layer(torch.cat([F.interpolate(x, scale_factor=2.0, mode="nearest"), skip], 1))
        return F.pixel_shuffle(self.parts(self.refine(x)), 2)
