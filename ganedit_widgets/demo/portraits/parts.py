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

# Found by annealing, to lie apart in CIELAB: 40 any two, 50 such as touch in a face, and for people who lack one of the
# three kinds of cones still 19 and 22, while none strays far from what its part brings to mind.
PART_COLORS: Tensor = torch.tensor(
    [
        [62, 54, 65],  # background
        [33, 102, 255],  # clothes
        [174, 218, 43],  # neck
        [255, 185, 201],  # skin
        [142, 20, 15],  # hair
        [213, 65, 193],  # ear
        [201, 125, 15],  # nose
        [15, 152, 111],  # beard
        [15, 15, 80],  # brow
        [255, 21, 99],  # mouth
        [255, 255, 164],  # teeth
        [155, 157, 255],  # eye
        [15, 231, 103],  # iris
        [89, 15, 255],  # glasses
    ],
    dtype=torch.uint8,
)


def color_labels(labels: Tensor) -> Tensor:
    """Show part labels (..., H, W) uint8 as pictures (..., H, W, 3) uint8, in ``PART_COLORS``."""
    return PART_COLORS.to(labels.device)[labels.long()]
