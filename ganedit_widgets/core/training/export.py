"""From a training checkpoint to model files that `load_generator` reads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ..errors import TrainingError
from ..generators.load import save_model
from .trainer import Trainer


def export(folder: str | Path, out: str | Path | None = None, half: bool = False, meta: Mapping[str, Any] = {}) -> Path:
    """Write the moving average and the discriminator of the run in `folder`; return the path of the file.

    `out` defaults to ``model.safetensors`` in the folder; `half` halves the size.
    """
    trainer = load_trainer(folder)
    target = Path(out) if out is not None else Path(folder) / "model.safetensors"
    about = {"pictures": trainer.pictures, "resolution": trainer.resolution, **meta}
    save_model(target, trainer.average, trainer.critic.network, about, half)
    return target


def load_trainer(folder: str | Path) -> Trainer:
    """Return the trainer of the run in `folder`, on the CPU."""
    checkpoint = Path(folder) / "checkpoint.pt"
    if not checkpoint.exists():
        raise TrainingError(f"There is no checkpoint.pt in {folder}: name the folder of a run.")
    return Trainer.from_state(torch.load(checkpoint, map_location="cpu", weights_only=True), torch.device("cpu"))
