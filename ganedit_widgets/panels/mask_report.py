"""How a painted edit goes, and what came of it: the loss, how far it follows the mask, what changed where."""

from __future__ import annotations

from typing import TypeAlias

import ipywidgets as ipw

from ganedit_widgets.core.edits import LARGE, Edit, Paint
from ganedit_widgets.core.edits.paint import ENOUGH
from ganedit_widgets.core.edits.paint_result import painted_change
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.parts import CatalogPart

from .controls import help_line
from .part_meters import PartMeters
from .plot import loss_curve
from .session import Session

Made: TypeAlias = "tuple[Latent, Paint, Latent]"  # the picture before, the edit, the picture after
PLACES = "Inside is the region of the edit. Each bar is one class, where the picture showed it before, inside or not."
MORE = "If it should follow more: More: weights, For large changes; or more steps."
STILL = "If it should follow more: more steps, or a smaller change."  # with those weights
MEASURING = "Measuring what changed …"
SAME = "No step came closer to what is painted: take more steps, or let the rest count less (More: weights)."


class MaskReport(ipw.VBox):
    """A curve with a line of numbers while it runs, and meters inside and outside the region once it has run."""

    def __init__(self) -> None:
        self._searched: Paint | None = None  # whose search the curve shows, once it is recorded
        self._measured: Paint | None = None  # what the meters are about
        self.plot = ipw.HTML(layout={"width": "340px", "max_width": "100%"})
        self.numbers, self.meters = help_line(""), PartMeters(PLACES)
        self.search = ipw.VBox([self.plot, self.numbers], layout={"display": "none"})
        self.search.add_class("ge-source")
        super().__init__([self.search, self.meters])
        self.add_class("ge-source")

    def follow(self, session: Session, edit: Edit | None = None) -> None:
        """Show how the search of `edit` stands, or has ended, if it is one of painted labels."""
        numbers = session.numbers
        if not numbers or "agreement" not in numbers[-1]:
            return
        last, total = numbers[-1], session.progress.total if session.progress else len(numbers)
        held = f" · outside {last['psnr']:.1f} dB" if "psnr" in last else ""
        done = f"step {last['step']} of {total}" if session.progress else f"after {last['step']} steps"
        text = f"{done} · {100 * last['agreement']:.0f} % of the region as painted{held}"
        self._searched = self._measured = None  # the meters are about an edit before this one
        self.meters.show(None)
        self.search.layout.display = None
        self.plot.value = loss_curve([n["loss"] for n in numbers], total, text)
        far = not session.progress and last["agreement"] < ENOUGH
        self.numbers.value = help_line(f"{text}. {STILL if _is_large(edit) else MORE}" if far else text).value

    def record(self, edit: Paint) -> None:
        """The search that was followed last has become `edit`."""
        self._searched = edit

    def expect(self, session: Session) -> None:
        """Take away what is said of another edit than the one on show, until that is measured."""
        made = _on_show(session)
        edit = None if made is None else made[1]
        if not session.busy:
            self.search.layout.display = None if edit is not None and edit is self._searched else "none"
        if edit is None:
            self.meters.show(None)
        elif edit is not self._measured:
            self.meters.explain(MEASURING)

    def measure(self, session: Session) -> None:
        """Show how much the edit on show changed, or nothing; for steps done in the worker's thread."""
        self.expect(session)
        made = _on_show(session)
        if made is None:
            return
        before, edit, after = made
        self._measured = edit
        if after.w.equal(before.w):
            self.meters.explain(SAME)
            return
        pairs = enumerate(zip(edit.segmenter.classes, edit.segmenter.palette, strict=True))
        parts = [CatalogPart(name, (i,), color) for i, (name, color) in pairs]
        self.meters.show(painted_change(session.generator, edit, before, after), parts, edit.classes or ())


def made_last(session: Session) -> Made | None:
    """Return the picture before, the edit and the picture after, if the last edit recorded was painted."""
    history = session.history
    entry = history.entries[history.index]
    if not isinstance(entry.edit, Paint):
        return None
    return history.entries[history.index - 1].latent, entry.edit, entry.latent


def _on_show(session: Session) -> Made | None:
    return None if session.pending is not None else made_last(session)


def _is_large(edit: Edit | None) -> bool:
    """Whether an edit has the weights for large changes already, or larger ones."""
    if not isinstance(edit, Paint):
        return False
    return edit.keep <= LARGE["keep"] and edit.paint >= LARGE["paint"] and edit.rate >= LARGE["rate"]
