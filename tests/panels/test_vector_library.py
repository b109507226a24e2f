"""The vector library panel without a browser."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core import code_for, files_for
from ganedit_widgets.core.edits import MoveAlong, Refine, Sample, Stack, run
from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.core.segment import Labeled, SegmentPlan, train_segmenter
from ganedit_widgets.core.vectors import load_vectors, npy_bytes, vector_of, vectors_bytes
from ganedit_widgets.panels import VectorLibraryPanel
from tests.tiny import tiny


def vector(name, seed, classes=(), model=None, **about):
    delta = 0.4 * torch.randn(6, 8, generator=torch.Generator().manual_seed(seed))
    return vector_of(model or tiny(), delta, name, classes, about)


SMILE = vector("smile", 0, ("left",), author="Ada")
NOSE = vector("bigger nose", 1, ("right",), method="painted")
STRANGE = vector("wink", 2, model=tiny(seed=1))


@pytest.fixture(scope="module")
def segmenter():
    model = tiny()
    left = (np.indices((16, 16))[1] < 8).astype(np.uint8)
    labeled = [Labeled(model.sample(seed), left) for seed in range(3)]
    *_, last = train_segmenter(model, labeled, ("right", "left"), SegmentPlan(steps=80, models=2, rate=1e-2))
    return last.segmenter()


@pytest.fixture
def panel(session, until):
    session.vectors.add(SMILE, NOSE)
    panel = VectorLibraryPanel(session)
    yield panel
    panel.close()


def names(panel):
    return [card["name"] for card in panel.browser.cards.cards]


def number(panel, name):
    return next(entry.number for entry in panel.board.entries if entry.vector.name == name)


def drag(panel, name, *values):
    knobs, key = panel.stack.knobs, f"v{number(panel, name)}"
    for i, value in enumerate(values):
        last = i == len(values) - 1
        knobs._receive(None, {"t": "input", "key": key, "value": value, "final": last, "stamp": ["a", i]}, [])
    panel.session.wait(10)


def hear(panel, kind, name, **message):
    key = f"v{number(panel, name)}"
    panel.stack.knobs._receive(None, {"t": kind, "key": key, "stamp": ["a", 99], **message}, [])
    panel.session.wait(10)


def stack(panel, **scales):
    for name, scale in scales.items():
        panel.add(number(panel, name.replace("_", " ")), scale)
    panel.session.wait(10)


# ---- looking through


def test_cards_say_what_is_known_and_get_a_thumbnail(panel, until):
    until(lambda: all(card["image"] for card in panel.browser.cards.cards))
    smile, nose = panel.browser.cards.cards
    assert (smile["name"], smile["classes"], smile["range"]) == ("smile", "left", "−2 … +2")
    assert nose["source"] == "painted, 1 picture" and smile["about"] == "author: Ada" and smile["warn"] == ""
    assert panel.board.vectors[0].thumbnail.shape == (16, 32, 3)


def test_search_and_filter_narrow_the_cards(panel):
    panel.browser.search.value = "ADA"
    assert names(panel) == ["smile"]
    panel.browser.search.value = "ada nose"
    assert names(panel) == [] and "No vector" in panel.browser.cards.hint
    assert panel.browser.said.layout.display == "none"
    panel.browser.search.value = "smlie"
    assert names(panel) == ["smile"] and panel.browser.said.value == "Nothing is called “smlie”; the nearest:"
    panel.browser.search.value = ""
    panel.browser.filter.value = "right"
    assert names(panel) == ["bigger nose"]
    panel.browser.filter.value = ""
    assert names(panel) == ["smile", "bigger nose"]


def test_the_strip_shows_the_chosen_vector_on_the_present_picture(panel, session, until):
    until(lambda: len(panel.strip._cells) == 6)
    assert [caption for *_, caption in panel.strip._cells.values()] == ["−1", "−0.5", "0", "+0.5", "+1", "+1.5"]
    pictures = [pixels for _, pixels, _ in panel.strip._cells.values()]
    with torch.no_grad():
        expected = to_pixels(session.generator.draw(run(session.generator, session.latent, SMILE.at(-1.0))))
    assert np.array_equal(pictures[0], expected)
    panel.browser.choose(number(panel, "bigger nose"))
    until(lambda: panel.strip._number == number(panel, "bigger nose") and len(panel.strip._cells) == 6)
    session.apply(Sample(9)).wait(10)
    until(lambda: not np.array_equal(list(panel.strip._cells.values())[2][1], pictures[2]))


def test_a_click_on_the_strip_makes_the_vector_at_that_scale(panel, session, drawn):
    panel.strip.film._receive(None, {"t": "select", "id": f"{number(panel, 'smile')} -0.5"}, [])
    session.wait(10)
    assert np.array_equal(session.pixels, drawn(run(session.generator, session.latent, SMILE.at(-0.5))))
    assert panel.stack.scale(number(panel, "smile")) == -0.5


def test_enter_on_a_card_adds_and_delete_removes_with_undo(panel, session):
    cards = panel.browser.cards
    cards._receive(None, {"t": "order", "name": "add", "number": number(panel, "smile")}, [])
    session.wait(10)
    assert [v.name for v, _ in panel.stack.pairs()] == ["smile"]
    cards._receive(None, {"t": "order", "name": "delete", "number": number(panel, "smile")}, [])
    assert names(panel) == ["bigger nose"] and panel.stack.pairs() == [] and panel.browser.number
    panel.browser.undo_button.click()
    assert names(panel) == ["smile", "bigger nose"]
    panel.browser.redo_button.click()
    assert names(panel) == ["bigger nose"]


def test_renaming_reaches_card_stack_and_history(panel, session):
    stack(panel, smile=1.0)
    panel.browser.choose(number(panel, "smile"))
    panel.browser.name.value = "grin"
    assert names(panel) == ["grin", "bigger nose"] and panel.stack.knobs.rows[0]["label"] == "grin"
    panel.browser.name.value = "bigger nose"
    assert session.message.level == "error" and "Another edit vector" in session.message.text
    assert panel.browser.name.value == "grin"


# ---- the stack


def test_the_last_value_of_a_drag_wins_below_zero_and_above_one(panel, session, drawn):
    stack(panel, smile=1.0)
    for values in (np.linspace(1, -1.5, 30), np.linspace(-1.5, 2.4, 30)):
        drag(panel, "smile", *map(float, values))
        last = run(session.generator, session.latent, SMILE.at(float(values[-1])))
        assert np.array_equal(session.pixels, drawn(last))


def test_several_vectors_add_up_and_their_order_is_stated(panel, session, drawn):
    stack(panel, smile=1.0, bigger_nose=-0.5)
    made = run(session.generator, session.latent, SMILE.at(1.0), NOSE.at(-0.5))
    assert isinstance(panel.edit(), Stack) and np.array_equal(session.pixels, drawn(made))
    assert panel.stack.order.value.startswith("Made: smile +1, then bigger nose −0.5.")
    hear(panel, "move", "bigger nose", by=-1)
    assert panel.stack.order.value.startswith("Made: bigger nose −0.5, then smile +1.")
    assert [move.direction.name for move in panel.edit().edits] == ["bigger nose", "smile"]


def test_a_muted_vector_is_not_made_and_a_removed_one_is_gone(panel, session, drawn):
    stack(panel, smile=1.0, bigger_nose=1.0)
    hear(panel, "toggle", "smile", value=False)
    nose = drawn(run(session.generator, session.latent, NOSE.at(1.0)))
    assert np.array_equal(session.pixels, nose)
    hear(panel, "toggle", "bigger nose", value=False)
    assert np.array_equal(session.pixels, drawn(session.latent)) and panel.edit() is None
    assert set(panel.stack.knobs.values.values()) == {1.0}  # the scales stay
    for name in ("smile", "bigger nose"):
        hear(panel, "toggle", name, value=True)
    hear(panel, "remove", "smile")
    assert np.array_equal(session.pixels, nose) and isinstance(panel.edit(), MoveAlong)


def test_apply_records_undo_takes_back_and_the_same_goes_to_another_picture(panel, session, drawn):
    before = session.pixels
    assert panel.apply_button.tooltip == "Add a vector to the stack first"
    stack(panel, smile=1.0, bigger_nose=0.5)
    panel.apply_button.click()
    session.wait(10)
    assert session.entries[-1].label == "smile +1, bigger nose +0.5" and panel.stack.pairs() == []
    assert panel.apply_button.tooltip == "Give a vector a scale first"
    session.undo().wait(10)
    assert np.array_equal(session.pixels, before)
    session.apply(Sample(8)).wait(10)
    panel.again_button.click()
    session.wait(10)
    made = run(session.generator, session.generator.sample(8, 0.7), SMILE.at(1.0), NOSE.at(0.5))
    assert np.array_equal(session.pixels, drawn(made))
    panel.reset_button.click()
    session.wait(10)
    assert np.array_equal(session.pixels, drawn(session.latent))


def test_the_code_that_is_shown_makes_the_picture(panel, session, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    stack(panel, smile=1.0, bigger_nose=-0.5)
    panel.apply_button.click()
    session.wait(10)
    for name, contents in session.code_files().items():
        (tmp_path / name).write_bytes(contents)
    namespace = {}
    exec(compile(session.code(), "shown", "exec"), namespace)
    assert np.array_equal(namespace["picture"], session.pixels)


# ---- refining


def test_without_a_segmenter_refining_is_off_and_says_why(panel):
    assert panel.mode.disabled and panel.mode.value == 0
    assert "no segmenter of this model" in panel.said.value and panel.mode.tooltip.startswith("There is no segmenter")


def test_the_stack_is_refined_together_and_recorded_as_one(panel, session, segmenter, drawn):
    session.segments.take(segmenter)
    assert not panel.mode.disabled and panel.said.value == ""
    stack(panel, smile=1.0, bigger_nose=0.5)
    panel.mode.value = 10
    begin = session.latent
    panel.apply_button.click()
    session.wait(30)
    (edit,) = session.history.edits[-1:]
    assert isinstance(edit, Refine) and edit.classes == ("left", "right") and len(edit.moves) == 2
    assert np.array_equal(session.pixels, drawn(run(session.generator, begin, edit)))
    assert "labeled as wanted" in panel.said.value and panel.stack.pairs() == []
    names = files_for(session.generator, session.edits)
    assert "Refine(" in code_for(session.generator, session.edits) and any("segmenter" in name for name in names)


def test_what_is_said_of_a_refinement_goes_when_another_picture_is_on_show(panel, session, segmenter):
    session.segments.take(segmenter)
    stack(panel, smile=1.0)
    panel.mode.value = 10
    panel.apply_button.click()
    session.wait(30)
    assert panel.said.value.count("Step 10: ") == 1
    session.undo().wait(10)
    assert panel.said.value == ""


def test_a_stopped_refinement_keeps_the_best_so_far(panel, session, segmenter, until, drawn):
    session.segments.take(segmenter)
    stack(panel, smile=1.5)
    panel.mode.options = [("many", 5000)]
    panel.mode.value = 5000
    panel.apply_button.click()
    until(lambda: session.progress is not None and session.progress.step > 2)
    assert not panel.stop_button.disabled
    panel.stop_button.click()
    session.wait(30)
    edit = session.history.edits[-1]
    assert isinstance(edit, Refine) and 2 < edit.total < 5000 and session.busy == ""


# ---- measuring and mixing


def test_a_calibrated_vector_keeps_its_range_and_shows_it(panel, session, segmenter):
    mix = panel.mix_fold.content
    assert "no segmenter" in mix.calibrate_button.tooltip
    session.segments.take(segmenter)
    assert not mix.calibrate_button.disabled
    stack(panel, smile=1.0)
    mix.count.value = 2
    mix.calibrate().wait(30)
    low, high = panel.board.find(number(panel, "smile")).direction.range
    assert (low, high) != (-2.0, 2.0) and panel.stack.knobs.rows[0]["warn"] == [low, high]
    assert "labels changed" in mix.measured.value and "leaves the rest" in session.message.text
    panel.browser.undo_button.click()
    assert panel.board.find(number(panel, "smile")).direction.range == (-2.0, 2.0)


def test_the_stack_is_combined_and_averaged_into_new_cards(panel):
    mix = panel.mix_fold.content
    assert mix.combine_button.disabled and "two vectors or more" in mix.combine_button.tooltip
    stack(panel, smile=0.5, bigger_nose=-1.0)
    assert not mix.combine_button.disabled
    mix.combine_button.click()
    made = panel.browser.vector
    assert made.name == "smile + bigger nose" and torch.allclose(made.delta, 0.5 * SMILE.delta - NOSE.delta, atol=1e-5)
    mix.name.value = "middle"
    mix.average_button.click()
    assert torch.allclose(panel.browser.vector.delta, (SMILE.delta + NOSE.delta) / 2, atol=1e-5)
    assert names(panel)[-1] == "middle"


def test_another_vector_is_projected_out(panel):
    mix = panel.mix_fold.content
    panel.browser.choose(number(panel, "smile"))
    assert mix.without_button.tooltip == "Choose another vector to take out"
    mix.other.value = number(panel, "bigger nose")
    mix.without_button.click()
    found = panel.browser.vector
    assert found.name == "smile without bigger nose" and abs(float((found.delta * NOSE.delta).sum())) < 1e-3


def test_a_vector_is_learned_again_on_several_pictures(panel, session, segmenter):
    session.segments.take(segmenter)
    mix = panel.mix_fold.content
    mix.count.value = 2
    mix.relearn().wait(60)
    found = panel.browser.vector
    assert (found.name, found.pictures, found.classes) == ("smile of 2", 2, ("left",))
    assert "2 pictures have in common" in session.message.text


def test_a_stopped_measurement_changes_nothing(panel, session, segmenter, until):
    session.segments.take(segmenter)
    mix = panel.mix_fold.content
    mix.count.value = 64
    turn = mix.calibrate()
    until(lambda: session.progress is not None and session.progress.step > 1)
    session.stop()
    turn.wait(10)
    assert "stopped" in session.message.text and not panel.board.find(number(panel, "smile")).direction.range[0] > -2


# ---- files


def test_a_library_goes_to_a_file_and_comes_back(panel, session, tmp_path):
    files = panel.files_fold.content
    files.path.value = str(tmp_path / "mine.safetensors")
    files.save_button.click()
    assert list(load_vectors(tmp_path / "mine.safetensors")) == ["smile", "bigger nose"]
    files.open_button.click()
    assert names(panel) == ["smile", "bigger nose"]
    assert session.message.text == "0 vectors of mine.safetensors added, 2 were there already."
    panel.board.remove(panel.browser.number)
    files.open_button.click()
    assert names(panel) == ["bigger nose", "smile"]
    assert session.message.text == "1 vector of mine.safetensors added, 1 was there already."
    files.path.value = str(tmp_path / "nowhere" / "x.safetensors")
    files.save_button.click()
    assert f"(the folder {tmp_path / 'nowhere'} does not exist): choose" in session.message.text
    for path, says in (("nowhere/x.safetensors", "cannot be read"), ("mine.txt", "cannot be read")):
        files.path.value = str(tmp_path / path)
        files.open_button.click()
        assert says in session.message.text
    files.save_button.click()
    assert "kept in a .safetensors file" in session.message.text


def test_a_file_that_was_not_opened_is_replaced_only_when_asked_twice(panel, session, tmp_path):
    path = tmp_path / "mine.safetensors"
    path.write_bytes(vectors_bytes([STRANGE]))
    files = panel.files_fold.content
    files.path.value = str(path)
    files.save_button.click()
    assert "press Save again" in session.message.text and list(load_vectors(path)) == ["wink"]
    files.save_button.click()
    assert list(load_vectors(path)) == ["smile", "bigger nose"]


def test_the_library_and_one_vector_are_downloaded(panel):
    sent = []
    panel.frame.head.send = lambda content, buffers=None: sent.append((content["name"], buffers[0]))
    files = panel.files_fold.content
    files.download_button.click()
    files.npy_button.click()
    assert [name for name, _ in sent] == ["vectors.safetensors", "smile.npy"]
    assert list(load_vectors(sent[0][1])) == ["smile", "bigger nose"] and sent[1][1] == npy_bytes(SMILE)


def test_an_array_is_asked_about_before_it_is_imported(panel, session):
    files = panel.files_fold.content
    form = files.array
    files.take_file("wheel.npy", npy_bytes(NOSE))
    assert (
        form.layout.display is None and form.import_button.disabled and "in which space" in form.import_button.tooltip
    )
    form.space.value = "w"
    form.import_button.click()
    assert session.message.level == "error" and "W of this generator needs (8,)" in session.message.text
    form.space.value, form.classes.value, form.low.value, form.high.value = "w+", "left, right", -1.0, 3.0
    form.import_button.click()
    found = panel.browser.vector
    assert (found.name, found.classes, found.direction.range) == ("wheel", ("left", "right"), (-1.0, 3.0))
    assert torch.allclose(found.delta, NOSE.delta, atol=1e-6) and form.layout.display == "none"


def test_a_file_that_is_none_is_refused_with_a_sentence(panel, session):
    session.guarded(panel.files_fold.content.take_file)("x.safetensors", b"no")
    assert session.message.level == "error" and "damaged" in session.message.text and len(panel.board.entries) == 2


def test_a_vector_of_another_model_is_kept_and_explained(panel, session, until):
    panel.files_fold.content.take_file("theirs.safetensors", vectors_bytes([STRANGE]))
    assert "1 of another model can be looked at only" in session.message.text
    card = panel.browser.cards.cards[-1]
    assert "learned with the model" in card["warn"] and panel.browser.number == card["number"]
    assert panel.add_button.disabled and "learned with the model" in panel.add_button.tooltip
    until(lambda: "learned with the model" in panel.strip.title.value)
    panel.add(card["number"])
    assert session.message.level == "error" and panel.stack.pairs() == []
    panel.browser.filter.value = panel.browser.filter.options[-1][1]
    assert names(panel) == ["wink"]


def test_a_model_without_vectors_says_how_to_get_some(session):
    panel = VectorLibraryPanel(session)
    assert panel.browser.cards.cards == [] and "library is empty" in panel.browser.cards.hint
    assert panel.add_button.disabled and panel.browser.delete_button.disabled
    panel.close()
