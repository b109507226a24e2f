"""Undo and redo: the path of latents that led to the picture."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .edits.base import Edit
from .latent import Latent


@dataclass(eq=False)
class Entry:
    """One stop on the path: what was done, and the latent it led to."""

    edit: Edit | None  # None: where the path begins
    latent: Latent
    thumbnail: Any = field(default=None, repr=False)  # whoever shows the path may keep a small picture here


class History:
    """A path without branches; `index` says where on it one stands. Entry 0 is where it begins."""

    def __init__(self, original: Latent) -> None:
        self.entries = [Entry(None, original)]
        self.index = 0

    def __repr__(self) -> str:
        return f"History({self.index} of {len(self.entries) - 1}: {self.entries[self.index].edit!r})"

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def latent(self) -> Latent:
        """The latent now."""
        return self.entries[self.index].latent

    @property
    def edits(self) -> list[Edit]:
        """The edits that led here, in order."""
        return [entry.edit for entry in self.entries[1 : self.index + 1] if entry.edit is not None]

    @property
    def begun(self) -> Edit | None:
        """The last edit so far that took nothing over from what was before it: a seed, an embedded picture; or None."""
        flat = [part for edit in self.edits for part in getattr(edit, "edits", (edit,))]
        return next((edit for edit in reversed(flat) if getattr(edit, "anew", False)), None)

    @property
    def can_undo(self) -> bool:
        """Whether there is an edit to take back."""
        return self.index > 0

    @property
    def can_redo(self) -> bool:
        """Whether an edit was taken back."""
        return self.index < len(self.entries) - 1

    def push(self, edit: Edit, latent: Latent) -> Entry:
        """Record `edit` and its result; what was undone is forgotten."""
        entry = Entry(edit, latent)
        self.entries[self.index + 1 :] = [entry]
        self.index += 1
        return entry

    def undo(self) -> Latent:
        """Take back the last edit, if there is one."""
        return self.go_to(self.index - 1)

    def redo(self) -> Latent:
        """Do again what was last undone, if anything was."""
        return self.go_to(self.index + 1)

    def go_to(self, index: int) -> Latent:
        """Stand at entry `index`, at the nearest there is, and return its latent; nothing is forgotten."""
        self.index = min(max(index, 0), len(self.entries) - 1)
        return self.latent
