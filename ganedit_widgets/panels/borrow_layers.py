"""Controls of the borrow panel for single layers: how much is borrowed there, if not as much as elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.groups import layer_sizes

from .controls import help_line
from .knobs import Knobs
from .session import Session

ABOUT = "A layer that is ticked has this strength, whatever the slider above and its group say; at 0 it stays as it is."


class LayerStrengths(ipw.VBox):
    """A slider for each style layer; `changed(moving)` is called when one that counts is another."""

    def __init__(self, session: Session, changed: Callable[[bool], Any]) -> None:
        self._labels = layer_labels(session.generator)
        self._changed = changed
        self.knobs = Knobs([], label="Strength of single layers")
        super().__init__([help_line(ABOUT), self.knobs])
        self.knobs.on_input(session.guarded(self._on_input))
        self.knobs.on_toggle(session.guarded(lambda key, enabled: changed(False)))

    @property
    def own(self) -> dict[str, float]:
        """Style layer → its strength, of those that are ticked."""
        return {row["key"]: row["value"] for row in self.knobs.rows if row["enabled"]}

    def take(self, most: float, step: float, usual: float) -> None:
        """Have sliders from 0 to `most` in such steps, none of them ticked and all at `usual`."""
        row = {"min": 0, "max": most, "step": step, "value": usual, "default": usual, "enabled": False}
        self.knobs.rows = [{"key": name, "label": label, **row} for name, label in self._labels.items()]

    def _on_input(self, key: str, value: float, final: bool) -> None:
        if final or key not in self.own:  # who moves it wants it; a page hears that only when it lets the slider go
            self.knobs.enable(key)
        self._changed(not final)


def layer_labels(generator: Generator) -> dict[str, str]:
    """Return style layer → what it is called, of those in which parts are borrowed: neither toRGB nor the input."""
    sizes = layer_sizes(generator)
    return {
        name: f"layer {row} · {sizes[row]} px"
        for name, row in generator.style_layers.items()
        if not name.endswith("torgb") and name != "input"
    }
