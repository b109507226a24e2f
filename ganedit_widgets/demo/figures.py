"""The figures of the demo's evaluation: sheets of pictures, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from ..core.sheet import tile
from .results_file import Metric

DATA, MODEL = "#8a8f98", "#c2410c"


def side_by_side(generated: Sequence[np.ndarray], rendered: Sequence[np.ndarray], gap: int = 16) -> np.ndarray:
    """Return two square sheets of pictures (S, S, 3) uint8, generated left and rendered right."""
    left, right = tile(generated), tile(rendered)
    return np.concatenate([left, np.full((len(left), gap, 3), 255, np.uint8), right], 1)


def truncation_curve(curve: Mapping[float, Metric], floor: Metric) -> Figure:
    """Draw Fréchet distance over ψ, with intervals, above the distance between two sets of renders."""
    figure = Figure((4.2, 3.0))
    axes = figure.subplots()
    psi = sorted(curve)
    values = [curve[p].value for p in psi]
    low, high = ([getattr(curve[p], side) for p in psi] for side in ("low", "high"))
    axes.fill_between(psi, low, high, color=MODEL, alpha=0.2, linewidth=0)
    axes.plot(psi, values, "o-", color=MODEL, label="generated")
    axes.axhline(floor.value, color=DATA, linestyle="--", label="renders (floor)")
    axes.set(xlabel="truncation ψ", ylabel="Fréchet distance to renders", ylim=(0, None))
    axes.legend(frameon=False)
    return plain(figure)


def tail_histograms(generated: Mapping[str, Tensor], data: Mapping[str, Tensor], sigma: float) -> Figure:
    """Draw how yaw (in σ) and age are distributed, as the oracle sees them; logarithmic, for the tails."""
    figure = Figure((6.4, 2.8))
    panels = {"yaw / σ": (sigma, "yaw", np.linspace(-4, 4, 25)), "age": (1.0, "age", np.linspace(0, 1, 21))}
    for axes, (label, (unit, name, bins)) in zip(figure.subplots(1, 2), panels.items(), strict=True):
        for source, color, who in ((data, DATA, "renders"), (generated, MODEL, "generated")):
            values = np.clip(source[name].numpy() / unit, bins[0], bins[-1])
            weights = np.full(len(values), 1 / len(values))
            axes.hist(values, bins, weights=weights, histtype="step", color=color, linewidth=1.5, label=who)
        axes.set(xlabel=label, ylabel="share", yscale="log")
    figure.axes[0].legend(frameon=False, fontsize="small")
    return plain(figure)


def plain(figure: Figure) -> Figure:
    """Return a figure without frames on the right and above."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def bars(metrics: Mapping[str, Metric], label: str) -> Figure:
    """Draw metrics as bars with their intervals, one below the other, named by what follows the last slash."""
    figure = Figure((5.6, 0.8 + 0.26 * len(metrics)))
    axes = figure.subplots()
    names = [name.rpartition("/")[2].replace("_", " ") for name in metrics]
    values = [metric.value for metric in metrics.values()]
    spans = [[m.value - m.low for m in metrics.values()], [m.high - m.value for m in metrics.values()]]
    axes.barh(names, values, xerr=np.abs(spans), color=MODEL, ecolor=DATA, height=0.7)
    axes.invert_yaxis()
    axes.set(xlabel=label)
    return plain(figure)


def trade_off(curves: Mapping[str, Sequence[tuple[Metric, Metric]]]) -> Figure:
    """Draw how often an edit succeeds over how much identity it keeps: a curve for each way, points for strengths."""
    figure = Figure((5.2, 3.4))
    axes = figure.subplots()
    for name, points in curves.items():
        points = sorted(points, key=lambda point: point[0].value)
        x, y = ([point[i].value for point in points] for i in (0, 1))
        spans = [[p[1].value - p[1].low for p in points], [p[1].high - p[1].value for p in points]]
        axes.errorbar(x, y, np.abs(spans), fmt="o-", markersize=4, linewidth=1.2, capsize=2, label=name)
    axes.set(xlabel="identity kept (cosine)", ylabel="share of pictures that smile", ylim=(-0.02, 1.02))
    axes.legend(frameon=False, fontsize="small")
    return plain(figure)
