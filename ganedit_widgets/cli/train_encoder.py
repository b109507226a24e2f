"""Train an encoder for a model, so that embedding begins near the picture; a run that was stopped goes on."""

from __future__ import annotations

import argparse
from pathlib import Path

from .options import require_place

EXAMPLES = """\
  ganedit train encoder cats.safetensors cats_encoder.safetensors
  ganedit train encoder cats.safetensors cats_encoder.safetensors --pictures photos/ --minutes 60
  ganedit train encoder demo encoder.safetensors --steps 20000 --device cuda
  ganedit train encoder tuned.safetensors tuned_encoder.safetensors --start demo --steps 3000

A file called MODEL_encoder.safetensors beside MODEL.safetensors is found by itself."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument("model", metavar="MODEL", help="a model file, an https:// address, or demo")
    command.add_argument("out", metavar="OUT.safetensors", type=Path, help="the file to write")
    command.add_argument("--pictures", type=Path, metavar="FOLDER", help="real pictures, learned in the last steps")
    command.add_argument("--start", metavar="MODEL", help="begin with the encoder of MODEL, from which this was tuned")
    command.add_argument("--steps", type=int, default=20_000, help="of the optimization (20000)")
    command.add_argument("--batch", type=int, default=16, help="pictures per step (16)")
    command.add_argument("--minutes", type=float, default=None, help="stop after so long; run again to go on")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", default=None, help="cuda or cpu; by default cuda where there is one")


def run(options: argparse.Namespace) -> None:
    """Train, with progress and time left; Ctrl+C keeps the best so far."""
    from ..core import load_generator
    from ..core.conditioning.invert import require_encoder
    from ..core.encoder.training import EncoderPlan, train_encoder
    from ..core.errors import ModelError
    from ..core.progress import Bar
    from ..core.training.pictures import open_pictures

    require_place(options.out, ModelError)
    generator = load_generator(options.model, options.device)
    start = None if options.start is None else require_encoder(load_generator(options.start, options.device))
    plan = EncoderPlan(steps=options.steps, batch=options.batch, seed=options.seed)
    folder = options.pictures
    pictures = None if folder is None else open_pictures(folder, generator.size[0], mirror=False)
    seconds = None if options.minutes is None else options.minutes * 60
    psnr = None
    with Bar(total=plan.steps, unit="step") as bar:
        try:
            for progress in train_encoder(generator, options.out, pictures, plan, seconds, 50, start):
                bar.go_to(progress.step)
                bar.set_postfix({"loss": progress.loss, "PSNR": progress.psnr}, refresh=False)
                psnr = progress.psnr
        except KeyboardInterrupt:
            bar.write("stopped: run the same command to go on")
    if options.out.exists():
        print(f"wrote {options.out}" + ("" if psnr is None else f": PSNR {psnr:.1f} dB"))
