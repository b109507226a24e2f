"""PartView: pictures with their parts laid over them; pointing lights a part up in all of them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import traitlets as tr
from numpy.typing import NDArray

from ganedit_widgets.core.parts import CatalogPart

from .assets import script, style
from .keys import ActionWidget
from .pictures import Pixels, checked, jpeg
from .transport import Encoded, FrameStream, Message


@dataclass(frozen=True, eq=False)
class Tile:
    """One picture and its clusters."""

    id: str
    caption: str
    pixels: Pixels
    clusters: NDArray[np.uint8] | None = None  # (h, w), of any size; None: not known, no overlay
    main: bool = False  # whether it is shown large


class PartView(ActionWidget):
    """Pictures in tiles, and a list of parts. Observe `selected`.

    Pointing at a part, or at its name, lights it up in every tile and says how much of the pictures it is; a click
    selects it, with Shift several. Merging and naming change `parts` alone: nothing is sent again.
    """

    _esm = script("base", "partview_draw", "partview")
    _css = style("base", "partview")

    parts = tr.List(tr.Dict()).tag(sync=True)  # name, color, clusters
    selected = tr.List(tr.Unicode()).tag(sync=True, echo_update=False)  # names
    opacity = tr.Float(0.5).tag(sync=True)  # of the overlay
    width = tr.Int(384).tag(sync=True)  # CSS pixels of a main tile
    size = tr.Int(90).tag(sync=True)  # CSS pixels of the others
    label = tr.Unicode("Parts").tag(sync=True)  # for screen readers
    hint = tr.Unicode("").tag(sync=True)  # shown while there are no parts

    def __init__(self, **traits: Any) -> None:
        self._stream: FrameStream[tuple[Tile, ...]] = FrameStream(self._encode, self._deliver)
        self._known: dict[str, int] = {}  # version of each tile's picture that the page has
        super().__init__(**traits)

    def show(self, tiles: Iterable[Tile]) -> None:
        """Show tiles in this order; from any thread, without waiting for the browser."""
        self._stream.offer(tuple(tiles))

    def show_parts(self, parts: Sequence[CatalogPart]) -> None:
        """List `parts`, in their order."""
        self.parts = [{"name": p.name, "color": list(p.color), "clusters": list(p.clusters)} for p in parts]

    @property
    def tiles(self) -> tuple[Tile, ...]:
        """The tiles last given to `show`."""
        return self._stream.last or ()

    def close(self) -> None:
        """Remove the view from every page and send nothing any more."""
        self._stream.close()
        super().close()

    def _encode(self, tiles: tuple[Tile, ...]) -> Encoded:
        cells: list[Message] = []
        buffers: list[bytes] = []
        versions = {tile.id: zlib.crc32(checked(tile.pixels).tobytes()) for tile in tiles}
        for tile in tiles:
            cell: Message = {"id": tile.id, "caption": tile.caption, "main": tile.main, "picture": None, "map": None}
            if self._known.get(tile.id) != versions[tile.id]:
                cell["picture"] = len(buffers)
                buffers.append(jpeg(tile.pixels, 92, full_color=True))
            if tile.clusters is not None:
                cell["map"], (cell["h"], cell["w"]) = len(buffers), tile.clusters.shape
                buffers.append(np.ascontiguousarray(tile.clusters, np.uint8).tobytes())
            cells.append(cell)
        self._known = versions
        return {"t": "tiles", "tiles": cells}, buffers

    def _deliver(self, message: Message, buffers: list[bytes]) -> None:
        self.send(message, buffers)

    def _receive(self, widget: object, message: Message, buffers: object) -> None:
        kind = message.get("t")
        if kind == "ack":
            self._stream.confirm(message["seq"])
        elif kind == "ready":  # also where the page misses a picture
            self._known = {}
            self._stream.restart()
        else:
            super()._receive(widget, message, buffers)
