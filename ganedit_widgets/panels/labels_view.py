"""The picture of the original generator beside the self-conditioned one's, and how far each has gone."""

from __future__ import annotations

from collections.abc import Callable, Container
from html import escape

import ipywidgets as ipw

from ganedit_widgets.core.conditioning.original import Change, Original, change_between, labels_of, neutral
from ganedit_widgets.core.latent import Latent

from .painter import Painter
from .session import Session
from .stage import Stage
from .worker import Steps

SIDE = 300  # CSS pixels of each of the two pictures
HEAD = (
    "Labels as the model's class head reads them, first with those that are typical, then as set. It is a judge of its "
    "own, and near the ends it reads less than is set."
)
NO_HEAD = "This model has no class head, which would read labels."
LOOK = "Look: how much the picture changed in all, 0 for not at all; it stands in for identity."
NEAR = 0.005  # labels that differ less are the typical ones
LEAST = 0.05  # σ that are worth telling
MISSING = "Open the model that this one was made of (below), to see the same edit there."


class OriginalView(ipw.VBox):
    """What the original generator makes of the same latent and labels; it follows the session's picture."""

    def __init__(self, session: Session, seen: Callable[[], bool]) -> None:
        self.session, self._seen = session, seen
        self.original: Original | None = None
        self._painter: Painter | None = None
        self._last: tuple[Latent, bool] | None = None  # what was drawn, and whether it moved
        # widgets
        self.caption = ipw.HTML()
        self.stage = Stage(width=SIDE, alt="The same edit on the original model", status=MISSING)
        super().__init__([self.caption, self.stage])
        self.add_class("ge-original")
        self._say({})

    def take(self, original: Original) -> None:
        """Compare with this generator from now on; to be called in the worker's thread."""
        self.original, self._painter, self._last = original, Painter(original.generator), None
        self.follow()

    def follow(self) -> None:
        """Draw what the session shows; in the worker's thread, for both pictures belong to the same moment."""
        if self.original is None or self._painter is None or not self._seen():
            return
        moving, shown = self.session.moving, self.session.shown
        if self._last is not None and self._last[0] is shown and self._last[1] is moving:
            return  # a search runs, and what is recorded stays as it is
        self._last = (shown, moving)
        latent = self.original.latent(shown)
        self.stage.show(self._painter.quick(latent) if moving else self._painter.full(latent), moving=moving)
        if not moving:
            height, width = self.original.generator.size
            self.stage.status = f"{width} × {height} · {self.original.generator.name}"
        self._say(self.original.strengths(shown))

    def compare(self, before: Latent) -> None:
        """Let the user compare with what the original makes of `before`; in the worker's thread."""
        if self.original is not None and self._painter is not None:
            self.stage.show_before(self._painter.full(self.original.latent(before)))

    def _say(self, strengths: dict[str, float]) -> None:
        parts = []
        if self.original is not None:
            far = sorted(strengths.items(), key=lambda item: -abs(item[1]))  # the line may be cut
            parts = [f"{self.original.directions[name].name} {x:+.1f} σ" for name, x in far if abs(x) >= LEAST]
            changed = changed_labels(self.session)
            parts += [f"no direction of {n}" for n in changed if n not in self.original.directions]
        said = escape(", ".join(parts))
        text = f'<b>original</b> <span title="{said}">{said}</span>'
        if self.caption.value != text:
            self.caption.value = text


class Measures(ipw.HTML):
    """A table: the labels that the class head reads in both pictures, and how much their looks have changed."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.changes: dict[str, Change] = {}  # of which picture
        self.add_class("ge-labels-measures")

    def steps(self, original: Original | None) -> Steps:
        """Measure how far the pictures on show are from those with the typical labels."""
        session = self.session
        shown, generator = session.shown, session.generator
        wanted, changed = labels_of(generator, shown), changed_labels(session)
        if not changed:
            self.changes, self.value = {}, ""
            return
        base = neutral(shown)
        changes = {}
        yield
        if original is not None:
            draw = original.generator.draw
            changes["original"] = change_between(generator, draw(original.latent(base)), draw(original.latent(shown)))
            yield
        changes["self-conditioned"] = change_between(generator, generator.draw(base), generator.draw(shown))
        self.changes, self.value = changes, table(wanted, changes, changed)


def changed_labels(session: Session) -> list[str]:
    """Return the attributes of what is shown whose labels are not the typical ones."""
    schema = session.generator.schema
    shown = labels_of(session.generator, session.shown)
    return [name for name, v in shown.items() if schema is not None and abs(v - schema[name].typical) > NEAR]


def table(wanted: dict[str, float], changes: dict[str, Change], changed: Container[str]) -> str:
    """Return an HTML table: a row for each attribute, marked if it `changed`, and one for the look."""
    heads = "".join(f"<th>{head}</th>" for head in ("", "set to", *changes))
    rows = []
    for name, v in wanted.items():
        cells = [f"{c.before[name]:.2f} → {c.after[name]:.2f}" if c.after else "–" for c in changes.values()]
        mark = ' class="ge-set"' if name in changed else ""
        rows.append(f"<tr{mark}><th>{escape(name)}</th>{''.join(map(_cell, [f'{v:.2f}', *cells]))}</tr>")
    looks = [f"{change.look:.3f}" for change in changes.values()]
    rows.append(f"<tr><th>look</th>{''.join(map(_cell, ['', *looks]))}</tr>")
    read = any(change.after for change in changes.values())
    note = f"{HEAD if read else NO_HEAD} {LOOK}"
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table><div class='ge-labels-note'>{note}</div>"


def _cell(text: str) -> str:
    return f"<td>{text}</td>"
