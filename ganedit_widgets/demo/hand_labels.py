"""Sixteen samples of the demo model whose parts were painted by eye, polygon by polygon, from the pictures alone.

They tell what labels are worth that are made by looking, beside the exact ones of renders and the oracle's: the borders
of a beard, a nose or a pale brow are a matter of opinion. A language model painted them, which was shown the pictures
enlarged; no segmenter had a part in it. They are those of the pool's samples that `segment_trials` learns its sixteen
from. The files are index maps with a palette, as `MaskPainter` writes and reads them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core.generators import Generator
from ..core.image import to_pixels
from ..core.painting.files import read_mask
from ..core.painting.labels import Label, labels_of
from ..core.segment import Labeled
from ..core.sheet import tile
from .oracle import Oracle
from .portraits import PART_COLORS, PARTS
from .segment_figures import overlaid
from .statistics import confusions

FOLDER = Path(__file__).parent / "hand_labeled"
ABOUT = "about.json"  # the model's fingerprint, and ψ of the samples
SHOWN = 4  # pictures on the sheet


def part_labels() -> tuple[Label, ...]:
    """Return the parts of a portrait as a painter's labels."""
    return labels_of(dict(zip(PARTS, map(tuple, PART_COLORS.tolist()), strict=True)))


def labeled_by_hand(generator: Generator, folder: Path = FOLDER) -> list[Labeled]:
    """Return the samples that were painted by eye; [] for another model, whose seeds are other pictures."""
    about = json.loads((folder / ABOUT).read_text())
    if about["fingerprint"] != generator.fingerprint:
        return []
    found = []
    for path in sorted(folder.glob("seed_*.png")):
        seed = int(path.stem.removeprefix("seed_"))
        labels = read_mask(path, part_labels(), generator.size)
        found.append(Labeled(generator.sample(seed, about["psi"]), labels, f"seed {seed}, by hand"))
    return found


def drawn_and_seen(generator: Generator, oracle: Oracle, labeled: list[Labeled]) -> tuple[Tensor, np.ndarray]:
    """Return the pictures (N, 3, H, W) in −1 … 1, and the labels (N, H, W) that the oracle gives them."""
    with torch.no_grad():
        pictures = generator.draw_many([x.latent for x in labeled]).clamp(-1, 1)
    return pictures, oracle.segment(pictures).numpy()


def agreement(labeled: list[Labeled], seen: np.ndarray) -> Tensor:
    """Return the confusions (N, parts, parts) of what was painted with what the oracle sees (N, H, W)."""
    painted = torch.from_numpy(np.stack([x.labels for x in labeled]))
    return confusions(painted, torch.from_numpy(seen), len(PARTS))


def hand_sheet(labeled: list[Labeled], pictures: Tensor, seen: np.ndarray) -> np.ndarray:
    """Return a picture (H, W, 3) uint8: in each row a sample, as it was painted, and as the oracle sees it."""
    rows = []
    for x, picture, labels in list(zip(labeled, pictures, seen, strict=True))[:SHOWN]:
        pixels = to_pixels(picture)
        rows += [pixels, overlaid(pixels, x.labels), overlaid(pixels, labels)]
    return tile(rows, 3)
