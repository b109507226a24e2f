"""The oracle: says of any picture of a portrait what it shows, whom, and where its parts are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from ...core.errors import ImageError
from .model_file import WEIGHTS, read_oracle
from .network import OracleNetwork, Reading
from .targets import decode

CHUNK = 32  # pictures at a time
Pictures = Tensor | np.ndarray | Sequence[np.ndarray]


@dataclass(frozen=True)
class Look:
    """What the oracle sees in B pictures: attribute → (B,) or (B, 3), features (B, F), identity (B, 64)."""

    attributes: dict[str, Tensor]
    features: Tensor
    identity: Tensor


@dataclass
class Oracle:
    """Networks that stand in for human judgment in evaluations; no edit asks them.

    They labeled the pictures from which the demo's directions were found, so that their word on those is a kind one.

    Pictures are a tensor (B, 3, S, S) in [-1, 1] or uint8, pixels (S, S, 3) uint8, or a list of pixels, of any size;
    they are brought to 128 pixels. All results lie on the CPU.
    """

    network: OracleNetwork
    about: dict[str, Any] = field(default_factory=dict)

    def look(self, pictures: Pictures) -> Look:
        """Return attributes, features and identity in one pass."""
        found: list[tuple[Reading, Tensor]] = self._each(pictures, self.network.look)
        features = torch.cat([f for _, f in found]).cpu()
        joined = {name: torch.cat([getattr(r, name) for r, _ in found]).cpu() for name in vars(found[0][0])}
        mean, std = self.network.number_mean.cpu(), self.network.number_std.cpu()
        attributes = decode(joined["numbers"] * std + mean, joined["glasses"], joined["style"])
        return Look(attributes, features, joined["identity"])

    def attributes(self, pictures: Pictures) -> dict[str, Tensor]:
        """Return attribute → (B,) in the units of `Attributes`, colors (B, 3).

        "glasses" is a probability; "hair_reach" says how far down the hair falls, whatever its style (0 … 1).
        """
        return self.look(pictures).attributes

    def features(self, pictures: Pictures) -> Tensor:
        """Return features (B, F) for Fréchet distances, each of unit variance over portraits."""
        return self.look(pictures).features

    def identity(self, pictures: Pictures) -> Tensor:
        """Return embeddings (B, 64) of unit length; the dot product of two says how alike the persons are."""
        return self.look(pictures).identity

    def segment(self, pictures: Pictures) -> Tensor:
        """Return part labels (B, S, S) uint8, counting in `PARTS`, at the pictures' own resolution."""
        size = as_tensor(pictures).shape[-1]

        def label(x: Tensor) -> Tensor:
            odds = self.network.segment(self.network.maps(x)).softmax(1)
            return _resized(odds, size).argmax(1).to(torch.uint8)

        return torch.cat(self._each(pictures, label)).cpu()

    @torch.no_grad()
    def _each(self, pictures: Pictures, job: Callable[[Tensor], Any]) -> list[Any]:
        device = next(self.network.parameters()).device
        found = []
        for chunk in as_tensor(pictures).split(CHUNK):
            x = _resized(_as_float(chunk.to(device)), self.network.cfg.size)
            found.append(job(x.contiguous(memory_format=torch.channels_last)))
        return found


def load_oracle(path: Path | str = WEIGHTS, device: torch.device | str = "cpu") -> Oracle:
    """Return the oracle that ships with the package, or that of a file; raises `ModelError` if it cannot be read."""
    network, about = read_oracle(path)
    return Oracle(network.to(device), about)


def as_tensor(pictures: Pictures) -> Tensor:
    """Return pictures (B, 3, S, S), still uint8 if they were; raises `ImageError` for another shape."""
    if isinstance(pictures, np.ndarray):
        pictures = [pictures]
    if not isinstance(pictures, Tensor):
        pictures = torch.from_numpy(np.stack(list(pictures))).permute(0, 3, 1, 2)
    if pictures.ndim != 4 or pictures.shape[1] != 3 or pictures.shape[2] != pictures.shape[3] or not len(pictures):
        raise ImageError(
            f"The oracle was given pictures of shape {tuple(pictures.shape)}: it reads square ones, (B, 3, S, S) "
            "tensors or (S, S, 3) pixels."
        )
    return pictures


def _as_float(pictures: Tensor) -> Tensor:
    return pictures.float() / 127.5 - 1 if pictures.dtype == torch.uint8 else pictures.float().clamp(-1, 1)


def _resized(x: Tensor, size: int) -> Tensor:
    if x.shape[-1] == size:
        return x
    if x.shape[-1] > size:
        return F.interpolate(x, size, mode="area")
    return F.interpolate(x, size, mode="bilinear", align_corners=False)
