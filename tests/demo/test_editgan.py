"""The measurements of EditGAN: all there, finite, and saying what they should of known cases; painting by rule."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.errors import SegmentError
from ganedit_widgets.core.segment import Labeled, SegmentPlan, load_segmenter
from ganedit_widgets.core.segment.files import SHIPPED
from ganedit_widgets.demo.edit_vectors import ENOUGH, LESSONS, Lesson, backwards, best_donor, learn, starter_library
from ganedit_widgets.demo.evaluate_editgan import FULL, QUICK, curves, evaluate
from ganedit_widgets.demo.mask_recipes import as_donor, center, cut, moved, scaled, transplanted
from ganedit_widgets.demo.paint_trials import paint_metrics
from ganedit_widgets.demo.portraits import PART, PART_COLORS
from ganedit_widgets.demo.results_file import Metric
from ganedit_widgets.demo.segment_figures import label_sheet, overlaid
from ganedit_widgets.demo.segment_trials import seen
from ganedit_widgets.demo.segmenter import make, telling, trained
from ganedit_widgets.demo.smile_trials import STRENGTHS, at_equal_identity, neutral_portraits, smile_line, smile_metrics
from ganedit_widgets.demo.vector_trials import out_of_domain, vector_metrics
from tests.demo.judge import judge
from tests.tiny import tiny

TINY = tiny()
SKIN, MOUTH, TEETH, NOSE = (PART[name] for name in ("skin", "mouth", "teeth", "nose"))
SCORES = ("accuracy", "identity", "frechet", "kernel")
PROMISED = {f"segmentation/miou_{n}" for n in (1, "full", "renders", "renders_on_samples", "samples_on_renders")}
PROMISED |= {"time/train", "time/read", "memory/train_gib", "segmentation/leave_one_out", "smile/embedding_psnr"}
SMILE = {
    f"smile/{what}_{way}" for what in SCORES for way in ("vector", "unrefined", "refined", "vector_-1", "vector_2")
}
SMILE |= {"smile/accuracy_interfacegan_equal_identity", "time/step", "time/vector", "time/refined"}
SMILE |= {"smile/judge_accuracy", "smile/accuracy_unedited", "smile/frechet_unedited", "smile/accuracy_refined_3"}


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


def finite(metrics):
    return all(np.isfinite([m.value, m.low, m.high]).all() and m.n >= 1 for m in metrics.values())


def test_every_promised_number_is_there_and_finite(tmp_path):
    results = evaluate(quick=True, generator=TINY, oracle=judge())
    assert set(results.metrics) >= PROMISED
    assert finite(results.metrics)
    assert results.write(tmp_path).exists()
    assert {path.stem.removeprefix("editgan_quick_") for path in tmp_path.glob("*_*.*g")} >= {"miou", "parts", "labels"}


def test_a_full_run_measures_what_the_results_promise():
    assert [16 in FULL.labels.labels, FULL.smiles.steps, FULL.smiles.neutral] == [True, 30, 400]
    assert {1, 4, 16, 64} < set(FULL.labels.labels) and max(FULL.labels.labels) > 64
    assert FULL.edited <= FULL.smiles.neutral >= FULL.painted


@pytest.fixture(scope="module")
def lower(segmenter):
    """A vector learned by painting the mouth lower."""
    pool = [TINY.sample(seed) for seed in range(6)]
    lesson = Lesson("smile", ("mouth",), paint=lambda own, donor: moved(own, (MOUTH,), SKIN, 0.1, 0.0))
    return learn(TINY, segmenter, lesson, pool, torch.arange(6.0), steps=10)


def test_the_smile_benchmark_measures_every_way(segmenter, lower):
    people = [TINY.sample(seed) for seed in range(20, 24)]
    metrics, shown = smile_metrics(TINY, judge(), segmenter, lower, people, QUICK.smiles)
    assert set(metrics) >= SMILE and finite(metrics)
    assert all(-1 <= m.value <= 1 for name, m in metrics.items() if name.startswith("smile/identity"))
    assert len(shown) % 5 == 0 and not np.array_equal(shown[0], shown[3])
    assert metrics["smile/identity_vector_0.25"].value > metrics["smile/identity_vector_2"].value
    assert [metrics[f"smile/accuracy_{way}"].n for way in ("vector", "vector_2", "refined", "unrefined")] == [
        4,
        3,
        2,
        2,
    ]
    ways = curves(metrics)
    assert set(ways) >= {"vector", "refined", "interfacegan"} and len(ways["interfacegan"]) == len(STRENGTHS)
    assert metrics["time/step"].value < metrics["time/refined_3"].value


def test_neutral_people_do_not_smile_and_are_the_same_every_time():
    people = neutral_portraits(40)
    assert len(people) == 40 and people.smile.max() <= 0.2 and people.mouth_open.max() <= 0.1
    assert torch.equal(people.smile, neutral_portraits(40).smile)


class Reads:
    """An oracle that reads from a portrait what `of` says of its true smile and its number."""

    def __init__(self, of):
        self.of = of

    def look(self, smiles):
        read = [self.of(smile, i) for i, smile in enumerate(smiles)]
        return type("Look", (), {"attributes": {"smile": torch.tensor(read)}})


def test_the_line_of_a_judge_who_knows_is_never_wrong(monkeypatch):
    monkeypatch.setattr("ganedit_widgets.demo.smile_trials.drawn", lambda people, side: people.smile.tolist())
    line, right = smile_line(Reads(lambda smile, i: smile), 60, 16)
    assert right.value == 1 and line >= 0.6


def test_the_line_is_judged_by_other_portraits_than_those_that_drew_it(monkeypatch):
    monkeypatch.setattr("ganedit_widgets.demo.smile_trials.drawn", lambda people, side: people.smile.tolist())
    _, right = smile_line(Reads(lambda smile, i: (5 if smile < 0.4 else -5) if i % 2 else smile), 60, 16)
    assert right.value == 0


def test_every_vector_is_tried_and_a_photograph_too(segmenter, lower):
    latents = [TINY.sample(seed) for seed in range(20, 23)]
    metrics, rows = vector_metrics(TINY, judge(), segmenter, {"smile": lower}, latents)
    assert set(metrics) == {f"edit/smile_{what}" for what in ("moved", "identity", "outside")}
    assert metrics["edit/smile_outside"].value > 0 and len(rows) == 2 and len(rows[0]) == 3
    metrics, rows = out_of_domain(TINY, segmenter, lower, 2, 2)
    assert set(metrics) >= {"outside/psnr"} and finite(metrics) and all(len(row) == 4 for row in rows)


def test_people_are_painted_on_and_what_cannot_be_painted_is_left_out():
    labels = face(slice(12, 14))
    labels[3:11, 4:12], labels[5:9, 6:10] = PART["eye"], PART["iris"]
    labeled = [Labeled(TINY.sample(seed), labels) for seed in range(3)]
    known = trained(TINY, labeled, SegmentPlan(steps=200, models=2, rate=5e-3))
    people = [x.latent for x in labeled]
    metrics, rows = paint_metrics(TINY, judge(), known, people, steps=8, pool=10)
    assert finite(metrics) and len(rows) == 2 and all(len(row) == 5 for row in rows)
    assert {name.rpartition("_")[0] for name in metrics if name.startswith("paint/")} <= {
        "paint/large_irises",
        "paint/large_irises_agreement",
    }  # sixteen pixels are too few to look aside by a fiftieth, and nobody has hair or glasses
    before, after = (metrics[f"paint/large_irises_{when}"].value for when in ("agreement_before", "agreement"))
    assert metrics["paint/large_irises_pixels"].value > 4 and before < 1 and after >= before
    assert metrics["time/painted"].value > metrics["time/painted_step"].value


def test_a_segmenter_that_is_right_has_the_full_overlap(segmenter):
    latents = [TINY.sample(seed) for seed in (0, 1)]
    right = [Labeled(x, segmenter.labels(TINY, x)) for x in latents]
    found = seen(TINY, segmenter, right)
    assert found.miou.value == 1.0 and all(metric.value == 1 for metric in found.ious.values())
    wrong = [Labeled(x.latent, np.where(x.labels == SKIN, NOSE, SKIN).astype(np.uint8)) for x in right]
    assert seen(TINY, segmenter, wrong).miou.value < 0.1


def test_doubt_is_measured_where_something_is_wrong(segmenter):
    latent = TINY.sample(0)
    reading = segmenter.read(TINY, latent)
    true = reading.labels.copy()
    true.flat[np.argsort(reading.uncertainty, axis=None)[-5:]] = NOSE  # wrong where the doubt is greatest
    assert seen(TINY, segmenter, [Labeled(latent, true)]).doubt.value > 0.99


def test_the_sheet_names_every_part_beside_its_color(segmenter):
    readings = [segmenter.read(TINY, TINY.sample(seed)) for seed in (0, 1)]
    figure = label_sheet({"one": readings, "two": readings}, [reading.labels for reading in readings])
    assert len(figure.axes) == 10
    legend = figure.legends[0]
    named = {text.get_text(): patch for text, patch in zip(legend.texts, legend.get_patches(), strict=True)}
    assert set(named) == set(PART)
    assert np.allclose(named["mouth"].get_facecolor()[:3], PART_COLORS[MOUTH] / 255)
    over = overlaid(np.zeros((16, 16, 3), np.uint8), face(), 0.5)
    assert np.array_equal(over[10, 6], np.rint(PART_COLORS[MOUTH].numpy() / 2))


def test_the_segmenter_that_ships_is_written_where_the_panels_look_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr("ganedit_widgets.demo.segmenter.AMONG", 2)
    make(tmp_path / "made.safetensors", TINY, judge(), plan=SegmentPlan(steps=30, models=2))
    found = load_segmenter(tmp_path / "made.safetensors", TINY)
    assert found.classes[SKIN] == "skin" and found.palette[MOUTH] == tuple(PART_COLORS[MOUTH].tolist())
    assert make.__defaults__[0] == SHIPPED and SHIPPED.parent.name == "weights"


def test_the_rivals_accuracy_is_read_off_where_it_keeps_as_much_identity():
    metrics = {"smile/identity_vector": Metric(0.75, 0.7, 0.8, 9), "smile/accuracy_unedited": Metric(0, 0, 0, 9)}
    for i, s in enumerate(("0.25", "0.5", "0.75", "1", "1.5", "2", "3")):
        metrics[f"smile/identity_interfacegan_{s}"] = Metric(0.9 - 0.1 * i, 0, 0, 8)
        metrics[f"smile/accuracy_interfacegan_{s}"] = Metric(0.1 + 0.1 * i, 0.1 * i, 0.1 * i, 8)
    found = at_equal_identity(metrics, "vector")
    assert found.value == pytest.approx(0.25) and found.n == 8
    metrics["smile/identity_vector"] = Metric(0.98, 0.9, 1.0, 9)
    assert at_equal_identity(metrics, "vector").value == pytest.approx(0.02)  # weaker than the weakest
    assert at_equal_identity(metrics, "vector", "borrowed") is None


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
    with pytest.raises(SegmentError, match="shows already"):
        learn(TINY, segmenter, nothing, pool, torch.arange(6.0), steps=2, attempt=1)


def test_the_starter_library_keeps_what_moves_its_attribute(segmenter, monkeypatch):
    lesson = Lesson("smile", ("mouth",), paint=lambda own, donor: moved(own, (MOUTH,), SKIN, 0.1, 0.0))
    against = Lesson("frown", ("mouth",), sign=-1.0, paint=lesson.paint)
    monkeypatch.setattr("ganedit_widgets.demo.edit_vectors.LESSONS", (lesson, against))
    made = starter_library(TINY, segmenter, judge(), pool=12, steps=10)
    assert 1 <= len(made) <= 2 and ENOUGH > 0
    for vector in made:
        low, high = vector.direction.range
        assert low <= -1 and high >= 1
        assert vector.about["author"] and vector.about["licence"] and vector.thumbnail is not None


def test_what_is_known_is_not_learned_again_and_an_opposite_serves(segmenter, lower, monkeypatch):
    opposite = Lesson("higher", ("mouth",), paint=lambda own, donor: own, opposite="smile")  # nothing is painted
    monkeypatch.setattr("ganedit_widgets.demo.edit_vectors.LESSONS", (Lesson("smile", ("mouth",)), opposite))
    smile, higher = starter_library(TINY, segmenter, judge(), pool=12, steps=2, known=[lower])
    assert smile is lower and torch.allclose(higher.delta, -lower.delta, atol=1e-5)
    turned = backwards(TINY, lower, "raise")
    assert (
        np.array_equal(turned.thumbnail[:, :16], lower.thumbnail[:, 16:]) and turned.about["of"] == "smile, backwards"
    )


def test_an_opened_mouth_shows_teeth_across_its_middle():
    paint = next(lesson for lesson in LESSONS if lesson.name == "open mouth").paint
    own = face(slice(6, 11))
    opened = paint(own, own)
    assert (opened == TEETH).any() and (opened == MOUTH).any()
    assert (opened != SKIN).sum() > (own != SKIN).sum()
    assert abs(center(opened == TEETH)[0] - center(opened != SKIN)[0]) < 1
    bare = np.full_like(own, SKIN)
    assert np.array_equal(paint(bare, bare), bare)


def test_a_donor_shows_what_is_to_be_added_and_looks_like_the_picture():
    own, with_teeth = face(), face(slice(4, 8))
    with_teeth[5:7, 6:10] = TEETH
    adds, removes = Lesson("teeth", ("teeth",)), Lesson("no teeth", ("teeth",), sign=-1.0)
    assert best_donor(own, [face(), with_teeth], adds) is with_teeth
    assert np.array_equal(best_donor(own, [with_teeth, face()], removes), own)


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
