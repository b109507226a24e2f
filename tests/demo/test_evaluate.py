"""The evaluation of the demo, on a generator and an oracle that are too small to be good."""

import numpy as np
import pytest
import torch

from ganedit_widgets.cli.evaluate import METHODS
from ganedit_widgets.demo import evaluate_demo, reference
from ganedit_widgets.demo.evaluate_demo import evaluate, look_at_generated, tails
from ganedit_widgets.demo.evaluate_oracle import Extent
from ganedit_widgets.demo.figures import side_by_side
from ganedit_widgets.demo.held_out import held_out
from ganedit_widgets.demo.model_card import CARD, current_card, model_card
from ganedit_widgets.demo.oracle import Look
from ganedit_widgets.demo.portraits import render, sample_attributes
from ganedit_widgets.demo.reference import join, look_at, read_reference, write_reference
from ganedit_widgets.demo.results_file import Metric, Results, read_results
from tests.demo.judge import judge
from tests.tiny import tiny


@pytest.fixture(scope="module")
def results():
    """Results of a very quick run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluate_demo, "QUICK", Extent(16, 4))
        patch.setattr(evaluate_demo, "QUICK_PICTURES", 12)
        patch.setattr(evaluate_demo, "QUICK_TIMES", 3)
        return evaluate(True, tiny(), judge())


def test_a_run_measures_distances_tails_and_the_oracle(results):
    asked = {"frechet/generated", "frechet/floor", "frechet/ratio_to_floor", "frechet/psi_0.7", "oracle/yaw_r2"}
    assert asked | {"tails/age", "tails/yaw_generated", "oracle/miou", "oracle/identity_auc"} <= set(results.metrics)
    assert results.metrics["frechet/generated"].n == 12


def test_the_ratio_is_that_of_the_distances(results):
    m = results.metrics
    assert m["frechet/ratio_to_floor"].value == pytest.approx(m["frechet/generated"].value / m["frechet/floor"].value)


def test_a_run_is_written_with_its_figures_and_can_be_read(results, tmp_path):
    results.write(tmp_path)
    assert read_results("demo", tmp_path, quick=True).metrics.keys() == results.metrics.keys()
    names = {p.stem.removeprefix("demo_quick_") for p in tmp_path.glob("*.[jp][pn]g")}
    assert names == {"samples", "side_by_side", "truncation", "tails"}


def test_a_run_says_the_same_every_time(results):
    again = look_at_generated(tiny(), judge(), 5)
    assert torch.allclose(again.features, look_at_generated(tiny(), judge(), 5, batch=2).features, atol=1e-5)


def test_held_out_portraits_do_not_depend_on_how_many_are_asked():
    together, alone = held_out(0, 4, 16), held_out(3, 1, 16)
    assert torch.equal(together[0][3:], alone[0])
    assert float(alone[2].yaw) == float(sample_attributes([3], 1).yaw)
    drawn = render(sample_attributes([3], 1), 16)
    assert torch.equal(alone[1], drawn.labels)


def look(yaw, age, glasses):
    n = len(yaw)
    named = {"yaw": torch.tensor(yaw), "age": torch.tensor(age), "glasses": torch.tensor(glasses)}
    return Look(named, torch.zeros(n, 2), torch.zeros(n, 2))


def test_tails_are_shares_beyond_the_datas_thresholds():
    data = look([0.0, 2.0, -2.0, 0.1], [0.1, 0.2, 0.3, 0.9], [0.9, 0.1, 0.1, 0.1])
    made = look([0.0, 0.0, -2.0, 0.1], [0.1, 0.2, 0.3, 0.3], [0.9, 0.9, 0.1, 0.1])
    found = tails(evaluate_demo.Seen(data, data, made, {}))
    assert found["tails/yaw"].value == pytest.approx(0.5)
    assert (found["tails/yaw_data"].value, found["tails/yaw_generated"].value) == (0.5, 0.25)
    assert found["tails/age"].value == 0
    assert found["tails/glasses"].value == pytest.approx(2)


def test_what_is_kept_of_held_out_portraits_is_what_the_oracle_sees(tmp_path):
    oracle = judge()
    path = write_reference(oracle, 3, 16, tmp_path / "reference.safetensors")
    kept = read_reference(oracle, 16, path)
    seen = join(list(look_at(oracle, 3, 16, seed=1)))
    assert torch.allclose(kept["held_out"].features, seen.features, atol=0.01)
    assert torch.allclose(kept["held_out"].attributes["yaw"], seen.attributes["yaw"], atol=0.01)
    assert not torch.equal(kept["floor"].features, kept["held_out"].features)


def test_what_another_oracle_saw_is_not_used(tmp_path):
    path = write_reference(judge(), 2, 16, tmp_path / "reference.safetensors")
    assert read_reference(judge(1), 16, path) is None
    assert read_reference(judge(), 32, path) is None
    assert read_reference(judge(), 16, tmp_path / "absent.safetensors") is None


def test_the_reference_that_ships_is_that_of_the_oracle_that_ships():
    if not reference.REFERENCE.exists():
        pytest.skip("the oracle's reference does not ship yet")
    from ganedit_widgets.demo.oracle import load_oracle

    kept = read_reference(load_oracle(), 128)
    assert kept is not None, "draw it again: python -m ganedit_widgets.demo.reference"
    assert len(kept["held_out"].features) >= 500


def test_generated_pictures_stand_left_and_rendered_ones_right():
    black, white = [np.zeros((4, 4, 3), np.uint8)] * 4, [np.full((4, 4, 3), 255, np.uint8)] * 4
    sheet = side_by_side(black, white, gap=2)
    assert sheet.shape == (8, 18, 3)
    assert sheet[:, :8].max() == 0
    assert sheet[:, 8:].min() == 255


def test_the_model_card_says_what_the_results_say():
    metrics = {
        "frechet/generated": Metric(7.654, 7.0, 8.0, 1000),
        "tails/yaw": Metric(0.4321, 0.4, 0.5, 1000),
        "tails/age": Metric(0.9, 0.8, 1.1, 1000),
        "oracle/yaw_r2": Metric(0.987, 0.98, 0.99, 900),
    }
    results = Results("demo", metrics, "ganedit evaluate demo", 120, commit="abc", machine="a CPU, torch 2")
    card = model_card(results, {"pictures": 400_000, "resolution": 128})
    for said in (
        "7.654",
        "0.987",
        "| pictures | 400,000 |",
        "commit abc on a CPU, torch 2 in 2 minutes",
        "BSD-3-Clause",
    ):
        assert said in card
    assert "strong poses are generated 0.43 times as often" in card
    assert max(map(len, card.splitlines())) <= 130


def test_the_committed_model_card_is_up_to_date():
    message = "write it again: python -m ganedit_widgets.demo.model_card"
    assert CARD.read_text() == current_card(), message


@pytest.mark.slow
def test_a_sample_of_the_committed_results_is_measured_again():
    quick, committed = evaluate(quick=True).metrics, read_results("demo").metrics
    tails_ = [f"tails/{what}_generated" for what in ("yaw", "age", "glasses")]
    judged = [f"oracle/{what}" for what in ("yaw_r2", "smile_r2", "mouth_open_r2", "age_r2", "miou")]
    for name in ("kernel/generated", *tails_, *judged):
        new, old = quick[name], committed[name]
        assert new.low <= old.high and old.low <= new.high, name


def test_every_method_of_the_command_line_can_be_evaluated():
    from importlib import import_module

    for method in METHODS:
        assert callable(import_module(f"ganedit_widgets.demo.evaluate_{method}").evaluate)
