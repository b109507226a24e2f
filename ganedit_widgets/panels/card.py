"""The report card of an embedded picture, as a page shows it."""

from __future__ import annotations

from html import escape

import ipywidgets as ipw

from ganedit_widgets.core.report_card import ReportCard

from .painter import shrunk
from .pictures import data_url

SIDE = 192  # pixels of a thumbnail; it is shown half as large

MEANINGS = {
    "likeness": "Distance to the picture over that of two samples: 0 is the same, 1 a stranger (in brackets the PSNR)",
    "distance": "How far the latent lies from the average, in standard deviations of the model's own",
    "editability": "How much edits change the picture, over how much they change the model's own",
}
NAMES = {"likeness": "distance to the picture", "distance": "distance from the average"}  # as shown
MARKS = {"close": "good", "inside": "good", "as usual": "good", "poor": "bad", "outside": "bad"}  # others: fair


class Card(ipw.HTML):
    """Before, after and difference; numbers with words; verdict and advice. Hidden while there is nothing to show."""

    def __init__(self) -> None:
        super().__init__()
        self.card: ReportCard | None = None
        self.add_class("ge-card")
        self.layout.display = "none"

    def show(self, card: ReportCard | None) -> None:
        """Show a card; None hides it."""
        self.value = "" if card is None else html_of(card)
        self.layout.display = "none" if card is None else None
        self.card = card


def html_of(card: ReportCard) -> str:
    """Return the card as HTML."""
    pictures = (("before", card.before), ("after", card.after), ("difference", card.difference))
    figures = "".join(
        f'<figure><img src="{data_url(shrunk(pixels, SIDE))}" alt="{name}"/><figcaption>{name}</figcaption></figure>'
        for name, pixels in pictures
    )
    numbers = {"likeness": card.likeness, "distance": card.distance, "editability": card.editability}
    texts = {name: f"{number:.2f}" for name, number in numbers.items()}
    texts["likeness"] += f" ({card.psnr:.1f} dB)"
    words = dict(card.words)
    if words["likeness"] == "poor":  # the latent is of another picture, however good it is
        words |= dict.fromkeys(("distance", "editability"), "not judged")
    rows = "".join(_row(name, texts[name], word) for name, word in words.items())
    text = f"<p><b>{escape(card.verdict)}</b> {escape(card.advice)}</p>"
    return f'<div class="ge-card-pictures">{figures}</div>{text}<div class="ge-card-numbers">{rows}</div>'


def _row(name: str, number: str, word: str) -> str:
    mark = MARKS.get(word, "fair")
    shown = f'{NAMES.get(name, name)} {number} <i class="ge-mark-{mark}">{escape(word)}</i>'
    return f'<span title="{escape(MEANINGS[name])}">{shown}</span>'
