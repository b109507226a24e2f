"""The segmenter that the panels of a session share: the one that ships with its model, or one from a file."""

from __future__ import annotations

from pathlib import Path

import traitlets as tr

from ganedit_widgets.core.errors import SegmentError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.segment import Segmenter, load_segmenter
from ganedit_widgets.core.segment.files import SHIPPED

NONE = "There is no segmenter of this model yet: open one, or train one from a few labeled pictures."


class SegmentBoard(tr.HasTraits):
    """What the panels of one session know about segmenters. Observe `segmenter`; any thread may change it."""

    segmenter = tr.Any(None, help="the Segmenter in use, or None")

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator
        self._begun = False

    def begin(self) -> None:
        """Take the segmenter that ships with the package, if there is none yet and it is of this model."""
        if self._begun or self.segmenter is not None:
            return
        self._begun = True
        if SHIPPED.exists():
            shipped = load_segmenter("demo")
            if shipped.fingerprint == self.generator.fingerprint:
                self.segmenter = shipped

    def take(self, segmenter: Segmenter) -> None:
        """Use another segmenter. Raises `SegmentError` if it is another model's."""
        segmenter.require_own(self.generator)
        self.segmenter = segmenter

    def open(self, path: str | Path) -> None:
        """Use the segmenter in a file. Raises `SegmentError` if it is damaged, or another model's."""
        self.take(load_segmenter(path, self.generator))

    def require(self) -> Segmenter:
        """Return the segmenter. Raises `SegmentError` if there is none."""
        if self.segmenter is None:
            raise SegmentError(NONE)
        return self.segmenter  # type: ignore[no-any-return]
