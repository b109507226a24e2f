"""One edit vector on the present picture, at several scales; drawn when nothing else is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.edits import run

from .controls import help_line
from .filmstrip import Filmstrip, Id
from .part_find import Seen
from .pictures import Pixels
from .session import Session
from .vector_cards import signed
from .worker import Steps

if TYPE_CHECKING:
    from .vector_library import VectorLibraryPanel

SCALES = (-1.0, -0.5, 0.0, 0.5, 1.0, 1.5)
SIZE = 58  # pixels: its height


class VectorStrip(ipw.VBox):
    """Pictures of the chosen vector on top of the others that are stacked; a click makes it at this scale."""

    def __init__(self, panel: VectorLibraryPanel, session: Session) -> None:
        self.panel, self.session, self.board = panel, session, session.vectors
        self._number = 0  # the vector whose pictures these are
        self._cells: dict[Id, tuple[Id, Pixels, str]] = {}
        self.title = help_line("")
        self.film = Filmstrip(size=SIZE, wrap=True, label="The chosen vector on this picture, at scales from −1 to 1.5")
        super().__init__([self.title, self.film])
        self._drawing = Seen(panel, "strip", self._draw)
        self.film.on_select(session.guarded(self._on_select))

    def draw(self) -> None:
        """Draw it anew: the picture, the stack or the chosen vector is another."""
        self._drawing.ask()

    def _on_select(self, key: Id) -> None:
        number, scale = str(key).split()
        self.panel.add(int(number), float(scale))

    def _draw(self) -> Steps:
        yield
        number, generator = self.panel.browser.number, self.session.generator
        vector = self.board.find(number)
        if vector is None or self.board.foreign(vector):
            text = "" if vector is None else f"{self.board.foreign(vector)}."
            self._show(0, {}, text)
            return
        start = run(generator, self.session.latent, *self.panel.stack.moves(without=number))
        cells = self._cells if self._number == number else {}
        for scale in SCALES:
            key: Id = f"{number} {scale}"
            latent = next(iter(vector.at(scale).steps(generator, start)))
            cells = {**cells, key: (key, self.session.thumbnail(latent, SIZE), signed(scale))}
            self._show(number, cells, f"“{vector.name}” on this picture: click one to make it at this scale.")
            yield

    def _show(self, number: int, cells: dict[Id, tuple[Id, Pixels, str]], text: str) -> None:
        self._number, self._cells = number, cells
        self.title.value = help_line(text).value
        self.film.show(cells.values(), f"{number} {self.panel.stack.scale(number)}")
