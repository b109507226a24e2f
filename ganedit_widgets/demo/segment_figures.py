"""What segmenters see, to be looked at: labels laid over pictures, with the parts' names beside their colors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from ..core.image import to_pixels
from ..core.segment import LabelMap, Reading
from .portraits import PART_COLORS, PARTS

OPACITY = 0.6  # of the labels over a picture


def overlaid(picture: np.ndarray, labels: LabelMap, opacity: float = OPACITY) -> np.ndarray:
    """Return a picture (H, W, 3) uint8 with the colors of its labels (H, W) laid over it."""
    colors = PART_COLORS.numpy()[labels].astype(np.float32)
    return np.rint(opacity * colors + (1 - opacity) * picture).astype(np.uint8)


def label_sheet(columns: Mapping[str, Sequence[Reading]], true: Sequence[LabelMap]) -> Figure:
    """Draw the same pictures as several segmenters see them: name → its readings; beside them, the truth.

    On the right stands how unsure the last of the segmenters is, and below what the colors mean.
    """
    readings = list(columns.values())[-1]
    titles = ["picture", *columns, "truth", "doubt of the last"]
    figure = Figure((1.5 * len(titles), 1.5 * len(true) + 0.9), layout="constrained")
    grid: Any = figure.subplots(len(true), len(titles), squeeze=False)
    most = max(float(reading.uncertainty.max()) for reading in readings) or 1.0
    for i, line in enumerate(grid):
        picture = to_pixels(readings[i].picture)
        shown = [picture, *(overlaid(picture, found[i].labels) for found in columns.values())]
        shown += [overlaid(picture, true[i]), readings[i].uncertainty]
        for axes, image in zip(line, shown, strict=True):
            axes.imshow(image, cmap="magma", vmin=0, vmax=most)
            axes.set_axis_off()
    for axes, title in zip(grid[0], titles, strict=True):
        axes.set_title(title, fontsize="small")
    figure.legend(handles=part_handles(), loc="outside lower center", ncols=7, frameon=False, fontsize="small")
    return figure


def part_handles() -> list[Patch]:
    """Return a swatch with its name for each part, for a legend."""
    return [
        Patch(facecolor=(red / 255, green / 255, blue / 255), edgecolor="black", linewidth=0.5, label=name)
        for name, (red, green, blue) in zip(PARTS, PART_COLORS.tolist(), strict=True)
    ]
