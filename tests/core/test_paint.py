"""Painted masks: where the edit takes place, what it is judged by, how it is refined, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ganedit_widgets.core import (
    GanEditError,
    History,
    ImageError,
    Recipe,
    code_for,
    edits,
    load_recipe,
    probes,
    save_png,
)
from ganedit_widgets.core import to_pixels as pixels
from ganedit_widgets.core.descent import Adam
from ganedit_widgets.core.edits import Paint, Refine, edit_region, paste_region, suggested_classes
from ganedit_widgets.core.edits.paint_region import default_margin, first_class, grown
from ganedit_widgets.core.perceptual import psnr
from ganedit_widgets.core.segment import UNLABELED, Labeled, SegmentPlan, train_segmenter
from tests.tiny import tiny

TINY = tiny()
CLASSES = ("dark", "bright", "unseen")
START = TINY.sample(1)
SEFA = probes.sefa(TINY)


def bright(latent):
    gray = TINY.draw(latent)[0].mean(0).numpy()
    return (gray > np.median(gray)).astype(np.uint8)


@pytest.fixture(scope="module")
def segmenter():
    labeled = [Labeled(TINY.sample(seed), bright(TINY.sample(seed))) for seed in range(4)]
    *_, last = train_segmenter(TINY, labeled, CLASSES, SegmentPlan(steps=150, models=3, rate=5e-3))
    return last.segmenter()


@pytest.fixture(scope="module")
def painted(segmenter):
    """What START shows, with a bright square in it."""
    mask = segmenter.labels(TINY, START)
    mask[3:10, 3:10] = 1
    return mask


def made(edit, latent=START):
    told = []
    return edits.run(TINY, latent, edit, report=told.append), told


# ---- where


def test_the_region_is_the_classes_before_and_after_and_what_differs_with_a_margin():
    before, after = np.zeros((2, 40, 40), np.uint8)
    before[5, 5], after[20, 5], after[5, 30] = 1, 1, 2
    alone = edit_region(before, after, (1,), margin=0)
    assert sorted(map(tuple, np.argwhere(alone))) == [(5, 5), (5, 30), (20, 5)]
    wide = edit_region(before, after, (1,), margin=3)
    assert wide.sum() == 3 * 49 and wide[8, 8] and not wide[9, 8]
    assert edit_region(before, before, (), margin=2).sum() == 0


def test_the_margin_is_five_pixels_at_512_and_never_nothing():
    assert [default_margin(size) for size in (16, 128, 512, 1024)] == [2, 2, 5, 10]
    corner = np.zeros((8, 8), bool)
    corner[0, 0] = True
    assert grown(corner, 2).sum() == 9


def test_the_classes_meant_are_those_of_which_much_is_repainted():
    before, after = np.zeros((2, 20, 20), np.uint8)
    before[8:10, 5:10] = after[8:12, 5:10] = 1  # a mouth, made twice as large; skin all around it
    assert suggested_classes(before, after) == (1,)
    after[:] = 2
    assert suggested_classes(before, after) == (2, 0, 1)  # what was painted with is named first
    assert suggested_classes(before, before) == ()


def test_a_small_stroke_is_about_the_class_it_was_painted_with():
    before = np.zeros((40, 40), np.uint8)
    before[10:20, 10:20] = 1
    after = before.copy()
    after[20:22, 10:20] = 1  # a sixth of the mouth, and next to nothing of the skin
    assert suggested_classes(before, after) == (1,)
    after[21, 10:20] = 0
    before[14, 13:17] = after[14, 13:17] = 2  # teeth
    after[14, 13:15] = 1
    assert suggested_classes(before, after) == (1, 2)  # the mouth grew, and half of the teeth are gone
    erased = np.where(np.arange(40)[:, None] < 12, 0, before).astype(np.uint8)
    assert suggested_classes(before, erased) == (1,)  # a fifth of the mouth is gone; the skin is not meant
    little = before.copy()
    little[10, 10:14] = 0
    assert suggested_classes(before, little) == (0,)  # next to nothing of either: the color in hand


def test_one_begins_to_paint_with_a_part_that_is_small():
    shown = np.repeat(np.array([0, 4, 3, 1, 2], np.uint8), [50, 30, 10, 5, 5]).reshape(10, 10)
    classes, counts = ["background", "hat", "ear", "skin", "hair", "unseen", "glasses"], [9, 9, 9, 9, 9, 0, 9]
    assert first_class(classes, counts, shown) == 1
    assert first_class(classes, [9, 0, 9, 9, 9, 0, 9], shown) == 2  # what was never seen cannot be painted
    assert first_class([*classes[:-1], "mouth"], counts, shown) == 6
    assert first_class(["background", "rest"], [9, 9], shown * 0) == 1


def test_pasting_keeps_every_pixel_outside_the_region_bit_for_bit():
    rng = np.random.default_rng(0)
    original, edited = rng.integers(0, 256, (2, 32, 32, 3), np.uint8)
    region = np.zeros((16, 16), bool)
    region[4:12, 0:8] = True
    found = paste_region(original, edited, region, feather=2)
    outside = ~np.kron(region, np.ones((2, 2), bool))
    assert np.array_equal(found[outside], original[outside])
    assert np.array_equal(found[10:22, 0:14], edited[10:22, 0:14])  # the picture's edge fades into nothing
    assert not np.array_equal(found[8, 4], edited[8, 4])
    with pytest.raises(ImageError, match="32×32 and 16×16"):
        paste_region(original, edited[:16, :16], region)


# ---- painting


def test_the_picture_follows_the_mask_and_stays_outside(segmenter, painted):
    before = segmenter.labels(TINY, START)
    region = edit_region(before, painted, (), 2)
    found, told = made(Paint(painted, segmenter, 60, classes=(), rate=0.1, keep=1.0))
    after = segmenter.labels(TINY, found)
    assert (after == painted)[region].mean() > (before == painted)[region].mean() + 0.2
    assert told[-1]["cross_entropy"] < 0.6 * told[0]["cross_entropy"]
    assert told[-1]["agreement"] == pytest.approx((after == painted)[region].mean(), abs=0.02)
    strict, _ = made(Paint(painted, segmenter, 60, classes=(), rate=0.1, keep=100.0))
    outside = torch.from_numpy(~region)[None, None].float()
    kept = [psnr(TINY.draw(x) * outside, TINY.draw(START) * outside) for x in (found, strict)]
    assert kept[1] > kept[0] + 3


def test_so_many_steps_are_so_many_updates_and_every_layer_may_move(segmenter, painted, monkeypatch):
    updates, step = [], Adam.step
    monkeypatch.setattr(Adam, "step", lambda self, slopes, rate: (updates.append(rate), step(self, slopes, rate)))
    found, told = made(Paint(painted, segmenter, 5, (), keep=0.1))
    assert len(updates) == 5 and min(updates) > 0
    assert [x["step"] for x in told] == [1, 2, 3, 4, 5]
    assert (found.w != START.w).any(1).all()
    one, _ = made(Paint(painted, segmenter, 1, rate=0.01, keep=0.0))
    assert not torch.equal(one.w, START.w)


def test_what_is_yielded_never_gets_worse_and_is_its_own_copy(segmenter, painted):
    told = []
    reached = list(Paint(painted, segmenter, 8, rate=0.8, keep=0.1).steps(TINY, START, told.append))
    best = [x["best"] for x in told]
    assert best == sorted(best, reverse=True) and any(x["loss"] > x["best"] for x in told)
    assert len({x.w.data_ptr() for x in reached}) > 1
    for latent, numbers in zip(reached, told, strict=True):
        assert torch.allclose(TINY.draw(latent), numbers["picture"], atol=1e-5)


def test_a_step_too_large_to_help_leaves_the_picture_alone(segmenter, painted):
    found, _ = made(Paint(painted, segmenter, 2, rate=50.0, keep=1000.0))
    assert torch.equal(found.w, START.w)


def test_what_is_not_painted_stays_as_it_was(segmenter, painted):
    only = np.full_like(painted, UNLABELED)
    only[3:10, 3:10] = 1
    one, other = (made(Paint(mask, segmenter, 3))[0] for mask in (painted, only))
    assert torch.equal(one.w, other.w)


def test_identity_and_nearness_hold_what_they_are_asked_to(segmenter, painted):
    def embedding(pictures):
        return F.avg_pool2d(pictures, 4).flatten(1)

    plain = Paint(painted, segmenter, 25, rate=0.1, keep=0.0)
    free, _ = made(plain)
    same, told = made(replace(plain, embedding=embedding, identity=50.0))
    near, _ = made(replace(plain, near=10.0))
    before = embedding(TINY.draw(START))
    alike = [float(F.cosine_similarity(embedding(TINY.draw(x)), before)) for x in (free, same)]
    assert alike[1] > alike[0] and told[-1]["identity"] == pytest.approx(alike[1], abs=1e-4)
    assert (near.w - START.w).norm() < (free.w - START.w).norm()


def test_an_edit_with_an_embedding_network_keeps_its_result_and_its_code_says_what_it_needs(
    segmenter, painted, tmp_path
):
    def my_network(pictures):
        return pictures.flatten(1)

    edit = Paint(painted, segmenter, 2, embedding=my_network)
    history = History(START)
    history.push(edit, made(edit)[0])
    save_png(tmp_path / "x.png", pixels(TINY.draw(history.latent)), Recipe.of(TINY, history))
    found = load_recipe(tmp_path / "x.png")
    assert type(found.edits[0]).__name__ == "Restore" and torch.equal(found.latent.w, history.latent.w)
    assert "# my_network is defined in your notebook" in code_for(TINY, [edit], START)


def test_the_whole_picture_may_be_painted(segmenter):
    whole = 1 - segmenter.labels(TINY, START)
    found, told = made(Paint(whole, segmenter, 10))
    assert "psnr" not in told[-1]
    assert (segmenter.labels(TINY, found) == whole).mean() > 0.1  # none of it was so before; 0.22 here


def test_bad_masks_are_refused_with_a_sentence(segmenter, painted):
    def refuse(says, edit):
        with pytest.raises(GanEditError, match=says):
            next(iter(edit.steps(TINY, START)))

    refuse(r"painted mask has 15×16 pixels.*16×16", Paint(painted[:, :15], segmenter))
    refuse(r"class number 9.*3 classes", Paint(np.full((16, 16), 9, np.uint8), segmenter))
    refuse(r"float32 \(16, 16\)", Paint(painted.astype(np.float32), segmenter))
    refuse("shows already: paint over something", Paint(segmenter.labels(TINY, START), segmenter))
    refuse("shows already", Paint(np.full((16, 16), UNLABELED, np.uint8), segmenter))
    refuse("never saw 'unseen'", Paint(np.full((16, 16), 2, np.uint8), segmenter))
    refuse("no class 'nose'.*dark, bright", Paint(painted, segmenter, classes=("nose",)))
    refuse("0 steps", Paint(painted, segmenter, iterations=0))
    refuse("positive", Paint(painted, segmenter, keep=-1.0))
    refuse("no class 'nose'", Refine((edits.MoveAlong(SEFA[0]),), segmenter, classes=("nose",)))
    refuse("-1 steps.*0 only moves", Refine((edits.MoveAlong(SEFA[0]),), segmenter, iterations=-1))


# ---- refining


def test_refining_keeps_the_new_labels_and_brings_the_old_picture_back_outside(segmenter):
    moves = (edits.MoveAlong(SEFA[0], 0.6), edits.MoveAlong(SEFA[1], 0.4))
    moved = edits.run(TINY, START, *moves)
    assert torch.equal(made(Refine(moves, segmenter, 0))[0].w, moved.w)
    before, after = (segmenter.labels(TINY, x) for x in (START, moved))
    region = edit_region(before, after, (), 0)
    assert 0 < region.mean() < 0.8
    found, told = made(Refine(moves, segmenter, 40, (), rate=0.03, margin=0))
    outside = torch.from_numpy(~region)[None, None].float()
    kept = [psnr(TINY.draw(x) * outside, TINY.draw(START) * outside) for x in (moved, found)]
    assert kept[1] > kept[0] + 1
    assert (segmenter.labels(TINY, found) == after)[region].mean() > 0.8
    assert [x["step"] for x in told] == list(range(1, 41))


def test_a_move_too_small_to_change_a_label_is_made_all_the_same(segmenter):
    move = edits.MoveAlong(SEFA[0], 1e-6)
    moved = edits.run(TINY, START, move)
    assert not torch.equal(moved.w, START.w)
    found = list(Refine((move,), segmenter, 5).steps(TINY, START))
    assert len(found) == 1 and torch.equal(found[0].w, moved.w)
