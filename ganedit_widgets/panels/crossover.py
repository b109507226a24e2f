"""Panel for core/edits/crossover.py: layers of two parents, parts of them, litters, and the table of styles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ganedit_widgets.core.edits import Crossover, Edit, group_blend, paper_split
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.groups import layer_groups

from .controls import Fold, help_line
from .knobs import Knobs
from .layer_strip import LayerStrip
from .litter import Litter, Table
from .panel import Panel
from .region import Region
from .session import Session
from .sources import SourcePicker

HINTS = {
    "A": "Everything from A, the current picture",
    "B": "Everything from B",
    "half": "A's first half and B's second, as in Image2StyleGAN",
    "coarse": "B's pose and shape, the rest from A",
    "middle": "B's features, the rest from A",
    "fine": "B's colors and texture, the rest from A",
}


class CrossoverPanel(Panel):
    """Mix the current picture, A, with another, B: layer by layer, by groups, or by chance."""

    title = "Crossover"
    hint = "Take some layers from another picture: one's shape, the other's colors"

    def __init__(self, session: Session) -> None:
        generator = session.generator
        self._groups = layer_groups(generator)
        # widgets
        self.other = SourcePicker(session, "parent B", session.guarded(self._on_other))
        self.strip = LayerStrip(
            shares=[0.0] * generator.latent_shape[0],
            groups={name: [layers.start, layers.stop] for name, layers in self._groups.items()},
            presets=presets(generator),
            hints=HINTS,
            label="How much of parent B each layer has",
        )
        self.knobs = Knobs(
            [{"key": name, "min": 0, "max": 1} for name in self._groups],
            label="Share of parent B in each group of layers",
        )
        self.litter_fold = Fold("Litter of nine children", lambda: Litter(self, session))
        self.region_fold = Fold("Only some parts of B", lambda: Region(self, session))
        self.table_fold = Fold("Table of mixed styles", lambda: Table(self, session))
        # layout
        about = help_line("A is the picture on the left. Paint layers over to B, or move a whole group.")
        folds = [self.region_fold, self.litter_fold, self.table_fold]
        super().__init__(session, [self.other, about, self.strip, self.knobs, *folds])
        # connections
        self.strip.observe(session.guarded(self._on_shares), "shares")
        self.knobs.on_input(session.guarded(self._on_knob))
        self._refuse()

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return the crossover, once there is a parent B with a part in it."""
        choice = self.other.choice
        if choice is None or not any(self.strip.shares):
            return None
        return Crossover(choice.source, tuple(self.strip.shares), choice.note)

    def why_not(self) -> str:
        """Say what is missing."""
        if self.other.choice is None:
            return "Choose a parent B first"
        return "" if any(self.strip.shares) else "Give parent B a layer first"

    def reset(self) -> None:
        """Everything from A."""
        self.blend([0.0] * len(self.strip.shares))

    def blend(self, shares: list[float]) -> None:
        """Set how much of parent B each layer has, and show that."""
        self.strip.shares = [float(share) for share in shares]

    def record(self, edit: Edit) -> None:
        """Make and record `edit`, such as a child of a litter, on top of what others have on show."""
        self._panel_edits.add(edit)
        self.session.apply(edit, by=self)

    # ---- from the controls

    def _on_other(self) -> None:
        self._refuse()
        if not any(self.strip.shares):
            self.blend(list(paper_split(self.session.generator)))  # something to be seen at once
        else:
            self.preview()
        for fold in (self.region_fold, self.litter_fold, self.table_fold):
            if fold.made:
                fold.content.refresh()

    def _on_shares(self, _: Mapping[str, Any]) -> None:
        for name, layers in self._groups.items():
            shares = self.strip.shares[layers.start : layers.stop]
            self.knobs.set(name, sum(shares) / len(shares))
        self.preview(moving=True)

    def _on_knob(self, name: str, value: float, final: bool) -> None:
        layers, shares = self._groups[name], list(self.strip.shares)
        shares[layers.start : layers.stop] = [value] * len(layers)
        self.strip.shares = shares

    def _refuse(self) -> None:
        self.strip.disabled = "" if self.other.choice is not None else "Choose a parent B first"


def presets(generator: Generator) -> dict[str, list[float]]:
    """Return name → how much of B each layer has."""
    rows = generator.latent_shape[0]
    groups = {name: list(group_blend(generator, {name: 1.0})) for name in layer_groups(generator)}
    return {"A": [0.0] * rows, **groups, "half": list(paper_split(generator)), "B": [1.0] * rows}
