"""The embed panel without a browser: choose, start, watch, stop."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core.edits import Embed, Sample
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import read_image
from ganedit_widgets.panels import EmbedPanel, Frame, TraversePanel
from ganedit_widgets.panels.chrome import LIMIT
from ganedit_widgets.panels.plot import loss_curve


@pytest.fixture
def panel(session):
    panel = EmbedPanel(session)
    yield panel
    panel.close()


def file_of(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def upload(panel, contents):
    panel.upload._receive(None, {"t": "upload", "name": "a.png", "size": len(contents)}, [memoryview(contents)])


def test_it_cannot_start_without_a_picture_and_says_so(panel):
    assert panel.apply_button.disabled and panel.apply_button.tooltip == "Choose a picture first"
    assert panel.stop_button.disabled and panel.stop_button.tooltip == "Nothing is running"
    assert panel.apply_button.description == "Start"


def test_an_uploaded_picture_is_cropped_shown_and_can_be_embedded(panel, session, photo):
    upload(panel, file_of(photo))
    assert panel.target.pixels.shape == (16, 16, 3) and not panel.apply_button.disabled
    assert np.array_equal(panel.target.pixels, read_image(photo, (16, 16))) and panel.target.box is None
    assert session.pending is None  # nothing moves before Start


def test_start_embeds_and_the_result_is_recorded_and_compared_with_the_target(panel, session, photo, until, drawn):
    upload(panel, file_of(photo))
    panel.iterations.value = 5
    panel.apply_button.click()
    session.wait(30)
    edit = session.history.edits[-1]
    assert isinstance(edit, Embed) and edit.iterations == 5
    assert np.array_equal(session.pixels, drawn(session.latent))
    until(lambda: np.array_equal(session.before, panel.target.pixels))
    assert "PSNR" in panel.numbers.value and "<polyline" in panel.plot.value
    assert not panel.apply_button.disabled  # the picture is still there, for another try


def test_settings_reach_the_search(panel, photo):
    panel.take(photo)
    panel.space.value, panel.start.value, panel.iterations.value = "w", "current", 7
    edit = panel.edit()
    assert (edit.space, edit.start, edit.iterations) == ("w", "current", 7)
    assert (edit.stay, edit.pixel) == (Embed.stay, Embed.pixel)


def test_w_can_be_searched_before_w_plus_but_not_when_going_on(panel, session, photo):
    panel.take(photo)
    panel.space.value, panel.iterations.value = "w, then w+", 6
    assert (panel.edit().space, panel.edit().first_w) == ("w+", 2)
    panel.apply()
    session.wait(30)
    assert session.history.edits[-1].first_w == 2
    panel.start.value = "current"
    assert panel.edit().first_w == 0


def test_stop_midway_keeps_the_best_so_far(panel, session, photo, until):
    panel.take(photo)
    panel.iterations.value = 5000
    panel.apply_button.click()
    until(lambda: session.progress and session.progress.step >= 2)
    assert not panel.stop_button.disabled
    panel.stop_button.click()
    session.wait(10)
    assert 2 <= session.history.edits[-1].total < 5000
    assert panel.stop_button.disabled


def test_start_cannot_be_pressed_again_while_it_searches(panel, session, photo, until):
    panel.take(photo)
    panel.iterations.value = 3000
    panel.apply()
    assert panel.apply_button.disabled and "press Stop first" in panel.apply_button.tooltip
    panel.apply()
    assert "press Stop first" in session.message.text
    until(lambda: session.progress and session.progress.step > 3)
    session.stop()
    session.wait(30)
    assert not panel.apply_button.disabled and len(session.history.edits) == 2  # the sample, and one search


def test_another_picture_hides_what_was_told_of_the_one_before(panel, session, photo, until):
    panel.take(photo)
    panel.iterations.value = 5
    panel.apply()
    session.wait(30)
    until(lambda: panel.card.card is not None)
    assert panel.original.layout.display is None and panel.refine_fold.layout.display is None
    panel.take(photo[::-1].copy())
    assert panel.card.card is None and panel.original.save_button.disabled and panel.found is None
    hidden = (panel.original, panel.refine_fold, panel.report, panel.scrubber)
    assert [widget.layout.display for widget in hidden] == ["none"] * 4


def test_traverse_goes_on_from_the_embedded_picture(session, photo, drawn):
    frame = Frame(session, [EmbedPanel, TraversePanel])
    frame.panel.take(photo)
    frame.panel.iterations.value = 3
    frame.panel.apply()
    session.wait(30)
    embedded = session.latent
    frame.head.tab = 1
    traverse = frame.panel
    traverse.ready.wait(10)
    message = {"t": "input", "key": "SeFa 1", "value": 1.0, "final": True, "stamp": ["a", 1]}
    traverse.knobs._receive(None, message, [])
    session.wait(10)
    moved = next(iter(traverse.move("SeFa 1", 1.0).steps(session.generator, embedded)))
    assert np.array_equal(session.pixels, drawn(moved))


def test_a_path_on_the_server_is_read(panel, session, photo, tmp_path):
    (tmp_path / "photo.png").write_bytes(file_of(photo))
    panel.source.value = str(tmp_path / "photo.png")  # Enter, or leaving the field
    panel.open_source().wait(10)
    assert panel.target.source == str(tmp_path / "photo.png")
    assert panel.edit().picture is panel.target


@pytest.mark.parametrize(
    ("source", "words"),
    [("nowhere.png", "There is no picture"), ("http://example.org/a.png", "only https://"), ("", "Type a path")],
)
def test_a_source_that_cannot_be_read_is_one_sentence(panel, session, source, words):
    panel.source.unobserve_all()
    panel.source.value = source
    turn = panel.open_source()
    if turn is not None:
        turn.wait(10)
    assert words in session.message.text and session.message.level == "error"
    assert panel.target is None


@pytest.mark.parametrize("contents", [b"no picture at all", b"\x89PNG\r\n\x1a\n cut"])
def test_a_file_that_is_no_picture_is_one_sentence(panel, session, contents):
    upload(panel, contents)
    assert session.message.level == "error" and panel.target is None


def test_a_file_of_more_than_ten_megabytes_is_refused_with_a_way_out(panel, session):
    with pytest.raises(ImageError, match="put it on the server"):
        panel.take(bytes(LIMIT + 1))


def test_a_bad_picture_after_a_good_one_leaves_the_good_one(panel, session, photo):
    upload(panel, file_of(photo))
    kept = panel.target
    upload(panel, b"nonsense")
    assert panel.target is kept


def test_the_curve_of_the_loss_says_what_its_axes_are(panel, session, photo, until):
    panel.take(photo)
    panel.iterations.value = 5
    panel.apply()
    session.wait(30)
    losses = [n["loss"] for n in session.numbers]
    texts = re.findall(r"<span>([^<]*)</span>", panel.plot.value)
    assert texts == [f"{max(losses):.3g}", "loss, log", f"{min(losses):.3g}", "1", "step", "5"]
    assert max(losses) > min(losses)


def test_a_loss_ten_times_as_small_is_as_far_below_on_the_curve():
    (points,) = re.findall(r'points="([^"]*)"', loss_curve([100.0, 10.0, 1.0], 3, ""))
    (_, top), (_, middle), (_, bottom) = (map(float, point.split(",")) for point in points.split())
    assert top < middle < bottom and middle - top == pytest.approx(bottom - middle)
    assert "<polyline" not in loss_curve([], 3, "") and "<polyline" not in loss_curve([1.0], 3, "")


def test_numbers_of_other_edits_are_not_plotted(panel, session):
    before = panel.plot.value
    session.apply(Sample(3)).wait(10)
    assert panel.plot.value == before
