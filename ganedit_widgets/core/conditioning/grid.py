"""A sheet of what labels do: for each attribute a few people, from the lowest label to the highest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw

from ..edits.base import run
from ..edits.set_labels import SetLabels
from ..errors import LabelError
from ..generators.base import Generator
from ..image import to_pixels
from ..latent import Latent
from ..sheet import tile

VALUES = 7  # v = 0, 1/6, …, 1
CAPTION = 14  # pixels above each attribute's rows


def label_rows(
    generator: Generator, attribute: str, seeds: Sequence[int], values: int = VALUES, psi: float = 0.7
) -> Iterator[np.ndarray]:
    """Yield pictures (H, W, 3) uint8, row by row: one row for each seed, `values` even labels v from 0 to 1.

    The other attributes are as is typical; w and noise are the same along a row.
    Raises `LabelError` for an unknown attribute, or a generator without labels.
    """
    schema = generator.schema
    if schema is None:
        raise LabelError(f"{generator.name} takes no labels: open a model of `ganedit train self-conditioned`.")
    for seed in seeds:
        start = generator.sample(seed, psi)
        for value in torch.linspace(0, 1, values):
            label = schema.values({attribute: float(value)})
            with torch.no_grad():
                yield to_pixels(generator.draw(replace(start, label=label)))


def label_grid(
    generator: Generator, seeds: Sequence[int] = range(3), values: int = VALUES, psi: float = 0.7
) -> np.ndarray:
    """Return one picture (H, W, 3) uint8 of `label_rows` of every attribute, each under its name."""
    if generator.schema is None:
        raise LabelError(f"{generator.name} takes no labels: open a model of `ganedit train self-conditioned`.")
    blocks = []
    for name in generator.schema.names:
        rows = tile(list(label_rows(generator, name, seeds, values, psi)), values)
        caption = Image.new("RGB", (rows.shape[1], CAPTION), "white")
        ImageDraw.Draw(caption).text((2, 1), f"{name}: 0 to 1".encode("ascii", "replace").decode(), fill="black")
        blocks += [np.asarray(caption), rows]
    return np.concatenate(blocks)


def label_table(
    generator: Generator, latent: Latent, down: str, across: str, values: int = VALUES
) -> Iterator[np.ndarray]:
    """Yield `values`² pictures (H, W, 3) uint8 of one latent, row by row: one attribute down, another across.

    Both go evenly from 0 to 1; the other labels, w and noise are those of `latent`. Where `down` is `across`, the one
    row of `values` pictures. Raises `LabelError` for an unknown attribute, or fewer than 2 values.
    """
    if values < 2:
        raise LabelError(f"A table of {values} values shows no change: give at least 2.")
    even = torch.linspace(0, 1, values).tolist()
    for low in even if down != across else even[:1]:
        for high in even:
            with torch.no_grad():
                changed = run(generator, latent, SetLabels({down: low, across: high}))
                yield to_pixels(generator.draw(changed))


def save_label_grid(
    generator: Generator, path: str | Path, seeds: Sequence[int] = range(3), values: int = VALUES, psi: float = 0.7
) -> None:
    """Write `label_grid` to `path`; the suffix chooses the format."""
    Image.fromarray(label_grid(generator, seeds, values, psi)).save(path)
