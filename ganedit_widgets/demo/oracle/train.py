"""Train the oracle on portraits it draws: ``python -m ganedit_widgets.demo.oracle.train --out FOLDER``."""

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
from torch import Tensor

from ...core.errors import TrainingError
from ..files import write_whole
from ..portraits.dataset import RENDERER
from .augment import augment, shift
from .heads import fit_heads
from .losses import attribute_loss, identity_loss, part_loss, rarity
from .model_file import save_oracle
from .network import OracleConfig, OracleNetwork
from .people import VIEWS, People, portraits_of
from .targets import encode, mirror_pictures, mirrored

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainSettings:
    """The settings of a run; the defaults made the oracle that ships."""

    people: int = 1500  # four portraits each
    steps: int = 2000
    rounds: int = 3  # how often every portrait is looked at for the heads
    epochs: int = 60  # of the heads
    batch_people: int = 9
    with_parts: int = 32  # of a batch's portraits, those whose parts are learned: the decoder costs most
    lr: float = 2e-3
    weight_decay: float = 0.02
    seed: int = 0
    network: OracleConfig = field(default_factory=OracleConfig)


@dataclass
class OracleTrainer:
    """The state of a run."""

    settings: TrainSettings
    people: People
    step: int = 0

    def __post_init__(self) -> None:
        s = self.settings
        torch.manual_seed(s.seed)
        self.network = OracleNetwork(s.network)
        self.rng = torch.Generator().manual_seed(s.seed)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), s.lr, weight_decay=s.weight_decay)
        self.identities = portraits_of(torch.arange(s.people) * VIEWS, self.people.seed)
        numbers = encode(portraits_of(range(4000), self.people.seed)).numbers
        self.network.number_mean.copy_(numbers.mean(0))
        self.network.number_std.copy_(numbers.std(0))
        labels = self.people[torch.arange(min(200, len(self.people)))][1]
        self.part_weights = rarity(labels.flatten().long().bincount(minlength=s.network.parts))

    def learn(self) -> dict[str, float]:
        """Take one step; return the losses."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * schedule(self.step / self.settings.steps)
        losses = self._losses()
        total = losses["attributes"] + 0.3 * losses["identity"] + 0.5 * losses["parts"]
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimizer.step()
        self.step += 1
        return {name: float(loss.detach()) for name, loss in losses.items()}

    def _losses(self) -> dict[str, Tensor]:
        person = self._choose_people().repeat_interleave(VIEWS)
        numbers = person * VIEWS + torch.arange(VIEWS).repeat(len(person) // VIEWS)
        pictures, labels, attributes = self.people[numbers]
        flip = torch.rand(len(numbers), generator=self.rng) < 0.5
        x, labels = shift(pictures.float() / 127.5 - 1, labels, self.rng)
        x, labels = mirror_pictures(x, flip), mirror_pictures(labels, flip)
        x = augment(x, self.rng).contiguous(memory_format=torch.channels_last)
        net = self.network
        maps = net.maps(x)
        n = min(self.settings.with_parts, len(x) - 1)  # the first few: persons are in a random order
        logits = net.segment([m[:n] for m in maps])
        with torch.no_grad():
            rest = net.segment([m[n:] for m in maps])
        reading = net.read(x, maps, torch.cat([logits, rest]))
        truth = encode(mirrored(attributes, flip))
        return {
            "attributes": attribute_loss(reading, truth, net.number_mean, net.number_std),
            "identity": identity_loss(reading.identity, person),
            "parts": part_loss(logits, labels[:n], self.part_weights),
        }

    def _choose_people(self) -> Tensor:
        """Random people, every other time look-alikes: of 200 those nearest in skin and softness to one of them."""
        n = min(self.settings.batch_people, self.settings.people)
        pool = torch.randperm(self.settings.people, generator=self.rng)
        if self.step % 2 == 0:
            return pool[:n]
        pool = pool[: max(n, 200)]
        a = self.identities
        looks = torch.cat([torch.stack([a.skin, a.softness], 1), a.iris], 1)[pool]
        return pool[(looks - looks[:1]).norm(dim=1).argsort()[:n]]

    def settle(self, count: int = 1000) -> None:
        """Measure mean and spread of the features on training portraits, half of them mirrored."""
        self.network.eval()
        mean, std = self.network.feature_mean, self.network.feature_std
        mean.zero_(), std.fill_(1)
        found = []
        for numbers in torch.arange(min(count, len(self.people))).split(50):
            x = mirror_pictures(self.people[numbers][0].float() / 127.5 - 1, numbers % 2 == 1)
            with torch.no_grad():
                found.append(self.network.look(x)[1])
        features = torch.cat(found)
        mean.copy_(features.mean(0)), std.copy_(features.std(0).clamp(min=1e-3))
        self.network.train()

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on."""
        return {
            "settings": asdict(self.settings),
            "step": self.step,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": self.rng.get_state(),
        }

    def resume(self, state: dict[str, Any]) -> None:
        """Go on from a state; raises `TrainingError` if it was made with other settings.

        Only the number of steps may differ: a run that was cut short, or has ended, can be made longer.
        """
        if {**state["settings"], "steps": self.settings.steps} != asdict(self.settings):
            raise TrainingError("The checkpoint was made with other settings: use those, or another folder.")
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.set_state(state["rng"])
        self.step = state["step"]


def schedule(done: float) -> float:
    """Return the share of the learning rate after a share of the steps: warm-up, then a cosine down to zero."""
    return min(done / 0.05 + 0.01, 0.5 * (1 + math.cos(math.pi * done)))


def train(
    folder: Path | str, settings: TrainSettings, minutes: float | None = None, save_every: float = 180.0
) -> Iterator[dict[str, float]]:
    """Train in `folder`, going on from its checkpoint; yield losses; at the end write the model file.

    A run that `minutes` have stopped writes its checkpoint only: the file comes when all steps have been taken.
    """
    folder, began = Path(folder), time.monotonic()
    people = People(
        folder / "people", settings.people, settings.network.size, progress=lambda i, n: log.info("drew %d of %d", i, n)
    )
    trainer = OracleTrainer(settings, people)
    checkpoint = folder / "checkpoint.pt"
    if checkpoint.exists():
        trainer.resume(torch.load(checkpoint, weights_only=True))
    saved = time.monotonic()
    while trainer.step < settings.steps:
        yield {"step": trainer.step, **trainer.learn()}
        over = minutes is not None and time.monotonic() - began > 60 * minutes
        if over or trainer.step == settings.steps or time.monotonic() - saved > save_every:
            file = io.BytesIO()
            torch.save(trainer.state(), file)
            write_whole(checkpoint, file.getvalue())
            saved = time.monotonic()
        if over:
            return
    for epoch, report in enumerate(fit_heads(trainer.network, people, settings.rounds, settings.epochs)):
        yield {"step": trainer.step, "epoch": epoch, **report}
    trainer.settle()
    pictures = trainer.step * settings.batch_people * VIEWS
    about = {"steps": trainer.step, "pictures": pictures, "people": settings.people, "renderer": RENDERER}
    save_oracle(folder / "oracle.safetensors", trainer.network, about)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for portraits, checkpoint and model file")
    parser.add_argument("--minutes", type=float, default=None, help="stop after so long; run again to go on")
    parser.add_argument("--people", type=int, default=TrainSettings.people)
    parser.add_argument("--steps", type=int, default=TrainSettings.steps)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(options.threads)
    settings = TrainSettings(people=options.people, steps=options.steps)
    for report in train(options.out, settings, options.minutes):
        if "epoch" in report or report["step"] % 20 == 0:
            log.info("%s", json.dumps({k: round(v, 4) for k, v in report.items()}))


if __name__ == "__main__":
    main()
