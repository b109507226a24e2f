"""Filmstrip: a row of thumbnails to choose from; history, galleries, and ticking pictures with + and -."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

import traitlets as tr
from ipywidgets import CallbackDispatcher

from .assets import script, style
from .keys import ActionWidget
from .pictures import Pixels, checked, jpeg
from .transport import Encoded, FrameStream, Message, StreamStats

Id = int | str
MARKS = ("+", "-", "")


@dataclass(frozen=True, eq=False)
class Cell:
    """One thumbnail with what is written below it."""

    id: Id
    pixels: Pixels
    caption: str

    @property
    def version(self) -> int:
        """A number that changes with the picture."""
        return zlib.crc32(self.pixels.tobytes())


@dataclass(frozen=True, eq=False)
class Strip:
    """Everything a Filmstrip shows at one moment."""

    cells: tuple[Cell, ...]
    current: Id | None
    undone: frozenset[Id]


class Filmstrip(ActionWidget):
    """Thumbnails in one row, or in several with `wrap`; a click or the arrow keys choose one.

    With `markable`, a click (or the keys `+`, `-` and Delete) marks a picture instead of choosing it.
    A thumbnail the page already has is not sent again.
    """

    _esm = script("base", "filmstrip_cell", "filmstrip")
    _css = style("base", "filmstrip")

    size = tr.Int(64).tag(sync=True)  # height of a thumbnail in CSS pixels
    wrap = tr.Bool(False).tag(sync=True)
    markable = tr.Bool(False).tag(sync=True)
    label = tr.Unicode("History").tag(sync=True)  # for screen readers
    hint = tr.Unicode("").tag(sync=True)  # shown while there are no thumbnails
    marks: tr.Dict[Id, str] = tr.Dict(value_trait=tr.Enum(MARKS))  # id -> "+" or "-"; change it with `mark`

    def __init__(self, **traits: Any) -> None:
        self._on_select, self._on_mark = CallbackDispatcher(), CallbackDispatcher()
        self._stream: FrameStream[Strip] = FrameStream(self._encode, self._deliver)
        self._known: dict[Id, int] = {}  # version of each thumbnail the page has
        super().__init__(**traits)

    def show(
        self, cells: Iterable[tuple[Id, Pixels, str]], current: Id | None = None, undone: Collection[Id] = ()
    ) -> None:
        """Show (id, pixels, caption) in this order; from any thread, without waiting for the browser.

        `pixels` are small uint8 arrays (H, W, 3); `current` is outlined, those in `undone` are dimmed.
        Raises ImageError for pixels of any other dtype or shape.
        """
        strip = Strip(tuple(Cell(i, checked(p), text) for i, p, text in cells), current, frozenset(undone))
        self._stream.offer(strip)

    def mark(self, id: Id, mark: str) -> None:
        """Mark a thumbnail "+" or "-", or "" for neither, without calling `on_mark`."""
        self._set_mark(id, mark)
        if self._stream.last is not None:
            self._stream.offer(self._stream.last)

    def on_select(self, fn: Callable[[Id], None], remove: bool = False) -> None:
        """Call `fn(id)` when the user chooses a thumbnail."""
        self._on_select.register_callback(fn, remove=remove)

    def on_mark(self, fn: Callable[[Id, str], None], remove: bool = False) -> None:
        """Call `fn(id, mark)` with "+", "-" or "" when the user marks a thumbnail."""
        self._on_mark.register_callback(fn, remove=remove)

    @property
    def stats(self) -> StreamStats:
        """Updates sent, confirmed and dropped, and the last round trip in milliseconds."""
        return self._stream.stats

    def close(self) -> None:
        """Remove the strip from every page and send nothing any more."""
        self._stream.close()
        super().close()

    def _set_mark(self, id: Id, mark: str) -> None:
        others = {i: m for i, m in self.marks.items() if i != id}
        self.marks = {**others, id: mark} if mark else others

    def _encode(self, strip: Strip) -> Encoded:
        cells: list[Message] = []
        buffers: list[bytes] = []
        for cell in strip.cells:
            place = None
            if self._known.get(cell.id) != cell.version:
                place = len(buffers)
                buffers.append(jpeg(cell.pixels, full_color=True))
            cells.append(
                {
                    "id": cell.id,
                    "caption": cell.caption,
                    "buffer": place,
                    "aspect": cell.pixels.shape[1] / cell.pixels.shape[0],
                    "undone": cell.id in strip.undone,
                    "mark": self.marks.get(cell.id, ""),
                }
            )
        self._known = {cell.id: cell.version for cell in strip.cells}
        return {"t": "cells", "cells": cells, "current": strip.current}, buffers

    def _deliver(self, message: Message, buffers: list[bytes]) -> None:
        self.send(message, buffers)

    def _receive(self, widget: object, message: Message, buffers: object) -> None:
        kind = message.get("t")
        if kind == "ack":
            self._stream.confirm(message["seq"])
        elif kind == "ready":  # also where the page misses a thumbnail
            self._known = {}
            self._stream.restart()
        elif kind == "select":
            self._on_select(message["id"])
        elif kind == "mark" and message["mark"] in MARKS:
            self._set_mark(message["id"], message["mark"])
            self._on_mark(message["id"], message["mark"])
        else:
            super()._receive(widget, message, buffers)
