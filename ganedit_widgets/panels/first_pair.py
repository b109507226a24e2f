"""Natural pictures to begin with: the average person as they are, smiling, and with whatever else a model can do."""

from __future__ import annotations

from ganedit_widgets.core.edits import run
from ganedit_widgets.core.vectors import search

from .session import Session
from .sources import Choice

WANTED = "smile"  # of all expressions the one that nobody needs explained


def first_pair(session: Session) -> tuple[Choice, Choice] | None:
    """Return the neutral and the expressive picture that an edit vector of a smile makes; None if none is known.

    The vector is one of the session's library: those that ship with the demo model, or what the user learned or opened.
    The average person, for no seed is neutral by itself: what the vector adds is then all that the two differ in.
    """
    ready = ready_expressions(session, WANTED)
    return (average_person(session), ready[0]) if ready else None


def ready_expressions(session: Session, text: str = "") -> list[Choice]:
    """Return the average person with each of the library's edit vectors that is of this model and tells of `text`."""
    session.vectors.begin()
    generator, board = session.generator, session.vectors
    found = [vector for vector in search(board.vectors, text) if not board.foreign(vector)]
    return [Choice(run(generator, generator.average(), vector.at()), vector.name) for vector in found]


def average_person(session: Session) -> Choice:
    """Return the average person, as a choice."""
    return Choice(session.generator.average(), "average person")
