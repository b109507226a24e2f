"""Panel for core/vectors: edits learned once, made on any picture, several at a time, and mended where they harm."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit, Refine, Stack
from ganedit_widgets.core.vectors import refined

from .controls import Fold, allow, button, help_line, named, row
from .mask_segmenter import SegmenterForm
from .panel import Panel
from .segment_board import NONE
from .session import Session
from .vector_browser import VectorBrowser
from .vector_files import VectorFiles
from .vector_mix import VectorMix
from .vector_stack import VectorStack
from .vector_strip import VectorStrip

MODES = [("the vectors at once", 0), ("then refine, 10 steps", 10), ("then refine, 30 steps", 30)]
NO_REFINING = f"Vectors are made at once; refining is off. {NONE}"


class VectorLibraryPanel(Panel):
    """Look edit vectors up, see one on the present picture, stack several, and make them: at once, or refined.

    The library and the segmenter are the session's (`session.vectors`, `session.segments`).
    """

    title = "Vectors"
    hint = "Make edits that were learned once, such as a smile; several at a time"

    def __init__(self, session: Session) -> None:
        self.board, self.segments = session.vectors, session.segments
        session.guarded(self.board.begin)()
        session.guarded(self.segments.begin)()
        self._refining = False
        self._refined: Edit | None = None  # what the line about refining is about, once it is recorded
        # widgets
        self.browser = VectorBrowser(self, session, self._on_chosen)
        self.strip = VectorStrip(self, session)
        self.add_button = button("Add to the stack", session.guarded(lambda: self.add(self.browser.number)))
        self.stack = VectorStack(session, self._on_stack)
        self.mode = named(ipw.Dropdown(options=MODES, layout={"width": "180px"}), "How they are made")
        self.said = help_line("")
        self.again_button = button("Same again", session.guarded(self.again))
        self.stop_button = button("Stop", session.stop)
        self.mix_fold = Fold("Measure, mix and relearn", lambda: VectorMix(self, session))
        self.files_fold = Fold("Files", lambda: VectorFiles(self, session))
        self.segmenter_fold = Fold("Segmenter", lambda: SegmenterForm(session))
        # layout
        look = [self.browser, self.strip, row("", self.add_button), self.stack]
        folds = [self.mix_fold, self.files_fold, self.segmenter_fold]
        super().__init__(session, [*look, row("make", self.mode), self.said, *folds])
        *shown, apply_row = self.children  # type: ignore[has-type]
        apply_row.children = (*apply_row.children, self.again_button, self.stop_button)
        self.children = (*shown[:5], apply_row, *shown[5:])  # Apply stands by the stack
        # connections
        self.watch(self._on_library, "entries", of=self.board)
        self.watch(self._on_segmenter, "segmenter", of=self.segments)
        self.watch(self._on_entries, "entries")
        self.watch(self._on_settled, "settled")
        self.watch(self._on_numbers, "numbers")
        self.watch(self._on_busy, "busy")
        self._on_library()
        self._on_segmenter()

    # ---- what the controls mean

    def edit(self) -> Edit | None:
        """Return the moves of the stack, as they are shown at once; None while nothing has a scale."""
        moves = self.stack.moves()
        return moves[0] if len(moves) == 1 else Stack(tuple(moves)) if moves else None

    def why_not(self) -> str:
        """Say what is missing."""
        if self.stack.moves():
            return ""
        return "Give a vector a scale first" if self.stack.knobs.rows else "Add a vector to the stack first"

    def reset(self) -> None:
        """All scales to 0; Same again brings them back."""
        self.stack.reset()

    def apply(self) -> None:
        """Record the vectors, or make them and mend them together; Stop keeps the best."""
        if not self.mode.value or self.why_not():
            super().apply()
            return
        edit = refined(self.stack.pairs(), self.segments.require(), self.mode.value)
        self._panel_edits.add(edit)
        self._refining = True
        self.session.apply(edit, by=self)

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        super().refresh()
        allow(self.add_button, self.browser.why_not(), "Make it with scale 1 (Enter on the card, or a double click)")
        again = "" if self.stack.can_again else "Nothing was made yet"
        allow(self.again_button, again, "Give the vectors the scales they had last, such as for another picture")
        idle = "" if self.session.busy else "Nothing is running"
        allow(self.stop_button, idle, "Stop and keep the best so far (Esc)")

    # ---- what can be done

    def add(self, number: int, scale: float = 1.0) -> None:
        """Make a vector at this scale, beside those that are stacked."""
        vector = self.board.find(number)
        if vector is None:
            return
        if strange := self.board.foreign(vector):
            self.session.tell(f"{strange}.", "error")
            return
        self.stack.put(number, scale)
        self._on_stack()

    def again(self) -> None:
        """Make the vectors with the scales they had last."""
        self.stack.again()
        self._on_stack()

    # ---- from the controls

    def _on_chosen(self) -> None:
        self.refresh()
        self.strip.draw()
        self._refresh_folds()

    def _on_stack(self, moving: bool = False) -> None:
        if self.edit() is None:
            self._panel_edits.clear()  # muted is not given up: what was shown ends, and the scales stay
        self.preview(moving=moving)
        if not moving:
            self.strip.draw()
            self._refresh_folds()

    def _refresh_folds(self) -> None:
        for fold in (self.mix_fold, self.files_fold, self.segmenter_fold):
            if fold.made:
                fold.content.refresh()

    # ---- from the library and the session; in any thread

    def _on_library(self, _: object = None) -> None:
        self.stack.follow()
        self.browser.follow()

    def _on_segmenter(self, _: object = None) -> None:
        known = self.segments.segmenter is not None
        if not known:
            self.mode.value = 0
        self.mode.disabled = not known
        self.mode.tooltip = "How they are made" if known else NONE
        self._say("" if known else NO_REFINING)
        self._refresh_folds()

    def _on_busy(self, _: object = None) -> None:
        self._refining = self._refining and bool(self.session.busy)
        self.refresh()

    def _on_settled(self, change: Mapping[str, Any]) -> None:
        if isinstance(change["new"], Refine) and change["new"] in self._panel_edits:
            self._refined = self._recorded

    def _on_entries(self, _: object = None) -> None:
        self.strip.draw()
        if self._recorded is not self._refined:
            self._say("" if self.segments.segmenter is not None else NO_REFINING)

    @property
    def _recorded(self) -> Edit | None:
        history = self.session.history
        return history.entries[history.index].edit

    def _on_numbers(self, _: object = None) -> None:
        numbers = self.session.numbers
        if not self._refining or not numbers or "agreement" not in numbers[-1]:
            return
        last = numbers[-1]
        outside = f", {last['psnr']:.1f} dB outside" if "psnr" in last else ""
        agree = f"{100 * last['agreement']:.0f} % of the region labeled as wanted"
        self._say(f"Step {last['step']:.0f}: {agree}{outside}.")

    def _say(self, text: str) -> None:
        self.said.value = help_line(text).value
