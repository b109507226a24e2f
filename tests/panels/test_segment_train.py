"""The panel that trains a segmenter, without a browser: samples, painting, training, doubt, and the folder."""

import numpy as np
import pytest

from ganedit_widgets.core.errors import SegmentError
from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.core.segment import load_segmenter
from ganedit_widgets.core.segment.labeling import read_pages
from ganedit_widgets.panels import SegmentTrainPanel
from ganedit_widgets.panels import segment_pages as module


@pytest.fixture
def panel(session, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "PAUSE", 0.01)
    panel = SegmentTrainPanel(session)
    panel.pages.folder.value = str(tmp_path / "labels")
    panel.steps.value = 40
    yield panel
    panel.close()


def begin(panel, count=4, classes="left, right"):
    panel.pages.classes.value, panel.pages.count.value = classes, count
    panel.pages.begin().wait(20)


def paint(panel, seen=2):
    """Label the left half of the next pages, and the right one."""
    for _ in range(seen):
        painter = panel.pages.painter
        painter.polygon([(0, 0), (8, 0), (8, 16), (0, 16)], "left")
        painter.polygon([(8, 0), (16, 0), (16, 16), (8, 16)], "right")
        panel.pages.turn_to(panel.pages.index + 1)


def test_it_says_what_to_do_first(panel, session):
    assert panel.apply_button.tooltip == "Label a sample first: press Begin, and paint"
    assert panel.pages.next_button.tooltip == "Begin first" and panel.save_button.tooltip == "Train a segmenter first"
    with pytest.raises(Exception, match="Name the classes first"):
        panel.pages.begin().wait(10)
    panel.pages.classes.value = "one"
    panel.pages.begin_button.click()
    assert session.message.level == "error" and "two classes or more" in session.message.text


def test_diverse_samples_are_painted_one_after_the_other(panel, session):
    begin(panel)
    pages = panel.pages
    assert len({page.seed for page in pages.pages}) == 4 and pages.page is pages.pages[0]
    assert [label.name for label in pages.painter.labels] == ["unlabeled", "left", "right"]
    picture = to_pixels(session.generator.draw(pages.page.latent))
    assert np.array_equal(pages.painter.image, picture) and panel.view.children == (pages.painter,)
    paint(panel, 1)
    assert pages.index == 1 and not pages.painter.mask.any()
    assert "1 of 4 labeled" in pages.said.value
    pages.back_button.click()
    assert set(pages.painter.mask[:, :8].flat) == {1} and "100 %" in pages.said.value
    assert pages.back_button.disabled and not pages.next_button.disabled


def test_what_is_painted_is_written_at_once_and_found_again(panel, session, until, tmp_path):
    begin(panel)
    paint(panel, 1)
    panel.pages.painter.stroke([(2, 2)], "right", 3)  # the second page, not left yet
    until(lambda: len(read_pages(tmp_path / "labels", session.generator)[0]) == 2)
    seeds = [page.seed for page in panel.pages.pages]
    again = SegmentTrainPanel(session)
    again.pages.folder.value = str(tmp_path / "labels")
    begin(again, classes="")
    assert {page.seed for page in again.pages.pages} == set(seeds)
    assert again.pages.classes.value == "left, right" and len(again.pages.labeled) == 2
    begin(again, classes="right, nose, left")
    found = {page.seed: page for page in again.pages.pages}[seeds[0]].painted
    assert set(found[:, :8].flat) == {3} and set(found[:, 8:].flat) == {1}
    again.close()


def test_classes_that_the_folder_needs_are_not_dropped(panel, session, tmp_path):
    begin(panel)
    paint(panel, 1)
    panel.pages.write()
    files = {file: file.read_bytes() for file in (tmp_path / "labels").iterdir()}
    again = SegmentTrainPanel(session)
    again.pages.folder.value = str(tmp_path / "labels")
    with pytest.raises(SegmentError, match="right is painted"):
        begin(again, classes="left, nose")
    assert again.pages.painter is None
    begin(again, classes="nose, right, left")
    again.close()
    panel.pages.write()
    assert {file: file.read_bytes() for file in (tmp_path / "labels").iterdir()} == files


def test_what_is_painted_stays_in_the_folder_it_was_begun_in(panel, session, tmp_path):
    begin(panel)
    paint(panel, 1)
    panel.pages.folder.value = str(tmp_path / "other")
    panel.pages.painter.stroke([(2, 2)], "right", 3)
    panel.pages.write()
    assert len(read_pages(tmp_path / "labels", session.generator)[0]) == 2 and not (tmp_path / "other").exists()


def test_training_gives_every_panel_a_segmenter_and_it_is_saved(panel, session, tmp_path):
    begin(panel)
    paint(panel)
    panel.apply_button.click()
    session._tasks[-1].wait(60)
    segmenter = session.segments.require()
    assert (segmenter.classes, segmenter.pictures) == (("left", "right"), 2) and "<svg" in panel.plot.value
    assert segmenter.colors == tuple(label.color for label in panel.pages.labels[1:])
    labels = segmenter.labels(session.generator, panel.pages.pages[0].latent)
    assert (labels == panel.pages.pages[0].labeled.labels).mean() > 0.8
    panel.path.value = str(tmp_path / "mine.safetensors")
    panel.save_button.click()
    assert load_segmenter(tmp_path / "mine.safetensors", session.generator).classes == ("left", "right")


def test_a_stopped_training_keeps_what_was_learned(panel, session, until):
    begin(panel)
    paint(panel)
    panel.steps.value = 20_000
    turn = panel.train()
    until(lambda: session.progress is not None and session.progress.step > 2)
    assert not panel.stop_button.disabled and panel.apply_button.disabled
    assert session.progress.total == 20_000 and "of 20000" in panel.said.value  # the bar and the text count the same
    panel.stop_button.click()
    turn.wait(20)
    until(lambda: session.segments.segmenter is not None)
    assert "stopped" in session.message.text


def test_the_segmenter_guesses_the_rest_and_undo_takes_it_back(panel, session):
    begin(panel)
    paint(panel)
    assert panel.pages.guess_button.tooltip == "Train a segmenter first"
    panel.train().wait(60)
    painter = panel.pages.painter
    painter.stroke([(12, 8)], "left", 4)
    own = painter.mask
    panel.pages.guess().wait(20)
    assert (painter.mask > 0).all() and np.array_equal(painter.mask[own > 0], own[own > 0])
    painter.undo()
    assert np.array_equal(painter.mask, own)


def test_the_most_doubtful_sample_is_labeled_next(panel, session):
    begin(panel)
    paint(panel)
    doubt = panel.doubt_fold.content
    assert doubt.look_button.disabled and doubt.label_button.disabled
    panel.train().wait(60)
    doubt.count.value = 5
    doubt.look().wait(30)
    scores = [each.score for each in doubt.doubts]
    assert len(scores) == 5 and scores == sorted(scores, reverse=True) and "Most unsure" in session.message.text
    doubt.film._receive(None, {"t": "select", "id": doubt.doubts[0].seed}, [])
    doubt.label_next()
    session._tasks[-1].wait(10)
    assert panel.pages.page.seed == doubt.doubts[0].seed and len(panel.pages.pages) == 5


def test_leaving_one_out_scores_each_class(panel, session):
    begin(panel)
    doubt = panel.doubt_fold.content
    paint(panel, 1)
    assert doubt.score_button.tooltip == "Label two samples first"
    paint(panel, 1)
    doubt.score().wait(60)
    assert "<th>left</th>" in doubt.scores.value and "mIoU" in session.message.text


def test_a_folder_that_cannot_be_written_is_said(panel, session, until, tmp_path):
    (tmp_path / "file").write_text("x")
    panel.pages.folder.value = str(tmp_path / "file")
    begin(panel)
    panel.pages.painter.stroke([(2, 2)], "right", 9)
    until(lambda: "choose another folder" in session.message.text)
