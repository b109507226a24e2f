"""What a painted edit weighs: the numbers behind “more”."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import LARGE, Paint

from .controls import button, help_line, named, row

FIELDS = (  # name in `Paint`, what it is called, most, step, what it does
    ("keep", "hold the rest", 1000.0, 1.0, "How much the picture outside the region counts, λ₁"),
    ("paint", "follow the mask", 1000.0, 0.1, "How much the labels inside the region count, λ₂"),
    ("identity", "same person", 1000.0, 1.0, "How much it counts that the picture shows the same person, λ₃"),
    ("near", "stay near", 100.0, 0.1, "Holds the latent near the one before: larger, and it can be edited further"),
    ("pixel", "pixels", 100.0, 0.5, "Of exact colors against likeness, within “hold the rest”"),
    ("rate", "step size", 5.0, 0.01, "Adam's learning rate, in standard deviations of W"),
)
PUBLISHED = {"near": 0.0}  # where our defaults differ from the paper's


class MaskWeights(ipw.VBox):
    """Fields for the weights of `Paint`; `identity` only where there is a network that knows persons."""

    def __init__(self, identity: bool) -> None:
        self.inputs: dict[str, ipw.BoundedFloatText] = {}
        rows: list[ipw.Widget] = []
        for name, text, most, step, meaning in FIELDS:
            if name == "identity" and not identity:
                continue
            value = getattr(Paint, name)
            field = ipw.BoundedFloatText(value, min=0, max=most, step=step, layout={"width": "76px"})
            self.inputs[name] = named(field, meaning)
            rows.append(row(text, field))
        self.usual_button = button("Usual values", self.usual, "The weights this library has found good")
        self.published_button = button("As published", self.published, "The weights of the paper")
        self.large_button = button("For large changes", self.large, "So that a part appears that was not there before")
        grid = ipw.Box(rows)
        grid.add_class("ge-weights")
        about = help_line("Their sum is made small: what changes outside, what is seen inside, how far it goes.")
        super().__init__([about, grid, row("", self.usual_button, self.large_button, self.published_button)])

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of `Paint` that they mean."""
        return {name: field.value for name, field in self.inputs.items()}

    def usual(self) -> None:
        """Set the defaults."""
        for name, field in self.inputs.items():
            field.value = getattr(Paint, name)

    def large(self) -> None:
        """Set what lets a part appear that was not there before."""
        self._set(LARGE)

    def published(self) -> None:
        """Set what the paper has."""
        self._set(PUBLISHED)

    def _set(self, values: Mapping[str, float]) -> None:
        self.usual()
        for name, value in values.items():
            self.inputs[name].value = value
