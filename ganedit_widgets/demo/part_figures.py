"""The figures of Editing in Style: which clusters are parts, and what changes outside when a part changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from .figures import plain
from .part_metrics import Choice
from .part_trials import METHODS, Trial

COLORS = dict(zip(METHODS, ("#c2410c", "#1d6fa5", "#8a8f98", "#4d7c0f", "#7c3aed"), strict=True))


def choice_curves(choices: Sequence[Choice]) -> Figure:
    """Draw mean IoU with true parts, and silhouette, over the number of clusters, a curve for each layer."""
    figure = Figure((7.2, 3.0))
    left, right = figure.subplots(1, 2)
    layers = list(dict.fromkeys(choice.layer for choice in choices))
    for i, layer in enumerate(layers):
        here = [choice for choice in choices if choice.layer == layer]
        color = str(0.8 - 0.75 * i / max(1, len(layers) - 1))
        left.plot([c.k for c in here], [c.miou for c in here], "o-", color=color, label=layer, markersize=3)
        right.plot([c.k for c in here], [c.silhouette for c in here], "o-", color=color, markersize=3)
    left.set(xlabel="clusters K", ylabel="mean IoU with true parts", ylim=(0, None))
    right.set(xlabel="clusters K", ylabel="silhouette")
    left.legend(frameon=False, fontsize="x-small")
    return plain(figure)


def locality_curves(trials: Mapping[str, Trial]) -> Figure:
    """Draw the change outside over the change inside, averaged over pairs, a curve for each method, by part."""
    figure = Figure((7.2, 2.4 * -(-len(trials) // 3)))
    grid = np.atleast_1d(figure.subplots(-(-len(trials) // 3), 3)).flatten()
    for axes in grid[len(trials) :]:
        axes.set_axis_off()
    for axes, (part, trial) in zip(grid, trials.items(), strict=False):
        for name, tried in trial.tried.items():
            inside, outside = (x.sqrt().mean(0).tolist() for x in (tried.inside, tried.outside))
            axes.plot([0, *inside], [0, *outside], "o-", color=COLORS[name], label=name, markersize=3)
        axes.set(title=part, xlabel="inside, ΔE", ylabel="outside, ΔE")
    grid[0].legend(frameon=False, fontsize="x-small")
    return plain(figure)


def labeled_sheet(sheet: np.ndarray, columns: Sequence[str], rows: Sequence[str]) -> Figure:
    """Draw a sheet of pictures (H, W, 3) with a name above each column and beside each row."""
    high, wide = sheet.shape[0] / len(rows), sheet.shape[1] / len(columns)
    figure = Figure((1.1 * len(columns) + 0.7, 1.1 * len(rows) + 0.3), dpi=128)
    axes = figure.subplots()
    axes.imshow(sheet, interpolation="nearest")
    axes.xaxis.tick_top()
    axes.set_xticks([(i + 0.5) * wide for i in range(len(columns))], columns)
    axes.set_yticks([(i + 0.5) * high for i in range(len(rows))], rows)
    axes.tick_params(length=0, labelsize="small")
    axes.spines[:].set_visible(False)
    figure.tight_layout()
    return figure
