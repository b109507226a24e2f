"""Which attributes labels are about: every number is found by its attribute's name, never by a position."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ..errors import LabelError

VERSION = 1
PERCENTILES = (0.5, 99.5)  # of the raw labels: what v = 0 and v = 1 mean
ROUNDING = 1e-5  # of a label's size: what differs less is the same
MEDIAN = 50.0
MIDDLE = 0.5  # v of the middle of the range, which is drawn from the constant alone
MIRRORS = ("unknown", "same", "opposite")


@dataclass(frozen=True)
class Attribute:
    """One attribute: its name, the direction that measured it, and the raw labels at which v is 0 and 1."""

    name: str
    low: float = 0.0  # raw label, in the latent space's own units along the unit direction
    high: float = 1.0
    sign: str = ""  # what a higher label means
    direction: str = ""  # the direction's name
    direction_id: str = ""  # 12 hexadecimal digits of its numbers and layer weights
    space: str = "w"  # "w", "w+" or "s"
    weights: tuple[float, ...] = ()  # of W+'s layers, in a label of W; none: all the same
    mirror: str = "unknown"  # label of a mirrored picture: "same", "opposite" (v becomes 1 − v), "unknown"
    kind: str = ""  # the direction's: "readout" if labels were measured along that of the direction of this name
    typical: float = MIDDLE  # v of the median picture: what a latent without labels is drawn with

    def __post_init__(self) -> None:
        """Raise `LabelError` for an empty name, or a range that is none."""
        if not self.name.strip():
            raise LabelError("An attribute needs a name: say what it is, such as “age”.")
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise LabelError(
                f"The labels of {self.name!r} range from {self.low:g} to {self.high:g}: that is no range, give an "
                "attribute that differs from picture to picture."
            )
        if not 0 <= self.typical <= 1:
            raise LabelError(f"The typical label of {self.name!r} is {self.typical:g}: labels go from 0 to 1.")
        if self.mirror not in MIRRORS:
            raise LabelError(f"{self.name!r} cannot be mirrored as {self.mirror!r}: choose {', '.join(MIRRORS)}.")

    def scaled(self, raw: Tensor) -> Tensor:
        """Return v = clip((x − low)/(high − low), 0, 1) of raw labels x, of any shape."""
        return ((raw - self.low) / (self.high - self.low)).clamp(0, 1)


@dataclass(frozen=True)
class Schema:
    """Attributes in the one order there is, that of their names, and the generator whose latents were measured.

    Whoever builds it in another order gets the same schema, so that sums over attributes are the same to the last bit.
    v ∈ [0, 1] is the label that users and networks see; raw labels are projections onto directions.
    """

    attributes: tuple[Attribute, ...]
    fingerprint: str = ""  # of the checkpoint whose directions measured them

    def __post_init__(self) -> None:
        """Sort by name. Raises `LabelError` if there is no attribute, or two have one name."""
        ordered = tuple(sorted(self.attributes, key=lambda attribute: attribute.name))
        if not ordered:
            raise LabelError("A schema needs at least one attribute: name one.")
        for one, other in pairwise(ordered):
            if one.name == other.name:
                raise LabelError(f"Two attributes are called {one.name!r}: rename one of them.")
        object.__setattr__(self, "attributes", ordered)

    def __len__(self) -> int:
        return len(self.attributes)

    def __getitem__(self, name: str) -> Attribute:
        """Return the attribute of a name; raises `LabelError` if there is none."""
        return self.attributes[self.index(name)]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names, in the order of the columns."""
        return tuple(attribute.name for attribute in self.attributes)

    def index(self, name: str) -> int:
        """Return the column of an attribute. Raises `LabelError` if there is none of that name."""
        if name not in self.names:
            raise LabelError(f"There is no attribute {name!r}: choose among {', '.join(self.names)}.")
        return self.names.index(name)

    @property
    def typical(self) -> Tensor:
        """The medians v (A,): the labels of a latent that has none."""
        return torch.tensor([attribute.typical for attribute in self.attributes])

    # ---- labels

    def scale(self, raw: Tensor) -> Tensor:
        """Return v = clip((x − low)/(high − low), 0, 1) for raw labels x; both (…, A), columns as in `names`.

        Liu et al., "Self-Conditioned GANs for Image Editing", SIGGRAPH 2022.
        Raises `LabelError` for another number of columns, or a label that is not finite.
        """
        low, high = self._limits(raw)
        return ((raw - low) / (high - low)).clamp(0, 1)

    def unscale(self, v: Tensor) -> Tensor:
        """Return raw labels x = low + v·(high − low); both (…, A). Raises `LabelError` as `scale` does."""
        low, high = self._limits(v)
        return low + v * (high - low)

    def values(self, given: Mapping[str, float]) -> Tensor:
        """Return v (A,) with the given attributes set by name, and all others as is typical.

        Raises `LabelError` for an unknown name, or a number outside [0, 1].
        """
        v = self.typical
        for name, value in given.items():
            if not 0 <= value <= 1:
                raise LabelError(f"{name} was set to {value:g}: labels go from 0 to 1.")
            v[self.index(name)] = value
        return v

    def mirrored(self, v: Tensor) -> Tensor:
        """Return the labels v (…, A) of the mirrored pictures. Raises `LabelError` if one is not known."""
        unknown = [attribute.name for attribute in self.attributes if attribute.mirror == "unknown"]
        if unknown:
            raise LabelError(
                f"Nobody knows what mirroring does to {', '.join(unknown)}: measure it with the labels' report, or "
                "train without mirroring."
            )
        turned = torch.tensor([attribute.mirror == "opposite" for attribute in self.attributes], device=v.device)
        return torch.where(turned, 1 - v, v)

    def columns(self, names: Sequence[str]) -> list[int]:
        """Return where in `names`, an order from elsewhere, each attribute is: ``labels[:, schema.columns(names)]``.

        Raises `LabelError` if an attribute is missing there.
        """
        missing = [name for name in self.names if name not in names]
        if missing:
            raise LabelError(f"There are no labels of {', '.join(missing)}, only of {', '.join(names) or 'nothing'}.")
        return [list(names).index(name) for name in self.names]

    def fitted(self, raw: Tensor) -> Schema:
        """Return it with low and high at the percentiles 0.5 and 99.5 of raw labels (N, A), and typical at the median.

        Raises `LabelError` if a label is not finite, or an attribute is the same for (almost) all pictures.
        """
        self._limits(raw)
        percentiles = torch.tensor((*PERCENTILES, MEDIAN), dtype=torch.float64) / 100
        limits = torch.stack([_quantiles(column, percentiles) for column in raw.detach().cpu().double().unbind(-1)])
        spread = limits[:, 1] - limits[:, 0] > ROUNDING * limits.abs().amax(1)
        constant = [a.name for a, varies in zip(self.attributes, spread.tolist(), strict=True) if not varies]
        if constant:
            raise LabelError(
                f"{', '.join(constant)} is the same in all pictures: leave it out, or label pictures that differ in it."
            )
        pairs = zip(self.attributes, limits.tolist(), strict=True)
        fitted = (
            replace(a, low=low, high=high, typical=(median - low) / (high - low)) for a, (low, high, median) in pairs
        )
        return replace(self, attributes=tuple(fitted))

    # ---- files

    def to_json(self) -> str:
        """Return it as text, for a file's header."""
        record = {
            "version": VERSION,
            "fingerprint": self.fingerprint,
            "attributes": [asdict(a) for a in self.attributes],
        }
        return json.dumps(record)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """Return what `to_json` wrote. Raises `LabelError` if it is damaged or of a newer version."""
        try:
            record: dict[str, Any] = json.loads(text)
            if int(record["version"]) > VERSION:
                raise LabelError("These labels were written by a newer version of this library: upgrade it.")
            entries: Iterable[dict[str, Any]] = record["attributes"]
            attributes = tuple(Attribute(**{**e, "weights": tuple(e["weights"])}) for e in entries)
            return cls(attributes, str(record["fingerprint"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise LabelError(f"The list of attributes is damaged ({error}): label the pictures again.") from None

    def _limits(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return low and high (A,), like `labels`, which are checked."""
        if labels.ndim == 0 or labels.shape[-1] != len(self):
            raise LabelError(
                f"Labels of shape {tuple(labels.shape)} were given for {len(self)} attributes "
                f"({', '.join(self.names)}): give one column for each."
            )
        bad = ~labels.isfinite().reshape(-1, len(self)).all(0)
        if bool(bad.any()):
            name = self.names[int(bad.nonzero()[0])]
            raise LabelError(f"A label of {name!r} is not finite: leave that picture out.")
        return labels.new_tensor([a.low for a in self.attributes]), labels.new_tensor([a.high for a in self.attributes])


def _quantiles(column: Tensor, at: Tensor) -> Tensor:
    """Return quantiles (K,) of (N,), N as large as one likes, interpolated linearly as NumPy's are."""
    if not len(column):
        raise LabelError("There are no labels: give at least one picture.")
    ordered = column.sort().values
    place = at * (len(ordered) - 1)
    below = place.floor().long()
    above = (below + 1).clamp(max=len(ordered) - 1)
    return torch.lerp(ordered[below], ordered[above], place - below)
