"""How a painted edit goes, and what came of it: the loss, how far it follows the mask, what changed where."""

from __future__ import annotations

from typing import TypeAlias

import ipywidgets as ipw

from ganedit_widgets.core.edits import Paint
from ganedit_widgets.core.edits.paint_result import painted_change
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.parts import CatalogPart

from .controls import help_line
from .part_meters import PartMeters
from .plot import loss_curve
from .session import Session

Made: TypeAlias = "tuple[Latent, Paint, Latent]"  # the picture before, the edit, the picture after
PLACES = "Inside is the region of the edit. Each bar is one class, where the picture showed it before, inside or not."
ENOUGH = 0.8  # share of the region: with less, one wonders where the painted part is
MORE = "If it should follow more: More: weights, For large changes; or more steps."
SAME = "No step came closer to what is painted: take more steps, or let the rest count less (More: weights)."


class MaskReport(ipw.VBox):
    """A curve with a line of numbers while it runs, and meters inside and outside the region once it has run."""

    def __init__(self) -> None:
        self.plot = ipw.HTML(layout={"width": "340px", "max_width": "100%"})
        self.numbers, self.meters = help_line(""), PartMeters(PLACES)
        self.search = ipw.VBox([self.plot, self.numbers], layout={"display": "none"})
        self.search.add_class("ge-source")
        super().__init__([self.search, self.meters])
        self.add_class("ge-source")

    def follow(self, session: Session) -> None:
        """Show how the search stands, or has ended, if it is one of painted labels."""
        numbers = session.numbers
        if not numbers or "agreement" not in numbers[-1]:
            return
        last, total = numbers[-1], session.progress.total if session.progress else len(numbers)
        held = f" · outside {last['psnr']:.1f} dB" if "psnr" in last else ""
        done = f"step {last['step']} of {total}" if session.progress else f"after {last['step']} steps"
        text = f"{done} · {100 * last['agreement']:.0f} % of the region as painted{held}"
        self.search.layout.display = None
        self.plot.value = loss_curve([n["loss"] for n in numbers], total, text)
        far = not session.progress and last["agreement"] < ENOUGH
        self.numbers.value = help_line(f"{text}. {MORE}" if far else text).value

    def measure(self, session: Session, made: Made | None) -> None:
        """Show how much an edit changed, or nothing; for steps done in the worker's thread."""
        if made is None:
            self.meters.show(None)
            if not session.busy:
                self.search.layout.display = "none"
            return
        before, edit, after = made
        if after.w.equal(before.w):
            self.meters.explain(SAME)
            return
        pairs = enumerate(zip(edit.segmenter.classes, edit.segmenter.palette, strict=True))
        parts = [CatalogPart(name, (i,), color) for i, (name, color) in pairs]
        self.meters.show(painted_change(session.generator, edit, before, after), parts, edit.classes or ())
