"""The embed panel's search without a browser: where it begins, how often it tries, and what it leaves out."""

import numpy as np
import pytest

from ganedit_widgets.core import save_image
from ganedit_widgets.core.edits import Embed, EmbedParts
from ganedit_widgets.core.encoder import Encoder, save_encoder
from ganedit_widgets.panels import EmbedPanel, Session
from ganedit_widgets.panels.embed_search import FROM_GUESS
from tests.core.test_encoder import network
from tests.tiny import tiny


@pytest.fixture
def panel(session):
    panel = EmbedPanel(session)
    yield panel
    panel.close()


@pytest.fixture
def picture():
    """A picture (48, 48, 3), a plain left half and a noisy right one."""
    pixels = np.full((48, 48, 3), 200, np.uint8)
    pixels[:, 24:] = np.random.default_rng(3).integers(0, 255, (48, 24, 3))
    return pixels


def hole(panel):
    panel.hole_fold.opened = True
    return panel.hole_fold.content


def leave_out(panel, *box):
    """The user fills x0, y0, x1, y1 of the painter's picture."""
    x0, y0, x1, y1 = box
    hole(panel).painter.polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], "left out")


def searched(panel, steps=5):
    panel.iterations.value = steps
    panel.apply()
    panel.session.wait(30)


def shown(widget):
    return widget.layout.display is None


# ---- where it begins


def test_with_an_encoder_the_search_begins_at_its_guess_and_takes_fewer_steps(tmp_path, picture):
    generator = tiny()
    save_encoder(tmp_path / "e.safetensors", Encoder(network(generator), generator))
    generator.encoder_file = tmp_path / "e.safetensors"
    session = Session(generator)
    panel = EmbedPanel(session)
    panel.take(picture)
    edit = panel.edit()
    assert (edit.start, edit.iterations) == ("encoder", FROM_GUESS) and FROM_GUESS < Embed.iterations
    assert Embed.start == "average"  # core stays as the paper is
    searched(panel, 3)
    assert session.history.edits[-1].start == "encoder"
    panel.close()
    session.close()


def test_without_an_encoder_it_begins_at_the_average(panel, picture):
    panel.take(picture)
    assert (panel.edit().start, panel.edit().iterations) == ("average", Embed.iterations)
    assert "encoder" not in [value for _, value in panel.start.options]


def test_tries_are_asked_for_only_where_chance_has_a_part(panel, session, picture):
    panel.take(picture)
    search = panel.search
    assert not shown(search.tries_row) and panel.edit().restarts == 1
    search.tries.value = 3
    assert panel.edit().restarts == 1
    panel.start.value = "random"
    assert shown(search.tries_row) and panel.edit().restarts == 3
    panel.start.value, panel.space.value = "average", "z"
    assert shown(search.tries_row) and not shown(search.start_row) and panel.edit().restarts == 3
    searched(panel, 3)
    assert session.history.edits[-1].restarts == 3 and session.message.level != "error"


# ---- what it leaves out


def test_nothing_can_be_left_out_before_there_is_a_picture(panel, picture):
    assert not shown(panel.hole_fold)
    panel.take(picture)
    assert shown(panel.hole_fold) and not panel.hole_fold.made
    assert hole(panel).mask is None and hole(panel).clear_button.disabled
    assert isinstance(panel.edit(), Embed)


def test_what_is_left_out_has_no_influence_on_the_search(panel, session, picture):
    other = picture.copy()
    other[:, 24:] = 0
    found = []
    for pixels in (picture, other):
        panel.take(pixels)
        leave_out(panel, 5, 0, 16, 16)  # three columns more than differ: scaling mixes neighbors
        edit = panel.edit()
        assert (
            isinstance(edit, EmbedParts) and not edit.parts[0].where[:, 5:].any() and edit.parts[0].where[:, :5].all()
        )
        searched(panel, 6)
        found.append(session.latent.w)
    assert np.allclose(found[0].numpy(), found[1].numpy(), atol=1e-6)


def test_the_controls_that_a_search_with_a_hole_has_not_are_hidden(panel, picture):
    panel.take(picture)
    panel.start.value = "random"
    leave_out(panel, 0, 0, 8, 8)
    assert not shown(panel.space) and not shown(panel.search.tries_row) and shown(panel.search.start_row)
    assert panel.edit().start == "random"
    hole(panel).clear_button.click()
    assert shown(panel.space) and isinstance(panel.edit(), Embed)


def test_the_closed_section_says_how_much_is_left_out(panel, picture):
    panel.take(picture)
    for box, title in (
        ((0, 0, 8, 8), "Leave out a part (25 % left out)"),
        ((-1, -1, 17, 17), "Leave out a part (100 % left out)"),
    ):
        leave_out(panel, *box)
        assert panel.hole_fold.toggle.description == f"▾ {title}"
        panel.hole_fold.toggle.click()
        assert panel.hole_fold.toggle.description == f"▸ {title}"
        hole(panel).clear_button.click()
        assert panel.hole_fold.toggle.description == "▾ Leave out a part"
    painter = hole(panel).painter
    mask = np.zeros_like(painter.mask)
    mask[0, 0] = 1
    painter.load(mask)
    assert "less than 1 % left out" in panel.hole_fold.title
    mask[:] = 1
    mask[0, 0] = 0
    painter.load(mask)
    assert "(99 % left out)" in panel.hole_fold.title  # something is matched
    panel.take(255 - picture)
    assert panel.hole_fold.title == "Leave out a part"


def test_weights_that_were_moved_reach_it_and_others_are_its_own(panel, picture):
    panel.take(picture)
    leave_out(panel, 0, 0, 8, 8)
    usual = panel.edit()
    panel.weights_fold.opened = True
    assert (panel.edit().stay, panel.edit().parts[0].pixel) == (usual.stay, usual.parts[0].pixel)
    panel.weights_fold.content.set("stay", 0.4)
    panel.weights_fold.content.set("pixel", 7)
    assert (panel.edit().stay, panel.edit().parts[0].pixel) == (0.4, 7)


def test_everything_cannot_be_left_out(panel, session, picture):
    panel.take(picture)
    leave_out(panel, -1, -1, 17, 17)
    assert panel.apply_button.disabled and panel.apply_button.tooltip.startswith("Everything is left out")
    panel.apply()
    assert "Everything is left out" in session.message.text


def test_another_picture_or_box_is_matched_wholly_again(panel, picture):
    panel.take(picture)
    leave_out(panel, 0, 0, 8, 8)
    panel.aligning.place._receive(None, {"t": "box", "box": [24, 24, 30, 0]}, [])
    assert isinstance(panel.edit(), Embed) and hole(panel).mask is None
    assert np.array_equal(hole(panel).painter.image, panel.target.pixels)


def test_the_report_card_judges_what_was_matched(panel, session, picture, until):
    panel.take(picture)
    leave_out(panel, 7, 0, 16, 16)
    searched(panel, 60)
    until(lambda: panel.card.card is not None)
    card = panel.card.card
    assert np.array_equal(card.before, panel.target.pixels)
    assert not card.difference[:, 8:].any() and card.difference[:, :6].any()


def test_the_shown_code_fills_the_hole_too(panel, session, picture, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_image("photo.png", picture)
    panel.take("photo.png")
    leave_out(panel, 7, 0, 16, 16)
    searched(panel, 4)
    for name, contents in session.code_files().items():
        (tmp_path / name).write_bytes(contents)
    names = {}
    exec(session.code(), names)
    assert np.array_equal(names["picture"], session.pixels)
    assert 'read_image("photo.png"' in session.code() and "where=" in session.code()


def test_a_search_with_a_hole_is_compared_with_its_picture_and_can_be_stopped(panel, session, picture, until):
    panel.take(picture)
    leave_out(panel, 7, 0, 16, 16)
    searched(panel)
    until(lambda: np.array_equal(session.before, panel.target.pixels))
    panel.iterations.value = 5000
    panel.apply()
    until(lambda: len(panel.scrubber.frames) >= 3)
    panel.stop_button.click()
    session.wait(10)
    assert 2 <= session.history.edits[-1].total < 5000
    assert shown(panel.scrubber)
