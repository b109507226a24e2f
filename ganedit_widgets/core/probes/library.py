"""Keep directions in a file: safetensors with a readable header; never code, never pickle."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import DirectionError
from ..expression import is_harmless
from ..readers.own import write_tensors
from .directions import Direction, parts, whole

KEY, VERSION = "ganedit.directions", 1
SHIPPED = Path(__file__).parents[2] / "demo" / "weights" / "directions.safetensors"


def save_directions(path: str | Path, directions: Iterable[Direction]) -> None:
    """Write directions to `path`, a .safetensors file. Raises `DirectionError` if two have the same name."""
    tensors: dict[str, Tensor] = {}
    entries: list[dict[str, Any]] = []
    for i, direction in enumerate(directions):
        if any(entry["name"] == direction.name for entry in entries):
            raise DirectionError(f"Two directions are called {direction.name!r}: rename one of them.")
        for layer, x in parts(direction.vector).items():
            tensors[f"{i}/{layer}"] = x.detach().cpu().float().contiguous()
        entries.append(_entry(direction))
    header = {KEY: json.dumps({"version": VERSION, "directions": entries})}
    try:
        write_tensors(Path(path), tensors, header)
    except (OSError, SafetensorError) as error:
        raise DirectionError(f"Directions cannot be written to {path} ({error}): choose another place.") from None


class Directions(dict[str, Direction]):
    """Name → direction; asking for a name that is not there says which are."""

    def __missing__(self, name: str) -> Direction:
        raise DirectionError(f"There is no direction {name!r}: choose among {', '.join(self)}.")


def load_directions(path: str | Path) -> Directions:
    """Return name → direction; `path` "demo" means those that ship with the demo model.

    One of another checkpoint loads too, and is refused where it is used.
    Raises `DirectionError` if the file is missing, damaged, or holds no directions.
    """
    try:
        with safe_open(SHIPPED if str(path) == "demo" else Path(path), framework="pt") as file:
            header = (file.metadata() or {}).get(KEY)
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}
        if header is None:
            raise DirectionError(f"There are no directions in {path}: give a file that `save_directions` wrote.")
        read = json.loads(header)
        if read["version"] > VERSION:
            raise DirectionError(f"{path} was written by a newer version of this library: upgrade it.")
        found = [_direction(entry, i, tensors, str(path)) for i, entry in enumerate(read["directions"])]
    except FileNotFoundError:
        raise DirectionError(f"There is no file {path}: check the name.") from None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DirectionError(f"{path} is damaged or no file of directions ({error}): save it again.") from None
    return Directions((direction.name, direction) for direction in found)


def _entry(direction: Direction) -> dict[str, Any]:
    """Return all but the vector as plain data."""
    layers = direction.layers
    return {
        "name": direction.name,
        "space": direction.space,
        "layers": None if layers is None else [layers.start, layers.stop, layers.step],
        "unit": direction.unit,
        "fingerprint": direction.fingerprint,
        "kind": direction.kind,
        "code": direction.code,
        "range": list(direction.range),
        "sign": direction.sign,
        "weights": list(direction.weights),
        "about": dict(direction.about),
    }


def _direction(entry: dict[str, Any], index: int, tensors: dict[str, Tensor], path: str) -> Direction:
    prefix = f"{index}/"
    pieces = {name.removeprefix(prefix): x for name, x in tensors.items() if name.startswith(prefix)}
    fields = dict(entry)
    low, high = fields.pop("range")
    layers = fields.pop("layers")
    weights = tuple(float(x) for x in fields.pop("weights", ()))  # files of the first version have none
    about = {str(k): x if isinstance(x, float) else str(x) for k, x in fields.pop("about", {}).items()}
    known = fields["code"] if is_harmless(fields["code"]) else ""  # a file may not put words into shown code
    fields["code"] = known or f"load_directions({path!r})[{entry['name']!r}]"
    return Direction(
        vector=whole(pieces, entry["space"]),
        layers=None if layers is None else range(*layers),
        range=(float(low), float(high)),
        weights=weights,
        about=about,
        **fields,
    )
