"""The editing methods, one in each file. To add one, see README.md beside this file."""

from .base import Edit, Report, ignore, run, stopped
from .borrow import Borrow
from .crossover import Crossover, group_blend, paper_split, split_at
from .direction import MoveAlong
from .embed import Embed
from .embed_many import embed_many
from .embed_parts import EmbedParts, embed_part, inpaint, join, local_style, reconstruct, scribble
from .expression_transfer import TransferExpression, drive
from .litter import litter, style_mixing_table
from .noise import FitNoise
from .objective import Part
from .paint import LARGE, Paint, Refine
from .paint_region import edit_region, paste_region, suggested_classes
from .sample import Restore, Sample
from .set_labels import SetLabels
from .sources import Source, latent_of
from .stack import Stack

__all__ = [
    "LARGE",
    "Borrow",
    "Crossover",
    "Edit",
    "Embed",
    "EmbedParts",
    "FitNoise",
    "MoveAlong",
    "Paint",
    "Part",
    "Refine",
    "Report",
    "Restore",
    "Sample",
    "SetLabels",
    "Source",
    "Stack",
    "TransferExpression",
    "drive",
    "edit_region",
    "embed_many",
    "embed_part",
    "group_blend",
    "ignore",
    "inpaint",
    "join",
    "latent_of",
    "litter",
    "local_style",
    "paper_split",
    "paste_region",
    "reconstruct",
    "run",
    "scribble",
    "split_at",
    "stopped",
    "style_mixing_table",
    "suggested_classes",
]
