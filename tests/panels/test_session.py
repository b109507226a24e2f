"""The session without a browser: act, and look at what it shows."""

import asyncio
import io
import threading
import time
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from ganedit_widgets.core.edits import Embed, MoveAlong, Restore, Sample, Stack
from ganedit_widgets.core.errors import DirectionError, ModelError, RecipeError
from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.core.probes import new_direction
from ganedit_widgets.panels import Frame, TraversePanel
from ganedit_widgets.panels import painter as painter_module
from ganedit_widgets.panels.running import PAUSE
from ganedit_widgets.panels.session import Session
from ganedit_widgets.panels.worker import Worker
from tests.tiny import odd, tiny

GENERATOR = tiny()
SMILE = new_direction(GENERATOR, torch.ones(8), "smile")


@dataclass(frozen=True, eq=False)
class Drift:
    """An edit of many steps; each takes `pause` seconds and moves a little further."""

    steps_: int = 1000
    pause: float = 0.002
    fails_at: int = -1

    @property
    def total(self):
        return self.steps_

    def steps(self, generator, latent, report=lambda numbers: None):
        for i in range(self.steps_):
            if i == self.fails_at:
                raise DirectionError("The drift has failed: begin again.")
            time.sleep(self.pause)
            latent = latent.moved(torch.full((8,), 0.01))
            report({"step": i + 1, "loss": 1 / (i + 1)})
            yield latent

    def stopped(self, done):
        return Drift(done, self.pause)


@pytest.fixture
def session():
    session = Session(GENERATOR)
    yield session
    session.close()


def drawn(session, latent=None):
    with torch.no_grad():
        return to_pixels(session.generator.draw(session.latent if latent is None else latent))


def until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def seen(session, name="pixels"):
    values = []
    session.observe(lambda change: values.append(change["new"]), name)
    return values


def names(session):
    return [type(edit).__name__ for edit in session.history.edits]


def test_a_new_session_shows_a_sample_at_once(session):
    assert np.array_equal(session.pixels, drawn(session, GENERATOR.sample(4, 0.7)))
    assert [entry.label for entry in session.entries] == ["average", "seed 4"]


def test_a_session_may_begin_with_a_given_latent():
    latent = GENERATOR.sample(5)
    session = Session(GENERATOR, latent)
    assert np.array_equal(session.pixels, drawn(session, latent))
    assert torch.equal(session.latent.w, latent.w)


def test_apply_shows_and_records(session):
    before = session.pixels
    session.apply(MoveAlong(SMILE, 2.0)).wait(10)
    assert not np.array_equal(session.pixels, before)
    assert np.array_equal(session.pixels, drawn(session))
    assert names(session) == ["Sample", "MoveAlong"]
    assert np.array_equal(session.before, before)


def test_undo_and_redo_show_what_was(session):
    before = session.pixels
    session.apply(MoveAlong(SMILE, 2.0)).wait(10)
    after = session.pixels
    session.undo().wait(10)
    assert np.array_equal(session.pixels, before)
    session.redo().wait(10)
    assert np.array_equal(session.pixels, after)
    session.go_to(0).wait(10)
    assert np.array_equal(session.pixels, drawn(session, GENERATOR.average()))


def test_undo_at_the_beginning_says_so(session):
    session.go_to(0).wait(10)
    session.undo().wait(10)
    assert session.message.text == "There is nothing to undo."


def test_a_turn_can_be_awaited(session):
    async def use():
        await session.apply(MoveAlong(SMILE, 1.0))
        return session.pixels

    assert np.array_equal(asyncio.run(use()), drawn(session))


def test_previews_are_not_recorded_and_do_not_accumulate(session):
    session.preview(MoveAlong(SMILE, 1.0)).wait(10)
    once = session.pixels
    session.preview(MoveAlong(SMILE, 2.0)).wait(10)
    session.preview(MoveAlong(SMILE, 1.0)).wait(10)
    assert np.array_equal(session.pixels, once)
    assert names(session) == ["Sample"]
    session.preview(None).wait(10)
    assert np.array_equal(session.pixels, drawn(session))


def test_of_a_flood_of_previews_few_are_drawn_and_the_last_is_shown(session):
    shown, gate = seen(session), threading.Event()
    session._worker.submit(blocking(gate), lane="other")
    for i in range(200):
        turn = session.preview(MoveAlong(SMILE, i / 100), moving=True)
    gate.set()
    turn.wait(10)
    assert len(shown) <= 3
    wanted = next(iter(MoveAlong(SMILE, 1.99).steps(GENERATOR, session.latent)))
    assert np.array_equal(session.pixels, drawn(session, wanted))
    assert not session.moving


def blocking(gate):
    def job(turn):
        gate.wait(10)
        yield

    return job


def test_while_a_slow_picture_moves_a_smaller_one_is_shown_and_the_full_one_at_rest(monkeypatch):
    monkeypatch.setattr(painter_module, "FLUENT", 0.0)  # whatever it takes is too slow
    monkeypatch.setattr(painter_module, "SMALLEST", 4)
    session = Session(GENERATOR)
    shown = []
    session.observe(lambda change: shown.append((change["new"].shape[0], session.moving)), "pixels")
    session.preview(MoveAlong(SMILE, 1.0), moving=True).wait(10)
    assert shown == [(4, True), (16, False)]


def test_a_quick_picture_is_never_made_smaller(session):
    shown = seen(session)
    session.preview(MoveAlong(SMILE, 1.0), moving=True).wait(10)
    assert {picture.shape for picture in shown} == {(16, 16, 3)}


def test_stop_answers_within_one_step_and_keeps_what_was_reached(session):
    turn = session.apply(Drift(1000, 0.01))
    until(lambda: session.progress and session.progress.step >= 3)
    asked = time.monotonic()
    session.stop()
    turn.wait(10)
    assert time.monotonic() - asked < 1
    kept = session.history.edits[-1]
    assert 3 <= kept.total < 1000  # the history says how far it came
    assert np.array_equal(session.pixels, drawn(session))
    assert session.busy == "" and session.progress is None


def test_stop_before_anything_runs_is_harmless(session):
    session.stop()
    session.apply(MoveAlong(SMILE)).wait(10)
    session.stop()
    assert names(session) == ["Sample", "MoveAlong"]


def test_undo_during_a_run_stops_it_first_and_takes_it_back(session):
    before = session.pixels
    session.apply(Drift())
    until(lambda: session.busy)
    session.undo().wait(10)
    assert np.array_equal(session.pixels, before)
    assert names(session) == ["Sample"] and session.history.can_redo


def test_actions_happen_in_the_order_asked_whoever_asks(session):
    session.apply(Drift())
    session.apply(MoveAlong(SMILE))
    thread = threading.Thread(target=lambda: session.apply(Sample(3)).wait(10))
    thread.start()
    thread.join(20)
    assert names(session) == ["Sample", "Drift", "MoveAlong", "Sample"]
    assert session.history.edits[1].total < 1000


def test_a_long_edit_is_shown_five_times_a_second_and_the_last_exactly(session):
    shown, start = seen(session), time.monotonic()
    session.apply(Drift(300)).wait(30)
    assert 2 <= len(shown) <= 3 + (time.monotonic() - start) / PAUSE
    assert np.array_equal(shown[-1], drawn(session))


def test_progress_numbers_and_the_name_are_told_while_an_edit_runs(session):
    progress, busy = seen(session, "progress"), seen(session, "busy")
    session.apply(Drift(200)).wait(30)
    assert busy[0] == "drift" and busy[-1] == ""
    steps = [p.step for p in progress if p]
    assert steps == sorted(steps) and steps[0] == 0 and steps[-1] == 200
    assert [p.total for p in progress if p] == [200] * len(steps)
    assert "left" in progress[1].text
    assert len(session.numbers) == 200 and session.numbers[-1]["loss"] == 1 / 200


def test_a_users_error_is_one_sentence_and_raised_where_one_waits(session):
    foreign = new_direction(tiny(1), torch.ones(8), "smile")
    turn = session.preview(MoveAlong(foreign))
    with pytest.raises(DirectionError):
        turn.wait(10)
    assert session.message.level == "error" and "belongs to checkpoint" in session.message.text
    assert session.details == ""
    session.apply(MoveAlong(SMILE)).wait(10)
    assert session.message.text == ""  # what works clears the line


def test_a_bug_is_logged_and_shown_with_its_traceback(session, caplog):
    class Broken:
        total = 1

        def steps(self, generator, latent, report=None):
            raise ZeroDivisionError("no")
            yield

    turn = session.apply(Broken())
    with pytest.raises(ZeroDivisionError):
        turn.wait(10)
    assert session.message.level == "bug" and "ZeroDivisionError: no" in session.message.text
    assert "Traceback" in session.details and "Traceback" in caplog.text
    assert names(session) == ["Sample"] and session.busy == ""
    session.apply(MoveAlong(SMILE)).wait(10)


def test_an_edit_that_fails_on_the_way_keeps_what_it_reached(session):
    with pytest.raises(DirectionError):
        session.apply(Drift(50, fails_at=20)).wait(10)
    assert session.history.edits[-1].total == 20
    assert "has failed" in session.message.text


def test_nothing_is_printed(session, capsys):
    session.apply(Drift(5)).wait(10)
    with pytest.raises(DirectionError):
        session.apply(Drift(5, fails_at=0)).wait(10)
    assert capsys.readouterr() == ("", "")


def test_undo_of_a_preview_takes_it_back_and_redo_brings_it_again(session):
    before = session.pixels
    session.preview(MoveAlong(SMILE, 2.0)).wait(10)
    shown = session.pixels
    session.undo().wait(10)
    assert np.array_equal(session.pixels, before) and session.pending is None
    session.redo().wait(10)
    assert np.array_equal(session.pixels, shown)


def test_a_preview_that_is_over_is_told_to_its_panel(session):
    told = seen(session, "settled")
    kept, given_up, undone = (MoveAlong(SMILE, s) for s in (1.0, 2.0, 3.0))
    session.preview(kept).wait(10)
    session.keep().wait(10)
    session.preview(given_up).wait(10)
    session.go_to(1).wait(10)
    session.preview(undone).wait(10)
    session.undo().wait(10)
    assert [edit for edit in told if edit is not None] == [kept, given_up, undone]


def test_keeping_nothing_records_nothing(session):
    session.keep().wait(10)
    assert names(session) == ["Sample"]


def test_save_and_load_go_through_a_file_and_undo_works_afterwards(session, tmp_path):
    session.apply(MoveAlong(SMILE, 1.0)).wait(10)
    session.preview(MoveAlong(SMILE, 1.0)).wait(10)
    shown = session.pixels
    session.save(tmp_path / "a.png").wait(10)  # what is on show is what is saved
    assert "Saved" in session.message.text
    other = Session(tiny())
    other.load(tmp_path / "a.png").wait(10)
    assert np.array_equal(other.pixels, shown)
    other.undo().wait(10)
    assert np.array_equal(other.pixels, drawn(session, session.history.entries[2].latent))
    until(lambda: all(entry.thumbnail is not None for entry in other.entries))


def test_save_writes_into_an_open_file_too(session):
    file = io.BytesIO()
    session.save(file).wait(10)
    session.load(file.getvalue()).wait(10)
    assert [entry.label for entry in session.entries] == ["average", "seed 4", "seed 4"]


def test_a_file_without_a_recipe_is_refused_in_one_sentence(session):
    with pytest.raises(RecipeError):
        session.load(b"no picture").wait(10)
    assert "recipe" in session.message.text
    assert names(session) == ["Sample"]


def test_a_recipe_that_began_elsewhere_is_opened_where_it_began(tmp_path):
    first = Session(GENERATOR, GENERATOR.sample(9))
    first.save(tmp_path / "a.png").wait(10)
    second = Session(GENERATOR)
    second.load(tmp_path / "a.png").wait(10)
    assert np.array_equal(second.pixels, first.pixels)


def test_the_shown_code_draws_the_picture_on_show(session, tmp_path, monkeypatch):
    session.apply(MoveAlong(SMILE, 1.0)).wait(10)
    session.preview(Stack((Sample(4), MoveAlong(SMILE, -2.0)))).wait(10)
    for name, contents in session.code_files().items():
        (tmp_path / name).write_bytes(contents)
    monkeypatch.chdir(tmp_path)
    space = {}
    exec(session.code(), space)
    assert np.array_equal(space["picture"], session.pixels)


def test_an_embedded_picture_is_compared_with_its_target(session):
    target = drawn(session, GENERATOR.sample(7))
    session.apply(Embed(target, iterations=3)).wait(30)
    until(lambda: np.array_equal(session.before, target))
    assert "psnr" in session.numbers[-1]
    session.apply(MoveAlong(SMILE)).wait(10)
    until(lambda: not np.array_equal(session.before, target))


def test_a_task_is_shown_as_busy_and_previews_come_between_its_steps(session):
    done = []

    def steps():
        for i in range(100):
            done.append(i)
            time.sleep(0.005)
            yield
        return "All found."

    turn = session.task("finding", steps, total=100)
    until(lambda: session.busy == "finding")
    session.preview(MoveAlong(SMILE)).wait(10)
    assert 0 < len(done) < 100 and not turn.finished
    turn.wait(10)
    assert session.message.text == "All found." and session.busy == ""


def test_a_task_can_be_stopped_and_its_error_is_a_sentence(session):
    def endless():
        while True:
            time.sleep(0.001)
            yield

    turn = session.task("finding", endless)
    until(lambda: session.busy)
    session.stop()
    turn.wait(10)
    assert "stopped" in session.message.text

    def failing():
        raise ModelError("This cannot be had: take another.")
        yield

    with pytest.raises(ModelError):
        session.task("finding", failing).wait(10)
    assert session.message.text.startswith("This cannot")


def test_sessions_of_one_name_are_one(session):
    first = Session.named("a", GENERATOR)
    try:
        assert Session.named("a") is first
        with pytest.raises(ModelError, match="another name"):
            Session.named("a", odd())
    finally:
        first.close()
    second = Session.named("a", GENERATOR)
    assert second is not first
    second.close()


def test_two_sessions_share_the_worker_and_do_not_disturb_each_other(session):
    other = Session(tiny(1))
    long = other.apply(Drift(100))
    session.preview(MoveAlong(SMILE)).wait(10)
    assert not long.finished
    session.undo().wait(10)
    long.wait(30)
    assert other.history.edits[-1].total == 100


def test_a_session_works_without_threads():
    session = Session(GENERATOR, worker=Worker(sync=True))
    session.preview(MoveAlong(SMILE), moving=True)
    session.apply(Drift(5, pause=0))
    session.undo()
    assert np.array_equal(session.pixels, drawn(session)) and session.history.can_redo


def test_an_observer_may_stop_a_run_even_without_threads():
    session = Session(GENERATOR, worker=Worker(sync=True))
    session.observe(lambda change: session.stop() if change["new"] and change["new"].step else None, "progress")
    session.apply(Drift(1000, pause=0.001))
    assert session.history.edits[-1].total < 1000


def test_a_generator_of_other_shape_works(tmp_path):
    session = Session(odd())
    session.apply(MoveAlong(new_direction(session.generator, torch.ones(6), "any"), 1.0)).wait(10)
    session.save(tmp_path / "a.png").wait(10)
    assert session.pixels.shape == (32, 32, 3)


def test_restored_latents_are_named_by_their_note(session):
    session.apply(Restore(GENERATOR.sample(2), note="kept")).wait(10)
    assert session.entries[-1].label == "kept"


def test_what_somebody_else_is_about_to_show_is_recorded_before_an_edit_and_ones_own_is_not(session):
    one, other = object(), object()
    session.preview(Sample(7), by=one)
    session.apply(Sample(8), by=other).wait(10)  # at once: the preview can hardly have been drawn
    assert [entry.label for entry in session.entries][-2:] == ["seed 7", "seed 8"]
    session.preview(Sample(9), by=other)
    session.apply(Sample(10), by=other).wait(10)
    assert [entry.label for entry in session.entries][-2:] == ["seed 8", "seed 10"]


# ---- what becomes of a preview is said


def test_who_goes_on_elsewhere_is_told_that_what_was_on_show_is_recorded(session):
    one, other = object(), object()
    session.preview(Sample(7), by=one).wait(10)
    assert session.message.text == ""
    session.preview(MoveAlong(SMILE, 1.0), by=other).wait(10)
    said = session.message.text
    assert said.startswith("“seed 7” was on show, not applied, and is recorded now")
    session.preview(MoveAlong(SMILE, 1.1), by=other, moving=True).wait(10)
    assert session.message.text == said  # it is not gone before it could be read
    session.keep().wait(10)
    assert session.message.text == "“smile +1.1” is recorded."
    session.preview(MoveAlong(SMILE, 1.2), by=other).wait(10)
    assert session.message.text == ""


def test_an_edit_over_somebody_elses_preview_tells_that_it_is_recorded(session):
    session.preview(Sample(7), by=object()).wait(10)
    session.apply(Sample(8), by=object()).wait(10)
    assert session.message.text.startswith("“seed 7” was on show, not applied, and is recorded now")


@pytest.mark.parametrize(
    ("go", "says"),
    [
        (lambda session: session.undo(), "is taken back: Redo does it again"),
        (lambda session: session.go_to(0), "is given up"),
        (lambda session: session.redo(), "is given up"),
        (lambda session: session.save(io.BytesIO()), "is recorded"),
    ],
)
def test_what_becomes_of_a_preview_in_the_history_is_said(session, go, says):
    go(session).wait(10)
    assert session.message.text in ("", "There is nothing to undo.")
    session.go_to(1).wait(10)
    session.preview(Sample(7)).wait(10)
    go(session).wait(10)
    assert session.message.text.startswith("“seed 7” ") and says in session.message.text


def test_the_picture_says_that_it_is_a_preview(session):
    frame = Frame(session, [TraversePanel])
    session.preview(Sample(7), by=frame.panel).wait(10)
    assert frame.stage.status.startswith("preview, not recorded · 16 × 16")
    frame.panel.session.keep().wait(10)
    assert frame.stage.status.startswith("16 × 16")
    frame.close()
