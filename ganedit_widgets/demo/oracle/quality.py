"""How good the oracle is on portraits it has never seen: to be reported beside whatever it measures."""

from __future__ import annotations

import torch
from torch import Tensor

from ..portraits import PARTS, Attributes, render
from ..results_file import Metric, measurable
from ..statistics import accuracy, auc, bootstrap, bootstrap_all, confusions, intersection_over_union, r_squared
from .oracle import Look, Oracle
from .people import HELD_OUT_PEOPLE, VIEWS, portraits_of
from .targets import COLORS, COLUMNS, MAIN, encode

ALIKE = 10  # nearest persons in skin, softness and iris, of everyone tested


def attribute_quality(look: Look, attributes: Attributes) -> dict[str, Metric]:
    """R² of the numbers and colors that can be seen, and accuracy of glasses and hair style."""
    truth, found = encode(attributes), look.attributes
    metrics = {}
    for name in MAIN:
        i = COLUMNS.index(name)
        seen = truth.seen[:, i]
        metrics[f"oracle/{name}_r2"] = bootstrap(r_squared, found[name][seen], truth.numbers[seen, i])
    for name in COLORS:
        i = COLUMNS.index(f"{name}_r")
        seen = truth.seen[:, i]
        metrics[f"oracle/{name}_r2"] = bootstrap(_color_r2, found[name][seen], truth.numbers[seen, i : i + 3])
    worn = truth.glasses > 0.5
    metrics["oracle/glasses_accuracy"] = bootstrap(accuracy, found["glasses"] > 0.5, worn)
    metrics["oracle/glasses_auc"] = bootstrap(lambda odds, w: auc(odds[w], odds[~w]), found["glasses"], worn)
    metrics["oracle/hair_style_accuracy"] = bootstrap(accuracy, found["hair_style"], truth.style)
    return measurable(metrics)


def _color_r2(found: Tensor, true: Tensor) -> float:
    error = (found - true).square().sum()
    return float(1 - error / (true - true.mean(0)).square().sum())


def part_quality(oracle: Oracle, pictures: Tensor, labels: Tensor) -> dict[str, Metric]:
    """Intersection over union of every part, and their mean."""
    counts = confusions(oracle.segment(pictures), labels, len(PARTS))

    def measure(confusion: Tensor) -> Tensor:
        each = intersection_over_union(confusion)
        return torch.cat([each.nanmean().view(1), each])

    found = bootstrap_all(measure, counts)
    names = ["oracle/miou", *(f"oracle/miou_{part}" for part in PARTS)]
    return measurable(dict(zip(names, found, strict=True)))


def identity_quality(oracle: Oracle, people: int, size: int) -> dict[str, Metric]:
    """Verification AUC over two portraits each of held-out people: same person, or different?

    "alike" counts as different only the ten people who resemble the person most in skin, softness and iris.
    """
    first = torch.arange(people) * VIEWS
    views = [portraits_of(first + i, HELD_OUT_PEOPLE) for i in range(2)]
    a, b = (oracle.identity(render(view, size).image) for view in views)
    traits = torch.cat([torch.stack([views[0].skin, views[0].softness], 1), views[0].iris], 1)
    far = torch.cdist(traits, traits).fill_diagonal_(torch.inf)
    alike = far <= far.sort(1).values[:, min(ALIKE, people - 1) - 1 : min(ALIKE, people - 1)]
    every = ~torch.eye(people, dtype=torch.bool)

    def score(others: Tensor, rows: Tensor) -> float:
        likeness = a[rows] @ b.T
        return auc(likeness.gather(1, rows.unsqueeze(1)), likeness[others[rows]])

    rows = torch.arange(people)
    return {
        "oracle/identity_auc": bootstrap(lambda r: score(every, r), rows),
        "oracle/identity_auc_alike": bootstrap(lambda r: score(alike, r), rows),
    }
