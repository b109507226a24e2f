"""Find the demo's directions from the oracle's labels: one for each attribute people want to move."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor
from tqdm import tqdm

from ..core.generators import Generator
from ..core.image import to_pixels
from ..core.latent import Latent
from ..core.probes import Direction, boundary, condition
from .oracle import Oracle

SAMPLES, BATCH = 3000, 16
LEAST_CORRELATION = 0.35  # between two attributes in generated pictures, for one to be projected out of the other


@dataclass(frozen=True)
class Wish:
    """A direction to find: the oracle's attribute, the name people see, and which way is positive."""

    attribute: str
    name: str
    sign: str


WISHES = (
    Wish("yaw", "turn head", "towards the picture's right"),
    Wish("smile", "smile", "the corners of the mouth rise"),
    Wish("age", "age", "older"),
    Wish("glasses", "glasses", "glasses on"),
    Wish("hair_length", "hair length", "longer"),
    Wish("beard", "beard", "more beard"),
    Wish("mouth_open", "open mouth", "wider open"),
    Wish("skin", "skin tone", "deeper"),
    Wish("pitch", "tilt head", "the chin rises"),
    Wish("light", "light", "from the picture's right"),
)


def labeled_samples(
    generator: Generator, oracle: Oracle, count: int = SAMPLES
) -> tuple[list[Latent], dict[str, Tensor]]:
    """Return the latents of seeds 0 … count − 1, and what the oracle says of their pictures, attribute → (count,)."""
    latents = [generator.sample(seed, psi=1.0) for seed in range(count)]
    seen: list[dict[str, Tensor]] = []
    for start in tqdm(range(0, count, BATCH), "samples to learn from", disable=None, leave=False):
        with torch.no_grad():
            pictures = generator.draw_many(latents[start : start + BATCH])
        seen.append(oracle.attributes([to_pixels(picture[None]) for picture in pictures]))
    return latents, {wish.attribute: torch.cat([s[wish.attribute] for s in seen]) for wish in WISHES}


def find_directions(generator: Generator, latents: list[Latent], labels: dict[str, Tensor]) -> list[Direction]:
    """Return one direction for each of `WISHES`, with the attributes that come along projected out.

    Glasses have two classes (a boundary: Shen et al., InterFaceGAN, 2020); the rest is continuous (a linear trend).
    An attribute without variance, such as glasses in a young model, is left out.
    """
    raw: dict[str, Direction] = {}
    for wish in WISHES:
        values = labels[wish.attribute]
        if wish.attribute == "glasses":
            values = (values > 0.5).float()
            if min(int(values.sum()), int((1 - values).sum())) < 20:
                continue
        raw[wish.attribute] = boundary(generator, latents, values.tolist(), wish.name)
    return [replace(_alone(wish, raw, labels), sign=wish.sign) for wish in WISHES if wish.attribute in raw]


def _alone(wish: Wish, raw: dict[str, Direction], labels: dict[str, Tensor]) -> Direction:
    """Return the direction of `wish` with those attributes projected out that correlate with it in the samples."""
    mine = labels[wish.attribute]
    others = [
        raw[name]
        for name in raw
        if name != wish.attribute and abs(_correlation(mine, labels[name])) > LEAST_CORRELATION
    ]
    return replace(condition(raw[wish.attribute], *others), name=wish.name) if others else raw[wish.attribute]


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([a.double(), b.double()]))[0, 1])
