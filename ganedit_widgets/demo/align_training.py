"""Train the demo's aligner on cached portraits: ``python -m ganedit_widgets.demo.align_training --out FOLDER``."""

from __future__ import annotations

import argparse
import io
import json
import logging
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save
from torch import Tensor

from ..core.align.aligner import AlignerConfig, AlignerNetwork, aligner_tensors, targets
from ..core.errors import TrainingError
from .align_scenes import FAR, NEAR, WHOLE, Scenes, Spread, scenes
from .files import write_whole
from .portraits import PortraitDataset

log = logging.getLogger(__name__)
SHARES: tuple[tuple[Spread, float], ...] = ((FAR, 0.5), (NEAR, 0.4), (WHOLE, 0.1))  # of a batch


@dataclass(frozen=True)
class AlignSettings:
    """The settings of a run; the defaults made the aligner that ships."""

    portraits: int = 20_000
    steps: int = 2000
    batch: int = 50
    lr: float = 3e-3
    weight_decay: float = 0.02
    average: float = 0.995  # of the weights, per step: the file holds their running mean
    seed: int = 0
    network: AlignerConfig = field(default_factory=AlignerConfig)


class AlignTrainer:
    """The state of a run."""

    def __init__(self, settings: AlignSettings, portraits: PortraitDataset) -> None:
        self.settings, self.portraits, self.step = settings, portraits, 0
        torch.manual_seed(settings.seed)
        self.network = AlignerNetwork(settings.network)
        self.averaged = AlignerNetwork(settings.network)
        self.averaged.load_state_dict(self.network.state_dict())
        self.rng = torch.Generator().manual_seed(settings.seed)
        s = settings
        self.optimizer = torch.optim.AdamW(self.network.parameters(), s.lr, weight_decay=s.weight_decay)

    def learn(self) -> dict[str, float]:
        """Take one step; return the loss, and how far off the boxes are on average."""
        s = self.settings
        for group in self.optimizer.param_groups:
            group["lr"] = s.lr * _schedule(self.step / s.steps)
        batches = [self._scenes(spread, round(share * s.batch)) for spread, share in SHARES]
        pictures = torch.cat([b.pictures for b in batches])
        truth = torch.cat([targets(b.x, b.y, b.side, b.angle) for b in batches])
        self.network.train()
        errors = errors_of(self.network(pictures), truth)
        loss = F.smooth_l1_loss(errors, torch.zeros_like(errors), beta=0.1)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self._average()
        self.step += 1
        place, scale, angle = (errors.detach().abs()[:, c].mean().item() for c in (slice(0, 2), 2, slice(3, 5)))
        return {"loss": float(loss.detach()), "place": place, "scale": scale, "angle": angle}

    def _scenes(self, spread: Spread, count: int) -> Scenes:
        numbers = torch.randint(0, len(self.portraits), (count,), generator=self.rng)
        tiles, labels, _ = self.portraits[numbers]
        if self.step % 2:
            tiles, labels = tiles.flip(3), labels.flip(2)
        return scenes(tiles, labels, spread, self.rng, self.settings.network.size)

    @torch.no_grad()
    def _average(self) -> None:
        share = min(1 - self.settings.average, 10 / (self.step + 10))
        for mean, value in zip(self.averaged.state_dict().values(), self.network.state_dict().values(), strict=True):
            mean.lerp_(value, share) if mean.is_floating_point() else mean.copy_(value)

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on."""
        return {
            "settings": asdict(self.settings),
            "step": self.step,
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.get_state(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state; raises `TrainingError` if it was made with other settings.

        Only the number of steps may differ: a run that was cut short, or has ended, can be made longer.
        """
        if {**state["settings"], "steps": self.settings.steps} != asdict(self.settings):
            raise TrainingError("The checkpoint was made with other settings: use those, or another folder.")
        for name in ("network", "averaged", "optimizer"):
            getattr(self, name).load_state_dict(state[name])
        self.rng.set_state(state["rng"])
        self.step = state["step"]


def errors_of(answers: Tensor, truth: Tensor) -> Tensor:
    """Return (B, 5): place in shares of the box's side, log of the scale, and the angle's sine and cosine."""
    place = (answers[:, :2] - truth[:, :2]) / 2 / truth[:, 2:3].exp()
    return torch.cat([place, answers[:, 2:] - truth[:, 2:]], 1)


def _schedule(done: float) -> float:
    """Return the share of the learning rate after a share of the steps: warm-up, then a cosine down to zero."""
    return min(done / 0.04 + 0.02, 0.5 * (1 + math.cos(math.pi * done)))


def train(
    folder: Path | str, settings: AlignSettings, portraits: PortraitDataset, minutes: float | None = None
) -> Iterator[dict[str, float]]:
    """Train in `folder`, going on from its checkpoint; yield losses; at the end write ``aligner.safetensors`` there.

    A run that `minutes` have stopped writes its checkpoint only.
    """
    folder, began = Path(folder), time.monotonic()
    trainer, checkpoint, saved = AlignTrainer(settings, portraits), folder / "checkpoint.pt", time.monotonic()
    if checkpoint.exists():
        trainer.resume(torch.load(checkpoint, weights_only=True))
    while trainer.step < settings.steps:
        yield {"step": trainer.step, **trainer.learn()}
        over = minutes is not None and time.monotonic() - began > 60 * minutes
        if over or trainer.step == settings.steps or time.monotonic() - saved > 60:
            file = io.BytesIO()
            torch.save(trainer.state(), file)
            write_whole(checkpoint, file.getvalue())
            saved = time.monotonic()
        if over:
            return
    tensors, header = aligner_tensors(trainer.averaged)
    write_whole(folder / "aligner.safetensors", save(tensors, header))


def main(arguments: Sequence[str] | None = None) -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoint and model file")
    parser.add_argument("--portraits", type=Path, default=None, help="cache made by build_cache; else they are drawn")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long; run again to go on")
    parser.add_argument("--steps", type=int, default=AlignSettings.steps)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    settings = AlignSettings(steps=options.steps)
    portraits = PortraitDataset(settings.portraits, size=128, seed=0, folder=options.portraits)
    for report in train(options.out, settings, portraits, options.minutes):
        if report["step"] % 50 == 0:
            log.info("%s", json.dumps({k: round(v, 4) for k, v in report.items()}))


if __name__ == "__main__":
    main()
