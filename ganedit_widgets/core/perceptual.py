"""How different two pictures look, without anything to download.

Every picture here is (N, 3, H, W) in [-1, 1]. So a `pixel_error` is 4 times that of pictures in [0, 1], and 65025/4
times smaller than that of bytes; `psnr` is the same on every scale.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .errors import ModelError
from .generators.base import Generator

Distance = Callable[[Tensor], Tensor]  # pictures (N, 3, H, W) → how far each looks from the target: (N,), with a slope
Features = Callable[[Tensor], Sequence[Tensor]]  # pictures → features (N, C, h, w), fine to coarse
KINDS = ("auto", "discriminator", "vgg", "pyramid")
VGG_LAYERS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512)  # widths; 0: halve the size
VGG_NAME = "vgg16-397923af.pth"  # as torchvision keeps it in torch hub's folder


def pixel_error(picture: Tensor, target: Tensor) -> Tensor:
    """Return the mean squared difference of all numbers: a scalar in [0, 4] for pictures within [-1, 1]."""
    return (picture - target).square().mean()


def pixel_errors(pictures: Tensor, target: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return each picture's mean squared difference, (N,); `mask` (1, 1, H, W) in [0, 1] weighs the pixels.

    What is masked out counts as equal, so a small mask gives a small error (Abdal et al. 2020, equation 5).
    """
    errors = (pictures - target).square()
    return (errors if mask is None else errors * mask).mean((1, 2, 3))


def psnr(picture: Tensor, target: Tensor) -> float:
    """Return the peak signal-to-noise ratio in dB, 10·log₁₀(2²/MSE), of what is seen: clipped to [-1, 1]."""
    return decibels(float(pixel_error(picture.detach().clamp(-1, 1), target.clamp(-1, 1))))


def decibels(error: float) -> float:
    """Return the PSNR of a mean squared error between pictures in [-1, 1]; at most 106 dB."""
    return 10 * math.log10(4 / max(error, 1e-10))


def distance_to(generator: Generator, target: Tensor, kind: str = "auto", mask: Tensor | None = None) -> Distance:
    """Return how far a picture looks from `target`, whose features are taken once.

    `target`: (1, 3, H, W), or one for each picture that will be compared, (N, 3, H, W).
    `kind`: "discriminator" (the model's own), "vgg" (weights found on disk, never downloaded), "pyramid" (no network),
    or "auto": the first of these that can be had. Raises `ModelError` if the asked kind cannot.
    `mask`: (1, 1, H, W) in [0, 1]. Both pictures are masked *before* the network sees them: what is masked out has no
    influence at all, while a mask on the features would let it in through their receptive fields.
    """
    features = _features(generator, kind, target.device)
    between = _between_pyramids if features is None else partial(_between_features, features)
    if mask is None:
        return between(target)
    distance = between(target * mask)
    return lambda pictures: distance(pictures * mask)


def style_distance_to(generator: Generator, target: Tensor, kind: str = "auto", mask: Tensor | None = None) -> Distance:
    """Return how far a picture's textures and colors within `mask` are from the target's there, wherever they lie.

    The squared difference of the Gram matrices of unit features at a quarter of the pictures' size (Gatys et al.,
    "Image Style Transfer…", CVPR 2016; masked as in Abdal et al. 2020, section 3). `kind` and `mask`: as `distance_to`.
    """
    features = _features(generator, kind, target.device) or _textures
    mask = torch.ones_like(target[:, :1]) if mask is None else mask

    def gram(pictures: Tensor) -> Tensor:
        found = features(pictures * mask)
        f = min(found, key=lambda x: abs(math.log(4 * x.shape[-1] / pictures.shape[-1])))
        weight = F.interpolate(mask, size=f.shape[-2:], mode="area")
        f = (_unit(f) * weight.sqrt()).flatten(2)
        return f @ f.transpose(1, 2) / weight.sum()

    with torch.no_grad():
        wanted = gram(target)
    return lambda pictures: (gram(pictures) - wanted).square().sum((1, 2))


def _features(generator: Generator, kind: str, device: torch.device) -> Features | None:
    """Return the network's features that `kind` names, or None for the pyramid."""
    if kind not in KINDS:
        raise ModelError(f"A distance of kind {kind!r} is unknown: choose one of {', '.join(KINDS)}.")
    if kind == "discriminator" and generator.discriminator is None:
        raise ModelError("This model came without its discriminator: choose the distance 'pyramid' or 'auto'.")
    if kind == "vgg" and vgg_file() is None:
        raise ModelError(f"No VGG-16 weights are on this machine: set GANEDIT_VGG to the path of {VGG_NAME}.")
    if kind in ("auto", "discriminator") and generator.discriminator is not None:
        critic: Any = generator.discriminator
        gray = critic.cfg.img_channels == 1
        return lambda x: critic.features(x.mean(1, keepdim=True) if gray else x)  # type: ignore[no-any-return]
    file = vgg_file() if kind in ("auto", "vgg") else None
    return None if file is None else load_vgg(file).to(device)


# ---- features of a network, compared as LPIPS does (Zhang et al., "The Unreasonable Effectiveness…", CVPR 2018)


def _between_features(features: Features, target: Tensor) -> Distance:
    """Return the mean over the layers of the mean squared distance of unit feature vectors: in [0, 4]."""
    with torch.no_grad():
        wanted = [_unit(f) for f in features(target)]

    def distance(pictures: Tensor) -> Tensor:
        found = [_unit(f) for f in features(pictures)]
        errors = [(f - w).square().sum(1).mean((1, 2)) for f, w in zip(found, wanted, strict=True)]
        return torch.stack(errors).mean(0)

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

    def distance(pictures: Tensor) -> Tensor:
        errors = []
        for a, b in zip(_pyramid(pictures), wanted, strict=True):
            slopes = [pixel_errors(_slope(a, axis), _slope(b, axis)) for axis in (2, 3)]
            errors.append(pixel_errors(a, b) + slopes[0] + slopes[1])
        return torch.stack(errors).mean(0)

    return distance


def _pyramid(pictures: Tensor) -> list[Tensor]:
    levels = [pictures]
    while min(levels[-1].shape[-2:]) >= 16:
        levels.append(F.avg_pool2d(levels[-1], 2))
    return levels


def _slope(pictures: Tensor, axis: int) -> Tensor:
    return torch.diff(pictures, dim=axis)


def _textures(pictures: Tensor) -> list[Tensor]:
    """Return colors and their gradients, and a constant that keeps what is dark from becoming bright: (N, 10, h, w)."""
    found = []
    for level in _pyramid(pictures):
        slopes = [torch.diff(level, dim=axis, prepend=level.narrow(axis, 0, 1)) for axis in (2, 3)]
        found.append(torch.cat([level, *slopes, torch.ones_like(level[:, :1])], 1))
    return found
