"""Records as plain JSON and back: numbers exactly, arrays compressed, classes by name from a list; never code."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from importlib import import_module
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .codec_table import SHARED, TYPE, Table
from .errors import ImageError, RecipeError
from .expression import is_harmless
from .image import Picture, as_png, read_image
from .latent import Latent

Class = TypeVar("Class", bound=type)
DTYPES = ("float32", "float64", "float16", "uint8", "int16", "int32", "int64", "bool")
MOST = 2**28  # bytes of one array: a file cannot ask for more
HOMES = ("edits", "parts", "probes", "segment", "align")  # every dataclass that these packages export can be written
DAMAGED = (  # what reading another's data may raise
    KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError, zlib.error, ImageError,
)  # fmt: skip
_own: dict[str, type] = {}


class UnknownRecordError(RecipeError):
    """A record of a class that this installation does not know."""


def recordable(cls: Class) -> Class:
    """Let recipes keep your own edit: put `@recordable` above its `@dataclass` line."""
    _own[cls.__name__] = cls
    return cls


def known() -> dict[str, type]:
    """Return name → class of every dataclass that can be written and read."""
    found: dict[str, Any] = {"Latent": Latent, "Picture": Picture}
    for home in HOMES:
        module = import_module(f"{__package__}.{home}")
        found |= {n: getattr(module, n) for n in module.__all__ if is_dataclass(getattr(module, n))}
    return found | _own


def encode(value: Any, table: Table | None = None) -> Any:
    """Return `value` as what JSON can hold; with a `table`, what is long goes there and is referred to.

    Raises `UnknownRecordError` for a class that cannot be read back.
    """
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else {TYPE: "float", "text": str(float(value))}
    if isinstance(value, tuple | list):
        return {TYPE: type(value).__name__, "items": [encode(x, table) for x in value]}
    if isinstance(value, range):
        return {TYPE: "range", "items": [value.start, value.stop, value.step]}
    if isinstance(value, Mapping):
        return {TYPE: "mapping", "items": [[encode(k, table), encode(x, table)] for k, x in value.items()]}
    write = partial(_encode_large, table=table)
    return write(value) if table is None else table.written(value, write)


def _encode_large(value: Any, table: Table | None) -> Any:
    """Return a tensor, an array or a record as what JSON can hold."""
    if isinstance(value, Tensor):
        return {**_encode_array(value.detach().cpu().numpy()), TYPE: "tensor"}
    if isinstance(value, np.ndarray):
        return _encode_array(value)
    cls: Any = type(value)
    can_be_read_back = known().get(cls.__name__) is cls
    if can_be_read_back:
        items = {f.name: encode(getattr(value, f.name), table) for f in fields(cls) if f.init}
        return {TYPE: cls.__name__, "fields": items}
    raise UnknownRecordError(f"A {type(value).__name__} cannot be kept in a recipe: mark its class with @recordable.")


def decode(data: Any, table: Table | None = None) -> Any:
    """Undo `encode`. Raises `RecipeError` for damaged data, `UnknownRecordError` for an unknown class."""
    table = Table() if table is None else table
    try:
        table.require_sound(data)
        return _decode(data, table)
    except DAMAGED as error:
        raise RecipeError(f"The recipe is damaged ({type(error).__name__}: {error}): use the original file.") from None


def _decode(data: Any, table: Table) -> Any:
    if not isinstance(data, dict):
        if data is None or isinstance(data, bool | int | float | str):
            return data
        raise ValueError(f"a bare {type(data).__name__}")
    kind = data[TYPE]
    if kind == SHARED:
        return table.read(data["key"], partial(_decode, table=table))
    if kind in ("tensor", "array"):
        array = _decode_array(data)
        return torch.from_numpy(array) if kind == "tensor" else array
    if kind in ("tuple", "list"):
        return {"tuple": tuple, "list": list}[kind]([_decode(x, table) for x in data["items"]])
    if kind == "mapping":
        return {_decode(k, table): _decode(x, table) for k, x in data["items"]}
    if kind == "range":
        return range(*(int(x) for x in data["items"]))
    if kind == "float":
        return float(data["text"])
    return _decode_record(kind, data["fields"], table)


def _decode_record(kind: str, items: Mapping[str, Any], table: Table) -> Any:
    cls = known().get(kind)
    if cls is None:
        raise UnknownRecordError(f"The recipe holds a {kind}, which this installation does not know.")
    names = {f.name for f in fields(cls) if f.init}
    if not names >= items.keys():
        raise UnknownRecordError(f"The recipe holds a {kind} of a newer version: upgrade this library.")
    values = {name: _decode(x, table) for name, x in items.items()}
    if not is_harmless(str(values.get("code", ""))):
        values["code"] = ""  # a file may not put words into the code that is shown
    record = cls(**values)
    if isinstance(record, Latent):
        _require_sound(record)
    return record


def _require_sound(latent: Latent) -> None:
    labels = [] if latent.label is None else [latent.label]
    tensors = [latent.w, *latent.offsets.values(), *latent.noise.values(), *labels]
    if not all(isinstance(x, Tensor) and x.is_floating_point() and x.isfinite().all() for x in tensors):
        raise ValueError("a latent with numbers that are not finite")
    if latent.w.ndim != 2:
        raise ValueError(f"a latent of shape {tuple(latent.w.shape)}")


def _encode_array(array: np.ndarray[Any, Any]) -> dict[str, Any]:
    if array.dtype.name not in DTYPES:
        raise RecipeError(f"An array of {array.dtype.name} cannot be kept in a recipe: use one of {', '.join(DTYPES)}.")
    picture = array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and min(array.shape[:2]) >= 8
    raw = as_png(array) if picture else zlib.compress(array.astype(array.dtype.newbyteorder("<")).tobytes(), 9)
    data = {TYPE: "array", "dtype": array.dtype.name, "shape": list(array.shape)}
    return {**data, "png" if picture else "zlib": base64.b64encode(raw).decode("ascii")}


def _decode_array(data: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    shape = tuple(int(n) for n in data["shape"])
    if data["dtype"] not in DTYPES or any(n < 0 for n in shape):
        raise ValueError(f"an array of {data['dtype']} of shape {shape}")
    dtype = np.dtype(data["dtype"])
    size = math.prod(shape) * dtype.itemsize
    if size > MOST:
        raise ValueError(f"an array of {size} bytes")
    if "png" in data:
        pixels = read_image(base64.b64decode(data["png"], validate=True))
        if pixels.shape != shape:
            raise ValueError(f"a picture of shape {pixels.shape} instead of {shape}")
        return pixels
    raw = zlib.decompressobj().decompress(base64.b64decode(data["zlib"], validate=True), size + 1)
    if len(raw) != size:
        raise ValueError(f"an array of {len(raw)} bytes instead of {size}")
    return np.frombuffer(raw, dtype.newbyteorder("<")).astype(dtype).reshape(shape)
