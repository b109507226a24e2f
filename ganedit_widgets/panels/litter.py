"""Controls of the crossover panel that draw many pictures: a litter to choose from, and the table of mixed styles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit, Sample, Source, litter, run, style_mixing_table
from ganedit_widgets.core.image import Pixels, as_png

from .controls import allow, button, named, row
from .filmstrip import Filmstrip, Id
from .knobs import Knobs
from .pictures import jpeg
from .session import Session
from .sources import PSI, current
from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .crossover import CrossoverPanel

CHILDREN, CHILD = 9, 64  # thumbnails of a litter; their height in pixels
SIDE, LARGEST = 64, 9  # pixels of a picture in the table; rows and columns
MUTATION = {"key": "mutation", "min": 0, "max": 1.5, "step": 0.05}


class Litter(ipw.VBox):
    """Nine children of the current picture and parent B; the one that is chosen becomes the current picture."""

    def __init__(self, panel: CrossoverPanel, session: Session) -> None:
        self.panel, self.session, self._picker = panel, session, panel.other
        self.seed = 0
        self.children_edits: dict[Id, Edit] = {}
        self._drawing = 0  # which drawing a thumbnail is of: a click may come late
        # widgets
        self.strip = Filmstrip(size=CHILD, wrap=True, label="Children: choose one to go on from")
        self.knobs = Knobs([MUTATION], label="How much children differ from their parents")
        self.new_button = button("New litter", session.guarded(self.new))
        super().__init__([self.strip, self.knobs, row("", self.new_button)])
        # connections
        self.strip.on_select(session.guarded(self.choose))
        self.knobs.on_input(session.guarded(lambda key, value, final: self.draw() if final else None))
        panel.watch(self._on_history, "entries")
        self._latent = session.latent
        self.refresh()

    def on_open(self) -> None:
        """Draw a litter when the controls are shown."""
        self.draw()

    def refresh(self) -> None:
        """Parent B is another, or the current picture is: draw their children."""
        allow(self.new_button, self.why_not(), "Nine other children of the same parents")
        self.strip.hint = self.why_not() or "Drawing children…"
        if self.panel.litter_fold.opened:
            self.draw()

    def why_not(self) -> str:
        """Say what is missing."""
        return "" if self._picker.choice is not None else "Choose a parent B first"

    def new(self) -> None:
        """Draw another litter."""
        self.seed += 1
        self.draw()

    def draw(self) -> Turn | None:
        """Draw the children of the recorded picture, in the background."""
        choice = self._picker.choice
        if choice is None:
            return None
        seed, mutation, self._latent = self.seed, self.knobs.values["mutation"], self.session.latent
        self._drawing = drawing = self._drawing + 1

        def steps() -> Steps:
            yield
            generator, latent = self.session.generator, self.session.latent
            edits = litter(generator, choice.source, seed, CHILDREN, mutation, choice.note)
            cells: list[tuple[Id, Pixels, str]] = []
            for i, edit in enumerate(edits):
                pixels = self.session.thumbnail(run(generator, latent, edit), CHILD)
                cells.append((f"{drawing}-{i}", pixels, ""))
                if len(cells) % 3 == 0:
                    self.children_edits = {key: edit for (key, *_), edit in zip(cells, edits, strict=False)}
                    self.strip.show(cells)
                yield

        return self.session.in_background(f"litter {id(self)}", steps)

    def choose(self, key: Id) -> None:
        """Make a child the current picture; its parents stay in the history."""
        if key in self.children_edits:
            self.panel.record(self.children_edits[key])

    def _on_history(self, _: object) -> None:
        if self.session.latent is not self._latent:
            self.refresh()


class Table(ipw.VBox):
    """The table of the papers: rows give the first half of the layers, columns the second."""

    def __init__(self, panel: CrossoverPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self.sheet: Pixels | None = None
        # widgets
        self.count = named(ipw.BoundedIntText(LARGEST, 2, LARGEST, layout={"width": "56px"}), "Rows and columns")
        self.seed = named(ipw.BoundedIntText(1, 0, 10**6, layout={"width": "76px"}), "Seed of the first other picture")
        self.draw_button = button("Draw the table", session.guarded(self.draw))
        self.download_button = button("Download", session.guarded(self.download))
        self.image = ipw.Image(format="jpeg", layout={"width": "100%", "max_width": "648px", "display": "none"})
        self.image.add_class("ge-table")
        self.image.alt = "Table of mixed styles"
        super().__init__(
            [
                row("", self.count, ipw.HTML("× itself, seeds from"), self.seed),
                row("", self.draw_button, self.download_button),
                self.image,
            ]
        )
        self.refresh()

    def refresh(self) -> None:
        """Enable what can be done now."""
        allow(self.draw_button, "", "Draw it; Esc or Stop ends it")
        allow(self.download_button, "" if self.sheet is not None else "Draw the table first", "As a PNG file")

    def parents(self) -> tuple[list[Source], list[Source]]:
        """Return the pictures at the left, the current one first, and on top, parent B first."""
        count, first = self.count.value, self.seed.value
        left: list[Source] = [current(self.session).source]
        left += [Sample(first + i, PSI) for i in range(count - 1)]
        other = self.panel.other.source
        top: list[Source] = [] if other is None else [other]
        top += [Sample(first + count + i, PSI) for i in range(count - len(top))]
        return left, top

    def draw(self) -> Turn:
        """Draw the table."""
        left, top = self.parents()
        total = len(left) + len(top) + len(left) * len(top)

        def steps() -> Steps:
            for i, sheet in enumerate(style_mixing_table(self.session.generator, left, top, side=SIDE), start=1):
                if i == total or i % (len(top) * 3) == 0:
                    self._show(sheet)
                yield
            return f"The table has {len(left)} × {len(top)} children."

        return self.session.task("drawing the table", steps, total)

    def download(self) -> None:
        """Give the table to the user."""
        if self.sheet is not None:
            self.panel.frame.head.download("styles.png", "image/png", as_png(self.sheet))

    def _show(self, sheet: Pixels) -> None:
        self.sheet = sheet
        self.image.value = jpeg(sheet, full_color=True)
        self.image.layout.display = None
        self.refresh()
