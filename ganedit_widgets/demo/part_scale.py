"""Editing in Style on large untrained networks: the shapes it has to cope with, the time and the memory it takes."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ..core.edits import Borrow, run
from ..core.errors import GanEditError
from ..core.generators import Generator, StyleGAN2, StyleGAN2Config
from ..core.generators.schedule3 import stylegan3_config
from ..core.generators.stylegan2 import channels_for
from ..core.generators.stylegan3 import StyleGAN3
from ..core.parts import build_catalog
from .results_file import Metric

SAMPLES, K = 2, 12
Measured = dict[str, float]


def stylegan2_512() -> Generator:
    """Return an untrained StyleGAN2 of 256 × 256 pixels with the published widths, up to 512."""
    return Generator(StyleGAN2(StyleGAN2Config(256, channels_for(256))).eval(), name="stylegan2")


def stylegan3() -> Generator:
    """Return an untrained StyleGAN3-T of 256 × 256 pixels with the published widths, up to 512."""
    return Generator(StyleGAN3(stylegan3_config(256)).eval(), name="stylegan3")


NETWORKS: dict[str, Callable[[], Generator]] = {"stylegan2_512": stylegan2_512, "stylegan3": stylegan3}


def scale_metrics() -> dict[str, Metric]:
    """Return scale/NETWORK_WHAT: seconds of a catalog of 2 samples and of a borrowed part, and the peak in GiB.

    Each network has a process to itself, so that its peak is its own. Raises `GanEditError` if one fails.
    """
    metrics: dict[str, Metric] = {}
    context = multiprocessing.get_context("spawn")
    for name in NETWORKS:
        with context.Pool(1) as pool:
            found = pool.apply(measure, (name, torch.get_num_threads()))
        metrics |= {f"scale/{name}_{what}": Metric(value, value, value, 1) for what, value in found.items()}
    return metrics


def measure(name: str, threads: int = 1, samples: int = SAMPLES) -> Measured:
    """Cluster and borrow on one of `NETWORKS`; the peak is of this whole process.

    Raises `GanEditError` if a share of a contribution is missing, or the part changes nothing.
    """
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    generator = NETWORKS[name]()
    began = time.monotonic()
    *_, last = build_catalog(generator, k=K, seeds=range(samples), restarts=1)
    catalog = last.catalog
    built = time.monotonic()
    if catalog is None or any((m.sum(0) - 1).abs().max() > 1e-3 for m in catalog.contributions.values()):
        raise GanEditError(f"The contributions on {name} do not add up to one.")
    source = generator.sample(100)
    edit = Borrow(generator.sample(101), catalog.parts[0].name, catalog, 0.3)
    with torch.no_grad():
        changed = generator.draw(run(generator, source, edit)) - generator.draw(source)
    if not changed.abs().max() > 0:
        raise GanEditError(f"The part borrowed on {name} changes nothing.")
    return {
        "catalog_seconds": built - began,
        "borrow_seconds": time.monotonic() - built,
        "layers": float(len(catalog.contributions)),
        "channels": float(max(m.shape[1] for m in catalog.contributions.values())),
        "peak_gib": _peak(),
    }


def _peak() -> float:
    """Return the most memory of this process in GiB; what Linux reports elsewhere begins with that of its parent."""
    status = Path("/proc/self/status")
    if status.exists():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 2**30
