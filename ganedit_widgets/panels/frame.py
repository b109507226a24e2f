"""Frame: what surrounds every panel: head, stage, history, progress, messages, code, files."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets as ipw
import numpy as np

from .chrome import Foot, Head
from .controls import Fold
from .filmstrip import Filmstrip
from .keys import ActionWidget
from .panel import Panel
from .pictures import static_picture, zipped
from .reports import time_left
from .session import Session
from .snapshot import LIMIT, Snapshot, replacing, this_cell
from .stage import Stage
from .turn import Turn

TEXT = "ganedit_widgets: run this cell to edit the picture below."
HELP = (
    "Change something and watch the picture. Apply records the change; the strip below it is the history. Who goes on "
    "elsewhere builds on what is on show: it is recorded before, and that is said."
)
BLANK = np.full((64, 64, 3), 128, np.uint8)  # a thumbnail that is not drawn yet
WIDTH = 384  # CSS pixels of the stage
_shown: dict[str, tuple[str, list[Any]]] = {}  # cell -> (its last run, the frames that showed)

PanelMaker = Callable[[Session], Panel]


class Frame(ipw.VBox):
    """One or several panels around one session, in one cell.

    `panels` are panels of this session, or classes (or functions) that make one when its tab is first chosen.
    """

    help = HELP

    _links: list[tuple[Any, str]] = []  # noqa: RUF012 (replaced, never changed)

    def __init__(self, session: Session, panels: Sequence[Panel | PanelMaker], title: str = "") -> None:
        self.session, self._makers = session, list(panels)
        self._panels: dict[int, Panel] = {}
        # widgets
        self.stage = Stage(width=WIDTH, actions=["undo", "redo"], alt=f"Picture of {session.generator.name}")
        self.strip = Filmstrip(label="History", size=56)
        self.foot = Foot()
        self.head = Head(
            title=title or getattr(panels[0], "title", ""),
            chips=_chips(session),
            tabs=[getattr(panel, "title", "") for panel in panels],
            hints=[getattr(panel, "hint", "") for panel in panels],
            help=self.help,
        )
        self.snapshot = Snapshot(session)
        # layout
        self._pictures, self._side = _box("ge-views", self.stage), _box("ge-side")
        left = _box("ge-picture-side", self._pictures, self.strip, self.foot)
        super().__init__([self.head, _box("ge-body", left, self._side)])
        self.add_class("ge-studio")
        # connections
        self._drawer = ""
        self._connect()
        self._choose()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.session!r})"

    @property
    def panel(self) -> Panel:
        """The panel on show."""
        return self._panels[self.head.tab]

    def close(self) -> None:
        """Remove everything from every page; the session stays."""
        for fn, trait in self._links:
            self.session.unobserve(fn, trait)
        self._links = []
        for widget in list(_inside(self)):
            widget.close()
        super().close()

    def download(self, page: str = "") -> Turn:
        """Record what is on show and give the picture, with its recipe, to the user of `page` (any, if empty)."""
        file = io.BytesIO()
        turn = self.session.save(file)
        name = Path(self.head.path).name

        def give(turn: Turn) -> None:
            if turn.error is None:
                self.head.download(name, "image/png", file.getvalue(), page)

        turn.on_end(give)
        return turn

    # ---- from the browser

    def _connect(self) -> None:
        self._listen(self)
        self.head.on_order(self.session.guarded(self._obey))
        self.head.on_upload(self.session.guarded(lambda name, contents: self.session.load(contents)))
        self.head.observe(self.session.guarded(self._choose), "tab")
        self.strip.on_select(self.session.guarded(self.session.go_to))
        for fn, traits in (
            (self._on_pixels, "pixels"),
            (self._on_before, "before"),
            (self._on_entries, "entries"),
            (self._on_busy, "busy progress"),
            (self._on_message, "message"),
        ):
            for trait in traits.split():
                self.session.observe(fn, trait)
                self._links = [*self._links, (fn, trait)]
            fn()

    def _listen(self, widget: ipw.Widget) -> None:
        """Hear the keys of every widget inside `widget`, and of those that are made later."""
        for part in (widget, *_inside(widget)):
            if isinstance(part, ActionWidget):
                part.on_action(self.session.guarded(self._act))
            if isinstance(part, Fold):
                part.on_made = self._listen

    def _act(self, name: str) -> None:
        if name == "apply":
            self.panel.apply()
        elif name == "save":
            self.download()
        else:
            getattr(self.session, name)()  # undo, redo, stop

    def _obey(self, order: str, argument: str) -> None:
        if order == "save":
            self.head.path = argument
            self.session.save(Path(argument).expanduser())
        elif order == "open":
            self.session.load(Path(argument).expanduser())
        elif order == "png":
            self.download(argument)
        elif order == "files":
            self.head.download("files.zip", "application/zip", zipped(self.session.code_files()), argument)
        else:
            self._drawer = argument
            self._write_code()

    def _choose(self, _: object = None) -> None:
        """Show the panel of the chosen tab, making it first if need be."""
        index = self.head.tab
        if index not in self._panels:
            made = self._makers[index]
            panel = self._panels[index] = made if isinstance(made, Panel) else made(self.session)
            panel.enter(self)
            self._listen(panel)
            self._side.children = (*self._side.children, panel)
            if panel.view is not None:
                self._pictures.children = (*self._pictures.children, panel.view)
        for i, panel in self._panels.items():
            panel.layout.display = None if i == index else "none"
            if panel.view is not None:
                panel.view.layout.display = None if i == index else "none"
        beside = self.panel.beside
        self.stage.layout.display = None if self.panel.view is None or beside else "none"
        self.stage.width = beside or WIDTH

    # ---- from the session, mostly in the worker's thread

    def _on_pixels(self, _: object = None) -> None:
        self.stage.show(self.session.pixels, moving=self.session.moving)
        if not self.session.moving:
            self._on_rest()

    def _on_rest(self) -> None:
        preview = "preview, not recorded · " if self.session.pending is not None else ""
        self.stage.status = f"{preview}{_size(self.session)} · {1000 * self.session.seconds_per_picture:.0f} ms"
        self.stage.disabled = _reasons(self.session)
        self._write_code()
        self.snapshot.follow()

    def _on_before(self, _: object = None) -> None:
        if self.session.before is not None:
            self.stage.show_before(self.session.before)

    def _on_entries(self, _: object = None) -> None:
        entries = self.session.entries
        cells = [(e.number, BLANK if e.thumbnail is None else e.thumbnail, e.label) for e in entries]
        self.strip.show(cells, self.session.history.index, [e.number for e in entries if e.undone])
        self.stage.disabled = _reasons(self.session)

    def _on_busy(self, _: object = None) -> None:
        progress = self.session.progress
        self.foot.progress = (
            {} if progress is None else {"step": progress.step, "total": progress.total, "left": time_left(progress)}
        )
        self.foot.busy = self.session.busy
        self.stage.busy = bool(self.session.busy)

    def _on_message(self, _: Mapping[str, Any] | None = None) -> None:
        text, level = self.session.message
        self.foot.details = self.session.details
        self.foot.level, self.foot.text = level, text

    def _write_code(self) -> None:
        if self._drawer == "code":
            self.head.code = self.session.code()

    # ---- in a cell

    def _ipython_display_(self) -> None:
        from IPython.display import display

        replacing(this_cell, _shown, self)
        bundle = ipw.VBox._repr_mimebundle_(self) or {}
        display({**bundle, "text/plain": TEXT}, raw=True)
        self.snapshot.show()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Return the widget with a still picture, for whoever asks without displaying."""
        bundle = super()._repr_mimebundle_(**kwargs) or {}
        return {**bundle, **static_picture(self.session.pixels, LIMIT), "text/plain": TEXT}


def _box(name: str, *children: ipw.Widget) -> ipw.Box:
    box = ipw.Box(list(children))
    box.add_class(name)
    return box


def _inside(widget: ipw.Widget) -> Iterator[ipw.Widget]:
    """Yield every widget inside `widget`."""
    for child in getattr(widget, "children", ()):
        yield child
        yield from _inside(child)


def _size(session: Session) -> str:
    height, width = session.generator.size
    return f"{width} × {height}"


def _chips(session: Session) -> list[tuple[str, str]]:
    generator = session.generator
    device = str(generator.device)
    rows, columns = generator.latent_shape
    about = f"{generator.family}, {rows} style layers of {columns} numbers, checkpoint {generator.fingerprint}"
    return [(generator.name, about), (_size(session), "Size of its pictures"), (device, "Where it is computed")]


def _reasons(session: Session) -> dict[str, str]:
    history, reasons = session.history, {}
    if not history.can_undo and session.pending is None:
        reasons["undo"] = "this is where it begins"
    if not history.can_redo:
        reasons["redo"] = "nothing was undone"
    return reasons
