"""What the names in a model file become: records that hold data and can do nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..errors import ModelError

MOST_ELEMENTS = 2**31  # of one tensor
PLAIN = (str, int, float, bool, type(None))  # what may be a key: nothing whose hash runs foreign code or recurses


class Inert:
    """Base of everything a pickle's BUILD may reach."""

    def set_state(self, state: object) -> None:
        """Take the state that the file gives; does nothing unless a record needs it."""


class Tag(Inert):
    """A name that only stands for itself, such as a storage type."""

    def __init__(self, dtype: str = "") -> None:
        self.dtype = dtype  # numpy's code of the elements, for storage types


class InertDict(dict[Any, Any], Inert):
    """OrderedDict and EasyDict; a state on top (`_metadata`) is ignored."""


class Fields(Inert):
    """An object that is nothing but its attributes."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}

    def set_state(self, state: object) -> None:
        """Keep the attributes."""
        if not isinstance(state, dict):
            raise ValueError("an object has attributes that are no dictionary")
        self.state = state


class Namespace(Fields):
    """`argparse.Namespace`: the options of a training run."""


class Network(Fields):
    """`dnnlib.tflib.network.Network`: a TensorFlow network; its source text is ignored."""


@dataclass(frozen=True, eq=False)
class Record(Inert):
    """A persistent object: a module's class name and attributes; its source text is ignored."""

    class_name: str
    state: dict[str, Any]

    def modules(self) -> dict[str, Record]:
        """Return the sub-modules by name."""
        found = self.state.get("_modules") or {}
        return {str(name): child for name, child in found.items() if isinstance(child, Record)}


def persistent_object(meta: object) -> Record:
    """Stand in for `torch_utils.persistence._reconstruct_persistent_obj`, which would execute `module_src`."""
    if not isinstance(meta, dict) or meta.get("type") != "class" or meta.get("version") != 6:
        raise ValueError("a persistent object has an unknown layout")
    name, state = meta.get("class_name"), meta.get("state")
    if not isinstance(name, str) or not isinstance(state, dict):
        raise ValueError("a persistent object has no class name or no attributes")
    return Record(name, state)


# ---- tensors of PyTorch


@dataclass(eq=False)
class Storage(Inert):
    """A run of numbers in the file."""

    dtype: str  # numpy's code, little-endian
    count: int
    data: memoryview | None = None  # in an old container it follows after the objects

    def numbers(self) -> np.ndarray:
        """Return the numbers as a view of the file."""
        size = self.count * np.dtype(self.dtype).itemsize
        if self.data is None or len(self.data) != size:
            raise ValueError("a tensor has fewer or more bytes than announced")
        return np.frombuffer(self.data, dtype=self.dtype)


@dataclass(frozen=True, eq=False)
class TensorRecord(Inert):
    """A tensor: a strided view of a storage, checked when it is looked at."""

    storage: Storage
    offset: int  # this and the strides in elements
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """Return the tensor as a view of the file; raises `ValueError` if it would reach beyond its storage."""
        sizes, steps = _numbers(self.shape), _numbers(self.strides)
        if len(sizes) != len(steps) or len(sizes) > 8 or self.offset < 0 or min((*sizes, *steps), default=0) < 0:
            raise ValueError("a tensor has an impossible shape")
        if np.prod([float(s) for s in sizes]) > MOST_ELEMENTS:
            raise ValueError("a tensor is too large")
        numbers = self.storage.numbers()
        last = self.offset + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True))
        if 0 not in sizes and last >= len(numbers):
            raise ValueError("a tensor reaches beyond its storage")
        if 0 in sizes:
            return np.zeros(sizes, numbers.dtype)
        strides = [step * numbers.itemsize for step in steps]
        return np.lib.stride_tricks.as_strided(numbers[self.offset :], sizes, strides, writeable=False)


def rebuilt_tensor(storage: object, offset: object, size: object, stride: object, *_: object) -> TensorRecord:
    """Stand in for `torch._utils._rebuild_tensor_v2`."""
    if not isinstance(storage, Storage) or type(offset) is not int:
        raise ValueError("a tensor has no storage")
    return TensorRecord(storage, offset, _numbers(size), _numbers(stride))


def rebuilt_parameter(tensor: object, *_: object) -> TensorRecord:
    """Stand in for `torch._utils._rebuild_parameter`."""
    if not isinstance(tensor, TensorRecord):
        raise ValueError("a parameter has no tensor")
    return tensor


def _numbers(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple | list) or any(type(v) is not int for v in values):
        raise ValueError("a tensor has an impossible shape")
    return tuple(values)


# ---- arrays of numpy


class Dtype(Inert):
    """`numpy.dtype`: booleans, integers and floats only; object arrays would hold further objects."""

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not re.fullmatch(r"[biuf][1248]", code):
            raise ValueError(f"an array has the element type {str(code)[:20]!r}, which no model needs")
        self.code = code

    def set_state(self, state: object) -> None:
        """Take the byte order."""
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise ValueError("an array has an unknown byte order")
        self.code = state[1] + self.code.lstrip("<>|=")


@dataclass(eq=False)
class Array(Inert):
    """`numpy.ndarray`: shape, element type and a run of bytes in the file."""

    shape: tuple[int, ...] = ()
    dtype: Dtype | None = None
    fortran: bool = False
    data: memoryview = field(default_factory=lambda: memoryview(b""))

    def set_state(self, state: object) -> None:
        """Take (version, shape, dtype, fortran order, bytes)."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("an array has an unknown layout")
        _, shape, dtype, fortran, data = state
        if not isinstance(dtype, Dtype) or not isinstance(data, memoryview):
            raise ValueError("an array holds objects")
        self.shape, self.dtype, self.fortran, self.data = _numbers(shape), dtype, bool(fortran), data

    def array(self) -> np.ndarray:
        """Return the array as a view of the file."""
        if self.dtype is None or len(self.shape) > 8 or min(self.shape, default=0) < 0:
            raise ValueError("an array has an unknown layout")
        numbers = np.frombuffer(self.data, self.dtype.code)
        if np.prod([float(s) for s in self.shape]) != len(numbers):
            raise ValueError("an array has fewer or more bytes than announced")
        return numbers.reshape(self.shape, order="F" if self.fortran else "C")


def reconstructed_array(kind: object, *_: object) -> Array:
    """Stand in for `numpy.core.multiarray._reconstruct`."""
    if not isinstance(kind, Tag):
        raise ValueError("an array is of an unknown class")
    return Array()


def scalar(dtype: object, data: object) -> int | float | bool:
    """Stand in for `numpy.core.multiarray.scalar`."""
    if not isinstance(dtype, Dtype) or not isinstance(data, memoryview):
        raise ValueError("a number has an unknown layout")
    numbers = np.frombuffer(data, dtype.code)
    if len(numbers) != 1:
        raise ValueError("a number has an unknown layout")
    return numbers[0].item()  # type: ignore[no-any-return]


def plain_set(items: object = ()) -> set[Any]:
    """Stand in for `builtins.set`."""
    if not isinstance(items, list | tuple) or any(type(item) not in PLAIN for item in items):
        raise ValueError("a set holds objects")
    return set(items)


def array_of(value: object) -> np.ndarray:
    """Return whatever stands for a tensor, an array or a number as a view of the file."""
    if isinstance(value, TensorRecord | Array):
        return value.array()
    if isinstance(value, int | float):
        return np.asarray(value, np.float32)
    raise ModelError("The model file holds something else in place of a weight: it is damaged.")


def attribute(state: Mapping[str, Any], name: str, default: Any = None) -> Any:
    """Return an attribute as a plain value: arrays become lists."""
    value = state.get(name, default)
    return value.array().tolist() if isinstance(value, Array) else value


def sequence(value: object) -> Sequence[Any]:
    """Return `value` if it is a list or tuple, else nothing."""
    return value if isinstance(value, list | tuple) else ()
