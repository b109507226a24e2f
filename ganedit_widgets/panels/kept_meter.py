"""How much of a person an expression has left, as a page shows it: a meter between two pictures."""

from __future__ import annotations

from html import escape

import ipywidgets as ipw

from ganedit_widgets.core.identity import Kept

from .painter import shrunk
from .pictures import data_url

SIDE = 160  # pixels of a thumbnail; it is shown half as large
HOW = (
    "Judged by the look of everything but the place of the expression, which is faded here. No network that knows "
    "people was asked: the same face under another haircut counts as changed."
)
WORDS = {"kept": "the person is kept", "drifted": "the person has drifted", "lost": "it may be somebody else"}
MEANING = "100 %: the same outside the expression; 0 %: as unlike as two pictures of this model"


class KeptMeter(ipw.HTML):
    """Before and after, and a bar of how much is kept. Hidden while there is nothing to show."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: Kept | None = None
        self.add_class("ge-kept")
        self.layout.display = "none"

    def show(self, kept: Kept | None) -> None:
        """Show what was found; None hides it."""
        self.kept = kept
        self.value = "" if kept is None else html_of(kept)
        self.layout.display = "none" if kept is None else None


def html_of(kept: Kept) -> str:
    """Return the meter as HTML."""
    share = f"{100 * kept.share:.0f}"
    text = f"{share} % kept outside the expression: {WORDS[kept.word]}"
    before, after = (data_url(shrunk(pixels, SIDE)) for pixels in (kept.before, kept.judged))
    return (
        '<div class="ge-kept-row">'
        f'<figure><img src="{before}" alt="The picture before"/><figcaption>before</figcaption></figure>'
        f'<div class="ge-kept-scale" role="meter" aria-valuemin="0" aria-valuemax="100" aria-valuenow="{share}" '
        f'aria-label="{escape(text)}" title="{escape(MEANING)}">'
        f"<b>{share} %</b> {escape(WORDS[kept.word])}"
        f'<i class="ge-kept-{kept.word}"><i style="width: {share}%"></i></i>'
        "<span><span>a stranger</span><span>the same</span></span></div>"
        f'<figure><img src="{after}" alt="The picture after, the place of the expression faded"/>'
        "<figcaption>after</figcaption></figure></div>"
        f'<p class="ge-kept-how">{escape(HOW)}</p>'
    )
