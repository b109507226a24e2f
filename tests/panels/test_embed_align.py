"""The embed panel around the search, without a browser: the box, the report card, earlier steps, the original."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.core import to_pixels
from ganedit_widgets.core.align import Box, Found, crop, paste_back
from ganedit_widgets.core.align.aligner import Aligner, AlignerConfig, AlignerNetwork
from ganedit_widgets.core.edits import Embed, MoveAlong, Restore, Sample
from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.probes import sefa
from ganedit_widgets.panels import EmbedPanel, Frame
from ganedit_widgets.panels.alignbox import LONGEST, AlignBox


@pytest.fixture
def panel(session):
    panel = EmbedPanel(session)
    yield panel
    panel.close()


@pytest.fixture
def large():
    """A picture (90, 120, 3) in which one cannot see what a tiny generator draws."""
    small = np.random.default_rng(1).integers(0, 255, (9, 12, 3), np.uint8)
    return np.array(Image.fromarray(small).resize((120, 90), Image.Resampling.BICUBIC))


def upload(panel, pixels, name="me.png"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    message = {"t": "upload", "name": name, "size": len(file.getvalue())}
    panel.upload._receive(None, message, [memoryview(file.getvalue())])


def let_go(panel, *box):
    """The user lets the box go here."""
    panel.aligning.place._receive(None, {"t": "box", "box": list(box)}, [])


def searched(panel, session, until, steps=6):
    panel.iterations.value = steps
    panel.apply()
    session.wait(30)
    until(lambda: panel.card.card is not None)


# ---- the box


def test_without_a_picture_there_is_no_box(panel):
    assert panel.aligning.layout.display == "none" and panel.aligning.box is None
    with pytest.raises(ImageError, match="Choose a picture first"):
        panel.aligning.find()


def test_a_new_picture_is_not_aligned_and_its_box_is_the_middle(panel, large):
    upload(panel, large)
    assert panel.aligning.layout.display is None
    assert panel.aligning.box == Box(60, 45, 90) and panel.target.box is None
    assert np.array_equal(panel.target.pixels, read_image(large, (16, 16)))


def test_the_box_that_was_let_go_is_what_is_embedded(panel, large):
    upload(panel, large)
    let_go(panel, 50, 40, 31.004, 12)
    assert panel.aligning.box == Box(50, 40, 31, 12)
    assert np.array_equal(panel.edit().picture.pixels, crop(large, Box(50, 40, 31, 12), (16, 16)))
    panel.aligning.whole_button.click()
    assert np.array_equal(panel.target.pixels, read_image(large, (16, 16)))


def test_a_box_outside_is_one_sentence_and_changes_nothing(panel, session, large):
    upload(panel, large)
    before = panel.target
    let_go(panel, 500, 40, 30, 0)
    assert session.message.level == "error" and "wholly outside" in session.message.text
    assert panel.target is before


def test_the_page_gets_a_small_copy_and_the_box_whenever_it_asks(large):
    place, sent = AlignBox(), []
    place.send = lambda message, buffers=None: sent.append((message, buffers))
    place.show(np.tile(large, (10, 10, 1)), Box(60, 45, 90))
    place._receive(None, {"t": "ready"}, [])
    (first, (contents,)), second = sent[0], sent[1]
    assert first["width"] == 1200 and first["height"] == 900 and first["box"] == [60, 45, 90, 0]
    assert max(Image.open(io.BytesIO(contents)).size) == LONGEST
    assert second[0] == first
    place.close()


def test_automatic_says_why_it_cannot_be_pressed(panel, large):
    upload(panel, large)
    assert panel.aligning.automatic_button.disabled
    assert panel.aligning.automatic_button.tooltip == "No aligner comes with this model"


class Pointing(Aligner):
    """An aligner that always says the same."""

    def __init__(self, box):
        super().__init__(AlignerNetwork(AlignerConfig()))
        self.box = box

    def looks(self, source, count):
        return [self.box] * count


@pytest.fixture
def pointing(session):
    session.generator.__dict__["_aligner"] = Pointing(Box(30, 30, 24, 5))
    yield
    del session.generator.__dict__["_aligner"]


def test_automatic_places_the_box_where_the_aligner_says(panel, session, large, until, pointing):
    upload(panel, large)
    until(lambda: "press Automatic" in panel.aligning.note.value)
    panel.aligning.automatic().wait(10)
    assert panel.aligning.box == Box(30, 30, 24, 5) and panel.aligning.note.value == ""


def test_an_aligner_that_is_not_sure_leaves_the_box_and_says_so(panel, session, large, until, pointing):
    aligner = session.generator.__dict__["_aligner"]
    aligner.looks = lambda source, count: [Box(30, 30, 24, 10 * look) for look in range(count)]
    upload(panel, large)
    until(lambda: "by hand" in panel.aligning.note.value)
    before = panel.aligning.box
    panel.aligning.note.value = ""
    panel.aligning.automatic().wait(10)
    assert panel.aligning.box != Box(30, 30, 24, 10) and panel.aligning.box == before
    assert "by hand" in panel.aligning.note.value


def test_nothing_is_said_about_a_picture_that_is_aligned(panel, session, large, until, pointing):
    upload(panel, large[18:42, 18:42])
    session.generator.__dict__["_aligner"].box = Box(12, 12, 23, 2)
    session.in_background("after", lambda: iter([None])).wait(10)
    panel.aligning.take(panel.aligning.source, panel.target)
    session.in_background("after", lambda: iter([None])).wait(10)
    assert panel.aligning.note.value == ""


def test_the_aligner_looks_at_a_picture_once(panel, session, large, until, pointing):
    aligner, asked = session.generator.__dict__["_aligner"], []
    aligner.looks = lambda source, count: asked.append(source) or [aligner.box] * count
    upload(panel, large)
    until(lambda: "press Automatic" in panel.aligning.note.value)
    panel.aligning.automatic().wait(10)
    panel.aligning.automatic().wait(10)
    assert len(asked) == 1 and panel.aligning.box == aligner.box
    upload(panel, large[:, ::-1].copy())
    panel.aligning.automatic().wait(10)
    assert len(asked) == 2


# ---- find it for me


@pytest.fixture
def scene(session, drawn):
    """A picture (96, 128, 3) with one of the generator at `PLACE`."""
    tile = Image.fromarray(drawn(session.generator.sample(5))).resize((60, 60), Image.Resampling.BICUBIC)
    pixels = np.full((96, 128, 3), 127, np.uint8)
    pixels[15:75, 10:70] = np.array(tile)
    return pixels


PLACE = Box(40, 45, 60)


def looking(panel, session, until, step=3):
    """Press the button, and wait until it is at work."""
    panel.aligning.find_button.click()
    until(lambda: session.progress and session.progress.step >= step)


def test_what_the_model_could_have_drawn_is_found(panel, scene):
    upload(panel, scene)
    panel.aligning.find(iterations=15).wait(60)
    box = panel.target.box
    assert np.hypot(box.x - PLACE.x, box.y - PLACE.y) < 9 and box.side == pytest.approx(60, rel=0.15)
    assert np.array_equal(panel.target.pixels, crop(scene, panel.aligning.box, (16, 16)))
    assert panel.aligning.note.value == "" and panel.aligning.other_button.layout.display == "none"


def test_a_box_that_cannot_be_trusted_is_offered_and_the_one_before_stays(panel, large):
    upload(panel, large)
    let_go(panel, 50, 40, 31, 12)
    before = panel.target
    panel.aligning.find(iterations=3).wait(60)
    assert panel.target is before and panel.aligning.place.box == Box(50, 40, 31, 12)
    assert "cannot be trusted" in panel.aligning.note.value
    button = panel.aligning.other_button
    assert button.layout.display is None and button.description == "Use what it found"
    button.click()
    assert panel.aligning.box == panel.aligning.place.box != Box(50, 40, 31, 12)
    assert panel.aligning.note.value == "" and button.layout.display == "none"


def test_what_the_model_fits_is_trusted_only_if_its_aligner_sees_something(
    panel, session, scene, pointing, monkeypatch
):
    found = Found(PLACE, session.latent, 1, 1, fit=0.1, oddity=1.0)
    monkeypatch.setattr("ganedit_widgets.panels.aligning.find_box", lambda *args: iter([found]))
    aligner = session.generator.__dict__["_aligner"]
    upload(panel, scene)
    panel.aligning.find().wait(10)
    assert panel.target.box == PLACE
    aligner.looks = lambda source, count: [Box(30, 30, 24, 10 * look) for look in range(count)]
    upload(panel, scene)
    panel.aligning.find().wait(10)
    assert panel.target.box is None and panel.aligning.other_button.description == "Use what it found"


def test_a_search_that_fails_says_that_the_aligner_sees_it(panel, session, large, until, pointing):
    upload(panel, large)
    panel.aligning.find(iterations=1).wait(30)
    note = panel.aligning.note
    assert "cannot be trusted" in note.value and note.value.endswith("press Automatic.")
    panel.aligning.automatic().wait(10)
    panel.aligning.find(iterations=1).wait(30)
    assert "cannot be trusted" in note.value and "Automatic" not in note.value  # it is there already


def test_it_says_how_long_it_takes_and_the_button_stops_it_with_the_best_so_far(panel, session, large, until):
    upload(panel, large)
    before, button = panel.aligning.box, panel.aligning.find_button
    looking(panel, session, until, 40)
    assert session.busy == "finding the box" and button.description == "Stop looking"
    until(lambda: " left. Stop looking keeps" in panel.aligning.note.value)
    button.click()
    until(lambda: button.description == "Find it for me")
    assert panel.target.box == panel.aligning.box != before and "Stopped before" in panel.aligning.note.value
    panel.aligning.other_button.click()
    assert panel.aligning.box == before


def test_stopped_before_it_has_looked_anywhere_it_leaves_the_box(panel, session, large, until, monkeypatch):
    def drawing(generator, source, iterations):
        for step in range(1, 5000):
            time.sleep(0.005)
            yield Found(Box(20, 20, 20), None, step, 5000)

    monkeypatch.setattr("ganedit_widgets.panels.aligning.find_box", drawing)
    upload(panel, large)
    before = panel.target
    looking(panel, session, until)
    session.stop()
    until(lambda: panel.aligning.find_button.description == "Find it for me")
    assert panel.target is before and panel.aligning.place.box == panel.aligning.box
    assert panel.aligning.note.value == "" and panel.aligning.other_button.layout.display == "none"


def test_a_box_that_the_user_moves_meanwhile_is_kept(panel, session, large, until):
    upload(panel, large)
    looking(panel, session, until)
    let_go(panel, 50, 40, 31, 12)
    until(lambda: panel.aligning.find_button.description == "Find it for me")
    assert panel.aligning.box == panel.aligning.place.box == Box(50, 40, 31, 12)


# ---- after the search


def test_the_report_card_is_that_of_the_result(panel, session, large, until, drawn):
    upload(panel, large)
    assert panel.card.layout.display == "none"
    searched(panel, session, until)
    card = panel.card.card
    assert np.array_equal(card.before, panel.target.pixels)
    assert np.array_equal(card.after, drawn(session.latent))
    assert card.verdict.split(",")[0] in panel.card.value and panel.card.value.count("<img") == 3


def test_earlier_steps_can_be_looked_at_and_continued_from(panel, session, large, until, drawn):
    upload(panel, large)
    panel.iterations.value = 400
    panel.apply()
    until(lambda: len(panel.scrubber.frames) >= 3)
    session.stop()
    session.wait(10)
    frames = panel.scrubber.frames
    assert panel.scrubber.layout.display is None and panel.scrubber.slider.max == len(frames) - 1
    panel.scrubber.slider.value = 1
    session.wait(10)
    assert np.array_equal(session.pixels, drawn(frames[1].latent))
    assert f"step {frames[1].step} of" in panel.scrubber.label.value
    panel.iterations.value = 3
    panel.weights_fold.opened = True
    panel.weights_fold.content.set("stay", 0.25)
    panel.scrubber.resume_button.click()
    session.wait(10)
    restored, edit = session.history.edits[-2:]
    assert isinstance(restored, Restore) and restored.latent is frames[1].latent
    assert isinstance(edit, Embed) and edit.start == "current" and edit.iterations == 3
    assert (edit.stay, edit.pixel) == (0.25, Embed.pixel)


def test_another_picture_is_not_put_into_the_original(panel, session, large, until):
    upload(panel, large)
    searched(panel, session, until)
    button = panel.original.save_button
    until(lambda: not button.disabled)
    session.undo()
    until(lambda: button.disabled and "not made from the embedded one" in button.tooltip)
    session.redo()
    until(lambda: not button.disabled)
    session.apply(MoveAlong(sefa(session.generator)[0], 0.5)).wait(10)
    assert not button.disabled  # an edit of it
    session.apply(Sample(8)).wait(10)
    until(lambda: button.disabled)


def test_the_edited_picture_is_put_back_into_the_original(panel, session, large, until, drawn):
    upload(panel, large, "holiday.jpg")
    let_go(panel, 60, 45, 40, 20)
    searched(panel, session, until)
    session.preview(MoveAlong(sefa(session.generator)[0], 2.0)).wait(10)
    given = []
    panel.original.make(lambda *file: given.append(file)).wait(10)
    ((name, contents),) = given
    box = Box(60, 45, 40, 20)
    assert name == "holiday_edited.png"
    assert np.array_equal(read_image(contents), paste_back(large, session.pixels, box))
    embedded = drawn(panel.original.embedded)
    panel.original.way.value = "change"
    assert np.array_equal(panel.original.pasted(), paste_back(large, session.pixels, box, since=embedded))


def test_the_code_beside_it_puts_it_back_too(panel, session, large, until, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.fromarray(large).save("photo.png")
    panel.take("photo.png")
    let_go(panel, 60, 45, 40, 20)
    searched(panel, session, until)
    names = {}
    exec(session.code() + panel.original.code(), names)
    assert np.array_equal(names["picture"], panel.original.pasted())
    assert np.array_equal(read_image("photo_edited.png"), panel.original.pasted())


def test_the_file_is_given_through_the_frame(session, large, until):
    frame = Frame(session, [EmbedPanel])
    panel, given = frame.panel, []
    panel.take(large)
    searched(panel, session, until)
    frame.head.download = lambda *file: given.append(file)
    panel.original.save_button.click()
    until(lambda: given)
    assert given[0][:2] == ("original_edited.png", "image/png")
    assert read_image(given[0][2]).shape == large.shape
    frame.close()


def test_before_any_search_nothing_can_be_put_back(panel):
    with pytest.raises(ImageError, match="Embed a picture first"):
        panel.original.pasted()
    assert panel.original.layout.display == "none"


def test_a_second_search_replaces_card_and_steps(panel, session, large, until):
    upload(panel, large)
    searched(panel, session, until)
    first = panel.card.card
    let_go(panel, 40, 40, 30, 0)
    panel.apply()
    session.wait(30)
    until(lambda: panel.card.card is not None and panel.card.card is not first)
    assert panel.original.box == Box(40, 40, 30)
    assert to_pixels(session.generator.draw(session.latent)).shape == panel.card.card.after.shape
