"""What a painted edit is judged by: the labels inside a region, the picture outside it, and whom it shows.

Ling et al., "EditGAN", NeurIPS 2021, section 3.3; its printed signs of two terms are slips.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ..descent import Judgement, descend, gradients
from ..errors import SegmentError
from ..generators.base import Generator
from ..latent import Latent
from ..perceptual import decibels, distance_to, pixel_errors
from ..probes.whitening import Whitening
from ..segment.labels import LabelMap
from ..segment.segmenter import Segmenter
from .base import Report
from .objective import require_weights

Embedding = Callable[[Tensor], Tensor]  # pictures (N, 3, H, W) in [-1, 1] → (N, F), alike for the same person


@dataclass(frozen=True)
class Weights:
    """λ₁, λ₂ and λ₃ of the paper, and two of ours."""

    keep: float  # of the picture outside the region: perceptual + pixel·MSE
    paint: float  # of the cross-entropy inside
    identity: float  # of 1 − cos between what the embedding network makes of both pictures
    near: float  # of the mean square of δ in whitened W
    pixel: float  # within keep


class PaintObjective:
    """keep·(perceptual + pixel·MSE)(outside r) + paint·CE(inside r) + identity·(1 − cos) + near·‖δ‖²/n.

    `origin` is the latent whose picture is kept outside `region` (h, w) and δ is measured from; `wanted` (h, w) the
    label map that is wanted inside. Raises `SegmentError` if the region is empty, `LatentError` for bad weights.
    """

    def __init__(
        self,
        generator: Generator,
        segmenter: Segmenter,
        origin: Latent,
        wanted: LabelMap,
        region: NDArray[np.bool_],
        weights: Weights,
        perceptual: str = "auto",
        embedding: Embedding | None = None,
    ) -> None:
        require_weights(*vars(weights).values())
        if not region.any():
            raise SegmentError("Nothing is to be changed here: paint over something, or name classes that are shown.")
        self.generator, self.segmenter, self.weights, self.embedding = generator, segmenter, weights, embedding
        self.origin, self.white, device = origin, Whitening.of(generator), generator.device
        self.pixels = torch.from_numpy(np.flatnonzero(region)).to(device)
        self.wanted = torch.from_numpy(wanted[region].astype(np.int64)).to(device)
        inside = torch.from_numpy(region)[None, None].float().to(device)
        self.outside = 1 - F.interpolate(inside, size=generator.size, mode="nearest-exact")
        with torch.no_grad():
            self.before = generator.draw(origin)
            self.person = None if embedding is None else embedding(self.before)
        self.looks = distance_to(generator, self.before, perceptual, self.outside)

    def __call__(self, latents: Sequence[Latent]) -> Judgement:
        """Judge one latent. Numbers: "agreement" (share of the region that is labeled as wanted), "cross_entropy",
        "psnr" (dB, outside the region) and, with an embedding network, "identity" (a cosine).
        """
        weights = self.weights
        pictures, features = self.segmenter.draw(self.generator, latents)
        logits = self.segmenter.logits(features, self.pixels).mean(0)
        unlike = F.cross_entropy(logits, self.wanted)
        error = pixel_errors(pictures, self.before, self.outside)
        loss = weights.keep * (self.looks(pictures) + weights.pixel * error) + weights.paint * unlike
        numbers = {"cross_entropy": float(unlike.detach())}
        numbers["agreement"] = float((logits.detach().argmax(1) == self.wanted).float().mean())
        share = float(self.outside.mean())
        if share > 0:
            numbers["psnr"] = decibels(float(error.detach()[0]) / share)
        if self.embedding is not None and self.person is not None:
            alike = F.cosine_similarity(self.embedding(pictures), self.person)
            loss, numbers["identity"] = loss + weights.identity * (1 - alike), float(alike.detach()[0])
        if weights.near:
            way = (latents[0].w - self.origin.w).to(self.white.inverse) @ self.white.inverse
            loss = loss + weights.near * way.square().mean()
        return Judgement(loss, pictures, numbers)


def walk(
    judge: PaintObjective, start: Latent, updates: int, rate: float, report: Report, stop_after: int
) -> Iterator[Latent]:
    """Make `updates` steps of Adam in δ, each row in whitened W, from `start`; yield the best latent after each.

    The start is judged too: what is yielded is never worse.
    """
    with gradients():
        delta = torch.zeros_like(start.w, device=judge.generator.device)

    def latents(delta: Tensor) -> list[Latent]:
        return [start.moved(delta @ judge.white.root)]

    def counted(numbers: dict[str, float]) -> None:
        if numbers["step"] > 1:
            report({**numbers, "step": numbers["step"] - 1})

    steps = descend([delta], latents, judge, updates + 1, rate, counted, stop_after + 1)
    next(steps)  # the start itself
    yield from steps
