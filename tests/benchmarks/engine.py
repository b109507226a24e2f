"""Forward pass and embed step against the textbook formulation of StyleGAN2, interleaved in one process.

    python -m tests.benchmarks.engine [--rounds 7] [--sizes 64,128,256] [--device cpu]

The reference builds a weight per sample (modulate, demodulate, grouped convolution) and resamples by inserting zeros;
it draws the same pictures. Prints medians of the ratios and writes them to tests/benchmarks/results.
"""

from __future__ import annotations

import argparse
import statistics
import time
from contextlib import contextmanager
from importlib import import_module
from unittest import mock

import torch
import torch.nn.functional as F

from ganedit_widgets.core.edits import Embed
from ganedit_widgets.core.generators import (
    Discriminator,
    DiscriminatorConfig,
    Generator,
    StyleGAN2,
    StyleGAN2Config,
    channels_for,
    layers,
    stylegan2,
)
from ganedit_widgets.core.image import to_pixels

from .report import write

resampling = import_module("ganedit_widgets.core.ops.upfirdn2d")  # the package has a function of this name


def per_sample_weight(x, weight, style, conv, demodulate=True):
    """Return what `modulated_conv` does, by a weight for each sample (Karras et al. 2020, equations 1 and 3)."""
    n, i = style.shape
    w = weight[None] * style[:, None, :, None, None]
    if demodulate:
        w = w * torch.rsqrt(w.square().sum((2, 3, 4), keepdim=True) + 1e-8)
    if conv.up == 1:
        y = F.conv2d(x.reshape(1, n * i, *x.shape[2:]), w.flatten(0, 1), padding=conv.padding, groups=n)
        return y.reshape(n, -1, *y.shape[2:])
    return torch.cat([conv(x[k : k + 1], w[k]) for k in range(n)])


@contextmanager
def reference():
    """Let networks compute the textbook way."""
    with (
        mock.patch.object(layers, "modulated_conv", per_sample_weight),
        mock.patch.object(stylegan2, "modulated_conv", per_sample_weight),
        mock.patch.object(resampling, "is_binomial", lambda f: False),
    ):
        yield


def generator(size, device):
    """Return an untrained generator with a discriminator, of the demo's widths up to 128², the paper's above."""
    channels = channels_for(size, 3072, 128) if size <= 128 else channels_for(size, 16384, 512)
    dim = channels[4]
    torch.manual_seed(0)
    network = StyleGAN2(StyleGAN2Config(size, channels, z_dim=dim, w_dim=dim, mapping_layers=4))
    return Generator(network.to(device), Discriminator(DiscriminatorConfig(size, channels)).to(device))


def forward(g):
    """Return a function that draws one picture."""
    latent = g.sample(0)

    def once():
        with torch.no_grad():
            g.draw(latent)

    return once


def embed_step(g):
    """Return a function that takes one step of an embedding."""
    with torch.no_grad():
        target = to_pixels(g.draw(g.sample(1)))
    steps = Embed(target, iterations=10_000).steps(g, g.average())
    return lambda: next(steps)


def seconds(once, device):
    """Return the seconds of one call."""
    began = time.perf_counter()
    once()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - began


def compare(make, g, rounds, device):
    """Return (median of ours, median of the reference's) over interleaved rounds, in seconds."""
    ours, theirs = make(g), make(g)
    ours()
    with reference():
        theirs()
    times = []
    for _ in range(rounds):
        mine = seconds(ours, device)
        with reference():
            times.append((mine, seconds(theirs, device)))
    return tuple(statistics.median(column) for column in zip(*times, strict=True))


def main():
    """Measure and write the table."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--sizes", default="64,128,256")
    options.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = options.parse_args()
    rows = {}
    for size in map(int, options.sizes.split(",")):
        g = generator(size, options.device)
        for make in (forward, embed_step):
            ours, theirs = compare(make, g, options.rounds, options.device)
            rows[f"{make.__name__}/{size}"] = {"ms": ours * 1e3, "reference_ms": theirs * 1e3, "ratio": theirs / ours}
    write("engine", rows, options.device)


if __name__ == "__main__":
    main()
