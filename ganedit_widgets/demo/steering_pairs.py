"""Portraits to learn labels from: each with its labels, and a latent from which what they tell is taken out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..core.errors import LabelError
from ..core.training.labeled import LabeledPictures
from ..core.training.labeled_pairs import LabeledPairs
from .held_out import TRAINING_SEED
from .portraits.attributes import STREAMS, thrown_numbers
from .portraits.dataset import PortraitDataset
from .portraits.parts import PART
from .train import FINE, FINE_WEIGHT, latents_from


class SteeringPairs:
    """Pairs of the first portraits, as often as `data` draws them: for `LabeledPairSource`.

    The numbers a portrait was drawn from are those its latent holds. The ones that decide the attributes are thrown
    anew, so that the latent tells nothing of them and the labels must; all else stays, and with it the person.
    Raises `LabelError` for an attribute that no single number decides.
    """

    def __init__(self, data: LabeledPictures, folder: Path, size: int, z_dim: int) -> None:
        strange = [name for name in data.schema.names if name not in STREAMS]
        if strange:
            raise LabelError(
                f"No number of the portraits decides {', '.join(strange)}: choose among them, or no pairs."
            )
        self.data, self.z_dim = data, z_dim
        self.portraits = PortraitDataset(len(data.v), size, TRAINING_SEED, folder)
        self.known = thrown_numbers(range(len(data.v)), TRAINING_SEED)
        self.replaced = [STREAMS.index(name) for name in data.schema.names]
        self.fine = torch.ones(256)
        self.fine[[PART[name] for name in FINE]] = FINE_WEIGHT

    def latents(self, rows: Sequence[int] | np.ndarray, chance: torch.Generator) -> Tensor:
        """Return z (N, Z) of portraits by number, with new numbers for the attributes."""
        known = self.known[torch.as_tensor(rows)].clone()
        known[:, self.replaced] = torch.randn(len(known), len(self.replaced), generator=chance)
        return latents_from(known, self.z_dim, chance)

    def pairs(self, n: int, resolution: int, rng: np.random.Generator) -> LabeledPairs:
        """Return n pairs at the portraits' own size, which `resolution` must be."""
        rows = self.data.rows[rng.integers(len(self.data.rows), size=n)]
        chance = torch.Generator().manual_seed(int(rng.integers(1 << 62)))
        pictures, parts, _ = self.portraits[torch.from_numpy(rows)]
        weights = self.fine[parts.long()].unsqueeze(1)
        z = self.latents(rows, chance)
        return LabeledPairs(z, pictures.float() / 127.5 - 1, weights, self.data.v[torch.from_numpy(rows)])
