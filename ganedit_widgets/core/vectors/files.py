"""Keep edit vectors in a file: safetensors with a readable header; never code, never pickle."""

from __future__ import annotations

import io
import json
import math
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import DirectionError
from ..generators.base import Generator
from ..image import Pixels
from ..probes.directions import Direction
from ..readers.own import write_tensors
from .vector import KIND, RANGE, EditVector, vector_of

KEY, VERSION = "ganedit.vectors", 1
DAMAGED = (  # what reading another's file may raise
    OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError,
)  # fmt: skip
UNREADABLE = (ValueError, EOFError, SyntaxError, TokenError, MemoryError, OverflowError, RecursionError)  # NumPy's ways
SHIPPED = Path(__file__).parents[2] / "demo" / "weights" / "vectors.safetensors"


def save_vectors(path: str | Path, vectors: Iterable[EditVector]) -> None:
    """Write edit vectors to a .safetensors file, whole or not at all.

    Raises `DirectionError` if two have the same name, for "demo", or if the place cannot be written to.
    """
    if str(path) == "demo":
        raise DirectionError("demo means the edit vectors of the demo model, which stay as they are: name a file.")
    tensors: dict[str, Tensor] = {}
    entries: list[dict[str, Any]] = []
    for i, vector in enumerate(vectors):
        if any(entry["name"] == vector.name for entry in entries):
            raise DirectionError(f"Two edit vectors are called {vector.name!r}: rename one of them.")
        tensors[f"{i}/delta"] = vector.delta.detach().cpu().float().contiguous()
        if vector.thumbnail is not None:
            tensors[f"{i}/thumbnail"] = torch.from_numpy(np.ascontiguousarray(vector.thumbnail))
        entries.append(_entry(vector))
    try:
        write_tensors(Path(path), tensors, {KEY: json.dumps({"version": VERSION, "vectors": entries})})
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or error
        raise DirectionError(f"Edit vectors cannot be written to {path} ({why}): choose another place.") from None


def vectors_bytes(vectors: Iterable[EditVector]) -> bytes:
    """Return what `save_vectors` writes; raises as it does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.safetensors"
        save_vectors(path, vectors)
        return path.read_bytes()


def load_vectors(source: str | Path | bytes) -> dict[str, EditVector]:
    """Return name → edit vector of a file, given by its path or its bytes; "demo" means those of the demo model.

    One of another checkpoint loads too, and is refused where it is used.
    Raises `DirectionError` if the file is missing, damaged, of a newer version, or holds no edit vectors.
    """
    if not isinstance(source, bytes):
        return _load(SHIPPED if str(source) == "demo" else Path(source), str(source))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.safetensors"
        path.write_bytes(source)
        found = _load(path, "this file")
    return {name: replace(vector, direction=replace(vector.direction, code="")) for name, vector in found.items()}


def _load(path: Path, called: str) -> dict[str, EditVector]:
    try:
        with safe_open(path, framework="pt") as file:
            header = (file.metadata() or {}).get(KEY)
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}
        if header is None:
            raise DirectionError(f"There are no edit vectors in {called}: give a file that `save_vectors` wrote.")
        read = json.loads(header)
        if int(read["version"]) > VERSION:
            raise DirectionError(f"{called} was written by a newer version of this library: upgrade it.")
        found = [_vector(entry, i, tensors, called) for i, entry in enumerate(read["vectors"])]
    except FileNotFoundError:
        raise DirectionError(f"There is no file {called}: check the name.") from None
    except DAMAGED as error:
        raise DirectionError(f"{called} is damaged or no file of edit vectors ({error}): save it again.") from None
    return {vector.name: vector for vector in found}


def import_npy(
    generator: Generator,
    source: str | Path | bytes,
    name: str | None = None,
    classes: Sequence[str] = (),
    space: str | None = None,
    scales: tuple[float, float] = RANGE,
) -> EditVector:
    """Return the δ in a .npy file of another program, a path or its bytes, as an edit vector of `generator`.

    `space`: "w+" for (L, D), "w" for (D,), alike on all layers; None lets the shape say. `scales`: the range in which
    it looks right. Such a file does not say which model it is of: that its shape fits is all that can be checked.
    Raises `DirectionError` for another shape, numbers that are not finite, a pickle, or a file that cannot be read.
    """
    called = name or "The array" if isinstance(source, bytes) else Path(source).name
    delta = torch.from_numpy(_shaped(_array(source, called), generator, space, called))
    low, high = (float(scale) for scale in scales)
    if not (math.isfinite(low) and math.isfinite(high) and low <= 0 <= high and low < high):
        raise DirectionError(f"{low:g} to {high:g} is no range of scales: give one around 0, such as -2 to 2.")
    own = name or ("imported" if isinstance(source, bytes) else Path(source).stem)
    about = {"method": "imported", **({} if isinstance(source, bytes) else {"file": called})}
    found = vector_of(generator, delta, own, classes, about)
    return replace(found, direction=replace(found.direction, range=(low, high)))


def npy_bytes(vector: EditVector) -> bytes:
    """Return δ (L, D) float32 as a .npy file, for other programs; what else is known of it is not in there."""
    file = io.BytesIO()
    np.save(file, vector.delta.detach().cpu().float().numpy(), allow_pickle=False)
    return file.getvalue()


def _array(source: str | Path | bytes, called: str) -> np.ndarray[Any, Any]:
    """Return the plain numbers of a .npy file as float32, without leading axes of length 1."""
    try:
        with io.BytesIO(source) if isinstance(source, bytes) else Path(source).open("rb") as file:
            array = np.load(file, allow_pickle=False)
    except OSError as error:
        raise DirectionError(f"{source!s} cannot be read ({error.strerror or error}): check the name.") from None
    except UNREADABLE as error:
        raise DirectionError(f"{called} is no .npy file of plain numbers ({error}): export it again.") from None
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise DirectionError(f"{called} holds no array of plain numbers: export it again.")
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    return array.astype(np.float32)


def _shaped(array: np.ndarray[Any, Any], generator: Generator, space: str | None, called: str) -> np.ndarray[Any, Any]:
    """Return the array in the shape that `space` asks for; as it is, if none was named."""
    if space is None:
        return array
    rows, columns = generator.latent_shape
    if space not in ("w", "w+"):
        raise DirectionError(f"An edit vector lies in W or in W+, not in {space!r}: choose w or w+.")
    wanted = (columns,) if space == "w" else (rows, columns)
    flat = array[0] if array.ndim == 2 and array.shape[0] == 1 else array
    if array.shape != wanted and flat.shape != (math.prod(wanted),):
        raise DirectionError(
            f"{called} has the shape {array.shape}, {space.upper()} of this generator needs {wanted}: it lies in "
            "another space, or was made for another model."
        )
    return array.reshape(wanted)


def _entry(vector: EditVector) -> dict[str, Any]:
    """Return all but the numbers as plain data."""
    direction = vector.direction
    return {
        "name": vector.name,
        "fingerprint": direction.fingerprint,
        "space": direction.space,
        "shape": list(vector.delta.shape),
        "classes": list(vector.classes),
        "range": list(direction.range),
        "kind": direction.kind,
        "sign": direction.sign,
        "pictures": vector.pictures,
        "about": dict(vector.about),
    }


def _vector(entry: dict[str, Any], index: int, tensors: dict[str, Tensor], path: str) -> EditVector:
    delta, name = tensors[f"{index}/delta"].float(), str(entry["name"])
    length = float(delta.norm())
    if entry["space"] != "w+" or delta.ndim != 2 or not 0 < length < float("inf"):
        raise ValueError(f"{name!r} is no vector of W+")
    low, high = (float(x) for x in entry["range"])
    direction = Direction(
        name, delta / length, "w+", None, length, str(entry["fingerprint"]),
        f"load_vectors({path!r})[{name!r}].direction", str(entry.get("kind", KIND)), (low, high), str(entry["sign"]),
    )  # fmt: skip
    classes = tuple(str(c) for c in entry["classes"])
    about = {str(k): str(v) for k, v in entry["about"].items()}
    picture = tensors.get(f"{index}/thumbnail")
    return EditVector(direction, classes, int(entry["pictures"]), about, None if picture is None else _pixels(picture))


def _pixels(picture: Tensor) -> Pixels:
    if picture.dtype != torch.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise ValueError("its thumbnail is no picture")
    return picture.numpy()
