"""Labeling by hand, one picture after the other: what was painted so far, as examples, and kept in a folder.

A painted map counts in labels to paint with: 0 says nothing, and class c of the segmenter is c + 1.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ..edits.sample import Sample
from ..errors import SegmentError
from ..generators.base import Generator
from ..history import History
from ..image import to_pixels
from ..latent import Latent
from ..painting import Label, labels_of, mask_png
from ..recipe import Recipe, save_png
from ..short import short
from .choose import PSI
from .features import label_size
from .folder import ENDING, NOTHING, read_labeled
from .labels import UNLABELED, Labeled, LabelMap
from .segmenter import Segmenter

SEEDED = re.compile(r"seed_(0|[1-9]\d*)\.png")  # as `write_page` names them; a copy of one is no page


@dataclass(frozen=True, eq=False)
class Page:
    """A sample of the model, and what was painted on it."""

    seed: int
    latent: Latent
    painted: LabelMap  # (h, w) of labels to paint with, 0 where nothing is said

    __repr__ = short

    @property
    def share(self) -> float:
        """How much of the picture is labeled, in 0 … 1."""
        return float((self.painted > 0).mean())

    @property
    def labeled(self) -> Labeled:
        """The example to learn from."""
        return Labeled(self.latent, as_classes(self.painted), f"seed {self.seed}")


def labels_to_paint(classes: Sequence[str | Label]) -> tuple[Label, ...]:
    """Return "unlabeled", without a color, and a label for each class.

    Raises `SegmentError` for fewer than two classes, names that are empty or occur twice, and the name "unlabeled".
    """
    names = [x.name if isinstance(x, Label) else x.strip() for x in classes]
    if len(names) < 2 or not all(names) or len(set(names)) < len(names) or NOTHING in names:
        raise SegmentError(
            f"{', '.join(names) or 'Nothing'} cannot be told apart: name two classes or more, all different and none "
            f"called {NOTHING}, such as background, skin, hair."
        )
    plain = labels_of([NOTHING, *names])
    given = [x if isinstance(x, Label) else label for x, label in zip(classes, plain[1:], strict=True)]
    return labels_of([Label(NOTHING), *given])


def new_page(generator: Generator, seed: int) -> Page:
    """Return the picture of a seed, with nothing painted on it."""
    return Page(seed, generator.sample(seed, PSI), np.zeros(label_size(generator), np.uint8))


def as_classes(painted: LabelMap) -> LabelMap:
    """Return a painted map (h, w) as class numbers, 255 where nothing is said."""
    return np.where(painted > 0, painted - 1, UNLABELED).astype(np.uint8)


def as_painted(labels: LabelMap) -> LabelMap:
    """Undo `as_classes`."""
    return np.where(labels != UNLABELED, labels + 1, 0).astype(np.uint8)


def carried_over(painted: LabelMap, old: Sequence[Label], new: Sequence[Label]) -> LabelMap:
    """Return a painted map in other labels: what has kept its name stays, the rest says nothing."""
    names = [label.name for label in new]
    table = np.array([names.index(x.name) if x.name in names else 0 for x in old], np.uint8)
    found: LabelMap = table[painted]
    return found


def completed(generator: Generator, segmenter: Segmenter, page: Page, labels: Sequence[Label]) -> LabelMap:
    """Return what was painted (h, w) and, where nothing was, what the segmenter sees, by the names of its classes.

    Raises `SegmentError` if the segmenter is of another checkpoint.
    """
    seen = as_painted(segmenter.labels(generator, page.latent))
    found = carried_over(seen, labels_to_paint(segmenter.classes), labels)
    return np.where(page.painted > 0, page.painted, found)


def write_page(folder: str | Path, generator: Generator, page: Page, labels: Sequence[Label]) -> None:
    """Write the picture with its recipe and, beside it, what was painted, as `read_labeled` reads them.

    Raises `SegmentError` if they cannot be written.
    """
    folder = Path(folder)
    target = folder / f"seed_{page.seed}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not target.exists():
            history = History(generator.average())
            history.push(Sample(page.seed, PSI), page.latent)
            save_png(target, to_pixels(generator.draw(page.latent)), Recipe.of(generator, history))
        partial = folder / f"seed_{page.seed}{ENDING}.part"
        partial.write_bytes(mask_png(page.painted, labels))
        partial.replace(folder / f"seed_{page.seed}{ENDING}")  # whole or not at all
    except OSError as error:
        why = error.strerror or error
        raise SegmentError(f"Labels cannot be written to {folder} ({why}): choose another folder.") from None


def read_pages(folder: str | Path, generator: Generator) -> tuple[list[Page], tuple[Label, ...]]:
    """Return the pages that `write_page` left in a folder, by seed, and the labels they were painted with.

    An empty folder, or none, holds no pages and no labels. Raises as `read_labeled` does.
    """
    if not Path(folder).is_dir() or not any(Path(folder).glob(f"*{ENDING}")):
        return [], ()
    found, classes = read_labeled(folder, generator)
    pages = []
    for one in found:
        seed = SEEDED.fullmatch(one.name)
        if seed is not None:
            pages.append(Page(int(seed[1]), one.latent, as_painted(one.labels)))
    return sorted(pages, key=lambda page: page.seed), labels_to_paint(classes)


def read_pages_in(
    folder: str | Path, generator: Generator, wanted: Sequence[Label] = ()
) -> tuple[list[Page], tuple[Label, ...]]:
    """Return the pages of a folder in the labels `wanted`, matched by name, and these; none: those of the folder.

    Raises `SegmentError` if something is painted there that `wanted` has no label for: it would be lost; and as
    `read_labeled` does.
    """
    pages, old = read_pages(folder, generator)
    if not wanted:
        return pages, old
    names = [label.name for label in wanted]
    used = {int(number) for page in pages for number in np.unique(page.painted)}
    lost = [x.name for number, x in enumerate(old) if number in used and x.name not in names]
    if lost:
        raise SegmentError(
            f"In {folder} {' and '.join([', '.join(lost[:-1]), lost[-1]] if lost[1:] else lost)} "
            f"{'is' if len(lost) == 1 else 'are'} painted, which your classes ({', '.join(names[1:])}) would lose: add "
            f"{'it' if len(lost) == 1 else 'them'}, or choose another folder."
        )
    return [replace(page, painted=carried_over(page.painted, old, wanted)) for page in pages], tuple(wanted)
