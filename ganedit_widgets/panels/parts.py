"""Panel for core/parts: find the parts of pictures without labels, look at them, name, merge and split them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.code import script_for
from ganedit_widgets.core.edits import Edit, Sample, latent_of
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.parts import clusterable

from .controls import Fold, allow, button, help_line, named, row
from .knobs import Knobs
from .panel import Panel
from .part_edit import PartCode, PartEditor, PartFiles
from .part_find import PARTS, SAMPLES, Seen, find_parts
from .part_survey import PartSurvey
from .part_view import PartView, Tile
from .session import Session
from .sources import PSI
from .turn import Turn
from .worker import Steps

OTHERS, SMALL = 4, 128  # pictures beside the one on show; their height in pixels
OPACITY = {"key": "opacity", "label": "overlay", "min": 0, "max": 1, "step": 0.05, "value": 0.5, "default": 0.5}
NOTHING = "No parts are known yet: press Find parts."


class PartsPanel(Panel):
    """Find parts by clustering what one layer puts out, see them in several pictures, and keep them in a catalog."""

    title = "Parts"
    hint = "Find the parts of pictures without labels; name, merge and split them"
    apply_label = "Find parts"

    def __init__(self, session: Session) -> None:
        self.board = session.parts
        self.board.begin()
        self._first = 100  # seed of the first sample
        self.sizes: dict[str, int] = {}  # layer → resolution, once they are listed
        self._samples: dict[int, Latent] = {}  # seed -> latent, the same each time: maps are kept by it
        # widgets
        self.view: PartView = PartView(label="Parts of the picture", hint=NOTHING)
        self.count = named(ipw.BoundedIntText(PARTS, 2, 64, layout={"width": "58px"}), "Number of parts to find, K")
        layers = ipw.Dropdown(options=[("usual layer", "")], layout={"width": "128px"})
        self.layer = named(layers, "Layer whose output is clustered")
        self.samples = named(ipw.BoundedIntText(SAMPLES, 2, 2000, layout={"width": "68px"}), "Samples to learn from")
        self.look = Knobs([OPACITY], label="How the parts are shown")
        self.editor = PartEditor(session)
        self.more_button = button("Other samples", session.guarded(self.other_samples), "See the parts elsewhere")
        self.survey_fold = Fold(
            "How many parts, of which layer?", lambda: PartSurvey(session, lambda: self.sizes, self.choose)
        )
        self.files_fold = Fold("Keep in a file", lambda: PartFiles(self, session))
        self.code_fold = Fold("Code of the catalog", lambda: PartCode(self, session))
        # layout
        about = help_line("A part is a cluster of what one layer puts out: no labels and no training, only drawing.")
        find = ipw.VBox(
            [
                row("find", self.count, ipw.HTML("parts in"), self.layer),
                row("from", self.samples, ipw.HTML("samples of the model")),
            ]
        )
        find.add_class("ge-source")
        controls = [about, find, self.look, self.editor, self.survey_fold, self.files_fold, self.code_fold]
        super().__init__(session, controls, buttons=[self.more_button])
        *shown, find_row = self.children  # type: ignore[has-type]
        self.children = (*shown[:2], find_row, *shown[2:])  # Find parts stands by its controls
        # connections
        self.look.on_input(lambda key, value, final: setattr(self.view, "opacity", value))
        self.view.on_action(session.guarded(self._act))
        self.view.observe(session.guarded(self._on_view_selected), "selected")
        self.watch(self._on_catalog, "catalog", of=self.board)
        self.watch(self._on_selected, "selected", of=self.board)
        self.watch(self._on_pixels, "pixels")
        self._seen = Seen(self, "parts", self._draw_tiles)
        session.in_background(f"layers {id(self)}", self._list_layers)
        self._on_catalog()

    # ---- what the base asks

    def edit(self) -> Edit | None:
        """Return None: this panel changes no picture."""
        return None

    def why_not(self) -> str:
        """Return "": parts can be found at any time."""
        return ""

    def apply(self) -> None:
        """Find parts."""
        self.find()

    def refresh(self) -> None:
        """Say what the button does."""
        allow(self.apply_button, "", "Cluster the samples anew; what was named is kept behind Undo")

    # ---- what can be done

    def find(self) -> Turn:
        """Find parts by the controls; Stop leaves the catalog as it is."""
        return find_parts(self.session, self.layer.value or None, self.count.value, self.samples.value)

    def choose(self, layer: str, k: int) -> None:
        """Set what Find parts looks for."""
        self.layer.value, self.count.value = layer, k

    def other_samples(self) -> None:
        """Show the parts in other pictures."""
        self._first += OTHERS
        self._seen.ask()

    def code(self) -> str:
        """Return Python that finds this catalog, changes and saves it; "" if there is none."""
        version = self.board.version
        if version is None:
            return ""
        verbs = [*version.verbs, 'save_catalog("parts.safetensors", catalog)']
        return script_for(self.session.generator, "catalog", version.base, verbs)

    # ---- from the board and the session; in any thread

    def _on_catalog(self, _: object = None) -> None:
        catalog = self.board.catalog
        self.view.show_parts(() if catalog is None else catalog.parts)
        self.editor.refresh()
        if self.code_fold.made:
            self.code_fold.content.refresh()
        if self.files_fold.made:
            self.files_fold.content.refresh()
        self._seen.ask()

    def _on_selected(self, _: object = None) -> None:
        self.view.selected = list(self.board.selected)
        self.editor.refresh()

    def _on_pixels(self, _: object) -> None:
        if not self.session.moving:
            self._seen.ask()

    def _draw_tiles(self) -> Steps:
        seeds = range(self._first, self._first + OTHERS)
        known = {tile.id: tile for tile in self.view.tiles}
        tiles: list[Tile] = []
        for i, seed in enumerate([None, *seeds]):
            yield
            key = "here" if seed is None else f"s{seed}"
            latent = self.session.shown if seed is None else self._sample(seed)
            height = SMALL if seed is not None else self.session.generator.size[0]
            caption = "" if seed is None else f"seed {seed}"
            pixels = known[key].pixels if seed is not None and key in known else self.session.thumbnail(latent, height)
            clusters = None if self.board.catalog is None else self.board.clusters(latent)
            tiles.append(Tile(key, caption, pixels, clusters, seed is None))
            if i in (0, OTHERS):
                self.view.show([*tiles, *(tile for key, tile in known.items() if key != "here")][: 1 + OTHERS])

    def _sample(self, seed: int) -> Latent:
        if seed not in self._samples:
            self._samples[seed] = latent_of(self.session.generator, Sample(seed, PSI))
        return self._samples[seed]

    def _list_layers(self) -> Steps:
        yield
        self.sizes = clusterable(self.session.generator)
        choices = [(f"{name} ({size}×{size})", name) for name, size in self.sizes.items()]
        self.layer.options = [("usual layer", ""), *choices]
        if self.survey_fold.made:
            self.survey_fold.content.refresh()

    # ---- from the view

    def _on_view_selected(self, change: Mapping[str, Any]) -> None:
        self.board.selected = tuple(change["new"])

    def _act(self, name: str) -> None:
        if name in ("undo", "redo"):
            getattr(self.board, name)()
        elif name == "stop":
            self.session.stop()
        elif name == "save":
            self.frame.download()
