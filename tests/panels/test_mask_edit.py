"""The mask panel without a browser: segmenter, region, Run and Stop, meters, vectors, other pictures, photographs."""

import io
import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core.edits import LARGE, Embed, MoveAlong, Paint, Refine, Sample
from ganedit_widgets.core.image import Picture
from ganedit_widgets.core.parts import build_catalog
from ganedit_widgets.core.recipe import load_recipe
from ganedit_widgets.core.segment import Labeled, SegmentPlan, save_segmenter, train_segmenter
from ganedit_widgets.core.vectors import load_vectors
from ganedit_widgets.panels import Frame, MaskEditPanel, Session, TraversePanel, mask_report
from tests.tiny import odd, tiny

CLASSES = ("dark", "bright", "unseen")
SQUARE = [(3, 3), (9, 3), (9, 9), (3, 9)]


def trained(generator):
    labeled = []
    for seed in range(4):
        gray = generator.draw(generator.sample(seed))[0].mean(0).numpy()
        labeled.append(Labeled(generator.sample(seed), (gray > np.median(gray)).astype(np.uint8)))
    *_, last = train_segmenter(generator, labeled, CLASSES, SegmentPlan(steps=100, models=2, rate=5e-3))
    return last.segmenter()


@pytest.fixture(scope="module")
def segmenter():
    return trained(tiny())


@pytest.fixture
def panel(session, segmenter, until):
    session.segments.take(segmenter)
    panel = MaskEditPanel(session)
    read(panel, until)
    panel.iterations.value = 4
    yield panel
    panel.close()


def read(panel, until):
    """Wait until the labels of the picture on show are there."""
    until(lambda: panel.canvas.before is not None and panel.canvas.basis is panel.session.shown)


def settled(panel, until):
    """Wait until nothing is followed up in the background any more."""
    until(lambda: ", 0 jobs)" in repr(panel.session._worker))


def paint(panel, points=SQUARE):
    """Turn a piece of the mask into the other class."""
    painter = panel.canvas.painter
    x, y = points[0]
    painter.polygon(points, 1 - int(painter.mask[y + 1, x + 1]))


def made(panel, until):
    """Paint and run to the end."""
    paint(panel)
    panel.apply_button.click()
    panel.session.wait(30)
    read(panel, until)


# ---- the segmenter


def test_without_a_segmenter_it_says_what_to_do_and_opens_one(session, segmenter, tmp_path, until):
    panel = MaskEditPanel(session)
    assert panel.apply_button.tooltip == "There is no segmenter yet: open one first"
    assert panel.missing.layout.display is None and "ganedit train segmenter" in panel.missing.said.value
    panel.missing.open_button.click()
    assert "Type the path" in session.message.text
    panel.missing.path.value = str(tmp_path / "none.safetensors")
    panel.missing.open_button.click()
    assert session.message.level == "error" and "There is no segmenter" in session.message.text
    save_segmenter(tmp_path / "mine.safetensors", segmenter)
    panel.missing.path.value = str(tmp_path / "mine.safetensors")
    panel.missing.open_button.click()
    read(panel, until)
    assert panel.missing.layout.display == "none" and session.message.text == ""
    assert [label.name for label in panel.canvas.painter.labels] == list(CLASSES)
    panel.close()


def test_a_segmenter_can_be_uploaded_and_one_of_another_model_is_refused(session, segmenter, tmp_path, until):
    panel = MaskEditPanel(session)
    save_segmenter(tmp_path / "other.safetensors", trained(odd()))
    panel.missing.upload._on_upload("other.safetensors", (tmp_path / "other.safetensors").read_bytes())
    assert session.message.level == "error" and "train one for this generator" in session.message.text
    save_segmenter(tmp_path / "mine.safetensors", segmenter)
    panel.missing.upload._on_upload("mine.safetensors", (tmp_path / "mine.safetensors").read_bytes())
    read(panel, until)
    assert session.segments.segmenter.code == ""  # its file is gone
    panel.close()


def test_another_segmenter_takes_the_place_of_the_first(panel, session, until):
    first = panel.canvas.painter
    session.segments.take(trained(session.generator))
    read(panel, until)
    assert panel.canvas.painter is not first and panel.canvas.children == (panel.canvas.painter,)


# ---- what is painted, and where


def test_the_painter_begins_with_what_the_segmenter_sees(panel, session, segmenter):
    labels = segmenter.labels(session.generator, session.latent)
    assert np.array_equal(panel.canvas.painter.mask, labels)
    assert np.array_equal(panel.canvas.painter.image, session.pixels)
    panel.canvas.painter.undo()  # there is nothing to take back
    assert np.array_equal(panel.canvas.painter.mask, labels)
    assert panel.apply_button.disabled and "paint over something first" in panel.apply_button.tooltip


def test_the_region_follows_the_brush_and_its_classes_and_margin_can_be_changed(panel, until):
    paint(panel)
    assert not panel.apply_button.disabled
    until(lambda: "may change; the rest" in panel.region.said.value)
    settled(panel, until)
    first, region, _ = panel.plan()
    assert np.array_equal(region, first.region(panel.session.generator, panel.session.latent))
    toggles = panel.region._toggles
    assert [name for name in CLASSES if toggles[name].layout.display is None] == ["dark", "bright"]
    assert {name for name in CLASSES if toggles[name].value} == set(first.classes)
    panel.region.margin.value = 0
    for name in first.classes:
        toggles[name].value = False
    edit, region, _ = panel.plan()
    assert edit.classes == () and region.sum() == (panel.canvas.painter.mask != panel.canvas.before).sum()
    settled(panel, until)
    toggles["bright"].value = True
    assert panel.plan()[0].classes == ("bright",)
    panel.region.suggest_button.click()
    assert panel.plan()[0].classes == first.classes


def test_toggles_pressed_while_the_region_is_looked_for_are_not_set_back(panel, until, monkeypatch):
    paint(panel)
    until(lambda: "may change; the rest" in panel.region.said.value)
    settled(panel, until)
    toggles, plan, show = panel.region._toggles, panel.plan, panel.region.show
    first, last = "dark", "bright"
    toggles[first].value = toggles[last].value = True
    settled(panel, until)
    assert panel.plan()[0].classes == (first, last)
    pressed = []

    def press(name):
        """As the main thread does while the worker's is busy."""
        pressed.append(name)
        hand = threading.Thread(target=lambda: setattr(toggles[name], "value", False))
        hand.start()
        hand.join()

    def planned(*args):
        found = plan(*args)
        if panel.session._worker.here and not pressed:
            press(last)  # what was found is still about it
        return found

    def shown(*args):
        show(*args)
        if pressed == [last]:
            press(first)

    monkeypatch.setattr(panel, "plan", planned)
    monkeypatch.setattr(panel.region, "show", shown)
    panel.region.margin.value = 0
    settled(panel, until)
    assert pressed == [last, first] and panel.region.chosen == ()
    assert not toggles[last].value and not toggles[first].value


def test_a_small_stroke_is_about_its_class_and_a_large_one_is_called_after_it(panel, session, until):
    painter = panel.canvas.painter
    y, x = np.argwhere(panel.canvas.before == 0)[0].tolist()
    painter.stroke([(x + 0.5, y + 0.5)], "bright", 1.0)
    assert panel.plan()[0].classes == ("bright",)
    painter.mask = np.ones_like(panel.canvas.before)
    panel.apply()
    session.wait(20)
    assert session.entries[-1].label == "paint bright, dark"


def test_the_brush_begins_small_and_stays_when_the_segmenter_changes(panel, session, until):
    assert panel.canvas.painter.size == 1.0  # of 16 pixels of height
    assert panel.canvas.painter.label == 1
    panel.canvas.painter.size, panel.canvas.painter.label = 3.0, 2
    session.segments.take(trained(session.generator))
    read(panel, until)
    assert panel.canvas.painter.size == 3.0 and panel.canvas.painter.label == 2


def test_what_makes_no_edit_is_one_sentence_each(panel, until):
    painter = panel.canvas.painter
    painter.polygon(SQUARE, "unseen")
    assert panel.apply_button.disabled and "never saw 'unseen'" in panel.apply_button.tooltip
    until(lambda: "never saw" in panel.region.said.value)
    panel.apply()
    assert panel.session.message.text.count(".") == 1
    panel.back_button.click()
    assert "shows already" in panel.apply_button.tooltip and panel.back_button.disabled
    painter.mask = 1 - np.minimum(panel.canvas.before, 1)
    until(lambda: "nothing is held as it is" in panel.region.said.value)
    assert not panel.apply_button.disabled


def test_masks_of_another_size_and_of_unknown_colors_are_refused_in_the_painter(panel):
    painter = panel.canvas.painter

    def give(size, color):
        file = io.BytesIO()
        Image.new("RGB", size, color).save(file, "PNG")
        painter._receive(None, {"t": "upload", "name": "m.png"}, [file.getvalue()])
        return painter.notice

    before = painter.mask
    notice = give((20, 16), "black")
    assert notice["level"] == "error" and "20×16 pixels, the picture 16×16" in notice["text"]
    notice = give((16, 16), (1, 2, 3))
    assert notice["level"] == "error" and "#010203" in notice["text"]
    assert np.array_equal(painter.mask, before)


def test_parts_of_the_catalog_can_be_selected_whole(panel, session, until):
    assert panel.canvas.painter.clusters is None
    *_, last = build_catalog(session.generator, k=4, seeds=range(6), restarts=1)
    session.parts.take(last.catalog)
    until(lambda: panel.canvas.painter.clusters is not None)
    wanted = last.catalog.part_map(session.generator, [session.latent])[0].numpy()
    assert np.array_equal(panel.canvas.painter.clusters, wanted)


# ---- the search


def test_run_changes_the_picture_and_is_recorded_in_history_and_recipe(panel, session, until, tmp_path):
    before = session.latent
    made(panel, until)
    edit = session.edits[-1]
    assert isinstance(edit, Paint) and edit.iterations == 4 and not torch.equal(session.latent.w, before.w)
    assert session.entries[-1].label == f"paint {', '.join(edit.classes)}"
    assert np.array_equal(panel.canvas.painter.mask, edit.segmenter.labels(session.generator, session.latent))
    assert panel.report.numbers.value.startswith("after 4 steps · ") and "<svg" in panel.report.plot.value
    session.save(tmp_path / "mine.png").wait(10)
    again = load_recipe(tmp_path / "mine.png").history(session.generator)
    assert torch.allclose(again.latent.w, session.latent.w, atol=1e-6)


def test_its_code_makes_the_picture_again(panel, session, until, tmp_path, monkeypatch):
    made(panel, until)
    monkeypatch.chdir(tmp_path)
    for name, contents in session.code_files().items():
        (tmp_path / name).write_bytes(contents)
    scope = {}
    exec(session.code(), scope)
    assert np.array_equal(scope["picture"], session.pixels)


def test_undo_brings_the_picture_back_and_what_was_painted_on_it(panel, session, until):
    first = panel.canvas.before
    made(panel, until)
    painted = session.edits[-1].painted
    session.undo().wait(10)
    read(panel, until)
    assert np.array_equal(panel.canvas.painter.mask, painted) and panel.plan()[0] is not None
    panel.canvas.painter.undo()
    assert np.array_equal(panel.canvas.painter.mask, first)
    session.redo().wait(10)
    read(panel, until)
    assert not panel.canvas.painted


def test_stop_keeps_the_best_so_far(panel, session, until):
    panel.iterations.value = 5000
    paint(panel)
    panel.apply_button.click()
    until(lambda: session.progress is not None and session.progress.step > 3, 30)
    assert panel.apply_button.tooltip.startswith("Something is running") and not panel.stop_button.disabled
    panel.stop_button.click()
    session.wait(30)
    edit = session.edits[-1]
    assert isinstance(edit, Paint) and 3 < edit.stop_after < 5000 and panel.stop_button.disabled


def test_what_is_painted_while_it_runs_goes_on_over_the_new_picture(panel, session, until):
    panel.iterations.value = 5000
    paint(panel)
    asked = panel.canvas.painter.mask
    panel.apply_button.click()
    until(lambda: session.progress is not None and session.progress.step > 3, 30)
    assert panel.back_button.disabled and "stop it first" in panel.back_button.tooltip
    painter, wanted = panel.canvas.painter, 1 - int(asked[12, 12])
    painter.polygon([(11, 11), (14, 11), (14, 14), (11, 14)], wanted)
    meanwhile = painter.mask != asked
    assert meanwhile.any()
    panel.stop_button.click()
    session.wait(30)
    read(panel, until)
    until(lambda: "while it ran" in session.message.text)
    assert (painter.mask[meanwhile] == wanted).all()
    assert np.array_equal(painter.mask[~meanwhile], panel.canvas.before[~meanwhile])
    assert panel.plan()[0] is not None and not panel.back_button.disabled
    painter.undo()
    assert np.array_equal(painter.mask, panel.canvas.before)


def test_what_is_undone_while_it_runs_asks_for_nothing_on_the_new_picture(panel, session, until):
    panel.iterations.value = 5000
    paint(panel)
    panel.apply_button.click()
    until(lambda: session.progress is not None and session.progress.step > 3, 30)
    panel.canvas.painter.undo()
    panel.stop_button.click()
    session.wait(30)
    read(panel, until)
    assert not panel.canvas.painted and "while it ran" not in session.message.text


def test_the_picture_is_shown_while_it_changes(panel, session):
    seen = []
    session.observe(lambda change: seen.append(session.moving), "pixels")
    panel.iterations.value = 60
    paint(panel)
    panel.apply()
    session.wait(60)
    assert seen[0] is True and seen[-1] is False


def test_weights_reach_the_edit_and_can_be_those_of_the_paper(panel):
    panel.weights_fold.opened = True
    weights = panel.weights_fold.content
    assert "identity" not in weights.inputs
    paint(panel)
    weights.inputs["keep"].value = 3.0
    assert panel.edit().keep == 3.0 and panel.edit().near == Paint.near
    weights.published_button.click()
    assert (panel.edit().keep, panel.edit().near) == (15.0, 0.0)
    weights.large_button.click()
    assert {name: getattr(panel.edit(), name) for name in LARGE} == LARGE
    weights.usual_button.click()
    assert panel.edit().near == Paint.near


def test_what_hardly_follows_says_what_to_do_that_is_not_done_already(panel, session):
    told = [{"step": i, "loss": 1.0, "agreement": 0.5, "psnr": 30.0} for i in range(1, 4)]
    paint(panel)
    usual = panel.edit()
    for agreement, edit, advice in (
        (0.5, usual, "For large changes"),
        (0.5, replace(usual, **LARGE), "follow more: more steps, or a smaller change."),
        (0.9, usual, ""),
    ):
        told[-1]["agreement"] = agreement
        session.numbers = tuple(dict(numbers) for numbers in told)
        panel.report.follow(session, edit)
        assert panel.report.numbers.value.startswith("after 3 steps")
        assert advice in panel.report.numbers.value
        assert ("For large changes" in panel.report.numbers.value) is (advice == "For large changes")
        assert ("If it should" in panel.report.numbers.value) is bool(advice)


def test_with_weights_for_large_changes_a_run_does_not_advise_them(panel, session, monkeypatch):
    monkeypatch.setattr(mask_report, "ENOUGH", 1.1)  # nothing is enough
    panel.weights_fold.opened = True
    panel.weights_fold.content.large_button.click()
    panel.iterations.value = 1
    paint(panel)
    panel.apply()
    session.wait(20)
    assert mask_report.STILL in panel.report.numbers.value and mask_report.MORE not in panel.report.numbers.value


def test_with_a_network_that_knows_persons_identity_has_a_weight(session, segmenter, until):
    session.segments.take(segmenter)
    panel = MaskEditPanel(session, embedding=lambda pictures: pictures.flatten(1))
    read(panel, until)
    panel.weights_fold.opened = True
    panel.weights_fold.content.inputs["identity"].value = 2.0
    panel.iterations.value = 2
    paint(panel)
    panel.apply()
    session.wait(20)
    assert session.history.entries[-1].edit.identity == 2.0 and "identity" in session.numbers[-1]
    panel.close()


def test_meters_say_what_changed_inside_and_outside(panel, session, until):
    assert panel.report.meters.layout.display == "none"
    made(panel, until)
    until(lambda: panel.report.meters.change is not None)
    assert panel.report.meters.change.inside > 0 and set(panel.report.meters.change.parts) <= set(CLASSES)
    assert panel.report.search.layout.display is None
    session.undo().wait(10)
    until(lambda: panel.report.search.layout.display == panel.report.meters.layout.display == "none")


def test_meters_and_curve_of_another_edit_are_gone_before_the_new_ones_are_there(panel, session, until):
    made(panel, until)
    until(lambda: panel.report.meters.change is not None)
    panel._reading.ask = lambda: None  # nothing is measured meanwhile
    paint(panel, [(9, 9), (14, 9), (14, 14), (9, 14)])
    panel.apply()
    session.wait(30)
    report = panel.report
    assert mask_report.MEASURING in report.meters.value and report.search.layout.display is None
    session.undo().wait(10)
    assert mask_report.MEASURING in report.meters.value and report.search.layout.display == "none"
    session.undo().wait(10)
    assert report.meters.layout.display == report.search.layout.display == "none"
    session.redo().wait(10)
    session.redo().wait(10)
    assert mask_report.MEASURING in report.meters.value and report.search.layout.display is None


def test_a_search_that_finds_nothing_better_says_so(panel, session, until):
    panel.weights_fold.opened = True
    panel.weights_fold.content.inputs["keep"].value = 1000.0
    panel.weights_fold.content.inputs["rate"].value = 5.0
    panel.iterations.value = 1
    panel.region.margin.value = 0
    paint(panel, [(3, 3), (4, 3), (4, 4), (3, 4)])
    before = session.latent
    panel.apply()
    session.wait(20)
    assert torch.equal(session.latent.w, before.w)
    until(lambda: "No step came closer" in panel.report.meters.value)


# ---- beside other panels


def test_what_another_panel_shows_is_recorded_when_it_is_painted_on(session, segmenter, until):
    session.segments.take(segmenter)
    frame = Frame(session, [TraversePanel, MaskEditPanel])
    session.preview(Sample(9), by=frame.panel).wait(10)
    frame.head.tab = 1
    panel = frame.panel
    assert frame.stage.layout.display is None and frame.stage.width == panel.beside
    read(panel, until)
    assert session.pending is not None
    paint(panel)
    session.wait(10)
    assert session.pending is None and session.history.entries[-1].edit.seed == 9
    assert panel.canvas.basis is session.latent and panel.canvas.painted
    frame.head.tab = 0
    assert frame.stage.width == 384
    frame.close()


def test_it_zooms_with_the_stage_of_its_frame(panel, session, segmenter):
    frame = Frame(session, [panel])
    link = panel._link
    assert (link.source, link.target) == ((panel.canvas.painter, "view"), (frame.stage, "zoom"))
    session.segments.take(segmenter)
    session.segments.take(trained(session.generator))
    assert panel._link is not link and panel._link.source[0] is panel.canvas.painter


# ---- vectors, other pictures


@pytest.fixture
def vector(panel):
    panel.vector_fold.opened = True
    return panel.vector_fold.content


def test_an_edit_is_kept_as_a_vector_in_library_and_file(panel, vector, session, until, tmp_path):
    assert vector.save_button.disabled and vector.save_button.tooltip == "Paint and run an edit first"
    made(panel, until)
    until(lambda: not vector.save_button.disabled)
    vector.path.value = str(tmp_path / "mine.safetensors")
    vector.save_button.click()
    assert "needs a name" in session.message.text
    vector.name.value = "brighter"
    vector.save().wait(10)
    kept = load_vectors(tmp_path / "mine.safetensors")["brighter"]
    before, after = (entry.latent.w for entry in session.history.entries[-2:])
    assert torch.allclose(kept.delta, after - before, atol=1e-5) and kept.thumbnail.shape == (16, 32, 3)
    assert kept.classes == session.edits[-1].classes and kept.about["method"] == "painted"
    assert [v.name for v in session.vectors.vectors] == ["brighter"]
    with pytest.raises(Exception, match="another name"):
        vector.save().wait(10)
    assert session.message.level == "error" and len(session.vectors.vectors) == 1
    vector.path.value, vector.name.value = "", "again"
    vector.save().wait(10)
    assert [v.name for v in session.vectors.vectors] == ["brighter", "again"]


def test_an_edit_is_made_on_another_picture_at_once_or_mended(panel, vector, session, until):
    made(panel, until)
    assert vector.there_button.tooltip == "Choose another picture first"
    vector.picker.take_seed(7)
    vector.scale.value = 1.5
    vector.there_button.click()
    until(lambda: len(session.history) == 5)
    seed, move = session.edits[-2:]
    assert seed.seed == 7 and isinstance(move, MoveAlong) and move.strength == 1.5
    before, after = (entry.latent.w for entry in session.history.entries[1:3])
    moved = session.history.entries[4].latent.w - session.history.entries[3].latent.w
    assert torch.allclose(moved, 1.5 * (after - before), atol=1e-4)
    vector.picker.take_seed(8)
    vector.mending.value = 10
    vector.there_button.click()
    until(lambda: len(session.history) == 7, 30)
    refined = session.history.entries[6].edit
    assert isinstance(refined, Refine) and refined.iterations == 10
    until(lambda: session.entries[-1].label == "painted edit +1.5, refined")


# ---- photographs


def test_what_was_painted_goes_back_into_the_photograph(panel, session, until, photo):
    assert panel.photo_button.layout.display == "none"
    session.apply(Embed(Picture(photo), 3)).wait(20)
    read(panel, until)
    assert panel.photo_button.layout.display is None and panel.photo_button.disabled
    made(panel, until)
    given, got = [], threading.Event()
    panel.make_photo(lambda *file: (given.append(file), got.set())).wait(10)
    assert got.wait(10)
    (name, contents), region = given[0], session.edits[-1].region(session.generator, session.history.entries[-2].latent)
    found, original = np.asarray(Image.open(io.BytesIO(contents))), Picture(photo).fitted((16, 16))
    assert name == "photograph_edited.png" and np.array_equal(found[~region], original[~region])
    assert not np.array_equal(found, original)


def test_it_works_with_a_model_of_other_sizes(until):
    generator = odd()
    session = Session(generator)
    session.segments.take(trained(generator))
    panel = MaskEditPanel(session)
    read(panel, until)
    made(panel, until)
    assert isinstance(session.edits[-1], Paint)
    panel.close()
    session.close()
