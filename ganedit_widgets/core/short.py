"""One line for a record: arrays by their shape, mappings by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any


def short(record: Any) -> str:
    """Return `record`, a dataclass instance, as one line to read aloud; use it as ``__repr__ = short``.

    Fields that hold their default are left out.
    """
    shown = [_one(getattr(record, f.name)) for f in fields(record) if f.repr and not _is_default(record, f)]
    return f"{type(record).__name__}({', '.join(shown)})"


def _one(value: object) -> str:
    if hasattr(value, "shape"):
        return "×".join(map(str, value.shape)) or "scalar"
    if isinstance(value, Mapping):
        return "{" + ", ".join(map(str, value)) + "}"
    if isinstance(value, float):
        return f"{value:.4g}"
    return repr(value)


def _is_default(record: object, field: Any) -> bool:
    value = getattr(record, field.name)
    return value is field.default or (isinstance(value, str | int | float | bool) and value == field.default)
