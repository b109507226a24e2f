"""Edit vectors: edits learned by painting one mask, kept with what is known about them, and made on other pictures."""

from .calibrate import CalibrateProgress, Calibration, calibrate, preview_strip
from .files import import_npy, load_vectors, save_vectors
from .vector import EditVector, average, combine, extract, project_out, refined, search, vector_of

__all__ = [
    "CalibrateProgress",
    "Calibration",
    "EditVector",
    "average",
    "calibrate",
    "combine",
    "extract",
    "import_npy",
    "load_vectors",
    "preview_strip",
    "project_out",
    "refined",
    "save_vectors",
    "search",
    "vector_of",
]
