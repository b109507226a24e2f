"""The surface a mask is shown on: two layers of an ipycanvas, the picture and the mask's colors.

ipycanvas keeps one queue of commands for all canvases of the process, which is not safe between threads, and believes
after a reload of the page that the browser still knows its current canvas. Hence one lock, and the care in `_drawing`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from ipycanvas import MultiCanvas, hold_canvas

from .pictures import Pixels

DRAWING = threading.RLock()  # for every surface of the process
PICTURE, MASK = 0, 1  # layers


class Surface:
    """Draws whole pictures and pieces of masks, once a page has asked for them (`on_ready`)."""

    def __init__(self, height: int, width: int, on_ready: Callable[[], object]) -> None:
        self.canvas = MultiCanvas(2, width=width, height=height)
        self.live = False
        self._on_ready = on_ready
        self.canvas.on_client_ready(self.restart)

    def show_picture(self, pixels: Pixels) -> None:
        """Show a whole picture (H, W, 3) uint8, exactly: with alpha, for without it would travel as a JPEG."""
        opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        self._put(PICTURE, np.concatenate([pixels, opaque], 2), 0, 0)

    def show_mask(self, rgba: Pixels, x: int = 0, y: int = 0) -> None:
        """Show a piece of the mask (h, w, 4) uint8 in place of what is at (x, y)."""
        self._put(MASK, rgba, x, y)

    def restart(self) -> None:
        """Draw everything again: a page has the canvas, and knows nothing of what was drawn before."""
        with DRAWING:
            self.live = True
            self.canvas._canvas_manager._current_canvas = None
        self._on_ready()

    def close(self) -> None:
        """Draw nothing any more and free the canvases."""
        self.live = False
        self.canvas.on_client_ready(self.restart, remove=True)
        for canvas in (*self.canvas._canvases, self.canvas):
            canvas.close()

    def _put(self, layer: int, rgba: Pixels, x: int, y: int) -> None:
        if not self.live:
            return
        height, width = rgba.shape[:2]
        with self._drawing():
            self.canvas[layer].clear_rect(x, y, width, height)  # what is put is blended with what is there
            if rgba[..., 3].any():
                self.canvas[layer].put_image_data(rgba, x, y)

    @contextmanager
    def _drawing(self) -> Iterator[None]:
        """Send what is drawn as one message, and leave ipycanvas usable whatever happens."""
        manager = self.canvas._canvas_manager
        with DRAWING:
            try:
                with hold_canvas():
                    yield
            except BaseException:
                manager._commands_cache, manager._buffers_cache = [], []
                manager._caching, manager._current_canvas = False, None
                raise
