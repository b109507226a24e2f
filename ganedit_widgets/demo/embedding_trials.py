"""Embed several pictures by the same recipe, and keep what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..core.edits import Edit, Embed, run
from ..core.generators import Generator
from ..core.image import Pixels, to_pixels, to_tensor
from ..core.latent import Latent
from ..core.perceptual import distance_to, psnr
from ..core.probes.whitening import Whitening
from ..core.progress import Bar
from .results_file import Metric
from .statistics import bootstrap

Recipe = Callable[[Pixels], Sequence[Edit]]


@dataclass(frozen=True)
class Trial:
    """What embedding N pictures has come to."""

    latents: list[Latent]
    psnr: Tensor  # (N,) dB
    perceptual: Tensor  # (N,)
    distance: Tensor  # (N,), in standard deviations of W
    seconds: Tensor  # (N,)

    def drawn(self, generator: Generator) -> list[Pixels]:
        """Return the pictures of the latents, (H, W, 3) uint8."""
        with torch.no_grad():
            return [to_pixels(generator.draw(latent)) for latent in self.latents]

    def metrics(self, name: str) -> dict[str, Metric]:
        """Return mean PSNR, perceptual distance, distance from the average and seconds, under psnr/NAME and so on."""
        return {
            f"{what}/{name}": average(getattr(self, what)) for what in ("psnr", "perceptual", "distance", "seconds")
        }


def average(given: Tensor | Sequence[float]) -> Metric:
    """Return the mean of values (N,) with its interval; those that are not finite are left out."""
    values = torch.as_tensor(given, dtype=torch.float64)
    return bootstrap(lambda x: float(x.mean()), values[values.isfinite()])


def embed_each(generator: Generator, pictures: Sequence[Pixels], recipe: Recipe, what: str) -> Trial:
    """Make the edits that `recipe` gives for each picture, from the average latent on, one after the other."""
    latents, rows = [], []
    for picture in Bar(pictures, what, leave=False):
        began = time.monotonic()
        latent = run(generator, generator.average(), *recipe(picture))
        seconds = time.monotonic() - began
        with torch.no_grad():  # what the last edit has come to, whatever it reports
            drawn, target = generator.draw(latent), to_tensor(picture, generator.device)
            unlike, far = distance_to(generator, target)(drawn), Whitening.of(generator).distance(latent.w)
        latents.append(latent)
        rows.append([psnr(drawn, target), float(unlike), float(far), seconds])
    return Trial(latents, *torch.tensor(rows, dtype=torch.float64).unbind(1))


def searching(steps: int, **options: object) -> Recipe:
    """Return the recipe of a single `Embed` of so many steps."""
    return lambda picture: [Embed(picture, iterations=steps, **options)]  # type: ignore[arg-type]


def with_random_weights(generator: Generator, seed: int = 0) -> Generator:
    """Return a generator of the same shape whose weights were never trained; it keeps the perceptual network."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network: nn.Module = type(generator.network)(generator.cfg)
        with torch.no_grad():
            z = torch.randn(2000, generator.z_dim)
            network.mapping.w_avg.copy_(network.mapping(z, None).mean(0))  # type: ignore[union-attr, operator]
    return Generator(network.to(generator.device), generator.discriminator, name="random weights")
