"""Small things learned *about* a frozen generator: directions, parts, segmenters."""

from .boundary import boundary
from .clip_model import ClipModel
from .directions import Direction, condition, new_direction
from .extremes import interfacegan
from .finders import channel, pca, sefa
from .library import load_directions, save_directions
from .strengths import layer_strengths, weighted
from .stylespace import Channel, rank_channels, style_direction
from .survey_file import load_survey, save_survey
from .text import survey_channels, text_direction, text_direction_wplus
from .trends import readout, trends

__all__ = [
    "Channel",
    "ClipModel",
    "Direction",
    "boundary",
    "channel",
    "condition",
    "interfacegan",
    "layer_strengths",
    "load_directions",
    "load_survey",
    "new_direction",
    "pca",
    "rank_channels",
    "readout",
    "save_directions",
    "save_survey",
    "sefa",
    "style_direction",
    "survey_channels",
    "text_direction",
    "text_direction_wplus",
    "trends",
    "weighted",
]
