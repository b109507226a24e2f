"""How much changed and where, in CIELAB, and the budget found from it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from ganedit_widgets.core import LatentError, edits
from ganedit_widgets.core.edits import Borrow
from ganedit_widgets.core.parts import (
    Meter,
    PartCatalog,
    build_catalog,
    difference,
    fit_budget,
    heat,
    lab,
    meter,
    region,
)
from ganedit_widgets.core.parts.meters import widened
from tests.tiny import tiny

MODEL = tiny()
(*_, LAST) = build_catalog(MODEL, k=3, seeds=range(4), psi=1.0, restarts=1)
CATALOG = LAST.catalog
SOURCE, OTHER = MODEL.sample(1), MODEL.sample(2)
BORROW = Borrow(OTHER, "part 1", CATALOG, budget=0.6, protect=0.0)


def color(*rgb):
    """Return a picture (1, 3, 1, 1) of one color, from numbers in 0 … 255."""
    return torch.tensor(rgb).float().reshape(1, 3, 1, 1) / 127.5 - 1


# ---- colors


@pytest.mark.parametrize(
    ("rgb", "expected"),
    [
        ((255, 255, 255), (100.0, 0.0, 0.0)),
        ((0, 0, 0), (0.0, 0.0, 0.0)),
        ((127.5, 127.5, 127.5), (53.39, 0.0, 0.0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
    ],
)
def test_colors_are_where_cielab_has_them(rgb, expected):
    assert lab(color(*rgb)).flatten().tolist() == pytest.approx(expected, abs=0.02)


def test_colors_beyond_the_display_are_cut_off():
    assert torch.equal(lab(torch.full((1, 3, 2, 2), 7.0)), lab(torch.ones(1, 3, 2, 2)))


def test_black_and_white_are_a_hundred_apart_and_a_picture_is_not_apart_from_itself():
    assert float(difference(color(0, 0, 0), color(255, 255, 255))) == pytest.approx(100, abs=0.01)
    assert not difference(color(9, 80, 200), color(9, 80, 200)).any()


# ---- meters


def test_a_meter_reads_each_place_by_itself():
    before, after = -torch.ones(1, 3, 4, 4), -torch.ones(1, 3, 4, 4)
    after[..., :2] = 1  # the left half turns from black to white
    inside = torch.zeros(4, 4, dtype=torch.bool)
    inside[:, :1] = True
    labels = torch.tensor([0, 0, 2, 2]).repeat(4, 1)
    change = Meter(before, inside, labels, ("left", "nowhere", "right")).read(after)
    assert change.inside == pytest.approx(100, abs=0.01)
    assert change.outside == pytest.approx(100 / 3**0.5, abs=0.01)
    assert change.parts == {"left": pytest.approx(100, abs=0.01), "right": 0}
    assert change.difference.shape == (4, 4)


def test_the_same_picture_has_not_changed():
    change = meter(MODEL, SOURCE, [BORROW]).read(MODEL.draw(SOURCE))
    assert change.inside == change.outside == 0
    assert set(change.parts.values()) == {0}


def test_inside_is_where_either_picture_shows_the_part():
    maps = CATALOG.part_map(MODEL, [SOURCE, OTHER]) == 0
    assert torch.equal(region(MODEL, CATALOG, "part 1", [SOURCE, OTHER], margin=0), maps[0] | maps[1])
    assert torch.equal(meter(MODEL, SOURCE, [BORROW]).inside, region(MODEL, CATALOG, "part 1", [SOURCE, OTHER]))


def test_several_parts_are_inside_together():
    second = replace(BORROW, part="part 2", reference=MODEL.sample(5))
    both = meter(MODEL, SOURCE, [BORROW, second]).inside
    assert torch.equal(both, meter(MODEL, SOURCE, [BORROW]).inside | meter(MODEL, SOURCE, [second]).inside)


def test_the_number_of_a_borrowed_part_is_the_one_inside():
    change = meter(MODEL, SOURCE, [BORROW]).read(MODEL.draw(OTHER))
    assert change.parts["part 1"] == pytest.approx(change.inside) and change.inside > 0


def test_the_parts_divide_what_changed_inside_and_outside():
    second = replace(BORROW, part="part 2", reference=MODEL.sample(5))
    gauge = meter(MODEL, SOURCE, [BORROW, second])
    change = gauge.read(MODEL.draw(OTHER))
    of = {name: int((gauge.labels == i).sum()) for i, name in enumerate(gauge.names)}
    for where, total, names in (
        (gauge.inside, change.inside, ("part 1", "part 2")),
        (~gauge.inside, change.outside, ("part 3",)),
    ):
        assert sum(of[name] for name in names) == int(where.sum())
        squares = sum(of[name] * change.parts[name] ** 2 for name in names if of[name])
        assert squares == pytest.approx(int(where.sum()) * total**2, rel=1e-4)


def test_where_two_borrowed_parts_overlap_what_is_shown_counts():
    second = replace(BORROW, part="part 2", reference=MODEL.sample(5))
    shown = CATALOG.part_map(MODEL, [SOURCE])[0]
    regions = [region(MODEL, CATALOG, b.part, [SOURCE, b.reference]) for b in (BORROW, second)]
    labels = meter(MODEL, SOURCE, [BORROW, second]).labels
    both = regions[0] & regions[1]
    assert torch.equal(labels[both & (shown < 2)], shown[both & (shown < 2)])
    assert not labels[both & (shown == 2)].any()


def test_widening_adds_what_is_near():
    mask = torch.zeros(7, 7, dtype=torch.bool)
    mask[3, 3] = True
    assert int(widened(mask, 2).sum()) == 25
    assert torch.equal(widened(mask, 0), mask)


def test_heat_grows_brighter_with_change():
    shown = heat(torch.tensor([[0.0, 20.0, 40.0, 90.0]]))
    assert shown.shape == (1, 4, 3) and shown.dtype == np.uint8
    sums = shown.sum(-1)[0].tolist()
    assert sums == sorted(sums) and sums[2] == sums[3]


def test_a_part_that_no_picture_shows_is_refused(monkeypatch):
    nothing_else = torch.zeros(1, 8, 8, dtype=torch.long)
    monkeypatch.setattr(PartCatalog, "cluster_map", lambda self, generator, latents: nothing_else)
    with pytest.raises(LatentError, match="None of these pictures shows 'part 2'"):
        region(MODEL, CATALOG, "part 2", [SOURCE])


def test_pictures_of_another_size_and_empty_lists_are_refused():
    with pytest.raises(LatentError, match=r"\(1, 3, 8, 8\)"):
        meter(MODEL, SOURCE, [BORROW]).read(MODEL.draw(SOURCE)[..., :8, :8])
    with pytest.raises(LatentError, match="give one part at least"):
        meter(MODEL, SOURCE, [])


# ---- auto-ε


@pytest.mark.parametrize("rule", ["greedy", "simple", "global"])
@pytest.mark.parametrize("outside", [0.5, 3.0, 10.0])
def test_the_budget_found_keeps_the_rest_as_still_as_asked(rule, outside):
    gauge = meter(MODEL, SOURCE, [BORROW])
    found = list(fit_budget(MODEL, SOURCE, replace(BORROW, rule=rule), outside, gauge))
    for progress in found:
        assert progress.change.outside <= outside
        again = gauge.read(MODEL.draw(edits.run(MODEL, SOURCE, progress.borrow)))
        assert again.outside == pytest.approx(progress.change.outside)
    budgets = [progress.borrow.budget for progress in found]
    assert budgets == sorted(budgets)
    assert [p.step for p in found[:-1]] == list(range(1, len(found)))
    assert found[-1].step == found[-1].total


def test_the_budget_found_is_the_largest_but_for_the_last_halving():
    *_, last = fit_budget(MODEL, SOURCE, replace(BORROW, rule="global"), 4.0)
    gauge = meter(MODEL, SOURCE, [BORROW])
    more = replace(last.borrow, budget=(last.borrow.budget**0.5 + 1 / 128) ** 2)
    assert gauge.read(MODEL.draw(edits.run(MODEL, SOURCE, more))).outside > 4.0


def test_where_everything_may_change_everything_is_taken():
    *_, last = fit_budget(MODEL, SOURCE, BORROW, 1000.0)
    assert last.borrow.budget == 1.0 and last.step == last.total


def test_no_change_outside_is_an_answer_too():
    *_, last = fit_budget(MODEL, SOURCE, BORROW, 0.0)
    assert last.change.outside == 0


def test_what_cannot_be_kept_to_is_refused():
    with pytest.raises(LatentError, match="0 or more"):
        next(fit_budget(MODEL, SOURCE, BORROW, -1.0))
    heavy = replace(BORROW, rule="global", layers={"b8.conv0": 1.0})
    with pytest.raises(LatentError, match="single layers alone"):
        next(fit_budget(MODEL, SOURCE, heavy, 0.0))
