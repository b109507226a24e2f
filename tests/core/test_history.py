"""Undo, redo, and the path between."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganedit_widgets.core import History, edits
from ganedit_widgets.core.probes import new_direction
from tests.tiny import tiny

TINY = tiny()
STOPS = [TINY.sample(seed) for seed in range(5)]


@pytest.fixture
def history():
    """Three edits long."""
    made = History(STOPS[0])
    for i in (1, 2, 3):
        made.push(edits.Sample(i), STOPS[i])
    return made


def test_it_begins_at_the_original_with_nothing_to_undo():
    history = History(STOPS[0])
    assert history.latent is STOPS[0] and not history.can_undo and not history.can_redo
    assert history.undo() is STOPS[0] and history.redo() is STOPS[0]


def test_undo_and_redo_walk_the_path(history):
    assert [history.undo() for _ in range(4)] == [STOPS[2], STOPS[1], STOPS[0], STOPS[0]]
    assert [history.redo() for _ in range(4)] == [STOPS[1], STOPS[2], STOPS[3], STOPS[3]]


def test_a_new_edit_forgets_what_was_undone(history):
    history.undo()
    history.undo()
    entry = history.push(edits.Sample(4), STOPS[4])
    assert [e.latent for e in history.entries] == [STOPS[0], STOPS[1], STOPS[4]]
    assert history.entries[-1] is entry and not history.can_redo and len(history) == 3


def test_one_may_go_anywhere_and_forget_nothing(history):
    assert history.go_to(1) is STOPS[1]
    assert (history.can_undo, history.can_redo) == (True, True)
    assert history.go_to(3) is STOPS[3]
    assert history.go_to(99) is STOPS[3] and history.go_to(-5) is STOPS[0]


def test_the_edits_that_led_here_are_told_in_order(history):
    history.undo()
    assert [edit.seed for edit in history.edits] == [1, 2]
    assert "2 of 3: Sample(2)" in repr(history)


def test_a_thumbnail_stays_with_its_entry(history):
    history.entries[1].thumbnail = "small"
    history.go_to(0)
    history.redo()
    assert history.entries[history.index].thumbnail == "small"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(["push", "undo", "redo"]), st.integers(-2, 8)), max_size=25))
def test_it_behaves_like_two_piles(actions):
    history, done, undone = History(STOPS[0]), [STOPS[0]], []
    for number, action in enumerate(actions):
        if action == "push":
            latent = STOPS[number % 5]
            history.push(edits.Sample(number), latent)
            done, undone = [*done, latent], []
        elif action == "undo" or (action not in ("redo",) and action < len(done) - 1):
            for _ in range(1 if action == "undo" else len(done) - 1 - max(action, 0)):
                if len(done) > 1:
                    undone.append(done.pop())
            _ = history.undo() if action == "undo" else history.go_to(action)
        else:
            for _ in range(1 if action == "redo" else action - len(done) + 1):
                if undone:
                    done.append(undone.pop())
            _ = history.redo() if action == "redo" else history.go_to(action)
        assert history.latent is done[-1]
        assert len(history.edits) == len(done) - 1 and history.can_redo == bool(undone)


def test_it_knows_which_seed_or_picture_the_present_one_began_with(history):
    pixels = np.zeros((16, 16, 3), np.uint8)
    direction = new_direction(TINY, torch.ones(TINY.latent_shape[1]), "d")
    history.push(edits.Stack((edits.Sample(9), edits.MoveAlong(direction, 1.0))), STOPS[4])
    assert history.begun.seed == 9
    history.push(edits.MoveAlong(direction, 1.0), STOPS[4])
    assert history.begun.seed == 9
    history.push(edits.Embed(pixels, iterations=1, start="current"), STOPS[4])
    assert history.begun.seed == 9  # it went on from there
    history.push(edits.Embed(pixels, iterations=1), STOPS[4])
    assert isinstance(history.begun, edits.Embed)
    history.go_to(2)
    assert history.begun.seed == 2
    history.go_to(0)
    assert history.begun is None
