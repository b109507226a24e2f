"""What several records of a recipe have in common is written once, in a table by the hash of its contents."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from .errors import RecipeError

TYPE = "is"  # the key that says what a JSON object stands for
SHARED = "shared"  # that of a reference
LONG = 512  # characters from which on an object goes into the table
DEEPEST = 200  # levels of a recipe's JSON, references followed
LARGEST = 2**22  # values of a recipe, each counted as often as it is referred to


class Table:
    """Hash → object in JSON, for one recipe: filled while it is written, looked up while it is read."""

    def __init__(self, entries: Any = None) -> None:
        if not isinstance(entries, dict | None):
            raise RecipeError("The recipe is damaged (what its steps share is no table): use the original file.")
        self.entries: dict[str, Any] = entries or {}
        self._written: dict[int, tuple[Any, Any]] = {}  # id → the object, held so that the id stays its, and its JSON
        self._within = False  # an edit or a latent: these themselves stay where they are
        self._read: dict[str, Any] = {}
        self._measured: dict[str, tuple[int, int] | None] = {}  # None while its contents are being measured

    def written(self, value: Any, write: Callable[[Any], Any]) -> Any:
        """Return what `write` makes of `value`; of what is long within it, a reference."""
        if self._within:
            return self._referred(value, write)
        self._within = True
        try:
            return write(value)
        finally:
            self._within = False

    def _referred(self, value: Any, write: Callable[[Any], Any]) -> Any:
        if id(value) not in self._written:
            data = write(value)
            text = json.dumps(data, sort_keys=True)
            if len(text) >= LONG or f'"{TYPE}": "{SHARED}"' in text:
                key = sha256(text.encode()).hexdigest()[:32]
                self.entries[key] = data
                data = {TYPE: SHARED, "key": key}
            self._written[id(value)] = value, data
        return self._written[id(value)][1]

    def back_to(self, entries: int) -> None:
        """Forget all but the first so many entries: what referred to the others is not kept."""
        for key in list(self.entries)[entries:]:
            del self.entries[key]
        self._written.clear()

    def read(self, key: Any, read: Callable[[Any], Any]) -> Any:
        """Return what `read` makes of the entry `key`: the same object each time."""
        if key not in self._read:
            self._read[key] = read(self.entries[key])
        return self._read[key]

    def require_sound(self, data: Any) -> None:
        """Raise `ValueError` if `data` refers to what is not there, to itself, or unfolds to too much."""
        self._measure(data, 0)

    def _measure(self, data: Any, level: int) -> tuple[int, int]:
        """Return how many values `data` unfolds to, and how deep it is."""
        inner = data.values() if isinstance(data, dict) else data if isinstance(data, list) else ()
        if isinstance(data, dict) and data.get(TYPE) == SHARED:
            count, depth = self._measure_entry(data.get("key"), level)
        else:
            sizes = [self._measure(x, level + 1) for x in inner if isinstance(x, dict | list)]
            count, depth = len(inner) + sum(n for n, _ in sizes), 1 + max((d for _, d in sizes), default=0)
        if level + depth > DEEPEST:
            raise ValueError(f"more than {DEEPEST} levels within each other")
        if count > LARGEST:
            raise ValueError(f"more than {LARGEST} values")
        return count, depth

    def _measure_entry(self, key: Any, level: int) -> tuple[int, int]:
        if not isinstance(key, str) or key not in self.entries:
            raise ValueError(f"a reference to {str(key)[:40]!r}, which is not there")
        if key not in self._measured:
            self._measured[key] = None
            self._measured[key] = self._measure(self.entries[key], level)
        found = self._measured[key]
        if found is None:
            raise ValueError("a reference to itself")
        return found
