"""The loop of fine-tuning on labels: checkpoints, sheets of labels, time left; a stopped run goes on exactly."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from ..conditioning.grid import save_label_grid
from ..conditioning.schema import Schema
from ..errors import TrainingError
from ..generators.base import Generator
from ..readers.own import save_model
from .conditional import ConditionalConfig, ConditionalTrainer
from .distributed import any_of, processes
from .labeled import LabeledPictures
from .labeled_pairs import LabeledPairSource
from .loop import Progress, cut_log, progress_of, write_log

CHECKPOINT, MODEL = "checkpoint.pt", "model.safetensors"
# what a run may change when it goes on
FREE = {"pictures", "seed", "study_pictures", "finish_pictures", "pair_share", "pair_weight"}


def fine_tune(
    source: Generator,
    data: LabeledPictures,
    folder: str | Path,
    cfg: ConditionalConfig,
    device: torch.device | None = None,
    report_every: int = 25,
    save_every: float = 300.0,
    seconds: float | None = None,
    stop: Callable[[], bool] = lambda: False,
    pairs: LabeledPairSource | None = None,
) -> Iterator[Progress]:
    """Fine-tune `source` on labeled pictures; yield progress, write checkpoints and sheets of labels into `folder`.

    A run whose folder holds a checkpoint goes on from it, on the CPU bit for bit as if it had not been stopped.
    `save_every` and `seconds` (time budget of this call) are in seconds. Whoever reads may pause between two reports;
    whoever stops asking keeps the last checkpoint, `stop` asks for one more. Under ``torchrun`` every process takes its
    own pictures and gradients are averaged. `pairs` are what `cfg.study_pictures`, `cfg.finish_pictures` and
    `cfg.pair_share` ask for.
    Raises `TrainingError` if the checkpoint is of another run, or `cfg` asks for pairs where none are given.
    """
    if cfg.needs_pairs and pairs is None:
        raise TrainingError(
            "These settings learn from pairs: give them, or set study_pictures, finish_pictures and pair_share to 0."
        )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    trainer = ConditionalTrainer(source, data.schema, cfg, device)
    resume(trainer, folder)
    cut_log(folder, trainer.pictures)
    began = saved = time.monotonic()
    first = trainer.pictures
    while True:
        asked = stop() or (seconds is not None and time.monotonic() - began > seconds)
        over = trainer.pictures >= cfg.pictures or any_of(asked, trainer.device)
        if over or time.monotonic() - saved > save_every:
            sheet = save(trainer, folder) if processes()[0] == 0 else None
            saved = time.monotonic()
            yield progress_of(trainer, cfg.pictures, began, first, {}, sheet)
        if over:
            return
        losses = _step(trainer, data, pairs)
        if trainer.steps % report_every == 0:
            progress = progress_of(trainer, cfg.pictures, began, first, losses, None)
            write_log(folder, progress)
            yield progress


def _step(trainer: ConditionalTrainer, data: LabeledPictures, source: LabeledPairSource | None) -> dict[str, float]:
    cfg, rng, size = trainer.cfg, trainer.rng(), trainer.resolution
    real, v = data.batch(cfg.batch, size, rng, trainer.device, cfg.mirror)
    if source is None or not (trainer.studies or rng.random() < cfg.pair_share):
        return trainer.step(real, v)
    return trainer.step(real, v, source.pairs(cfg.batch, size, rng).to(trainer.device))


def save(trainer: ConditionalTrainer, folder: Path) -> Path:
    """Write the checkpoint, whole or not at all, and a sheet of labels; return the sheet's path."""
    partial = folder / "checkpoint.partial"
    torch.save(trainer.state(), partial)
    partial.replace(folder / CHECKPOINT)
    sheet = folder / f"labels_{trainer.pictures // 1000:06d}k.png"
    save_label_grid(Generator(trainer.result(), name="in training"), sheet)
    return sheet


def resume(trainer: ConditionalTrainer, folder: Path) -> bool:
    """Let `trainer` go on from the checkpoint in `folder`; return whether there is one.

    Raises `TrainingError` if it is damaged, or of another model, other attributes or other settings.
    """
    path = folder / CHECKPOINT
    if not path.exists():
        return False
    state = read_checkpoint(path)
    if state["source"] != trainer.source:
        raise TrainingError(
            f"{path} was trained from the model {state['source']}, now {trainer.source} is given: use the same one, or "
            "another folder."
        )
    if state["schema"] != trainer.schema.to_json():
        raise TrainingError(
            f"{path} was trained with other labels than those of {', '.join(trainer.schema.names)} that are given now: "
            "use the same, or another folder."
        )
    for name, now in asdict(trainer.cfg).items():
        before = state["config"].get(name)
        if name not in FREE and before != now:
            raise TrainingError(
                f"{path} was trained with {name} {before}, now {now} is asked for: use the same, or another folder."
            )
    trainer.restore(state)
    return True


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the state in a checkpoint of self-conditioning; raises `TrainingError` if it is none."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise TrainingError(f"{path} is damaged ({str(error)[:80]}): delete it to begin again.") from None
    if not isinstance(state, dict) or "self_conditioned" not in state:
        raise TrainingError(f"{path} is of another kind of training: choose another folder.")
    return state


def export_run(
    source: Generator,
    schema: Schema,
    folder: str | Path,
    cfg: ConditionalConfig,
    half: bool = False,
    meta: Mapping[str, Any] = {},
) -> Path:
    """Write the model that the run in `folder` has reached into it; return its path. `half`, `meta`: as in `export`.

    Raises `TrainingError` if there is no checkpoint, or one of another run.
    """
    trainer = ConditionalTrainer(source, schema, cfg)
    if not resume(trainer, Path(folder)):
        raise TrainingError(f"There is no {CHECKPOINT} in {folder}: name the folder of a run.")
    return export(trainer, Path(folder) / MODEL, half, meta)


def export(trainer: ConditionalTrainer, path: str | Path, half: bool = False, meta: Mapping[str, Any] = {}) -> Path:
    """Write the moving average and the critic with its class head to a model file; return its path.

    `half` halves its size; `meta` is added to what its header says.
    """
    about = {"pictures": trainer.pictures, "self_conditioned_from": trainer.source, **meta}
    save_model(path, trainer.result(), trainer.critic, about, half)
    return Path(path)
