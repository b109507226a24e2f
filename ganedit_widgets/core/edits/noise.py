"""Let the noise inputs carry the detail that W+ cannot; copy this file for a method whose answer is searched for.

The second stage of Abdal et al., "Image2StyleGAN++", CVPR 2020, section 4. Found before, w stays as it is, to the bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from torch import Tensor

from ..descent import Judgement, descend, gradients, require_differentiable
from ..errors import ModelError
from ..generators.base import Generator, require_own
from ..image import Picture, Pixels
from ..latent import Latent
from ..masks import Mask, masked_target
from ..perceptual import decibels, pixel_errors
from ..short import short
from .base import Report, ignore
from .objective import require_walk, require_weights


@dataclass(frozen=True, eq=False)
class FitNoise:
    """n* = argmin MSE(G(w, n), x) inside `where` + keep·MSE(G(w, n), G(w, n₀)) outside it, by Adam.

    Detail that is put into noise does not take part in edits: fit it last. Models without noise inputs are refused.
    """

    picture: Picture | Pixels  # cropped and scaled to the generator's size if it has another
    iterations: int = 150
    where: Mask | None = None  # (H, W), any size; None: everywhere
    rate: float = 0.3  # Adam's; the noise has the standard deviation 1
    keep: float = 10.0  # weight of the squared change outside `where`
    stop_after: int | None = None  # end early, after so many steps

    __repr__ = short

    @property
    def total(self) -> int:
        """The number of steps."""
        return self.iterations if self.stop_after is None else min(self.stop_after, self.iterations)

    def stopped(self, done: int) -> FitNoise:
        """Return the search that ends after `done` steps."""
        return replace(self, stop_after=done)

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the latent with the best noise so far; report "psnr" (dB, inside `where`) with each.

        Raises `ModelError` if the model has no noise inputs, or none that reach the picture (StyleGAN3; strengths 0).
        """
        require_own(generator, latent)
        require_differentiable(generator)
        require_walk(self.total, self.rate)
        require_weights(self.keep)
        begin = heard_noise(generator)
        begin = {name: latent.noise.get(name, const) for name, const in begin.items()}
        with gradients():
            target, mask = (None if x is None else x.to(generator.device) for x in self._target(generator))
            before = generator.draw(latent).detach()

        def latent_of(*noise: Tensor) -> Latent:
            return replace(latent, noise={**latent.noise, **dict(zip(begin, noise, strict=True))})

        def judge(latent: Latent) -> Judgement:
            picture = generator.draw(latent)
            error = pixel_errors(picture, target, mask)  # type: ignore[arg-type]
            share = 1.0 if mask is None else float(mask.mean())
            numbers = {"psnr": decibels(float(error.detach()) / share)}
            if mask is not None:
                error = error + self.keep * pixel_errors(picture, before, 1 - mask)
            return Judgement(error, picture, numbers)

        yield from descend(list(begin.values()), latent_of, judge, self.iterations, self.rate, report, self.stop_after)

    def _target(self, generator: Generator) -> tuple[Tensor, Tensor | None]:
        return masked_target(self.picture, self.where, generator.size)


def heard_noise(generator: Generator) -> dict[str, Tensor]:
    """Return layer → its constant noise (r, r), of the layers where noise changes the picture.

    Raises `ModelError` if there is none.
    """
    synthesis = generator.network.synthesis
    layers = {name: layer for name, (_, layer) in synthesis.style_layers().items()}  # type: ignore[union-attr, operator]
    constant: dict[str, Tensor] = synthesis.constant_noise()  # type: ignore[union-attr, operator]
    heard = {name: noise for name, noise in constant.items() if float(layers[name].noise_strength.abs()) > 0}
    if not heard:
        why = "its noise inputs have the strength 0" if constant else "it has no noise inputs"
        raise ModelError(f"{generator.name} cannot fit noise, {why}: use a model with them, or tune the model.")
    return heard
