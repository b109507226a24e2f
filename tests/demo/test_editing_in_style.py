"""The evaluation of Editing in Style, on a generator and an oracle that are too small to be good."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.edits import Borrow, run
from ganedit_widgets.core.generators.load import load_generator
from ganedit_widgets.core.parts import build_catalog, load_catalog, save_catalog
from ganedit_widgets.core.parts.catalog_file import SHIPPED
from ganedit_widgets.demo import evaluate_editing_in_style as evaluation
from ganedit_widgets.demo import parts
from ganedit_widgets.demo.evaluate_editing_in_style import Extent, distances, evaluate, locality_metrics
from ganedit_widgets.demo.oracle import Look, Oracle
from ganedit_widgets.demo.part_metrics import part_metrics
from ganedit_widgets.demo.part_trials import (
    EDITED,
    METHODS,
    Case,
    Trial,
    Tried,
    blended,
    blending,
    borrowing,
    common_level,
    outside_at,
    pairs,
)
from ganedit_widgets.demo.parts import GROUPS, NAMES, Labeled, demo_catalog, grouped, labeled, mixed
from ganedit_widgets.demo.portraits import PART, PARTS
from ganedit_widgets.demo.results_file import read_results
from tests.demo.judge import judge
from tests.tiny import tiny

MODEL = tiny()
SMALL = Extent(6, 2, (6, 4, 6, 1), 1, (3, 3), (3, 5), (2,), 1, 2, 2)


class Painter(Oracle):
    """Sees hair where a picture is dark, eyes where it is bright, and skin between."""

    def segment(self, pictures):
        light = torch.as_tensor(pictures).float().mean(1)
        low, high = light.quantile(0.3), light.quantile(0.8)
        found = torch.full(light.shape, PART["skin"], dtype=torch.uint8)
        found[light < low], found[light > high] = PART["hair"], PART["eye"]
        return found


def painter():
    return Painter(judge().network)


@pytest.fixture(scope="module")
def results():
    """Results of a very quick run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evaluation, "QUICK", SMALL)
        patch.setattr(evaluation, "FEW", 2)
        return evaluate(True, MODEL, painter())


def samples_of(*shares):
    """Return samples of which the i-th shows glasses in such a share of its 100 pixels."""
    labels = torch.zeros(len(shares), 10, 10, dtype=torch.long)
    for i, share in enumerate(shares):
        labels[i].view(-1)[: round(100 * share)] = NAMES.index("glasses")
    return Labeled([MODEL.sample(i) for i in range(len(shares))], torch.zeros(len(shares), 3, 10, 10), labels)


def a_case(place=None, reference=2):
    (*_, last) = build_catalog(MODEL, k=3, seeds=range(3), restarts=1)
    place = torch.ones(16, 16, dtype=torch.bool) if place is None else place
    return Case(MODEL, last.catalog, "part 1", MODEL.sample(1), MODEL.sample(reference), place, blended(MODEL))


# ---- the parts


def test_every_part_of_a_portrait_belongs_to_one_that_people_borrow():
    assert sorted(name for members in GROUPS.values() for name in members) == sorted(PARTS)
    assert set(EDITED) <= set(NAMES)
    found = grouped(torch.tensor([PART["iris"], PART["teeth"], PART["background"]], dtype=torch.uint8))
    assert [NAMES[i] for i in found] == ["eyes", "mouth", "background"]


def test_rare_parts_are_drawn_more_often_but_no_more_than_a_third():
    samples = samples_of(0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.5)
    assert samples.showing("glasses") == [6, 7, 8]
    assert mixed(samples, 6) == [0, 1, 2, 3, 6, 7]
    assert mixed(samples_of(0, 0, 0), 2) == [0, 1]


def test_the_catalog_has_the_names_of_what_the_oracle_sees():
    catalog = demo_catalog(MODEL, painter(), k=6, samples=4, searched=5, restarts=1)
    assert {p.name for p in catalog.parts} <= {"hair", "skin", "eyes"}
    assert catalog.fingerprint == MODEL.fingerprint


def test_one_command_writes_the_catalog(tmp_path, monkeypatch):
    monkeypatch.setattr(parts, "load_generator", lambda name: MODEL)
    monkeypatch.setattr(parts, "load_oracle", painter)
    monkeypatch.setattr(parts, "demo_catalog", lambda generator, oracle: demo_catalog(generator, oracle, 5, 3, 3, 1))
    parts.main(tmp_path / "parts.safetensors")
    load_catalog(tmp_path / "parts.safetensors").require_own(MODEL)


def test_labels_that_are_right_have_an_intersection_over_union_of_one():
    labels = torch.randint(3, (4, 8, 8), generator=torch.Generator().manual_seed(0))
    found = part_metrics(labels, labels)
    assert {m.value for m in found.values()} == {1.0}
    assert set(found) == {"parts/miou", *(f"parts/miou_{name}" for name in NAMES[:3])}
    assert part_metrics((labels + 1) % 3, labels)["parts/miou"].value == 0


# ---- pairs and methods


def test_references_show_the_part_and_are_not_their_own_source():
    sources, references = pairs(samples_of(0.01, 0.5, 0, 0.2), "glasses", 20)
    assert set(references) == {1, 3}
    assert all(s != r for s, r in zip(sources, references, strict=True))
    assert len(set(sources)) > 1
    assert pairs(samples_of(0, 0), "glasses", 20) == ([], [])


def test_a_method_draws_a_picture_for_each_strength():
    case = a_case()
    drawn = borrowing("greedy", 0.1, 0.9, protect=0.0)(case)
    alone = run(MODEL, case.source, Borrow(case.reference, "part 1", case.catalog, 0.9, 0.0))
    assert drawn.shape == (2, 3, 16, 16)
    assert torch.allclose(drawn[1:], MODEL.draw(alone), atol=1e-5)


def test_blending_changes_features_where_the_part_is_and_nowhere_without_one():
    case = a_case()
    nowhere = a_case(torch.zeros(16, 16, dtype=torch.bool))
    before = MODEL.draw(case.source)
    assert not torch.allclose(blending(1.0)(case), before, atol=1e-2)
    assert torch.allclose(blending(0.5, 1.0)(nowhere), before.expand(2, -1, -1, -1), atol=1e-5)
    assert torch.allclose(blending(1.0)(a_case(reference=1)), before, atol=1e-5)


# ---- equal change inside


def tried(inside, outside):
    look = Look({}, torch.zeros(len(inside), 2), torch.zeros(len(inside), 2))
    return Tried(torch.tensor(inside) ** 2, torch.tensor(outside) ** 2, look, [])


def test_change_outside_is_read_between_the_points():
    one = tried([[2.0, 6.0]], [[1.0, 5.0]])
    for level, expected in ((0.0, 0.0), (1.0, 0.5), (4.0, 3.0), (9.0, 5.0)):
        assert float(outside_at(one, torch.tensor([level]))) == pytest.approx(expected)


def test_no_method_is_asked_for_more_than_the_others_reach_or_half_of_the_reference():
    curves = {"a": tried([[1.0, 3.0], [9.0, 8.0]], [[1.0, 1.0]] * 2), "b": tried([[5.0], [8.0]], [[1.0]] * 2)}
    trial = Trial([0, 1], [1, 0], torch.tensor([100.0, 100.0]), curves)
    assert common_level(trial, ["a", "b"]).tolist() == [3.0, 5.0]


def test_the_ratio_is_of_changes_outside_at_equal_change_inside():
    curves = {name: tried([[10.0]] * 4, [[4.0]] * 4) for name in METHODS}
    curves["greedy"] = tried([[20.0]] * 4, [[2.0]] * 4)
    found = locality_metrics({"hair": Trial([0] * 4, [1] * 4, torch.full((4,), 400.0), curves)})
    assert found["locality/out_greedy_over_simple"].value == pytest.approx(1 / 4)
    assert found["locality/hair_out_greedy_over_global"].value == pytest.approx(1 / 4)
    assert found["locality/reached_greedy"].value == pytest.approx(1)
    assert found["locality/reached_simple"].value == pytest.approx(0.5)
    assert locality_metrics({}) == {}


def test_distances_are_between_sets_of_equal_size():
    own, other = torch.randn(6, 3), torch.randn(9, 3)
    assert set(distances({}, own, other, 2)) == {"frechet/unedited"}


# ---- a run


def test_a_run_measures_what_its_contract_asks(results):
    asked = {"parts/miou", "parts/miou_hair", "parts/best", "parts/miou_from_2", "renders/miou", "oracle/miou"}
    asked |= {f"locality/out_greedy_over_{name}" for name in METHODS if name != "greedy"}
    asked |= {f"{group}_{name}" for group in ("locality/identity", "locality/reached") for name in METHODS}
    asked |= {f"frechet/{name}" for name in (*METHODS, "unedited")} | {"moved/iris_greedy", "moved/hair_reach_blend"}
    assert asked <= set(results.metrics)
    assert results.metrics["locality/out_greedy_over_simple"].n == 2 * sum(
        f"locality/{part}_out_greedy_over_simple" in results.metrics for part in EDITED
    )
    assert all(np.isfinite(m.value) for m in results.metrics.values())


def test_a_run_is_written_with_its_figures(results, tmp_path):
    results.write(tmp_path)
    assert read_results("editing_in_style", tmp_path, quick=True).metrics.keys() == results.metrics.keys()
    names = {p.stem.removeprefix("editing_in_style_quick_") for p in tmp_path.glob("*.[jp][pn]g")}
    assert names == {"choices", "locality", "pictures"}


def test_the_catalog_that_ships_is_used_if_it_fits_and_another_is_made_if_not(tmp_path, monkeypatch):
    (*_, last) = build_catalog(MODEL, k=3, seeds=range(3), restarts=1)
    path = tmp_path / "parts.safetensors"
    save_catalog(path, last.catalog)
    monkeypatch.setattr("ganedit_widgets.core.parts.catalog_file.SHIPPED", path)
    assert [p.name for p in evaluation.catalog_of(MODEL, painter(), SMALL).parts] == ["part 1", "part 2", "part 3"]
    assert evaluation.catalog_of(tiny(1), painter(), SMALL).fingerprint == tiny(1).fingerprint


def test_samples_are_drawn_and_labeled_in_order():
    found = labeled(MODEL, painter(), [3, 1], psi=0.5)
    assert torch.allclose(found.pictures[1:], MODEL.draw(MODEL.sample(1, 0.5)).clamp(-1, 1), atol=1e-5)
    assert found.labels.shape == (2, 16, 16)


def test_the_catalog_that_ships_is_of_the_generator_that_ships():
    if not SHIPPED.exists():
        pytest.skip("the demo's catalog does not ship yet")
    catalog = load_catalog("demo")
    assert catalog.fingerprint == load_generator("demo").fingerprint, "make it: python -m ganedit_widgets.demo.parts"
    assert {part.name for part in catalog.parts} <= set(NAMES)
