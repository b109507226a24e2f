"""MaskPainter: paint labels over a picture; the mask is an index map, exact to the pixel, and yours as an array."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ipywidgets import CallbackDispatcher
from numpy.typing import ArrayLike, NDArray

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.painting import (
    Patch,
    brush,
    connected,
    counts,
    mask_png,
    polygon,
    read_mask,
    same_label,
)
from ganedit_widgets.core.painting.labels import Given
from ganedit_widgets.core.painting.regions import Hits, IndexPixels

from .mask_link import sentence
from .mask_plain import PlainPainter
from .mask_view import MaskView
from .pictures import Pixels
from .transport import Message


class MaskPainter(MaskView):
    """Paint `labels` over `image`, whatever `read_image` reads; see `labels_of` for labels, `read_mask` for masks.

        painter = MaskPainter("portrait.png", ["background", "hair", "skin"])
        painter                 # paint
        painter.mask            # (H, W) uint8: 0, 1, 2

    Painting, filling, undo and zoom happen in the page, whatever Python is doing. `clusters`: an index map of the same
    size; the smart-select tool then labels whole clusters. Raises `ImageError` for what does not fit.
    """

    def __init__(
        self, image: Any, labels: Given = None, mask: Any = None, clusters: ArrayLike | None = None, **traits: Any
    ) -> None:
        self._on_change = CallbackDispatcher()
        self._clusters: IndexPixels | None = None
        super().__init__(image, labels, mask, **traits)
        self.clusters = clusters

    # ---- the mask

    @property
    def mask(self) -> IndexPixels:
        """A copy of the index map (H, W) uint8. Setting it is one step; raises `ImageError` as `read_mask` does."""
        with self._link.lock:
            return self._link.map.mask.copy()

    @mask.setter
    def mask(self, mask: Any) -> None:
        self.load(mask)

    @property
    def counts(self) -> dict[str, int]:
        """How many pixels each label has."""
        return dict(zip((x.name for x in self.labels), counts(self.mask, len(self.labels)).tolist(), strict=True))

    def on_change(self, fn: Callable[[], object], remove: bool = False) -> None:
        """Call `fn()` after every step, in any thread."""
        self._on_change.register_callback(fn, remove=remove)

    def load(self, source: Any) -> None:
        """Take the mask of a PNG file (path or bytes), or an array, as one step. Raises as `read_mask` does."""
        mask = read_mask(source, self.labels, self._image.shape[:2])
        self._step("paint", lambda: self._link.map.replace(mask))

    def begin(self, image: Any, mask: Any) -> None:
        """Go on with another picture of the same size and its mask; nothing can be undone then. Raises as both do."""
        pixels = read_image(image)
        self._check(pixels.shape[:2], "picture")
        start = read_mask(mask, self.labels, pixels.shape[:2])
        self._image = pixels
        self._link.begin(start)
        self._redraw()
        self._tell_base()

    def png(self) -> bytes:
        """Return the mask as a PNG file with the labels' colors and names."""
        return mask_png(self.mask, self.labels)

    def save(self, path: str | Path) -> None:
        """Write the mask to a PNG file with the labels' colors and names. Raises `ImageError` where none can be."""
        try:
            Path(path).write_bytes(self.png())
        except OSError as error:
            raise ImageError(
                f"The mask cannot be written to {path} ({error.strerror}): choose another place."
            ) from None

    # ---- the tools, for scripts

    def stroke(self, points: ArrayLike, label: int | str | None = None, size: float | None = None) -> None:
        """Draw the brush along `points` (N, 2) of x, y in pixels. Label and size: those that are chosen, if none."""
        self._paint(brush(points, size or self.size, self._image.shape[:2]), label)

    def polygon(self, points: ArrayLike, label: int | str | None = None) -> None:
        """Fill a polygon (N, 2) of x, y in pixels."""
        self._paint(polygon(points, self._image.shape[:2]), label)

    def fill(self, x: int, y: int, label: int | str | None = None, whole: bool = False) -> None:
        """Fill the piece around pixel (x, y) that has its label, or the `whole` of that label."""
        height, width = self._image.shape[:2]
        if not (isinstance(x, int | np.integer) and isinstance(y, int | np.integer)):
            raise ImageError(f"Pixel ({x}, {y}) is between pixels: give whole numbers.")
        if not (0 <= x < width and 0 <= y < height):
            raise ImageError(f"Pixel ({x}, {y}) lies outside the picture of {width}×{height}: choose one inside.")
        self._paint((same_label if whole else connected)(self.mask, x, y), label)

    def undo(self) -> None:
        """Take the last step back, if there is one."""
        self._step("undo", self._link.map.undo)

    def redo(self) -> None:
        """Do again what was undone last, if anything was."""
        self._step("redo", self._link.map.redo)

    def plain(self) -> PlainPainter:
        """Return a second view of this painter on ipycanvas alone, for pages where this one does not appear."""
        return PlainPainter(self)

    # ---- what lies below

    @property
    def image(self) -> Pixels:
        """The picture (H, W, 3) uint8 below the mask; another one of the same size may be set."""
        return self._image

    @image.setter
    def image(self, image: Any) -> None:
        pixels = read_image(image)
        self._check(pixels.shape[:2], "picture")
        self._image = pixels
        self._redraw()
        self._tell_base()

    def show_heat(self, heat: NDArray[np.floating] | None) -> None:
        """Lay a heat map (H, W) in 0 ... 1 between picture and mask, such as how unsure a branch is; None: no more."""
        if heat is not None:
            self._check(np.shape(heat), "heat map")
        self._heat = heat
        self._redraw()
        self._tell_base()

    @property
    def clusters(self) -> IndexPixels | None:
        """Parts for the smart-select tool, an index map (H, W) of up to 256 numbers; None where there are none."""
        return self._clusters

    @clusters.setter
    def clusters(self, clusters: ArrayLike | None) -> None:
        given = None if clusters is None else np.asarray(clusters)
        if given is not None:
            self._check(given.shape, "map of clusters")
            if not np.issubdtype(given.dtype, np.integer) or given.min() < 0 or given.max() > 255:
                raise ImageError(f"The map of clusters is {given.dtype}: give whole numbers from 0 to 255.")
        self._clusters = None if given is None else given.astype(np.uint8)
        self._tell_clusters()

    # ---- inside

    def _check(self, shape: tuple[int, ...], what: str) -> None:
        if shape != self._image.shape[:2]:
            raise ImageError(f"The {what} is {shape}, the mask {self._image.shape[:2]}: give one of the same size.")

    def _step(self, kind: str, make: Callable[[], Patch | None]) -> None:
        if self._link.step(kind, make):
            self._changed()

    def _paint(self, hits: Hits, label: int | str | None) -> None:
        names = [x.name for x in self.labels]
        if isinstance(label, str) and label not in names:
            raise ImageError(f"There is no label “{label}”: there are {', '.join(names)}.")
        index = self.label if label is None else names.index(label) if isinstance(label, str) else label
        self._step("paint", lambda: self._link.map.paint(self.free(hits), index))

    def _changed(self) -> None:
        self._still.follow()
        self._on_change()

    def _tell_clusters(self) -> None:
        self._tell({"t": "clusters"}, [] if self._clusters is None else [self._clusters.tobytes()])

    # ---- what the pages say

    def _receive(self, widget: object, message: Message, buffers: Any) -> None:
        """Take one message of a page; what goes wrong is said there."""
        try:
            self._act(widget, message, buffers)
        except Exception as error:
            level, text = sentence(error)
            self._say(text, level)
            if level == "bug":
                raise

    def _act(self, widget: object, message: Message, buffers: Any) -> None:
        kind = message.get("t")
        if kind in ("paint", "undo", "redo"):
            if self._link.take(message, buffers):
                self._changed()
        elif kind == "ready":
            self._answer(bool(message.get("first")))
        elif kind == "redraw":
            self._surface.restart()
        elif kind == "upload" and buffers:
            self.load(bytes(buffers[0]))
            self._say(f"The mask of {message.get('name')} was read; undo takes it back.")
        elif kind == "export":
            self._tell({"t": "file", "name": "mask.png", "mime": "image/png", "to": message.get("to")}, [self.png()])
        else:
            super()._receive(widget, message, buffers)

    def _say(self, text: str, level: str = "info") -> None:
        self.notice = {"level": level, "text": text, "number": self.notice.get("number", 0) + 1}  # also twice the same

    def _answer(self, first: bool) -> None:
        """Tell a page that has just come everything, one that has lost its way the mask."""
        if first:
            self._tell_looks()
            self._tell_base()
            self._tell_clusters()
        self._link.tell_all()
