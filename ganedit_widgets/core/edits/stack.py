"""Several edits as one: rows of directions, previewed together, undone together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..generators.base import Generator, require_own
from ..latent import Latent
from ..short import short
from .base import Edit, Report, ignore, stopped


@dataclass(frozen=True, eq=False)
class Stack:
    """Make `edits` one after the other. One-shot edits count as a single step: their result is yielded at once."""

    edits: tuple[Edit, ...]

    __repr__ = short

    @property
    def total(self) -> int:
        """The steps of its searches, and one more if it ends with something known at once."""
        return max(1, sum(n for _, n in self._runs()))

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield after every step of a search, and once at the end; a search in the middle carries on from there."""
        require_own(generator, latent)
        reached = latent
        for edit, counted in self._runs():
            for latent in edit.steps(generator, reached, report):
                if counted:
                    yield latent
            reached = latent
        if not self.edits:
            yield reached

    def stopped(self, done: int) -> Stack:
        """Return the stack that ends after `done` steps."""
        kept: list[Edit] = []
        for edit, counted in self._runs():
            if done <= 0:
                break
            kept.append(stopped(edit, done) if counted else edit)
            done -= counted
        return Stack(tuple(kept))

    def _runs(self) -> list[tuple[Edit, int]]:
        """Return each edit with the number of latents it yields here: none for a one-shot edit that others follow."""
        last = len(self.edits) - 1
        return [(e, e.total if e.total > 1 or i == last else 0) for i, e in enumerate(self.edits)]
