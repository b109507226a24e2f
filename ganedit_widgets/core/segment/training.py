"""Train a segmenter from a few labeled pictures, with the pictures themselves drawn once.

Ling et al., "EditGAN", NeurIPS 2021, supplement; Zhang et al., "DatasetGAN", CVPR 2021.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ..descent import Adam, gradients, pace
from ..errors import SegmentError
from ..generators.base import Generator
from ..short import short
from .ensemble import Ensemble
from .examples import Examples
from .labels import Labeled
from .segmenter import Segmenter, applied_first, stored

NORM = 2048  # pixels over which the finished networks normalize


@dataclass(frozen=True)
class SegmentPlan:
    """How a segmenter is trained. As published: batches of 64 pixels, all alike (`balance` 0), Adam at 1e-3."""

    steps: int = 1500
    models: int = 10  # networks, each with its own random weights and pixels
    batch: int = 64  # pixels per step and network
    rate: float = 1e-3  # Adam's; ramped up, and down over the last quarter
    balance: float = 0.5  # 0: every pixel is as likely to be drawn, 1: every class, so that small parts are learned
    seed: int = 0


@dataclass(frozen=True, eq=False)
class SegmentProgress:
    """Where a training stands; `segmenter()` may be asked for at any step."""

    step: int
    total: int
    loss: float  # cross-entropy of the last batch, mean over the networks
    accuracy: float  # share of the batch's pixels that are labeled right, mean over the networks
    seconds_left: float
    segmenter: Callable[[], Segmenter] = field(repr=False)

    __repr__ = short

    def __str__(self) -> str:
        left = time.strftime("%H:%M:%S", time.gmtime(self.seconds_left))
        return f"loss {self.loss:.3f}  {100 * self.accuracy:.1f} % of the pixels right  {left} left"


def train_segmenter(
    generator: Generator,
    labeled: Sequence[Labeled],
    classes: Sequence[str],
    plan: SegmentPlan = SegmentPlan(),
    colors: Sequence[tuple[int, int, int]] = (),
    report_every: int = 25,
) -> Iterator[SegmentProgress]:
    """Train a segmenter of `generator` from labeled pictures of its own, and yield progress; whoever stops may keep it.

    Each picture is drawn anew from its latent, so that labels painted on an embedded photograph meet what the model
    makes of it. Needs about 4 bytes × channels × pixels of all layers for each picture (8 MB for the demo model).
    Raises `SegmentError` for labels of another size, numbers that no class has, no picture or no label at all;
    `LatentError` for a latent of another model.
    """
    require_trainable(plan, classes)
    examples = Examples.of(generator, labeled, classes)
    run = SegmentTraining(examples, plan, [examples.pool()] * plan.models)
    palette = tuple((int(r), int(g), int(b)) for r, g, b in colors)

    def segmenter() -> Segmenter:
        return Segmenter(
            generator.fingerprint, tuple(classes), examples.size, tuple(examples.channels), examples.counts,
            run.weights(), len(labeled), palette,
        )  # fmt: skip

    for step, loss, accuracy, left in run.walk(report_every):
        yield SegmentProgress(step, plan.steps, loss, accuracy, left, segmenter)


class SegmentTraining:
    """The state of one training: `pools[m]` holds the pixels that network m may learn from."""

    def __init__(self, examples: Examples, plan: SegmentPlan, pools: Sequence[Tensor]) -> None:
        self.examples, self.plan, self.pools = examples, plan, pools
        self.rng = torch.Generator().manual_seed(plan.seed)
        with gradients():
            classes = len(examples.classes)
            self.ensemble = Ensemble.fresh(len(pools), examples.width, classes, self.rng, examples.device)
            for weight in self.ensemble.weights:
                weight.requires_grad_()
            self.adam = Adam(self.ensemble.weights)
        unlike = {id(pool): examples.odds(pool, plan.balance).cumsum(0) for pool in pools}
        self.reach = [unlike[id(pool)] for pool in pools]

    def walk(self, report_every: int = 25) -> Iterator[tuple[int, float, float, float]]:
        """Train; yield step, loss, accuracy and the seconds that are left."""
        began = time.monotonic()
        for step in range(1, self.plan.steps + 1):
            loss, accuracy = self._learn(step)
            if not math.isfinite(loss):
                raise SegmentError(f"The training left all bounds at step {step}: choose a smaller rate.")
            if step % report_every == 0 or step == self.plan.steps:
                yield step, loss, accuracy, (time.monotonic() - began) / step * (self.plan.steps - step)

    def _learn(self, step: int) -> tuple[float, float]:
        pixels = self._draw(self.plan.batch)
        with gradients():
            logits = self.ensemble.logits(self.examples.features(pixels))
            wanted = self.examples.labels[pixels]
            losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())
            # a sum over the networks: each learns at the rate it would have alone
            slopes = torch.autograd.grad(losses * len(self.pools), self.ensemble.weights)
        self.adam.step(slopes, self.plan.rate * pace(step, self.plan.steps + 1))
        return float(losses.detach()), float((logits.detach().argmax(-1) == wanted).float().mean())

    def _draw(self, count: int) -> Tensor:
        """Return numbers of pixels (M, count), by chance, from each network's pool."""
        thrown = torch.rand(len(self.pools), count, generator=self.rng, dtype=torch.float64)
        chosen = [torch.searchsorted(reach, x * reach[-1]) for reach, x in zip(self.reach, thrown, strict=True)]
        return torch.stack([pool[i.to(pool.device)] for pool, i in zip(self.pools, chosen, strict=True)])

    def folded(self) -> dict[str, Tensor]:
        """Return the networks as they stand, as three plain layers each (`Ensemble.folded`)."""
        own, self.rng = self.rng, torch.Generator().manual_seed(self.plan.seed + 1)  # asking changes nothing
        with torch.inference_mode(False), torch.no_grad():
            found = self.ensemble.folded(self.examples.features(self._draw(NORM)))
        self.rng = own
        return {name: weight.detach().clone() for name, weight in found.items()}

    def weights(self) -> dict[str, Tensor]:
        """Return what a `Segmenter` needs of the networks as they stand."""
        return stored(applied_first(self.folded(), self.examples.channels, self.examples.constant))


def require_trainable(plan: SegmentPlan, classes: Sequence[str]) -> None:
    """Raise `SegmentError` for a plan that cannot be followed, or classes that cannot be told apart."""
    sound = plan.steps >= 1 and plan.models >= 1 and plan.batch >= 2
    if not (sound and 0 < plan.rate < math.inf and 0 <= plan.balance <= 1):
        raise SegmentError(
            "Training a segmenter needs a step, a network, batches of two pixels, a positive rate, and a balance "
            "between 0 and 1: use the defaults."
        )
    if not 2 <= len(classes) <= 255 or len(set(classes)) < len(classes) or not all(name.strip() for name in classes):
        raise SegmentError(
            f"{len(classes)} classes were given: name 2 to 255, all different, such as background, skin."
        )
