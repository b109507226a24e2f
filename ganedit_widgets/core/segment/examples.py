"""Labeled pictures as one long list of pixels, each with its class and its features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..errors import SegmentError
from ..generators.base import Generator
from .features import constant_input, draw_with_features, feature_layers, label_size
from .labels import UNLABELED, Labeled, checked_labels, counted
from .sampling import Size, neighbors


@dataclass(eq=False)
class Examples:
    """The pixels of N pictures are numbered through: picture·(h·w) + row·w + column."""

    classes: tuple[str, ...]
    size: Size  # of a label map
    labels: Tensor  # (N·h·w,) of class numbers; 255: not labeled
    maps: dict[str, Tensor]  # layer → its outputs (N·h·w, C), each at its own size
    natives: dict[str, Size]  # layer → that size
    constant: Tensor  # (h, w, C): the learned input
    counts: tuple[int, ...]  # labeled pixels of each class

    @classmethod
    def of(cls, generator: Generator, labeled: Sequence[Labeled], classes: Sequence[str]) -> Examples:
        """Draw the pictures and keep what the layers put out."""
        size = label_size(generator)
        found = [
            checked_labels(x.labels, classes, size, f"The label map of {x.name or f'picture {i}'}")
            for i, x in enumerate(labeled, 1)
        ]
        if not any((labels != UNLABELED).any() for labels in found):
            raise SegmentError("No pixel is labeled: paint what a few pictures show, then train.")
        layers = feature_layers(generator)
        with torch.inference_mode(False), torch.no_grad():
            drawn = [draw_with_features(generator, [x.latent], layers)[1] for x in labeled]
            natives = {layer: (drawn[0][layer].shape[1], drawn[0][layer].shape[2]) for layer in layers}
            # popped, so that no more than one layer of a thousand pictures is there twice
            maps = {layer: torch.cat([features.pop(layer).flatten(0, 2) for features in drawn]) for layer in layers}
        flat = torch.cat([torch.from_numpy(labels).flatten().long() for labels in found]).to(generator.device)
        return cls(tuple(classes), size, flat, maps, natives, constant_input(generator), counted(found, classes))

    @property
    def device(self) -> torch.device:
        """Where the features lie."""
        return self.labels.device

    @property
    def channels(self) -> dict[str, int]:
        """Layer → how many features it gives, in order; those of the constant input come after them."""
        return {layer: x.shape[1] for layer, x in self.maps.items()}

    @property
    def width(self) -> int:
        """D, the number of features of a pixel."""
        return sum(self.channels.values()) + self.constant.shape[-1]

    @property
    def area(self) -> int:
        """The pixels of one picture."""
        return self.size[0] * self.size[1]

    def pool(self, without: int | None = None) -> Tensor:
        """Return the numbers of all labeled pixels, but those of the picture `without`."""
        kept = self.labels != UNLABELED
        if without is not None:
            kept = kept.clone()
            kept[without * self.area : (without + 1) * self.area] = False
        return kept.nonzero()[:, 0]

    def odds(self, pool: Tensor, balance: float) -> Tensor:
        """Return how likely each pixel of `pool` is to be drawn: (share of its class)^(−balance), not normalized."""
        labels = self.labels[pool]
        share = torch.bincount(labels, minlength=256)[labels] / max(1, len(pool))
        return share.double().pow(-balance).cpu()

    def features(self, pixels: Tensor) -> Tensor:
        """Return the features (…, D) of pixels by number: upsampled, and one layer's beside another's."""
        flat = pixels.flatten().to(self.device)
        picture, place = flat // self.area, flat % self.area
        columns = [_upsampled(x, self.natives[layer], self.size, place, picture) for layer, x in self.maps.items()]
        height, width, channels = self.constant.shape
        fixed = self.constant.reshape(height * width, channels)
        columns.append(_upsampled(fixed, (height, width), self.size, place, torch.zeros_like(picture)))
        return torch.cat(columns, 1).reshape(*pixels.shape, -1)


def _upsampled(rows: Tensor, native: Size, size: Size, place: Tensor, picture: Tensor) -> Tensor:
    index, weights = neighbors(native, size, place)
    index = index + (picture * (native[0] * native[1]))[:, None]
    return (rows[index] * weights[:, :, None].to(rows)).sum(1)
