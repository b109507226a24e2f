"""Layers of W+ by what they govern: coarse, middle and fine, for a model of any size."""

from __future__ import annotations

import math
import re

from .generators.base import Generator

COARSE, MIDDLE = 2, 4  # doublings of the size that end each group: 4² and 8², 16² and 32², then the rest
FEW = 5  # with fewer different sizes than this, the sizes are shared out evenly


def layer_groups(generator: Generator) -> dict[str, range]:
    """Return "coarse", "middle" and "fine" → their layers of W+, which together are all, in order.

    Coarse layers work at the two lowest sizes (4² and 8²: pose, shape), middle ones at the next two (16² and 32²:
    features), fine ones above (colors, texture), after Karras et al. 2019, section 3.1. Of a model with fewer than
    five sizes each group has a third of the sizes; with fewer than three, a third of the layers. A group for which
    nothing is left is missing.
    """
    rows = generator.latent_shape[0]
    doublings = [math.floor(math.log2(side)) for side in layer_sizes(generator)]
    steps = sorted(set(doublings))
    if len(steps) < 3:
        first, second = math.ceil(rows / 3), math.ceil(2 * rows / 3)
    else:
        one, two = (COARSE, MIDDLE) if len(steps) >= FEW else (math.ceil(len(steps) / 3), math.ceil(2 * len(steps) / 3))
        first, second = (sum(d < steps[0] + n for d in doublings) for n in (one, two))
    found = {"coarse": range(first), "middle": range(first, second), "fine": range(second, rows)}
    return {name: layers for name, layers in found.items() if layers}


def layer_sizes(generator: Generator) -> list[int]:
    """Return the size in pixels at which each layer of W+ works; where several read one, that of the convolution.

    The layers of StyleGAN3 have a margin, and its last ones are smaller than those before: sizes never fall here.
    """
    sizes = [0] * generator.latent_shape[0]
    for name, row in generator.style_layers.items():
        found = re.match(r"b(\d+)\.|L\d+_(\d+)_", name)
        size = int(found[1] or found[2]) if found else 0
        if not (sizes[row] and name.endswith("torgb")):
            sizes[row] = size
    low = next((size for size in sizes if size), 1)
    grown: list[int] = []
    for size in sizes:
        grown.append(max(size, grown[-1] if grown else low))
    return grown
