"""The old `torch.save` container: five pickles, then raw numbers; also nested in the storages of official pickles."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ModelError
from .inert import Storage, Tag
from .names import STORAGES, Allowed, Pair
from .pickles import Pickle

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


def storage_in(storages: dict[str, Storage], record: Any) -> Storage:
    """Return the storage of a persistent tuple ('storage', type, key, place, count[, view]), entered in `storages`."""
    if not isinstance(record, tuple) or len(record) not in (5, 6) or record[0] != "storage":
        raise ValueError("it refers to an unknown kind of data")
    if len(record) == 6 and record[5] is not None:
        raise ValueError("a storage is a view of another one")
    kind, key, count = record[1], record[2], record[4]
    tag = kind.itself if isinstance(kind, Allowed) else None
    if not isinstance(tag, Tag) or not tag.dtype or type(key) is not str or type(count) is not int or count < 0:
        raise ValueError("a storage has an unknown layout")
    known = storages.setdefault(key, Storage(tag.dtype, count))
    if (known.dtype, known.count) != (tag.dtype, count):
        raise ValueError("one storage has two layouts")
    return known


def read_stream(data: memoryview, names: dict[Pair, Allowed], file: str) -> Any:
    """Return the object of an old container; raises `ModelError` if it is damaged or unusual."""
    position = 0
    storages: dict[str, Storage] = {}
    found: list[Any] = []
    for i in range(5):
        pickle = Pickle(data, names if i == 3 else {}, file, position, lambda record: storage_in(storages, record))
        found.append(pickle.load())
        position = pickle.position
    magic, protocol, system, root, keys = found
    if (
        magic != MAGIC
        or protocol != PROTOCOL
        or not isinstance(system, dict)
        or system.get("little_endian") is not True
    ):
        raise ModelError(f"{file} holds an unknown kind of PyTorch stream: save it again with a current PyTorch.")
    if not isinstance(keys, list) or any(type(key) is not str for key in keys) or set(keys) != set(storages):
        raise ModelError(f"{file} is damaged: its list of storages does not fit its tensors.")
    for key in keys:
        position = _fill(storages[key], data, position, file)
    return root


def _fill(storage: Storage, data: memoryview, position: int, file: str) -> int:
    start = position + 8
    stop = start + storage.count * np.dtype(storage.dtype).itemsize
    if stop > len(data) or int.from_bytes(data[position:start], "little", signed=True) != storage.count:
        raise ModelError(f"{file} is truncated or damaged: a tensor has other bytes than announced.")
    storage.data = data[start:stop]
    return stop


def load_from_bytes(data: object) -> Storage:
    """Stand in for `torch.storage._load_from_bytes`: the bytes are further pickles, read just as strictly."""
    if not isinstance(data, memoryview):
        raise ValueError("a storage has no bytes")
    storage = read_stream(data, STORAGES, "A tensor inside the model file")
    if not isinstance(storage, Storage):
        raise ValueError("a storage is something else")
    return storage
