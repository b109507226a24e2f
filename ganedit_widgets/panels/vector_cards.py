"""VectorCards: edit vectors as cards, each with a thumbnail and what is known of it; to be chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import traitlets as tr
from ipywidgets import CallbackDispatcher

from ganedit_widgets.core.vectors import EditVector

from .assets import script, style
from .keys import ActionWidget
from .painter import shrunk
from .pictures import data_url
from .transport import Message
from .vector_board import Entry

HEIGHT = 72  # pixels of a thumbnail: sharp where a card is 144 wide
ORDERS = ("add", "delete")


class VectorCards(ActionWidget):
    """Cards to choose from: a click or the arrow keys choose, a double click or Enter adds, Delete removes."""

    _esm = script("base", "vector_cards")
    _css = style("base", "vector_cards")

    cards = tr.List(tr.Dict()).tag(sync=True)  # see `card_of`
    chosen = tr.Int(0).tag(sync=True, echo_update=False)  # the number of a card; 0: none
    label = tr.Unicode("Edit vectors").tag(sync=True)  # for screen readers
    hint = tr.Unicode("").tag(sync=True)  # shown while there are no cards

    def __init__(self, **traits: Any) -> None:
        self._on_order = CallbackDispatcher()
        super().__init__(**traits)

    def show(self, entries: Iterable[Entry], foreign: Callable[[EditVector], str]) -> None:
        """Show a card for each entry; `foreign` says why its vector cannot be used here, "" if it can."""
        known = {card["number"]: card for card in self.cards}
        self.cards = [card_of(entry, foreign(entry.vector), known.get(entry.number)) for entry in entries]

    def on_order(self, fn: Callable[[str, int], None], remove: bool = False) -> None:
        """Call `fn(order, number)` with "add" or "delete" when the user asks for it."""
        self._on_order.register_callback(fn, remove=remove)

    def _receive(self, widget: object, message: Message, buffers: object) -> None:
        if message.get("t") == "order" and message.get("name") in ORDERS:
            self._on_order(str(message["name"]), int(message["number"]))
        else:
            super()._receive(widget, message, buffers)


def card_of(entry: Entry, warn: str = "", known: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return what a page shows of an entry; the picture of a card that is `known` is not encoded again."""
    vector = entry.vector
    low, high = vector.direction.range
    picture = vector.thumbnail
    url = "" if picture is None else (known or {}).get("image") or data_url(shrunk(picture, HEIGHT))
    return {
        "number": entry.number,
        "name": vector.name,
        "image": url,
        "classes": ", ".join(vector.classes),
        "range": f"{signed(low)} … {signed(high)}",
        "source": provenance(vector),
        "about": "\n".join(f"{key}: {value}" for key, value in vector.about.items()),
        "warn": warn,
    }


def provenance(vector: EditVector) -> str:
    """Return where a vector comes from, in a few words, such as "painted by rule, 1 picture"."""
    method = vector.about.get("method", "") or vector.direction.kind
    return f"{method}, {vector.pictures} picture{'' if vector.pictures == 1 else 's'}".lstrip(", ")


def signed(scale: float) -> str:
    """Return a scale as it is written in a caption: "−1", "0", "+1.5"."""
    return f"{scale:+.2f}".rstrip("0").rstrip(".").replace("-", "−") if scale else "0"
