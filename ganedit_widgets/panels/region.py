"""Crossover by region: the selected parts from parent B, everything else from the current picture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Source, join, latent_of
from ganedit_widgets.core.latent import Latent

from .controls import allow, button, help_line, named, row
from .part_find import Seen, find_parts
from .part_view import PartView, Tile
from .session import Session
from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .crossover import CrossoverPanel

SIDE = 128  # CSS pixels of a picture


class Region(ipw.VBox):
    """Parts of both parents to choose from, and a search for one picture that joins them (Abdal et al. 2020)."""

    def __init__(self, panel: CrossoverPanel, session: Session) -> None:
        self.panel, self.session, self.board = panel, session, session.parts
        self.board.begin()
        self._known: tuple[Source, Latent] | None = None  # parent B
        # widgets
        self.tiles = PartView(size=SIDE, width=3 * SIDE, label="Parts of both parents", hint="No parts are known yet.")
        self.find_button = button("Find parts", session.guarded(lambda: find_parts(session)), "They need no labels")
        self.steps = named(ipw.BoundedIntText(100, 1, 5000, layout={"width": "76px"}), "Steps of the search")
        self.join_button = button("Join", session.guarded(self.join), primary=True)
        about = help_line("Select parts: they come from B, the rest stays A's. A search heals the seam.")
        self._found = row("", self.find_button)
        super().__init__([about, self.tiles, self._found, row("steps", self.steps, self.join_button)])
        # connections
        self._drawing = Seen(panel, f"region {id(self)}", self._draw)
        self.tiles.observe(session.guarded(self._on_tiles), "selected")
        panel.watch(self._on_catalog, "catalog", of=self.board)
        panel.watch(self._on_selected, "selected", of=self.board)
        panel.watch(lambda _: self._drawing.ask(), "entries")
        self._on_catalog()
        self._on_selected()

    def on_open(self) -> None:
        """Draw the parents when the controls are shown."""
        self._drawing.ask()

    def refresh(self) -> None:
        """Parent B is another: draw it."""
        self._allow()
        if self.panel.region_fold.opened:
            self._drawing.ask()

    def why_not(self) -> str:
        """Say what is missing."""
        if self.panel.other.choice is None:
            return "Choose a parent B first"
        if self.board.catalog is None:
            return "Find parts first"
        return "" if self.board.selected else "Select a part in one of the pictures first"

    def join(self) -> Turn | None:
        """Find where the parts are in either parent, then search for the picture that joins both."""
        if why_not := self.why_not():
            self.session.tell(f"{why_not}.")
            return None
        source, count = self.panel.other.source, self.steps.value
        assert source is not None  # `why_not` has asked

        def steps() -> Steps:
            session = self.session
            here, there = session.latent, self._latent_of(source)
            masks = [mask for mask in map(self.board.mask, (here, there)) if mask is not None]
            if not masks:  # deselected since
                return f"{self.why_not()}."
            yield
            side = session.generator.size[0]
            theirs, ours = (session.thumbnail(latent, side) for latent in (there, here))
            edit = join(theirs, ours, masks[0] | masks[-1], count)
            self.panel.record(replace(edit, start="current"))

        return self.session.task("finding where the parts are", steps)

    # ---- inside

    def _allow(self) -> None:
        allow(self.join_button, self.why_not(), "Search for the picture; Esc or Stop keeps the best so far")

    def _on_tiles(self, change: Mapping[str, Any]) -> None:
        self.board.selected = tuple(change["new"])

    def _on_catalog(self, _: object = None) -> None:
        catalog = self.board.catalog
        self.tiles.show_parts(() if catalog is None else catalog.parts)
        self._found.layout.display = None if catalog is None else "none"
        self.refresh()

    def _on_selected(self, _: object = None) -> None:
        self.tiles.selected = list(self.board.selected)
        self._allow()

    def _draw(self) -> Steps:
        tiles: list[Tile] = []
        source = self.panel.other.source
        parents = [("A, this picture", self.session.latent)]
        if source is not None:
            parents.append(("parent B", self._latent_of(source)))
        for caption, latent in parents:
            yield
            pixels = self.session.thumbnail(latent, min(2 * SIDE, self.session.generator.size[0]))
            clusters = None if self.board.catalog is None else self.board.clusters(latent)
            tiles.append(Tile(caption, caption, pixels, clusters))
        self.tiles.show(tiles)

    def _latent_of(self, source: Source) -> Latent:
        """Return parent B's latent, the same object as long as it is the same parent: its clusters are kept by it."""
        if self._known is None or self._known[0] is not source:
            self._known = (source, latent_of(self.session.generator, source))
        return self._known[1]
