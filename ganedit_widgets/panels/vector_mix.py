"""Edit vectors from edit vectors: measured, combined, averaged, without others, learned again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.edits import Sample, latent_of
from ganedit_widgets.core.errors import DirectionError
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.vectors import Calibration, EditVector, average, calibrate, combine, project_out, relearn
from ganedit_widgets.core.vectors.calibrate import LEAST, SCALES

from .controls import allow, button, help_line, named, row
from .segment_board import NONE
from .session import Session
from .sources import PSI
from .turn import Turn
from .vector_cards import signed
from .worker import Steps

if TYPE_CHECKING:
    from .vector_library import VectorLibraryPanel

PICTURES, STEPS = 4, 10  # seeds that are looked at; steps of refinement on each


class VectorMix(ipw.VBox):
    """What can be made of the chosen vector, and of those that are stacked; each result is a new card."""

    def __init__(self, panel: VectorLibraryPanel, session: Session) -> None:
        self.panel, self.session, self.board = panel, session, session.vectors
        # widgets
        name = ipw.Text(placeholder="name of what is made", layout={"width": "170px"})
        self.name = named(name, "Name of what is made")
        self.combine_button = button("Combine", session.guarded(self.combine))
        self.average_button = button("Average", session.guarded(self.average))
        self.other = named(
            ipw.Dropdown(options=[("another vector", 0)], layout={"width": "150px"}), "What is taken out"
        )
        self.without_button = button("Project out", session.guarded(self.project_out))
        self.count = named(ipw.BoundedIntText(PICTURES, 1, 64, layout={"width": "58px"}), "How many pictures")
        self.calibrate_button = button("Calibrate", session.guarded(self.calibrate))
        self.relearn_button = button("Relearn", session.guarded(self.relearn))
        self.measured = ipw.HTML("")
        self.measured.add_class("ge-vector-measured")
        # layout
        rows = [
            row("the stack", self.combine_button, self.average_button, self.name),
            row("chosen", ipw.HTML("without"), self.other, self.without_button),
            row(
                "measure", ipw.HTML("on"), self.count, ipw.HTML("pictures"), self.calibrate_button, self.relearn_button
            ),
        ]
        super().__init__([*rows, self.measured])
        # connections
        self.other.observe(session.guarded(lambda _: self.refresh()), "value")
        self.refresh()

    # ---- of the stack

    def combine(self) -> None:
        """Add up the vectors of the stack, each at its scale."""
        pairs = self.panel.stack.pairs()
        name = self.name.value.strip() or " + ".join(vector.name for vector, _ in pairs)
        self._take(combine(self.session.generator, pairs, name))

    def average(self) -> None:
        """Take the mean of the vectors of the stack, each as it was learned."""
        vectors = [vector for vector, _ in self.panel.stack.pairs()]
        self._take(average(self.session.generator, vectors, self.name.value.strip() or f"mean {vectors[0].name}"))

    # ---- of the chosen one

    def project_out(self) -> None:
        """Take the share along another vector out of the chosen one."""
        other = self.board.find(self.other.value)
        if other is None:
            raise DirectionError("Choose the vector whose share is to be taken out.")
        vector = self._require()
        self._take(project_out(vector, other).renamed(f"{vector.name} without {other.name}"))

    def calibrate(self) -> Turn:
        """Measure what the chosen vector does at each scale, and give it the range in which the rest stays."""
        vector, number, segmenter = self._require(), self.panel.browser.number, self.panel.segments.require()
        seeds = range(self.count.value)

        def steps() -> Steps:
            generator = self.session.generator
            for progress in calibrate(generator, vector, segmenter, self._latents(seeds)):
                if progress.calibration is not None:
                    self._calibrated(number, progress.calibration)
                yield
            low, high = (signed(scale) for scale in self._range(number, vector))
            return f"“{vector.name}” leaves the rest of the picture as it is from {low} to {high}."

        return self.session.task(f"calibrating {vector.name}", steps, len(seeds) * len(SCALES))

    def relearn(self) -> Turn:
        """Make the chosen vector on several pictures, refine each, and keep the mean of the changes as a new vector."""
        vector, segmenter, seeds = self._require(), self.panel.segments.require(), range(self.count.value)

        def steps() -> Steps:
            generator = self.session.generator
            for progress in relearn(generator, vector, segmenter, self._latents(seeds), STEPS):
                if progress.vector is not None:
                    self._take(progress.vector.renamed(f"{vector.name} of {len(seeds)}"))
                yield
            return f"“{vector.name} of {len(seeds)}” is what {len(seeds)} pictures have in common."

        return self.session.task(f"relearning {vector.name}", steps, len(seeds) * STEPS)

    # ---- follow

    def refresh(self) -> None:
        """Enable what can be done now, or say why not."""
        number, pairs = self.panel.browser.number, self.panel.stack.pairs()
        options = [("another vector", 0)]
        options += [(e.vector.name, e.number) for e in self.board.entries if e.number != number]
        if list(self.other.options) != options:
            other = self.other.value
            self.other.options = options
            self.other.value = other if other in [value for _, value in options] else 0
        few = "" if len(pairs) > 1 else "Stack two vectors or more, each at its scale"
        allow(self.combine_button, few, "Their sum at these scales as one vector")
        allow(self.average_button, few, "Their mean, each at scale 1: for one edit learned on several pictures")
        why_not = self.panel.browser.why_not()
        other = "" if self.other.value else "Choose another vector to take out"
        allow(self.without_button, why_not or other, "A new vector that changes the other's attribute less")
        blind = why_not or ("" if self.panel.segments.segmenter is not None else NONE)
        allow(
            self.calibrate_button, blind, "Find the range of scales that leave the rest of these seeds' pictures alone"
        )
        allow(
            self.relearn_button, blind, f"Refine it for {STEPS} steps on each, and average: a purer vector; Esc stops"
        )

    # ---- inside

    def _require(self) -> EditVector:
        vector = self.panel.browser.vector
        if vector is None:
            raise DirectionError("Choose a vector first.")
        return vector

    def _latents(self, seeds: range) -> list[Latent]:
        return [latent_of(self.session.generator, Sample(seed, PSI)) for seed in seeds]

    def _take(self, vector: EditVector) -> None:
        """Put a vector into the library, and choose it."""
        (number,) = self.board.add(vector)
        self.panel.browser.choose(number)

    def _range(self, number: int, vector: EditVector) -> tuple[float, float]:
        return (self.board.find(number) or vector).direction.range

    def _calibrated(self, number: int, found: Calibration) -> None:
        self.measured.value = table_of(found)
        vector = self.board.find(number)  # it may have been renamed or deleted meanwhile
        if vector is not None:
            direction = replace(vector.direction, range=found.vector.direction.range)
            self.board.change(number, replace(vector, direction=direction))


def table_of(found: Calibration) -> str:
    """Return what was measured as an HTML table, one column for each scale."""

    def line(name: str, texts: list[str], bad: list[bool]) -> str:
        cells = "".join(
            f"<td{' class=ge-vector-out' if out else ''}>{text}</td>" for text, out in zip(texts, bad, strict=True)
        )
        return f"<tr><th>{name}</th>{cells}</tr>"

    fine, poor = [False] * len(found.scales), [psnr < LEAST for psnr in found.psnr]
    rows = [
        line("scale", [signed(scale) for scale in found.scales], fine),
        line("labels changed", [f"{100 * share:.1f} %" for share in found.changed], fine),
        line(
            "outside, dB",
            [f"{psnr:.1f}{' ✗' if out else ''}" for psnr, out in zip(found.psnr, poor, strict=True)],
            poor,
        ),
    ]
    note = help_line(f"✗: less than {LEAST:g} dB outside the vector's classes; the range ends before it.").value
    return f"<table>{''.join(rows)}</table>{note}"
