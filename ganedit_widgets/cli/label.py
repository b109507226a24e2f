"""Label pictures by directions of the model: how far each one lies along them."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_model, positive_or_zero, require_pictures, require_place

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ..core.conditioning import Labels
    from ..core.conditioning.reports import LabelReport
    from ..core.generators import Generator
    from ..core.probes import Direction

EXAMPLES = """\
  ganedit label portraits/ labels.safetensors --attributes yaw="turn head" age glasses
  ganedit label cats/ labels.safetensors --model cats.safetensors --directions cats_directions.safetensors
  ganedit label latents.safetensors labels.safetensors --truth known.csv --figure labels.png
  torchrun --nproc-per-node 4 -m ganedit_widgets.cli label portraits/ labels.safetensors

PICTURES is a folder of pictures or .npy arrays, whose latents the model's encoder guesses, or a file of latents that
`ganedit embed` found. What the encoder guessed is kept in OUT_latents.safetensors; a run that was stopped goes on, and
one with other directions need not guess again. Directions that say how an attribute shows (trends, as the demo's) are
turned into those that measure it. `ganedit resample` makes the labels even."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    command.add_argument("pictures", metavar="PICTURES", type=Path, help="a folder, or a file of latents")
    command.add_argument("out", metavar="OUT.safetensors", type=Path, help="the labels")
    command.add_argument("--directions", default="demo", metavar="FILE", help="or demo (the default)")
    command.add_argument(
        "--attributes", nargs="+", default=None, metavar="NAME=DIRECTION", help="all directions of the file by default"
    )
    strengths = "weigh W+'s layers by how strongly they show, measured on so many pairs (0: all alike)"
    command.add_argument("--strengths", type=positive_or_zero, default=0, metavar="PAIRS", help=strengths)
    mirrors = "of how many pictures the mirrored ones are labeled too (256)"
    command.add_argument("--mirrors", type=positive_or_zero, default=256, metavar="N", help=mirrors)
    command.add_argument("--truth", type=Path, metavar="CSV", help="to compare with: picture,NAME,…")
    command.add_argument("--report", type=Path, metavar="JSON", help="write what is printed, and more, as data")
    command.add_argument(
        "--figure", type=Path, metavar="PNG", help="histograms and correlations; with --truth PNG_truth too"
    )


def run(options: argparse.Namespace) -> None:
    """Label, and say what is to be thought of the labels."""
    from ..core import load_generator
    from ..core.conditioning import save_labels
    from ..core.conditioning.labeler import label, symmetric, with_mirrors
    from ..core.conditioning.reports import mirror_checks, read_truth, report
    from ..core.embed_folder import read_embeddings
    from ..core.errors import LabelError
    from ..core.training.distributed import end_process, start_process

    if options.out.suffix != ".safetensors":
        raise LabelError(f"Labels go into a .safetensors file, not into {options.out}: rename it.")
    for path in filter(None, (options.out, options.report)):
        require_place(path, LabelError)
    require_pictures(options.figure)
    device, chief = start_process(options.device)
    generator = load_generator(options.model, device)
    directions = _directions(generator, options.directions, options.attributes)
    latents = _latents(generator, options, chief)
    end_process()
    if not chief:
        return
    embeddings = read_embeddings(latents)
    directions = _weighted(generator, directions, options.strengths)
    labels = label(generator, embeddings, directions)
    mirrored = _mirrored(generator, options, labels, directions)
    truth = None if options.truth is None else read_truth(options.truth, labels)
    if mirrored is not None:
        checks = mirror_checks(labels.schema, *mirrored)
        labels = symmetric(with_mirrors(labels, {name: c.verdict for name, c in checks.items()}), *mirrored)
    found = report(labels, truth, mirrored)
    save_labels(options.out, labels)
    _tell(found, options)
    _keep(found, labels, truth, options)
    for name, why in embeddings.failed.items():
        print(f"left out {name}: {why}", file=sys.stderr)


def _directions(generator: Generator, file: str, wanted: list[str] | None) -> dict[str, Direction]:
    """Return attribute → direction, for words such as age or yaw=turn head."""
    from ..core.errors import LabelError
    from ..core.probes import load_directions, readout
    from ..core.probes.directions import require_fit

    known = load_directions(file)
    found: dict[str, Direction] = {}
    for word in list(known) if wanted is None else wanted:
        name, _, direction = (word, "", word) if word in known or "=" not in word else word.partition("=")
        if name in found:
            raise LabelError(f"Two attributes are called {name!r}: rename one of them.")
        found[name] = known[direction]
        require_fit(generator, found[name])
        if found[name].kind == "trend":  # it says how to make the attribute, not how to measure it
            found[name] = readout(generator, found[name])
    return found


def _latents(generator: Generator, options: argparse.Namespace, chief: bool) -> Path:
    """Return the file of latents, which is made if a folder of pictures is given."""
    from ..core.conditioning.invert import invert
    from ..core.conditioning.source import PictureSource
    from ..core.progress import Bar

    if options.pictures.is_file():
        return Path(options.pictures)
    latents = options.out.with_name(f"{options.out.stem}_latents.safetensors")
    source = PictureSource(options.pictures, generator.size)
    with Bar(total=len(source), unit="picture", disable=not chief) as bar:
        for each in invert(generator, source, latents):
            bar.go_to(each.done)
    return Path(latents)


def _weighted(generator: Generator, directions: Mapping[str, Direction], pairs: int) -> dict[str, Direction]:
    """Return the directions, those of W with the strengths of layers; one that has some keeps them."""
    from ..core.probes import weighted
    from ..core.progress import Bar

    found = dict(directions)
    if pairs:
        for name, direction in Bar(directions.items(), "strengths of layers", leave=False):
            if direction.space == "w" and not direction.weights:
                found[name] = weighted(generator, direction, pairs)
    return found


def _mirrored(
    generator: Generator, options: argparse.Namespace, labels: Labels, directions: Mapping[str, Direction]
) -> tuple[Tensor, Tensor] | None:
    """Return raw labels of some pictures and of the same seen in a mirror; None where nobody can guess latents."""
    from ..core.conditioning.invert import guess
    from ..core.conditioning.labeler import project
    from ..core.conditioning.reports import FEWEST
    from ..core.conditioning.source import PictureSource

    if options.mirrors < FEWEST or not options.pictures.is_dir():
        return None
    source = PictureSource(options.pictures, generator.size)
    ordered = [directions[name] for name in labels.schema.names]
    found = []
    for mirror in (False, True):
        w, read, _ = guess(generator, source, source.some(options.mirrors), mirror)
        found.append(project(generator, ordered, w))
    return (found[0], found[1]) if len(read) >= FEWEST else None


def _tell(found: LabelReport, options: argparse.Namespace) -> None:
    print(f"wrote {options.out}: {found.pictures} pictures")
    for name, spread in found.spread.items():
        words = [f"{name:16} {spread.low:9.3f} … {spread.high:9.3f}", f"median v {spread.median:.2f}"]
        if name in found.mirrors:
            check = found.mirrors[name]
            words.append(f"mirrored: {check.verdict} (r {check.correlation:+.2f})")
        if name in found.agreement:
            known = found.agreement[name]
            said = f"AUC {known.auc:.3f}" if known.auc is not None else f"ρ {known.spearman:.3f}, R² {known.r2:.3f}"
            words.append(f"truth: {said}")
        print("  ".join(words))
    for warning in found.warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _keep(
    found: LabelReport, labels: Labels, truth: Mapping[str, list[float]] | None, options: argparse.Namespace
) -> None:
    from ..demo.files import write_whole
    from ..demo.label_figures import label_figure, linearity_figure

    if options.report is not None:
        write_whole(options.report, json.dumps(found.to_dict(), indent=1))
    if options.figure is not None:
        label_figure(found).savefig(options.figure, dpi=150)
        if truth:
            path = options.figure.with_stem(f"{options.figure.stem}_truth")
            linearity_figure(labels, truth).savefig(path, dpi=150)
