"""Files of edit vectors: open and save a library, take arrays of other programs, give vectors to them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as ipw

from ganedit_widgets.core.errors import DirectionError
from ganedit_widgets.core.vectors import (
    EditVector,
    import_npy,
    load_vectors,
    npy_bytes,
    save_vectors,
    vectors_bytes,
)
from ganedit_widgets.core.vectors.vector import RANGE

from .chrome import Upload
from .controls import allow, button, help_line, named, row
from .session import Session

if TYPE_CHECKING:
    from .vector_library import VectorLibraryPanel

SPACES = [
    ("in which space?", ""),
    ("W+: a change for each layer", "w+"),
    ("W: one change for all layers", "w"),
]
ASK = "An array does not say what it is: say in which space it lies, and at which scales it looks right."


class VectorFiles(ipw.VBox):
    """Open and save the library; for a .npy file the questions that it leaves open are asked."""

    def __init__(self, panel: VectorLibraryPanel, session: Session) -> None:
        self.panel, self.session, self.board = panel, session, session.vectors
        self._known: set[Path] = set()  # files that were opened or written here, and may be replaced
        # widgets
        self.upload = Upload(
            label="Choose a file…", hint="vectors .safetensors, or an array .npy", accept=".safetensors,.npy"
        )
        path = ipw.Text("vectors.safetensors", layout={"width": "190px"})
        self.path = named(path, "Path of a file on the server")
        self.open_button = button(
            "Open", session.guarded(self.open_path), "Add the vectors of this file to the library"
        )
        self.save_button = button("Save", session.guarded(self.save_path))
        self.download_button = button("Download all", session.guarded(self.download))
        self.npy_button = button("Download as .npy", session.guarded(self.download_npy))
        self.array = ArrayForm(session, self._take_array)
        # layout
        rows = [self.upload, row("", self.path, self.open_button, self.save_button)]
        super().__init__([*rows, self.array, row("", self.download_button, self.npy_button)])
        # connections
        self.upload.on_upload(session.guarded(self.take_file))
        self.refresh()

    def take_file(self, name: str, contents: bytes) -> None:
        """Add the vectors of a file, or ask what the array in it means. Raises `DirectionError` if it is neither."""
        if name.lower().endswith(".npy"):
            self.array.ask(Path(name).stem, contents)
        else:
            self._add(contents, name)

    def open_path(self) -> None:
        """Read the file whose path was typed."""
        path = self._path()
        try:
            contents = path.read_bytes()
        except OSError as error:
            raise DirectionError(f"{path} cannot be read ({error.strerror or error}): check the name.") from None
        self.take_file(path.name, contents)
        self._known.add(path)

    def save_path(self) -> None:
        """Write the library. Raises `DirectionError` if it cannot be written, or would replace an unknown file."""
        path = self._path()
        if path.suffix != ".safetensors":
            raise DirectionError(f"A library is kept in a .safetensors file, not in {path.name}: call it so.")
        if path.exists() and path not in self._known:
            self._known.add(path)
            raise DirectionError(f"There is a file {path} already: open it first, or press Save again to replace it.")
        save_vectors(path, self.board.vectors)
        self._known.add(path)
        self.session.tell(f"{_count(len(self.board.vectors))} saved to {path}.")

    def download(self) -> None:
        """Give the library to the user."""
        contents = vectors_bytes(self.board.vectors)
        self.panel.frame.head.download("vectors.safetensors", "application/octet-stream", contents)

    def download_npy(self) -> None:
        """Give the chosen vector to the user, for other programs."""
        vector = self.panel.browser.vector
        if vector is not None:
            name = re.sub(r"\W+", "-", vector.name).strip("-") or "vector"
            self.panel.frame.head.download(f"{name}.npy", "application/octet-stream", npy_bytes(vector))

    def refresh(self) -> None:
        """Enable what can be done now."""
        nothing = "" if self.board.entries else "The library is empty"
        allow(self.save_button, nothing, "Write the whole library to this file")
        allow(self.download_button, nothing, "The whole library as one file")
        chosen = "" if self.panel.browser.vector is not None else "Choose a vector first"
        allow(self.npy_button, chosen, "The numbers of the chosen vector, (layers, width): other programs read that")

    def _add(self, contents: bytes, name: str) -> None:
        found = list(load_vectors(contents).values())
        twins = [self.board.twin(vector) for vector in found]
        new = [vector for vector, twin in zip(found, twins, strict=True) if twin is None]
        known = [twin for twin in twins if twin is not None]
        self._choose([*self.board.add(*new), *known])
        strange = sum(bool(self.board.foreign(vector)) for vector in new)
        note = f" {strange} of another model can be looked at only." if strange else ""
        there = f", {len(known)} {'was' if len(known) == 1 else 'were'} there already" if known else ""
        self.session.tell(f"{_count(len(new))} of {name} added{there}.{note}")

    def _take_array(self, vector: EditVector) -> None:
        self._choose(self.board.add(vector))
        self.session.tell(f"“{vector.name}” is imported; that its shape fits is all that can be checked.")

    def _choose(self, numbers: list[int]) -> None:
        if numbers:
            self.panel.browser.choose(numbers[0])

    def _path(self) -> Path:
        return Path(self.path.value.strip() or "vectors.safetensors").expanduser()


class ArrayForm(ipw.VBox):
    """What a .npy file does not say; shown once such a file was given. `taken(vector)` is called with the answer."""

    def __init__(self, session: Session, taken: Callable[[EditVector], Any]) -> None:
        self.session, self._taken, self._contents = session, taken, b""
        # widgets
        self.name = named(ipw.Text(layout={"width": "150px"}), "Name of the imported vector")
        text = ipw.Text(placeholder="classes it is about: mouth, teeth", layout={"width": "210px"})
        self.classes = named(text, "Classes that it is about, with commas")
        self.space = named(ipw.Dropdown(options=SPACES, layout={"width": "210px"}), "The space in which it lies")
        self.low = named(ipw.FloatText(RANGE[0], layout={"width": "64px"}), "Smallest scale that looks right")
        self.high = named(ipw.FloatText(RANGE[1], layout={"width": "64px"}), "Largest scale that looks right")
        self.import_button = button("Import", session.guarded(self.take))
        self.cancel_button = button("Cancel", session.guarded(self.close_form), "Forget this file")
        # layout
        rows = [
            row("call it", self.name, self.classes),
            row("it lies in", self.space),
            row("scales", self.low, ipw.HTML("to"), self.high, self.import_button, self.cancel_button),
        ]
        super().__init__([help_line(ASK), *rows], layout={"display": "none"})
        # connections
        self.space.observe(session.guarded(lambda _: self.refresh()), "value")
        self.refresh()

    def ask(self, name: str, contents: bytes) -> None:
        """Ask about the array in `contents`, a .npy file."""
        self._contents, self.name.value, self.space.value = contents, name, ""
        self.layout.display = None
        self.refresh()

    def take(self) -> None:
        """Import the array. Raises `DirectionError` if it does not fit the answers."""
        if not self.space.value:
            raise DirectionError("Say first in which space the array lies.")
        classes = [name.strip() for name in self.classes.value.split(",") if name.strip()]
        scales = (self.low.value, self.high.value)
        generator, name = self.session.generator, self.name.value.strip()
        vector = import_npy(generator, self._contents, name or None, classes, self.space.value, scales)
        self.close_form()
        self._taken(vector)

    def close_form(self) -> None:
        """Ask no more."""
        self._contents = b""
        self.layout.display = "none"

    def refresh(self) -> None:
        """Enable what can be done now."""
        allow(
            self.import_button, "" if self.space.value else "Say first in which space it lies", "Add it to the library"
        )


def _count(number: int) -> str:
    return f"{number} vector{'' if number == 1 else 's'}"
