"""Session: the picture being edited; the one mutable object upstairs, shared by all panels."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO

from ganedit_widgets.core.code import code_for, files_for
from ganedit_widgets.core.edits import Edit
from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.generators.load import load_generator
from ganedit_widgets.core.image import Pixels
from ganedit_widgets.core.latent import Latent

from .actions import Actions
from .part_board import PartBoard
from .segment_board import SegmentBoard
from .turn import Turn
from .vector_board import VectorBoard
from .worker import Priority, Steps, Worker, worker_for


class Session(Actions):
    """The picture being edited. Panels call its methods and observe its traits; a script may do the same.

    Every action first stops the running edit; actions take place in the order they were asked for, one at a time, on
    the worker of the generator's device, whichever thread asked. Each returns a `Turn`: `session.apply(edit).wait()`
    in a script, `await session.apply(edit)` in a notebook. Observers are called in the worker's thread.
    """

    def __init__(
        self,
        generator: Generator | None = None,
        latent: Latent | None = None,
        name: str = "",
        worker: Worker | None = None,
    ) -> None:
        generator = load_generator() if generator is None else generator
        super().__init__(generator, latent, worker or worker_for(generator.device))
        self.name = name
        self._lanes: set[str] = set()  # of things done in the background
        self.parts = PartBoard(generator)  # the catalog of parts that its panels share, and what is selected of it
        self.segments = SegmentBoard(generator)  # the segmenter that its panels share
        self.vectors = VectorBoard(generator)  # their library of edit vectors
        self._ask(self._rest).wait()

    def __repr__(self) -> str:
        return f"Session({self.name + ', ' if self.name else ''}{self.generator.name}, {len(self.history) - 1} edits)"

    # ---- what can be asked, from any thread

    def preview(self, edit: Edit | None, *, moving: bool = False, by: object = None) -> Turn:
        """Show what a one-shot `edit` would do to the recorded latent, without recording it; the newest wins.

        `by`: who asks, such as a panel. What somebody else has on show, or is about to, is recorded first.
        None shows the recorded picture. While `moving`, the picture may be smaller, until nothing newer has been asked
        for a quarter of a second.
        """
        return self._ask(partial(self._preview, edit, moving, by), preview=True, by=by)

    def apply(self, edit: Edit, *, by: object = None) -> Turn:
        """Carry `edit` out, show its steps, record what it reached; stopping it keeps the best so far.

        `by`: as for `preview`; a preview of one's own is given up.
        """
        return self._ask(partial(self._apply, edit, by))

    def keep(self) -> Turn:
        """Record what a preview shows, if one does."""
        return self._ask(self._keep)

    def undo(self) -> Turn:
        """Go one step back; a preview is recorded first, so that it can be redone."""
        return self._ask(self._undo)

    def redo(self) -> Turn:
        """Do again what was undone, if anything was; a preview is given up."""
        return self._ask(partial(self._travel, lambda: self.history.index + 1))

    def go_to(self, number: int) -> Turn:
        """Go to entry `number` of the history, 0 being the beginning; a preview is given up."""
        return self._ask(partial(self._travel, lambda: number))

    def stop(self) -> None:
        """End the running edit and tasks after the step they are in; what was reached is kept."""
        with self._asking:
            for turn in (*self._stoppable, *self._tasks):
                turn.stop()

    def save(self, target: str | Path | BinaryIO) -> Turn:
        """Write the picture on show as a PNG file with its recipe inside; a preview is recorded first."""
        return self._ask(partial(self._save, target))

    def load(self, source: str | Path | bytes) -> Turn:
        """Go on from the recipe in a PNG file, given by its path or its bytes; its steps follow those made so far."""
        return self._ask(partial(self._load, source))

    def task(self, name: str, steps: Callable[[], Steps], total: int = 1) -> Turn:
        """Do something long that leaves the picture alone, such as finding directions: `steps()` is a generator.

        It does not stop a running edit, and previews come between its steps; `stop` ends it, and so does another task.
        What the generator returns, if anything, is said to the user.
        """
        with self._asking:
            job = partial(self._told, partial(self._task, name, steps, total), (self._tasks,), self._number())
            turn = self._worker.submit(job, lane=(self, "tasks"), slot="task")
            self._enter(turn, (self._tasks,))
            return turn

    def in_background(self, name: str, steps: Callable[[], Steps]) -> Turn:
        """Do something small when nothing else is to be done, such as thumbnails; a newer one of its name replaces it.

        It is not shown as busy. A number it yields is a rest, in seconds. After an error it ends, and says so.
        """

        def job(turn: Turn) -> Steps:
            try:
                for rest in steps():
                    yield rest
                    if turn.over:
                        return
            except Exception as error:
                self.complain(error)
                raise

        self._lanes.add(name)
        return self._worker.submit(job, lane=(self, name), priority=Priority.IDLE, slot=name)

    def thumbnail(self, latent: Latent, height: int) -> Pixels:
        """Return a small picture of `latent`, (height, W, 3) uint8; for steps done in the worker's thread."""
        return self._painter.thumbnail(latent, height)

    def wait(self, timeout: float | None = None) -> None:
        """Wait for the last action asked, and raise its error."""
        self._turns[-1].wait(timeout)

    def close(self) -> None:
        """Stop everything, and forget the session's name."""
        self._worker.clear(self)
        for name in ("tasks", "thumbnails", *self._lanes):
            self._worker.clear((self, name))
        with _naming:
            _named.pop(self.name, None)

    # ---- what it holds

    @classmethod
    def named(cls, name: str, generator: Generator | None = None) -> Session:
        """Return the session of this name, made when first asked for, so that several cells share one picture.

        Raises `ModelError` if it holds another model than the one given.
        """
        with _naming:
            session = _named.get(name) or cls(generator, name=name)
            _named[name] = session
        if generator is not None and generator.fingerprint != session.generator.fingerprint:
            raise ModelError(
                f"Session {name!r} holds the model {session.generator.name!r}: close it, or choose another name."
            )
        return session

    @property
    def latent(self) -> Latent:
        """The latent recorded last."""
        return self.history.latent

    @property
    def shown(self) -> Latent:
        """The latent on show: that of a preview, else the one recorded last."""
        pending = self._pending
        return self.history.latent if pending is None else pending[1]

    @property
    def pending(self) -> Edit | None:
        """The edit whose preview is on show and not recorded."""
        pending = self._pending
        return None if pending is None else pending[0]

    @property
    def edits(self) -> list[Edit]:
        """The edits that lead from the average picture to the one on show."""
        return [*self.history.edits, *([] if self.pending is None else [self.pending])]

    @property
    def seconds_per_picture(self) -> float:
        """How long a whole picture takes, as far as is known."""
        return self._painter.seconds.get(self._painter.side, 0.0)

    def code(self) -> str:
        """Return the short Python that draws the picture on show."""
        return code_for(self.generator, self.edits)

    def code_files(self) -> dict[str, bytes]:
        """Return name → contents of the files that the code reads: what only memory has."""
        return files_for(self.generator, self.edits)


_named: dict[str, Session] = {}
_naming = threading.RLock()
