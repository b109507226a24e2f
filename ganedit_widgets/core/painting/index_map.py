"""The mask that is being painted: every change is a patch that can be taken back."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from ..errors import ImageError
from .regions import Box, Hits, IndexPixels, bounds

STEPS, MEMORY = 500, 64 << 20  # of the history: the most steps, and bytes


@dataclass(frozen=True, eq=False)
class Patch:
    """What a step changed: a box of the mask, before and after."""

    x: int
    y: int
    before: IndexPixels  # (h, w)
    after: IndexPixels  # (h, w)

    @property
    def box(self) -> Box:
        """Its place: x, y, width, height."""
        return self.x, self.y, self.after.shape[1], self.after.shape[0]

    @property
    def turned(self) -> Patch:
        """The patch that takes this one back."""
        return Patch(self.x, self.y, self.after, self.before)


@dataclass(eq=False)
class IndexMap:
    """An index map (H, W) uint8 with values below `labels`, and its history."""

    mask: IndexPixels
    labels: int
    done: list[Patch] = field(default_factory=list)
    undone: list[Patch] = field(default_factory=list)

    def paint(self, hits: Hits, label: int, x: int = 0, y: int = 0) -> Patch | None:
        """Give `label` to the pixels of `hits` (h, w), whose corner lies at (x, y); None if that changes nothing.

        Raises `ImageError` if there is no such label, or if the piece does not lie within the mask.
        """
        height, width = hits.shape
        if not isinstance(label, int | np.integer) or not 0 <= label < self.labels:
            raise ImageError(f"There is no label {label}: there are 0 to {self.labels - 1}.")
        if x < 0 or y < 0 or x + width > self.mask.shape[1] or y + height > self.mask.shape[0]:
            raise ImageError(
                f"A piece of {width}×{height} at ({x}, {y}) does not lie within the mask {self.mask.shape}."
            )
        old = self.mask[y : y + height, x : x + width]
        return self._record(np.where(hits, np.uint8(label), old), x, y)

    def replace(self, mask: IndexPixels) -> Patch | None:
        """Take another mask of the same shape, as one step; None if it is the same."""
        return self._record(mask, 0, 0)

    def undo(self) -> Patch | None:
        """Take the last step back; return what that changed, None if there was no step."""
        return self._move(self.done, self.undone)

    def redo(self) -> Patch | None:
        """Take back the last undo; return what that changed, None if there was none."""
        return self._move(self.undone, self.done)

    def _move(self, source: list[Patch], target: list[Patch]) -> Patch | None:
        if not source:
            return None
        patch = source.pop().turned
        target.append(patch)
        self._write(patch)
        return patch

    def _record(self, new: IndexPixels, x: int, y: int) -> Patch | None:
        height, width = new.shape
        old = self.mask[y : y + height, x : x + width]
        box = bounds(old != new)
        if box is None:
            return None
        left, top, wide, high = box
        piece = np.s_[top : top + high, left : left + wide]
        patch = Patch(x + left, y + top, old[piece].copy(), new[piece].astype(np.uint8))
        self.done.append(patch)
        self.undone.clear()
        self._write(patch)
        self._forget()
        return patch

    def _write(self, patch: Patch) -> None:
        x, y, width, height = patch.box
        self.mask[y : y + height, x : x + width] = patch.after

    def _forget(self) -> None:
        """Drop the oldest steps beyond what is kept."""
        size = sum(2 * patch.after.size for patch in self.done)
        while len(self.done) > STEPS or (size > MEMORY and len(self.done) > 1):
            size -= 2 * self.done.pop(0).after.size
