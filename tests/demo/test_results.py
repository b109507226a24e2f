"""Statistics against closed forms and scikit-learn, and the file that measured numbers are kept in."""

import json
import re

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.demo import results_file
from ganedit_widgets.demo.results_file import RESULTS, Metric, Results, ResultsError, read_results
from ganedit_widgets.demo.statistics import (
    accuracy,
    auc,
    bootstrap,
    bootstrap_all,
    confusions,
    frechet_distance,
    intersection_over_union,
    kernel_distance,
    mean_iou,
    r_squared,
)

COMMITTED = sorted(p for p in RESULTS.glob("*.json") if not p.stem.endswith("_quick"))


def normal(n, d, seed=0):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_the_frechet_distance_of_normals_is_their_closed_form():
    a, b = normal(4000, 3, 0), normal(4000, 3, 1) * torch.tensor([2.0, 1.0, 0.5]) + torch.tensor([0.0, 3.0, 0.0])
    assert frechet_distance(a, b) == pytest.approx(9 + 1 + 0 + 0.25, rel=0.03)


def test_the_frechet_distance_of_a_set_to_itself_is_zero_even_where_it_is_flat():
    a = normal(20, 3) @ normal(3, 40, 1)  # rank 3 in 40 dimensions, fewer rows than columns
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


def test_the_frechet_distance_agrees_with_the_textbook_root():
    from scipy.linalg import sqrtm

    a, b = normal(300, 6), normal(300, 6, 1) @ normal(6, 6, 2)
    ca, cb = np.cov(a.numpy().T), np.cov(b.numpy().T)
    trace = np.trace(ca + cb - 2 * sqrtm(ca @ cb).real)
    assert frechet_distance(a, b) == pytest.approx(float((a.mean(0) - b.mean(0)).square().sum()) + trace, rel=1e-6)


def test_the_frechet_distance_does_not_care_about_order():
    a, b = normal(50, 5), 2 * normal(60, 5, 1)
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a))


def test_the_kernel_distance_is_about_zero_for_one_distribution_and_not_for_two():
    a, b = normal(400, 5), normal(400, 5, 1)
    assert abs(kernel_distance(a, b)) < 0.03 < kernel_distance(a, b + 1)


def test_accuracies_agree_with_scikit_learn():
    from sklearn.metrics import r2_score, roc_auc_score

    x, y = normal(50, 1).squeeze(), normal(50, 1, 1).squeeze()
    assert r_squared(x, y) == pytest.approx(r2_score(y, x))
    scores, labels = x.round(decimals=1), y > 0
    assert auc(scores[labels], scores[~labels]) == pytest.approx(roc_auc_score(labels, scores))
    assert accuracy(torch.tensor([1, 2, 3]), torch.tensor([1, 2, 4])) == pytest.approx(2 / 3)


def test_intersection_over_union_counts_over_all_pictures_and_leaves_out_absent_parts():
    true = torch.tensor([[[0, 0], [1, 1]], [[0, 0], [0, 1]]])
    found = torch.tensor([[[0, 0], [1, 0]], [[0, 0], [0, 1]]])
    counts = confusions(found, true, 3)
    assert intersection_over_union(counts)[:2].tolist() == pytest.approx([5 / 6, 2 / 3])
    assert bool(intersection_over_union(counts)[2].isnan())
    assert mean_iou(counts) == pytest.approx(0.75)


def test_an_interval_covers_the_truth_about_as_often_as_it_says():
    hits = [0.0 in bootstrap(lambda x: float(x.mean()), normal(40, 1, seed), times=100) for seed in range(100)]
    assert 0.86 <= np.mean(hits) <= 1


def test_an_interval_narrows_with_more_pictures_and_is_the_same_every_time():
    wide, narrow = (bootstrap(lambda x: float(x.mean()), normal(n, 1)) for n in (30, 3000))
    assert wide.high - wide.low > 5 * (narrow.high - narrow.low)
    assert wide == bootstrap(lambda x: float(x.mean()), normal(30, 1))
    assert (wide.n, narrow.n) == (30, 3000)


def test_a_recentered_interval_lies_around_its_value():
    a, b = normal(30, 8), normal(30, 8, 1)
    plain, moved = (bootstrap(frechet_distance, a, b, paired=False, recentered=r, times=50) for r in (False, True))
    assert plain.value < plain.low
    assert moved.low < moved.value < moved.high


def test_paired_rows_stay_together():
    x = torch.arange(20.0)
    assert bootstrap(lambda a, b: float((a - b).abs().max()), x, x.clone()).high == 0
    assert bootstrap(lambda a, b: float((a - b).abs().max()), x, x.clone(), paired=False).high > 0


def test_several_numbers_are_measured_on_the_same_resamples():
    low, high = bootstrap_all(lambda x: torch.stack([x.mean(), x.mean() + 1]), normal(30, 1))
    assert high.low == pytest.approx(low.low + 1)


def test_a_resample_without_a_value_is_left_out():
    metric = bootstrap(lambda x: float(1 / x.sum()), torch.tensor([0.0, 0.0, 1.0]))
    assert np.isfinite([metric.low, metric.high]).all()


def sample(**changes):
    return Results("demo", {"a/b": Metric(1 / 3, 0.0, 1.0, 5)}, "ganedit evaluate demo", 2.5, **changes)


def test_results_are_read_as_they_were_written(tmp_path):
    path = sample().write(tmp_path)
    assert path == tmp_path / "demo.json"
    found = read_results("demo", tmp_path)
    assert found.metrics["a/b"] == Metric(0.33333, 0.0, 1.0, 5)
    assert (found.command, found.commit, found.seconds) == ("ganedit evaluate demo", sample().commit, 2.5)


def test_writing_what_was_read_changes_nothing(tmp_path):
    path = sample().write(tmp_path)
    before = path.read_bytes()
    assert read_results("demo", tmp_path).write(tmp_path).read_bytes() == before


def test_a_quick_run_does_not_overwrite_the_full_one(tmp_path):
    full = sample().write(tmp_path)
    quick = sample(quick=True).write(tmp_path)
    assert full != quick
    assert read_results("demo", tmp_path, quick=True).quick


def test_figures_are_written_beside_the_results(tmp_path):
    from matplotlib.figure import Figure

    figure = Figure((1, 1))
    figure.subplots().plot([0, 1])
    sample(figures={"sheet": np.zeros((4, 6, 3), np.uint8), "curve": figure}).write(tmp_path)
    with Image.open(tmp_path / "demo_sheet.jpg") as sheet:
        assert sheet.size == (6, 4)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["demo.json", "demo_curve.png", "demo_sheet.jpg"]


def test_a_number_that_is_none_is_not_written(tmp_path):
    with pytest.raises(ValueError, match="nan"):
        Results("demo", {"a": Metric(float("nan"), 0, 1, 3)}).write(tmp_path)
    assert not (tmp_path / "demo.json").exists()


@pytest.mark.parametrize("content", ["", "{}", '{"metrics": 3}', '{"metrics": {"a": {"value": 1}}}'])
def test_a_damaged_file_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "demo.json").write_text(content)
    with pytest.raises(ResultsError, match="ganedit evaluate demo"):
        read_results("demo", tmp_path)


def test_a_missing_file_is_refused_in_a_sentence(tmp_path):
    with pytest.raises(ResultsError, match="no results at"):
        read_results("demo", tmp_path)


def test_the_commit_is_a_hash_or_a_version_and_the_machine_names_no_host():
    import platform

    assert re.fullmatch(r"[0-9a-f]{10}|\d+\.\d+\.\d+.*", results_file.commit())
    assert "torch" in results_file.machine()
    assert platform.node() not in results_file.machine()


@pytest.mark.parametrize("path", COMMITTED, ids=lambda p: p.name)
def test_committed_results_are_well_formed(path):
    content = json.loads(path.read_text())
    assert list(content) == list(results_file.FIELDS)
    assert "/" not in content["machine"].replace("(R)", "")
    assert content["command"] == f"ganedit evaluate {path.stem}"
    for name, metric in content["metrics"].items():
        assert list(metric) == ["value", "low", "high", "n"], name
        assert metric["low"] <= metric["value"] <= metric["high"], name
        alone = metric["low"] == metric["value"] == metric["high"]  # one measurement claims no interval
        assert metric["n"] > 1 or (metric["n"] == 1 and alone), name
