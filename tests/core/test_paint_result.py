"""What came of a painted edit: its meter, the way back into a photograph, and the vector that is kept of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganedit_widgets.core import DirectionError, History, ImageError, SegmentError, save_image
from ganedit_widgets.core import to_pixels as pixels
from ganedit_widgets.core.align import Box, aligned
from ganedit_widgets.core.edits import Embed, MoveAlong, Paint, run
from ganedit_widgets.core.edits.paint_result import over_photograph, painted_change, painted_since, photograph
from ganedit_widgets.core.image import Picture
from ganedit_widgets.core.painting.spotlight import spotlight
from ganedit_widgets.core.probes import sefa
from ganedit_widgets.core.segment import Labeled, SegmentPlan, train_segmenter
from ganedit_widgets.core.vectors import load_vectors
from ganedit_widgets.core.vectors.learned import add_vector, learned
from tests.tiny import tiny

TINY = tiny()
CLASSES = ("dark", "bright")


@pytest.fixture(scope="module")
def segmenter():
    labeled = []
    for seed in range(4):
        gray = TINY.draw(TINY.sample(seed))[0].mean(0).numpy()
        labeled.append(Labeled(TINY.sample(seed), (gray > np.median(gray)).astype(np.uint8)))
    *_, last = train_segmenter(TINY, labeled, CLASSES, SegmentPlan(steps=100, models=2, rate=5e-3))
    return last.segmenter()


@pytest.fixture(scope="module")
def painted(segmenter):
    """A history: a photograph embedded, and a bright square painted on it."""
    photo = pixels(TINY.draw(TINY.sample(7)))
    photo[0, 0] = 255, 0, 0  # what the model never draws
    history = History(TINY.average())
    embed = Embed(Picture(photo), 4)
    history.push(embed, run(TINY, history.latent, embed))
    history.push(*stroke(segmenter, history.latent))
    return history


def stroke(segmenter, latent):
    mask = segmenter.labels(TINY, latent)
    mask[6:9, 6:9] = 1 - mask[6:9, 6:9]
    edit = Paint(mask, segmenter, 6, classes=(), rate=0.3, keep=0.1, margin=2)
    return edit, run(TINY, latent, edit)


def test_the_area_of_an_edit_needs_no_drawing_and_is_its_region(segmenter):
    latent = TINY.sample(1)
    edit, _ = stroke(segmenter, latent)
    region, classes = edit.area(segmenter.labels(TINY, latent))
    assert np.array_equal(region, edit.region(TINY, latent)) and region.sum() == 49
    assert classes == edit.about(TINY, latent) == ()
    with pytest.raises(SegmentError, match="shows already"):
        edit.area(edit.painted)


def test_change_is_measured_inside_the_region_and_outside(painted):
    before, after = (painted.entries[i].latent for i in (1, 2))
    change = painted_change(TINY, painted.entries[2].edit, before, after)
    assert change.inside > 0 and set(change.parts) == set(CLASSES)
    same = painted_change(TINY, painted.entries[2].edit, before, before)
    assert (same.inside, same.outside) == (0, 0)
    weights = 49, 256 - 49
    whole = (weights[0] * change.inside**2 + weights[1] * change.outside**2) / 256
    assert whole == pytest.approx(float(change.difference.square().mean()), rel=1e-4)


def test_a_region_is_shown_bright_with_a_line_along_its_edge_but_not_along_the_pictures():
    picture, region = np.full((12, 12, 3), 200, np.uint8), np.zeros((12, 12), bool)
    region[0:5, 0:5] = True
    shown = spotlight(picture, region)
    assert (shown[~region] == 60).all() and (shown[:4, :4] == 200).all()
    assert (shown[4, :5] == 255).all() and (shown[:5, 4] == 255).all()
    assert np.array_equal(spotlight(picture, np.ones((12, 12), bool)), picture)


def test_outside_the_region_the_photograph_is_left_bit_for_bit(painted):
    photo, found = photograph(painted).pixels, over_photograph(TINY, painted)
    outside = ~painted_since(TINY, painted)
    assert np.array_equal(found[outside], photo[outside]) and tuple(found[0, 0]) == (255, 0, 0)
    assert not np.array_equal(found[6:9, 6:9], photo[6:9, 6:9])
    assert np.array_equal(found[7, 7], pixels(TINY.draw(painted.latent))[7, 7])


def test_regions_of_several_strokes_are_put_back_and_other_edits_are_left_out(painted, segmenter):
    history = History(painted.entries[0].latent)
    for entry in painted.entries[1:]:
        history.push(entry.edit, entry.latent)
    one = painted_since(TINY, history)
    move = MoveAlong(sefa(TINY)[0], 0.5)
    history.push(move, run(TINY, history.latent, move))
    assert np.array_equal(painted_since(TINY, history), one)
    mask = segmenter.labels(TINY, history.latent)
    mask[12:14, 12:14] = 1 - mask[12:14, 12:14]
    again = Paint(mask, segmenter, 1, classes=(), margin=0)
    history.push(again, run(TINY, history.latent, again))
    assert painted_since(TINY, history).sum() == one.sum() + 4


def test_a_file_is_put_back_at_its_own_size_bit_for_bit_outside(segmenter, tmp_path):
    whole = np.random.default_rng(0).integers(0, 256, (90, 110, 3), np.uint8)
    save_image(tmp_path / "photo.png", whole)
    picture = aligned(Picture.read(tmp_path / "photo.png"), Box(50, 40, 61, 12), TINY.size)
    history, embed = History(TINY.average()), Embed(picture, 2)
    history.push(embed, run(TINY, history.latent, embed))
    history.push(*stroke(segmenter, history.latent))
    found = over_photograph(TINY, history)
    changed = (found != whole).any(2)
    assert found.shape == whole.shape and changed.any()
    ys, xs = np.nonzero(changed)
    assert np.hypot(xs - 50, ys - 40).max() < 61 / 16 * 7  # the square of 7 pixels, turned
    assert changed.mean() < 1.1 * (61 / 16 * 7) ** 2 / whole[..., 0].size


def test_a_file_that_was_cropped_in_the_middle_is_put_back_there(segmenter, tmp_path):
    whole = np.random.default_rng(1).integers(0, 256, (64, 96, 3), np.uint8)
    save_image(tmp_path / "photo.png", whole)
    history, embed = History(TINY.average()), Embed(Picture.read(tmp_path / "photo.png", TINY.size), 2)
    history.push(embed, run(TINY, history.latent, embed))
    history.push(*stroke(segmenter, history.latent))
    changed = (over_photograph(TINY, history) != whole).any(2)
    ys, xs = np.nonzero(changed)
    # the square of 7 pixels from (4, 4), 4 times as large, 16 pixels from the left
    assert changed.any() and (ys.min(), xs.min()) >= (16, 32) and ys.max() < 44 and xs.max() < 60


def test_without_a_photograph_or_without_paint_it_says_so(painted):
    plain = History(TINY.sample(3))
    assert photograph(plain) is None
    with pytest.raises(ImageError, match="no photograph"):
        over_photograph(TINY, plain)
    only = History(painted.entries[0].latent)
    only.push(painted.entries[1].edit, painted.entries[1].latent)
    with pytest.raises(ImageError, match="Nothing was painted"):
        over_photograph(TINY, only)


def test_a_painted_edit_becomes_a_vector_that_makes_it_again(painted, tmp_path):
    before, after = (painted.entries[i].latent for i in (1, 2))
    vector = learned(TINY, before, painted.entries[2].edit, after, "square", {"author": "me"})
    assert torch.allclose(run(TINY, before, vector.at(1)).w, after.w, atol=1e-5)
    assert vector.about == {"method": "painted", "author": "me"} and vector.thumbnail.shape == (16, 32, 3)
    path = tmp_path / "mine.safetensors"
    assert add_vector(path, vector) == 1 and add_vector(path, vector.renamed("other")) == 2
    assert list(load_vectors(path)) == ["square", "other"]
    with pytest.raises(DirectionError, match="another name"):
        add_vector(path, vector)
    with pytest.raises(DirectionError, match="demo"):
        add_vector("demo", replace(vector))
