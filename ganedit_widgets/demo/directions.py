"""Find the demo's directions from the oracle's labels: one for each attribute people want to move, or to measure.

python -m ganedit_widgets.demo.directions measures.safetensors     (those to measure with, for `ganedit label`)
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.image import to_pixels
from ..core.latent import Latent
from ..core.probes import Direction, boundary, save_directions, trends
from ..core.progress import Bar
from .oracle import Oracle, load_oracle

SAMPLES, BATCH = 3000, 16
LEAST_SPREAD = 0.02  # standard deviation of an attribute in generated pictures


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
    for start in Bar(range(0, count, BATCH), "samples to learn from", leave=False):
        with torch.no_grad():
            pictures = generator.draw_many(latents[start : start + BATCH])
        seen.append(oracle.attributes([to_pixels(picture[None]) for picture in pictures]))
    return latents, {wish.attribute: torch.cat([s[wish.attribute] for s in seen]) for wish in WISHES}


def find_directions(generator: Generator, latents: list[Latent], labels: dict[str, Tensor]) -> list[Direction]:
    """Return one direction for each of `WISHES`, along which the other wishes' attributes stay as they are.

    An attribute without variance, such as glasses in a young model, is left out.
    """
    varied = [wish.attribute for wish in _varied(labels)]
    found = trends(generator, latents, {name: labels[name].tolist() for name in varied})
    return [replace(found[w.attribute], name=w.name, sign=w.sign) for w in WISHES if w.attribute in found]


def find_measures(generator: Generator, latents: list[Latent], labels: dict[str, Tensor]) -> list[Direction]:
    """Return one direction for each of `WISHES` along which it is measured, under the attribute's own name.

    To label pictures with: what moves an attribute best is not what tells it best (`core.probes.readout`).
    """
    return [
        replace(boundary(generator, latents, labels[wish.attribute].tolist(), wish.attribute), sign=wish.sign)
        for wish in _varied(labels)
    ]


def _varied(labels: dict[str, Tensor]) -> list[Wish]:
    return [wish for wish in WISHES if float(labels[wish.attribute].std()) > LEAST_SPREAD]


def main() -> None:
    """Write the demo's measures to the file that the command line names."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("out", type=Path, help="the .safetensors file to write")
    out = options.parse_args().out
    generator = load_generator("demo")
    latents, labels = labeled_samples(generator, load_oracle())
    save_directions(out, find_measures(generator, latents, labels))


if __name__ == "__main__":
    main()
