"""What the panels about parts share: finding a catalog, and drawing only while somebody looks."""

from __future__ import annotations

from collections.abc import Callable

from ganedit_widgets.core.parts import build_catalog

from .panel import Panel
from .session import Session
from .turn import Turn
from .worker import Steps

PARTS, SAMPLES = 12, 60  # found by default, and what they are learned from
RESTARTS, ITERATIONS = 3, 60  # of the search for clusters


def find_parts(session: Session, layer: str | None = None, k: int = PARTS, count: int = SAMPLES) -> Turn:
    """Find k parts in samples of the session's model, for all its panels; Stop leaves the catalog as it is.

    `layer`: whose output is clustered; None takes the usual one. `count`: samples, those of the seeds 0, 1, ….
    """
    code = f"list(build_catalog(generator, {layer!r}, {k}, range({count})))[-1].catalog"

    def steps() -> Steps:
        done = 0
        for progress in build_catalog(session.generator, layer, k, range(count), restarts=RESTARTS):
            for _ in range(progress.step - done):  # clusters that are found early leave steps out
                yield
            done = progress.step
            if progress.catalog is not None:
                session.parts.take(progress.catalog, code)
        return f"{k} parts are found: point at them, name them, and merge what belongs together."

    return session.task("finding parts", steps, 2 * count + RESTARTS * ITERATIONS)


class Seen:
    """Does something in the background while its panel is on show; what was asked before is done when it is again."""

    def __init__(self, panel: Panel, name: str, steps: Callable[[], Steps]) -> None:
        self._panel, self._name, self._steps = panel, f"{name} {id(panel)}", steps
        self._asked = False
        panel.layout.observe(lambda _: self.ask() if self._asked else None, "display")

    def ask(self) -> None:
        """Do it, in place of what was asked before."""
        self._asked = self._panel.layout.display == "none"
        if not self._asked:
            self._panel.session.in_background(self._name, self._steps)
