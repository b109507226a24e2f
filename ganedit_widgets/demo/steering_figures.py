"""The figures of self-conditioning: likeness over true change, and what each way makes of the same people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from ..core.edits import run
from ..core.image import Pixels, to_pixels
from ..core.sheet import tile
from .embedding_trials import average
from .figures import DATA, plain
from .part_figures import labeled_sheet
from .steering_trials import OURS, SCALES, Sweep, Way, reaches, within

COLORS = {
    OURS: "#c2410c",
    "interfacegan": "#1d6fa5",
    "trend": "#0f766e",
    "sspace": "#7c3aed",
    "sefa": "#4d7c0f",
    "ganspace": "#a16207",
}
NAMES = {  # as their papers call them
    OURS: "labels (ours)",
    "interfacegan": "InterFaceGAN",
    "trend": "trend of W",
    "sspace": "S space channels",
    "sefa": "SeFa",
    "ganspace": "GANSpace",
}
STEP = 10  # width of a point of the curve
FEWEST = 3  # people in a point
SHOWN, RIVALS = 7, 2  # pictures in a row, and rows beside ours


def identity_curves(sweeps: Mapping[str, Mapping[str, Sweep]], line: float) -> Figure:
    """Draw mean likeness over the true change, with 95 % intervals: attribute → way → its sweep.

    `line` is where a picture is no longer taken for the same person. Gray: the bins of the table.
    """
    figure = Figure((4.6 * len(sweeps), 3.4))
    for axes, (attribute, ways) in zip(np.atleast_1d(figure.subplots(1, len(sweeps))), sweeps.items(), strict=True):
        scale = SCALES[attribute]
        for way, found in ways.items():
            points = curve(found, attribute)
            if points:
                x, y, low, high = (list(column) for column in zip(*points, strict=True))
                axes.fill_between(x, low, high, color=COLORS[way], alpha=0.15, linewidth=0)
                axes.plot(x, y, "o-", color=COLORS[way], label=NAMES[way], markersize=3, linewidth=1.3)
        axes.axhline(line, color=DATA, linestyle="--", linewidth=0.8)
        for edge in sorted({edge for one in scale.bins for edge in one}):
            axes.axvline(edge, color=DATA, linewidth=0.4, alpha=0.5)
        axes.set(
            title=attribute,
            xlabel=f"true change, {scale.unit}",
            ylabel="identity (cosine)",
            xlim=(0, scale.goal + STEP),
        )
    handles, names = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.axes[0].legend(handles, names, frameon=False, fontsize="x-small")
    return plain(figure)


def curve(found: Sweep, attribute: str) -> list[tuple[float, float, float, float]]:
    """Return points (change, mean likeness, low, high) for each ten units of change that enough people come to."""
    points = []
    change = found.change(attribute)
    for low in range(0, int(SCALES[attribute].goal) + STEP, STEP):
        rows = within(found, attribute, low, low + STEP)
        if int(rows.isfinite().sum()) >= min(FEWEST, len(rows)):
            inside = change[(change > low) & (change < low + STEP)]
            mean = average(rows)
            points.append((float(inside.mean()), mean.value, mean.low, mean.high))
    return points


def furthest(ways: Sequence[Way], sweeps: Mapping[str, Sweep], attribute: str, line: float) -> list[Way]:
    """Return ours, and the rivals that reach furthest."""
    far = {way.name: float(reaches(sweeps[way.name], attribute, line).mean()) for way in ways}
    rivals = sorted((way for way in ways if way.name != OURS), key=lambda way: -far[way.name])
    return [*(way for way in ways if way.name == OURS), *rivals[:RIVALS]]


def sweep_sheet(ways: Mapping[str, Sequence[Way]], seed: int) -> Figure:
    """Draw one person edited by each way, from its lowest strength to its highest: attribute → ways, a row each."""
    pictures: list[Pixels] = []
    rows = []
    for attribute, those in ways.items():
        for way in those:
            pictures += _row(way, seed)
            rows.append(f"{attribute}: {NAMES[way.name]}")
    return labeled_sheet(tile(pictures, SHOWN), ["–", "", "", "unedited", "", "", "+"], rows)


def _row(way: Way, seed: int) -> list[Pixels]:
    start, most = way.start(seed), way.strengths[-1]
    at = [most * (2 * i / (SHOWN - 1) - 1) for i in range(SHOWN)]
    with torch.no_grad():
        latents = [run(way.generator, start, way.edit(s)) if s else start for s in at]
        return [to_pixels(picture[None]) for picture in way.generator.draw_many(latents).clamp(-1, 1)]
