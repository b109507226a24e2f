"""The samples that are labeled by hand: which there are, which one is painted on, and the folder they are kept in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.errors import SegmentError
from ganedit_widgets.core.image import Picture, to_pixels
from ganedit_widgets.core.painting import Label
from ganedit_widgets.core.segment import diverse_seeds
from ganedit_widgets.core.segment.features import label_size
from ganedit_widgets.core.segment.labeling import (
    Page,
    completed,
    labels_to_paint,
    new_page,
    read_pages_in,
    write_page,
)

from .controls import allow, button, help_line, named, row
from .filmstrip import Filmstrip, Id
from .mask_painter import MaskPainter
from .pictures import Pixels
from .session import Session
from .turn import Turn
from .worker import Steps

COUNT, SIZE, WIDTH = 16, 44, 384  # samples; CSS pixels of a thumbnail and of the painter
PAUSE = 1.0  # seconds after the last stroke until it is written
NOTHING = "Name the classes, and press Begin: diverse samples are chosen, and you paint what they show."


class SegmentPages(ipw.VBox):
    """Choose samples, paint on one after the other; every stroke is kept. `changed()` is called when labels change.

    `place` is where the painter is put.
    """

    def __init__(self, session: Session, place: ipw.Box, changed: Callable[[], Any]) -> None:
        self.session, self._place, self._changed = session, place, changed
        self.painter: MaskPainter | None = None
        self.labels: tuple[Label, ...] = ()
        self.pages: list[Page] = []
        self.index, self._home = 0, Path("labeled")  # the page, and the folder that they were begun in
        self._pictures: dict[int, tuple[Pixels, Pixels]] = {}  # seed → (to paint on, thumbnail)
        self._unwritten: set[int] = set()  # seeds
        self._opening = False
        # widgets
        text = ipw.Text(placeholder="background, skin, hair, eye", layout={"width": "240px"})
        self.classes = named(text, "Classes, with commas")
        self.count = named(ipw.BoundedIntText(COUNT, 1, 200, layout={"width": "58px"}), "How many samples to label")
        self.folder = named(ipw.Text("labeled", layout={"width": "130px"}), "Folder in which the labels are kept")
        self.begin_button = button("Begin", session.guarded(self.begin))
        self.film = Filmstrip(size=SIZE, wrap=True, label="Samples to label", hint=NOTHING)
        self.said = help_line("")
        self.back_button = button("‹ Previous", session.guarded(lambda: self.turn_to(self.index - 1)))
        self.next_button = button("Next ›", session.guarded(lambda: self.turn_to(self.index + 1)))
        self.guess_button = button("Guess the rest", session.guarded(self.guess))
        # layout
        rows = [
            row("classes", self.classes),
            row("samples", self.count, ipw.HTML("kept in"), self.folder, self.begin_button),
            self.film,
            self.said,
            row("", self.back_button, self.next_button, self.guess_button),
        ]
        super().__init__(rows)
        self.add_class("ge-source")
        # connections
        self.film.on_select(session.guarded(lambda key: self.turn_to(self._place_of(key))))
        self.refresh()

    # ---- what there is

    @property
    def page(self) -> Page | None:
        """The sample that is painted on."""
        return self.pages[self.index] if self.pages else None

    @property
    def labeled(self) -> list[Page]:
        """The samples that are labeled, in part at least."""
        return [page for page in self.pages if page.share]

    # ---- what can be done

    def begin(self) -> Turn:
        """Choose diverse samples, or go on with those of the folder, in other or more classes too.

        Raises `SegmentError` for classes that cannot be told apart, or that would lose what is painted in the folder.
        """
        self.write()
        names = [name.strip() for name in self.classes.value.split(",") if name.strip()]
        labels = labels_to_paint(names) if names else ()
        count, folder = self.count.value, self._path()

        def steps() -> Steps:
            yield
            generator = self.session.generator
            kept, new = read_pages_in(folder, generator, labels)
            if not new:
                raise SegmentError("Name the classes first, with commas: background, skin, hair.")
            pages = [*kept]
            for seed in diverse_seeds(generator, count):
                if len(pages) < count and seed not in [page.seed for page in pages]:
                    pages.append(new_page(generator, seed))
            for page in pages:
                self._pictures[page.seed] = drawn(self.session, page)
                yield
            self._take(pages, new, folder)
            found = f"{len(kept)} of them from {folder}" if kept else f"kept in {folder} as you paint"
            return f"{len(pages)} samples to label, {found}."

        return self.session.task("choosing samples", steps, 1 + count)

    def add(self, seed: int) -> Turn:
        """Label the picture of this seed next."""

        def steps() -> Steps:
            yield
            if not self.labels:
                raise SegmentError("Begin first: name the classes, and choose samples.")
            if seed not in [page.seed for page in self.pages]:
                page = new_page(self.session.generator, seed)
                self._pictures[seed] = drawn(self.session, page)
                self.pages = [*self.pages, page]
            self.turn_to([page.seed for page in self.pages].index(seed))

        return self.session.task(f"drawing seed {seed}", steps)

    def turn_to(self, index: int) -> None:
        """Paint on another sample; what was painted is kept."""
        if self.painter is None or not 0 <= index < len(self.pages):
            return
        self.write()
        self.index = index
        page = self.pages[index]
        self._opening = True
        try:
            self.painter.begin(self._pictures[page.seed][0], page.painted)
        finally:
            self._opening = False
        self.painter.title = _title(page)
        self.show()

    def guess(self) -> Turn:
        """Let the segmenter label what is not labeled yet, to be corrected; one step, which the painter can undo."""
        segmenter, page, painter = self.session.segments.require(), self.page, self.painter

        def steps() -> Steps:
            yield
            if page is None or painter is None:
                raise SegmentError("Begin first: name the classes, and choose samples.")
            found = completed(self.session.generator, segmenter, page, self.labels)
            if self.page is page:  # else something else is painted on meanwhile
                painter.load(found)

        return self.session.task("guessing labels", steps)

    def write(self) -> None:
        """Write what was painted since it was written last. Raises `SegmentError` if it cannot be."""
        for page in self.pages:
            if page.seed in self._unwritten:
                self._unwritten.discard(page.seed)
                write_page(self._home, self.session.generator, page, self.labels)

    # ---- what is shown

    def show(self) -> None:
        """Show how far the labeling is."""
        page = self.page
        cells: list[tuple[Id, Pixels, str]] = [
            (each.seed, self._pictures[each.seed][1], f"{'✓ ' if each.share else ''}{each.seed}") for each in self.pages
        ]
        self.film.show(cells, None if page is None else page.seed)
        if page is not None:
            text = f"{len(self.labeled)} of {len(self.pages)} labeled; of seed {page.seed} {100 * page.share:.0f} %."
            self.said.value = help_line(text).value
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done now, or say why not."""
        nothing = "" if self.pages else "Begin first"
        first = "" if self.index > 0 else "This is the first one"
        last = "" if self.index + 1 < len(self.pages) else "This is the last one"
        allow(self.begin_button, "", "Choose diverse samples, or go on with those that the folder holds")
        allow(self.back_button, nothing or first, "Paint on the sample before")
        allow(self.next_button, nothing or last, "Paint on the next sample; this one is kept")
        blind = "" if self.session.segments.segmenter is not None else "Train a segmenter first"
        allow(self.guess_button, nothing or blind, "Label the rest as the segmenter sees it, to be corrected")

    # ---- inside

    def _take(self, pages: list[Page], labels: tuple[Label, ...], folder: Path) -> None:
        """Go on with these pages and labels, kept in this folder, in a new painter."""
        todo = [i for i, page in enumerate(pages) if not page.share]
        old, self.index = self.painter, todo[0] if todo else 0
        self.pages, self.labels, self._home = pages, labels, folder
        self.classes.value = ", ".join(label.name for label in labels[1:])
        page = pages[self.index]
        picture = self._pictures[page.seed][0]
        size = max(2.0, picture.shape[0] / 20)  # of the brush: an eye, not a face
        title = _title(page)
        self.painter = MaskPainter(picture, labels, page.painted, title=title, width=WIDTH, opacity=0.5, size=size)
        self.painter.on_change(self.session.guarded(self._on_painted))
        self._place.children = (self.painter,)
        if old is not None:
            old.close()
        self.show()
        self._changed()

    def _on_painted(self) -> None:
        page, painter = self.page, self.painter
        if page is None or painter is None or self._opening:
            return
        self.pages[self.index] = replace(page, painted=painter.mask)
        self._unwritten.add(page.seed)
        self.show()
        self._changed()
        self.session.in_background(f"labels {id(self)}", self._write_soon)

    def _write_soon(self) -> Steps:
        yield PAUSE
        self.write()

    def _place_of(self, key: Id) -> int:
        return [page.seed for page in self.pages].index(int(key))

    def _path(self) -> Path:
        return Path(self.folder.value.strip() or "labeled").expanduser()


def drawn(session: Session, page: Page) -> tuple[Pixels, Pixels]:
    """Return the picture of a page to paint on, at the size of its labels, and a thumbnail; in the worker's thread."""
    generator = session.generator
    pixels = to_pixels(generator.draw(page.latent))
    return Picture(pixels).fitted(label_size(generator)), session.thumbnail(page.latent, SIZE)


def _title(page: Page) -> str:
    return f"Labels of seed {page.seed}"
