"""The picture as an ordinary output below its frame, for whoever sees the notebook without a live kernel.

A frame's own output holds a widget, which is nothing in a reopened notebook, on a forge or after nbconvert. The output
below it is a plain picture, replaced whenever the picture has come to rest. While the frame is live, its style sheet
hides that output (`static/frame.css`, last rule): a picture shown 384 pixels wide right below a frame.
Measured in JupyterLab 4.6: the update finds its output by its display id for as long as the page that ran the cell
stays open; after a reload of the page the picture of that moment remains until the cell is run again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from IPython.display import DisplayHandle, display

from .pictures import Pixels, static_picture
from .session import Session
from .worker import Steps

LIMIT = 140_000  # bytes of the picture; base64 makes it a third more, and a notebook should stay small
WIDTH = 384  # CSS pixels; the style sheet recognises the picture by it
PAUSE = 1.0  # seconds of rest before the output is replaced


class Snapshot:
    """One output that follows the session's picture."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._handle: DisplayHandle | None = None

    def show(self) -> None:
        """Put the picture below what the cell has shown so far."""
        bundle, metadata = self.bundle()
        self._handle = display(bundle, metadata=metadata, raw=True, display_id=True)

    def follow(self, *_: Any) -> None:
        """Replace the picture when nothing else is to be done."""
        if self._handle is not None:
            self.session.in_background(f"snapshot {id(self)}", self._steps)

    def bundle(self) -> tuple[dict[str, str], dict[str, Any]]:
        """Return the picture on show as (data, metadata) of an output."""
        pixels: Pixels = self.session.pixels
        data = static_picture(pixels, LIMIT)
        return {**data, "text/plain": "the edited picture"}, {mime: {"width": WIDTH} for mime in data}

    def _steps(self) -> Steps:
        yield PAUSE
        if self._handle is not None:
            bundle, metadata = self.bundle()
            self._handle.update(bundle, metadata=metadata, raw=True)


def replacing(cell: Callable[[], tuple[str, str] | None], shown: dict[str, tuple[str, list[Any]]], frame: Any) -> None:
    """Close the frames that only an earlier run of this cell has shown; remember `frame` as shown by this run.

    `cell()` is (cell's id, run's id) or None where that is not known. Widgets live until they are closed: a cell that
    is run again and again would otherwise leave a frame behind every time.
    """
    here = cell()
    if here is None:
        return
    name, run = here
    before, frames = shown.get(name, ("", []))
    old, frames = ([], frames) if before == run else (frames, [])
    shown[name] = (run, [*frames, frame])
    elsewhere = [id(other) for _, others in shown.values() for other in others]
    for gone in old:
        if id(gone) not in elsewhere:
            gone.close()


def this_cell() -> tuple[str, str] | None:
    """Return (id of the cell, id of its present run), as far as the front end tells."""
    from IPython import get_ipython

    shell = get_ipython()
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)() or {}
    name = parent.get("metadata", {}).get("cellId")
    return None if name is None else (str(name), str(parent["header"]["msg_id"]))
