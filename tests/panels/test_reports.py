"""What was said of one act stays until a later one succeeds: not shorter, not longer."""

import threading

import pytest
import torch

from ganedit_widgets.core.edits import MoveAlong, Sample
from ganedit_widgets.core.errors import DirectionError
from ganedit_widgets.core.probes.directions import new_direction
from ganedit_widgets.panels import EmbedPanel, Frame, TraversePanel
from tests.tiny import tiny

FOREIGN = MoveAlong(new_direction(tiny(1), torch.ones(8), "smile"))


@pytest.fixture
def wrong(session):
    """Something that the user does and that fails."""

    def act():
        raise DirectionError("This cannot be: do that.")

    return session.guarded(act)


@pytest.fixture
def held(session):
    """A task of the user's that goes on until it is let go."""
    begun, go = threading.Event(), threading.Event()

    def steps():
        begun.set()
        go.wait(10)
        yield

    turn = session.task("holding", steps)
    assert begun.wait(10)

    def let_go():
        go.set()
        turn.wait(10)

    yield let_go
    let_go()


def test_an_error_goes_with_the_next_act_that_succeeds_and_not_before(session, wrong):
    wrong()
    assert session.message == ("This cannot be: do that.", "error")
    wrong()
    assert session.message.level == "error"
    session.guarded(lambda: None)()
    assert session.message.text == ""


def test_what_an_act_says_itself_is_left(session):
    def act():
        session.tell("Type a path.", "error")
        session.guarded(lambda: None)()  # a control that follows

    session.guarded(act)()
    assert session.message.text == "Type a path."


def test_an_error_within_an_act_is_not_taken_away_by_its_success(session, wrong):
    session.guarded(lambda: wrong())()
    assert session.message.level == "error"


def test_what_was_begun_before_an_error_does_not_take_it_away_at_its_end(session, held, wrong):
    wrong()
    held()
    assert session.message.level == "error"


def test_what_happens_without_the_user_takes_no_error_away(session, wrong):
    wrong()
    follow = session.guarded(lambda: None)  # a control that follows the picture, in the worker's thread

    def steps():
        follow()
        yield

    session.in_background("ticking", steps).wait(10)
    assert session.message.level == "error"


def test_an_act_that_fails_late_is_forgotten_when_a_later_one_succeeds(session, held):
    late, good = session.preview(FOREIGN, by="a"), session.preview(Sample(3), by="b")
    held()
    with pytest.raises(DirectionError):
        late.wait(10)
    good.wait(10)
    assert session.message.text == ""


def test_another_tab_takes_the_error_away(session, wrong):
    frame = Frame(session, [EmbedPanel, TraversePanel])
    wrong()
    assert frame.foot.text == "This cannot be: do that."
    frame.head.tab = 1
    assert frame.foot.text == "" and frame.foot.level == "info"
    frame.close()


def test_a_box_that_fits_takes_away_what_was_said_of_one_that_does_not(session, photo):
    panel = EmbedPanel(session)
    panel.take(photo)
    for x, level in ((500, "error"), (15, "info")):
        panel.aligning.place._receive(None, {"t": "box", "box": [x, 20, 12, 0]}, [])
        assert session.message.level == level
    panel.close()


def test_an_error_stays_while_pictures_of_the_background_are_drawn(session, wrong, until):
    session.apply(Sample(7)).wait(10)
    wrong()
    until(lambda: all(entry.thumbnail is not None for entry in session.entries))
    assert session.message.level == "error"
