"""Keep a segmenter in a file: safetensors with a readable header; never code, never pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..errors import SegmentError
from ..generators.base import Generator
from ..readers.own import write_tensors
from .ensemble import widths_for
from .segmenter import Segmenter

KEY, VERSION = "ganedit.segmenter", 1
DAMAGED = (  # what reading another's file may raise
    OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError,
    RecursionError,
)  # fmt: skip
WRITER = "give a file that `save_segmenter` or Save in the Segmenter panel wrote"
SHIPPED = Path(__file__).parents[2] / "demo" / "weights" / "segmenter.safetensors"


def save_segmenter(path: str | Path, segmenter: Segmenter) -> None:
    """Write a segmenter to a .safetensors file, whole or not at all.

    Raises `SegmentError` if it cannot be written, or for "demo", which is no file.
    """
    if str(path) == "demo":
        raise SegmentError("demo means the segmenter of the demo model, which stays as it is: name a file.")
    try:
        write_tensors(Path(path), dict(segmenter.weights), _header(segmenter))
    except (OSError, SafetensorError) as error:
        why = getattr(error, "strerror", None) or error
        raise SegmentError(f"The segmenter cannot be written to {path} ({why}): choose another place.") from None


def segmenter_bytes(segmenter: Segmenter) -> bytes:
    """Return what `save_segmenter` writes."""
    return save(dict(segmenter.weights), _header(segmenter))


def _header(segmenter: Segmenter) -> dict[str, str]:
    header = {
        "version": VERSION,
        "fingerprint": segmenter.fingerprint,
        "classes": list(segmenter.classes),
        "size": list(segmenter.size),
        "layers": list(segmenter.layers),
        "counts": list(segmenter.counts),
        "pictures": segmenter.pictures,
        "colors": [list(color) for color in segmenter.colors],
    }
    return {KEY: json.dumps(header)}


def load_segmenter(path: str | Path, generator: Generator | None = None) -> Segmenter:
    """Return the segmenter in a file; "demo" means the one that ships with the demo model.

    With a `generator`, one of another checkpoint is refused at once, else where it is used.
    Raises `SegmentError` if the file is missing, damaged, of a newer version, or holds no segmenter.
    """
    name = Path(path).name  # an upload lies in a folder that nobody has seen
    try:
        with safe_open(SHIPPED if str(path) == "demo" else Path(path), framework="pt") as file:
            header = (file.metadata() or {}).get(KEY)
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}
        if header is None:
            raise SegmentError(f"{name} is no segmenter, it holds something else: {WRITER}.")
        found = _segmenter(json.loads(header), tensors, str(path))
    except FileNotFoundError:
        place = Path(path).absolute().parent
        raise SegmentError(
            f"There is no segmenter {path}, looked for in {place}: check the path, or train one with "
            "`ganedit train segmenter`."
        ) from None
    except SafetensorError:
        raise SegmentError(f"{name} is no segmenter, it is no sound .safetensors file: {WRITER}.") from None
    except DAMAGED as error:
        raise SegmentError(f"{name} is damaged or no segmenter ({error}): save it again.") from None
    if generator is not None:
        found.require_own(generator)
    return found


def _segmenter(header: dict[str, Any], weights: dict[str, Tensor], path: str) -> Segmenter:
    if int(header["version"]) > VERSION:
        raise SegmentError(f"{path} was written by a newer version of this library: upgrade it.")
    height, width = (int(n) for n in header["size"])
    colors = tuple((int(r), int(g), int(b)) for r, g, b in header["colors"])
    found = Segmenter(
        str(header["fingerprint"]), tuple(str(name) for name in header["classes"]), (height, width),
        tuple(str(name) for name in header["layers"]), tuple(int(n) for n in header["counts"]), weights,
        int(header["pictures"]), colors, f"load_segmenter({path!r})",
    )  # fmt: skip
    _require_sound(found)
    return found


def _require_sound(segmenter: Segmenter) -> None:
    """Raise `ValueError` if the shapes of the weights do not fit each other and the header."""
    weights, models, classes = segmenter.weights, segmenter.models, len(segmenter.classes)
    one, two = widths_for(classes)
    wanted = {
        "second": (models, one, two), "second_bias": (models, 1, two),
        "third": (models, two, classes), "third_bias": (models, 1, classes),
    }  # fmt: skip
    first = {f"first/{layer}" for layer in segmenter.layers}
    if weights.keys() != wanted.keys() | first | {"place"} or len(segmenter.counts) != classes:
        raise ValueError("its weights are not those that its header tells of")
    fits = all(tuple(weights[name].shape) == shape for name, shape in wanted.items())
    fits = fits and all(weights[name].ndim == 2 and weights[name].shape[1] == models * one for name in first)
    if not fits or weights["place"].ndim != 3 or weights["place"].shape[2] != models * one:
        raise ValueError("its weights have other shapes than its header tells of")
    if len(segmenter.colors) not in (0, classes) or not all(w.isfinite().all() for w in weights.values()):
        raise ValueError("it holds numbers that are not finite, or not a color for each class")
