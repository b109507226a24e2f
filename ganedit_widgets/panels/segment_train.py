"""Panel for core/segment: label a few diverse samples by hand, and train a segmenter of your own model from them."""

from __future__ import annotations

from pathlib import Path

import ipywidgets as ipw

from ganedit_widgets.core.edits import Edit
from ganedit_widgets.core.segment import Labeled, SegmentPlan, SegmentProgress, save_segmenter, train_segmenter

from .controls import Fold, allow, button, help_line, named, row
from .panel import Panel
from .plot import loss_curve
from .segment_doubt import SegmentDoubt
from .segment_pages import SegmentPages
from .session import Session
from .turn import Turn
from .worker import Steps

STEPS, EVERY = 1500, 20  # of the training; of them between two curves
ABOUT = "A segmenter says what each pixel shows: the Mask panel and refining need one. 16 labeled samples are enough."


class SegmentTrainPanel(Panel):
    """Choose diverse samples, paint their labels, train, see where it is unsure, label that next, save."""

    title = "Segmenter"
    hint = "Teach the parts of your model's pictures from a few that you label"
    apply_label = "Train"
    previews = False

    def __init__(self, session: Session) -> None:
        self.segments = session.segments
        session.guarded(self.segments.begin)()
        # widgets
        self.view = ipw.Box()
        self.pages = SegmentPages(session, self.view, lambda: self.refresh())
        self.steps = named(ipw.BoundedIntText(STEPS, 1, 20_000, layout={"width": "72px"}), "Steps of the training")
        self.stop_button = button("Stop", session.stop)
        self.plot, self.said = ipw.HTML(""), help_line("")
        self.path = named(ipw.Text("segmenter.safetensors", layout={"width": "180px"}), "File of the segmenter")
        self.save_button = button("Save", session.guarded(self.save))
        self.doubt_fold = Fold("How good, and where unsure", lambda: SegmentDoubt(self, session))
        # layout
        controls = [help_line(ABOUT), self.pages]
        super().__init__(session, controls, buttons=[self.stop_button, self.steps, ipw.HTML("steps")])
        saving = row("", self.path, self.save_button)
        self.children = (*self.children, self.plot, self.said, saving, self.doubt_fold)  # type: ignore[has-type]
        self.plot.layout.display, self.plot.layout.max_width = "none", "420px"
        # connections
        self.watch(self._on_segmenter, "segmenter", of=self.segments)
        self.watch(lambda _: self.refresh(), "busy")
        self._on_segmenter()

    # ---- what the base asks

    def edit(self) -> Edit | None:
        """Return None: this panel changes no picture."""
        return None

    def why_not(self) -> str:
        """Say what is missing before a training."""
        if self.session.busy:
            return "Something is running: stop it first"
        return "" if self.pages.labeled else "Label a sample first: press Begin, and paint"

    def apply(self) -> None:
        """Train, or say what is missing."""
        if why_not := self.why_not():
            self.session.tell(f"{why_not}.", "error")
        else:
            self.train()

    def refresh(self) -> None:
        """Enable the buttons, or say why they cannot be pressed."""
        allow(self.apply_button, self.why_not(), "Learn from what is labeled; Stop keeps what was learned")
        idle = "" if self.session.busy else "Nothing is running"
        allow(self.stop_button, idle, "Stop and keep what was learned (Esc)")
        none = "" if self.segments.segmenter is not None else "Train a segmenter first"
        allow(self.save_button, none, "Write the segmenter to this file")
        self.pages.refresh()
        if self.doubt_fold.made:
            self.doubt_fold.content.refresh()

    def close(self) -> None:
        """Keep what was painted, and leave."""
        self.session.guarded(self.pages.write)()
        super().close()

    # ---- what is learned from

    @property
    def class_names(self) -> list[str]:
        """The classes that are painted."""
        return [label.name for label in self.pages.labels[1:]]

    def examples(self) -> list[Labeled]:
        """Return what is labeled so far."""
        return [page.labeled for page in self.pages.labeled]

    def plan(self) -> SegmentPlan:
        """Return how it is trained."""
        return SegmentPlan(steps=self.steps.value)

    # ---- what can be done

    def train(self) -> Turn:
        """Train a segmenter from what is labeled, and use it in every panel of the session; Stop keeps it as it is."""
        examples, classes, plan = self.examples(), self.class_names, self.plan()
        colors = [label.color or (0, 0, 0) for label in self.pages.labels[1:]]
        reached: list[SegmentProgress] = []
        losses: list[float] = []

        def steps() -> Steps:
            for progress in train_segmenter(
                self.session.generator, examples, classes, plan, colors, 1
            ):  # steps, as the bar says
                reached[:] = [progress]
                losses.append(progress.loss)
                if len(losses) % EVERY == 1:
                    self._plot(losses, plan, progress)
                yield
            keep()
            return f"Trained: {len(classes)} classes from {len(examples)} pictures."

        def keep(_: object = None) -> None:
            while reached:  # once: at the end, or after Stop
                progress = reached.pop()
                self._plot(losses, plan, progress)
                self.segments.take(progress.segmenter())

        self.pages.write()
        turn = self.session.task("training the segmenter", steps, plan.steps)
        turn.on_end(self.session.guarded(keep))
        return turn

    def save(self) -> None:
        """Write the segmenter in use. Raises `SegmentError` if there is none, or it cannot be written."""
        path = Path(self.path.value.strip() or "segmenter.safetensors").expanduser()
        save_segmenter(path, self.segments.require())
        self.session.tell(f"The segmenter is saved to {path}.")

    # ---- from the board; in any thread

    def _on_segmenter(self, _: object = None) -> None:
        segmenter = self.segments.segmenter
        text = "No segmenter is in use yet."
        if segmenter is not None:
            pictures = f"{segmenter.pictures} labeled picture{'' if segmenter.pictures == 1 else 's'}"
            text = f"In use: {len(segmenter.classes)} classes, learned from {pictures}."
        self.said.value = help_line(text).value
        self.refresh()

    def _plot(self, losses: list[float], plan: SegmentPlan, progress: SegmentProgress) -> None:
        text = f"step {progress.step} of {plan.steps} · {progress}"
        self.plot.layout.display = None
        self.plot.value = loss_curve(losses, plan.steps, text)
        self.said.value = help_line(text).value
