"""What a session says while it works: one sentence, what is running, how far it is."""

from __future__ import annotations

import functools
import logging
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import traitlets as tr

from ganedit_widgets.core.errors import GanEditError
from ganedit_widgets.core.latent import Latent

from .notes import Message, Progress
from .running import Running
from .worker import Worker

log = logging.getLogger(__name__)


class Reports(tr.HasTraits):
    """The part of a session that speaks. Observe its traits; they change in the worker's thread.

    What was said of one act of the user stays until a later act succeeds: what was begun before it and ends now, or
    happens without the user, does not take away what is still being read.
    """

    _worker: Worker

    message = tr.Any(Message(), help="the last thing to say: (text, level), level is 'info', 'error' or 'bug'")
    details = tr.Unicode(help="the traceback behind a bug, else empty")
    busy = tr.Unicode(help="the name of what is running, or empty")
    progress = tr.Any(None, help="None, or (step, total, seconds_left)", allow_none=True)
    numbers = tr.Any((), help="what the running or last edit reported after each step: dicts of numbers")

    def __init__(self) -> None:
        super().__init__()
        self._speaking = threading.RLock()  # anyone may speak; one after the other
        self._acts = self._about = 0  # what the user has done so far is counted; the act that the message is about
        self._acting = threading.local()  # its `act`: the one that a thread is just carrying out
        self._jobs: list[Running] = []  # running, the last one is on show

    @property
    def reached(self) -> Latent | None:
        """The latent that the running edit has reached; None if none runs or has reached one."""
        return self._jobs[-1].latent if self._jobs else None

    def tell(self, text: str, level: str = "info", details: str = "", act: int | None = None) -> None:
        """Say one sentence; an empty one clears the line. `act`: what it is about, if not what is being done now."""
        with self._speaking:
            self._about = getattr(self._acting, "act", self._acts) if act is None else act
            self.details = details
            self.message = Message(text, level)

    def complain(self, error: BaseException, act: int | None = None) -> None:
        """Say what went wrong: a user's error is its sentence; a bug is logged and shown with its traceback."""
        if isinstance(error, GanEditError):
            self.tell(str(error), "error", act=act)
            return
        log.error("A bug in %s", self.busy or "a preview", exc_info=error)
        text = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        said = f"Something broke ({type(error).__name__}: {error}); the picture is as before."
        self.tell(said, "bug", text, act)

    def guarded(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return `act`, which the user does, such that its error is told: Jupyter swallows the errors of callbacks.

        Once it succeeds, it takes away the error of an earlier act.
        """

        @functools.wraps(act)
        def safely(*args: Any, **kwargs: Any) -> Any:
            with self._as_act() as number:
                try:
                    answer = act(*args, **kwargs)
                except Exception as error:
                    self.complain(error)
                    return None
                if self.message.level != "info" and not self._worker.here:
                    self._forget(number)
                return answer

        return safely

    def _number(self) -> int:
        """Return the number of the act that this thread carries out, or of a new one; no observer is the user."""
        with self._speaking:
            if not hasattr(self._acting, "act") and not self._worker.here:
                self._acts += 1
            return getattr(self._acting, "act", self._acts)

    @contextmanager
    def _as_act(self) -> Iterator[int]:
        """Meanwhile, whatever this thread does is one act."""
        number, inside = self._number(), hasattr(self._acting, "act")
        self._acting.act = number
        try:
            yield number
        finally:
            if not inside:
                del self._acting.act

    def _forget(self, act: int) -> None:
        """Clear the line of what is about an act before this one."""
        with self._speaking:
            if self._about < act:
                self.tell("", act=act)

    @contextmanager
    def _working(self, running: Running) -> Iterator[None]:
        """Be busy with `running` meanwhile."""
        self._jobs.append(running)
        self.numbers = ()
        self._publish(running)
        try:
            yield
        finally:
            self._publish(running)
            self._jobs.remove(running)
            self.busy = self._jobs[-1].name if self._jobs else ""
            self.progress = self._jobs[-1].progress if self._jobs else None

    def _publish(self, running: Running) -> None:
        if running is self._jobs[-1]:
            self.busy = running.name
            self.progress = running.progress
            self.numbers = tuple(running.numbers)


def time_left(progress: Progress | None) -> str:
    """Like "40/150 · 12 s left"; empty if nothing runs or it is a single step."""
    return progress.text if progress is not None and progress.total > 1 else ""
