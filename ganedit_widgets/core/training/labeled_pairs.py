"""Learning labels from pairs: latents that say nothing of the attributes, labels that do, and pictures of both.

A picture whose latent is known gives such a pair, once whatever its latent says of the attributes is replaced: only by
its labels can the picture then be drawn again. The paper leaves it to the class head alone to teach the generator what
labels mean, which takes it tens of thousands of pictures; from pairs that takes it a fraction of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..generators.self_conditioned import SelfConditioned
from .pairs import Pairs


@dataclass(frozen=True)
class LabeledPairs(Pairs):
    """Pairs whose pictures are told by latents z (N, Z) and labels v (N, A) in [0, 1] together."""

    v: Tensor

    def to(self, device: torch.device) -> LabeledPairs:
        """Return the same pairs on another device."""
        moved = super().to(device)
        return LabeledPairs(moved.z, moved.pictures, moved.weights, self.v.to(device))


class LabeledPairSource(Protocol):
    """Where such pairs come from."""

    def pairs(self, n: int, resolution: int, rng: np.random.Generator) -> LabeledPairs:
        """Return n pairs with pictures of a resolution, chosen by `rng` alone."""


def let_learn(network: nn.Module, keep: int = 0) -> None:
    """Let all weights learn but those of blocks, ``b128`` and the like, of `keep` pixels and more; 0: all of them."""
    network.requires_grad_(True)
    for module_name, module in network.named_modules():
        block = module_name.rpartition(".")[2]
        if keep and block[:1] == "b" and block[1:].isdecimal() and int(block[1:]) >= keep:
            module.requires_grad_(False)


def drawn_of(network: SelfConditioned, pairs: LabeledPairs) -> Tensor:
    """Return what a generator draws (N, 3, R, R) of the latents and labels of pairs, with noise.

    Without it, noise that the critic has let in would never be found wrong, and the pictures get a grain.
    """
    ws = network.mapping(pairs.z)[:, None].expand(-1, network.cfg.num_ws, -1)
    return network.synthesis(ws, noise="random", labels=pairs.v)  # type: ignore[no-any-return]
