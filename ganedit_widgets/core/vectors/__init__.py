"""Edit vectors: edits learned by painting one mask, kept with what is known about them, and made on other pictures."""

from .calibrate import CalibrateProgress, Calibration, calibrate, illustrated, preview_strip
from .files import import_npy, load_vectors, npy_bytes, save_vectors, vectors_bytes
from .relearn import RelearnProgress, relearn
from .vector import EditVector, average, combine, extract, nearest, project_out, refined, search, vector_of

__all__ = [
    "CalibrateProgress",
    "Calibration",
    "EditVector",
    "RelearnProgress",
    "average",
    "calibrate",
    "combine",
    "extract",
    "illustrated",
    "import_npy",
    "load_vectors",
    "nearest",
    "npy_bytes",
    "preview_strip",
    "project_out",
    "refined",
    "relearn",
    "save_vectors",
    "search",
    "vector_of",
    "vectors_bytes",
]
