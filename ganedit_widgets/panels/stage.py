"""Stage: the picture being edited, with zoom and comparison done in the browser."""

from dataclasses import dataclass, replace
from typing import Any

import traitlets as tr

from .assets import script, style
from .keys import ACTIONS, ActionWidget
from .pictures import Pixels, checked, exact, jpeg, static_picture
from .transport import Encoded, FrameStream, Message, StreamStats


@dataclass(frozen=True, eq=False)
class Frame:
    """One picture on its way to the browser."""

    pixels: Pixels
    moving: bool


class Stage(ActionWidget):
    """Show a picture; the newest one wins, and the last one always arrives.

    Ctrl+wheel, `+`, `-` and `0` zoom, dragging pans, pressing the picture or Space shows the picture before.
    Everything the user does with view and zoom happens in the browser and asks nothing of Python.
    """

    _esm = script("base", "stage_frames", "stage_zoom", "stage_compare", "stage_bars", "stage")
    _css = style("base", "stage")

    view = tr.Enum(("result", "before", "split", "difference"), "result").tag(sync=True)
    width = tr.Int(384).tag(sync=True)  # shown size in CSS pixels at zoom 1
    zoom = tr.List(tr.Float(), [1.0, 0.0, 0.0]).tag(sync=True)  # from 1, and shift as parts of width and height
    gain = tr.Float(4.0).tag(sync=True)  # amplification of the difference
    alt = tr.Unicode("Edited picture").tag(sync=True)  # description for screen readers
    status = tr.Unicode("").tag(sync=True)  # one short line below the picture
    busy = tr.Bool(False).tag(sync=True)
    actions = tr.List(tr.Enum(ACTIONS), []).tag(sync=True)  # buttons below the picture; the keys work without
    disabled = tr.Dict(key_trait=tr.Enum(ACTIONS), value_trait=tr.Unicode()).tag(sync=True)  # action -> why not

    def __init__(self, **traits: Any) -> None:
        self._result: FrameStream[Frame] = FrameStream(lambda frame: _encode("result", frame), self._deliver)
        self._before: FrameStream[Frame] = FrameStream(lambda frame: _encode("before", frame), self._deliver)
        super().__init__(**traits)

    def show(self, pixels: Pixels, *, moving: bool = False) -> None:
        """Show `pixels`, uint8 (H, W, 3); from any thread, without waiting for the browser.

        While `moving`, as JPEG quality 90; at rest exactly, if that takes no more than 1 MiB. Call once more
        with `moving=False` when the movement ends. Raises ImageError for any other dtype or shape.
        """
        self._result.offer(Frame(checked(pixels), moving))

    def show_before(self, pixels: Pixels) -> None:
        """Set the picture to compare with, uint8 (H, W, 3). Raises ImageError like `show`."""
        self._before.offer(Frame(checked(pixels), moving=False))

    @property
    def stats(self) -> StreamStats:
        """Pictures sent, confirmed and dropped, and the last round trip in milliseconds."""
        return self._result.stats

    @property
    def pixels(self) -> Pixels | None:
        """The picture last given to `show`, or None."""
        return None if self._result.last is None else self._result.last.pixels

    def close(self) -> None:
        """Remove the stage from every page and send nothing any more."""
        self._result.close()
        self._before.close()
        super().close()

    def _deliver(self, message: Message, buffers: list[bytes]) -> None:
        self.send(message, buffers)

    def _receive(self, widget: object, message: Message, buffers: object) -> None:
        kind = message.get("t")
        if kind == "ack":
            stream = self._before if message["slot"] == "before" else self._result
            stream.confirm(message["seq"], failed="error" in message)
        elif kind == "ready":
            for stream in (self._before, self._result):
                stream.restart(lambda frame: replace(frame, moving=False))
        else:
            super()._receive(widget, message, buffers)

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Put a still picture beside the live view, for viewers that run no widgets."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None or self.pixels is None:
            return bundle
        data, metadata = bundle
        return {**data, **static_picture(self.pixels)}, metadata


def _encode(slot: str, frame: Frame) -> Encoded:
    mime, data = ("image/jpeg", jpeg(frame.pixels)) if frame.moving else exact(frame.pixels)
    return {"t": "frame", "slot": slot, "mime": mime, "moving": frame.moving}, [data]
