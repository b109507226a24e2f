"""From a training run to what ships with the demo: weights, directions and parts, in one command.

python -m ganedit_widgets.demo.release runs/demo
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path

from ..core.generators.load import load_generator, save_model
from ..core.probes import save_directions
from ..core.training.export import load_trainer
from . import parts
from .directions import find_directions, labeled_samples
from .oracle import load_oracle
from .results_file import commit

WEIGHTS = Path(__file__).parent / "weights"


def release_weights(run: str | Path, folder: Path = WEIGHTS, history: str = "") -> None:
    """Write the moving average and the discriminator of a training run as half-precision model files.

    `history` says what the settings, which are those of the last leg, do not.
    """
    trainer = load_trainer(run)
    settings = {k: v for k, v in asdict(trainer.cfg).items() if k != "resolution"}
    about = {
        "name": "demo",
        "licence": "BSD-3-Clause",
        "data": "portraits drawn by ganedit_widgets.demo.portraits, seed 0",
        "pictures": trainer.pictures,
        "stage": "pairs alone; the game has not begun" if trainer.studies else "pairs, then the game",
        "commit": commit(),
        "settings": settings,
        **({"history": history} if history else {}),
    }
    save_model(folder / "generator.safetensors", trainer.average, None, about, half=True)
    if not trainer.studies:  # else it has seen no picture yet, and the one that ships goes on serving
        save_model(folder / "discriminator.safetensors", None, trainer.critic.network, about, half=True)


def release_directions(folder: Path = WEIGHTS) -> None:
    """Find the directions of the shipped generator and write them beside it."""
    generator, oracle = load_generator("demo"), load_oracle()
    latents, labels = labeled_samples(generator, oracle)
    save_directions(folder / "directions.safetensors", find_directions(generator, latents, labels))


def main() -> None:
    """Release the run that the command line names."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("run", help="the folder of a training run")
    options.add_argument("--history", default="", help="what the settings, those of the last leg, do not say")
    chosen = options.parse_args()
    release_weights(chosen.run, history=chosen.history)
    release_directions()
    parts.main()


if __name__ == "__main__":
    main()
