"""Where a painted edit takes place: shown as a spotlight, and changed by its classes and its margin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from ganedit_widgets.core.image import Pixels
from ganedit_widgets.core.painting.spotlight import spotlight

from .controls import allow, button, help_line, named, row
from .pictures import data_url

MOST = 64  # pixels of margin
WHOLE = 0.995  # of the picture: nothing worth mentioning is left outside


class MaskRegion(ipw.Box):
    """Toggles for the classes an edit is about, a margin, and a picture of the region. `changed()` after each change.

    As long as nobody presses a toggle, the classes are those that the painting suggests.
    """

    def __init__(self, changed: Callable[[], Any]) -> None:
        self._changed = changed
        self.chosen: tuple[str, ...] | None = None  # None: as suggested
        self._following: int | None = None  # the thread that is just setting the toggles
        self._toggles: dict[str, ipw.ToggleButton] = {}
        # widgets
        self.figure = ipw.HTML()
        self.figure.add_class("ge-region-figure")
        self.toggles = ipw.Box()
        self.toggles.add_class("ge-row")
        margin = ipw.BoundedIntText(2, min=0, max=MOST, layout={"width": "58px"})
        self.margin = named(margin, "Pixels by which the region is wider than what was painted")
        self.suggest_button = button("As suggested", self.suggest)
        self.said = help_line("")
        # layout
        self.about = row("about", self.toggles, self.suggest_button)
        beside = ipw.VBox([self.about, row("margin", self.margin, ipw.HTML("pixels")), self.said])
        beside.add_class("ge-source")
        super().__init__([self.figure, beside])
        self.add_class("ge-region")
        # connections
        self.margin.observe(lambda _: self._changed(), "value")

    def begin(self, classes: Sequence[str], margin: int) -> None:
        """Offer the classes of a segmenter, and the margin that is usual for it."""
        self._toggles = {name: ipw.ToggleButton(description=name, layout={"display": "none"}) for name in classes}
        for toggle in self._toggles.values():
            toggle.observe(lambda _: self._on_toggle(), "value")
        self.toggles.children = tuple(self._toggles.values())
        self.chosen = None
        self.margin.value = margin

    def suggest(self) -> None:
        """Take the classes that the painting suggests again."""
        self.chosen = None
        self._changed()

    def reset(self) -> None:
        """Take what the next painting suggests; the margin stays."""
        self.chosen = None

    def show(
        self, picture: Pixels, region: NDArray[np.bool_], classes: Iterable[str], concerned: Iterable[str]
    ) -> None:
        """Show the region (h, w) in the picture, its `classes`, and a toggle for each that is `concerned`."""
        share, on = float(region.mean()), set(classes)
        self._set(on, {*on, *concerned})
        self.figure.value = (
            f'<img src="{data_url(spotlight(picture, region))}" alt="Where the edit takes place: {100 * share:.0f} % '
            'of the picture, bright" title="Bright: what may change. Dark: what is held as it is."/>'
        )
        if share > WHOLE:
            self._say("All of the picture may change: nothing is held as it is.", warn=True)
        else:
            self._say(f"{_percent(share)} of the picture may change; the rest is held as it is.")

    def explain(self, why: str, picture: Pixels | None = None, warn: bool = False) -> None:
        """Say why there is no region."""
        self._set(set(), set())
        self.figure.value = "" if picture is None else f'<img src="{data_url(picture)}" alt="The picture"/>'
        self._say(why, warn)

    def _say(self, text: str, warn: bool = False) -> None:
        self.said.value = f'<span role="status">{escape(text)}</span>'
        (self.said.add_class if warn else self.said.remove_class)("ge-warned")

    def _set(self, on: set[str], shown: set[str]) -> None:
        self._following = threading.get_ident()
        try:
            for name, toggle in self._toggles.items():
                toggle.layout.display = None if name in shown else "none"
                toggle.value = name in on
                toggle.description = f"✓ {name}" if toggle.value else name  # a color alone would not do for everybody
                toggle.tooltip = f"Whether all of “{name}” may change, also where it was not painted over"
        finally:
            self._following = None
        self.about.layout.display = None if shown else "none"
        why_not = "" if self.chosen is not None else "They are as suggested"
        allow(self.suggest_button, why_not, "The classes of which much was painted over")

    def _on_toggle(self) -> None:
        if self._following != threading.get_ident():
            self.chosen = tuple(name for name, toggle in self._toggles.items() if toggle.value)
            self._changed()


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
