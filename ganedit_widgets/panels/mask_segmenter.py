"""The segmenter of the mask panel: what it is, or how to get one."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets as ipw

from ganedit_widgets.core.segment import load_segmenter

from .chrome import Upload
from .controls import button, help_line, named, row
from .session import Session

NONE = (
    "There is no segmenter of this model yet: open one here, or train one from labeled pictures with "
    "“ganedit train segmenter”."
)


class SegmenterForm(ipw.VBox):
    """Says which segmenter is in use, and opens another from a file on the server or of the user's own."""

    def __init__(self, session: Session) -> None:
        self.session, self.board = session, session.segments
        # widgets
        self.said = help_line("")
        path = ipw.Text(placeholder="path on the server, .safetensors", layout={"width": "230px"})
        self.path = named(path, "Path of a segmenter")
        self.open_button = button("Open", session.guarded(self.open_path), "Use the segmenter in this file")
        self.upload = Upload(label="Choose a segmenter…", hint="a .safetensors file of yours", accept=".safetensors")
        # layout
        super().__init__([self.said, row("", self.path, self.open_button), self.upload])
        self.add_class("ge-source")
        # connections
        self.upload.on_upload(session.guarded(self.take_file))
        self.refresh()

    def open_path(self) -> None:
        """Use the segmenter in the file whose path was typed."""
        path = self.path.value.strip()
        if not path:
            self.session.tell("Type the path of a segmenter, such as parts.safetensors.", "error")
            return
        self.board.open(Path(path).expanduser())
        self.session.tell("")

    def take_file(self, name: str, contents: bytes) -> None:
        """Use an uploaded segmenter. Raises `SegmentError` if it is none, or another model's."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / (Path(name).name or "segmenter.safetensors")
            path.write_bytes(contents)
            found = load_segmenter(path, self.session.generator)
        self.board.take(replace(found, code=""))  # its file is gone: the code that is shown brings its own
        self.session.tell("")

    def refresh(self, _: Any = None) -> None:
        """Say what is in use."""
        segmenter = self.board.segmenter
        self.said.value = NONE if segmenter is None else (
            f"In use: {len(segmenter.classes)} classes, learned from {segmenter.pictures} labeled pictures."
        )  # fmt: skip
