"""Which part of a picture a model shall see: boxes, crops, how to find them, and the way back into the picture."""

from .aligner import SURE, Aligner, Sight, align, read_aligner
from .box import Box
from .crop import aligned, crop, paste_back
from .search import Found, find_box, find_steps

__all__ = [
    "SURE",
    "Aligner",
    "Box",
    "Found",
    "Sight",
    "align",
    "aligned",
    "crop",
    "find_box",
    "find_steps",
    "paste_back",
    "read_aligner",
]
