"""The evaluation of self-conditioning, on a generator and an oracle that are too small to be good."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganedit_widgets.cli import main
from ganedit_widgets.core.conditioning import Attribute, Labels, Schema
from ganedit_widgets.core.conditioning.labeler import project
from ganedit_widgets.core.conditioning.model import self_conditioned, with_class_head
from ganedit_widgets.core.conditioning.resampling import balance, resample
from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators import Discriminator, DiscriminatorConfig, Generator, StyleGAN2, StyleGAN2Config
from ganedit_widgets.core.generators.load import save_model
from ganedit_widgets.core.probes import boundary
from ganedit_widgets.demo import evaluate_self_conditioned as evaluation
from ganedit_widgets.demo.evaluate_self_conditioned import (
    Extent,
    control_metrics,
    evaluate,
    ours,
    own_labels,
    require_pair,
    steered,
)
from ganedit_widgets.demo.label_metrics import agreement_metrics, guessed_metrics, resampling_metrics
from ganedit_widgets.demo.portraits import sample_attributes
from ganedit_widgets.demo.results_file import read_results
from ganedit_widgets.demo.steering_baselines import Search, most_needed, moving, pool_of, rivals
from ganedit_widgets.demo.steering_figures import curve, furthest
from ganedit_widgets.demo.steering_trials import (
    BEST,
    OURS,
    SCALES,
    Sweep,
    best_of,
    doubt,
    reaches,
    steering_metrics,
    strengths,
    sweep,
    within,
)
from tests.demo.judge import judge
from tests.tiny import CHANNELS, tiny

SMALL = Extent(Search(20, 3, (1, 2), 2, 1, (2.0, 6.0), 1), 2, 40, 3, 3, 4, 2)
NAMES = ("yaw", "age", "glasses")
WAYS = ("interfacegan", "sspace", "trend", "sefa", "ganspace")


def wide():
    """A generator whose z has room for the numbers that portraits are drawn from."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = StyleGAN2(StyleGAN2Config(16, CHANNELS, z_dim=64, w_dim=8, mapping_layers=2))
        network.mapping.w_avg.copy_(network.mapping(torch.randn(200, 64)).mean(0))
        return Generator(network, Discriminator(DiscriminatorConfig(resolution=16, channels=CHANNELS)))


def conditioned_of(source, names=NAMES):
    """A model whose labels change its pictures, with a class head."""
    schema = Schema(tuple(Attribute(name, -2.0, 2.0) for name in names), source.fingerprint)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = self_conditioned(source, schema)
        for constants in (network.synthesis.low, network.synthesis.high):
            constants.normal_(0, 1)
        return Generator(network, with_class_head(source, schema))


SOURCE = wide()
MODEL = conditioned_of(SOURCE)


@pytest.fixture(scope="module")
def results():
    """Results of a very quick run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "QUICK", SMALL)
        return evaluate(True, SOURCE, judge(), MODEL)


def a_sweep(yaw, identity, at=(-1.0, 0.0, 1.0)):
    """A sweep of people whose yaw is given in degrees."""
    seen = torch.tensor(yaw).deg2rad()
    return Sweep(at, {"yaw": seen, "age": torch.zeros_like(seen)}, torch.tensor(identity, dtype=torch.float64), 0.1)


# ---- bins and reach


def test_a_person_counts_once_in_each_bin_and_the_unedited_picture_in_none():
    found = a_sweep([[-25.0, 0.0, 28.0], [-35.0, 0.0, 35.0]], [[0.6, 1.0, 0.8], [0.5, 1.0, 0.3]])
    assert within(found, "yaw", 20, 30).tolist()[0] == pytest.approx(0.7)
    assert within(found, "yaw", 20, 30).isnan().tolist() == [False, True]
    assert within(found, "yaw", 30, 40).tolist()[1] == pytest.approx(0.4)
    assert within(found, "yaw", -1, 5).isnan().all()


def test_the_change_is_measured_from_the_unedited_picture_of_the_same_person():
    found = a_sweep([[-5.0, 20.0, 50.0]], [[0.5, 1.0, 0.5]])
    assert found.change("yaw")[0].tolist() == pytest.approx([25, 0, 30], abs=1e-4)


def test_reach_ends_where_the_likeness_crosses_the_line_and_is_the_mean_of_both_sides():
    found = a_sweep([[-40.0, 0.0, 60.0]], [[0.0, 1.0, 0.8]])
    assert float(reaches(found, "yaw", 0.5)) == pytest.approx((20 + 60) / 2, abs=1e-3)
    assert float(reaches(found, "yaw", -1.0)) == pytest.approx(50, abs=1e-3)


def test_who_comes_back_to_likeness_beyond_the_line_gets_no_further():
    at = (-2.0, -1.0, 0.0, 1.0, 2.0)
    found = a_sweep([[0.0, 0.0, 0.0, 30.0, 70.0]], [[1.0, 1.0, 1.0, 0.0, 1.0]], at)
    assert float(reaches(found, "yaw", 0.5)) == pytest.approx(15 / 2, abs=1e-3)


def test_the_best_rival_is_the_one_with_the_highest_mean_that_brings_enough_people():
    many, few = torch.full((20,), 0.5), torch.full((20,), torch.nan)
    few[0] = 0.9
    assert best_of({"many": many, "few": few}) == "many"
    assert best_of({"few": few}) == "few"
    assert best_of({}) is None


def test_ours_is_never_its_own_best_rival_and_an_empty_bin_is_left_out():
    sweeps = {
        OURS: a_sweep([[-25.0, 0.0, 25.0]], [[0.9, 1.0, 0.9]]),
        "sefa": a_sweep([[-25.0, 0.0, 70.0]], [[0.4, 1.0, 0.2]]),
        "ganspace": a_sweep([[-25.0, 0.0, 25.0]], [[0.6, 1.0, 0.6]]),
    }
    found = steering_metrics(sweeps, "yaw", 0.3)
    assert found[f"identity/yaw_20_30/{OURS}"].value == pytest.approx(0.9)
    assert found[f"identity/yaw_20_30/{BEST}"].value == pytest.approx(0.6)
    assert found[f"identity/yaw_60_75/{BEST}"] == found["identity/yaw_60_75/sefa"]
    assert f"identity/yaw_60_75/{OURS}" not in found and found[f"coverage/yaw_60_75/{OURS}"].value == 0
    assert found[f"reach/yaw/{BEST}"] == found["reach/yaw/sefa"]
    assert not any("30_40" in name for name in found if name.startswith("identity"))


def test_points_of_the_curve_lie_at_the_change_that_was_measured():
    found = a_sweep([[-24.0, 0.0, 26.0]] * 3, [[0.5, 1.0, 0.7]] * 3)
    ((x, y, low, high),) = curve(found, "yaw")
    assert x == pytest.approx(25, abs=1e-3) and y == low == high == pytest.approx(0.6)


def test_the_sheet_shows_ours_and_the_rivals_that_reach_furthest():
    ways = [moving(SOURCE, name, None, (0.0,)) for name in ("sefa", "trend", OURS, "ganspace")]
    far = {"sefa": 10.0, "trend": 30.0, OURS: 1.0, "ganspace": 20.0}
    sweeps = {name: a_sweep([[-x, 0.0, x]], [[1.0] * 3]) for name, x in far.items()}
    assert [way.name for way in furthest(ways, sweeps, "yaw", 0.5)] == [OURS, "trend", "ganspace"]


# ---- ways


def test_strengths_are_even_and_hold_zero():
    assert strengths(3.0, 2) == (-3.0, -1.5, 0.0, 1.5, 3.0)


def own(seed):
    """Labels of a person, all of them different."""
    return torch.tensor([0.2, 0.6, 0.9]) - 0.01 * (seed % 7)


def test_labels_change_the_attribute_and_leave_the_others_and_w():
    way = ours(MODEL, "age", 2, own)
    start = way.start(3)
    moved = next(way.edit(1.0).steps(MODEL, start))
    age = MODEL.schema.index("age")
    assert torch.equal(start.label, own(3)) and moved.label[age] == 1 and torch.equal(start.w, moved.w)
    others = [i for i in range(3) if i != age]
    assert torch.equal(start.label[others], moved.label[others])
    assert float(next(way.edit(-1.0).steps(MODEL, start)).label[age]) == 0
    half = next(way.edit(0.5).steps(MODEL, start)).label[age]
    assert float(half) == pytest.approx((float(start.label[age]) + 1) / 2)


def test_a_person_begins_with_the_labels_of_its_own_latent():
    latents = [SOURCE.sample(i) for i in range(12)]
    yaw = boundary(SOURCE, latents, [float(latent.w[0, 0]) for latent in latents], "yaw")
    found = own_labels(SOURCE, MODEL, {"yaw": yaw})
    raw = project(SOURCE, [yaw], torch.stack([latent.w for latent in latents]))[:, 0]
    column = MODEL.schema.index("yaw")
    for seed in range(12):
        label = found(seed)
        assert float(label[column]) == pytest.approx(min(max(float(raw[seed] + 2) / 4, 0), 1), abs=1e-5)
        assert all(label[i] == 0.5 for i in range(3) if i != column)


def test_a_sweep_looks_at_each_person_as_the_oracle_does():
    way = ours(MODEL, "yaw", 1, own)
    found = sweep(way, judge(), [5, 6])
    label = own(6)
    label[MODEL.schema.index("yaw")] = 1.0
    look = judge().look(MODEL.draw(replace(MODEL.sample(6), label=label)).clamp(-1, 1))
    assert found.seen["yaw"][1, 2] == pytest.approx(float(look.attributes["yaw"]), abs=1e-4)
    assert found.identity.shape == (2, 3) and torch.allclose(found.identity[:, 1], torch.ones(2).double(), atol=1e-5)


def test_rivals_are_one_for_each_family_and_move_as_far_as_is_asked():
    found = rivals(SOURCE, judge(), ["yaw"], 0.5, SMALL.search, 0)
    assert [way.name for way in found["yaw"]] == list(WAYS)
    assert all(way.strengths[-1] in SMALL.search.ladder for way in found["yaw"])


def test_the_least_strength_that_goes_far_enough_is_chosen():
    at = (-6.0, -2.0, 0.0, 2.0, 6.0)
    assert most_needed(a_sweep([[-80.0, -76.0, 0.0, 76.0, 90.0]], [[1.0] * 5], at), "yaw") == 2
    assert most_needed(a_sweep([[-80.0, -10.0, 0.0, 10.0, 80.0]], [[1.0] * 5], at), "yaw") == 6
    assert most_needed(a_sweep([[-3.0, -2.0, 0.0, 2.0, 3.0]], [[1.0] * 5], at), "yaw") == 6


def test_directions_are_learned_from_others_than_they_are_tried_on():
    latents, seen = pool_of(SOURCE, judge(), range(20))
    assert len(latents) == 20 and seen["yaw"].shape == (20,) and "iris" not in seen
    assert torch.equal(moving(SOURCE, "none", None, (0.0,)).start(3).w, latents[3].w)


def test_the_line_is_a_likeness():
    assert -1 <= doubt(judge(), 4, 16).value <= 1


# ---- labels


def test_labels_that_are_the_truth_are_perfect_and_others_are_not():
    truth = sample_attributes(range(60))
    right = agreement_metrics({name: getattr(truth, name) for name in NAMES}, truth)
    assert {name: round(m.value, 6) for name, m in right.items()} == dict.fromkeys(
        ("labels/yaw_r2", "labels/yaw_spearman", "labels/age_r2", "labels/age_spearman", "labels/glasses_auc"), 1.0
    )
    wrong = agreement_metrics({"yaw": truth.age, "height": truth.age}, truth, "_read")
    assert set(wrong) == {"labels/yaw_r2_read", "labels/yaw_spearman_read"}
    assert wrong["labels/yaw_r2_read"].value < 0.5


def test_labels_of_pictures_alone_are_guessed_by_the_encoder_and_read_by_the_class_head():
    source = wide()
    yaw = boundary(source, [source.sample(i) for i in range(12)], list(range(12)), "yaw")
    assert guessed_metrics(source, source, {"yaw": yaw}, 3) == {}
    source.__dict__["encoder"] = lambda x: x.mean((1, 2, 3))[:, None, None].expand(-1, *source.latent_shape)
    found = guessed_metrics(source, MODEL, {"yaw": yaw}, 4)
    assert {"labels/yaw_r2_encoder", "labels/yaw_spearman_encoder", "labels/age_spearman_read"} <= set(found)
    assert found["labels/yaw_r2_encoder"].n == 4 and "labels/age_r2_encoder" not in found


def test_resampling_is_told_by_its_edges_and_its_pictures():
    raw = torch.randn(300, 1, generator=torch.Generator().manual_seed(0))
    labels = Labels(raw, tuple(map(str, range(300))), Schema((Attribute("yaw", -3.0, 3.0),)))
    found = resampling_metrics(balance(labels, resample(labels, cap=30)))
    assert found["resampling/yaw_edges_after"].value > found["resampling/yaw_edges_before"].value
    assert found["resampling/effective"].value <= found["resampling/unique"].value <= 300
    assert found["resampling/most"].value <= 30 and "resampling/correlation_after" not in found


def test_control_is_how_well_the_label_orders_what_is_seen():
    found = control_metrics(a_sweep([[-30.0, 0.0, 30.0], [-20.0, 0.0, 20.0]], [[1.0] * 3] * 2), "yaw")
    assert found["control/yaw_lowest"].value == pytest.approx(-25, abs=1e-3)
    assert found["control/yaw"].value > 0.9


# ---- a run


def test_a_run_measures_what_its_contract_asks(results):
    asked = {f"reach/{name}/{way}" for name in SCALES for way in (OURS, BEST, *WAYS)}
    asked |= {f"coverage/{n}_{a}_{b}/{OURS}" for n, scale in SCALES.items() for a, b in scale.bins}
    asked |= {"labels/yaw_r2", "labels/age_spearman", "labels/yaw_r2_read", "frechet/before", "frechet/after"}
    asked |= {f"tails/{name}/{when}" for name in NAMES for when in ("before", "after", "uniform", "data")}
    asked |= {"resampling/effective", "control/yaw", "time/picture_ours", "time/label", "reach/identity_line"}
    assert asked <= set(results.metrics)
    assert all(np.isfinite(m.value) for m in results.metrics.values())


def test_a_run_is_written_with_its_figures(results, tmp_path):
    results.write(tmp_path)
    assert read_results("self_conditioned", tmp_path, quick=True).metrics.keys() == results.metrics.keys()
    names = {p.stem.removeprefix("self_conditioned_quick_") for p in tmp_path.glob("*.[jp][pn]g")}
    assert names == {"identity", "pictures", "labels", "resampling"}


# ---- what is refused


def test_a_missing_model_is_told_in_a_sentence_with_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("ganedit_widgets.core.generators.load.DEMO", tmp_path)
    assert main(["evaluate", "self_conditioned", "--quick", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "--model runs/steered/model.safetensors" in said
    assert main(["evaluate", "self_conditioned", "--model", "other.safetensors"]) == 2
    assert "say with --out where to write" in capsys.readouterr().err
    assert main(["evaluate", "demo", "--model", "other.safetensors"]) == 2
    assert "leave it out" in capsys.readouterr().err


def test_a_file_that_is_given_is_opened(tmp_path):
    path = tmp_path / "model.safetensors"
    save_model(path, MODEL.network, MODEL.discriminator)
    assert steered(path).fingerprint == MODEL.fingerprint


def test_models_without_labels_of_other_origin_or_of_other_attributes_are_refused():
    assert require_pair(SOURCE, MODEL) == ["yaw", "age"]
    with pytest.raises(ModelError, match="takes no labels"):
        require_pair(SOURCE, SOURCE)
    with pytest.raises(ModelError, match="was made of checkpoint"):
        require_pair(tiny(), MODEL)
    with pytest.raises(ModelError, match="labels of glasses"):
        require_pair(SOURCE, conditioned_of(SOURCE, ("glasses",)))
