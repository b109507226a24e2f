"""Labeling by hand: what is painted becomes examples, survives other classes, and comes back from its folder."""

import numpy as np
import pytest

from ganedit_widgets.core.errors import RecipeError, SegmentError
from ganedit_widgets.core.painting import Label
from ganedit_widgets.core.segment import SegmentPlan, train_segmenter
from ganedit_widgets.core.segment.folder import read_labeled
from ganedit_widgets.core.segment.labeling import (
    Page,
    as_classes,
    as_painted,
    carried_over,
    completed,
    labels_to_paint,
    new_page,
    read_pages,
    read_pages_in,
    write_page,
)
from tests.tiny import tiny

LABELS = labels_to_paint(["background", "face"])


def painted(generator, seed=3):
    page = new_page(generator, seed)
    mask = page.painted.copy()
    mask[:, :4], mask[:, 4:10] = 1, 2
    return Page(seed, page.latent, mask)


def test_what_is_not_painted_says_nothing(generator):
    page = painted(generator)
    assert page.share == 10 / 16 and new_page(generator, 3).share == 0
    labels = page.labeled.labels
    assert set(labels[:, :4].flat) == {0} and set(labels[:, 4:10].flat) == {1} and set(labels[:, 10:].flat) == {255}
    assert np.array_equal(as_painted(as_classes(page.painted)), page.painted)


def test_the_first_label_says_nothing_and_the_others_get_colors():
    assert [label.name for label in LABELS] == ["unlabeled", "background", "face"]
    assert LABELS[0].color is None and all(label.color for label in LABELS[1:])
    red = Label("eye", "#ff0000")
    assert labels_to_paint([red, "skin"])[1] is red


@pytest.mark.parametrize("classes", [[], ["one"], ["a", "a"], ["a", " "], ["a", "unlabeled"]])
def test_classes_that_cannot_be_told_apart_are_refused(classes):
    with pytest.raises(SegmentError, match="name two classes or more"):
        labels_to_paint(classes)


def test_other_classes_keep_what_has_kept_its_name(generator):
    new = labels_to_paint(["hair", "face"])
    found = carried_over(painted(generator).painted, LABELS, new)
    assert set(found[:, :4].flat) == {0} and set(found[:, 4:10].flat) == {2}


def test_pages_come_back_from_their_folder_and_teach(generator, tmp_path):
    pages = [painted(generator, seed) for seed in (12, 3)]
    for page in pages:
        write_page(tmp_path / "labels", generator, page, LABELS)
    found, labels = read_pages(tmp_path / "labels", generator)
    assert [page.seed for page in found] == [3, 12]
    assert [(x.name, x.color) for x in labels] == [(x.name, x.color) for x in LABELS]
    assert np.array_equal(found[1].painted, pages[0].painted)
    assert np.array_equal(found[1].latent.w, pages[0].latent.w)
    learned, classes = read_labeled(tmp_path / "labels", generator)
    names = [label.name for label in classes]
    assert names == ["background", "face"]
    *_, last = train_segmenter(generator, learned, names, SegmentPlan(2, models=1))
    assert last.segmenter().pictures == 2


def test_a_segmenter_labels_the_rest_by_the_names_of_its_classes(generator):
    page = painted(generator)
    *_, last = train_segmenter(generator, [page.labeled], ("background", "face"), SegmentPlan(30, models=1))
    segmenter = last.segmenter()
    found = completed(generator, segmenter, page, labels_to_paint(["face", "hair", "background"]))
    assert np.array_equal(found[:, :10], page.painted[:, :10])
    seen = segmenter.labels(generator, page.latent)[:, 10:]
    assert np.array_equal(found[:, 10:], np.where(seen == 0, 3, 1))


def test_classes_that_would_lose_what_is_painted_are_refused_by_name(generator, tmp_path):
    write_page(tmp_path, generator, painted(generator), LABELS)
    with pytest.raises(
        SegmentError, match=r"face is painted, which your classes \(hair, background\) would lose: add it"
    ):
        read_pages_in(tmp_path, generator, labels_to_paint(["hair", "background"]))
    with pytest.raises(SegmentError, match="background and face are painted"):
        read_pages_in(tmp_path, generator, labels_to_paint(["hair", "nose"]))
    assert read_pages_in(tmp_path / "none", generator, LABELS) == ([], LABELS)


def test_more_classes_in_another_order_and_fewer_unpainted_ones_lose_nothing(generator, tmp_path):
    write_page(tmp_path, generator, painted(generator), labels_to_paint(["background", "face", "never painted"]))
    wanted = labels_to_paint(["nose", "face", "background"])
    (page,), labels = read_pages_in(tmp_path, generator, wanted)
    assert labels == wanted and set(page.painted[:, :4].flat) == {3} and set(page.painted[:, 4:10].flat) == {2}


def test_pages_painted_with_more_classes_later_are_read_beside_the_earlier_ones(generator, tmp_path):
    write_page(tmp_path, generator, painted(generator, 3), LABELS)
    write_page(tmp_path, generator, painted(generator, 4), labels_to_paint(["hair", "face"]))
    pages, labels = read_pages(tmp_path, generator)
    assert [label.name for label in labels] == ["unlabeled", "background", "face", "hair"]
    assert len({label.color for label in labels}) == 4
    assert [[page.painted[0, x] for x in (0, 4)] for page in pages] == [[1, 2], [3, 2]]


def test_a_copy_beside_a_page_is_not_taken_for_the_page(generator, tmp_path):
    write_page(tmp_path, generator, painted(generator), LABELS)
    for name in ("seed_3.png", "seed_3_labels.png"):
        copy = name.replace("seed_3", "seed_3 copy")
        (tmp_path / copy).write_bytes((tmp_path / name).read_bytes())
    assert [page.seed for page in read_pages(tmp_path, generator)[0]] == [3]


def test_a_folder_that_is_not_there_holds_nothing_and_bad_ones_are_refused(generator, tmp_path):
    assert read_pages(tmp_path / "none", generator) == ([], ()) == read_pages(tmp_path, generator)
    (tmp_path / "file").write_text("x")
    with pytest.raises(SegmentError, match="choose another folder"):
        write_page(tmp_path / "file", generator, painted(generator), LABELS)
    write_page(tmp_path / "mine", generator, painted(generator), LABELS)
    with pytest.raises(RecipeError):
        read_pages(tmp_path / "mine", tiny(seed=1))
