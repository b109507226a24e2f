"""Train an encoder: first on the generator's own samples, whose latents are known, then on real pictures too."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..conditioning.reading import read_labels
from ..descent import gradients, require_differentiable
from ..errors import TrainingError
from ..generators.base import Generator
from ..perceptual import decibels, distance_to, pixel_errors
from ..probes.whitening import Whitening
from ..training.pictures import PictureArrays
from .encoder import Encoder, save_encoder
from .network import EncoderNetwork, config_for
from .pool import Pool

CHECK = 16  # pictures of each kind by which the best weights are chosen
PSI = (0.5, 1.0)  # samples are truncated by so much


@dataclass(frozen=True)
class EncoderPlan:
    """How an encoder is trained; the weights are those of a sum of means."""

    steps: int = 20_000
    batch: int = 16
    rate: float = 1e-3  # Adam's; falls along a cosine
    warm: float = 0.3  # share of the steps that learn the latents of samples only: ten times faster than with pictures
    real: float = 0.4  # share of the steps, the last ones, of which every second one learns a real picture
    latent: float = 1.0  # weight of the error of u + r, in variances of W; of samples
    pixel: float = 2.0  # of the pixels' squared error
    look: float = 1.0  # of the perceptual distance
    residual: float = 0.1  # of r²: what holds the layers near one point of W (Tov et al., "e4e", 2021)
    spread: float = 0.02  # of u²; of real pictures, whose u is not known
    perceptual: str = "auto"  # see `core.perceptual.distance_to`
    seed: int = 0


@dataclass(frozen=True)
class EncoderProgress:
    """Where a training stands."""

    step: int
    total: int
    loss: float
    psnr: float  # dB, of the pictures it is checked with, drawn again from what was guessed
    best: float  # of all checks so far: perceptual distance + pixel·MSE
    seconds_left: float

    def __str__(self) -> str:
        left = time.strftime("%H:%M:%S", time.gmtime(self.seconds_left))
        return f"loss {self.loss:.3f}  PSNR {self.psnr:.1f} dB  {left} left"


def train_encoder(
    generator: Generator,
    out: str | Path,
    pictures: PictureArrays | None = None,
    plan: EncoderPlan = EncoderPlan(),
    seconds: float | None = None,
    report_every: int = 25,
    start: Encoder | None = None,
) -> Iterator[EncoderProgress]:
    """Train an encoder of `generator`; write the best so far to `out`, a `.safetensors` file, and yield progress.

    `pictures`: real ones, of the generator's size or larger; none: its own samples only. `seconds`: time budget of this
    call. A run that was cut off, or whose reader stopped asking, goes on where it was: its state lies beside `out`, and
    only the pool of samples is drawn anew. `start`: the encoder of the model that this one was tuned from, with whose
    weights it begins; a state that lies there goes before.
    Raises `TrainingError` if that state is damaged, of another model or plan, or cannot be written, or if `start` looks
    at pictures, or makes latents, of other sizes.
    """
    require_differentiable(generator)
    run = _Run(generator, Path(out), pictures, plan, start)
    began, first = time.monotonic(), run.step
    try:
        while run.step < plan.steps and (seconds is None or time.monotonic() - began < seconds):
            loss = run.learn()
            over = run.step == plan.steps
            if over or run.step % report_every == 0:
                psnr = run.check()
                left = (time.monotonic() - began) / (run.step - first) * (plan.steps - run.step)
                yield EncoderProgress(run.step, plan.steps, loss, psnr, run.best, left)
    finally:
        run.save()


class _Run:
    """The state of one training."""

    def __init__(
        self,
        generator: Generator,
        out: Path,
        pictures: PictureArrays | None,
        plan: EncoderPlan,
        start: Encoder | None = None,
    ) -> None:
        self.generator, self.out, self.pictures, self.plan = generator, out, pictures, plan
        self.white, self.step, self.best = Whitening.of(generator), 0, float("inf")
        with torch.random.fork_rng(devices=[]), torch.inference_mode(False):
            torch.manual_seed(plan.seed)
            self.network, self.average = (EncoderNetwork(config_for(generator)).to(generator.device) for _ in range(2))
            self._begin(start)
            self.adam = torch.optim.Adam(self.network.parameters(), plan.rate, betas=(0.9, 0.99))
        self.average.requires_grad_(False)
        self._resume()
        self.pool = Pool(self.samples, self.network.cfg.resolution)
        self.checked = self._checked()

    def _begin(self, start: Encoder | None) -> None:
        if start is not None:
            if start.network.cfg != self.network.cfg:
                one, other = (
                    f"{c.resolution}² pixels and W+ {c.num_ws}×{c.w_dim}" for c in (start.network.cfg, self.network.cfg)
                )
                raise TrainingError(
                    f"The encoder to begin with is for {one}, this model has {other}: begin without one."
                )
            self.network.load_state_dict(start.network.state_dict())
        self.average.load_state_dict(self.network.state_dict())

    # ---- pictures to learn from

    def samples(self, rng: np.random.Generator, count: int) -> tuple[Tensor, Tensor]:
        """Return u (N, D) of truncated samples, and their pictures as one sees them, clipped."""
        z = torch.from_numpy(rng.standard_normal((count, self.generator.z_dim))).float().to(self.generator.device)
        psi = torch.from_numpy(rng.uniform(*PSI, (count, 1))).float().to(z)
        with torch.no_grad():
            u = psi * self.white.to_u(self.generator.map(z))
            schema = self.generator.schema
            v = None if schema is None else torch.from_numpy(rng.random((count, len(schema)))).float()
            return u, self.draw(u[:, None].expand(-1, self.network.cfg.num_ws, -1), v).clamp(-1, 1)

    def real(self, rng: np.random.Generator, count: int) -> Tensor:
        """Return real pictures (N, 3, H, W)."""
        assert self.pictures is not None  # asked by the callers
        return self.pictures.batch(count, self.generator.size[0], rng, self.generator.device)

    def draw(self, u: Tensor, v: Tensor | None = None) -> Tensor:
        """Return the pictures of u (N, L, D), with labels v (N, A) if the generator takes them."""
        base = self.generator.average()
        labels = [None] * len(u) if v is None else list(v)
        return self.generator.draw_many(
            [replace(base, w=w, label=label) for w, label in zip(self.white.to_w(u), labels, strict=True)]
        )

    def read(self, pictures: Tensor) -> Tensor | None:
        """Return the labels (N, A) that pictures are to be drawn with again; None if the generator takes none."""
        return None if self.generator.schema is None else read_labels(self.generator, pictures)

    def _checked(self) -> Tensor:
        rng = np.random.default_rng((self.plan.seed, 1))
        own = self.samples(rng, CHECK)[1]
        return own if self.pictures is None else torch.cat([own, self.real(rng, CHECK)])

    # ---- learning

    def learn(self) -> float:
        """Take one step; return its loss."""
        plan, rng = self.plan, np.random.default_rng((self.plan.seed, 2, self.step))
        pictured = self.step >= plan.warm * plan.steps
        real = self.pictures is not None and self.step >= (1 - plan.real) * plan.steps and self.step % 2 == 0
        # pictures that are compared must be of the generator's size, those that are only looked at need not
        own = self.samples if pictured and self.generator.size[0] > self.pool.resolution else self.pool.batch
        with gradients():
            u, pictures = (None, self.real(rng, plan.batch)) if real else own(rng, plan.batch)
            point, residual = self.network(pictures)
            found = point[:, None] + residual
            loss = plan.residual * residual.square().mean()
            loss = loss + (plan.spread * point.square() if u is None else plan.latent * (point - u).square()).mean()
            if u is not None:
                loss = loss + plan.latent * (found - u[:, None]).square().mean()
            if pictured or real:
                loss = loss + self._unlike(self.draw(found, self.read(pictures)), pictures).mean()
            self._descend(loss)
        return float(loss.detach())

    def _unlike(self, found: Tensor, pictures: Tensor) -> Tensor:
        seen = distance_to(self.generator, pictures, self.plan.perceptual)(found)
        return self.plan.look * seen + self.plan.pixel * pixel_errors(found, pictures)

    def _descend(self, loss: Tensor) -> None:
        for group in self.adam.param_groups:
            group["lr"] = self.plan.rate * (0.51 + 0.49 * float(np.cos(np.pi * self.step / self.plan.steps)))
        self.adam.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self.adam.step()
        self.step += 1
        share = 1 - min(0.999, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, share)

    def check(self) -> float:
        """Measure the moving average, and write it if it is the best so far; return the PSNR in dB."""
        with torch.inference_mode(False), torch.no_grad():
            point, residual = self.average(self.checked)
            found = self.draw(point[:, None] + residual, self.read(self.checked)).clamp(-1, 1)
            unlike = float(self._unlike(found, self.checked).mean())
            psnr = decibels(float(pixel_errors(found, self.checked).mean()))
        if unlike < self.best:
            self.best = unlike
            about = {"step": self.step, "psnr": round(psnr, 2), "real_pictures": len(self.pictures or ())}
            save_encoder(self.out, Encoder(self._copy(), self.generator, about))
        return psnr

    def _copy(self) -> EncoderNetwork:
        network = EncoderNetwork(self.average.cfg)
        network.load_state_dict(self.average.state_dict())
        return network

    # ---- going on later

    @property
    def checkpoint(self) -> Path:
        """Where the state of the training lies."""
        return self.out.with_name(f"{self.out.stem}.checkpoint.pt")

    def save(self) -> None:
        """Write the state, whole or not at all. Raises `TrainingError` if there is no place for it."""
        if not self.step:
            return
        state = {
            "fingerprint": self.generator.fingerprint,
            "steps": self.plan.steps,
            "step": self.step,
            "best": self.best,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "adam": self.adam.state_dict(),
        }
        partial = self.checkpoint.with_suffix(".partial")
        try:
            torch.save(state, partial)
            partial.replace(self.checkpoint)
        except (OSError, RuntimeError) as error:  # torch tells of a full disk by a RuntimeError
            raise TrainingError(
                f"The state of the training cannot be written to {self.checkpoint} ({str(error)[:80]}): free some "
                "space, or choose another place."
            ) from None
        finally:
            partial.unlink(missing_ok=True)

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            return
        try:
            state: dict[str, Any] = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
            why = str(error)[:80]
            raise TrainingError(f"{self.checkpoint} is damaged ({why}): delete it to begin again.") from None
        if not isinstance(state, dict) or not {"fingerprint", "steps", "adam"} <= set(state):
            raise TrainingError(f"{self.checkpoint} is of another kind of training: choose another file name.")
        for name, now in (("fingerprint", self.generator.fingerprint), ("steps", self.plan.steps)):
            if state[name] != now:
                raise TrainingError(
                    f"{self.checkpoint.name} is of a training with the {name} {state[name]}, now it is {now}: use the "
                    "same, or another file name."
                )
        self.step, self.best = int(state["step"]), float(state["best"])
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.adam.load_state_dict(state["adam"])
