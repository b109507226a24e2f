"""Portraits as training data: drawn when asked for, or read from a cache of drawn shards."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ...core.errors import TrainingError
from .attributes import Attributes, sample_attributes
from .renderer import render

RENDERER = 1  # raised whenever the same attributes give other pixels, so that stale caches are noticed
SHARD = 500
Progress = Callable[[int, int], object]
Batch = tuple[Tensor, Tensor, Attributes]


def draw(indices: Tensor | range | Sequence[int], size: int, seed: int, device: torch.device | str = "cpu") -> Batch:
    """Portraits of some numbers: pictures (B, 3, size, size) and labels (B, size, size), both uint8, and attributes."""
    attributes = sample_attributes(indices, seed)
    drawn = render(attributes.to(device), size)
    pictures = (drawn.image + 1).mul_(127.5).round_().clamp_(0, 255).to(torch.uint8)
    return pictures, drawn.labels, attributes


class PortraitDataset:
    """The first ``count`` portraits of a seed, from a cache if a folder is given, else drawn when asked for.

    >>> data = PortraitDataset(count=1000, size=64, seed=0)
    >>> pictures, labels, attributes = data[0:16]

    Held-out portraits are those of another seed. On a GPU, draw: it is faster than reading.
    """

    def __init__(
        self,
        count: int,
        size: int = 128,
        seed: int = 0,
        folder: Path | str | None = None,
        device: torch.device | str = "cpu",
    ):
        self.count, self.size, self.seed, self.device = count, size, seed, device
        self._shards: list[np.ndarray] = []
        if folder is not None:
            self._shards = _open_shards(Path(folder), count, size, seed)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, key: int | slice | range | Sequence[int] | Tensor) -> Batch:
        """Pictures (B, 3, S, S) and labels (B, S, S), both uint8, and attributes, of portraits by number."""
        numbers = self._numbers(key)
        if not self._shards:
            return draw(numbers, self.size, self.seed, self.device)
        rows = torch.from_numpy(np.stack([self._shards[i // SHARD][i % SHARD] for i in numbers.tolist()]))
        rows = rows.to(self.device)
        return rows[:, :3], rows[:, 3], sample_attributes(numbers, self.seed)

    def batches(self, size: int) -> Iterator[Batch]:
        """All portraits in order, ``size`` at a time."""
        for start in range(0, self.count, size):
            yield self[start : start + size]

    def _numbers(self, key: int | slice | range | Sequence[int] | Tensor) -> Tensor:
        if isinstance(key, slice):
            key = range(*key.indices(self.count))
        numbers = torch.as_tensor([key] if isinstance(key, int) else key if isinstance(key, Tensor) else list(key))
        numbers = numbers.long().cpu()
        if len(numbers) == 0 or int(numbers.min()) < 0 or int(numbers.max()) >= self.count:
            raise IndexError(f"portrait numbers must lie in 0 ... {self.count - 1} and be at least one")
        return numbers


def build_cache(
    folder: Path | str,
    count: int,
    size: int = 128,
    seed: int = 0,
    progress: Progress | None = None,
    workers: int = 1,
) -> Path:
    """Draw the first ``count`` portraits of a seed into shards of a folder; a run that was stopped continues.

    Each shard is an ``.npy`` file (n, 4, size, size) uint8, red, green, blue and label, that appears only when it is
    complete. ``progress(done, total)`` is called after every shard. Several ``workers`` are processes of one thread.
    Raises ``TrainingError`` where the folder holds portraits of another size, seed or renderer.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    _check_note(folder, size, seed, write=True)
    tasks = [range(start, min(start + SHARD, count)) for start in range(0, count, SHARD)]
    missing = [task for task in tasks if not _is_complete(folder, task)]
    done = count - sum(map(len, missing))
    for drawn in _work(partial(_draw_shard, str(folder), size, seed), missing, workers):
        done += drawn
        if progress is not None:
            progress(done, count)
    return folder


def _work(job: Callable[[range], int], tasks: list[range], workers: int) -> Iterator[int]:
    if workers <= 1 or len(tasks) <= 1:
        yield from map(job, tasks)
        return
    with torch.multiprocessing.get_context("spawn").Pool(
        workers, initializer=torch.set_num_threads, initargs=(1,)
    ) as p:
        yield from p.imap_unordered(job, tasks)


def _draw_shard(folder: str, size: int, seed: int, task: range) -> int:
    pictures, labels, _ = draw(task, size, seed)
    rows = torch.cat([pictures, labels.unsqueeze(1)], 1).numpy()
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".part", delete=False) as file:
        np.save(file, rows)
    Path(file.name).replace(_shard_path(Path(folder), task.start))
    return len(task)


def _shard_path(folder: Path, start: int) -> Path:
    return folder / f"portraits_{start:07d}.npy"


def _is_complete(folder: Path, task: range) -> bool:
    path = _shard_path(folder, task.start)
    return path.is_file() and len(np.load(path, mmap_mode="r")) >= len(task)


def _check_note(folder: Path, size: int, seed: int, write: bool) -> None:
    path, mine = folder / "portraits.json", {"size": size, "seed": seed, "renderer": RENDERER}
    if path.is_file():
        found = json.loads(path.read_text())
        if found != mine:
            raise TrainingError(
                f"The folder {folder} holds portraits {found}, not {mine}; name another folder or empty it."
            )
    elif write:
        path.write_text(json.dumps(mine))


def _open_shards(folder: Path, count: int, size: int, seed: int) -> list[np.ndarray]:
    _check_note(folder, size, seed, write=False)
    tasks = [range(start, min(start + SHARD, count)) for start in range(0, count, SHARD)]
    absent = sum(len(task) for task in tasks if not _is_complete(folder, task))
    if absent:
        raise TrainingError(f"The cache {folder} lacks {absent} of {count} portraits; run build_cache on it first.")
    return [np.load(_shard_path(folder, task.start), mmap_mode="r") for task in tasks]
