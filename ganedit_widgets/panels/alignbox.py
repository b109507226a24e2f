"""AlignBox: a picture with a box on it, to be dragged, resized and turned by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import traitlets as tr
from ipywidgets import CallbackDispatcher

from ganedit_widgets.core.align import Box

from .assets import script, style
from .keys import ActionWidget
from .painter import shrunk
from .pictures import Pixels, checked, jpeg
from .transport import Message

LONGEST = 900  # pixels: longer side of the copy that is sent to the page


class AlignBox(ActionWidget):
    """Show a picture and a box; the user moves the box, and sees at once what it holds.

    Drag it, its corners, or the handle above it; or, with the focus on it: arrows move, `+` and `-` resize, `,` and `.`
    turn it, `0` sets it upright; Shift makes larger steps. All of this happens in the browser.
    """

    _esm = script("base", "alignbox_geometry", "alignbox")
    _css = style("base", "alignbox", "embed")

    aspect = tr.Float(1.0).tag(sync=True)  # width / height of what the model sees
    label = tr.Unicode("Box").tag(sync=True)  # for screen readers

    def __init__(self, **traits: Any) -> None:
        self._on_box = CallbackDispatcher()
        self._picture: tuple[Message, bytes] | None = None
        self.box: Box | None = None
        super().__init__(**traits)

    def show(self, pixels: Pixels, box: Box) -> None:
        """Show a picture (H, W, 3) uint8 of any size, and a box in its pixels."""
        height, width = checked(pixels).shape[:2]
        small = shrunk(pixels, max(1, round(height * min(1.0, LONGEST / max(height, width)))))
        about = {"t": "picture", "width": width, "height": height, "mime": "image/jpeg"}
        self._picture, self.box = (about, jpeg(small)), box
        self._send_all()

    def move(self, box: Box) -> None:
        """Put the box elsewhere, without calling `on_box`. While the user holds it, it stays in the hand."""
        self.box = box
        self.send({"t": "box", "box": _numbers(box)})

    def on_box(self, fn: Callable[[Box], None], remove: bool = False) -> None:
        """Call `fn(box)` when the user has let the box go."""
        self._on_box.register_callback(fn, remove=remove)

    def _send_all(self) -> None:
        if self._picture is not None and self.box is not None:
            about, contents = self._picture
            self.send({**about, "box": _numbers(self.box)}, [contents])

    def _receive(self, widget: object, message: Message, buffers: object) -> None:
        if message.get("t") == "ready":
            self._send_all()
        elif message.get("t") == "box":
            self.box = Box(*map(float, message["box"])).rounded()
            self._on_box(self.box)
        else:
            super()._receive(widget, message, buffers)


def _numbers(box: Box) -> list[float]:
    return [box.x, box.y, box.side, box.angle]
