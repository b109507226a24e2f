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
        self.stamp = 0  # of the choice: what was found for an earlier one is not shown
        self._lock = threading.RLock()  # the user presses toggles while the worker's thread sets them
        self._on: set[str] = set()  # the classes on show
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
        for name, toggle in self._toggles.items():
            toggle.observe(lambda change, name=name: self._on_toggle(name, change["new"]), "value")
        self.toggles.children = tuple(self._toggles.values())
        self._choose(None)
        self.margin.value = margin

    def suggest(self) -> None:
        """Take the classes that the painting suggests again."""
        self._choose(None)
        self._changed()

    def reset(self) -> None:
        """Take what the next painting suggests; the margin stays."""
        self._choose(None)

    def show(
        self, picture: Pixels, region: NDArray[np.bool_], classes: Iterable[str], concerned: Iterable[str], stamp: int
    ) -> None:
        """Show the region (h, w) in the picture, its `classes`, and a toggle for each that is `concerned`.

        Nothing, if another choice was made since `stamp` was this one's: then what follows from it is on its way.
        """
        share, on = float(region.mean()), set(classes)
        if not self._set(on, {*on, *concerned}, stamp):
            return
        self.figure.value = (
            f'<img src="{data_url(spotlight(picture, region))}" alt="Where the edit takes place: {100 * share:.0f} % '
            'of the picture, bright" title="Bright: what may change. Dark: what is held as it is."/>'
        )
        if share > WHOLE:
            self._say("All of the picture may change: nothing is held as it is.", warn=True)
        else:
            self._say(f"{_percent(share)} of the picture may change; the rest is held as it is.")

    def explain(self, why: str, stamp: int, picture: Pixels | None = None, warn: bool = False) -> None:
        """Say why there is no region; nothing, if another choice was made since `stamp` was this one's."""
        if not self._set(set(), set(), stamp):
            return
        self.figure.value = "" if picture is None else f'<img src="{data_url(picture)}" alt="The picture"/>'
        self._say(why, warn)

    def _say(self, text: str, warn: bool = False) -> None:
        self.said.value = f'<span role="status">{escape(text)}</span>'
        (self.said.add_class if warn else self.said.remove_class)("ge-warned")

    def _choose(self, classes: tuple[str, ...] | None) -> None:
        with self._lock:
            self.chosen, self.stamp = classes, self.stamp + 1

    def _set(self, on: set[str], shown: set[str], stamp: int) -> bool:
        with self._lock:
            if stamp != self.stamp:
                return False
            self._on, self._following = on, threading.get_ident()
            try:
                for name, toggle in self._toggles.items():
                    _turn(toggle, name, name in on, name in shown)
            finally:
                self._following = None
            why_not = "" if self.chosen is not None else "They are as suggested"
        self.about.layout.display = None if shown else "none"
        allow(self.suggest_button, why_not, "The classes of which much was painted over")
        return True

    def _on_toggle(self, name: str, on: bool) -> None:
        if self._following == threading.get_ident():
            return
        with self._lock:
            before = self._on if self.chosen is None else {*self.chosen}
            after = before | {name} if on else before - {name}
            self._choose(tuple(one for one in self._toggles if one in after))
        self._changed()


def _turn(toggle: ipw.ToggleButton, name: str, on: bool, shown: bool) -> None:
    toggle.layout.display = None if shown else "none"
    toggle.value = on
    toggle.description = f"✓ {name}" if on else name  # a color alone would not do for everybody
    toggle.tooltip = f"Whether all of “{name}” may change, also where it was not painted over"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"
