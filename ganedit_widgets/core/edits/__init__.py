"""The editing methods, one in each file. To add one, see README.md beside this file."""

from .base import Edit, Report, ignore, run, stopped
from .direction import MoveAlong
from .embed import Embed
from .sample import Restore, Sample
from .stack import Stack

__all__ = ["Edit", "Embed", "MoveAlong", "Report", "Restore", "Sample", "Stack", "ignore", "run", "stopped"]
