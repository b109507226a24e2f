"""The features a segmenter looks at: what every styled convolution puts out while a picture is drawn.

Zhang et al., "DatasetGAN", CVPR 2021; Ling et al., "EditGAN", NeurIPS 2021, section 3.1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from ..generators.base import Generator
from ..latent import Latent
from ..parts.build import clusterable
from ..parts.entering import without_margin

LARGEST = 512  # pixels: labels of larger models are found at this size, as published
Drawing = tuple[Tensor, dict[str, Tensor]]


def label_size(generator: Generator) -> tuple[int, int]:
    """Return (height, width) of this model's label maps: its pictures' size, or 512 if that is less."""
    height, width = generator.size
    return min(height, LARGEST), min(width, LARGEST)


def feature_layers(generator: Generator) -> tuple[str, ...]:
    """Return the layers whose outputs are looked at, in the order of computation: all styled convolutions."""
    return tuple(clusterable(generator))


def draw_with_features(generator: Generator, latents: Sequence[Latent], layers: Sequence[str]) -> Drawing:
    """Return pictures (N, 3, H, W), and layer → its output as rows (N, h, w, C), from one pass; differentiable.

    The margin that StyleGAN3 draws around its pictures is cut off.
    """
    found: dict[str, Tensor] = {}

    def keep(layer: str) -> Callable[[Tensor], None]:
        return lambda x: found.__setitem__(layer, _without_margin(generator, layer, x).float().permute(0, 2, 3, 1))

    pictures = generator.draw_many(latents, taps={layer: keep(layer) for layer in layers})
    return pictures, found


def constant_input(generator: Generator) -> Tensor:
    """Return the learned input (h, w, C) that is the same for every picture; (1, 1, 0) where the model has none."""
    first: Any = getattr(generator.network.synthesis, "b4", None)
    if first is None:  # StyleGAN3 begins with waves that its style turns and shifts
        return torch.zeros(1, 1, 0, device=generator.device)
    return first.const.detach().permute(1, 2, 0)  # type: ignore[no-any-return]


def _without_margin(generator: Generator, layer: str, x: Tensor) -> Tensor:
    modules: Any = generator.network.synthesis.style_layers()  # type: ignore[union-attr, operator]
    spec = getattr(modules[layer][1], "spec", None)
    return without_margin(x, None if spec is None else spec.rate / spec.down)
