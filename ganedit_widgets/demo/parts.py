"""The demo's catalog of parts: clusters named after what the oracle sees, in one command.

python -m ganedit_widgets.demo.parts
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.latent import Latent
from ..core.parts import PartCatalog, build_catalog, save_catalog, suggest
from ..core.parts.catalog_file import SHIPPED
from ..core.progress import Bar
from .oracle import Oracle, load_oracle
from .portraits import PART, PART_COLORS, PARTS

GROUPS: dict[str, tuple[str, ...]] = {  # the parts that people borrow → the finer ones of a portrait's labels
    "background": ("background",),
    "clothes": ("clothes",),
    "skin": ("skin", "neck", "ear"),
    "hair": ("hair",),
    "beard": ("beard",),
    "nose": ("nose",),
    "brows": ("brow",),
    "mouth": ("mouth", "teeth"),
    "eyes": ("eye", "iris"),
    "glasses": ("glasses",),
}
NAMES = tuple(GROUPS)
SHOWN = {"eyes": "iris"}  # whose color stands for a group instead of the first one's, which is white
K, SAMPLES = 64, 120  # many small clusters, then merged: eyes and mouth are two hundredths of a picture
RARE, RARE_SHARE = "glasses", 1 / 3  # drawn more often than they come, or no cluster is spent on them
LEAST, RARE_LEAST = 0.003, 0.015  # share of the picture from which a part, or the rare one, is said to be shown
PSI, BATCH, SEARCHED = 1.0, 10, 600


@dataclass(frozen=True)
class Labeled:
    """Samples, their pictures (N, 3, H, W) in [-1, 1], and where their parts are: labels (N, H, W) in `NAMES`."""

    latents: list[Latent]
    pictures: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.latents)

    def those(self, numbers: Sequence[int]) -> Labeled:
        """Return some of them, in this order."""
        return Labeled([self.latents[i] for i in numbers], self.pictures[list(numbers)], self.labels[list(numbers)])

    def showing(self, part: str) -> list[int]:
        """Return the numbers of those that show a part."""
        share = (self.labels == NAMES.index(part)).float().mean((1, 2))
        return (share > (RARE_LEAST if part == RARE else LEAST)).nonzero().flatten().tolist()


def grouped(labels: Tensor) -> Tensor:
    """Return labels (...) in `NAMES` from labels in `PARTS`."""
    table = torch.zeros(len(PARTS), dtype=torch.long)
    for i, members in enumerate(GROUPS.values()):
        table[[PART[name] for name in members]] = i
    return table[labels.long()]


def labeled(generator: Generator, oracle: Oracle, seeds: Sequence[int], psi: float = PSI) -> Labeled:
    """Draw the samples of `seeds` and ask the oracle where their parts are."""
    latents = [generator.sample(seed, psi) for seed in seeds]
    pictures, labels = [], []
    for start in Bar(range(0, len(latents), BATCH), "labeled samples", leave=False):
        with torch.no_grad():
            pictures.append(generator.draw_many(latents[start : start + BATCH]).clamp(-1, 1))
        labels.append(grouped(oracle.segment(pictures[-1])))
    return Labeled(latents, torch.cat(pictures), torch.cat(labels))


def mixed(samples: Labeled, count: int) -> list[int]:
    """Return the numbers of `count` samples, of which up to a third show the rare part."""
    rare = samples.showing(RARE)[: round(count * RARE_SHARE)]
    return sorted([*rare, *(i for i in range(len(samples)) if i not in set(rare))][:count])


def demo_catalog(
    generator: Generator,
    oracle: Oracle,
    k: int = K,
    samples: int = SAMPLES,
    searched: int = SEARCHED,
    restarts: int = 3,
) -> PartCatalog:
    """Cluster samples of the demo model, and name the clusters after the parts the oracle sees in them."""
    pool = labeled(generator, oracle, range(searched))
    seeds = mixed(pool, samples)
    steps = build_catalog(generator, k=k, seeds=seeds, psi=PSI, restarts=restarts)
    catalog: PartCatalog | None = None
    for progress in Bar(steps, "catalog", leave=False):
        catalog = progress.catalog
    assert catalog is not None  # the last step has it
    some = pool.those(seeds)
    return suggest(catalog, generator, some.latents, some.labels, NAMES, _colors())


def _colors() -> list[tuple[int, int, int]]:
    shown = [SHOWN.get(name, members[0]) for name, members in GROUPS.items()]
    return [tuple(PART_COLORS[PART[name]].tolist()) for name in shown]


def main(path: Path = SHIPPED) -> None:
    """Write the catalog of the shipped generator beside it."""
    save_catalog(path, demo_catalog(load_generator("demo"), load_oracle()))


if __name__ == "__main__":
    main()
