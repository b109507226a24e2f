"""What a borrowed part changed, as a page shows it: inside and outside, a bar for each part, and where."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import ipywidgets as ipw

from ganedit_widgets.core.edits import Borrow
from ganedit_widgets.core.errors import GanEditError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.parts import CatalogPart, Change, Meter, heat, meter

from .painter import shrunk
from .pictures import data_url
from .session import Session

SIDE, MOST = 160, 8  # pixels of the map of differences; bars shown at most
NOTICED = 2.3  # ΔE: what the eye just notices
MEANING = "Root mean square difference of color in CIELAB: 2.3 is just noticeable, 100 is black for white"


class PartMeters(ipw.HTML):
    """Two numbers, bars, and a map, and `how` they are measured. Hidden while there is nothing to show."""

    def __init__(self, how: str = "") -> None:
        super().__init__()
        self._how = how
        self.change: Change | None = None
        self._gauge = Gauge()
        self.add_class("ge-part-meters")
        self.layout.display = "none"

    def show(self, change: Change | None, parts: Sequence[CatalogPart] = (), selected: Sequence[str] = ()) -> None:
        """Show what changed in which of `parts`; None hides it."""
        self.value = "" if change is None else html_of(change, parts, selected, self._how)
        self.layout.display = "none" if change is None else None
        self.change = change

    def measure(self, session: Session, borrows: Sequence[Borrow]) -> None:
        """Show what the preview of `borrows` changed, or why that is not known; for steps done in the worker."""
        try:
            change = self._gauge.read(session.generator, session.latent, borrows, session.shown)
        except GanEditError as error:
            self.explain(str(error))
            return
        self.show(change, session.parts.require().parts, session.parts.selected)

    def explain(self, why: str) -> None:
        """Say why nothing can be measured."""
        self.change = None
        self.value = f'<div class="ge-part-why">{escape(why)}</div>'
        self.layout.display = None


class Gauge:
    """Measures previews of borrowed parts; what it compares with is kept while only numbers change."""

    def __init__(self) -> None:
        self._kept: tuple[list[object], Meter] | None = None

    def read(self, generator: Generator, latent: Latent, borrows: Sequence[Borrow], shown: Latent) -> Change:
        """Return what changed from `latent` to `shown`, for steps done in the worker's thread."""
        asked: list[object] = [
            latent,
            *(x for borrow in borrows for x in (borrow.reference, borrow.part, borrow.catalog)),
        ]
        if self._kept is None or self._kept[0] != asked:
            self._kept = (asked, meter(generator, latent, borrows))
        return self._kept[1].read(generator.draw(shown))


def html_of(change: Change, parts: Sequence[CatalogPart], selected: Sequence[str], how: str = "") -> str:
    """Return the meters as HTML: the selected parts first, then what changed most."""
    colors = {part.name: part.color for part in parts}
    order = sorted(change.parts, key=lambda name: (name not in selected, -change.parts[name]))
    longest = max([NOTICED, *change.parts.values()])
    bars = "".join(_bar(name, change.parts[name], longest, colors[name], name in selected) for name in order[:MOST])
    picture = data_url(shrunk(heat(change.difference), SIDE))
    return (
        f'<div class="ge-part-numbers" title="{MEANING}">inside <b>{change.inside:.1f}</b> ΔE · '
        f"outside <b>{change.outside:.1f}</b> ΔE</div>"
        f'<div class="ge-part-change"><div class="ge-part-bars">{bars}</div>'
        f'<figure><img src="{picture}" alt="Map of what changed, brighter where it changed more"/>'
        "<figcaption>what changed</figcaption></figure></div>"
        f'<p class="ge-part-how">{escape(how)}</p>'
    )


def _bar(name: str, value: float, longest: float, color: tuple[int, int, int], chosen: bool) -> str:
    paint, text = f"rgb({color[0]} {color[1]} {color[2]})", escape(name, quote=True)
    kind = " ge-part-chosen" if chosen else ""
    return (
        f'<span class="ge-part-bar{kind}" title="{text}: {value:.1f} ΔE"><span>{text}</span>'
        f'<i><i style="width: {100 * value / longest:.0f}%; background: {paint}"></i></i>'
        f"<span>{value:.1f}</span></span>"
    )
