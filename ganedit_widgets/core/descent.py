"""Walk downhill: the loop that embedding and every other searching edit share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import torch
from torch import Tensor

from .errors import LatentError, ModelError
from .generators.base import Generator
from .latent import Latent

Latents = TypeVar("Latents", Latent, Sequence[Latent])
RAMP_UP, RAMP_DOWN = 0.05, 0.25  # shares of the steps (Karras et al., "Analyzing and Improving…", 2020, appendix D)


@dataclass(eq=False)
class Judgement:
    """What one try is worth, or several at once: each is then lowered by itself, and the best of them counts."""

    loss: Tensor  # scalar or (N,), differentiable
    picture: Tensor  # (N, 3, H, W), as drawn for the loss; N is 1 for one try
    numbers: dict[str, float] = field(default_factory=dict)  # to be reported, of the best

    @property
    def best(self) -> int:
        """Which try has the least loss; one that is not finite is the worst."""
        return least(self.loss)


def least(loss: Tensor) -> int:
    """Return the index of the least of `loss`, scalar or (N,), among those that are finite."""
    return int(loss.detach().reshape(-1).nan_to_num(nan=math.inf, posinf=math.inf).argmin())


def descend(
    start: Sequence[Tensor],
    latent_of: Callable[..., Latents],
    judge: Callable[[Latents], Judgement],
    iterations: int,
    rate: float,
    report: Callable[[dict[str, Any]], None],
    stop_after: int | None = None,
) -> Iterator[Latent]:
    """Lower the loss of `judge(latent_of(*x))` by Adam, beginning at x = `start`; yield the best latent so far.

    Several walks go side by side if `latent_of` returns a sequence of latents and `judge` a loss for each; x must not
    be shared between them. Each step judges once, so the first latent yielded is that of `start`, and `judge` is
    called `iterations` times. `rate` is ramped up and, over the last quarter, down again. `stop_after` ends the walk
    early, at the same rates. Works under any grad mode of the reader, inference mode included, and leaves it as it is.
    Reports "step" and "loss" of the step, and of the best so far: "best", its numbers and "picture".
    Raises `LatentError` if the loss is no longer finite.
    """
    best = _Best()
    for _ in _walk(start, latent_of, judge, iterations, rate, report, stop_after, best):
        assert best.latent is not None  # the first finite loss was below infinity
        yield best.latent


def descend_each(
    start: Sequence[Tensor],
    latents_of: Callable[..., Sequence[Latent]],
    judge: Callable[[Sequence[Latent]], Judgement],
    iterations: int,
    rate: float,
    report: Callable[[dict[str, Any]], None],
    stop_after: int | None = None,
) -> Iterator[list[Latent]]:
    """Walk as `descend` does, but for every walk yield the best latent of its own.

    "loss" and "best" are means over the walks.
    """
    best = _BestOfEach()
    for _ in _walk(start, latents_of, judge, iterations, rate, report, stop_after, best):
        yield list(best.latents)


class _Best:
    """The best latent of all walks so far."""

    def __init__(self) -> None:
        self.loss = math.inf
        self.latent: Latent | None = None
        self.about: dict[str, Any] = {}

    def take(self, judged: Judgement, found: Latent | Sequence[Latent]) -> float:
        """Keep what is better than before; return the loss of the best of this step."""
        which = judged.best
        loss = float(judged.loss.detach().reshape(-1)[which])
        if loss < self.loss:
            self.loss, self.latent = loss, (found if isinstance(found, Latent) else found[which]).detached()
            self.about = {**judged.numbers, "picture": judged.picture[which : which + 1].detach()}
        return loss


class _BestOfEach:
    """The best latent of every walk so far."""

    def __init__(self) -> None:
        self.losses: list[float] = []
        self.latents: list[Latent] = []
        self.about: dict[str, Any] = {}

    def take(self, judged: Judgement, found: Sequence[Latent]) -> float:
        """Keep what is better than before; return the mean loss of this step."""
        losses = judged.loss.detach().reshape(-1).tolist()
        if not self.latents:
            self.losses, self.latents = [math.inf] * len(found), [latent.detached() for latent in found]
        for i, (loss, latent) in enumerate(zip(losses, found, strict=True)):
            if loss < self.losses[i]:
                self.losses[i], self.latents[i] = loss, latent.detached()
        return sum(losses) / len(losses)

    @property
    def loss(self) -> float:
        """The mean of the best losses."""
        return sum(self.losses) / len(self.losses)


def _walk(
    start: Sequence[Tensor],
    latent_of: Callable[..., Any],
    judge: Callable[[Any], Judgement],
    iterations: int,
    rate: float,
    report: Callable[[dict[str, Any]], None],
    stop_after: int | None,
    best: _Best | _BestOfEach,
) -> Iterator[None]:
    """Take the steps, and hand what each found to `best`."""
    with gradients():
        x = [tensor.detach().clone().requires_grad_() for tensor in start]
        adam = Adam(x)
    steps = iterations if stop_after is None else min(stop_after, iterations)
    for step in range(1, steps + 1):
        with gradients():  # closed before the yield, or whoever reads us would inherit it
            latent = latent_of(*x)
            judged = judge(latent)
            loss = best.take(judged, latent)
            if not math.isfinite(loss):
                raise LatentError(f"The search left all bounds at step {step}: choose a smaller rate.")
            if step < steps:
                slopes = torch.autograd.grad(judged.loss.sum(), x)
        report({"step": step, "loss": loss, "best": best.loss, **best.about})
        yield
        if step < steps:
            adam.step(slopes, rate * pace(step, iterations))


class Adam:
    """Kingma and Ba, "Adam", ICLR 2015, algorithm 1.

    The same numbers as torch.optim's, whose first use imports the compiler and takes seconds.
    """

    def __init__(self, x: Sequence[Tensor], betas: tuple[float, float] = (0.9, 0.999)) -> None:
        self.x, self.betas, self.t = x, betas, 0
        self.m, self.v = ([torch.zeros_like(tensor, requires_grad=False) for tensor in x] for _ in range(2))

    def step(self, slopes: Sequence[Tensor], rate: float) -> None:
        """Move x against the slopes, in place."""
        self.t += 1
        one, two = self.betas
        with torch.inference_mode(False), torch.no_grad():
            for x, g, m, v in zip(self.x, slopes, self.m, self.v, strict=True):
                m.lerp_(g, 1 - one)
                v.lerp_(g.square(), 1 - two)
                x -= rate / (1 - one**self.t) * m / ((v / (1 - two**self.t)).sqrt() + 1e-8)


def pace(step: int, iterations: int) -> float:
    """Return the share of the full rate for `step` of 1 … `iterations`: up linearly, down along a cosine."""
    up = min(1.0, step / max(1.0, RAMP_UP * iterations))
    left = min(1.0, (iterations - step) / max(1.0, RAMP_DOWN * iterations))
    return up * (0.5 - 0.5 * math.cos(math.pi * left))


@contextmanager
def gradients() -> Iterator[None]:
    """Compute with gradients, whatever the mode outside."""
    with ExitStack() as modes:
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
        yield


def require_differentiable(generator: Generator) -> None:
    """Raise `ModelError` if the weights were made in inference mode: no gradient can pass them."""
    if any(p.is_inference() for p in generator.network.parameters()):
        raise ModelError("This model was loaded in torch.inference_mode: load it outside to search for latents.")
