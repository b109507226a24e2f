"""Index maps, (H, W) uint8 of label numbers: painted, filled, undone, read and written; exact to the pixel."""

from .files import mask_png, read_mask
from .index_map import IndexMap, Patch
from .labels import Label, labels_of
from .raster import brush, polygon
from .regions import connected, counts, same_label
from .tiles import colored, heated, tiles_of

__all__ = [
    "IndexMap",
    "Label",
    "Patch",
    "brush",
    "colored",
    "connected",
    "counts",
    "heated",
    "labels_of",
    "mask_png",
    "polygon",
    "read_mask",
    "same_label",
    "tiles_of",
]
