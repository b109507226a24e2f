"""Contact sheets: many pictures of a generator in one file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from .image import to_pixels

if TYPE_CHECKING:
    from .edits import Edit
    from .generators import Generator


def tile(pictures: Sequence[np.ndarray], columns: int | None = None) -> np.ndarray:
    """Return pictures (H, W, 3) uint8 side by side in rows of `columns` (default: nearly square) as one array."""
    n = len(pictures)
    columns = columns or int(np.ceil(np.sqrt(n)))
    rows = -(-n // columns)
    h, w, c = pictures[0].shape
    sheet = np.full((rows * h, columns * w, c), 255, np.uint8)
    for i, picture in enumerate(pictures):
        y, x = divmod(i, columns)
        sheet[y * h : (y + 1) * h, x * w : (x + 1) * w] = picture
    return sheet


def sample_pictures(
    generator: Generator, seeds: Sequence[int], psi: float = 0.7, edits: Sequence[Edit] = ()
) -> list[np.ndarray]:
    """Draw the pictures (H, W, 3) uint8 of `seeds` at truncation ψ, after `edits` if there are any."""
    from .edits import run  # edits need this module's neighbors

    latents = (run(generator, generator.sample(seed, psi), *edits) for seed in seeds)
    with torch.no_grad():
        return [to_pixels(generator.draw(latent)) for latent in latents]


def save_sheet(
    generator: Generator, seeds: Sequence[int], path: str | Path, psi: float = 0.7, columns: int | None = None
) -> None:
    """Write a sheet of the pictures of `seeds` to `path`; the suffix chooses the format."""
    Image.fromarray(tile(sample_pictures(generator, seeds, psi), columns)).save(path)
