"""What a mask painter and its pages tell each other: steps as index bytes one way, the agreed mask the other.

Every page paints on a copy and sends each step with a number of its own; Python carries the steps out in the order they
arrive, and tells every page. A page that hears of somebody else's step while one of its own is on the way asks for
everything (`ready`) and lays its own newer steps on top. So pages never wait, and all end with the same mask.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ganedit_widgets.core.errors import GanEditError, ImageError
from ganedit_widgets.core.painting import IndexMap, Patch
from ganedit_widgets.core.painting.regions import Hits, IndexPixels

from .transport import Message

PAGES = 64  # pages whose last step is remembered
Send = Callable[[Message, "list[bytes]"], None]
Show = Callable[[Patch], None]


class MaskLink:
    """The index map, and its pages. `show(patch)` draws a step, before the pages hear of it."""

    def __init__(self, index_map: IndexMap, send: Send, show: Show) -> None:
        self.map, self._send, self._show = index_map, send, show
        self.lock = threading.RLock()
        self._seq = 0
        self._heard: dict[str, int] = {}  # page -> number of its last step

    @property
    def depth(self) -> list[int]:
        """How many steps can be undone and redone."""
        return [len(self.map.done), len(self.map.undone)]

    def step(self, kind: str, make: Callable[[], Patch | None], by: str = "") -> bool:
        """Carry a step out and tell every page; return whether it changed anything.

        `by`: "page:number" of the page that has carried it out already. Raises what `make` raises, after telling it.
        """
        with self.lock:
            patch: Patch | None = None
            try:
                patch = make()
                if patch is not None:
                    self._show(patch)
            finally:
                self._note(by)
                if patch is not None or by:
                    self._tell(kind if patch is not None else "none", patch, by)
            return patch is not None

    def begin(self, mask: IndexPixels) -> None:
        """Take another mask of the same shape, with nothing to undo, and tell every page."""
        with self.lock:
            self.map = IndexMap(mask, self.map.labels)
            self._seq += 1
            self.tell_all()

    def take(self, message: Message, buffers: Any) -> bool:
        """Carry out a step that a page sent. Raises `ImageError` if it makes no sense."""
        kind, by = str(message["t"]), str(message["id"])
        if kind == "undo":
            return self.step(kind, self.map.undo, by)
        if kind == "redo":
            return self.step(kind, self.map.redo, by)
        return self.step("paint", lambda: self._paint(message, buffers), by)

    def tell_all(self) -> None:
        """Tell every page the whole mask."""
        with self.lock:
            about = {"t": "state", "seq": self._seq, "depth": self.depth, "heard": dict(self._heard)}
            self._send(about, [self.map.mask.tobytes()])

    def _paint(self, message: Message, buffers: Any) -> Patch | None:
        x, y, width, height = (int(v) for v in message["box"])
        return self.map.paint(hits_of(bytes(buffers[0]), height, width), int(message["label"]), x, y)

    def _tell(self, kind: str, patch: Patch | None, by: str) -> None:
        self._seq += 1
        about: Message = {"t": "patch", "seq": self._seq, "kind": kind, "id": by, "depth": self.depth}
        if patch is None:
            self._send(about, [])
        else:
            self._send({**about, "box": list(patch.box)}, [np.ascontiguousarray(patch.after).tobytes()])

    def _note(self, by: str) -> None:
        page, _, number = by.partition(":")
        if number.isdigit():
            self._heard[page] = int(number)
        while len(self._heard) > PAGES:
            del self._heard[next(iter(self._heard))]


def hits_of(contents: bytes, height: int, width: int) -> Hits:
    """Return the bytes of a step, one per pixel of its box, as an array (height, width) of bool."""
    if width < 1 or height < 1 or len(contents) != height * width:
        raise ImageError(f"A step of {len(contents)} bytes does not fill its box of {width}×{height}: paint it again.")
    return np.frombuffer(contents, np.uint8).reshape(height, width) != 0


def sentence(error: Exception) -> tuple[str, str]:
    """Return (level, text) for what went wrong: the user's fault, or ours."""
    if isinstance(error, GanEditError):
        return "error", str(error)
    return "bug", f"This is a fault of the painter, nothing is lost: {type(error).__name__}: {error}"
