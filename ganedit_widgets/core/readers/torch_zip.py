"""The current `torch.save` container: a zip file with one pickle and the raw numbers of each storage."""

from __future__ import annotations

import io
import struct
import zipfile
from typing import Any

from ..errors import ModelError
from .inert import Storage
from .names import TORCH_FILE
from .pickles import Pickle
from .torch_stream import storage_in

LOCAL_HEADER = struct.Struct("<4s5H3I2H")


def read_zip(data: memoryview, file: str) -> Any:
    """Return the object of a zip container as inert records; the numbers stay in `data`."""
    entries = _entries(data, file)
    root = [name for name in entries if name.count("/") == 1 and name.endswith("/data.pkl")]
    if len(root) != 1:
        raise ModelError(f"{file} is a zip file without a PyTorch model: give a .pt file made by torch.save.")
    folder = root[0][: -len("data.pkl")]
    order = entries.get(f"{folder}byteorder")
    if order is not None and bytes(order) != b"little":
        raise ModelError(f"{file} was written on a big-endian machine: save it again on a usual one.")
    storages: dict[str, Storage] = {}
    pickle = Pickle(entries[root[0]], TORCH_FILE, file, storage_of=lambda record: storage_in(storages, record))
    found = pickle.load()
    for key, storage in storages.items():
        storage.data = entries.get(f"{folder}data/{key}")
    return found


def _entries(data: memoryview, file: str) -> dict[str, memoryview]:
    """Return name → bytes; stored entries only, as PyTorch writes them (so nothing can unfold to gigabytes)."""
    try:
        with zipfile.ZipFile(_View(data)) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeError, struct.error) as error:
        raise ModelError(f"{file} is a damaged or truncated zip file: fetch it again.") from error
    return {info.filename: _content(data, info, file) for info in found}


def _content(data: memoryview, info: zipfile.ZipInfo, file: str) -> memoryview:
    if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
        raise ModelError(f"{file} is a compressed or encrypted zip file, not a PyTorch model.")
    header = data[info.header_offset : info.header_offset + LOCAL_HEADER.size]
    if len(header) != LOCAL_HEADER.size or bytes(header[:4]) != b"PK\x03\x04":
        raise ModelError(f"{file} is a damaged or truncated zip file: fetch it again.")
    *_, name, extra = LOCAL_HEADER.unpack(header)
    start = info.header_offset + LOCAL_HEADER.size + name + extra
    content = data[start : start + info.file_size]
    if len(content) != info.file_size:
        raise ModelError(f"{file} is a truncated zip file: fetch it again.")
    return content


class _View(io.RawIOBase):
    """A mapped file as a file, without copying it."""

    def __init__(self, data: memoryview) -> None:
        self.data, self.position = data, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self.position = max(0, offset + (0, self.position, len(self.data))[whence])
        return self.position

    def tell(self) -> int:
        return self.position

    def read(self, size: int | None = -1) -> bytes:
        stop = len(self.data) if size is None or size < 0 else self.position + size
        part = bytes(self.data[self.position : stop])
        self.position += len(part)
        return part
