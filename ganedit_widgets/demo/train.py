"""What the demo model learns from, beside what any GAN does: `ganedit train demo`.

The portraits are drawn from random numbers; z holds those numbers, turned by a fixed rotation, and further ones that
mean nothing. So the generator first learns from pairs what to draw, then plays the GAN's game to draw it well.
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ..core.errors import TrainingError
from ..core.training.pairs import Facts, Pairs
from .held_out import TRAINING_SEED
from .portraits.attributes import COLORS, HAIR_STYLES, THROWN, sample_attributes, thrown_numbers
from .portraits.dataset import PortraitDataset
from .portraits.parts import PART

FINE = ("brow", "mouth", "teeth", "eye", "iris", "nose", "glasses")  # small parts that a face is known by
FINE_WEIGHT = 4.0
RARITY = torch.tensor([0.06, 0.21, 0.15, 0.11, 0.09, 0.11, 0.17, 0.06, 0.04, 0.12, 0.06])  # variances of what jumps


def latents_of(
    numbers: Tensor,
    z_dim: int,
    seed: int = TRAINING_SEED,
    rng: torch.Generator | None = None,
    mirrored: bool = False,
) -> Tensor:
    """Return a latent z (B, z_dim) of each portrait, of length √z_dim as every z is after normalization.

    Its components along ``THROWN`` fixed directions are the numbers the portrait was drawn from; the rest is random.
    `mirrored`: of the portraits as a mirror shows them.
    """
    return latents_from(thrown_numbers(numbers, seed, mirrored), z_dim, rng)


def latents_from(known: Tensor, z_dim: int, rng: torch.Generator | None = None) -> Tensor:
    """Return a latent z (B, z_dim) of each row of numbers (B, ``THROWN``), as `latents_of` does."""
    known = known * (0.98 * z_dim**0.5 / known.norm(dim=1, keepdim=True)).clamp(max=1)
    rest = torch.randn(len(known), z_dim - THROWN, generator=rng)
    room = (z_dim - known.square().sum(1, keepdim=True)).sqrt()
    return torch.cat([known, rest / rest.norm(dim=1, keepdim=True) * room], 1) @ rotation(z_dim)


def rotation(z_dim: int) -> Tensor:
    """Return the fixed orthogonal matrix (z_dim, z_dim) that turns what is known into z."""
    gaussian = torch.randn(z_dim, z_dim, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return torch.linalg.qr(gaussian)[0].float()


def facts_of(numbers: Tensor, seed: int = TRAINING_SEED) -> Tensor:
    """Return what w is asked to tell of portraits (B, 23): colors, hair style, glasses, beard; of about unit variance.

    They are what jumps as z moves. Pose, expression, age and the like are left to the generator.
    """
    a = sample_attributes(numbers, seed)
    colors = torch.cat([getattr(a, name) for name in COLORS], 1)
    styles = F.one_hot(a.hair_style, len(HAIR_STYLES)).float()
    jumps = torch.cat([styles, a.glasses.unsqueeze(1), a.beard.unsqueeze(1)], 1)
    return torch.cat([(colors - 0.5) / 0.2, jumps / RARITY.sqrt()], 1)


class PortraitPairs:
    """Random portraits of the cache with their latents and with weights that stress the fine parts."""

    def __init__(self, folder: Path, count: int, size: int, z_dim: int, seed: int) -> None:
        if z_dim <= THROWN:
            raise TrainingError(
                f"z has {z_dim} entries, a portrait is drawn from {THROWN} numbers: choose a --width above {THROWN}."
            )
        self.data, self.z_dim = PortraitDataset(count, size, TRAINING_SEED, folder), z_dim
        self.rng = torch.Generator().manual_seed(seed)
        self.fine = torch.ones(256)
        self.fine[[PART[name] for name in FINE]] = FINE_WEIGHT

    def pairs(self, n: int, resolution: int) -> Pairs:
        """Return n pairs at a resolution up to the size of the cache."""
        numbers = torch.randint(len(self.data), (n,), generator=self.rng)
        pictures, labels, _ = self.data[numbers]
        shrink = pictures.shape[-1] // resolution
        x = F.avg_pool2d(pictures.float() / 127.5 - 1, shrink)
        weights = F.avg_pool2d(self.fine[labels.long()].unsqueeze(1), shrink)
        return Pairs(latents_of(numbers, self.z_dim, rng=self.rng), x, weights)

    def facts(self, n: int) -> Facts:
        """Return the colors and hair styles of n portraits, of which most have never been drawn."""
        numbers = torch.randint(1 << 40, (n,), generator=self.rng)
        return Facts(latents_of(numbers, self.z_dim, rng=self.rng), facts_of(numbers))
