"""The one contract of every editing method."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from ..generators.base import Generator, require_own
from ..latent import Latent

Report = Callable[[dict[str, Any]], None]
"""Called at each step of an edit that is searched for, with live numbers: "step" (from 1), "loss" and what else the
edit measures; "picture" is the drawing (1, 3, H, W) of the latent that is yielded next, so that nobody draws it again.
"""


def ignore(_numbers: dict[str, Any]) -> None:
    """Be the `Report` of who wants none."""


class Edit(Protocol):
    """A change to a picture, written down as a frozen dataclass: its fields are its parameters.

    `steps` yields better and better latents and may be abandoned after any of them: to show progress, draw what it
    yields; to stop, stop asking. An edit that is searched for yields the best found *so far*, so whoever stops keeps
    the best; it has `stopped(done)` too, which returns the edit that ends there, for the history.
    """

    @property
    def total(self) -> int:
        """How many latents `steps` yields: 1 if the answer is known at once."""

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield edited latents; `latent` is left alone, and no grad mode is left changed."""


def run(generator: Generator, latent: Latent, *edits: Edit, report: Report = ignore) -> Latent:
    """Return `latent` after all `edits`, one after the other, each carried through to its end."""
    require_own(generator, latent)
    reached = latent
    for edit in edits:
        for latent in edit.steps(generator, reached, report):  # noqa: B007 (the last one is the result)
            pass
        reached = latent
    return reached


def stopped(edit: Edit, done: int) -> Edit:
    """Return the edit that gives, run to its end, what `edit` had reached after `done` of its steps."""
    shorten = getattr(edit, "stopped", None)
    return edit if shorten is None or done >= edit.total else shorten(done)
