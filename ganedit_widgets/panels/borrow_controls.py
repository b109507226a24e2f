"""Controls of the borrow panel: six references to choose from, and the rule by which channels are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.edits import Sample, latent_of
from ganedit_widgets.core.groups import layer_groups

from .borrow_layers import LayerStrengths
from .controls import Fold, button, help_line, named, row
from .filmstrip import Filmstrip, Id
from .knobs import Row
from .pictures import Pixels
from .session import Session
from .sources import PSI, Choice
from .worker import Steps

COUNT, SIZE = 6, 56  # references offered at a time; their height in pixels
RULES = [
    ("greedy: what matters most", "greedy"),
    ("simple: all, by their share", "simple"),
    ("soft: this part's alone", "soft"),
    ("global: everything, to compare", "global"),
]
STRENGTHS = {  # the slider's end, its step, and where it begins
    "greedy": (0.5, 0.005, 0.15),
    "simple": (5.0, 0.05, 1.0),
    "soft": (1.0, 0.01, 1.0),
    "global": (1.0, 0.01, 0.5),
}
LAYERS = "Strength of single layers"
PROTECT = {
    "key": "protect",
    "label": "protect the rest",
    "min": 0,
    "max": 1,
    "step": 0.01,
    "value": 0.1,
    "default": 0.1,
}


def strength_row(rule: str) -> Row:
    """Return the slider of a rule's budget."""
    most, step, _ = STRENGTHS[rule]
    return {"key": "strength", "min": 0, "max": most, "step": step}


class References(ipw.VBox):
    """A row of six pictures of seeds; `chosen(choice)` is called with the one that is clicked."""

    def __init__(self, session: Session, chosen: Callable[[Choice], Any]) -> None:
        self.session, self._chosen = session, chosen
        self._first = 1  # seed
        self._cells: list[tuple[Id, Pixels, str]] = []
        self._current: Id | None = None
        self.strip = Filmstrip(size=SIZE, wrap=True, label="References to choose from", hint="Drawing pictures…")
        self.more_button = button("Other six", session.guarded(self.more), "Six other pictures to borrow from")
        self.buttons = row("", self.more_button)
        super().__init__([self.strip, self.buttons])
        self.add_class("ge-source")
        self.strip.on_select(session.guarded(self._on_select))

    @property
    def seeds(self) -> range:
        """The seeds on offer."""
        return range(self._first, self._first + COUNT)

    def more(self) -> None:
        """Offer six others."""
        self._first += COUNT
        self.draw()

    def draw(self) -> None:
        """Draw the pictures in the background."""
        self.session.in_background(f"references {id(self)}", self._draw)

    def mark(self, choice: Choice | None) -> None:
        """Outline the reference in use, if it is one of the six."""
        source = None if choice is None else choice.source
        self._current = source.seed if isinstance(source, Sample) and source.psi == PSI else None
        self.strip.show(self._cells, self._current)

    def _draw(self) -> Steps:
        cells: list[tuple[Id, Pixels, str]] = []
        for seed in self.seeds:
            yield
            latent = latent_of(self.session.generator, Sample(seed, PSI))
            cells.append((seed, self.session.thumbnail(latent, SIZE), f"seed {seed}"))
        self._cells = cells
        self.strip.show(cells, self._current)

    def _on_select(self, key: Id) -> None:
        self._chosen(Choice(Sample(int(key), PSI), f"seed {key}"))


class Options(ipw.VBox):
    """Which channels are taken, of which layers, and how; `changed(moving)` is called when one of them is another."""

    def __init__(self, session: Session, changed: Callable[[bool], Any]) -> None:
        self._changed = changed
        self._groups = layer_groups(session.generator)
        self._rows = session.generator.style_layers
        self.rule = named(ipw.Dropdown(options=RULES, layout={"width": "200px"}), "Which channels are taken")
        self.norm = _check("keep the length of what is replaced")
        self.colors = _check("colors of toRGB layers too")
        self.fraction = _check("a share of the last channel")
        self.groups = {
            name: ipw.ToggleButton(
                value=True, description=f"✓ {name}", tooltip=f"Whether layers {rows.start} to {rows.stop - 1} change"
            )
            for name, rows in self._groups.items()
        }
        self.layers_fold = Fold(LAYERS, lambda: self._single(session))
        super().__init__(
            [
                row("rule", self.rule),
                row("layers", *self.groups.values()),
                self.layers_fold,
                row("", self.norm, self.colors, self.fraction),
                help_line("Protect leaves out channels with less of their energy in the part than this."),
            ]
        )
        self.rule.observe(session.guarded(lambda _: self._on_rule()), "value")
        for control in (self.norm, self.colors, self.fraction, *self.groups.values()):
            control.observe(session.guarded(lambda _: self._on_change()), "value")

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of `Borrow` that they mean."""
        off = {i for name, toggle in self.groups.items() if not toggle.value for i in self._groups[name]}
        left_out = {name: 0.0 for name, layer in self._rows.items() if layer in off and name != "input"}
        return {
            "rule": self.rule.value,
            "keep_norm": self.norm.value,
            "colors": self.colors.value,
            "fraction": self.fraction.value,
            "layers": left_out | self._own,
        }

    @property
    def _own(self) -> dict[str, float]:
        return self.layers_fold.content.own if self.layers_fold.made else {}

    def _single(self, session: Session) -> LayerStrengths:
        made = LayerStrengths(session, self._on_change)
        made.take(*STRENGTHS[self.rule.value])
        return made

    def _on_rule(self) -> None:
        if self.layers_fold.made:
            self.layers_fold.content.take(*STRENGTHS[self.rule.value])
        self._on_change()

    def _on_change(self, moving: bool = False) -> None:
        for name, toggle in self.groups.items():
            toggle.description = f"✓ {name}" if toggle.value else name  # a color alone would not do for everybody
        self.layers_fold.title = f"{LAYERS} ({len(self._own)} ticked)" if self._own else LAYERS
        self._changed(moving)


def _check(text: str) -> ipw.Checkbox:
    return ipw.Checkbox(description=text, indent=False, layout={"width": "auto"})
