"""A training while it runs, in a notebook: its losses, its sheets, the time left; pause it, go on, stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html import escape
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.errors import GanEditError
from ganedit_widgets.core.training.loop import Progress

from .controls import allow, button
from .plot import curve
from .turn import Turn
from .worker import Steps, Worker, worker_for

Training = Callable[[Callable[[], bool]], Iterator[Progress]]
NAMES = {  # what the losses are called
    "loss_d": "critic",
    "loss_g": "generator",
    "class_d": "labels, critic",
    "class_g": "labels, generator",
    "r1": "R1",
    "path": "path length",
    "ada_p": "augmentation",
}
COLUMNS = "repeat(auto-fill, minmax(180px, 1fr))"
REST = 0.2  # seconds between two looks at whether a pause is over


class TrainingPanel(ipw.VBox):
    """Runs a training on the device's one worker, so that everything else in the notebook stays alive.

    `train(stop)` returns an iterator of `Progress` that ends, with a checkpoint, once ``stop()`` is true:
    ``TrainingPanel(lambda stop: fine_tune(source, pictures, "runs/steered", cfg, report_every=1, stop=stop))``.
    """

    def __init__(self, train: Training, worker: Worker | None = None) -> None:
        self._train, self._worker = train, worker or worker_for("cpu")
        self.losses: dict[str, list[float]] = {}
        self.progress: Progress | None = None
        self.turn: Turn | None = None
        self._paused = self._asked = False
        self.go_button = button("Start", self.go)
        self.stop_button = button("Stop", self.stop)
        self.said, self.plots = ipw.HTML("", layout={"margin": "0 8px"}), ipw.HTML("")
        layout = {"max_width": "100%", "align_self": "flex-start", "display": "none"}
        self.sheet = ipw.Image(format="png", layout=layout)
        head = ipw.HBox([self.go_button, self.stop_button, self.said], layout={"align_items": "center"})
        super().__init__([head, self.plots, self.sheet])
        self._refresh("Not begun yet.")

    # ---- what can be done; from any thread

    @property
    def running(self) -> bool:
        """Whether it runs or pauses."""
        return self.turn is not None and not self.turn.finished

    def go(self) -> Turn:
        """Start it, pause it, or let it go on: whichever the button says."""
        if self.running:
            assert self.turn is not None  # it runs
            self._paused = not self._paused
            self._refresh()
            return self.turn
        self._paused = self._asked = False
        self.turn = self._worker.submit(self._steps, lane=self)
        self.turn.on_end(self._on_end)
        self._refresh("Beginning …")
        return self.turn

    def stop(self) -> None:
        """Ask it to end after the step it is in; it writes a checkpoint, and Start goes on from there."""
        self._asked, self._paused = True, False
        self._refresh("Stopping …")

    def close(self) -> None:
        """Stop, and leave."""
        self._asked, self._paused = True, False
        super().close()

    # ---- in the worker's thread

    def _steps(self, turn: Turn) -> Steps:
        for progress in self._train(lambda: self._asked or turn.over):
            self._show(progress)
            while self._paused and not self._asked and not turn.over and not self._worker.sync:
                yield REST
            yield

    def _show(self, progress: Progress) -> None:
        self.progress = progress
        for name, value in progress.losses.items():
            self.losses.setdefault(name, []).append(value)
        if progress.losses:
            self.plots.value = self._curves()
        if progress.sheet is not None:
            self.sheet.value = progress.sheet.read_bytes()
            self.sheet.layout.display = None
        self._refresh()

    def _curves(self) -> str:
        """Return a small curve of each loss since Start, side by side; they wrap where the cell is narrow."""
        cells = []
        for name, values in self.losses.items():
            title = f"{NAMES.get(name, name)} {values[-1]:.3f}"
            cells.append(f"<div><div>{escape(title)}</div>{curve(values, len(values), title)}</div>")
        return f'<div style="display:grid;grid-template-columns:{COLUMNS};gap:8px">{"".join(cells)}</div>'

    def _on_end(self, turn: Turn) -> None:
        if isinstance(turn.error, GanEditError):
            self._refresh(str(turn.error))
        elif turn.error is not None:
            self._refresh(f"It broke off: {type(turn.error).__name__}: {turn.error}")
        else:
            over = self.progress is not None and self.progress.pictures >= self.progress.total
            self._refresh("Done." if over else "Stopped; Start goes on.")

    def _refresh(self, text: str = "") -> None:
        """Show where it stands, and what can be pressed."""
        running = self.running
        self.go_button.description = ("Go on" if self._paused else "Pause") if running else "Start"
        self.go_button.tooltip = "Pause after the step it is in" if running and not self._paused else "Train"
        allow(
            self.stop_button, "" if running and not self._asked else "Nothing is running", "Keep a checkpoint, and end"
        )
        parts: list[Any] = [text or ("Paused." if self._paused else ""), self.progress]
        self.said.value = escape("  ".join(str(part) for part in parts if part))
