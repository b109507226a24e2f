"""A pool of the generator's own pictures: most of a batch was drawn before, for drawing costs more than learning."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

SIZE = 4096  # pictures at most: 200 MB at 128×128
FRESH = 8  # one picture in so many is new

Draw = Callable[[np.random.Generator, int], "tuple[Tensor, Tensor]"]


class Pool:
    """Latents u (D,) and their pictures as bytes (3, r, r); the oldest make room for new ones."""

    def __init__(self, draw: Draw, resolution: int, size: int = SIZE) -> None:
        self._draw, self.resolution, self.size = draw, resolution, size
        self._points: list[Tensor] = []
        self._pictures: list[Tensor] = []
        self._next = 0

    def __len__(self) -> int:
        return len(self._points)

    def batch(self, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """Return u (count, D) and pictures (count, 3, r, r) in [-1, 1], an eighth of them never seen before."""
        fresh = max(1, count // FRESH) if len(self) >= count else count
        points, pictures = self._draw(rng, fresh)
        if pictures.shape[-1] > self.resolution:
            pictures = F.interpolate(pictures, size=(self.resolution, self.resolution), mode="area")
        new = [self._keep(u, picture) for u, picture in zip(points, pictures, strict=True)]
        chosen = [*new, *rng.integers(len(self), size=count - fresh)]
        shown = torch.stack([self._pictures[i] for i in chosen]).to(points.device)
        return torch.stack([self._points[i] for i in chosen]), shown.float() / 127.5 - 1

    def _keep(self, u: Tensor, picture: Tensor) -> int:
        """Put one into the pool; return its place."""
        bytes_of = (picture * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8).cpu()
        if len(self) < self.size:
            self._points.append(u)
            self._pictures.append(bytes_of)
            return len(self) - 1
        place, self._next = self._next, (self._next + 1) % self.size
        self._points[place], self._pictures[place] = u, bytes_of
        return place
