"""The segmentation branch of EditGAN: what each pixel of a generated picture shows, learned from a few labels."""

from .choose import Doubt, diverse_seeds, most_unsure
from .files import load_segmenter, save_segmenter
from .labels import UNLABELED, Labeled, LabelMap
from .scores import LeaveOneOut, Overlap, leave_one_out, overlap
from .segmenter import Reading, Segmenter
from .training import SegmentPlan, SegmentProgress, train_segmenter

__all__ = [
    "UNLABELED",
    "Doubt",
    "LabelMap",
    "Labeled",
    "LeaveOneOut",
    "Overlap",
    "Reading",
    "SegmentPlan",
    "SegmentProgress",
    "Segmenter",
    "diverse_seeds",
    "leave_one_out",
    "load_segmenter",
    "most_unsure",
    "overlap",
    "save_segmenter",
    "train_segmenter",
]
