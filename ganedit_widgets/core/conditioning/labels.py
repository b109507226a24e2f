"""Labels of a data set: what was measured of each picture, whose picture it is, and of which attributes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..errors import LabelError
from ..readers.own import write_tensors
from ..short import short
from .schema import Schema

KEY, VERSION = "ganedit.labels", 1


@dataclass(frozen=True, eq=False)
class Labels:
    """Raw labels (N, A), in the order of the schema's attributes, and the names of the pictures."""

    raw: Tensor  # (N, A) float32: projections onto the attributes' directions, in the latent space's units
    names: tuple[str, ...]  # of the pictures, one for each row
    schema: Schema
    about: Mapping[str, Any] = field(default_factory=dict)  # where they come from

    __repr__ = short

    def __post_init__(self) -> None:
        """Raise `LabelError` if sizes do not fit, a label is not finite, or a picture is there twice."""
        if self.raw.ndim != 2 or len(self.raw) != len(self.names) or not len(self.names):
            raise LabelError(
                f"Labels of shape {tuple(self.raw.shape)} came with the names of {len(self.names)} pictures: give a "
                "row for each, and one at least."
            )
        self.schema.scale(self.raw)  # says what does not fit
        if len(set(self.names)) < len(self.names):
            twice = next(name for i, name in enumerate(self.names) if name in self.names[:i])
            raise LabelError(f"The picture {twice!r} has two rows of labels: keep one of them.")

    def __len__(self) -> int:
        return len(self.names)

    @property
    def v(self) -> Tensor:
        """(N, A) in [0, 1]: the labels as users and networks see them."""
        return self.schema.scale(self.raw)

    def of(self, attribute: str) -> Tensor:
        """Return the raw labels (N,) of one attribute. Raises `LabelError` if there is none of that name."""
        return self.raw[:, self.schema.index(attribute)]

    def only(self, attributes: Sequence[str]) -> Labels:
        """Return the labels of some attributes. Raises `LabelError` for one that is not there, or given twice."""
        schema = replace(self.schema, attributes=tuple(self.schema[name] for name in attributes))
        return replace(self, raw=self.raw[:, [self.schema.index(name) for name in schema.names]], schema=schema)

    def rows(self, pictures: Sequence[str]) -> Tensor:
        """Return where pictures are, (len(pictures),) int64. Raises `LabelError` for one that has no labels."""
        place = {name: i for i, name in enumerate(self.names)}
        missing = [name for name in pictures if name not in place]
        if missing:
            raise LabelError(
                f"{missing[0]!r} has no labels ({len(missing)} of {len(pictures)} pictures have none): label this "
                "folder again."
            )
        return torch.tensor([place[name] for name in pictures], dtype=torch.int64)


def save_labels(path: Path | str, labels: Labels) -> None:
    """Write labels to a .safetensors file, whole or not at all: ``labels`` (N, A) raw, the rest in its header.

    Raises `LabelError` if the place cannot be written to.
    """
    header = {
        "version": VERSION,
        "schema": labels.schema.to_json(),
        "names": list(labels.names),
        "about": dict(labels.about),
    }
    tensors = {"labels": labels.raw.detach().cpu().float().contiguous()}
    try:
        write_tensors(Path(path), tensors, {KEY: json.dumps(header)})
    except (OSError, SafetensorError) as error:
        raise LabelError(f"Labels cannot be written to {path} ({error}): choose another place.") from None


def load_labels(path: Path | str) -> Labels:
    """Return the labels in a file that `save_labels` wrote.

    Raises `LabelError` if it is missing, damaged, of a newer version, or holds no labels.
    """
    try:
        with safe_open(Path(path), framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            if text is None:
                raise LabelError(f"There are no labels in {path}: give a file that `ganedit label` wrote.")
            header = json.loads(text)
            if int(header["version"]) > VERSION:
                raise LabelError(f"{path} was written by a newer version of this library: upgrade it.")
            raw = file.get_tensor("labels").float()
        return Labels(raw, tuple(map(str, header["names"])), Schema.from_json(header["schema"]), dict(header["about"]))
    except FileNotFoundError:
        raise LabelError(f"There is no file {path}: check the name.") from None
    except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise LabelError(f"{path} is damaged or no file of labels ({error}): label the pictures again.") from None
