"""Many crossovers at once: a litter of children of two pictures, and the paper's table of mixed styles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch

from ..errors import LatentError
from ..generators.base import Generator
from ..image import Pixels, read_image, to_pixels
from ..probes.directions import Direction
from ..probes.finders import pca
from .base import Edit
from .crossover import Crossover, paper_split, split_at
from .direction import MoveAlong
from .sources import Source, latent_of, mixed
from .stack import Stack

MOST_CUTS = 3  # places at which a child changes from one parent to the other; few, so that traits stay together
COMPONENTS, MUTATED = 8, 3  # principal components that mutations are made of; how many of them a child has
TRIES = 50  # at finding a child unlike its siblings
GAP = 4  # pixels between the parents at the rim of a table and their children


def litter(
    generator: Generator, other: Source, seed: int, count: int = 9, mutation: float = 0.0, note: str = ""
) -> list[Edit]:
    """Return `count` edits, each of which makes another child of the picture it is applied to and of `other`.

    A child takes one to three contiguous runs of layers from each parent. `mutation` moves it along some of the
    strongest principal components of W by that many standard deviations, roughly. The same seed gives the same litter.
    Raises `LatentError` for a `count` or a `mutation` that cannot be.
    """
    if count < 1 or not 0 <= mutation < float("inf"):
        raise LatentError(
            f"{count} children with a mutation of {mutation} were asked for: at least one, and at least 0."
        )
    latent_of(generator, other)
    random = np.random.RandomState(seed % 2**32)
    children = [Crossover(other, blend, note) for blend in _blends(generator.latent_shape[0], count, random)]
    if not mutation:
        return list(children)
    components = pca(generator, min(COMPONENTS, generator.latent_shape[1]))
    return [Stack((child, *_mutations(components, mutation, random))) for child in children]


def _mutations(components: Sequence[Direction], mutation: float, random: np.random.RandomState) -> list[MoveAlong]:
    chosen = random.permutation(len(components))[:MUTATED]
    return [MoveAlong(components[i], round(float(random.randn() * mutation), 2)) for i in chosen]


def _blends(rows: int, count: int, random: np.random.RandomState) -> list[tuple[float, ...]]:
    """Return `count` blends that differ, as far as there are so many."""
    found: list[tuple[float, ...]] = []
    for _ in range(count):
        blend = _runs(rows, random)
        for _ in range(TRIES):
            if blend not in found:
                break
            blend = _runs(rows, random)
        found.append(blend)
    return found


def _runs(rows: int, random: np.random.RandomState) -> tuple[float, ...]:
    """Return a share of 0 or 1 for each layer, in contiguous runs; both parents have a part, if there is room."""
    cuts = min(1 + random.randint(MOST_CUTS), rows - 1)
    places = set((1 + random.permutation(rows - 1)[:cuts]).tolist()) if cuts > 0 else set()
    share, blend = random.randint(2), []
    for row in range(rows):
        share = 1 - share if row in places else share
        blend.append(float(share))
    return tuple(blend)


def style_mixing_table(
    generator: Generator,
    rows: Sequence[Source],
    columns: Sequence[Source],
    split: int | None = None,
    side: int | None = None,
) -> Iterator[Pixels]:
    """Yield the table of the papers, (H, W, 3), filled further with each picture; the last one is complete.

    At the left stand `rows`, on top `columns`, and between them the children with the row's layers before `split` and
    the column's from there on (None: half of them). `side` is the height of one picture in pixels, if smaller than
    the model's. len(rows) + len(columns) + len(rows)·len(columns) pictures are drawn, and as many arrays yielded.
    Raises `LatentError` if there is no row or no column, or for a split there cannot be.
    """
    if not rows or not columns:
        raise LatentError("A table needs at least one picture at the left and one on top: give seeds or latents.")
    blend = paper_split(generator) if split is None else split_at(generator, split)
    left, top = ([latent_of(generator, source) for source in sources] for sources in (rows, columns))
    height, width = generator.size
    small = height if side is None else min(side, height)
    h, w = small, max(8, round(width * small / height))
    sheet = np.full(((len(left) + 1) * h + GAP, (len(top) + 1) * w + GAP, 3), 255, np.uint8)
    cells = [(i, 0) for i in range(1, len(left) + 1)] + [(0, j) for j in range(1, len(top) + 1)]
    cells += [(i, j) for i in range(1, len(left) + 1) for j in range(1, len(top) + 1)]
    for i, j in cells:
        latent = left[i - 1] if j == 0 else top[j - 1] if i == 0 else mixed(generator, left[i - 1], top[j - 1], blend)
        with torch.no_grad():
            pixels = to_pixels(generator.draw(latent))
        y, x = i * h + GAP * (i > 0), j * w + GAP * (j > 0)
        sheet[y : y + h, x : x + w] = pixels if h == height else read_image(pixels, (h, w))
        yield sheet.copy()
