"""Open a model's file: type its path, or choose one of those below the notebook's folder."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import torch

from ganedit_widgets.core.conditioning import Schema
from ganedit_widgets.core.errors import LabelError
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.generators.load import load_generator

from .controls import button, named, row
from .frame import Frame
from .panel import Panel
from .session import Session
from .worker import in_thread

ENDINGS = (".safetensors", ".pt", ".pkl")
MOST = 50  # files that are offered
PLACES = ("*", "*/*", "*/*/*")  # patterns below the folder


class ModelOpener(ipw.VBox):
    """A path and Open; `opened(path)` is called in a thread of its own, for a large file takes a while."""

    def __init__(self, session: Session, name: str, opened: Callable[[str], Any], tooltip: str) -> None:
        self.session, self._opened = session, opened
        path = ipw.Combobox(options=model_files(), placeholder="path, or https:// address", layout={"width": "250px"})
        self.path = named(path, f"File of {name}")
        self.open_button = button("Open", session.guarded(self.read), tooltip)
        super().__init__([row("", self.path, self.open_button)])

    def read(self) -> None:
        """Read the file that was typed or chosen."""
        path = self.path.value.strip()
        if not path:
            self.session.tell("Type the path of a model's file, or choose one of the list.", "error")
            return
        self.session.tell(f"Reading {path}…")
        in_thread(self.session.guarded(lambda: self._opened(path)))


def model_files(folder: Path = Path()) -> list[str]:
    """Return the files below `folder` that may be models, the nearest first; 50 at most."""
    found = (p for place in PLACES for p in sorted(folder.glob(place)) if p.suffix in ENDINGS)
    return [p.as_posix() for p in islice(found, MOST)]


def load_labeled(path: str, device: torch.device) -> tuple[Generator, Schema]:
    """Read a self-conditioned model, and return what its labels are about, too. Raises `LabelError` if it has none."""
    generator = load_generator(path, device)
    if generator.schema is None:
        raise LabelError(f"{generator.name} takes no labels either: open a model of `ganedit train self-conditioned`.")
    return generator, generator.schema


class Below:
    """The panel of another model, with a frame of its own, below a panel that stands in a frame: one at a time."""

    def __init__(self, above: Panel) -> None:
        self._above = above
        self.panel: Panel | None = None

    def open(self, panel: Panel) -> None:
        """Show `panel` in place of the one before, whose session ends."""
        frame, outer = Frame(panel.session, [panel], panel.session.generator.name), self._above.frame
        self.close()
        outer.children = (*outer.children, frame)
        self.panel = panel  # last: whoever sees it finds its frame

    def close(self) -> None:
        """Take it away."""
        if self.panel is None:
            return
        frame, outer = self.panel.frame, self._above.frame
        outer.children = tuple(child for child in outer.children if child is not frame)
        frame.close()
        self.panel.session.close()
        self.panel = None
