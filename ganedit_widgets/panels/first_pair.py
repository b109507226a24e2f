"""A natural pair of pictures to begin with: the average person as they are, and smiling."""

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
    session.vectors.begin()
    generator = session.generator
    found = [vector for vector in search(session.vectors.vectors, WANTED) if not session.vectors.foreign(vector)]
    if not found:
        return None
    neutral = generator.average()
    expressive = run(generator, neutral, found[0].at())
    return Choice(neutral, "average person"), Choice(expressive, found[0].name)
