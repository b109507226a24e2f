"""The painter of the mask panel: over the picture on show, with the labels that the segmenter sees in it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeAlias

import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from ganedit_widgets.core.edits import Paint
from ganedit_widgets.core.edits.paint_region import first_class
from ganedit_widgets.core.image import Picture, Pixels
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.segment import UNLABELED, LabelMap, Segmenter
from ganedit_widgets.core.segment.folder import painting_labels

from .mask_painter import MaskPainter

Area: TypeAlias = "tuple[NDArray[np.bool_], tuple[str, ...]]"
KEPT = 16  # pictures whose painted masks are kept, to be found again after undo
BRUSH = 1 / 32  # of the picture's height, to begin with: parts of a face are small
OPACITY = 0.5  # of the labels: the picture shines through


class MaskCanvas(ipw.Box):
    """Holds a painter for one segmenter after the other; `changed()` is called after every step, in any thread."""

    def __init__(self, changed: Callable[[], Any], width: int) -> None:
        self.painter: MaskPainter | None = None
        self.segmenter: Segmenter | None = None
        self.basis: Latent | None = None  # whose picture and labels are shown
        self.before: LabelMap | None = None  # what the segmenter sees in it
        self._changed, self._width = changed, width
        self._kept: OrderedDict[int, tuple[Latent, LabelMap]] = OrderedDict()
        self._ran: tuple[LabelMap, Latent] | None = None  # a mask that a search had, and the latent it has reached
        self._brush, self._class = BRUSH, ""  # as part of the height; the class painted with, "" until one is chosen
        self._area: tuple[object, Area] | None = None
        super().__init__()
        self.add_class("ge-beside")

    @property
    def painted(self) -> bool:
        """Whether the mask differs from what the segmenter sees."""
        return self.painter is not None and self.before is not None and bool((self.painter.mask != self.before).any())

    def renew(self, segmenter: Segmenter | None, pixels: Pixels) -> None:
        """Paint with the classes of another segmenter; until `show` is called, over `pixels` and with nothing seen."""
        old, self.painter, self.segmenter = self.painter, None, segmenter
        self.basis = self.before = None
        self._kept.clear()
        if old is not None:  # the hand goes on with what it holds
            self._brush = old.size / old.image.shape[0]
            self._class = self._class and old.labels[old.label].name
        if segmenter is not None:
            image = Picture(pixels).fitted(segmenter.size)
            title = "What the picture shall show"
            self.painter = MaskPainter(
                image,
                painting_labels(segmenter),
                title=title,
                width=self._width,
                opacity=OPACITY,
                patterns=False,
                size=max(1.0, self._brush * image.shape[0]),
            )
            if self._class in segmenter.classes:
                self.painter.label = segmenter.number(self._class)
            else:
                self._class = ""
            self.painter.on_change(self._changed)
        self.children = () if self.painter is None else (self.painter,)
        if old is not None:
            old.close()

    def expect(self, painted: LabelMap, latent: Latent) -> None:
        """Know that a search for `painted` has reached `latent`: what else was painted meanwhile is taken along."""
        self._ran = painted, latent

    def show(self, latent: Latent, pixels: Pixels, labels: LabelMap) -> bool:
        """Go on with another picture (H, W, 3) and its labels (h, w); what was painted on it before is there again.

        Return whether something was painted while a search for this picture ran; it is on this one too, as one step.
        """
        painter = self.painter
        if painter is None or self.segmenter is None:
            return False
        self.keep()
        meanwhile = self._meanwhile(latent)
        painter.begin(Picture(pixels).fitted(self.segmenter.size), labels)
        self.before, self.basis = labels.copy(), latent
        if not self._class:
            painter.label = first_class(self.segmenter.classes, self.segmenter.counts, labels)
            self._class = painter.labels[painter.label].name
        if meanwhile is not None:
            painter.load(np.where(meanwhile == UNLABELED, labels, meanwhile))
        elif id(latent) in self._kept:
            painter.load(self._kept[id(latent)][1])
        self._changed()
        return meanwhile is not None and self.painted

    def area(self, edit: Paint) -> Area:
        """Return `edit.area` of the picture on show; it is found once while mask, classes and margin are the same."""
        assert self.before is not None  # or there would be no edit
        key = edit.painted.tobytes(), edit.classes, edit.margin, self.before.tobytes()
        if self._area is None or self._area[0] != key:
            self._area = key, edit.area(self.before)
        return self._area[1]

    def close(self) -> None:
        """Leave every page, with the painter."""
        if self.painter is not None:
            self.painter.close()
        super().close()

    def _meanwhile(self, latent: Latent) -> LabelMap | None:
        """Return what was painted while the search for `latent` ran, 255 elsewhere; None if nothing was."""
        ran, self._ran = self._ran, None
        if ran is None or ran[1] is not latent or self.painter is None or not self.painted:
            return None
        mask = self.painter.mask
        new = mask != ran[0]
        return np.where(new, mask, np.uint8(UNLABELED)) if new.any() else None

    def keep(self) -> None:
        """Remember what was painted on the picture on show."""
        if self.basis is None or self.painter is None:
            return
        self._kept.pop(id(self.basis), None)
        if self.painted:
            self._kept[id(self.basis)] = self.basis, self.painter.mask
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)

    def take_back(self) -> None:
        """Show what the segmenter sees again, as one step that can be undone."""
        if self.painter is not None and self.before is not None:
            self.painter.load(self.before)
