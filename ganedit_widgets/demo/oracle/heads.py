"""The second half of training: with trunk and parts fixed, the heads learn from what those say, which is quick."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from .augment import augment, shift
from .losses import attribute_loss, identity_loss
from .network import OracleNetwork, describe_parts
from .people import VIEWS, People
from .targets import Targets, encode, mirror_pictures, mirrored

BATCH = 64  # portraits looked at together, and persons learned together


@dataclass(frozen=True)
class Findings:
    """What trunk and segmenter say of N portraits, the truth, and whose they are."""

    flat: Tensor  # (N, 1024)
    description: Tensor  # (N, 140)
    truth: Targets
    person: Tensor  # (N,)

    def __getitem__(self, rows: Tensor) -> Findings:
        truth = Targets(**{name: value[rows] for name, value in vars(self.truth).items()})
        return Findings(self.flat[rows], self.description[rows], truth, self.person[rows])


@torch.no_grad()
def look(network: OracleNetwork, people: People, rounds: int, rng: torch.Generator) -> Findings:
    """Look at every portrait `rounds` times, each time mirrored, moved and augmented at random."""
    network.eval()
    found: list[Findings] = []
    for numbers in torch.arange(len(people)).repeat(rounds).split(BATCH):
        pictures, labels, attributes = people[numbers]
        flip = torch.rand(len(numbers), generator=rng) < 0.5
        x = shift(pictures.float() / 127.5 - 1, labels, rng)[0]
        x = augment(mirror_pictures(x, flip), rng).contiguous(memory_format=torch.channels_last)
        maps = network.maps(x)
        truth = encode(mirrored(attributes, flip))
        description = describe_parts(x, network.segment(maps))
        found.append(Findings(maps[-1].flatten(1), description, truth, numbers // VIEWS))
    truth = Targets(**{name: torch.cat([getattr(f.truth, name) for f in found]) for name in vars(found[0].truth)})
    flat, description, person = (torch.cat([getattr(f, k) for f in found]) for k in ("flat", "description", "person"))
    return Findings(flat, description, truth, person)


def whiten(network: OracleNetwork, description: Tensor, least: float = 1e-3) -> None:
    """Set the scale of descriptions (N, 140), and the matrix that makes them independent (Kessy et al. 2018, PCA).

    What varies less than `least` of the mean variance is not blown up further.
    """
    mean, variance = description.mean(0), description.var(0)
    network.scale.running_mean.copy_(mean)  # type: ignore[union-attr]
    network.scale.running_var.copy_(variance)  # type: ignore[union-attr]
    scaled = (description - mean) / (variance + network.scale.eps).sqrt()
    values, vectors = torch.linalg.eigh(scaled.T.double() @ scaled.double() / len(scaled))
    network.whiten.weight.data.copy_((vectors / (values.clamp(min=0) + least).sqrt()).T)


def fit_heads(
    network: OracleNetwork, people: People, rounds: int = 3, epochs: int = 60, lr: float = 2e-3, seed: int = 0
) -> Iterator[dict[str, float]]:
    """Train the heads, trunk and parts being fixed; yield the mean losses of every epoch."""
    rng = torch.Generator().manual_seed(seed)
    findings = look(network, people, rounds, rng)
    whiten(network, findings.description)
    heads = [network.described, network.penultimate, network.identity, network.numbers, network.glasses, network.style]
    parameters = [p for head in heads for p in head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr, weight_decay=0.02)
    per_epoch = -(-people.people // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * per_epoch)
    rows = torch.arange(len(findings.person)).view(rounds, people.people, VIEWS)
    for _ in range(epochs):
        network.penultimate.train(), network.identity.train()
        losses = torch.zeros(2)
        for persons in torch.randperm(people.people, generator=rng).split(BATCH):
            which = torch.randint(rounds, (len(persons), VIEWS), generator=rng)  # another round for each view
            part = findings[rows[which, persons[:, None], torch.arange(VIEWS)].flatten()]
            reading = network.judge(part.flat, part.description)
            attributes = attribute_loss(reading, part.truth, network.number_mean, network.number_std)
            identity = identity_loss(reading.identity, part.person)
            optimizer.zero_grad(set_to_none=True)
            (attributes + 0.3 * identity).backward()
            optimizer.step()
            schedule.step()
            losses += torch.tensor([attributes.item(), identity.item()]) / per_epoch
        yield {"attributes": float(losses[0]), "identity": float(losses[1])}
    network.eval()
