"""The measurements of EditGAN: all there, finite, and saying what they should of known cases; painting by rule."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.errors import SegmentError
from ganedit_widgets.core.segment import Labeled, SegmentPlan
from ganedit_widgets.demo.edit_vectors import LESSONS, Lesson, learn, starter_library
from ganedit_widgets.demo.evaluate_editgan import QUICK, curves, evaluate
from ganedit_widgets.demo.mask_recipes import as_donor, center, cut, moved, scaled, transplanted
from ganedit_widgets.demo.portraits import PART
from ganedit_widgets.demo.results_file import Metric
from ganedit_widgets.demo.segment_trials import miou, part_ious
from ganedit_widgets.demo.segmenter import telling, trained
from ganedit_widgets.demo.smile_trials import at_equal_identity, neutral_portraits, smile_line, smile_metrics
from ganedit_widgets.demo.vector_trials import out_of_domain, vector_metrics
from tests.demo.judge import judge
from tests.tiny import tiny

TINY = tiny()
SKIN, MOUTH, TEETH, NOSE = (PART[name] for name in ("skin", "mouth", "teeth", "nose"))
PROMISED = {f"segmentation/miou_{n}" for n in (1, "full", "renders")} | {"time/train", "memory/train_gib"}
SMILE = {f"smile/{what}_{way}" for what in ("accuracy", "identity", "frechet") for way in ("vector", "refined")}
SMILE |= {"smile/accuracy_interfacegan_equal_identity", "time/step", "time/vector", "smile/judge_accuracy"}
SMILE |= {f"smile/accuracy_{way}" for way in ("vector_-1", "vector_2", "refined_1", "refined_3", "unedited")}


def face(mouth=slice(10, 12)):
    labels = np.full((16, 16), SKIN, np.uint8)
    labels[mouth, 5:11] = MOUTH
    return labels


@pytest.fixture(scope="module")
def segmenter():
    faces = [face(), face(slice(8, 12)), face()]
    faces[1][9:11, 6:10] = TEETH
    labeled = [Labeled(TINY.sample(seed), labels) for seed, labels in enumerate(faces)]
    return trained(TINY, labeled, SegmentPlan(steps=150, models=2, rate=5e-3))


def test_every_promised_number_is_there_and_finite(tmp_path):
    results = evaluate(quick=True, generator=TINY, oracle=judge())
    assert set(results.metrics) >= PROMISED
    for name, metric in results.metrics.items():
        assert np.isfinite([metric.value, metric.low, metric.high]).all(), name
    assert results.write(tmp_path).exists()


@pytest.fixture(scope="module")
def lower(segmenter):
    """A vector learned by painting the mouth lower."""
    pool = [TINY.sample(seed) for seed in range(6)]
    lesson = Lesson("smile", ("mouth",), paint=lambda own, donor: moved(own, (MOUTH,), SKIN, 0.1, 0.0))
    return learn(TINY, segmenter, lesson, pool, torch.arange(6.0), steps=10)


def test_the_smile_benchmark_measures_every_way(segmenter, lower):
    metrics, shown = smile_metrics(TINY, judge(), segmenter, lower, QUICK.smiles)
    assert set(metrics) >= SMILE
    assert all(np.isfinite([m.value, m.low, m.high]).all() for m in metrics.values())
    assert all(-1 <= m.value <= 1 for name, m in metrics.items() if name.startswith("smile/identity"))
    assert len(shown) % 5 == 0 and not np.array_equal(shown[0], shown[3])
    assert metrics["smile/identity_vector_0.25"].value > metrics["smile/identity_vector_2"].value
    ways = curves(metrics)
    assert set(ways) >= {"vector", "refined", "interfacegan"} and len(ways["interfacegan"]) == 7


def test_neutral_people_do_not_smile_and_are_the_same_every_time():
    people = neutral_portraits(40)
    assert len(people) == 40 and people.smile.max() <= 0.2 and people.mouth_open.max() <= 0.1
    assert torch.equal(people.smile, neutral_portraits(40).smile)


def test_the_line_of_a_judge_who_knows_is_never_wrong(monkeypatch):
    class Knows:
        def look(self, pictures):
            return type("Look", (), {"attributes": {"smile": torch.tensor(pictures)}})

    monkeypatch.setattr("ganedit_widgets.demo.smile_trials.drawn", lambda people, side: people.smile.tolist())
    line, right = smile_line(Knows(), 60, 16)
    assert right.value == 1 and line >= 0.6


def test_every_vector_is_tried_and_a_photograph_too(segmenter, lower):
    latents = [TINY.sample(seed) for seed in range(20, 23)]
    metrics, rows = vector_metrics(TINY, judge(), segmenter, {"smile": lower}, latents)
    assert set(metrics) == {f"edit/smile_{what}" for what in ("moved", "identity", "outside")}
    assert metrics["edit/smile_outside"].value > 0 and len(rows) == 2 and len(rows[0]) == 3
    metrics, rows = out_of_domain(TINY, segmenter, lower, 2, 2)
    assert np.isfinite(metrics["outside/psnr"].value) and all(len(row) == 4 for row in rows)


def test_a_segmenter_that_is_right_has_the_full_overlap(segmenter):
    latents = [TINY.sample(seed) for seed in (0, 1)]
    right = [Labeled(x, segmenter.labels(TINY, x)) for x in latents]
    assert miou(TINY, segmenter, right).value == 1.0
    assert all(metric.value == 1 for metric in part_ious(TINY, segmenter, right).values())
    wrong = [Labeled(x.latent, np.where(x.labels == SKIN, NOSE, SKIN).astype(np.uint8)) for x in right]
    assert miou(TINY, segmenter, wrong).value < 0.1


def test_the_rivals_accuracy_is_read_off_where_it_keeps_as_much_identity():
    metrics = {"smile/identity_vector": Metric(0.75, 0.7, 0.8, 9)}
    for i, s in enumerate(("0.25", "0.5", "0.75", "1", "1.5", "2", "3")):
        metrics[f"smile/identity_interfacegan_{s}"] = Metric(1 - 0.1 * i, 0, 0, 9)
        metrics[f"smile/accuracy_interfacegan_{s}"] = Metric(0.1 * i, 0.1 * i, 0.1 * i, 9)
    assert at_equal_identity(metrics, "vector", 9).value == pytest.approx(0.25)


def test_telling_pictures_show_what_others_lack():
    plain, smiling = face(), face()
    smiling[10:12, 6:10] = TEETH
    assert set(telling([plain, plain, smiling, plain], 2)) >= {2}


def test_a_vector_is_learned_by_painting_and_needs_something_to_paint(segmenter):
    pool = [TINY.sample(seed) for seed in range(6)]
    lower = Lesson("lower mouth", ("mouth",), paint=lambda own, donor: moved(own, (MOUTH,), SKIN, 0.1, 0.0))
    found = learn(TINY, segmenter, lower, pool, torch.arange(6.0), steps=10)
    assert found.classes == ("mouth",) and found.thumbnail.shape == (16, 32, 3)
    nothing = Lesson("no nose", ("mouth",), paint=lambda own, donor: cut(own, (NOSE,), SKIN))
    with pytest.raises(SegmentError, match="shows already"):
        learn(TINY, segmenter, nothing, pool, torch.arange(6.0), steps=2)
    made = starter_library(TINY, segmenter, judge(), pool=6, steps=2)
    assert {vector.name for vector in made} <= {lesson.name for lesson in LESSONS}


def test_parts_are_moved_scaled_cut_and_transplanted():
    own = face()
    assert not (cut(own, (MOUTH,), SKIN) == MOUTH).any()
    lower = moved(own, (MOUTH,), SKIN, 2 / 16, -1 / 16)
    assert (lower[12:14, 4:10] == MOUTH).all() and (lower == MOUTH).sum() == 12
    large = scaled(own, (MOUTH,), SKIN, 2.0)
    assert (large == MOUTH).sum() > 40
    assert np.allclose(center(large == MOUTH), center(own == MOUTH), atol=0.6)
    donor = face(slice(4, 8))
    donor[5:7, 6:10] = TEETH
    found = transplanted(own, donor, (MOUTH, TEETH), SKIN)
    assert (found == TEETH).sum() == 8
    assert np.allclose(center(found != SKIN), center(own == MOUTH), atol=0.6)
    assert np.array_equal(transplanted(np.full_like(own, SKIN), donor, (MOUTH, TEETH), SKIN), donor)


def test_what_hair_hid_comes_to_light():
    own, donor = face(), face()
    own[:6], donor[:2], own[6:8, :3] = PART["hair"], PART["background"], PART["ear"]
    found = as_donor(own, donor, (PART["hair"],))
    assert np.array_equal(found[:6], donor[:6]) and np.array_equal(found[6:], own[6:])
    assert np.array_equal(as_donor(own, own, (PART["hair"],)), own)
