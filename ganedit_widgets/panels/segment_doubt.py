"""Where a segmenter is unsure, so that the pictures that teach most are labeled next; and how well it does unseen."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.core.painting import heated
from ganedit_widgets.core.segment import Doubt, LeaveOneOut, leave_one_out, most_unsure

from .controls import allow, button, help_line, named, row
from .filmstrip import Filmstrip, Id
from .painter import shrunk
from .pictures import Pixels
from .session import Session
from .turn import Turn
from .worker import Steps

if TYPE_CHECKING:
    from .segment_train import SegmentTrainPanel

COUNT, SHOWN, SIZE = 24, 8, 88  # seeds that are looked at, and shown; CSS pixels
FIRST = 1000  # seed: not among those that samples to label are chosen from
MOST = 0.69  # nats: two networks of opposite opinion, as bright as it gets


class SegmentDoubt(ipw.VBox):
    """Pictures with what the networks disagree about; a click chooses one to be labeled next."""

    def __init__(self, panel: SegmentTrainPanel, session: Session) -> None:
        self.panel, self.session = panel, session
        self._first = FIRST
        self.doubts: list[Doubt] = []
        self.chosen: int | None = None  # a seed
        # widgets
        self.count = named(ipw.BoundedIntText(COUNT, 1, 500, layout={"width": "64px"}), "How many samples to look at")
        self.look_button = button("Look for doubt", session.guarded(self.look))
        self.film = Filmstrip(size=SIZE, wrap=True, label="Samples with what is unsure, most of all first")
        self.label_button = button("Label this next", session.guarded(self.label_next))
        self.score_button = button("Leave-one-out score", session.guarded(self.score))
        self.scores = ipw.HTML("")
        self.scores.add_class("ge-vector-measured")
        # layout
        about = help_line("Orange: the networks disagree (Jensen–Shannon). Labeling such a picture teaches most.")
        looks = row("", self.look_button, ipw.HTML("in"), self.count, ipw.HTML("other samples"))
        score = row("", self.score_button)
        super().__init__([about, looks, self.film, row("", self.label_button), score, self.scores])
        # connections
        self.film.on_select(session.guarded(self._on_select))
        self.refresh()

    def look(self) -> Turn:
        """Look at other samples, and show those of which the segmenter is least sure; Stop keeps what was seen."""
        segmenter, count = self.session.segments.require(), self.count.value
        seeds = range(self._first, self._first + count)
        self._first, self.doubts = self._first + count, []

        def steps() -> Steps:
            for doubt in most_unsure(self.session.generator, segmenter, seeds):
                self.doubts = sorted([*self.doubts, doubt], key=lambda each: -each.score)[:SHOWN]
                self._show()
                yield
            return f"Most unsure: seed {self.doubts[0].seed}. Choose one, and label it next."

        return self.session.task("looking for doubt", steps, count)

    def label_next(self) -> None:
        """Paint on the chosen sample."""
        if self.chosen is not None:
            self.panel.pages.add(self.chosen)

    def score(self) -> Turn:
        """Label each picture by a network that has not seen it, and compare with what was painted."""
        examples, classes, plan = self.panel.examples(), self.panel.class_names, self.panel.plan()

        def steps() -> Steps:
            for found in leave_one_out(self.session.generator, examples, classes, plan):
                if found.overlaps:
                    self.scores.value = table_of(found, classes)
                yield
            return f"Without itself, each picture is labeled with a mean overlap (mIoU) of {found.miou:.2f}."

        return self.session.task("leaving one out", steps, max(1, plan.steps // 25))

    def refresh(self) -> None:
        """Enable what can be done now, or say why not."""
        blind = "" if self.session.segments.segmenter is not None else "Train a segmenter first"
        allow(self.look_button, blind, "See where the networks disagree on pictures that nobody has labeled")
        allow(self.label_button, "" if self.chosen is not None else "Choose one of these pictures first", "Paint on it")
        few = "" if len(self.panel.pages.labeled) > 1 else "Label two samples first"
        allow(self.score_button, few, "How well a picture is labeled by what was learned from the others")

    def _show(self) -> None:
        cells: list[tuple[Id, Pixels, str]] = []
        for doubt in self.doubts:
            picture = shrunk(to_pixels(doubt.reading.picture), doubt.reading.labels.shape[0])
            shown = heated(picture, doubt.reading.uncertainty / MOST)
            cells.append((doubt.seed, shrunk(shown, 2 * SIZE), f"{doubt.seed}: {doubt.score:.2f}"))
        self.film.show(cells, self.chosen)

    def _on_select(self, key: Id) -> None:
        self.chosen = int(key)
        self._show()
        self.refresh()


def table_of(found: LeaveOneOut, classes: list[str]) -> str:
    """Return the overlap of each class as an HTML table."""
    iou = sum(found.overlaps[1:], found.overlaps[0]).iou
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{'not labeled' if share != share else f'{share:.2f}'}</td></tr>"
        for name, share in zip(classes, iou.tolist(), strict=True)
    )
    return f"<table><tr><th>all (mIoU)</th><td>{found.miou:.2f}</td></tr>{rows}</table>"
