"""Fine-tune a model on labels of its own, so that attributes can be set by name; a run that was stopped goes on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from .options import add_model, amount, positive, positive_or_zero
from .train import stop_asked

if TYPE_CHECKING:
    from ..core.conditioning import Labels
    from ..core.conditioning.resampling import Resampling
    from ..core.training.conditional import ConditionalConfig

EXAMPLES = """\
  ganedit train self-conditioned portraits/ labels.safetensors runs/steered
  ganedit train self-conditioned cats/ labels.safetensors runs/cats --model cats.pt --rows even.safetensors --minutes 60
  ganedit train self-conditioned portraits/ labels.safetensors runs/steered --attributes yaw age --mirror
  torchrun --nproc-per-node 4 -m ganedit_widgets.cli train self-conditioned cats/ labels.safetensors runs/cats

The labels are those of `ganedit label`, the rows those of `ganedit resample`; without --rows they are sampled evenly
first. runs/steered/model.safetensors can be opened wherever a model can, and takes labels."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    add = command.add_argument
    add("pictures", metavar="PICTURES", type=Path, help="the folder that was labeled")
    add("labels", metavar="LABELS", type=Path, help="a file of `ganedit label`")
    add("out", metavar="FOLDER", type=Path, help="for checkpoints, sheets of labels and the result")
    add("--rows", type=Path, metavar="FILE", help="a file of `ganedit resample`")
    add("--all", action="store_true", help="draw each picture as often as any other: no sampling for even labels")
    add("--attributes", nargs="+", default=None, metavar="NAME", help="to be set by labels (all)")
    add("--thousands", type=amount, default=160, help="of pictures to show (160)")
    add("--minutes", type=amount, default=None, help="stop after so long; run again to go on")
    add("--batch", type=positive, default=4, help="pictures per step and process (4)")
    add("--lr", type=amount, default=0.002, help="learning rate (0.002)")
    add(
        "--start",
        choices=("zero", "copies"),
        default="zero",
        help="copies: the paper's, which changes pictures at once",
    )
    add("--projection", action="store_true", help="let the critic's scores depend on labels too")
    add("--mirror", action="store_true", help="mirror real pictures, with the labels of mirrored ones")
    add("--warm-up", type=amount, default=2, metavar="K", help="thousands that the class head learns alone (2)")
    add("--ramp", type=amount, default=4, metavar="K", help="thousands until the generator follows it fully (4)")
    add("--r1", type=amount, default=None, help="weight γ (the paper's: 0.0002·size²/batch)")
    add("--ada", type=amount, default=0.6, help="target of augmentation (0.6; 0: none)")
    add("--seed", type=positive_or_zero, default=0)
    add("--half", action="store_true", help="write the model at half its size")


def run(options: argparse.Namespace) -> None:
    """Fine-tune, with progress and time left; Ctrl+C saves first."""
    from ..core import load_generator
    from ..core.conditioning import load_labels
    from ..core.progress import Bar
    from ..core.training.conditional_loop import export_run, fine_tune
    from ..core.training.distributed import chief_first, end_process, start_process
    from ..core.training.labeled import open_labeled

    cfg = config_of(options)
    labels = load_labels(options.labels)
    if options.attributes:
        labels = labels.only(options.attributes)
    source = load_generator(options.model, "cpu")
    chosen = _rows(options, labels)
    device, chief = start_process(options.device)
    with chief_first():
        data = open_labeled(options.pictures, labels, source.size[0], chosen)
    seconds = None if options.minutes is None else options.minutes * 60
    quiet = not chief
    with stop_asked() as stop, Bar(total=cfg.pictures, unit="picture", unit_scale=True, disable=quiet) as bar:
        for progress in fine_tune(source, data, options.out, cfg, device, seconds=seconds, stop=stop):
            bar.go_to(progress.pictures)
            bar.set_postfix(progress.losses, refresh=False)
    end_process()
    if chief:
        print(f"wrote {export_run(source, labels.schema, options.out, cfg, options.half)}")
        print(told_of(progress.pictures, cfg), end="")


def told_of(pictures: int, cfg: ConditionalConfig) -> str:
    """Return what there is to say of a run that has shown so many pictures: that it goes on, or does nothing yet."""
    said = ""
    if pictures < cfg.pictures:
        said = f"stopped at {pictures} of {cfg.pictures} pictures: the same command goes on from there\n"
    if pictures <= cfg.head_pictures:
        said += (
            f"its labels change nothing yet: the class head learns alone for the first {cfg.head_pictures} pictures "
            "(--warm-up), give --thousands more than that\n"
        )
    return said


def config_of(options: argparse.Namespace) -> ConditionalConfig:
    """Return the settings that the options ask for."""
    from ..core.training.conditional import ConditionalConfig

    return ConditionalConfig(
        pictures=round(1000 * options.thousands),
        batch=options.batch,
        lr=options.lr,
        start=options.start,
        projection=options.projection,
        head_pictures=round(1000 * options.warm_up),
        ramp_pictures=round(1000 * options.ramp),
        r1_gamma=options.r1,
        ada_target=options.ada,
        mirror=options.mirror,
        seed=options.seed,
    )


def _rows(options: argparse.Namespace, labels: Labels) -> Resampling | None:
    """Return the list of rows to draw from: that of a file, or one that is made now, the same in every process."""
    from ..core.conditioning.resampling import NEIGHBORS, load_resampling, resample

    if options.all:
        return None
    if options.rows is not None:
        return load_resampling(options.rows)
    return resample(labels, k=NEIGHBORS, seed=options.seed)
