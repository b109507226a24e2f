"""How a mask painter looks: its traits, what its surface and its pages are shown, and the still picture below it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets as tr
from ipycanvas import MultiCanvas
from ipywidgets import widget_serialization
from numpy.typing import NDArray

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.image import read_image
from ganedit_widgets.core.painting import IndexMap, Label, Patch, colored, heated, labels_of, read_mask, tiles_of
from ganedit_widgets.core.painting.labels import Given
from ganedit_widgets.core.painting.regions import Hits
from ganedit_widgets.core.painting.tiles import over

from .assets import script, style
from .chrome import Uploading
from .mask_link import MaskLink
from .mask_surface import Surface
from .pictures import Pixels, exact, static_picture
from .snapshot import LIMIT, Snapshot, replacing, this_cell
from .worker import Steps

TOOLS = ("brush", "eraser", "line", "fill", "lasso", "polygon", "smart", "pick")
TEXT = "a painted mask"
EXACT = 1 << 26  # bytes; the pages' copy of the picture must be that of the surface
PARTS = "raster pieces store sync ink surface tools bar palette keys painter".split()

_shown: dict[str, tuple[str, list[Any]]] = {}  # cell -> its run, and the painters it has shown


class Refused(ImageError, tr.TraitError):
    """A trait's value that makes no sense here. traitlets takes back only what a `TraitError` refuses."""


class MaskView(Uploading):
    """A mask over a picture, on show. The traits may be set, observed, and linked with those of other widgets."""

    _esm = script("base", "frame_shell", "stage_zoom", *(f"mask_{part}" for part in PARTS))
    _css = style("base", "frame", "mask_painter")

    surface = tr.Instance(MultiCanvas).tag(sync=True, **widget_serialization)
    shape = tr.List(tr.Int(), read_only=True).tag(sync=True)  # height, width in pixels
    palette: tr.List = tr.List(tr.Dict(), read_only=True).tag(sync=True)  # name, color, pattern of each label
    title = tr.Unicode("Mask painter").tag(sync=True)
    width = tr.Int(480).tag(sync=True)  # of the picture at zoom 1, in CSS pixels
    tool = tr.Enum(TOOLS, "brush").tag(sync=True)
    label = tr.Int(1).tag(sync=True)
    size = tr.Float(12.0, min=1).tag(sync=True)  # diameter of the brush, in pixels of the picture
    scope = tr.Enum(("connected", "whole"), "connected").tag(sync=True)  # of fill and smart-select
    opacity = tr.Float(0.6, min=0, max=1).tag(sync=True)
    patterns = tr.Bool(True).tag(sync=True)
    locked = tr.List(tr.Int()).tag(sync=True)  # labels whose pixels stay as they are
    hidden = tr.List(tr.Int()).tag(sync=True)  # labels that are not drawn
    view = tr.List(tr.Float(), [1.0, 0.0, 0.0]).tag(sync=True)  # zoom from 1, and shift as parts of width and height
    notice: tr.Dict = tr.Dict({"level": "info", "text": ""}).tag(sync=True)  # level, text, number

    def __init__(self, image: Any, labels: Given, mask: Any, **traits: Any) -> None:
        self._image, self._labels = read_image(image), labels_of(labels)
        self._heat: NDArray[np.floating] | None = None
        shape = self._image.shape[:2]
        start = np.zeros(shape, np.uint8) if mask is None else read_mask(mask, self._labels, shape)
        self._link = MaskLink(IndexMap(start, len(self._labels)), self._tell, self.show_patch)
        self._surface = Surface(shape[0], shape[1], self._redraw)
        self._later = _Later(lambda: self.preview)
        self._still = Snapshot(self._later)  # type: ignore[arg-type]
        self.set_trait("shape", list(shape))
        self.set_trait("palette", [{"name": x.name, "color": x.hex, "pattern": x.pattern} for x in self._labels])
        super().__init__(surface=self._surface.canvas, accept="image/png", **traits)
        self.observe(lambda _: self._recolor(), ["opacity", "hidden", "patterns"])

    @tr.validate("label", "locked", "hidden")
    def _known(self, proposal: dict[str, Any]) -> Any:
        value = proposal["value"]
        for index in value if isinstance(value, list) else [value]:
            if not 0 <= index < len(self._labels):
                raise Refused(
                    f"There is no label {index} for `{proposal['trait'].name}`: there are 0 to {len(self._labels) - 1}."
                )
        return value

    @tr.validate("view")
    def _visible(self, proposal: dict[str, Any]) -> list[float]:
        view: list[float] = proposal["value"]
        if len(view) != 3 or not np.isfinite(view).all() or view[0] < 1:
            raise Refused(f"The view is {view}: give [zoom, x, y], the zoom 1 or more, x and y as parts of the size.")
        return view

    @property
    def labels(self) -> tuple[Label, ...]:
        """What the values of the mask mean."""
        return self._labels

    @property
    def preview(self) -> Pixels:
        """The picture with the mask over it, (H, W, 3) uint8."""
        with self._link.lock:
            return over(heated(self._image, self._heat), colored(self._link.map.mask, self._tiles()))

    def free(self, hits: Hits) -> Hits:
        """Return the pixels among `hits` (H, W) whose label is not locked."""
        with self._link.lock:
            return hits & ~np.isin(self._link.map.mask, self.locked)

    def close(self) -> None:
        """Remove the painter from every page; its mask can still be read."""
        if "_later" in vars(self):  # else it was refused before it was whole
            self._surface.close()
            self._later.close()
        super().close()

    # ---- what is shown

    def _tiles(self) -> NDArray[np.uint8]:
        return tiles_of(self._labels, self.opacity, self.hidden, self.patterns)

    def show_patch(self, patch: Patch) -> None:
        """Draw a piece of the mask on the surface, without changing the mask."""
        self._surface.show_mask(colored(patch.after, self._tiles(), patch.x, patch.y), patch.x, patch.y)

    def _redraw(self) -> None:
        """Draw everything again on the surface, and tell the pages how it looks now."""
        with self._link.lock:
            self._surface.show_picture(heated(self._image, self._heat))
            self._recolor()

    def _recolor(self) -> None:
        with self._link.lock:
            self._surface.show_mask(colored(self._link.map.mask, self._tiles()))
            self._tell_looks()
        self._still.follow()

    def _tell_looks(self) -> None:
        look = [self.opacity, self.patterns, sorted(self.hidden)]
        tiles = tiles_of(self._labels, 1.0, patterns=self.patterns)
        self._tell({"t": "looks", "drawn": self._surface.live, "look": look}, [tiles.tobytes()])

    def _tell_base(self) -> None:
        mime, contents = exact(heated(self._image, self._heat), EXACT)
        self._tell({"t": "base", "mime": mime}, [contents])

    def _tell(self, message: dict[str, Any], buffers: list[bytes]) -> None:
        self.send(message, buffers)

    # ---- in a cell

    def _ipython_display_(self) -> None:
        from IPython.display import display

        replacing(this_cell, _shown, self)
        data, metadata = super()._repr_mimebundle_() or ({}, {})
        display({**data, "text/plain": TEXT}, metadata=metadata, raw=True)
        self._still.show()

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the widget with a still picture, for viewers that run no widgets."""
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, **static_picture(self.preview, LIMIT), "text/plain": TEXT}, metadata


class _Later:
    """What `Snapshot` asks of a session, without one: the picture, and things to be done after a pause."""

    def __init__(self, picture: Callable[[], Pixels]) -> None:
        self._picture = picture
        self._lock, self._turn = threading.Lock(), threading.Lock()
        self._waiting: threading.Timer | None = None  # none once it has begun
        self._closed = False

    @property
    def pixels(self) -> Pixels:
        return self._picture()

    def in_background(self, name: str, steps: Callable[[], Steps]) -> None:
        """Do it after the pause it begins with, unless it waits already: it will see the newest picture."""
        with self._lock:
            if self._closed or self._waiting is not None:
                return
            doing = steps()
            self._waiting = threading.Timer(float(next(doing) or 0), self._do, [doing])
            self._waiting.daemon = True
            self._waiting.start()

    def close(self) -> None:
        """Do nothing any more."""
        with self._lock:
            self._closed = True
            if self._waiting is not None:
                self._waiting.cancel()

    def _do(self, doing: Steps) -> None:
        with self._turn:  # one after the other, so that the newest picture comes last
            with self._lock:
                self._waiting = None  # before the picture is read: what changes from here on needs another
                if self._closed:
                    return
            next(doing, None)
