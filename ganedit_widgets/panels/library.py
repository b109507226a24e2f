"""The directions a panel offers: those that ship with a model, or those found on the spot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.groups import layer_groups
from ganedit_widgets.core.latent import Latent
from ganedit_widgets.core.probes import Direction, boundary, load_directions, pca, sefa
from ganedit_widgets.core.probes.library import SHIPPED

from .controls import allow, button, help_line, row
from .filmstrip import Filmstrip, Id
from .pictures import Pixels
from .session import Session
from .turn import Turn
from .worker import Steps

FOUND = 8  # directions of each kind
SAMPLES = 24  # pictures to tick
TICK = 64  # pixels: their height
METHODS = [("SeFa: what changes most", "sefa"), ("PCA: what varies most", "pca")]


def shipped(generator: Generator) -> list[Direction]:
    """Return the directions that ship with the package for this very model."""
    found = load_directions("demo").values() if SHIPPED.exists() else ()
    return [direction for direction in found if direction.fingerprint == generator.fingerprint]


def first_directions(generator: Generator) -> list[Direction]:
    """Return what a panel begins with: shipped directions, else the strongest of SeFa and PCA."""
    return shipped(generator) or [*sefa(generator, count=FOUND), *pca(generator, count=FOUND)]


class Finder(ipw.VBox):
    """Find directions: SeFa, principal components, or a boundary between pictures ticked + and −."""

    def __init__(self, session: Session, found: Callable[[list[Direction]], None]) -> None:
        self.session, self._found = session, found
        self._cells: dict[Id, tuple[Latent, Pixels]] = {}  # seed -> what is shown of it
        # widgets
        self.method = ipw.Dropdown(options=METHODS, layout={"width": "190px"})
        self.layers = ipw.Dropdown(
            options={"all layers": range(session.generator.latent_shape[0]), **layer_groups(session.generator)},
            layout={"width": "100px"},
        )
        self.find_button = button("Find", session.guarded(self.find), f"Find {FOUND} directions")
        self.gallery = Filmstrip(
            size=TICK, wrap=True, markable=True, label="Pictures to tick", hint="Drawing pictures…"
        )
        self.name = ipw.Text(placeholder="name, like “smile”", layout={"width": "150px"})
        self.more_button = button("More pictures", session.guarded(self.draw), "Replace them by others; ticks are kept")
        self.make_button = button("Make direction", session.guarded(self.make))
        # layout
        ticks = help_line("Or tick pictures that have it (+) and that lack it (−): click once, twice.")
        super().__init__(
            [
                row("", self.method, self.layers, self.find_button),
                ticks,
                self.gallery,
                row("", self.name, self.make_button, self.more_button),
            ]
        )
        # connections
        self.gallery.on_mark(lambda *_: self.refresh())
        self.method.observe(lambda _: self.refresh(), "value")
        self._seeds = iter(range(1000, 10**6))
        self.refresh()

    def on_open(self) -> None:
        """Draw pictures to tick when the controls are first shown."""
        if not self._cells:
            self.draw()

    # ---- from the controls

    def find(self) -> Turn:
        """Find directions by the chosen method."""
        by_styles, layers, where = self.method.value == "sefa", self.layers.value, self.layers.label
        everywhere = len(layers) == self.session.generator.latent_shape[0]

        def steps() -> Steps:
            yield
            generator = self.session.generator
            found = sefa(generator, None if everywhere else layers, FOUND) if by_styles else pca(generator, FOUND)
            if by_styles and not everywhere:
                found = [replace(d, name=f"{d.name} {where}") for d in found]
            self._found(found)
            return f"{len(found)} directions found: choose one in the list above."

        return self.session.task("finding directions", steps)

    def draw(self) -> Turn:
        """Draw pictures to tick; those ticked already stay."""
        marks: dict[Any, str] = self.gallery.marks
        marked = {seed: cell for seed, cell in self._cells.items() if marks.get(seed)}
        self._cells = marked
        seeds = [next(self._seeds) for _ in range(max(SAMPLES // 2, SAMPLES - len(marked)))]

        def steps() -> Steps:
            for i, seed in enumerate(seeds):
                latent = self.session.generator.sample(seed)
                self._cells[seed] = (latent, self.session.thumbnail(latent, TICK))
                if i % 4 == 3 or seed == seeds[-1]:
                    self.gallery.show([(s, pixels, "") for s, (_, pixels) in self._cells.items()])
                yield

        return self.session.in_background(f"gallery {id(self)}", steps)

    def make(self) -> Turn | None:
        """Find the boundary between the ticked pictures."""
        if self.why_not():
            return None
        marks = dict(self.gallery.marks)
        latents = [self._cells[seed][0] for seed in marks]
        labels = [mark == "+" for mark in marks.values()]
        name = self.name.value.strip() or "my direction"

        def steps() -> Steps:
            yield
            self._found([boundary(self.session.generator, latents, labels, name)])
            return f"{name!r} is the last row now: + leads towards the pictures ticked +."

        return self.session.task("finding a direction", steps)

    def why_not(self) -> str:
        """Say why no direction can be made of the ticks yet; "" if one can."""
        counts = [list(self.gallery.marks.values()).count(mark) for mark in "+-"]
        return (
            ""
            if min(counts) >= 2
            else f"Tick at least two pictures of each kind; there are {counts[0]} + and {counts[1]} −"
        )

    def refresh(self) -> None:
        """Enable what can be done now."""
        allow(self.make_button, self.why_not(), "A linear boundary between the two kinds")
        allow_layers = self.method.value == "sefa"
        self.layers.disabled = not allow_layers
        self.layers.tooltip = "Layers whose styles count" if allow_layers else "PCA looks at W, which has no layers"
