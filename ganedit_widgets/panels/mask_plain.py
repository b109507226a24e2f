"""A mask painter's picture on ipycanvas and ipywidgets alone, for pages where the ink layer does not start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.painting import Patch, brush
from ganedit_widgets.core.painting.regions import bounds

from .controls import button, named, row

if TYPE_CHECKING:
    from .mask_painter import MaskPainter

Point = tuple[float, float]


class PlainPainter(ipw.VBox):
    """Brush, eraser, fill, undo and redo. Each movement goes through Python, so it follows the hand less closely."""

    def __init__(self, painter: MaskPainter) -> None:
        self.painter = painter
        self._points: list[Point] = []
        self._draft = painter.mask  # with the stroke in the hand
        # widgets
        names = [(label.name, index) for index, label in enumerate(painter.labels)]
        self.tool = ipw.ToggleButtons(options=[("Brush", "brush"), ("Eraser", "eraser"), ("Fill", "fill")])
        self.tool.style.button_width = "72px"
        self.label = named(ipw.Dropdown(options=names, value=painter.label, layout={"width": "150px"}), "Label")
        self.size = ipw.FloatSlider(painter.size, min=1, max=max(8, *painter.shape) / 2, step=1, description="Size")
        painter.surface.layout.width = f"{painter.width}px"
        undo, redo = button("Undo", painter.undo), button("Redo", painter.redo)
        # layout
        super().__init__([row("", self.tool, self.label, undo, redo), self.size, painter.surface])
        # connections
        ipw.link((painter, "label"), (self.label, "value"))
        ipw.link((painter, "size"), (self.size, "value"))
        surface = painter.surface
        surface.on_mouse_down(lambda x, y: self.press((x, y)))
        surface.on_mouse_move(lambda x, y: self.move((x, y)))
        surface.on_mouse_up(lambda x, y: self.release())
        surface.on_mouse_out(lambda x, y: self.release())
        surface.on_touch_start(lambda touches: self.press(touches[0]))
        surface.on_touch_move(lambda touches: self.move(touches[0]))
        surface.on_touch_end(lambda touches: self.release())

    def press(self, point: Point) -> None:
        """Begin a stroke, or fill, at x, y in pixels of the picture."""
        if self.tool.value == "fill":
            height, width = self.painter.shape
            x, y = (min(max(int(v), 0), most - 1) for v, most in zip(point, (width, height), strict=True))
            self.painter.fill(x, y)
        else:
            self._points, self._draft = [point], self.painter.mask
            self._show()

    def move(self, point: Point) -> None:
        """Go on with the stroke, if there is one."""
        if self._points:
            self._points.append(point)
            self._show()

    def release(self) -> None:
        """End the stroke: it becomes one step."""
        points, self._points = self._points, []
        if points:
            self.painter.stroke(points, self._value())

    def _value(self) -> int:
        return 0 if self.tool.value == "eraser" else self.painter.label

    def _show(self) -> None:
        """Show the newest piece of the stroke."""
        painter = self.painter
        hits = painter.free(brush(self._points[-2:], painter.size, self._draft.shape))
        self._draft[hits] = self._value()
        box = bounds(hits)
        if box is not None:
            x, y, width, height = box
            piece = self._draft[y : y + height, x : x + width]
            painter.show_patch(Patch(x, y, piece, piece))
