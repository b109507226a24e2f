"""What a searched latent is judged by: parts of pictures, each with its own mask and weights.

Abdal et al., "Image2StyleGAN++", CVPR 2020, equation 2, for any number of pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ..descent import Judgement, least
from ..errors import LatentError
from ..generators.base import Generator
from ..image import Picture, Pixels
from ..latent import Latent
from ..masks import Mask, masked_target
from ..perceptual import decibels, distance_to, pixel_errors, style_distance_to
from ..probes.whitening import Whitening
from ..short import short
from .starts import Judge


@dataclass(frozen=True, eq=False)
class Part:
    """A picture, where it is to be seen in the result, and how much what of it matters.

    What lies outside the mask has no influence: it is painted over before any network sees it. The terms are means
    over the whole picture (Abdal et al. 2020), so that a large part weighs more than a small one.
    """

    picture: Picture | Pixels | Sequence[Picture | Pixels]  # fitted to the generator's size; many: one for each latent
    where: Mask | None = None  # (H, W), any size; None: everywhere
    pixel: float = 2.0  # weight of the pixels' squared error
    look: float = 1.0  # weight of the perceptual distance
    style: float = 0.0  # weight of the textures' distance, wherever in the mask they lie

    __repr__ = short


class Objective:
    """Σ over the parts (look·perceptual + pixel·MSE + style·Gram) + stay·D²(w) + near·‖u − u₀‖²/n.

    `stay` holds w near the model's average and `near` near the latent `origin`, both in whitened W.
    Raises `LatentError` if no part weighs anything.
    """

    def __init__(
        self,
        generator: Generator,
        parts: Sequence[Part],
        stay: float = 0.0,
        kind: str = "auto",
        near: float = 0.0,
        origin: Latent | None = None,
    ) -> None:
        require_weights(*(x for p in parts for x in (p.pixel, p.look, p.style)), stay, near)
        self.terms = [_Term(generator, part, kind) for part in parts if part.pixel + part.look + part.style > 0]
        if not self.terms:
            raise LatentError("There is nothing to look for: give a part a weight above zero.")
        self.generator, self.stay, self.near = generator, stay, near
        self.white = Whitening.of(generator)
        self.origin = None if origin is None else self.white.to_u(origin.w.to(self.white.average))

    @property
    def target(self) -> Tensor:
        """The first part's picture, (1, 3, H, W), or pictures (N, 3, H, W)."""
        return self.terms[0].target

    def __call__(self, latents: Sequence[Latent]) -> Judgement:
        """Judge latents, each by itself. Of the best: "psnr" (dB, in the masks), "perceptual" and "distance" (D)."""
        pictures = self.generator.draw_many(latents)
        u = self.white.to_u(torch.stack([latent.w for latent in latents]))
        far = u.square().mean((1, 2))
        seen = sum((term.seen(pictures) for term in self.terms), torch.zeros_like(far))
        loss = seen + sum((term.pixel(pictures) for term in self.terms), torch.zeros_like(far)) + self.stay * far
        if self.near and self.origin is not None:
            loss = loss + self.near * (u - self.origin).square().mean((1, 2))
        i = least(loss)
        psnr, looks, distance = self._psnr(pictures, i), float(seen[i].detach()), float(far[i].detach()) ** 0.5
        return Judgement(loss, pictures, {"psnr": psnr, "perceptual": looks, "distance": distance})

    def _psnr(self, pictures: Tensor, i: int) -> float:
        """Return the PSNR of one picture over all pixels that some part names."""
        picture = pictures[i : i + 1].detach().clamp(-1, 1)
        named = [term for term in self.terms if term.weight > 0] or self.terms
        error = sum(float(pixel_errors(picture, term.target_of(i), term.mask)) for term in named)
        return decibels(error / sum(1.0 if term.mask is None else float(term.mask.mean()) for term in named))


class _Term:
    """One part, ready to be compared with."""

    def __init__(self, generator: Generator, part: Part, kind: str) -> None:
        given = part.picture if isinstance(part.picture, Sequence) else [part.picture]
        fitted = [masked_target(picture, part.where, generator.size) for picture in given]
        self.target, mask = torch.cat([target for target, _ in fitted]).to(generator.device), fitted[0][1]
        self.mask = None if mask is None else mask.to(generator.device)
        self.weight, self.look, self.style = part.pixel, part.look, part.style
        self.looks = distance_to(generator, self.target, kind, self.mask) if part.look else None
        self.styles = style_distance_to(generator, self.target, kind, self.mask) if part.style else None

    def target_of(self, i: int) -> Tensor:
        """Return what latent `i` is compared with, (1, 3, H, W)."""
        return self.target if len(self.target) == 1 else self.target[i : i + 1]

    def pixel(self, pictures: Tensor) -> Tensor:
        return self.weight * pixel_errors(pictures, self.target, self.mask)

    def seen(self, pictures: Tensor) -> Tensor:
        found = torch.zeros(len(pictures), device=pictures.device)
        if self.looks is not None:
            found = found + self.look * self.looks(pictures)
        return found if self.styles is None else found + self.style * self.styles(pictures)


def require_weights(*weights: float) -> None:
    """Raise `LatentError` unless all are finite and none is negative."""
    if not all(0 <= weight < float("inf") for weight in weights):
        raise LatentError("The rate and the weights of a search must be positive numbers: use the defaults.")


def require_walk(iterations: int, rate: float) -> None:
    """Raise `LatentError` unless there is a step to take, and its size is a positive number."""
    if iterations < 1:
        raise LatentError(f"{iterations} steps were asked for: at least one is needed.")
    if not 0 < rate < float("inf"):
        raise LatentError("The rate and the weights of a search must be positive numbers: use the defaults.")


__all__ = ["Judge", "Objective", "Part", "require_walk", "require_weights"]
