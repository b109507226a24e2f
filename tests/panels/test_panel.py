"""The base every panel stands on, with a panel of one slider: no browser."""

import ipywidgets as ipw
import numpy as np
import pytest
import torch

from ganedit_widgets.core.edits import MoveAlong
from ganedit_widgets.core.probes import new_direction
from ganedit_widgets.panels import Frame, Panel
from tests.tiny import tiny


class Smile(Panel):
    """As small as a panel can be."""

    title = "Smile"
    hint = "Make it smile"

    def __init__(self, session, generator=None):
        self.direction = new_direction(generator or session.generator, torch.ones(8), "smile")
        self.strength = ipw.FloatSlider(0, min=-3, max=3)
        super().__init__(session, [self.strength])
        self.strength.observe(lambda _: self.preview(), "value")

    def edit(self):
        return MoveAlong(self.direction, self.strength.value) if self.strength.value else None

    def reset(self):
        self.strength.value = 0


class Frown(Smile):
    title = "Frown"

    def edit(self):
        return MoveAlong(self.direction, -self.strength.value) if self.strength.value else None


def names(session):
    return [type(edit).__name__ for edit in session.history.edits]


def test_the_picture_follows_a_control(session):
    panel, before = Smile(session), session.pixels
    panel.strength.value = 1.5
    session.wait(10)
    assert not np.array_equal(session.pixels, before)
    assert session.pending.strength == 1.5 and names(session) == ["Sample"]


def test_apply_records_what_is_on_show_and_the_controls_come_to_rest(session):
    panel = Smile(session)
    panel.strength.value = 1.5
    session.wait(10)
    shown = session.pixels
    panel.apply_button.click()
    session.wait(10)
    assert panel.strength.value == 0 and names(session) == ["Sample", "MoveAlong"]
    assert np.array_equal(session.pixels, shown)
    panel.strength.value = 1.5  # goes on from there
    session.wait(10)
    assert not np.array_equal(session.pixels, shown)


def test_a_flood_of_moves_is_one_edit(session):
    panel = Smile(session)
    for i in range(1, 101):
        panel.strength.value = i / 50
    panel.apply_button.click()
    session.wait(10)
    assert [edit.strength for edit in session.history.edits[1:]] == [2.0]
    assert panel.strength.value == 0


def test_reset_puts_controls_and_picture_back(session):
    panel, before = Smile(session), session.pixels
    panel.strength.value = 1.5
    panel.reset_button.click()
    session.wait(10)
    assert panel.strength.value == 0 and session.pending is None
    assert np.array_equal(session.pixels, before)


def test_a_refused_edit_leaves_the_controls_alone(session):
    panel = Smile(session, tiny(1))  # a direction of another model
    panel.strength.value = 1.5
    panel.apply_button.click()
    with pytest.raises(Exception, match="belongs to checkpoint"):
        session.wait(10)
    assert panel.strength.value == 1.5 and names(session) == ["Sample"]
    assert session.message.level == "error"


def test_undo_of_a_preview_brings_the_controls_to_rest(session):
    panel = Smile(session)
    panel.strength.value = 1.5
    session.undo().wait(10)
    assert panel.strength.value == 0 and names(session) == ["Sample"]


def test_what_one_panel_shows_another_builds_on(session):
    smile, frown = Smile(session), Frown(session)
    smile.strength.value = 1.5
    session.wait(10)
    frown.strength.value = 1.0
    session.wait(10)
    assert names(session) == ["Sample", "MoveAlong"] and smile.strength.value == 0
    assert session.pending.strength == -1.0
    session.undo().wait(10)
    session.undo().wait(10)
    assert names(session) == ["Sample"]


def test_disabled_buttons_say_why(session):
    panel = Smile(session)
    assert panel.apply_button.disabled and "change something" in panel.apply_button.tooltip
    assert panel.reset_button.disabled and "rest" in panel.reset_button.tooltip
    panel.strength.value = 1.0
    assert not panel.apply_button.disabled and "Enter" in panel.apply_button.tooltip


def test_an_error_in_a_control_is_told_not_swallowed(session):
    class Broken(Smile):
        def why_not(self):
            return ""

        def edit(self):
            if hasattr(self, "apply_button") and self.strength.value:
                raise ZeroDivisionError("no")

    panel = Broken(session)
    panel.strength.unobserve_all()
    panel.strength.value = 1.0
    panel.apply_button.click()
    assert session.message.level == "bug" and "ZeroDivisionError" in session.message.text


def test_a_panel_has_a_frame_of_its_own_or_shares_one(session):
    alone = Smile(session)
    assert alone.frame.panel is alone and alone.frame is alone.frame
    both = Frame(session, [Smile, Frown])
    assert both.panel.frame is both


def test_panels_are_made_when_their_tab_is_first_chosen_and_kept(session):
    frame = Frame(session, [Smile, Frown])
    assert frame.head.tabs == ["Smile", "Frown"] and frame.head.hints == ["Make it smile"] * 2
    smile = frame.panel
    frame.head.tab = 1
    assert type(frame.panel) is Frown and smile.layout.display == "none"
    frame.head.tab = 0
    assert frame.panel is smile and smile.layout.display is None


def test_a_panel_may_show_something_in_place_of_the_stage(session):
    class Painter(Smile):
        def __init__(self, session):
            self.view = ipw.HTML("canvas")
            super().__init__(session)

    frame = Frame(session, [Smile, Painter])
    frame.head.tab = 1
    assert frame.stage.layout.display == "none" and frame.panel.view.layout.display is None
    frame.head.tab = 0
    assert frame.stage.layout.display is None


def test_a_closed_panel_no_longer_listens(session):
    panel = Smile(session)
    panel.strength.value = 1.0
    session.wait(10)
    panel.close()
    session.keep().wait(10)
    assert panel.strength.value == 1.0
