"""What a session shows: the picture, the one to compare with, the history and its thumbnails."""

from __future__ import annotations

from functools import partial

import traitlets as tr

from ganedit_widgets.core.edits import Edit, Restore, Sample
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.history import Entry, History
from ganedit_widgets.core.image import Picture, Pixels
from ganedit_widgets.core.latent import Latent

from .notes import Stop, label_of
from .painter import Painter, shrunk
from .reports import Reports
from .turn import Turn
from .worker import Priority, Steps, Worker

START = Sample(4, 0.7)  # what a session begins with: of the demo's first pictures the nicest
THUMBNAIL = 64  # pixels: height


class Showing(Reports):
    """The part of a session that is seen. Observe its traits; they change in the worker's thread."""

    pixels = tr.Any(help="the picture on show, (H, W, 3) uint8; a smaller one while `moving`")
    before = tr.Any(help="the picture to compare with, (H, W, 3) uint8")
    entries = tr.Any((), help="the history: a tuple of Stop(number, label, thumbnail, undone)")

    def __init__(self, generator: Generator, latent: Latent | None, worker: Worker) -> None:
        super().__init__()
        self.generator = generator
        self.moving = False  # whether a better picture than `pixels` follows at once
        self.history = History(generator.average())
        first: Edit = START if latent is None else Restore(latent, "start")
        self.history.push(first, next(iter(first.steps(generator, self.history.latent))))
        self._pending: tuple[Edit, Latent] | None = None  # what a preview shows, not yet recorded
        self._pending_by: object = None  # who asked for it
        self._painter = Painter(generator)
        self._worker = worker

    def _show(self, pixels: Pixels | None, moving: bool = False) -> None:
        if pixels is not None:
            self.moving = moving
            self.pixels = pixels

    def _compare(self) -> None:
        """Set the picture to compare with: what the edit aims at, else the picture before it."""
        index = self.history.index
        if self._pending is not None:
            self.before = self._painter.full(self.history.latent)
            return
        aim = getattr(self.history.entries[index].edit, "picture", None)
        if aim is not None:
            self.before = (aim if isinstance(aim, Picture) else Picture(aim)).fitted(self.generator.size)
        else:
            self.before = self._painter.full(self.history.entries[max(0, index - 1)].latent)

    def _list(self) -> None:
        """Tell the history; thumbnails that are missing are drawn when nothing else is to be done."""
        entries = self.history.entries
        here = entries[self.history.index]
        if here.thumbnail is None:
            here.thumbnail = shrunk(self._painter.full(here.latent), THUMBNAIL)
        self.entries = tuple(
            Stop(i, "average" if entry.edit is None else label_of(entry.edit), entry.thumbnail, i > self.history.index)
            for i, entry in enumerate(entries)
        )
        missing = [entry for entry in entries if entry.thumbnail is None]
        if missing:
            draw = partial(self._draw_thumbnails, missing)
            self._worker.submit(draw, lane=(self, "thumbnails"), priority=Priority.IDLE, slot="thumbnails")

    def _draw_thumbnails(self, missing: list[Entry], turn: Turn) -> Steps:
        for entry in missing:
            if turn.over:
                return
            entry.thumbnail = self._painter.thumbnail(entry.latent, THUMBNAIL)
            yield
        self._list()
