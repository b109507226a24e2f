"""The demo's segmenter: trained from sixteen renders with exact labels, embedded as one would embed photographs.

python -m ganedit_widgets.demo.segmenter
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.latent import Latent
from ..core.progress import Bar
from ..core.segment import Labeled, Segmenter, SegmentPlan, save_segmenter, train_segmenter
from ..core.segment.files import SHIPPED
from .held_out import TRAINING_SEED, held_out
from .inversion import inverted
from .oracle import Oracle, load_oracle
from .portraits import PART_COLORS, PARTS

COUNT, AMONG, EMBEDDING = 16, 120, 100  # pictures, of so many portraits, embedded with so many steps
PSI, BATCH = 0.7, 16
STANDARD = SegmentPlan()
COLORS = tuple((int(r), int(g), int(b)) for r, g, b in PART_COLORS.tolist())


def telling(labels: Sequence[np.ndarray], count: int) -> list[int]:
    """Return the numbers of `count` label maps that together show every part often: each next one helps most.

    The gain of a map is Σ over the parts of √(pixels so far + its own) − √(pixels so far).
    """
    counts = np.array([np.bincount(x.ravel(), minlength=len(PARTS)) for x in labels], np.float64)
    so_far, chosen = np.zeros(len(PARTS)), list[int]()
    for _ in range(min(count, len(labels))):
        gain = (np.sqrt(so_far + counts) - np.sqrt(so_far)).sum(1)
        gain[chosen] = -1
        chosen.append(int(gain.argmax()))
        so_far += counts[chosen[-1]]
    return chosen


def labeled_renders(
    generator: Generator,
    count: int = COUNT,
    steps: int = EMBEDDING,
    first: int = 0,
    seed: int = TRAINING_SEED,
    among: int = AMONG,
) -> list[Labeled]:
    """Return portraits with their exact labels, and latents that were found by embedding: labels off by its error.

    The portraits are those of `among` (or `count`, if that is more) from number `first` on that show most of each part.
    """
    pictures, labels, _ = held_out(first, max(count, among), generator.size[0], seed)
    chosen = telling(list(labels.numpy()), count)
    pixels = [np.ascontiguousarray(pictures[i].permute(1, 2, 0).numpy()) for i in chosen]
    latents = inverted(generator, pixels, steps, "embedding renders")
    return [Labeled(x, labels[i].numpy(), f"portrait {first + i}") for x, i in zip(latents, chosen, strict=True)]


def labeled_samples(generator: Generator, oracle: Oracle, seeds: Sequence[int], psi: float = PSI) -> list[Labeled]:
    """Return samples of the model with the labels the oracle gives them: as a person would, by looking."""
    latents: list[Latent] = [generator.sample(seed, psi) for seed in seeds]
    maps: list[np.ndarray] = []
    for start in range(0, len(latents), BATCH):
        with torch.no_grad():
            pictures = generator.draw_many(latents[start : start + BATCH]).clamp(-1, 1)
        maps += list(oracle.segment(pictures).numpy())
    return [Labeled(x, y, f"seed {seed}") for x, y, seed in zip(latents, maps, seeds, strict=True)]


def trained(generator: Generator, labeled: Sequence[Labeled], plan: SegmentPlan = STANDARD) -> Segmenter:
    """Train a segmenter of a portrait's parts, with progress."""
    bar = Bar(train_segmenter(generator, labeled, PARTS, plan, COLORS), "segmenter", leave=False)
    *_, last = bar
    return last.segmenter()


def make(
    path: Path = SHIPPED,
    generator: Generator | None = None,
    oracle: Oracle | None = None,
    steps: int = EMBEDDING,
    plan: SegmentPlan = STANDARD,
) -> None:
    """Train and write the demo's segmenter. With an oracle it learns from samples instead of embedded renders."""
    generator = generator or load_generator("demo")
    if oracle is None:
        labeled = labeled_renders(generator, steps=steps)
    else:
        pool = labeled_samples(generator, oracle, range(AMONG))
        labeled = [pool[i] for i in telling([x.labels for x in pool], COUNT)]
    save_segmenter(path, trained(generator, labeled, plan))


if __name__ == "__main__":
    import sys

    make(oracle=load_oracle() if "--samples" in sys.argv else None)
