"""A segmenter: says of every picture of one generator what each pixel shows, and how sure it is.

Ling et al., "EditGAN", NeurIPS 2021, section 3.1; the first layer is applied before the upsampling, which is the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from ..errors import SegmentError
from ..generators.base import Generator
from ..latent import Latent
from ..parts.catalog import COLORS
from ..short import short
from .ensemble import later_layers, uncertainty_of
from .features import Drawing, draw_with_features
from .labels import LabelMap, class_number
from .sampling import sum_of_upsampled

CHUNK = 4096  # pixels at a time
MOST_UNSURE = 0.1  # share of the pixels that a picture's score is the mean of


@dataclass(frozen=True, eq=False)
class Reading:
    """What a segmenter sees in one picture."""

    picture: Tensor  # (1, 3, H, W)
    labels: LabelMap  # (h, w)
    uncertainty: NDArray[np.float32]  # (h, w), Jensen–Shannon divergence in nats

    __repr__ = short

    @property
    def score(self) -> float:
        """How unsure of the whole picture: the mean over the tenth of its pixels that are most so (DatasetGAN)."""
        worst = np.sort(self.uncertainty, axis=None)[::-1]
        return float(worst[: max(1, round(MOST_UNSURE * worst.size))].mean())


@dataclass(frozen=True, eq=False)
class Segmenter:
    """Ten small networks per pixel, on what the layers of one checkpoint put out; made by `train_segmenter`."""

    fingerprint: str
    classes: tuple[str, ...]
    size: tuple[int, int]  # (height, width) of its label maps
    layers: tuple[str, ...] = field(repr=False)
    counts: tuple[int, ...] = field(repr=False)  # labeled pixels it learned each class from
    weights: Mapping[str, Tensor] = field(repr=False)  # large ones float16, as `stored` makes them
    pictures: int = 0  # how many labeled ones it learned from
    colors: tuple[tuple[int, int, int], ...] = field(default=(), repr=False)  # to show the classes in
    code: str = field(default="", repr=False)  # the Python expression that finds it again

    def __repr__(self) -> str:
        return f"Segmenter({len(self.classes)} classes, {self.fingerprint})"

    # ---- what it is

    @property
    def models(self) -> int:
        """How many networks vote."""
        return len(self.weights["second"])

    @property
    def palette(self) -> tuple[tuple[int, int, int], ...]:
        """A color for each class."""
        return self.colors or tuple(COLORS[i % len(COLORS)] for i in range(len(self.classes)))

    def number(self, name: str) -> int:
        """Return the number of a class. Raises `SegmentError` if there is none of this name."""
        return class_number(self.classes, name)

    def require_own(self, generator: Generator) -> None:
        """Raise `SegmentError` if this segmenter is of another checkpoint."""
        if self.fingerprint != generator.fingerprint:
            raise SegmentError(
                f"This segmenter was trained for checkpoint {self.fingerprint}, the generator is "
                f"{generator.fingerprint}: train one for this generator."
            )

    # ---- what it sees

    def read(self, generator: Generator, latent: Latent) -> Reading:
        """Draw `latent` and return the picture, its labels and how unsure they are."""
        with torch.no_grad():
            pictures, features = self.draw(generator, [latent])
            pixels = torch.arange(self.size[0] * self.size[1], device=pictures.device)
            labels, doubts = [], []
            for some in pixels.split(CHUNK):
                logits = self._chunk(some, *self._maps(features, 0))
                labels.append(logits.mean(0).argmax(1))
                doubts.append(uncertainty_of(logits))
        found = torch.cat(labels).to(torch.uint8).reshape(self.size).cpu().numpy()
        return Reading(pictures, found, torch.cat(doubts).reshape(self.size).cpu().numpy())

    def labels(self, generator: Generator, latent: Latent) -> LabelMap:
        """Return the label map (h, w) of the picture of `latent`."""
        return self.read(generator, latent).labels

    def draw(self, generator: Generator, latents: Sequence[Latent]) -> Drawing:
        """Return the pictures (N, 3, H, W) and the features that `logits` reads, from one pass; differentiable."""
        self.require_own(generator)
        return draw_with_features(generator, latents, self.layers)

    def logits(self, features: Mapping[str, Tensor], pixels: Tensor, number: int = 0) -> Tensor:
        """Return logits (M, P, C) of `pixels` (P,), row·width + column, of the picture of this number; differentiable.

        With gradients, chunks are computed again on the way back, so that memory does not grow with the pixels.
        """
        maps, weights = self._maps(features, number)
        if torch.is_grad_enabled() and len(pixels) > CHUNK:
            parts = [checkpoint(partial(self._chunk, some), maps, weights, use_reentrant=False)
                     for some in pixels.split(CHUNK)]  # fmt: skip
        else:
            parts = [self._chunk(some, maps, weights) for some in pixels.split(CHUNK)]
        return torch.cat(parts, 1)

    def _chunk(self, pixels: Tensor, maps: list[Tensor], weights: list[Tensor | None]) -> Tensor:
        return later_layers(self._ready(pixels.device), sum_of_upsampled(maps, weights, self.size, pixels))

    def _maps(self, features: Mapping[str, Tensor], number: int) -> tuple[list[Tensor], list[Tensor | None]]:
        ready = self._ready(features[self.layers[0]].device)
        maps = [ready["place"], *(features[layer][number] for layer in self.layers)]
        return maps, [None, *(ready[f"first/{layer}"] for layer in self.layers)]

    def _ready(self, device: torch.device) -> dict[str, Tensor]:
        """Return the weights as float32 on `device`, kept for the next call."""
        if device not in self._computing:
            with torch.inference_mode(False):
                self._computing[device] = {name: w.to(device).float() for name, w in self.weights.items()}
        return self._computing[device]

    @cached_property
    def _computing(self) -> dict[torch.device, dict[str, Tensor]]:
        return {}


def applied_first(folded: Mapping[str, Tensor], channels: Mapping[str, int], constant: Tensor) -> dict[str, Tensor]:
    """Return the weights of a `Segmenter`, whose first layer comes before the upsampling, from `Ensemble.folded`.

    `channels`: layer → how many of the D features are its own, in order; those of the `constant` input (h, w, C) come
    after them and are the same for every picture: they are worked into "place", a map (h, w, M·H1) of biases.
    """
    weights = dict(folded)
    first = weights.pop("first").permute(1, 0, 2).flatten(1)  # (D, M·H1)
    *own, fixed = first.split([*channels.values(), constant.shape[-1]])
    weights["place"] = constant @ fixed + weights.pop("first_bias").flatten()
    return {**{f"first/{layer}": w for layer, w in zip(channels, own, strict=True)}, **weights}


def stored(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return weights as a file keeps them: matrices as float16, biases as float32, on the CPU."""
    large = {name for name in weights if name.startswith("first/")} | {"second", "third"}
    plain = {name: w.detach().cpu().contiguous() for name, w in weights.items()}
    return {name: w.half() if name in large else w.float() for name, w in plain.items()}
