"""Controls of the parts panel: name, merge and split parts, keep them in a file, read their code."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets as ipw

from ganedit_widgets.core.code import script_files
from ganedit_widgets.core.parts import load_catalog, save_catalog

from .controls import allow, button, help_line, named, row
from .part_figure import figure_of
from .part_find import carry_names
from .pictures import zipped
from .session import Session

if TYPE_CHECKING:
    from .parts import PartsPanel


class PartEditor(ipw.VBox):
    """The name of the selected part, and what can be done with it; everything can be undone."""

    def __init__(self, session: Session) -> None:
        self.session, self.board = session, session.parts
        # widgets
        name = ipw.Text(placeholder="select a part, then name it", continuous_update=False, layout={"width": "190px"})
        self.name = named(name, "Name of the selected part")
        self.merge_button = button("Merge", session.guarded(self.merge))
        self.split_button = button("Split", session.guarded(self.split))
        self.undo_button = button("Undo", session.guarded(self.board.undo))
        self.redo_button = button("Redo", session.guarded(self.board.redo))
        self.carry_button = button("Carry names over", session.guarded(lambda: carry_names(session)))
        # layout
        super().__init__(
            [
                row("part", self.name, self.merge_button, self.split_button),
                row("changes", self.undo_button, self.redo_button, self.carry_button),
            ]
        )
        self.add_class("ge-source")
        # connections
        self.name.observe(session.guarded(lambda _: self.rename()), "value")
        self.refresh()

    def rename(self) -> None:
        """Give the selected part the name that was typed; with several selected it is the name for Merge."""
        selected, typed = self.board.selected, self.name.value
        if len(selected) != 1 or typed == selected[0]:
            return
        try:
            self.board.rename(selected[0], typed)
        finally:
            self.name.value = self.board.selected[0]

    def merge(self) -> None:
        """Make the selected parts one, of the name that was typed."""
        selected = self.board.selected
        self.board.merge(selected, self.name.value)

    def split(self) -> None:
        """Make each cluster of the selected part a part again."""
        if why_not := self._no_split():
            self.session.tell(f"{why_not}.", "error")
            return
        self.board.split(self.board.selected[0])

    def refresh(self) -> None:
        """Follow the catalog and what is selected of it."""
        selected, board = self.board.selected, self.board
        self.name.value = selected[0] if selected else ""
        self.name.disabled = not selected
        few = "" if len(selected) > 1 else "Select two parts or more: Shift+click the others"
        allow(self.merge_button, few, "Make the selected parts one, by this name")
        allow(self.split_button, self._no_split(), "Take the part apart into its clusters")
        allow(self.undo_button, "" if board.can_undo else "Nothing was changed yet", "Take the last change back")
        named = board.catalog is not None and board.named_before() is not None
        no_names = "" if named else "No catalog before this one has names"
        allow(self.carry_button, no_names, "Name the new clusters like those of the catalog before")
        allow(self.redo_button, "" if board.can_redo else "Nothing was undone", "Do again what was undone")

    def _no_split(self) -> str:
        selected, catalog = self.board.selected, self.board.catalog
        if catalog is None or len(selected) != 1:
            return "Select one part"
        single = len(catalog.part(selected[0]).clusters) < 2
        return "It is a single cluster: find more parts to divide it" if single else ""


class PartFiles(ipw.VBox):
    """Save the catalog in a file, or open one of this model."""

    def __init__(self, panel: PartsPanel, session: Session) -> None:
        self.panel, self.session, self.board = panel, session, session.parts
        path = ipw.Text("parts.safetensors", layout={"width": "190px"})
        self.path = named(path, "Path of the catalog's file")
        self.save_button = button("Save", session.guarded(self.save_file))
        self.open_button = button("Open", session.guarded(self.open_file), "Use the catalog in this file")
        self.figure_button = button("Figure", session.guarded(self.download_figure))
        note = help_line("The file holds the clusters, names, colors and contributions; it fits this checkpoint only.")
        super().__init__([row("", self.path, self.save_button, self.open_button, self.figure_button), note])
        self.refresh()

    def save_file(self) -> None:
        """Write the catalog. Raises `LatentError` if there is none, or it cannot be written."""
        save_catalog(self._path(), self.board.require())
        self.session.tell(f"The catalog is saved to {self._path()}.")

    def open_file(self) -> None:
        """Use the catalog in the file. Raises `LatentError` if it is damaged, or another model's."""
        self.board.take(load_catalog(self._path()))
        self.session.tell(f"The catalog of {self._path()} is in use; Undo brings the one before back.")

    def download_figure(self) -> None:
        """Give the user the pictures on show with their parts. Raises `LatentError` if there is no catalog."""
        view = self.panel.view
        contents = figure_of(view.tiles, self.board.require().parts, view.opacity)
        self.panel.frame.head.download("parts.png", "image/png", contents)

    def refresh(self) -> None:
        """Enable what can be done now."""
        nothing = "" if self.board.catalog is not None else "Find parts first"
        allow(self.save_button, nothing, "Write the catalog to this file")
        allow(self.figure_button, nothing, "Download the pictures with their parts and names, as PNG")

    def _path(self) -> Path:
        return Path(self.path.value.strip() or "parts.safetensors").expanduser()


class PartCode(ipw.VBox):
    """The Python that finds the catalog, changes it as was done here, and saves it; and the files it reads."""

    def __init__(self, panel: PartsPanel, session: Session) -> None:
        self.panel = panel
        self.text = ipw.HTML("")
        self.text.add_class("ge-shown-code")
        self.files_button = button("Download its files", session.guarded(self.download))
        super().__init__([self.text, row("", self.files_button)])
        self.refresh()

    def on_open(self) -> None:
        """Write it anew."""
        self.refresh()

    def refresh(self) -> None:
        """Write the code of the catalog in use."""
        code = self.panel.code() or "# no catalog yet: press Find parts"
        self.text.value = f'<pre tabindex="0">{escape(code)}</pre>'
        allow(self.files_button, "" if self.files() else "It needs no files", "The catalog it begins with")

    def files(self) -> dict[str, bytes]:
        """Return name → contents of what the code reads."""
        version = self.panel.board.version
        return {} if version is None else script_files(self.panel.session.generator, version.base)

    def download(self) -> None:
        """Give the user the files that the code reads."""
        self.panel.frame.head.download("files.zip", "application/zip", zipped(self.files()))
