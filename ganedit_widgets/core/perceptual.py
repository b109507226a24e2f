"""How different two pictures look, without anything to download.

Every picture here is (1, 3, H, W) in [-1, 1]. So a `pixel_error` is 4 times that of pictures in [0, 1], and 65025/4
times smaller than that of bytes; `psnr` is the same on every scale.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import ModelError
from .generators.base import Generator

Distance = Callable[[Tensor], Tensor]  # picture → how far it looks from the target: a scalar, differentiable
KINDS = ("auto", "discriminator", "vgg", "pyramid")
VGG_LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512)  # widths; 0: halve the size
VGG_NAME = "vgg16-397923af.pth"  # as torchvision keeps it in torch hub's folder


def pixel_error(picture: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared difference of all numbers: a scalar in [0, 4] for pictures within [-1, 1]."""
    return (picture - target).square().mean()


def psnr(picture: Tensor, target: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB, 10·log₁₀(2²/MSE), of what is seen: clipped to [-1, 1]."""
    error = float(pixel_error(picture.detach().clamp(-1, 1), target.clamp(-1, 1)))
    return 10 * math.log10(4 / max(error, 1e-10))


def distance_to(generator: Generator, target: Tensor, kind: str = "auto") -> Distance:
    """Return how far a picture looks from `target`, whose features are taken once.

    `kind`: "discriminator" (the model's own), "vgg" (weights found on disk, never downloaded), "pyramid" (no network),
    or "auto": the first of these that can be had. Raises `ModelError` if the asked kind cannot.
    """
    if kind not in KINDS:
        raise ModelError(f"A distance of kind {kind!r} is unknown: choose one of {', '.join(KINDS)}.")
    if kind == "discriminator" and generator.discriminator is None:
        raise ModelError("This model came without its discriminator: choose the distance 'pyramid' or 'auto'.")
    if kind == "vgg" and vgg_file() is None:
        raise ModelError(f"No VGG-16 weights are on this machine: set GANEDIT_VGG to the path of {VGG_NAME}.")
    if kind in ("auto", "discriminator") and generator.discriminator is not None:
        critic: Any = generator.discriminator
        gray = critic.cfg.img_channels == 1
        return _between_features(lambda x: critic.features(x.mean(1, keepdim=True) if gray else x), target)
    file = vgg_file() if kind in ("auto", "vgg") else None
    if file is not None:
        return _between_features(load_vgg(file).to(target.device), target)
    return _between_pyramids(target)


# ---- features of a network, compared as LPIPS does (Zhang et al., "The Unreasonable Effectiveness…", CVPR 2018)


def _between_features(features: Callable[[Tensor], Sequence[Tensor]], target: Tensor) -> Distance:
    """Return the mean over the layers of the mean squared distance of unit feature vectors: in [0, 4]."""
    with torch.no_grad():
        wanted = [_unit(f) for f in features(target)]

    def distance(picture: Tensor) -> Tensor:
        found = [_unit(f) for f in features(picture)]
        errors = [(f - w).square().sum(1).mean() for f, w in zip(found, wanted, strict=True)]
        return torch.stack(errors).mean()

    return distance


def _unit(features: Tensor) -> Tensor:
    """Scale the vector of channels at every place to length 1: (N, C, h, w) → the same shape."""
    return features * torch.rsqrt(features.square().sum(1, keepdim=True) + 1e-8)


class VGG16(nn.Module):
    """The convolutions of VGG-16 (Simonyan and Zisserman 2015); yields the last layer's output at each size."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        width = 3
        for out in VGG_LAYERS:
            layers += [nn.Conv2d(width, out, 3, padding=1), nn.ReLU()] if out else [nn.MaxPool2d(2)]
            width = out or width
        self.features = nn.Sequential(*layers)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406])[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225])[:, None, None], persistent=False)

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Return features of relu1_2, 2_2, 3_3, 4_3 and 5_3; pictures above 256 pixels are scaled down first."""
        if picture.shape[-1] > 256:
            picture = F.interpolate(picture, size=(256, 256), mode="area")
        x = (picture / 2 + 0.5 - self.mean) / self.std  # type: ignore[operator]
        found = []
        for layer in self.features:
            if isinstance(layer, nn.MaxPool2d):
                found.append(x)
            x = layer(x)
        return [*found, x]


def vgg_file() -> Path | None:
    """Return where VGG-16 weights lie on this machine: $GANEDIT_VGG, else torch hub's folder, else None."""
    named = os.environ.get("GANEDIT_VGG")
    if named and not Path(named).is_file():
        raise ModelError(f"GANEDIT_VGG says {named}, where no file is: correct or unset it.")
    file = Path(named) if named else Path(torch.hub.get_dir()) / "checkpoints" / VGG_NAME
    return file if file.is_file() else None


@lru_cache(maxsize=1)
def load_vgg(file: Path) -> VGG16:
    """Return VGG-16 with the weights of a torchvision file, read as data and never as code."""
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
        network = VGG16()
        network.load_state_dict({k: v for k, v in state.items() if k.startswith("features.")})
    except Exception as error:  # torch.load raises many kinds
        raise ModelError(f"{file} holds no VGG-16 weights ({type(error).__name__}): give {VGG_NAME}.") from None
    return network.eval().requires_grad_(False)


# ---- without any network


def _between_pyramids(target: Tensor) -> Distance:
    """Return the mean over sizes, halved down to 8 pixels, of the errors of colors and of their gradients."""
    wanted = _pyramid(target)

    def distance(picture: Tensor) -> Tensor:
        levels = zip(_pyramid(picture), wanted, strict=True)
        errors = [pixel_error(a, b) + sum(pixel_error(_slope(a, d), _slope(b, d)) for d in (2, 3)) for a, b in levels]
        return torch.stack(errors).mean()

    return distance


def _pyramid(picture: Tensor) -> list[Tensor]:
    levels = [picture]
    while min(levels[-1].shape[-2:]) >= 16:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels


def _slope(picture: Tensor, axis: int) -> Tensor:
    return torch.diff(picture, dim=axis)
