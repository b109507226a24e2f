"""A small network that sees where in a picture the thing is that a model draws."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from ..errors import ModelError
from ..generators.base import Generator
from ..generators.load import is_of_demo
from ..image import Pixels, to_tensor
from .box import Box, require_box, turned
from .crop import crop

DEMO = Path(__file__).parents[2] / "demo" / "weights" / "aligner.safetensors"
KEY = "ganedit_aligner"
GRAY = 127  # what lies outside the picture in what the network sees
SURE = 0.2  # of `Aligner.wander`: 40 scenes with a portrait stay below 0.14, five photographs lie above 0.28
CONTEXT = 1.6  # side of the second look, in sides of the box that the first one found


@dataclass(frozen=True)
class AlignerConfig:
    """Sizes of the network; `size` is the side of what it sees, in pixels."""

    size: int = 64
    widths: tuple[int, ...] = (16, 28, 40, 48)  # at size/2, size/4, size/8, size/16
    hidden: int = 32


class AlignerNetwork(nn.Module):
    """Looks at pictures (B, 3, size, size) in [-1, 1] and returns boxes (B, 5) in their coordinates.

    x and y of the center and log of the side, in halves of the picture's side from its middle, sine and cosine of the
    angle. 2×2 pixels become 12 channels of one, so that no convolution runs at full size; the last map is flattened,
    not averaged, for the place is what is asked.
    """

    def __init__(self, cfg: AlignerConfig) -> None:
        super().__init__()
        self.cfg = cfg
        w = cfg.widths
        layers: list[nn.Module] = [_convolution(12, w[0])]
        for i in range(len(w) - 1):
            layers += [_convolution(w[i], w[i + 1], 2), _Residual(w[i + 1])]
        self.trunk = nn.Sequential(*layers)
        flat = w[-1] * (cfg.size // 2 ** len(w)) ** 2
        self.head = nn.Sequential(nn.Linear(flat, cfg.hidden), nn.ReLU(), nn.Linear(cfg.hidden, 5))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return boxes (B, 5)."""
        return self.head(self.trunk(F.pixel_unshuffle(pictures, 2)).flatten(1))


class _Residual(nn.Module):
    """x + F(x) with two convolutions (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


def _convolution(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3×3 convolution, batch normalization, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def targets(x: Tensor, y: Tensor, side: Tensor, angle: Tensor) -> Tensor:
    """Return what the network is to answer (B, 5): center and side as shares of the picture, angle in radians."""
    return torch.stack([2 * x - 1, 2 * y - 1, side.log(), angle.sin(), angle.cos()], 1)


@dataclass(frozen=True)
class Sight:
    """What an aligner sees: a box, and how far one more look moves it (see `Aligner.wander`)."""

    box: Box
    wander: float

    @property
    def sure(self) -> bool:
        """Whether there is anything like what the network has learned to see."""
        return self.wander <= SURE


class Aligner:
    """Finds the box of a picture in two looks: at all of it, then closely at what the first look has found."""

    def __init__(self, network: AlignerNetwork) -> None:
        self.network = network.eval().requires_grad_(False)

    def __repr__(self) -> str:
        return f"Aligner({sum(p.numel() for p in self.network.parameters())} weights)"

    @classmethod
    def of(cls, generator: Generator) -> Aligner | None:
        """Return the aligner that comes with a generator, read when first asked for; None if none does.

        What was tuned from the demo draws its pictures where the demo does, and has its aligner.
        """
        kept = generator.__dict__
        if "_aligner" not in kept:
            kept["_aligner"] = read_aligner(DEMO) if DEMO.exists() and is_of_demo(generator) else None
        return kept["_aligner"]

    def find(self, source: Pixels, looks: int = 2) -> Box:
        """Return the box of what is in `source`, (H, W, 3) uint8; each look is nearer than the one before.

        There is always an answer: `wander` tells whether it is one.
        """
        return self.looks(source, looks)[-1]

    def sight(self, source: Pixels) -> Sight:
        """Return the box of what is in `source`, as `find` does, and how far one more look moves it."""
        *_, box, next_ = self.looks(source, 3)
        place = math.hypot(next_.x - box.x, next_.y - box.y) / next_.side
        moved = (place, abs(math.log(next_.side / box.side)), abs(turned(next_.angle - box.angle)) / 30)
        return Sight(box, max(moved))

    def wander(self, source: Pixels) -> float:
        """Return how far one more look moves the box: in sides, |log ratio| or thirds of a right angle, the largest.

        Where there is nothing like what the network has learned to see, each look sees something else: beyond `SURE`
        its box means nothing.
        """
        return self.sight(source).wander

    def looks(self, source: Pixels, count: int) -> list[Box]:
        """Return the boxes of `count` looks, the first at all of the picture."""
        height, width = source.shape[:2]
        view, boxes = Box(width / 2, height / 2, float(max(height, width))), []
        for _ in range(count):
            boxes.append(box := self._look(source, view))
            view = Box(box.x, box.y, box.side * CONTEXT, box.angle)
        return boxes

    def _look(self, source: Pixels, view: Box) -> Box:
        size = self.network.cfg.size
        require_box(view, source.shape)
        seen = to_tensor(crop(source, view, (size, size), GRAY))
        with torch.no_grad():
            x, y, log_side, sin, cos = self.network(seen)[0].double().tolist()
        side = math.exp(min(max(log_side, math.log(0.1)), math.log(2.0)))
        x, y = (min(max(0.5 + v / 2, 0.0), 1.0) for v in (x, y))
        return Box(x, y, side, math.degrees(math.atan2(sin, cos))).inside(view)


def align(generator: Generator, source: Pixels) -> Box:
    """Return the box in `source`, (H, W, 3) uint8, that `generator` should see, by the aligner that comes with it.

    Raises `ModelError` if none does: `find_box` works with any model.
    """
    aligner = Aligner.of(generator)
    if aligner is None:
        raise ModelError("No aligner comes with this model: use find_box, or give the box yourself.")
    return aligner.find(source)


def aligner_tensors(network: AlignerNetwork) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Return (tensors, header) of an aligner's file: weights as float16, its sizes as JSON."""
    tensors = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items() if "num_batches" not in k}
    packed = {k: v.half() if v.ndim > 1 else v.float() for k, v in tensors.items()}
    return packed, {KEY: json.dumps(asdict(network.cfg))}


def read_aligner(path: Path | str) -> Aligner:
    """Return the aligner in a file; raises `ModelError` if there is none."""
    path = Path(path)
    try:
        with safe_open(path, framework="pt") as file:
            config: dict[str, Any] = json.loads((file.metadata() or {})[KEY])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}
        network = AlignerNetwork(AlignerConfig(**{**config, "widths": tuple(config["widths"])}))
        missing, unexpected = network.load_state_dict(tensors, strict=False)
    except (OSError, SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path.name} is no aligner ({error}): install the package again.") from None
    if unexpected or any("num_batches" not in name for name in missing):
        raise ModelError(f"{path.name} was made by another version of this package: install the package again.")
    return Aligner(network)
