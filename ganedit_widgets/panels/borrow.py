"""Panel for core/edits/borrow.py: take one part of the picture from another, and see what else changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Borrow, Edit, Restore, Sample, Stack, latent_of
from ganedit_widgets.core.errors import LatentError
from ganedit_widgets.core.latent import Latent

from .borrow_controls import PROTECT, STRENGTHS, Options, References, strength_row
from .borrow_fit import fit_strength
from .controls import Fold, allow, button, help_line, named, row
from .knobs import Knobs
from .panel import Panel
from .part_find import Seen, find_parts
from .part_meters import PartMeters
from .part_view import PartView, Tile
from .session import Session
from .sources import Choice, SourcePicker, take_current
from .turn import Turn
from .worker import Steps

SIDE = 156  # CSS pixels of the two pictures with their parts
PLACES = (
    "Inside is where this picture or the reference shows the part, and close by. The bars divide the same two numbers: "
    "the selected part has the inside, the others share the outside."
)


class BorrowPanel(Panel):
    """Take the selected parts from a reference; meters say what changes inside them and outside."""

    title = "Borrow"
    hint = "Take a part from another picture, such as hair or eyes; the rest stays"

    def __init__(self, session: Session) -> None:
        self.board = session.parts
        self.board.begin()
        self._latent: Latent | None = None  # of the reference
        self._here: Latent | None = None  # of the picture that is drawn with its parts
        # widgets
        self.tiles = PartView(size=SIDE, width=3 * SIDE, label="Parts of both pictures", hint="No parts are known yet.")
        self.find_button = button("Find parts", session.guarded(lambda: find_parts(session)), "They need no labels")
        self.references = References(session, lambda choice: self.picker.take(choice))
        self.picker = SourcePicker(session, "reference", session.guarded(self._on_reference))
        self.knobs = Knobs([strength_row("greedy"), PROTECT], label="How much is borrowed")
        self.options_fold = Fold("Rule and layers", lambda: Options(session, session.guarded(self._on_options)))
        self.meters = PartMeters(PLACES)
        limit = ipw.BoundedFloatText(3.0, min=0, max=100, step=0.5, layout={"width": "64px"})
        self.limit = named(limit, "Most change outside the part, in ΔE")
        self.fit_button = button("Fit strength", session.guarded(self.fit))
        self.swap_button = button("Swap", session.guarded(self.swap))
        # layout
        about = help_line("Select a part in either picture, and choose a reference to take it from.")
        auto = row("outside", ipw.HTML("at most"), self.limit, ipw.HTML("ΔE"), self.fit_button)
        self._found = row("", self.find_button)
        controls = [about, self.tiles, self._found, self.references, self.picker, self.knobs, self.meters, auto]
        super().__init__(session, [*controls, self.options_fold])
        self.references.buttons.children = (*self.references.buttons.children, self.swap_button)
        *shown, apply_row = self.children  # type: ignore[has-type]
        self.children = (*shown[:6], apply_row, *shown[6:])  # Apply stands by the sliders
        # connections
        self._drawing, self._measuring = Seen(self, "tiles", self._draw_tiles), Seen(self, "meters", self._measure)
        self.knobs.on_input(session.guarded(lambda key, value, final: self.preview(moving=not final)))
        self.tiles.observe(session.guarded(self._on_tiles), "selected")
        self.watch(self._on_catalog, "catalog", of=self.board)
        self.watch(self._on_selected, "selected", of=self.board)
        self.watch(lambda _: self._drawing.ask(), "entries")
        self.watch(lambda _: self._on_pixels(), "pixels")
        self.references.draw()
        self._on_catalog()
        self._on_selected()

    # ---- what the controls mean

    def borrows(self) -> list[Borrow]:
        """Return an edit for each selected part; none while a part or the reference is missing."""
        if self.missing():
            return []
        assert self._latent is not None and self.picker.choice is not None  # else the reference would be missing
        values, note = self.knobs.values, self.picker.choice.name
        catalog, fields = self.board.require(), self._fields
        return [
            Borrow(self._latent, name, catalog, values["strength"], values["protect"], note=note, **fields)
            for name in self.board.selected
        ]

    def edit(self) -> Edit | None:
        """Return what is borrowed, once there is a part, a reference and a strength."""
        borrows = self.borrows() if self.knobs.values["strength"] else []
        return borrows[0] if len(borrows) == 1 else Stack(tuple(borrows)) if borrows else None

    def why_not(self) -> str:
        """Say what is missing."""
        return self.missing() or ("" if self.knobs.values["strength"] else "Give it a strength first")

    def reset(self) -> None:
        """No strength; part and reference stay."""
        self.knobs.set("strength", 0.0)

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        super().refresh()
        one = "" if len(self.board.selected) == 1 else "Select one part only"
        allow(self.fit_button, self.missing() or one, "The largest strength that changes the rest no more than this")
        allow(
            self.swap_button, self._no_reference(), "The reference becomes the picture, and the picture the reference"
        )

    def missing(self) -> str:
        """Say what is missing besides a strength."""
        if self.board.catalog is None:
            return "Find parts first"
        return ("" if self.board.selected else "Select a part first") or self._no_reference()

    def _no_reference(self) -> str:
        return "" if self._latent is not None else "Choose a reference first"

    @property
    def _fields(self) -> dict[str, Any]:
        return self.options_fold.content.fields if self.options_fold.made else {"rule": "greedy"}

    # ---- what can be done

    def fit(self) -> Turn | None:
        """Find the largest strength that changes no more outside the part than allowed, and show it."""
        return fit_strength(self, self.limit.value)

    def swap(self) -> None:
        """Make the reference the picture, and the picture the reference; a preview is recorded first."""
        choice = self.picker.choice
        if choice is None or self._latent is None:
            raise LatentError("There is no reference to swap with: choose one.")
        take_current(self.session, lambda here: self._swap(choice, here))

    def _swap(self, choice: Choice, here: Choice) -> None:
        source = choice.source
        self.session.apply(source if isinstance(source, Sample) else Restore(source, choice.name), by=self)
        self.picker.take(here)

    # ---- from the controls

    def _on_reference(self) -> None:
        choice = self.picker.choice
        assert choice is not None  # it was just taken
        self._latent = None  # it may be refused
        self._latent = latent_of(self.session.generator, choice.source)
        self.references.mark(choice)
        self._drawing.ask()
        self._begin()

    def _on_options(self, moving: bool = False) -> None:
        wanted = strength_row(self._fields["rule"])
        if self.knobs.rows[0]["max"] != wanted["max"]:
            on = bool(self.knobs.values["strength"])
            value = STRENGTHS[self._fields["rule"]][2] if on else 0.0
            self.knobs.rows = [{**wanted, "value": value}, *self.knobs.rows[1:]]
        self.preview(moving=moving)

    def _on_tiles(self, change: Mapping[str, Any]) -> None:
        chosen = tuple(change["new"])
        if chosen != self.board.selected:
            self.board.selected = chosen
            self._begin()

    def _begin(self) -> None:
        """Show something at once when the last thing that was missing is there."""
        if not self.missing() and not self.knobs.values["strength"]:
            self.knobs.set("strength", STRENGTHS[self._fields["rule"]][2])
        self.preview()

    # ---- from the board and the session; in any thread

    def _on_catalog(self, _: object = None) -> None:
        catalog = self.board.catalog
        self.tiles.show_parts(() if catalog is None else catalog.parts)
        self._found.layout.display = None if catalog is None else "none"
        self._drawing.ask()
        self.refresh()

    def _on_selected(self, _: object = None) -> None:
        self.tiles.selected = list(self.board.selected)
        self.refresh()

    def _on_pixels(self) -> None:
        self._measuring.ask()
        if self._here is not None and self._base is not self._here:
            self._drawing.ask()

    @property
    def _base(self) -> Latent:
        """What a part would be laid into: what another panel previews is recorded before."""
        own = self.session.pending is self._panel_edit
        return self.session.latent if own else self.session.shown

    def _draw_tiles(self) -> Steps:
        tiles: list[Tile] = []
        self._here = self._base
        for key, latent, caption in (
            ("here", self._here, "this picture"),
            ("there", self._latent, "reference"),
        ):
            yield
            if latent is not None:
                pixels = self.session.thumbnail(latent, min(2 * SIDE, self.session.generator.size[0]))
                clusters = None if self.board.catalog is None else self.board.clusters(latent)
                tiles.append(Tile(key, caption, pixels, clusters))
        self.tiles.show(tiles)

    def _measure(self) -> Steps:
        yield
        borrows, pending = self.borrows(), self.session.pending
        if not borrows or pending is None or pending is not self._panel_edit:
            self.meters.show(None)
            return
        self.meters.measure(self.session, borrows)
