"""Panel for core/edits/paint.py: paint what the parts of the picture should be, and the picture follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw
import numpy as np
from numpy.typing import NDArray

from ganedit_widgets.core.edits import Edit, Paint
from ganedit_widgets.core.edits.paint_objective import Embedding
from ganedit_widgets.core.edits.paint_region import default_margin
from ganedit_widgets.core.edits.paint_result import over_photograph, photograph
from ganedit_widgets.core.errors import SegmentError
from ganedit_widgets.core.image import as_png, to_pixels

from .controls import Fold, allow, button, help_line, named
from .mask_canvas import MaskCanvas
from .mask_region import MaskRegion
from .mask_report import Made, MaskReport, made_last
from .mask_segmenter import SegmenterForm
from .mask_vector import MaskVector
from .mask_weights import MaskWeights
from .panel import Panel
from .part_find import Seen
from .session import Session
from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .frame import Frame

SIDE = 310  # CSS pixels of both pictures
ABOUT = "Paint on the left what the picture shall show, with the colors of its parts, and press Run."
READING = "The labels of this picture are being read: one moment"
MEANWHILE = "What you painted while it ran is kept, over the new picture; the painter's undo takes it away."
BUSY = "Something is running: stop it first"


class MaskEditPanel(Panel):
    """The painter over the picture on show, beside it the result; Run changes the latent until its labels are alike.

    `embedding`: a network that knows persons, see `Paint.embedding`; without one nothing is said about identity.
    """

    title = "Mask"
    hint = "Paint what the parts of the picture should be, and the picture follows"
    apply_label = "Run"
    previews = False
    beside = SIDE

    def __init__(self, session: Session, embedding: Embedding | None = None) -> None:
        self.board, self.embedding = session.segments, embedding
        session.guarded(self.board.begin)()
        self._link: ipw.Widget | None = None
        # widgets
        self.canvas = self.view = MaskCanvas(session.guarded(self._on_painted), SIDE)
        self.missing = SegmenterForm(session)
        self.region = MaskRegion(session.guarded(self._on_painted))
        self.iterations = named(ipw.BoundedIntText(Paint.iterations, 1, 5000, layout={"width": "64px"}), "Steps")
        self.stop_button = button("Stop", session.stop)
        self.back_button = button("Take back", session.guarded(self.canvas.take_back))
        self.report = MaskReport()
        self.photo_button = button("Save over the photograph", session.guarded(self.save_photo))
        self.vector_fold = Fold("Keep it as a vector, apply it to another picture", self._make_vector)
        self.weights_fold = Fold("More: weights", lambda: MaskWeights(embedding is not None))
        self.segmenter_fold = Fold("More: segmenter", lambda: SegmenterForm(session))
        # layout
        steps = [self.stop_button, self.back_button, self.iterations, ipw.HTML("steps"), self.photo_button]
        super().__init__(session, [help_line(ABOUT), self.missing, self.region], buttons=steps)
        folds = [self.vector_fold, self.weights_fold, self.segmenter_fold]
        self.children = (*self.children, self.report, *folds)  # type: ignore[has-type]
        # connections
        self._reading, self._looking = Seen(self, "mask", self._read), Seen(self, "region", self._look)
        self.watch(self._on_segmenter, "segmenter", of=self.board)
        self.watch(self._on_catalog, "catalog", of=session.parts)
        self.watch(lambda _: self._on_picture(), "entries", "pixels")
        self.watch(lambda _: self.report.follow(session, self._panel_edit), "numbers", "progress")
        self.watch(self._on_settled, "settled")
        self.watch(lambda _: self.refresh(), "busy")
        session.parts.begin()
        self._on_segmenter()

    # ---- what the controls mean

    def plan(self) -> tuple[Paint | None, NDArray[np.bool_] | None, str]:
        """Return the edit that is painted and its region (h, w), or why there is none."""
        canvas, segmenter = self.canvas, self.canvas.segmenter
        if segmenter is None or canvas.painter is None:
            return None, None, "There is no segmenter yet: open one first"
        if canvas.before is None or canvas.basis is not self.session.shown:
            return None, None, READING
        weights = self.weights_fold.content.fields if self.weights_fold.made else {}
        chosen, margin = self.region.chosen, self.region.margin.value
        edit = Paint(canvas.painter.mask, segmenter, self.iterations.value, chosen, margin=margin, **weights)
        try:
            region, classes = canvas.area(edit)
        except SegmentError as error:
            return None, None, str(error).rstrip(".")
        return replace(edit, classes=classes, embedding=self.embedding), region, ""

    def edit(self) -> Edit | None:
        """Return the search, once something is painted."""
        return self.plan()[0]

    def why_not(self) -> str:
        """Say what is missing."""
        return BUSY if self.session.busy else self.plan()[2]

    def reset(self) -> None:
        """Take the classes that the next painting suggests."""
        self.region.reset()

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        super().refresh()
        busy, painted = self.session.busy, self.canvas.painted
        allow(self.stop_button, "" if busy else "Nothing is running", "Stop and keep the best so far (Esc)")
        idle = BUSY if busy else "" if painted else "Nothing is painted"
        allow(self.back_button, idle, "The labels of the picture again; undo works")
        self.photo_button.layout.display = None if photograph(self.session.history) is not None else "none"
        no_edit = "" if self.made() is not None else "Paint and run an edit first"
        allow(self.photo_button, no_edit, "A PNG file: outside the painted regions the photograph, bit for bit")
        if self.vector_fold.made:
            self.vector_fold.content.refresh()

    def made(self) -> Made | None:
        """Return the picture before, the edit and the picture now, if the last edit was painted."""
        return made_last(self.session)

    # ---- what can be done

    def save_photo(self) -> Turn:
        """Put what was painted into the photograph that was embedded, and give the user the PNG file."""
        return self.make_photo(lambda name, contents: self.frame.head.download(name, "image/png", contents))

    def make_photo(self, give: Callable[[str, bytes], object]) -> Turn:
        """Put what was painted into the photograph, and call `give(name, contents of a PNG file)`."""

        def steps() -> Steps:
            pixels = over_photograph(self.session.generator, self.session.history)
            yield
            give("photograph_edited.png", as_png(pixels))
            return f"The photograph, {pixels.shape[1]} × {pixels.shape[0]} pixels, is new only where it was painted on."

        return self.session.task("putting it into the photograph", steps)

    def _make_vector(self) -> MaskVector:
        return MaskVector(self.session, self.made)

    def close(self) -> None:
        """Leave the session and every page, with the painter."""
        self.canvas.close()
        super().close()

    def enter(self, frame: Frame) -> None:
        """Become a part of `frame`: its stage zooms and pans with the painter."""
        super().enter(frame)
        self._join()

    # ---- from the painter

    def _on_painted(self) -> None:
        if self.session.pending is not None and self.canvas.painted and self.canvas.basis is self.session.shown:
            self.session.keep()  # what another panel shows is what is painted on
        self._looking.ask()
        self.refresh()

    def _look(self) -> Steps:
        """Show the region, for steps done in the worker's thread."""
        yield
        stamp, (edit, region, why) = self.region.stamp, self.plan()  # in this order
        canvas = self.canvas
        if canvas.painter is None or canvas.before is None or canvas.segmenter is None:
            return
        mask = canvas.painter.mask
        if edit is None or region is None:
            why = f"{why}." if canvas.painted else "Nothing is painted over yet."
            self.region.explain(why, stamp, canvas.painter.image, warn=canvas.painted)
            return
        changed, names = mask != canvas.before, canvas.segmenter.classes
        concerned = [names[i] for i in np.union1d(mask[changed], canvas.before[changed])]
        self.region.show(canvas.painter.image, region, edit.classes or (), concerned, stamp)

    # ---- from the board and the session; in any thread

    def _on_segmenter(self, _: object = None) -> None:
        segmenter = self.board.segmenter
        self.canvas.renew(segmenter, self.session.pixels)
        self.missing.layout.display = None if segmenter is None else "none"
        self.region.layout.display = self.segmenter_fold.layout.display = "none" if segmenter is None else None
        if segmenter is not None:
            self.region.begin(segmenter.classes, default_margin(segmenter.size[0]))
        for form in (self.missing, self.segmenter_fold.content if self.segmenter_fold.made else self.missing):
            form.refresh()
        self._join()
        self._reading.ask()
        self.refresh()

    def _on_catalog(self, _: object) -> None:
        self.canvas.basis = None  # its clusters are others
        self._reading.ask()

    def _on_picture(self) -> None:
        if not self.session.moving:
            self.report.expect(self.session)
            self._reading.ask()

    def _on_settled(self, change: Mapping[str, Any]) -> None:
        """A search is recorded: its curve is that of an edit, and what was painted meanwhile goes on."""
        made = self.made() if isinstance(change["new"], Paint) else None
        if made is not None:
            self.report.record(made[1])
            self.canvas.expect(made[1].painted, made[2])

    def _join(self) -> None:
        """Let stage and painter zoom together, in the page."""
        if self._link is not None:
            self._link.close()
            self._link = None
        if self._panel_frame is not None and self.canvas.painter is not None:
            self._link = ipw.jslink((self.canvas.painter, "view"), (self._panel_frame.stage, "zoom"))

    def _read(self) -> Steps:
        """See what the picture on show shows, if it is another one; for steps done in the worker's thread."""
        yield
        segmenter, latent, generator = self.canvas.segmenter, self.session.shown, self.session.generator
        if segmenter is not None and self.canvas.basis is not latent:
            reading = segmenter.read(generator, latent)
            if self.canvas.show(latent, to_pixels(reading.picture), reading.labels):
                self.session.tell(MEANWHILE)
            yield
            catalog, painter = self.session.parts.catalog, self.canvas.painter
            if painter is not None:
                parts = None if catalog is None else catalog.part_map(generator, [latent], segmenter.size)[0]
                painter.clusters = None if parts is None else parts.numpy()
            yield
        self.report.measure(self.session)
        self.refresh()
