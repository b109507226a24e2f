"""Measure a method on the demo model and write its results file and figures."""

from __future__ import annotations

import argparse
from pathlib import Path

METHODS = ("demo", "oracle", "image2stylegan", "editing_in_style", "editgan", "self_conditioned")
EXAMPLES = """\
  ganedit evaluate demo
  ganedit evaluate oracle                          (how well the judge of all methods judges)
  ganedit evaluate image2stylegan
  ganedit evaluate editing_in_style
  ganedit evaluate editgan
  ganedit evaluate self_conditioned --model runs/steered/model.safetensors --out runs/steered/results
  ganedit evaluate demo --quick --out /tmp/results"""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument("method", choices=METHODS, metavar="METHOD", help=" or ".join(METHODS))
    command.add_argument("--quick", action="store_true", help="a sample of the measurements, under a minute on a CPU")
    command.add_argument("--out", type=Path, default=None, help="folder for the results (default: beside the demo)")
    command.add_argument(
        "--model", default=None, help="of self_conditioned: another such model of the demo (default: that which ships)"
    )


def run(options: argparse.Namespace) -> None:
    """Measure, with progress, and print the metrics."""
    from importlib import import_module

    from ..core.errors import ModelError
    from ..core.generators.load import has_shipped
    from ..demo.results_file import RESULTS, Results

    given = {} if options.model is None else {"model": options.model}
    if given and options.method != "self_conditioned":
        raise ModelError(f"--model is for self_conditioned: {options.method} measures the demo model, leave it out.")
    if given and options.out is None:
        raise ModelError("The results beside the demo are of the model that ships: say with --out where to write.")
    module = import_module(f"..demo.evaluate_{options.method}", __package__)
    results: Results = module.evaluate(quick=options.quick, **given)
    folder = options.out or RESULTS
    path = results.write(folder)
    for name, metric in results.metrics.items():
        print(f"{name:40} {metric.value:9.4f}   [{metric.low:.4f}, {metric.high:.4f}]  n={metric.n}")
    if options.quick:
        print(
            "a quick run: few pictures, and Fréchet distances are larger the fewer there are; kernel distances are not"
        )
    print(f"wrote {path}")
    if path in (RESULTS / "demo.json", RESULTS / "self_conditioned.json") and has_shipped("demo-self-conditioned"):
        from ..demo.model_card import write_model_card

        print(f"wrote {write_model_card()}")
