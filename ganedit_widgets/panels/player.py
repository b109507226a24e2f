"""Player: a film that is sent once and then plays in the browser, without a word to Python for any frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import traitlets as tr
from ipywidgets import CallbackDispatcher

from .assets import script, style
from .keys import ActionWidget
from .painter import shrunk
from .pictures import Pixels, jpeg
from .transport import Message

HEIGHT = 384  # pixels of a frame in the browser; the film that is exported keeps its own
QUALITY = 88  # of JPEG: some 20 kB a frame
AHEAD = 32  # frames on their way at most: a page that only unpacks frames would not hear a click on Stop


class Player(ActionWidget):
    """Give it a film by `begin(count)` and `add(pixels)`, frame by frame; `finish` lets it play.

    Space, the arrow keys, Home and End work on the picture. A page that is opened later gets all frames.
    """

    _esm = script("base", "player")
    _css = style("base", "player")

    width = tr.Int(300).tag(sync=True)  # CSS pixels at most
    fps = tr.Float(16.0).tag(sync=True)  # pictures per second
    loop = tr.Bool(False).tag(sync=True)  # from the end to the beginning; else there and back
    done = tr.Bool(False).tag(sync=True)  # all frames are there
    stale = tr.Bool(False).tag(sync=True)  # it shows an earlier film than the controls describe
    hint = tr.Unicode("").tag(sync=True)  # shown while there is no film

    def __init__(self, **traits: Any) -> None:
        self._on_at = CallbackDispatcher()
        self._lock = threading.RLock()
        self._frames: list[bytes] = []
        self._count, self._aspect, self._generation = 0, 1.0, 0
        self._sent = self._got = 0  # frames, of this film
        super().__init__(**traits)

    def begin(self, count: int) -> None:
        """Forget the old film; `count` frames will follow."""
        with self._lock:
            self._frames, self._count, self._sent, self._got = [], count, 0, 0
            self._generation += 1
            self.done = self.stale = False

    def add(self, pixels: Pixels) -> None:
        """Append a frame, uint8 (H, W, 3); from any thread."""
        with self._lock:
            self._frames.append(jpeg(shrunk(pixels, HEIGHT), QUALITY))
            if len(self._frames) == 1:
                self._aspect = pixels.shape[1] / pixels.shape[0]
                self._send_beginning()
            self._send_frames()

    def finish(self) -> None:
        """All frames are there: play."""
        self.done = True

    def on_at(self, fn: Callable[[int], None], remove: bool = False) -> None:
        """Call `fn(index)` with the frame at which the user stopped the film, or went to."""
        self._on_at.register_callback(fn, remove=remove)

    def _send_beginning(self) -> None:
        self.send({"t": "begin", "count": self._count, "aspect": self._aspect, "generation": self._generation})

    def _send_frames(self) -> None:
        """Send what the page has room for; the rest follows as it confirms."""
        while self._sent < min(len(self._frames), self._got + AHEAD):
            message = {"t": "picture", "index": self._sent, "generation": self._generation}
            self.send(message, [self._frames[self._sent]])
            self._sent += 1

    def _receive(self, widget: object, message: Message, buffers: object) -> None:
        kind = message.get("t")
        if kind == "ready":
            with self._lock:
                self._sent = self._got = 0
                if self._frames:
                    self._send_beginning()
                self._send_frames()
        elif kind == "got":
            with self._lock:
                if message["generation"] == self._generation:
                    self._got = max(self._got, int(message["index"]) + 1)
                    self._send_frames()
        elif kind == "at":
            self._on_at(int(message["index"]))
        else:
            super()._receive(widget, message, buffers)
