"""Train a StyleGAN2 on a folder of pictures; a run that was stopped goes on where it was."""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..core.training.pairs import PairSource
    from ..core.training.trainer import TrainConfig

PORTRAITS = 32_000  # of the demo data set, drawn once
STUDY = 500  # thousands of pictures that the demo learns from pairs alone
EXAMPLES = """\
  ganedit train pictures/ runs/cats
  ganedit train pictures/ runs/cats --plan 32:50,64:50,128:200 --batch 16
  ganedit train pictures/ runs/cats --minutes 30
  ganedit train demo runs/demo --plan 32:40,64:50,128:400 --batch 8 --lr 0.008     (draws its portraits first)
  torchrun --nproc-per-node 4 -m ganedit_widgets.cli train pictures/ runs/cats
  ganedit train encoder --help     (another command: an encoder for a model that is trained)"""


def plan(text: str) -> tuple[tuple[int, int], ...]:
    """Read stages such as ``32:50,64:50``: resolution and thousands of pictures."""
    try:
        stages = tuple((int(r), round(float(k) * 1000)) for r, k in (part.split(":") for part in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no plan: write 32:50,64:50,128:200") from None
    sizes = [r for r, _ in stages]
    if any(r < 8 or r & (r - 1) for r in sizes) or any(b != 2 * a for a, b in pairwise(sizes)):
        raise argparse.ArgumentTypeError("each resolution must be a power of two from 8 up, twice the one before")
    return stages


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    command.add_argument("data", metavar="PICTURES", help="a folder of pictures or .npy arrays, or demo")
    command.add_argument("out", metavar="FOLDER", type=Path, help="for checkpoints, sample sheets and the result")
    command.add_argument("--plan", type=plan, default=plan("32:50,64:50,128:200"), help="resolution:thousands,…")
    command.add_argument("--batch", type=int, default=16, help="pictures per step and process (16)")
    command.add_argument("--minutes", type=float, default=None, help="stop after so long; run again to go on")
    command.add_argument("--lr", type=float, default=2.5e-3, help="learning rate (0.0025)")
    command.add_argument("--study", type=float, default=STUDY, help=f"demo: thousands learned from pairs ({STUDY})")
    command.add_argument("--portraits", type=int, default=PORTRAITS, help=f"demo: how many are drawn ({PORTRAITS})")
    command.add_argument("--width", type=int, default=128, help="the most channels of a layer (128)")
    command.add_argument("--no-mirror", action="store_true", help="do not mirror pictures")
    command.add_argument("--seed", type=int, default=0)
    command.add_argument("--device", default=None, help="cuda or cpu; by default cuda where there is one")


def run(options: argparse.Namespace) -> None:
    """Train, with progress and time left; Ctrl+C saves first."""
    from ..core.progress import Bar
    from ..core.training.distributed import chief_first, end_process, start_process
    from ..core.training.export import export
    from ..core.training.loop import Plan, train
    from ..core.training.pictures import open_pictures
    from ..core.training.trainer import TrainConfig

    device, chief = start_process(options.device)
    the_plan = Plan(options.plan)
    size = options.plan[-1][0]
    demo = options.data == "demo"
    cfg = TrainConfig(
        resolution=size,
        channel_base=24 * options.width,
        channel_max=options.width,
        z_dim=options.width,
        w_dim=options.width,
        batch=options.batch,
        lr=options.lr,
        study_pictures=round(1000 * options.study) if demo else 0,
        seed=options.seed,
    )
    with chief_first():
        data = _draw_portraits(options.out, options.portraits, size) if demo else options.data
        # a mirrored portrait is none that z could tell of: partings and light come from a side
        pictures = open_pictures(data, size, mirror=not (options.no_mirror or demo))
    pairs = _pairs(data, options.portraits, cfg) if demo else None
    seconds = None if options.minutes is None else options.minutes * 60
    quiet = not chief
    with stop_asked() as stop, Bar(total=the_plan.total, unit="picture", unit_scale=True, disable=quiet) as bar:
        for progress in train(pictures, options.out, cfg, the_plan, device, seconds=seconds, stop=stop, pairs=pairs):
            bar.go_to(progress.pictures)
            bar.set_postfix({"side": progress.resolution, **progress.losses}, refresh=False)
    end_process()
    if chief and (options.out / "checkpoint.pt").exists():
        path = export(options.out)
        print(f"wrote {path}")


@contextmanager
def stop_asked() -> Iterator[Callable[[], bool]]:
    """Give what says whether Ctrl+C was pressed, or SIGTERM sent; once, it no longer interrupts but asks."""
    asked = threading.Event()
    before = {sent: signal.getsignal(sent) for sent in (signal.SIGINT, signal.SIGTERM)}

    def as_before() -> None:
        for sent, handler in before.items():
            signal.signal(sent, handler)

    def ask(*_: object) -> None:
        as_before()  # who presses again does not want to wait
        asked.set()

    for sent in before:
        signal.signal(sent, ask)
    try:
        yield asked.is_set
    finally:
        as_before()


def _draw_portraits(folder: Path, count: int, size: int) -> Path:
    from ..core.progress import Bar
    from ..demo.portraits.dataset import build_cache

    with Bar(total=count, unit="portrait", desc="drawing") as bar:
        return build_cache(folder / "portraits", count, size, progress=lambda done, _: bar.go_to(done))


def _pairs(folder: Path, count: int, cfg: TrainConfig) -> PairSource:
    from ..demo.train import PortraitPairs

    rank = int(os.environ.get("RANK", 0))
    return PortraitPairs(folder, count, cfg.resolution, cfg.z_dim, seed=time.time_ns() % 2**31 + rank)
