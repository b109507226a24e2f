"""A Turn is one thing asked of a worker: wait for it, or ask it to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from concurrent import futures
from typing import Any


class Turn:
    """One thing asked: `turn.wait()` in a script, `await turn` in a notebook, `turn.stop()` to end it early.

    Both ways of waiting raise what went wrong; `error` holds it without raising. `over` tells the job that it was
    stopped, or that something newer was asked; a job looks at it between its steps.
    """

    def __init__(
        self, stamp: int = 0, wake: Callable[[], None] = lambda: None, waitable: Callable[[], bool] = lambda: True
    ) -> None:
        self.stamp = stamp  # counts what was asked of one worker: larger is newer
        self.over = False
        self.dropped = False  # something newer took its place before it began
        self._wake, self._waitable = wake, waitable
        self._future: futures.Future[None] = futures.Future()

    def __repr__(self) -> str:
        state = "dropped" if self.dropped else "finished" if self.finished else "over" if self.over else "waiting"
        return f"Turn({self.stamp}, {state if self.error is None else repr(self.error)})"

    def __await__(self) -> Generator[Any, None, None]:
        return asyncio.wrap_future(self._future).__await__()

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self._future.done()

    @property
    def error(self) -> BaseException | None:
        """What went wrong, if it is finished and something did."""
        return self._future.exception() if self.finished else None

    def stop(self) -> None:
        """Ask the job to end after the step it is in; returns at once."""
        self.over = True
        self._wake()

    def wait(self, timeout: float | None = None) -> None:
        """Return when it is finished; raise its error, or TimeoutError after `timeout` seconds."""
        if not self.finished and not self._waitable():
            raise RuntimeError("A job cannot wait for another job of its own worker: ask, return, and be told.")
        try:
            done, _ = futures.wait([self._future], timeout)
        except KeyboardInterrupt:
            self.stop()  # interrupting the cell ends what it waits for
            raise
        if not done:
            raise TimeoutError(f"Not finished after {timeout} seconds.")
        self._future.result()

    def on_end(self, fn: Callable[[Turn], Any]) -> None:
        """Call `fn(turn)` when it is finished: in the worker's thread, or at once if it already is."""
        self._future.add_done_callback(lambda _: fn(self))

    def finish(self, error: BaseException | None = None) -> None:
        """Say that nothing more will happen; for the worker."""
        if self.finished:
            return
        if error is None:
            self._future.set_result(None)
        else:
            self._future.set_exception(error)
