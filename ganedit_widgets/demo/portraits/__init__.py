"""Procedural portraits: pictures of drawn people with every attribute and every part label known exactly."""

from .attributes import ATTRIBUTES, HAIR_STYLES, IDENTITY, Attributes, concatenate, sample_attributes
from .dataset import PortraitDataset, build_cache
from .parts import PART, PART_COLORS, PARTS, color_labels
from .renderer import Rendering, render

__all__ = [
    "ATTRIBUTES",
    "HAIR_STYLES",
    "IDENTITY",
    "PART",
    "PARTS",
    "PART_COLORS",
    "Attributes",
    "PortraitDataset",
    "Rendering",
    "build_cache",
    "color_labels",
    "concatenate",
    "render",
    "sample_attributes",
]
