"""The editing methods, one in each file. To add one, see README.md beside this file."""

from .base import Edit, Report, ignore, run, stopped
from .crossover import Crossover, group_blend, paper_split, split_at
from .direction import MoveAlong
from .embed import Embed
from .expression_transfer import TransferExpression, change_of_look, drive
from .litter import litter, style_mixing_table
from .sample import Restore, Sample
from .sources import Source, latent_of
from .stack import Stack

__all__ = [
    "Crossover",
    "Edit",
    "Embed",
    "MoveAlong",
    "Report",
    "Restore",
    "Sample",
    "Source",
    "Stack",
    "TransferExpression",
    "change_of_look",
    "drive",
    "group_blend",
    "ignore",
    "latent_of",
    "litter",
    "paper_split",
    "run",
    "split_at",
    "stopped",
    "style_mixing_table",
]
