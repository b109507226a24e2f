"""From an edit that was painted to an edit vector, and into a file beside those that are there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch

from ..edits.paint import Paint
from ..errors import DirectionError
from ..generators.base import Generator
from ..image import to_pixels
from ..latent import Latent
from .files import load_vectors, save_vectors
from .vector import EditVector, extract


def learned(
    generator: Generator, before: Latent, edit: Paint, after: Latent, name: str, about: Mapping[str, str] | None = None
) -> EditVector:
    """Return what `edit` made of `before`, namely `after`, as an edit vector with its classes and both pictures.

    Raises as `extract` and `Paint.about` do.
    """
    classes = edit.about(generator, before)
    with torch.no_grad():
        pictures = np.hstack([to_pixels(generator.draw(latent)) for latent in (before, after)])
    return extract(generator, before, after, name, classes, {"method": "painted", **(about or {})}, pictures)


def add_vector(path: str | Path, vector: EditVector) -> int:
    """Write `vector` to a file, after those that are in it, and return how many there are now.

    Raises `DirectionError` if one of this name is there already, and as `load_vectors` and `save_vectors` do.
    """
    kept = list(load_vectors(path).values()) if str(path) != "demo" and Path(path).exists() else []
    if any(other.name == vector.name for other in kept):
        raise DirectionError(f"{path} has an edit vector {vector.name!r} already: give this one another name.")
    save_vectors(path, [*kept, vector])
    return len(kept) + 1
