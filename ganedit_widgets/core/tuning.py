"""Tune a generator to one picture, so that it draws it exactly at a given latent: pivotal tuning.

Roich et al., "Pivotal Tuning for Latent-based Editing of Real Images", TOG 2022. A method that changes weights is no
edit: it makes a new generator, which has its own latents, and leaves the old one as it was.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from .descent import Adam, gradients, require_differentiable
from .errors import LatentError, ModelError
from .generators.base import Generator, require_own
from .image import Picture, Pixels, to_tensor
from .latent import Latent
from .perceptual import Distance, distance_to, pixel_errors, psnr
from .probes.directions import Direction, require_fit
from .readers.own import save_model
from .short import short

Carried = TypeVar("Carried", Latent, Direction)
TUNED = ", tuned"  # at the end of a name
REACH = 0.5  # how far from the pivot toward a sampled latent the old pictures are held


@dataclass(frozen=True, eq=False)
class Tuning:
    """Where a tuning stands; `generator()` makes the best so far into a generator of its own."""

    step: int
    total: int
    loss: float
    psnr: float  # dB, at the pivot, of the best so far
    drift: float  # mean squared change of the picture at a latent near by: what `locality` holds down
    picture: Tensor = field(repr=False)  # (1, 3, H, W) at the pivot, of the best so far
    _best: _Best = field(repr=False)

    __repr__ = short

    def generator(self) -> Generator:
        """Return the tuned generator; it shares no weights with the old one, but its discriminator.

        Encoder and aligner of the old one serve it too, for tuning stays near (`Generator.origin`).
        """
        return self._best.generator()


def tune(
    generator: Generator,
    latent: Latent,
    picture: Picture | Pixels,
    steps: int = 100,
    rate: float = 1e-3,
    locality: float = 1.0,
    pixel: float = 2.0,
    perceptual: str = "auto",
    seed: int = 0,
) -> Iterator[Tuning]:
    """Lower perceptual + pixel·MSE between G'(latent) and `picture` by changing synthesis weights; yield progress.

    `latent` is the pivot, best found by `Embed` in W, or near it. `locality` weighs the same distance between the old
    and the new picture of a latent on the way from the pivot to a sampled one, another one at each step (Roich et al.,
    equation 5), so that the rest of the model stays what it was. Whoever stops asking keeps the best so far. `rate` is
    Adam's. Raises `LatentError` for a latent of another model, or if the search leaves all bounds.
    """
    require_own(generator, latent)
    require_differentiable(generator)
    if steps < 1 or not (0 < rate < math.inf and 0 <= locality < math.inf and 0 <= pixel < math.inf):
        raise LatentError("Tuning needs a step, a positive rate, and weights that are not negative: use the defaults.")
    given = picture if isinstance(picture, Picture) else Picture(picture)
    with gradients():
        work = _Work(generator, latent, to_tensor(given.fitted(generator.size), generator.device), pixel, perceptual)
        adam, best = Adam(work.weights), _Best(generator)
    rng = np.random.RandomState(seed)
    for step in range(1, steps + 1):
        with gradients():  # closed before the yield, or whoever reads us would inherit it
            drawn, unlike = work.at_pivot()
            drift, changed = work.near_by(rng) if locality else (torch.zeros(()), torch.zeros(()))
            loss = unlike + locality * changed.to(unlike)
            if not math.isfinite(float(loss.detach())):
                raise LatentError(f"The tuning left all bounds at step {step}: choose a smaller rate.")
            best.offer(float(loss.detach()), work.network, drawn)
            if step < steps:
                slopes = torch.autograd.grad(loss, work.weights, allow_unused=True)
        seen = psnr(best.picture, work.target)
        yield Tuning(step, steps, float(loss.detach()), seen, float(drift.detach()), best.picture, best)
        if step < steps:
            adam.step(
                [torch.zeros_like(w) if s is None else s for w, s in zip(work.weights, slopes, strict=True)], rate
            )


def save_tuned(path: str | Path, generator: Generator) -> None:
    """Write a tuned generator as a model file, and let its `code` load that file, so that recipes and code find it.

    The file says what it was tuned from. A copy of that model's encoder beside it, `<stem>_encoder.safetensors`, serves
    it too; the demo's is found without.
    """
    meta = {"name": generator.name, "origin": generator.origin}
    save_model(path, generator.network, generator.discriminator, meta)
    generator.code = f"load_generator({str(path)!r})"


def carry(value: Carried, old: Generator, new: Generator) -> Carried:
    """Return a latent or direction of `old` as one of `new`, which was tuned from it: same numbers, new fingerprint.

    Both mean the same there as far as tuning was local. A direction loses the code that finds it again, for that would
    find a slightly different one. Raises `LatentError` or `DirectionError` if it is not of `old`, `ModelError` if the
    two generators differ in more than weights.
    """
    if old.cfg != new.cfg:
        raise ModelError(f"{new.name} was not tuned from {old.name}, their networks differ: find it again there.")
    if isinstance(value, Direction):
        require_fit(old, value)
        moved: Any = replace(value, fingerprint=new.fingerprint, code="")  # type: ignore[call-arg]
        return moved
    require_own(old, value)
    return replace(value.detached(), fingerprint=new.fingerprint)


class _Work:
    """The copy that is tuned, and what it is compared with."""

    def __init__(self, generator: Generator, pivot: Latent, target: Tensor, pixel: float, perceptual: str) -> None:
        self.old, self.pivot, self.target = generator, pivot.detached(), target
        self.pixel, self.kind = pixel, perceptual
        self.network = copy.deepcopy(generator.network)
        self.new = Generator(self.network, name=generator.name)  # before the first step: the same fingerprint
        self.weights = list(self.network.synthesis.requires_grad_(True).parameters())  # type: ignore[union-attr]
        self.looks = distance_to(generator, target, perceptual)

    def at_pivot(self) -> tuple[Tensor, Tensor]:
        """Return the picture at the pivot, and how unlike the target it is."""
        drawn = self.new.draw(self.pivot)
        return drawn, self._unlike(drawn, self.target, self.looks)

    def near_by(self, rng: np.random.RandomState) -> tuple[Tensor, Tensor]:
        """Return the mean squared change of a picture near the pivot, and how unlike the old one it is."""
        z = torch.from_numpy(rng.randn(1, self.old.z_dim)).float().to(self.old.device)
        with torch.no_grad():
            sampled = self.old.map(z, self.pivot.label)
            latent = self.pivot.moved(REACH * (sampled - self.pivot.w.to(sampled)))
            if self.old.schema is not None:  # its labels will be set to anything
                latent = replace(latent, label=torch.from_numpy(rng.rand(len(self.old.schema))).float())
            before = self.old.draw(latent)
        after = self.new.draw(latent)
        looks = distance_to(self.old, before, self.kind)
        return pixel_errors(after, before).squeeze(), self._unlike(after, before, looks)

    def _unlike(self, picture: Tensor, target: Tensor, looks: Distance) -> Tensor:
        return (looks(picture) + self.pixel * pixel_errors(picture, target)).squeeze()


class _Best:
    """The weights with the least loss so far."""

    def __init__(self, old: Generator) -> None:
        self.old, self.loss = old, math.inf
        self.weights: dict[str, Tensor] = {}
        self.picture: Any = None

    def offer(self, loss: float, network: torch.nn.Module, picture: Tensor) -> None:
        """Keep a copy if it is better."""
        if loss < self.loss:
            self.loss, self.picture = loss, picture.detach()
            self.weights = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}

    def generator(self) -> Generator:
        """Return a generator of these weights."""
        with torch.inference_mode(False):
            network = copy.deepcopy(self.old.network)
            network.load_state_dict(self.weights)
            new = Generator(network, self.old.discriminator, name=f"{self.old.name.removesuffix(TUNED)}{TUNED}")
        new.origin, new.encoder_file = self.old.origin, self.old.encoder_file
        return new
