"""Small things learned *about* a frozen generator: directions, parts, segmenters."""

from .boundary import boundary
from .directions import Direction, condition, new_direction
from .finders import channel, pca, sefa
from .library import load_directions, save_directions
from .trends import trends

__all__ = [
    "Direction",
    "boundary",
    "channel",
    "condition",
    "load_directions",
    "new_direction",
    "pca",
    "save_directions",
    "sefa",
    "trends",
]
