"""The worker without a session: whose step comes first, what is dropped, and where errors go."""

import asyncio
import subprocess
import sys
import threading
import time
from contextvars import ContextVar

import pytest
import torch

from ganedit_widgets.panels.worker import Priority, Worker, worker_for


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.close()


def noting(log, name, count=1):
    """A job of `count` steps that notes each."""

    def job(turn):
        for i in range(count):
            log.append(f"{name}{i}")
            yield

    return job


@pytest.fixture
def gate(worker):
    """Keep the worker busy until the event is set, so that what is asked meanwhile waits."""
    event, begun = threading.Event(), threading.Event()

    def job(turn):
        begun.set()
        event.wait(10)
        yield

    worker.submit(job, lane="gate", priority=Priority.PREVIEW)
    assert begun.wait(10)
    return event


def test_jobs_of_one_lane_are_done_in_the_order_asked(worker):
    log = []
    first = worker.submit(noting(log, "a", 2), lane=1, priority=Priority.IDLE)
    second = worker.submit(noting(log, "b", 2), lane=1, priority=Priority.PREVIEW)
    first.wait(10)
    second.wait(10)
    assert log == ["a0", "a1", "b0", "b1"]


def test_between_lanes_previews_come_before_edits_and_edits_before_thumbnails(worker, gate):
    log = []
    turns = [
        worker.submit(noting(log, name, 2), lane=name, priority=priority)
        for name, priority in (("thumb", Priority.IDLE), ("edit", Priority.EDIT), ("preview", Priority.PREVIEW))
    ]
    gate.set()
    for turn in turns:
        turn.wait(10)
    assert log == ["preview0", "preview1", "edit0", "edit1", "thumb0", "thumb1"]


def test_a_preview_asked_during_an_edit_of_another_lane_comes_between_its_steps(worker):
    log = []

    def edit(turn):
        for i in range(200):
            log.append(i)
            if i == 3:
                worker.submit(noting(log, "preview"), lane="b", priority=Priority.PREVIEW)
            yield

    worker.submit(edit, lane="a").wait(10)
    assert log[4] == "preview0"


def test_equal_lanes_have_their_steps_by_turns(worker, gate):
    log = []
    turns = [worker.submit(noting(log, name, 3), lane=name) for name in "ab"]
    gate.set()
    for turn in turns:
        turn.wait(10)
    assert log == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_of_many_jobs_for_one_slot_only_the_newest_is_done(worker, gate):
    log = []
    turns = [worker.submit(noting(log, f"{i}."), lane="a", slot="preview") for i in range(50)]
    gate.set()
    turns[-1].wait(10)
    assert log == ["49.0"]
    assert all(turn.dropped and turn.finished for turn in turns[:-1])
    assert not turns[-1].dropped


def test_slots_of_different_lanes_do_not_replace_each_other(worker, gate):
    log = []
    turns = [worker.submit(noting(log, name), lane=name, slot="preview") for name in "ab"]
    gate.set()
    for turn in turns:
        turn.wait(10)
    assert sorted(log) == ["a0", "b0"]


def test_a_job_that_has_begun_is_told_that_a_newer_one_is_there(worker):
    begun, seen = threading.Event(), []

    def resting(turn):
        begun.set()
        yield 60  # seconds; the newer one must not wait for them
        seen.append(turn.over)

    worker.submit(resting, lane="a", slot="preview")
    assert begun.wait(10)
    worker.submit(noting(seen, "new"), lane="a", slot="preview").wait(10)
    assert seen == [True, "new0"]


def test_a_rest_lasts_as_long_as_asked_and_lets_others_work(worker):
    log, start = [], time.monotonic()

    def resting(turn):
        yield 0.2
        log.append("rested")

    rest = worker.submit(resting, lane="a", priority=Priority.PREVIEW)
    worker.submit(noting(log, "idle"), lane="b", priority=Priority.IDLE).wait(10)
    rest.wait(10)
    assert log == ["idle0", "rested"]
    assert 0.2 <= time.monotonic() - start < 5


def test_stop_wakes_a_resting_job(worker):
    def resting(turn):
        while not turn.over:
            yield 60

    turn = worker.submit(resting, lane="a")
    time.sleep(0.05)
    turn.stop()
    turn.wait(10)


def test_stamps_grow(worker):
    stamps = [worker.submit(noting([], "x"), lane=i).stamp for i in range(5)]
    assert stamps == sorted(set(stamps))


def test_an_error_goes_to_whoever_asked_and_the_worker_lives_on(worker, capsys):
    def broken(turn):
        yield
        raise ZeroDivisionError("no")

    turn, log = worker.submit(broken, lane="a"), []
    with pytest.raises(ZeroDivisionError):
        turn.wait(10)
    assert isinstance(turn.error, ZeroDivisionError)
    worker.submit(noting(log, "b"), lane="a").wait(10)
    assert log == ["b0"]
    assert capsys.readouterr() == ("", "")


def test_a_turn_can_be_awaited_and_raises_there_too(worker):
    def broken(turn):
        raise ZeroDivisionError
        yield

    async def use():
        await worker.submit(noting([], "a"), lane=1)
        with pytest.raises(ZeroDivisionError):
            await worker.submit(broken, lane=1)

    asyncio.run(use())


def test_waiting_gives_up_after_the_time_allowed(worker, gate):
    turn = worker.submit(noting([], "a"), lane=1)
    with pytest.raises(TimeoutError):
        turn.wait(0.01)
    gate.set()
    turn.wait(10)


def test_a_job_that_waits_for_its_own_worker_is_refused(worker):
    def job(turn):
        worker.submit(noting([], "x"), lane="b").wait()
        yield

    with pytest.raises(RuntimeError, match="cannot wait"):
        worker.submit(job, lane="a").wait(10)


def test_every_step_runs_without_gradients_even_if_a_job_leaks_its_own_mode(worker):
    seen = []

    def leaky(turn):
        with torch.enable_grad():
            yield

    def honest(turn):
        seen.append(torch.is_grad_enabled())
        yield
        seen.append(torch.is_grad_enabled())

    leak = worker.submit(leaky, lane="a")
    worker.submit(honest, lane="b").wait(10)
    leak.wait(10)
    assert seen == [False, False]


def test_the_thread_sees_the_context_of_whoever_started_it():
    parent = ContextVar("parent")
    parent.set("cell 3")
    worker, seen = Worker(), []

    def job(turn):
        seen.append(parent.get())  # LookupError in a plain thread
        yield

    worker.submit(job, lane=1).wait(10)
    worker.close()
    assert seen == ["cell 3"]


def test_closing_ends_the_thread_and_drops_what_waits():
    worker, begun, closed = Worker(), threading.Event(), []

    def endless(turn):
        try:
            while True:
                begun.set()
                yield
        finally:
            closed.append(True)

    running = worker.submit(endless, lane=1)
    waiting = worker.submit(noting([], "x"), lane=1)
    assert begun.wait(10)
    worker.close()
    assert running.finished and waiting.dropped and closed == [True]
    with pytest.raises(RuntimeError, match="closed"):
        worker.submit(noting([], "x"), lane=1)


def test_clearing_a_lane_leaves_the_others(worker, gate):
    log = []
    dropped = worker.submit(noting(log, "a"), lane="a")
    kept = worker.submit(noting(log, "b"), lane="b")
    worker.clear("a")
    gate.set()
    kept.wait(10)
    assert dropped.dropped and log == ["b0"]


def test_without_a_thread_everything_is_done_when_submit_returns():
    worker, log = Worker(sync=True), []

    def job(turn):
        log.append(threading.current_thread() is threading.main_thread())
        yield 60  # a rest is skipped
        worker.submit(noting(log, "nested"), lane="b")  # asked from inside: done afterwards
        log.append("end")

    turn = worker.submit(job, lane="a")
    assert turn.finished and log == [True, "end", "nested0"]


def test_without_a_thread_a_failure_is_in_the_turn_and_an_interrupt_reaches_the_user():
    worker = Worker(sync=True)

    def failing(error):
        def job(turn):
            raise error
            yield

        return job

    assert isinstance(worker.submit(failing(ValueError()), lane=1).error, ValueError)
    with pytest.raises(KeyboardInterrupt):
        worker.submit(failing(KeyboardInterrupt()), lane=1)
    assert worker.submit(noting([], "x"), lane=1).finished


def test_one_device_has_one_worker_and_a_new_one_after_closing():
    first = worker_for("cpu")
    assert worker_for(torch.device("cpu")) is first
    first.close()
    assert worker_for("cpu") is not first


def test_a_script_ends_although_the_worker_is_busy_and_jupyter_is_not_imported():
    script = """
import sys
from ganedit_widgets.panels.worker import Worker
def endless(turn):
    while True:
        yield 0.01
Worker().submit(endless, lane=1)
assert not {"ipywidgets", "IPython", "traitlets"} & set(sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
