"""Which container a file is, told from its first bytes and never from its name."""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

from ..errors import ModelError
from .names import TORCH_FILE
from .own import read_own
from .pickles import BROKEN
from .plain import read_plain
from .rosinality import is_rosinality, read_rosinality
from .stored import ModelFile
from .torch_stream import read_stream
from .torch_zip import read_zip

HEAD = 512  # bytes that tell the containers apart
STREAM = bytes.fromhex("80028a0a6cfc9c46f920 6aa85019")  # the first pickle of an old torch.save
OTHER = {  # what people give by mistake: first bytes -> its name
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    b"GIF8": "a GIF picture",
    b"RIFF": "a WebP picture or a sound",
    b"\x1f\x8b": "a gzip archive: unpack it first",
    b"\x89HDF": "an HDF5 file",
    b"%PDF": "a PDF document",
    b"version https://git-lfs": "a pointer of Git LFS to the real file: fetch that with `git lfs pull`",
}


def read_model(path: Path) -> ModelFile:
    """Read the model file at `path`; raises `ModelError` with one sentence if that is not possible.

    The file is mapped, not read: only the weights of the networks that are built afterwards are copied from it.
    """
    kind = kind_of(path)
    if kind == "safetensors":
        return read_own(path)
    with path.open("rb") as file:
        data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        return _read(kind, data, path.name)
    except BROKEN as error:  # the content contradicts itself, in one of the many ways a file can
        raise ModelError(f"{path.name} is damaged ({str(error)[:100]}): fetch it again.") from error


def _read(kind: str, data: memoryview, file: str) -> ModelFile:
    if kind == "pickle":
        return read_plain(data, file)
    root: Any = read_zip(data, file) if kind == "zip" else read_stream(data, TORCH_FILE, file)
    if isinstance(root, dict) and is_rosinality(root):
        return read_rosinality(root, "zip" if kind == "zip" else "old container", file)
    raise ModelError(f"{file} is a PyTorch file without 'g_ema': give a checkpoint of a StyleGAN2 generator.")


def kind_of(path: Path, name: str | None = None) -> str:
    """Return "safetensors", "zip", "stream" or "pickle"; raises `ModelError` for everything else, in words.

    `name` stands for the file in the message.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
        size = path.stat().st_size
    except OSError as error:
        raise ModelError(f"There is no readable file {path}: check the path.") from error
    if head.startswith(b"PK\x03\x04"):
        return "zip"
    if head.startswith(STREAM):
        return "stream"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05"):
        return "pickle"
    if head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] + 8 <= size:
        return "safetensors"
    raise ModelError(
        f"{name or path.name} is {_otherwise(head)}, not a model: give a .pkl, .pt or .safetensors of a StyleGAN."
    )


def _otherwise(head: bytes) -> str:
    if not head:
        return "empty"
    for start, name in OTHER.items():
        if head.startswith(start):
            return name
    if head.lstrip()[:14].lower().startswith((b"<!doctype html", b"<html")):
        return "a web page"
    try:
        text = head.decode("utf-8", "strict" if len(head) < HEAD else "ignore")
    except UnicodeDecodeError:
        return "an unknown or truncated kind of file"
    visible = text.translate({ord(c): None for c in "\r\n\t"}).isprintable()
    return "a text file" if visible else "an unknown or truncated kind of file"
