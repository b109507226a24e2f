"""The expression panel without a browser."""

import numpy as np
import pytest

from ganedit_widgets.core.edits import Sample, TransferExpression, run
from ganedit_widgets.panels import ExpressionPanel


@pytest.fixture
def panel(session):
    panel = ExpressionPanel(session)
    yield panel
    panel.close()


def choose(panel, neutral=5, expressive=6):
    panel.neutral.take_seed(neutral)
    panel.expressive.take_seed(expressive)
    panel.session.wait(10)


def drag(panel, key, value):
    panel.knobs._receive(None, {"t": "input", "key": key, "value": value, "final": True, "stamp": ["a", 1]}, [])
    panel.session.wait(10)


def transferred(session, *args, **options):
    edit = TransferExpression(Sample(5), Sample(6), *args, **options)
    return run(session.generator, session.latent, edit)


def test_it_says_which_picture_is_missing(panel):
    assert panel.apply_button.tooltip == "Choose the neutral picture first"
    panel.neutral.take_seed(5)
    assert panel.apply_button.tooltip == "Choose the expressive picture first"
    assert panel.edit() is None


def test_both_pictures_show_the_expression_at_once(panel, session, drawn):
    choose(panel)
    assert panel.knobs.values["strength"] == 1.0
    assert np.array_equal(session.pixels, drawn(transferred(session)))


def test_strength_threshold_and_layers_reach_the_picture(panel, session, drawn):
    choose(panel)
    drag(panel, "strength", 0.5)
    drag(panel, "threshold", 0.4)
    panel.toggles["middle"].value = False
    session.wait(10)
    assert panel.edit().layers == (0, 3, 4, 5)
    assert np.array_equal(session.pixels, drawn(transferred(session, 0.5, 0.4, (0, 3, 4, 5))))
    panel.toggles["middle"].value = True
    assert panel.edit().layers is None


def test_apply_records_and_the_pictures_stay_for_the_next_identity(panel, session):
    choose(panel)
    panel.apply_button.click()
    session.wait(10)
    assert session.entries[-1].label == "like seed 6 +1"
    assert panel.knobs.values["strength"] == 0 and panel.apply_button.tooltip == "Give it a strength first"
    drag(panel, "strength", -1.0)
    assert session.pending.strength == -1.0


def test_reset_shows_the_identity_again(panel, session):
    before = session.pixels
    choose(panel)
    panel.reset_button.click()
    session.wait(10)
    assert np.array_equal(session.pixels, before)


def test_how_much_the_look_has_changed_is_said(panel, session, until):
    choose(panel)
    until(lambda: panel.score.value.startswith("Change of look 0."))
    weak = panel.score.value
    drag(panel, "strength", 0.05)
    until(lambda: panel.score.value != weak)
    assert float(panel.score.value.split()[3].rstrip(":")) < float(weak.split()[3].rstrip(":"))


def test_the_expression_of_the_picture_on_show_can_be_taken(panel, session, until):
    panel.neutral.take_seed(5)
    panel.expressive.here_button.click()
    until(lambda: panel.expressive.choice is not None)
    assert panel.expressive.source.seed == 4 and panel.expressive.choice.name == "seed 4"
