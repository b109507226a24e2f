"""Fit the strength of what is borrowed to the change outside that one allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from ganedit_widgets.core.edits import Borrow
from ganedit_widgets.core.parts import fit_budget

from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .borrow import BorrowPanel

FITTING = 10  # pictures that are drawn


def fit_strength(panel: BorrowPanel, limit: float) -> Turn | None:
    """Find the largest strength that changes no more than `limit`, in ΔE, outside the part, and show it.

    Stopped, the best so far is shown; once part, reference or a slider is changed, what the user chose stays.
    """
    session, borrows = panel.session, panel.borrows()
    if len(borrows) != 1:
        session.tell(f"{panel.missing() or 'Select one part only'}.", "error")
        return None
    asked, found = borrows[0], []

    def steps() -> Steps:
        for progress in fit_budget(session.generator, session.latent, asked, limit):
            if not _still(panel, asked):
                return "The fit was given up: something else was chosen meanwhile."
            found.append(progress.borrow.budget)
            yield
        return None

    def show(_: object) -> None:
        if found and _still(panel, asked):
            panel.knobs.set("strength", found[-1])
            panel.preview()  # the meters say what it changes

    turn = session.task("fitting the strength", steps, FITTING)
    turn.on_end(show)
    return turn


def _still(panel: BorrowPanel, borrow: Borrow) -> bool:
    """Whether the controls stand where they made `borrow`."""
    now = panel.borrows()
    if len(now) != 1:
        return False
    pairs = ((getattr(now[0], f.name), getattr(borrow, f.name)) for f in fields(borrow))
    return all(a is b or (isinstance(a, str | float | bool | Mapping) and a == b) for a, b in pairs)
