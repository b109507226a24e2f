"""Train a segmenter from labeled pictures of a model, so that painted labels can be turned into edits."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import positive, require_place

EXAMPLES = """\
  ganedit train segmenter demo labeled/ parts.safetensors
  ganedit train segmenter cats.safetensors labeled/ cats_parts.safetensors --steps 3000 --score
  ganedit train segmenter cats.safetensors labeled/ parts.safetensors --classes background,head,ear,eye

The folder holds NAME.png, a picture saved with its recipe, and NAME_labels.png for each, a PNG with a palette as
`ganedit segment` and the mask painter write it. 16 pictures are enough for a start."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument("model", metavar="MODEL", help="a model file, an https:// address, or demo")
    command.add_argument("folder", metavar="FOLDER", type=Path, help="of labeled pictures")
    command.add_argument("out", metavar="OUT.safetensors", type=Path, help="the file to write")
    command.add_argument("--classes", type=_names, default=None, help="if the label maps do not name them: a,b,c")
    command.add_argument("--steps", type=positive, default=1500, help="of the optimization (1500)")
    command.add_argument("--score", action="store_true", help="also measure: each picture by a network without it")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", default=None, help="cuda or cpu; by default cuda where there is one")


def run(options: argparse.Namespace) -> None:
    """Train, with progress and time left; Ctrl+C keeps what was learned."""
    from ..core import load_generator
    from ..core.errors import SegmentError
    from ..core.progress import Bar
    from ..core.segment import SegmentPlan, leave_one_out, save_segmenter, train_segmenter
    from ..core.segment.folder import read_labeled

    require_place(options.out, SegmentError)
    generator = load_generator(options.model, options.device)
    labeled, labels = read_labeled(options.folder, generator, options.classes)
    classes, colors = [label.name for label in labels], [label.color or (0, 0, 0) for label in labels]
    plan = SegmentPlan(steps=options.steps, seed=options.seed)
    last = None
    with Bar(total=plan.steps, unit="step") as bar:
        try:
            for last in train_segmenter(generator, labeled, classes, plan, colors):
                bar.go_to(last.step)
                bar.set_postfix({"loss": last.loss, "right": last.accuracy}, refresh=False)
        except KeyboardInterrupt:
            bar.write("stopped: what was learned is kept")
    if last is None:
        return
    save_segmenter(options.out, last.segmenter())
    print(f"wrote {options.out}: {len(classes)} classes from {len(labeled)} pictures")
    if options.score:
        *_, found = Bar(leave_one_out(generator, labeled, classes, plan), unit="report")
        for picture, overlap in zip(labeled, found.overlaps, strict=True):
            print(f"{picture.name:30} mIoU {overlap.miou:.3f}")
        print(f"{'each without itself':30} mIoU {found.miou:.3f}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]
