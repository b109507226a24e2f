"""Small things learned *about* a frozen generator: directions, parts, segmenters."""

from .boundary import boundary
from .directions import Direction, condition, new_direction
from .extremes import interfacegan
from .finders import channel, pca, sefa
from .library import load_directions, save_directions
from .strengths import layer_strengths, weighted
from .stylespace import Channel, rank_channels, style_direction
from .trends import trends

__all__ = [
    "Channel",
    "Direction",
    "boundary",
    "channel",
    "condition",
    "interfacegan",
    "layer_strengths",
    "load_directions",
    "new_direction",
    "pca",
    "rank_channels",
    "save_directions",
    "sefa",
    "style_direction",
    "trends",
    "weighted",
]
