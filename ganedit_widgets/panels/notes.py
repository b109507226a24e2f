"""What a session tells its panels, as small records."""

from __future__ import annotations

from typing import NamedTuple

from ganedit_widgets.core.edits import (
    Borrow,
    Crossover,
    Edit,
    EmbedParts,
    FitNoise,
    MoveAlong,
    Paint,
    Refine,
    Restore,
    Sample,
    SetLabels,
    Source,
    Stack,
    TransferExpression,
)
from ganedit_widgets.core.image import Pixels


class Message(NamedTuple):
    """One sentence for the user."""

    text: str = ""
    level: str = "info"  # or "error": what the user can repair; or "bug": what we must


class Progress(NamedTuple):
    """How far a running edit is."""

    step: int  # done
    total: int
    seconds_left: float | None  # None: not known yet

    @property
    def text(self) -> str:
        """Like "40/150 · 12 s left"."""
        left = "" if self.seconds_left is None else f" · {duration(self.seconds_left)} left"
        return f"{self.step}/{self.total}{left}"


class Stop(NamedTuple):
    """One picture of the history; number 0 is the one everything began with."""

    number: int
    label: str
    thumbnail: Pixels | None  # None: not drawn yet
    undone: bool

    def __repr__(self) -> str:
        return f"Stop({self.number}, {self.label!r}{', undone' if self.undone else ''})"


def duration(seconds: float) -> str:
    """Like "12 s", "3 min" or "1 h 20 min"."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def label_of(edit: Edit) -> str:
    """What a thumbnail of the history says below it: a word or two."""
    if isinstance(edit, Sample):
        return f"seed {edit.seed}"
    if isinstance(edit, MoveAlong):
        return f"{edit.direction.name} {_signed(edit.strength)}"
    if isinstance(edit, SetLabels):
        return ", ".join(f"{name} {value:.2f}" for name, value in edit.values.items())
    if isinstance(edit, Stack):
        parts = [label_of(part) for part in edit.edits]
        return ", ".join(parts[:2]) + (f", {len(parts) - 2} more" if len(parts) > 2 else "")
    if isinstance(edit, Crossover):
        return f"× {name_of(edit.other, edit.note)}"
    if isinstance(edit, Borrow):
        return f"{edit.part} of {edit.note or 'a picture'}"
    if isinstance(edit, Paint):
        return " ".join(["paint", ", ".join((edit.classes or ())[:2])]).strip()
    if isinstance(edit, Refine):
        return f"{label_of(Stack(edit.moves))}, refined"
    if isinstance(edit, EmbedParts):
        return "join pictures" if len(edit.parts) > 1 else "embed part"
    if isinstance(edit, FitNoise):
        return "fit noise"
    if isinstance(edit, TransferExpression):
        return f"like {name_of(edit.expressive, edit.note)} {_signed(edit.strength)}"
    if isinstance(edit, Restore) and edit.note:
        return edit.note
    return type(edit).__name__.lower()


def _signed(strength: float) -> str:
    """Like "+2.25", "-1", "+0"."""
    return f"{strength:+.2f}".rstrip("0").rstrip(".")


def name_of(source: Source, note: str = "") -> str:
    """What a picture is called: its note, else its seed."""
    return note or (f"seed {source.seed}" if isinstance(source, Sample) else "a picture")
