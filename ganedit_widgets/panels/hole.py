"""A part of a picture that a search leaves out: painted over, and filled in by the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from ganedit_widgets.core.image import Pixels

from .controls import allow, button, help_line, row
from .mask_painter import MaskPainter

LABELS = ("matched", "left out")
WIDTH = 300  # CSS pixels of the picture that is painted on
ABOUT = "Paint over what is not to be matched, such as glasses or a scratch: the model fills it in."
BRUSH = 10  # how many brushes make a side


class Hole(ipw.VBox):
    """A painter over the picture to be embedded; `changed()` is called after every stroke, in any thread."""

    def __init__(self, changed: Callable[[], Any]) -> None:
        self.painter: MaskPainter | None = None
        self._changed = changed
        self._place = ipw.VBox()
        self.clear_button = button("Match all of it", self.clear)
        super().__init__([help_line(ABOUT), self._place, row("", self.clear_button)])
        self.add_class("ge-hole")
        self._on_change()

    @property
    def mask(self) -> NDArray[np.bool_] | None:
        """What is left out, (H, W) as the picture shown; None while nothing is."""
        mask = None if self.painter is None else self.painter.mask != 0
        return mask if mask is not None and mask.any() else None

    def show(self, pixels: Pixels) -> None:
        """Paint on a picture (H, W, 3), always of one size; what was painted on another one is forgotten."""
        if self.painter is None:
            size = max(2.0, pixels.shape[0] / BRUSH)
            self.painter = MaskPainter(
                pixels, LABELS, title="What is left out", width=WIDTH, opacity=0.6, size=size, label=1
            )
            self.painter.on_change(self._on_change)
            self._place.children = (self.painter,)
        else:
            self.painter.begin(pixels, np.zeros(pixels.shape[:2], np.uint8))
        self._on_change()

    def clear(self) -> None:
        """Leave nothing out, as one step that can be undone."""
        if self.painter is not None:
            self.painter.load(np.zeros_like(self.painter.mask))

    def close(self) -> None:
        """Leave every page, with the painter."""
        if self.painter is not None:
            self.painter.close()
        super().close()

    def _on_change(self) -> None:
        allow(self.clear_button, "" if self.mask is not None else "Nothing is left out", "Leave nothing out")
        self._changed()
