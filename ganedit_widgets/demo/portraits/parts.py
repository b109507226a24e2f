"""The parts a portrait is labeled with, and the colors that show them."""

import torch
from torch import Tensor

# Finer parts stand later: where a pixel is shared evenly, the later part is the one it is labeled with.
PARTS: tuple[str, ...] = (
    "background",
    "clothes",
    "neck",
    "skin",
    "hair",
    "ear",
    "nose",
    "beard",
    "brow",
    "mouth",
    "teeth",
    "eye",
    "iris",
    "glasses",
)
PART: dict[str, int] = {name: number for number, name in enumerate(PARTS)}

PART_COLORS: Tensor = torch.tensor(
    [
        [236, 233, 226],  # background
        [88, 140, 190],  # clothes
        [205, 150, 120],  # neck
        [245, 205, 170],  # skin
        [122, 84, 60],  # hair
        [226, 138, 128],  # ear
        [240, 170, 90],  # nose
        [92, 62, 92],  # beard
        [60, 52, 48],  # brow
        [204, 60, 80],  # mouth
        [255, 250, 205],  # teeth
        [255, 255, 255],  # eye
        [40, 120, 90],  # iris
        [30, 40, 90],  # glasses
    ],
    dtype=torch.uint8,
)


def color_labels(labels: Tensor) -> Tensor:
    """Show part labels (..., H, W) uint8 as pictures (..., H, W, 3) uint8, in ``PART_COLORS``."""
    return PART_COLORS.to(labels.device)[labels.long()]
