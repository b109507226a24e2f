"""One thread per device on which everything that draws or learns is done, one step at a time."""

from __future__ import annotations

import atexit
import contextlib
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable
from contextvars import copy_context
from enum import IntEnum
from typing import Any
from weakref import WeakSet

import torch

from .turn import Turn

NO_THREADS = sys.platform == "emscripten"  # Python in a browser

Steps = Generator[Any, None, Any]  # a job pauses after each step; a number asks for so many seconds of rest
Job = Callable[[Turn], Steps]


class Priority(IntEnum):
    """Whose step comes first."""

    PREVIEW = 0  # the user is watching
    EDIT = 1  # the user is waiting
    IDLE = 2  # thumbnails: when nothing else is to be done


class _Task:
    """A job in its lane."""

    def __init__(self, job: Job, turn: Turn, priority: Priority, slot: Hashable) -> None:
        self.job, self.turn, self.priority, self.slot = job, turn, priority, slot
        self.steps: Steps | None = None
        self.rests_until = 0.0
        self.last_step = 0  # for fairness: who had a step longest ago comes first

    @property
    def rank(self) -> tuple[int, int]:
        """Smaller comes first; whoever was asked to end does so at once."""
        return (Priority.PREVIEW if self.turn.over else self.priority, self.last_step)

    def wakes_at(self) -> float:
        return 0.0 if self.turn.over else self.rests_until

    def step(self) -> bool:
        """Do one step; return whether there are more."""
        if self.steps is None:
            self.steps = self.job(self.turn)
        try:
            rest = next(self.steps)
        except StopIteration:
            return False
        self.rests_until = time.monotonic() + rest if isinstance(rest, int | float) else 0.0
        return True

    def close(self) -> None:
        if self.steps is not None:
            self.steps.close()


_all: WeakSet[Worker] = WeakSet()


@atexit.register
def _close_all() -> None:
    """Let every thread end its step: a thread that dies inside torch takes the whole process down with an abort."""
    for worker in list(_all):
        worker.close()


class Worker:
    """Runs jobs, which are generators, by turns: one `next` at a time, on one thread, without gradients.

    Jobs of one lane are done one after the other, in the order asked; between lanes the highest priority has the next
    step. A job with a `slot` replaces those of the same lane and slot: what has not begun is dropped, what has is
    told that it is over, so that of many previews only the newest is drawn. `sync=True` works without a thread (for
    JupyterLite): `submit` then returns when everything is done, and rests are skipped.

    Errors go to the `Turn` of whoever asked. Every method may be called from any thread.
    """

    def __init__(self, device: str | torch.device = "cpu", *, sync: bool = False) -> None:
        self.device, self.sync = torch.device(device), sync
        self._lanes: dict[Hashable, deque[_Task]] = {}
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stamp = self._count = 0
        self._closed = self._draining = False
        _all.add(self)

    def __repr__(self) -> str:
        return f"Worker({str(self.device)!r}, {sum(map(len, self._lanes.values()))} jobs)"

    @property
    def here(self) -> bool:
        """Whether whoever asks is being run by this worker."""
        return self._draining or threading.current_thread() is self._thread

    def submit(
        self, job: Job, *, lane: Hashable, priority: Priority = Priority.EDIT, slot: Hashable | None = None
    ) -> Turn:
        """Ask for `job(turn)`, a generator, to be run in `lane`; return its Turn at once."""
        with self._condition:
            if self._closed:
                raise RuntimeError("This worker was closed: open a new session.")
            self._stamp += 1
            turn = Turn(self._stamp, self._wake, lambda: not self.here)
            tasks = self._lanes.setdefault(lane, deque())
            if slot is not None:
                self._replace(tasks, slot)
            tasks.append(_Task(job, turn, priority, slot))
            self._start()
            self._condition.notify_all()
        if self.sync:
            self._drain()
        return turn

    def clear(self, lane: Hashable) -> None:
        """Stop what runs in `lane` and drop what waits there."""
        with self._condition:
            for task in list(self._lanes.get(lane, ())):
                task.turn.over = True
                if task.steps is None:
                    self._drop(self._lanes[lane], task)
            self._condition.notify_all()

    def close(self) -> None:
        """End the thread after the step it is in, and drop everything else."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(10)
        with self._condition:
            for tasks in self._lanes.values():
                for task in list(tasks):
                    task.close()
                    self._drop(tasks, task)

    # ---- inside, with the lock held

    def _replace(self, tasks: deque[_Task], slot: Hashable) -> None:
        for task in [task for task in tasks if task.slot == slot]:
            task.turn.over = True
            if task.steps is None:
                self._drop(tasks, task)

    def _drop(self, tasks: deque[_Task], task: _Task) -> None:
        tasks.remove(task)
        task.turn.over = task.turn.dropped = True
        task.turn.finish()

    def _start(self) -> None:
        if self.sync or (self._thread is not None and self._thread.is_alive()):
            return
        # ipykernel 7.0 looks up a context variable whenever a thread sends: the thread needs a copy of ours
        context = copy_context()
        self._thread = threading.Thread(target=context.run, args=(self._loop,), name="ganedit-worker", daemon=True)
        self._thread.start()

    def _pick(self) -> _Task | None:
        """Return the task to have the next step, or None; forget empty lanes."""
        self._lanes = {lane: tasks for lane, tasks in self._lanes.items() if tasks}
        now = float("inf") if self.sync else time.monotonic()
        ready = [tasks[0] for tasks in self._lanes.values() if tasks[0].wakes_at() <= now]
        return min(ready, key=lambda task: task.rank, default=None)

    def _sleep(self) -> None:
        wake = min((tasks[0].wakes_at() for tasks in self._lanes.values()), default=None)
        self._condition.wait(None if wake is None else max(0.0, wake - time.monotonic()))

    # ---- the thread

    def _wake(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def _loop(self) -> None:
        while True:
            with self._condition:
                task = self._pick()
                if self._closed:
                    return
                if task is None:
                    self._sleep()
            if task is not None:
                self._step(task)
            del task  # or the job would be kept alive until the next one

    def _drain(self) -> None:
        """Without a thread: do everything now. A job that asks for another only queues it."""
        if self._draining:
            return
        self._draining = True
        try:
            while True:
                with self._condition:
                    task = self._pick()
                if task is None:
                    return
                self._step(task)
        finally:
            self._draining = False

    def _step(self, task: _Task) -> None:
        more, failure = False, None
        try:
            with torch.no_grad(), self._on_device():  # both are per thread, and jobs may have changed them
                more = task.step()
        except BaseException as error:  # it belongs to whoever asked, and the thread must live on
            failure = error
        with self._condition:
            self._count += 1
            task.last_step = self._count
            if more:
                return
            for tasks in self._lanes.values():
                with contextlib.suppress(ValueError):
                    tasks.remove(task)
        task.turn.finish(failure)
        if self.sync and isinstance(failure, KeyboardInterrupt):
            raise failure

    def _on_device(self) -> contextlib.AbstractContextManager[object]:
        return torch.cuda.device(self.device) if self.device.type == "cuda" else contextlib.nullcontext()


def in_thread(act: Callable[[], Any]) -> Turn:
    """Do `act()` in a thread of its own, for what waits for a network; at once where there are no threads."""
    turn = Turn()

    def run() -> None:
        try:
            act()
        except Exception as error:
            turn.finish(error)
        turn.finish()

    if NO_THREADS:
        run()
    else:
        threading.Thread(target=copy_context().run, args=(run,), name="ganedit-io", daemon=True).start()
    return turn


_workers: dict[str, Worker] = {}
_making = threading.Lock()


def worker_for(device: str | torch.device) -> Worker:
    """Return the one worker of `device`, made when first asked for; without threads in a browser's Python."""
    device = torch.device(device)
    with _making:
        worker = _workers.get(str(device))
        if worker is None or worker._closed:
            worker = _workers[str(device)] = Worker(device, sync=NO_THREADS)
        return worker
