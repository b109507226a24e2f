"""The library of edit vectors to look through: search, filter, cards; rename and delete, which can be undone."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from ganedit_widgets.core.vectors import EditVector, illustrated, nearest, search

from .controls import allow, button, help_line, named, row
from .part_find import Seen
from .session import Session
from .vector_cards import VectorCards
from .worker import Steps

if TYPE_CHECKING:
    from .vector_library import VectorLibraryPanel

EVERYTHING, FOREIGN = "", "\0foreign"  # what the filter can show beside a class
EMPTY = "The library is empty: open a file below, or keep a painted edit as a vector."
UNFOUND = "No vector is like that: search for less, or show all."


class VectorBrowser(ipw.VBox):
    """Cards of the library. `chosen()` is called when another card is chosen, or what is known of it has changed."""

    def __init__(self, panel: VectorLibraryPanel, session: Session, chosen: Callable[[], Any]) -> None:
        self.panel, self.session, self.board, self._chosen = panel, session, session.vectors, chosen
        # widgets
        text = ipw.Text(placeholder="search names, classes, sources", layout={"width": "230px"})
        self.search = named(text, "Search the library")
        self.filter = named(ipw.Dropdown(options=[("all", EVERYTHING)], layout={"width": "130px"}), "Which are shown")
        self.said = help_line("")
        self.cards = VectorCards(label="Edit vectors", hint=EMPTY)
        name = ipw.Text(placeholder="name", continuous_update=False, layout={"width": "140px"})
        self.name = named(name, "Name of the chosen vector")
        self.delete_button = button("Delete", session.guarded(lambda: self.board.remove(self.number)))
        self.undo_button = button("Undo", session.guarded(self.board.undo))
        self.redo_button = button("Redo", session.guarded(self.board.redo))
        # layout
        edit = row("", self.name, self.delete_button, self.undo_button, self.redo_button)
        super().__init__([row("", self.search, self.filter), self.said, self.cards, edit])
        self.add_class("ge-source")
        # connections
        self._illustrating = Seen(panel, "cards", self._illustrate)
        self.search.observe(session.guarded(lambda _: self._list()), "value")
        self.filter.observe(session.guarded(lambda _: self._list()), "value")
        self.cards.observe(session.guarded(lambda _: self._on_chosen()), "chosen")
        self.cards.on_order(session.guarded(self._obey))
        self.name.observe(session.guarded(lambda _: self._rename()), "value")

    @property
    def number(self) -> int:
        """The number of the chosen vector; 0 if none is."""
        return self.cards.chosen

    @property
    def vector(self) -> EditVector | None:
        """The chosen vector."""
        return self.board.find(self.number)

    def choose(self, number: int) -> None:
        """Choose a card, letting it be seen."""
        if number not in [card["number"] for card in self.cards.cards]:
            self.search.value, self.filter.value = "", EVERYTHING
        self.cards.chosen = number

    def why_not(self) -> str:
        """Say why the chosen vector cannot be made; "" if it can."""
        vector = self.vector
        return "Choose a vector first" if vector is None else self.board.foreign(vector)

    def follow(self) -> None:
        """Keep up with the library."""
        classes = sorted({name for vector in self.board.vectors for name in vector.classes})
        options = [("all", EVERYTHING), *((f"about {name}", name) for name in classes)]
        if any(self.board.foreign(vector) for vector in self.board.vectors):
            options.append(("of other models", FOREIGN))
        if list(self.filter.options) != options:
            shown = self.filter.value
            self.filter.options = options
            self.filter.value = shown if shown in [value for _, value in options] else EVERYTHING
        self._list()
        if any(entry.vector.thumbnail is None for entry in self.board.entries):
            self._illustrating.ask()
        self._on_chosen()

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        nothing = "" if self.vector is not None else "Choose a vector first"
        allow(self.delete_button, nothing, "Take it out of the library (Delete on the card); Undo brings it back")
        allow(self.undo_button, "" if self.board.can_undo else "The library was not changed", "Undo in the library")
        allow(self.redo_button, "" if self.board.can_redo else "Nothing was undone", "Do again in the library")
        self.name.disabled = self.vector is None
        self.name.value = "" if self.vector is None else self.vector.name

    # ---- inside

    def _list(self) -> None:
        """Show the cards that are searched for; what is chosen stays as long as it exists."""
        text = self.search.value.strip()
        exact = search(self.board.vectors, text)
        near = [] if exact else nearest([x for x in self.board.vectors if self._shows(x)], text)
        self.said.value = help_line(f"Nothing is called “{text}”; the nearest:").value if near else ""
        self.said.layout.display = None if near else "none"
        found = {id(vector) for vector in exact or near}
        entries = [entry for entry in self.board.entries if id(entry.vector) in found and self._shows(entry.vector)]
        self.cards.hint = UNFOUND if self.board.entries else EMPTY
        self.cards.show(entries, self.board.foreign)
        if self.vector is None:
            self.cards.chosen = entries[0].number if entries else 0

    def _shows(self, vector: EditVector) -> bool:
        wanted = self.filter.value
        return bool(self.board.foreign(vector)) if wanted == FOREIGN else not wanted or wanted in vector.classes

    def _obey(self, order: str, number: int) -> None:
        if order == "add":
            self.panel.add(number)
        else:
            self.board.remove(number)

    def _on_chosen(self) -> None:
        self.refresh()
        self._chosen()

    def _rename(self) -> None:
        try:
            if self.vector is not None:
                self.board.rename(self.number, self.name.value)
        finally:
            self.refresh()

    def _illustrate(self) -> Steps:
        """Draw thumbnails for those that came without."""
        for entry in self.board.entries:
            if entry.vector.thumbnail is None and not self.board.foreign(entry.vector):
                yield
                made = illustrated(self.session.generator, self.session.latent, entry.vector)
                self.board.illustrate(entry.number, made)
