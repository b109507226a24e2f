"""Choose labeled pictures so that their labels are spread evenly."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from .options import positive, positive_or_zero, require_pictures, require_place

EXAMPLES = """\
  ganedit resample labels.safetensors even.safetensors
  ganedit resample labels.safetensors even.safetensors --count 250000 --cap 50 --figure even.png
  ganedit resample labels.safetensors even.safetensors --attributes yaw age --seed 3

The labels are those of `ganedit label`; the list that is written names each picture as often as it is to be seen."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument("labels", metavar="LABELS", type=Path, help="a file of `ganedit label`")
    command.add_argument("out", metavar="OUT.safetensors", type=Path, help="the list of pictures")
    command.add_argument("--attributes", nargs="+", default=None, metavar="NAME", help="to make even (all)")
    command.add_argument("--count", type=positive, default=None, help="of draws (as many as there are pictures)")
    command.add_argument("--nearest", type=positive, default=10, metavar="K", help="to choose one of (10)")
    command.add_argument("--seed", type=positive_or_zero, default=0)
    command.add_argument("--cap", type=positive_or_zero, default=0, help="most draws of one picture (0: no limit)")
    command.add_argument("--report", type=Path, metavar="JSON", help="write what is printed, and more, as data")
    command.add_argument("--figure", type=Path, metavar="PNG", help="tenths and correlations, before and after")


def run(options: argparse.Namespace) -> None:
    """Resample, and say what it did."""
    from ..core.conditioning import load_labels
    from ..core.conditioning.resampling import balance, resample, save_resampling
    from ..core.errors import LabelError
    from ..demo.files import write_whole

    if options.out.suffix != ".safetensors":
        raise LabelError(f"The list goes into a .safetensors file, not into {options.out}: rename it.")
    for path in filter(None, (options.out, options.report)):
        require_place(path, LabelError)
    require_pictures(options.figure)
    labels = load_labels(options.labels)
    chosen = labels if options.attributes is None else labels.only(options.attributes)
    made = resample(chosen, options.count, options.nearest, options.seed, options.cap)
    save_resampling(options.out, made)
    found = balance(chosen, made)
    print(
        f"wrote {options.out}: {found.draws} draws of {found.unique} different pictures ({len(labels)} there are), one "
        f"up to {found.most} times; effective number {found.effective:.0f}"
    )
    print("shares of tenths, in %:")
    for name, before, after in zip(found.attributes, found.deciles_before, found.deciles_after, strict=True):
        for when, shares in (("before", before), ("after", after)):
            print(f"  {name:16} {when:7}" + "".join(f"{100 * share:6.1f}" for share in shares))
    if options.report is not None:
        write_whole(options.report, json.dumps(found.to_dict(), indent=1))
    if options.figure is not None:
        from ..demo.label_figures import resampling_figure

        resampling_figure(found).savefig(options.figure, dpi=150)
