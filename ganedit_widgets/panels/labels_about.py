"""What a self-conditioned model is compared with, and what its labels mean in the latent space's own units."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any, TypeAlias

import ipywidgets as ipw

from ganedit_widgets.core.conditioning.original import Original
from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.generators.load import has_shipped, load_generator
from ganedit_widgets.core.probes import Direction, load_directions

from .controls import help_line, named, row
from .labels_open import ModelOpener
from .session import Session

Opened: TypeAlias = "Callable[[Generator, tuple[Direction, ...]], Any]"
RAW = "Raw labels say how far w lies along a direction, in the latent space's own units; 0 and 1 stand for these:"


class OriginalForm(ipw.VBox):
    """Paths of the original model and of its directions, and a table of the labels.

    `opened(generator, directions)` is called in a thread of its own.
    """

    def __init__(self, session: Session, original: Original | None, opened: Opened) -> None:
        self.session, self._opened = session, opened
        box = named(ipw.Text(placeholder="directions.safetensors", layout={"width": "250px"}), "File of its directions")
        self.directions_path = box
        self.opener = ModelOpener(session, "the original model", self._open, "Compare with it")
        if original is not None and has_shipped(original.generator.name):
            self.opener.path.value = original.generator.name  # of others only the name is known, not where they lie
        self.table = ipw.HTML(meaning(session.generator))
        self.table.add_class("ge-labels-measures")
        files = [help_line("A file of directions, and the original model:"), row("", box), self.opener]
        super().__init__([*files, help_line(RAW), self.table])

    def _open(self, path: str) -> None:
        """Read the files. Raises `ModelError` or `DirectionError` for what they are not."""
        generator = load_generator(path, self.session.generator.device)
        where = self.directions_path.value.strip()
        directions = load_directions(where or "demo").values() if where or path == "demo" else ()
        self._opened(generator, tuple(directions))


def shipped(generator: Generator) -> tuple[Generator | None, tuple[Direction, ...]]:
    """Return the demo model with its directions, if `generator` was made of it; else None."""
    if generator.schema is None or not generator.schema.fingerprint:
        return None, ()
    try:
        demo = load_generator("demo", generator.device)
    except ModelError:  # this copy has none
        return None, ()
    found = demo.fingerprint == generator.schema.fingerprint
    return (demo, tuple(load_directions("demo").values())) if found else (None, ())


def meaning(generator: Generator) -> str:
    """Return an HTML table: what the labels 0 and 1 are in the latent space's own units, and which way is up."""
    rows = [
        f"<tr><th>{escape(a.name)}</th><td>{a.low:.4g}</td><td>{a.high:.4g}</td><td>{a.typical:.2f}</td>"
        f"<td>{escape(a.sign) or '–'}</td><td>{escape(a.direction) or '–'} ({escape(a.space.upper())})</td></tr>"
        for a in (generator.schema.attributes if generator.schema else ())
    ]
    names = ("label", "raw at 0", "raw at 1", "typical", "more is", "measured along")
    heads = "".join(f"<th>{head}</th>" for head in names)
    return f"<table><tr>{heads}</tr>{''.join(rows)}</table>"
