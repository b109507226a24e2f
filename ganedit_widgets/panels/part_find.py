"""What the panels about parts share: finding a catalog, and drawing only while somebody looks."""

from __future__ import annotations

from collections.abc import Callable

from torch import cat

from ganedit_widgets.core.errors import LatentError
from ganedit_widgets.core.parts import build_catalog, suggest

from .panel import Panel
from .session import Session
from .sources import PSI
from .turn import Turn
from .worker import Steps

PARTS, SAMPLES = 12, 60  # found by default, and what they are learned from
RESTARTS, ITERATIONS = 3, 60  # of the search for clusters
COMPARED = 16  # samples on which two catalogs are compared


def find_parts(session: Session, layer: str | None = None, k: int = PARTS, count: int = SAMPLES) -> Turn:
    """Find k parts in samples of the session's model, for all its panels; Stop leaves the catalog as it is.

    `layer`: whose output is clustered; None takes the usual one. `count`: samples, those of the seeds 0, 1, ….
    """
    code = f"list(build_catalog(generator, {layer!r}, {k}, range({count})))[-1].catalog"

    def steps() -> Steps:
        done, known = 0, session.parts.catalog
        for progress in build_catalog(session.generator, layer, k, range(count), restarts=RESTARTS):
            for _ in range(progress.step - done):  # clusters that are found early leave steps out
                yield
            done = progress.step
            if progress.catalog is not None:
                session.parts.take(progress.catalog, code)
        told = f"{k} parts are found: point at them, name them, and merge what belongs together."
        named = known is not None and any(not part.name.startswith("part ") for part in known.parts)
        return told + " Undo brings the named parts back; Carry names over names these after them." * named

    return session.task("finding parts", steps, 2 * count + RESTARTS * ITERATIONS)


def carry_names(session: Session) -> Turn:
    """Name the clusters of the catalog in use like those of the named one before, as both see the same samples."""
    older, newer = session.parts.named_before(), session.parts.require()
    if older is None:
        raise LatentError("No catalog before this one has names: name its parts by hand.")

    def steps() -> Steps:
        generator, latents, labels = session.generator, [], []
        for seed in range(COMPARED):
            latents.append(generator.sample(seed, PSI))
            labels.append(older.part_map(generator, latents[-1:]))
            yield
        parts = older.parts
        named = suggest(newer, generator, latents, cat(labels), [p.name for p in parts], [p.color for p in parts])
        session.parts.take(named)
        return f"{len(named.parts)} of {len(parts)} names are carried over: mend by hand what is wrong."

    return session.task("carrying names over", steps, COMPARED)


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
