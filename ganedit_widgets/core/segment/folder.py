"""Labeled pictures in a folder: NAME.png with its recipe inside, and beside it NAME_labels.png with a palette."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import SegmentError
from ..generators.base import Generator
from ..image import BROKEN
from ..painting import Label, labels_of, mask_png, read_mask
from ..painting.files import NAMES
from ..painting.labels import PATTERNS
from ..recipe import load_recipe
from .features import label_size
from .labels import UNLABELED, Labeled
from .segmenter import Segmenter

ENDING = "_labels.png"
NOTHING = "unlabeled"  # a label of this name says that nothing is said


def painting_labels(segmenter: Segmenter) -> tuple[Label, ...]:
    """Return the segmenter's classes as labels to paint with, in its colors, each with a pattern."""
    pairs = zip(segmenter.classes, segmenter.palette, strict=True)
    return labels_of([Label(name, color, PATTERNS[i % len(PATTERNS)]) for i, (name, color) in enumerate(pairs)])


def labels_png(segmenter: Segmenter, labels: np.ndarray) -> bytes:
    """Return a label map (H, W) as a PNG file with the names and colors of the segmenter's classes."""
    return mask_png(labels, painting_labels(segmenter))


def read_labeled(
    folder: str | Path, generator: Generator, classes: Sequence[str] | None = None
) -> tuple[list[Labeled], tuple[Label, ...]]:
    """Return the labeled pictures of a folder, by name, and the classes they count in.

    `classes` None: the names in the label maps, those of the first one first. Pixels of a label called "unlabeled"
    teach nothing.
    Raises `SegmentError` for a folder without label maps, and a map without its picture or without names;
    `ImageError` for a map that cannot be read, `RecipeError` for a picture without recipe or of another model.
    """
    folder = Path(folder)
    files = sorted(folder.glob(f"*{ENDING}"))
    if not files:
        raise SegmentError(f"There are no label maps in {folder}: put NAME{ENDING} beside every NAME.png.")
    known = _known(files) if classes is None else labels_of(list(classes))
    names = [label.name for label in known]
    found = []
    for file in files:
        picture = file.with_name(file.name.removesuffix(ENDING) + ".png")
        if not picture.is_file():
            raise SegmentError(f"{file.name} has no picture beside it: save it as {picture.name}, with its recipe.")
        latent = load_recipe(picture).history(generator).latent
        labels = read_mask(file, known, label_size(generator))
        if NOTHING in names:
            number = names.index(NOTHING)
            labels = np.where(labels == number, UNLABELED, labels - (labels > number)).astype(np.uint8)
        found.append(Labeled(latent, labels, picture.name))
    return found, tuple(label for label in known if label.name != NOTHING)


def _known(files: Sequence[Path]) -> tuple[Label, ...]:
    """Return the labels that label maps tell of; later ones may have been painted with more classes."""
    first = _told(files[0])
    if not first:
        raise SegmentError(f"{files[0].name} does not say what its labels are called: name the classes.")
    known = {label.name: label for label in labels_of(first)}
    for file in files[1:]:
        for label in _told(file):
            known.setdefault(label.name, label)
    if len(first) < len(known) > len({label.color for label in known.values()}):  # a color of two, from two files
        return labels_of(list(known))
    return labels_of(list(known.values()))


def _told(file: Path) -> list[Label]:
    """Return the labels that a palette PNG tells of; none if it does not say what they are called."""
    try:
        with Image.open(file, formats=["PNG"]) as picture:
            names = json.loads(picture.info.get(NAMES) or "[]")
            colors = np.array(picture.getpalette() or [], np.uint8).reshape(-1, 3).tolist()
        return [Label(str(name), (r, g, b)) for name, (r, g, b) in zip(names, colors, strict=False)]
    except (*BROKEN, TypeError):
        return []
