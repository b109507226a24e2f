"""Pictures the demo model has never seen the like of: photographs and textures that come with packages, and noise."""

from __future__ import annotations

import numpy as np
from matplotlib import get_data_path

from ..core.align import Box, crop
from ..core.errors import ModelError
from ..core.image import Pixels, read_image

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
TEXTURES = ("brick", "grass", "gravel")
GRAINS = 5


def outside(size: tuple[int, int]) -> dict[str, list[Pixels]]:
    """Return pictures (H, W, 3) uint8 of `size` by what they are: "photo", "texture", "noise".

    Those of Matplotlib and scikit-image; raises `ModelError` if the latter is not installed.
    """
    try:
        from skimage import data
    except ImportError:
        raise ModelError("The photographs come with scikit-image: install it, pip install scikit-image.") from None
    photographs = [face(size), *(read_image(getattr(data, name)(), size) for name in PHOTOGRAPHS)]
    textures = [read_image(_colored(getattr(data, name)()), size) for name in TEXTURES]
    return {"photo": photographs, "texture": textures, "noise": [grain(size, seed) for seed in range(GRAINS)]}


def face(size: tuple[int, int]) -> Pixels:
    """Return the face of a photograph that comes with Matplotlib."""
    return crop(read_image(f"{get_data_path()}/sample_data/grace_hopper.jpg"), Box(256, 180, 330), size)


def grain(size: tuple[int, int], seed: int = 0) -> Pixels:
    """Return a picture of which every number is drawn by itself, uniformly."""
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)


def _colored(gray: np.ndarray) -> Pixels:
    return np.repeat(gray[:, :, None], 3, 2)
