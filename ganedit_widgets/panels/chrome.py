"""The browser's part of a frame: head with tabs and drawers, foot with progress and messages, and uploads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets as tr
from ipywidgets import CallbackDispatcher

from .assets import script, style
from .keys import ActionWidget
from .transport import Message

LIMIT = 10_000_000  # bytes: Jupyter's server closes the connection on a message of more than 10 MiB


class Uploading(ActionWidget):
    """A widget through which the user gives a file; checked in the browser and again here."""

    limit = tr.Int(LIMIT).tag(sync=True)  # bytes
    accept = tr.Unicode("image/*").tag(sync=True)  # what the file dialog offers

    def __init__(self, **traits: Any) -> None:
        self._on_upload = CallbackDispatcher()
        super().__init__(**traits)

    def on_upload(self, fn: Callable[[str, bytes], None], remove: bool = False) -> None:
        """Call `fn(name, contents)` with every file the user chooses, drops or pastes."""
        self._on_upload.register_callback(fn, remove=remove)

    def _receive(self, widget: object, message: Message, buffers: Any) -> None:
        if message.get("t") == "upload" and buffers:
            self._on_upload(str(message["name"]), bytes(buffers[0]))
        else:
            super()._receive(widget, message, buffers)


class Upload(Uploading):
    """A place to choose, drop or paste one picture."""

    _esm = script("base", "frame_shell", "upload")
    _css = style("base", "frame")

    label = tr.Unicode("Choose a picture…").tag(sync=True)
    hint = tr.Unicode("or drop or paste one here").tag(sync=True)


class Head(Uploading):
    """Title, model, tabs, and the drawers for code, files and help."""

    _esm = script("base", "frame_shell", "head")
    _css = style("base", "frame")

    title = tr.Unicode("").tag(sync=True)
    chips: tr.List = tr.List().tag(sync=True)  # (text, hint) pairs
    tabs = tr.List(tr.Unicode()).tag(sync=True)
    hints = tr.List(tr.Unicode()).tag(sync=True)  # one for each tab
    tab = tr.Int(0).tag(sync=True)
    code = tr.Unicode("").tag(sync=True)
    path = tr.Unicode("edited.png").tag(sync=True)  # suggested in the file drawer
    help = tr.Unicode("").tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        self._on_order = CallbackDispatcher()
        super().__init__(accept="image/png", **traits)

    def on_order(self, fn: Callable[[str, str], None], remove: bool = False) -> None:
        """Call `fn(order, argument)`: ("drawer", name), ("save", path), ("open", path).

        Or ("png", page), ("files", page): give the user a file, through `download`.
        """
        self._on_order.register_callback(fn, remove=remove)

    def download(self, name: str, mime: str, contents: bytes, page: str = "") -> None:
        """Give the user a file; `page` is the one that asked, empty for any."""
        self.send({"t": "file", "name": name, "mime": mime, "to": page}, [contents])

    def _receive(self, widget: object, message: Message, buffers: Any) -> None:
        kind = message.get("t")
        if kind in ("save", "open"):
            self._on_order(kind, str(message["path"]))
        elif kind == "drawer":
            self._on_order(kind, str(message["name"]))
        elif kind == "download":
            self._on_order(str(message["what"]), str(message["to"]))
        else:
            super()._receive(widget, message, buffers)


class Foot(ActionWidget):
    """What is running, how far it is, and the last thing that was said."""

    _esm = script("base", "foot")
    _css = style("base", "frame")

    busy = tr.Unicode("").tag(sync=True)
    progress = tr.Dict().tag(sync=True)  # step, total, left (text)
    text = tr.Unicode("").tag(sync=True)
    level = tr.Enum(("info", "error", "bug"), "info").tag(sync=True)
    details = tr.Unicode("").tag(sync=True)
