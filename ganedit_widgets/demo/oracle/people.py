"""Several portraits of each of many people, for learning and testing who is who."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...core.errors import TrainingError
from ..files import write_whole
from ..portraits import IDENTITY, Attributes, render, sample_attributes
from ..portraits.dataset import RENDERER

VIEWS = 4  # portraits of each person
TRAINING_PEOPLE, HELD_OUT_PEOPLE = 101, 102  # seeds
SHARD = 400


def portraits_of(numbers: Tensor | range, seed: int) -> Attributes:
    """Attributes of portraits by number: 4i … 4i + 3 show person i.

    Face, skin and iris are the person's; pose, light, age, expression, hair, glasses, clothes and background are drawn
    anew for every portrait.
    """
    numbers = torch.as_tensor(list(numbers)) if isinstance(numbers, range) else numbers
    views = sample_attributes(numbers, seed)
    persons = sample_attributes(numbers // VIEWS, seed + 1000)
    return views.replace(**{name: getattr(persons, name) for name in IDENTITY})


class People:
    """Pictures and labels of the first `people` persons of a seed, drawn once into a folder of shards.

    >>> people = People(folder, people=1500)       # draws what is missing, and goes on where it was stopped
    >>> pictures, labels, attributes = people[torch.tensor([0, 1, 2, 3])]   # four portraits of person 0
    """

    def __init__(
        self,
        folder: Path | str,
        people: int,
        size: int = 128,
        seed: int = TRAINING_PEOPLE,
        progress: Callable[[int, int], object] = lambda done, total: None,
    ) -> None:
        self.people, self.seed = people, seed
        folder = Path(folder)
        note = {"size": size, "seed": seed, "renderer": RENDERER}
        _check(folder / "people.json", note)
        self._shards = []
        for start in range(0, len(self), SHARD):
            path = folder / f"people_{start:07d}.npy"
            count = min(SHARD, len(self) - start)
            if not path.exists() or len(np.load(path, mmap_mode="r")) < count:
                _draw(path, portraits_of(range(start, start + count), seed), size)
                progress(start + count, len(self))
            self._shards.append(np.load(path, mmap_mode="r"))

    def __len__(self) -> int:
        return self.people * VIEWS

    def __getitem__(self, numbers: Tensor) -> tuple[Tensor, Tensor, Attributes]:
        """Pictures (B, 3, S, S) and labels (B, S, S), both uint8, and attributes of portraits by number (B,)."""
        rows = torch.from_numpy(np.stack([self._shards[i // SHARD][i % SHARD] for i in numbers.tolist()]))
        return rows[:, :3], rows[:, 3], portraits_of(numbers, self.seed)


def _check(path: Path, note: dict[str, int]) -> None:
    if not path.exists():
        write_whole(path, json.dumps(note))
    elif json.loads(path.read_text()) != note:
        raise TrainingError(f"{path.parent} holds other portraits than {note}: name another folder or empty it.")


def _draw(path: Path, attributes: Attributes, size: int) -> None:
    drawn = render(attributes, size)
    pictures = ((drawn.image + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    file = io.BytesIO()
    np.save(file, torch.cat([pictures, drawn.labels.unsqueeze(1)], 1).numpy())
    write_whole(path, file.getvalue())
