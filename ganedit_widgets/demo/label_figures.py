"""The figures of labels: how they are spread, what they have in common, how they follow the truth, and resampling."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..core.conditioning.labels import Labels
from ..core.conditioning.reports import Agreement, LabelReport, agreement
from ..core.conditioning.resampling import Balance
from .figures import DATA, MODEL, plain

MOST_POINTS = 3000  # of a cloud


def label_figure(report: LabelReport) -> Figure:
    """Draw a histogram of v for each attribute, and the correlation matrix of raw labels."""
    names = list(report.spread)
    columns = min(4, len(names) + 1)
    grid = _grid(len(names) + 1, columns, 2.0)
    figure = grid[0].figure
    for axes, (name, spread) in zip(grid, report.spread.items(), strict=False):
        edges = np.linspace(0, 1, len(spread.histogram) + 1)
        axes.bar(edges[:-1], spread.histogram, width=1 / len(spread.histogram), align="edge", color=MODEL, alpha=0.8)
        known = report.agreement.get(name)
        said = "" if known is None else f"\n{_agreement(known)}"
        axes.set(title=f"{name}{said}", xlabel="v", xlim=(0, 1), yticks=[])
    _matrix(grid[len(names)], report.correlation, names, "correlation")
    return plain(figure)


def linearity_figure(labels: Labels, truth: Mapping[str, Sequence[float]]) -> Figure:
    """Draw v over the truth where it is known: a cloud with a straight line, or two histograms for a yes or no."""
    grid = _grid(len(truth), min(3, len(truth)), 2.4)
    figure = grid[0].figure
    for axes, (name, values) in zip(grid, truth.items(), strict=False):
        known = agreement(labels, name, values)
        x, y = np.asarray(values, np.float64), labels.v[:, labels.schema.index(name)].double().numpy()
        x, y = x[np.isfinite(x)], y[np.isfinite(x)]
        if known.auc is not None:
            for value, color in ((x.min(), DATA), (x.max(), MODEL)):
                axes.hist(
                    y[x == value], np.linspace(0, 1, 26), density=True, color=color, alpha=0.7, label=f"{value:g}"
                )
            axes.set(xlabel="label v", yticks=[])
            axes.legend(frameon=False, fontsize="x-small", title=f"true {name}", title_fontsize="x-small")
        else:
            _cloud(axes, x, y)
            axes.set(xlabel=f"true {name}", ylabel="label v", ylim=(-0.03, 1.03))
        axes.set_title(f"{name}\n{_agreement(known)}")
    return plain(figure)


def resampling_figure(balance: Balance) -> Figure:
    """Draw which share of the pictures lies in each tenth of v before and after, and correlations before and after."""
    names = balance.attributes
    wanted = len(names) + 2
    grid = _grid(wanted, min(5, wanted), 2.0)
    figure = grid[0].figure
    tenths = np.arange(10) / 10 + 0.05
    shares = zip(names, balance.deciles_before, balance.deciles_after, strict=True)
    for axes, (name, before, after) in zip(grid, shares, strict=False):
        axes.bar(tenths - 0.02, before, width=0.04, color=DATA, label="before")
        axes.bar(tenths + 0.02, after, width=0.04, color=MODEL, label="after")
        axes.axhline(0.1, color="black", linewidth=0.5)
        axes.set(title=name, xlabel="v", ylabel="share")
    grid[0].set_ylim(0, 1.35 * grid[0].get_ylim()[1])  # room for the legend
    grid[0].legend(frameon=False, fontsize="x-small", ncols=2)
    _matrix(grid[len(names)], balance.correlation_before, names, "correlation before")
    _matrix(grid[len(names) + 1], balance.correlation_after, names, "after")
    figure.suptitle(
        f"{balance.draws} draws of {balance.unique} pictures, one up to {balance.most} times; effective number "
        f"{balance.effective:.0f}",
        fontsize="small",
    )
    return plain(figure)


def _cloud(axes: Any, x: Any, y: Any) -> None:
    """Draw some of the points, and the straight line of all."""
    few = slice(None, None, -(-len(x) // MOST_POINTS))
    axes.plot(x[few], y[few], ".", color=DATA, markersize=2, alpha=0.5)
    slope, start = np.polyfit(x, y, 1)
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, start + slope * ends, color=MODEL)


def _agreement(known: Agreement) -> str:
    return f"AUC {known.auc:.2f}" if known.auc is not None else f"ρ {known.spearman:.2f}, R² {known.r2:.2f}"


def _grid(count: int, columns: int, side: float) -> list[Any]:
    rows = -(-count // columns)
    figure = Figure((1.25 * side * columns, side * rows + 0.3))
    grid = np.atleast_1d(figure.subplots(rows, columns)).flatten().tolist()
    for axes in grid[count:]:
        axes.set_axis_off()
    return list(grid)


def _matrix(axes: Any, matrix: Sequence[Sequence[float]], names: Sequence[str], title: str) -> None:
    """Draw a correlation matrix, with its numbers where they fit."""
    size = min(7, 28 / len(names))
    axes.imshow(np.array(matrix), cmap="RdBu_r", vmin=-1, vmax=1)
    for i, row in enumerate(matrix):
        for j, r in enumerate(row):
            color = "white" if abs(r) > 0.6 else "black"
            text = f"{r:.2f}".replace("0.", ".", 1)
            axes.text(j, i, text, ha="center", va="center", fontsize=size, color=color)
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize="x-small")
    axes.set_yticks(range(len(names)), names, fontsize="x-small")
    axes.set_title(title, fontsize="medium")
