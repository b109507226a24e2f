"""Which container a file is, told from its first bytes and never from its name."""

from __future__ import annotations

import struct
from pathlib import Path

from ..errors import ModelError
from .own import read_own
from .stored import ModelFile

HEAD = 64  # bytes that tell the containers apart


def read_model(path: Path) -> ModelFile:
    """Read the model file at `path`; raises `ModelError` with one sentence if that is not possible."""
    kind = kind_of(path)
    if kind == "safetensors":
        return read_own(path)
    raise ModelError(f"{path.name} is {kind}, not a model: give a .pkl, .pt or .safetensors file of a StyleGAN.")


def kind_of(path: Path) -> str:
    """Return "safetensors", …, or in words what else the file is."""
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        size = path.stat().st_size
    except OSError as error:
        raise ModelError(f"There is no readable file {path}: check the path.") from error
    if len(head) > 8 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] + 8 <= size:
        return "safetensors"
    return "an unknown kind of file"
