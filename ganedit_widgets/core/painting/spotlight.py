"""A region of a picture, shown: what lies outside is darkened, and a line runs along its edge."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..image import Pixels

DARK = 0.3  # of the light that is left outside


def spotlight(picture: Pixels, region: NDArray[np.bool_]) -> Pixels:
    """Return the picture (H, W, 3) uint8, dark outside `region` (H, W), whose outermost pixels are white.

    The picture's own edge is no edge of the region.
    """
    around = np.pad(region, 1, mode="edge")
    inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    shown = np.where(region[..., None], picture, (DARK * picture).astype(np.uint8))
    shown[region & ~inner] = 255
    return shown
