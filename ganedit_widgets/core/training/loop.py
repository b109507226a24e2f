"""The training loop: stages of growing resolution, checkpoints, sample sheets, time left; it resumes where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from ..errors import TrainingError
from ..generators import Generator
from ..sheet import save_sheet
from .distributed import processes
from .pairs import PairSource
from .pictures import PictureArrays
from .trainer import TrainConfig, Trainer

LOG = "log.jsonl"
FACTS = 512  # latents whose facts are learned in a step


@dataclass(frozen=True)
class Plan:
    """How many pictures to show at each resolution, coarse to fine: ((32, 50_000), (64, 40_000), …)."""

    stages: tuple[tuple[int, int], ...] = ((32, 50_000), (64, 50_000), (128, 200_000))

    @property
    def total(self) -> int:
        """The number of pictures of all stages."""
        return sum(n for _, n in self.stages)

    def stage_of(self, pictures: int) -> tuple[int, int]:
        """Return (resolution, pictures left in its stage) after `pictures` have been shown."""
        for resolution, n in self.stages:
            if pictures < n:
                return resolution, n - pictures
            pictures -= n
        return self.stages[-1][0], 0


class Counted(Protocol):
    """What `progress_of` asks of a trainer."""

    @property
    def pictures(self) -> int:
        """How many have been shown."""

    @property
    def resolution(self) -> int:
        """The side of the pictures, in pixels."""


@dataclass
class Progress:
    """What a run reports after every few steps."""

    pictures: int
    total: int
    resolution: int
    seconds: float  # since this process began
    seconds_left: float
    losses: dict[str, float] = field(default_factory=dict)
    sheet: Path | None = None  # a new sample sheet, if one was just drawn

    def __str__(self) -> str:
        losses = " ".join(f"{k} {v:.3f}" for k, v in self.losses.items())
        left = time.strftime("%H:%M:%S", time.gmtime(self.seconds_left))
        return f"{self.resolution}² {self.pictures / 1000:.1f}k of {self.total / 1000:.0f}k  {losses}  {left} left"


def train(
    pictures: PictureArrays,
    folder: str | Path,
    cfg: TrainConfig,
    plan: Plan,
    device: torch.device | None = None,
    report_every: int = 25,
    save_every: float = 300.0,
    seconds: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    pairs: PairSource | None = None,
) -> Iterator[Progress]:
    """Train a StyleGAN2 on `pictures`; yield progress, write checkpoints and sample sheets into `folder`.

    `pairs` gives latents and the pictures they should give, where those are known; the first
    ``cfg.study_pictures`` are then learned from them alone.

    A run whose folder holds a checkpoint goes on from it. `save_every` and `seconds` (time budget of this call) are
    in seconds. Under ``torchrun`` every process takes its own share of the pictures and gradients are averaged.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    device = device or torch.device("cpu")
    trainer = _open(folder, cfg, plan, device)
    cut_log(folder, trainer.pictures)
    rng = np.random.default_rng(cfg.seed + trainer.pictures + 7919 * processes()[0])
    torch.manual_seed(cfg.seed + trainer.pictures + 7919 * processes()[0])
    began = saved = time.monotonic()
    first = trainer.pictures
    while True:
        resolution, left = plan.stage_of(trainer.pictures)
        over = left == 0 or stop() or (seconds is not None and time.monotonic() - began > seconds)
        if over or time.monotonic() - saved > save_every:
            sheet = _save(trainer, folder) if processes()[0] == 0 else None
            saved = time.monotonic()
            yield progress_of(trainer, plan.total, began, first, {}, sheet)
        if over:
            return
        if resolution > trainer.resolution:
            trainer = trainer.grown()
            began, first = time.monotonic() if seconds is None else began, trainer.pictures
            continue
        real = partial(pictures.batch, cfg.batch, trainer.resolution, rng, device)
        losses = _learn(trainer, real, pairs)
        if trainer.steps % report_every == 0:
            progress = progress_of(trainer, plan.total, began, first, losses, None)
            write_log(folder, progress)
            yield progress


def _learn(trainer: Trainer, real: Callable[[], Tensor], source: PairSource | None) -> dict[str, float]:
    if source is None:
        return trainer.step(real())
    pairs = source.pairs(trainer.cfg.batch, trainer.resolution).to(trainer.device)
    if not trainer.studies:
        return trainer.step(real(), pairs)
    facts = source.facts(FACTS)
    return trainer.study(pairs, None if facts is None else facts.to(trainer.device))


def _open(folder: Path, cfg: TrainConfig, plan: Plan, device: torch.device) -> Trainer:
    checkpoint = folder / "checkpoint.pt"
    if not checkpoint.exists():
        return Trainer(cfg, plan.stages[0][0], device)
    state = torch.load(checkpoint, map_location="cpu", weights_only=True)
    widths = ("channel_base", "channel_max", "z_dim", "w_dim", "mapping_layers")
    for name in widths:
        if state["config"][name] != getattr(cfg, name):
            raise TrainingError(
                f"{checkpoint} was trained with {name} {state['config'][name]}, now {getattr(cfg, name)} is asked "
                "for: use the same setting, or another folder."
            )
    free = {k: v for k, v in vars(cfg).items() if k not in widths}
    return Trainer.from_state(state, device, **free)


def progress_of(
    trainer: Counted, total: int, began: float, first: int, losses: dict[str, float], sheet: Path | None
) -> Progress:
    """Return where a run of `total` pictures stands that `began` (`time.monotonic`) after `first` pictures."""
    spent = time.monotonic() - began
    rate = max(trainer.pictures - first, 1) / max(spent, 1e-3)
    left = max(total - trainer.pictures, 0)
    return Progress(trainer.pictures, total, trainer.resolution, spent, left / rate, losses, sheet)


def write_log(folder: Path, progress: Progress) -> None:
    """Add the losses to `log.jsonl`, one line for each report, if this is the chief process."""
    if processes()[0] == 0:
        row: dict[str, Any] = {"pictures": progress.pictures, "resolution": progress.resolution, **progress.losses}
        with (folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def cut_log(folder: Path, pictures: int) -> None:
    """Leave out of the log what comes after `pictures`, which is where a run goes on: it will be written again."""
    path = folder / LOG
    if processes()[0] or not path.is_file():
        return
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.endswith("\n") and json.loads(line)["pictures"] <= pictures]
    if kept != lines:
        partial = path.with_suffix(".partial")
        partial.write_text("".join(kept), encoding="utf-8")
        partial.replace(path)


def _save(trainer: Trainer, folder: Path) -> Path:
    partial = folder / "checkpoint.partial"
    torch.save(trainer.state(), partial)
    partial.replace(folder / "checkpoint.pt")
    generator = Generator(trainer.average, name="in training")
    sheet = folder / f"sheet_{trainer.pictures // 1000:06d}k_{trainer.resolution}.png"
    save_sheet(generator, range(32), sheet, psi=1.0, columns=8)
    return sheet
