"""The self-conditioned demo: its own directions label the portraits, and labels then steer it.

python -m ganedit_widgets.demo.self_conditioned runs/steered --minutes 30     (run again to go on)

runs/steered/model.safetensors takes the labels yaw, age and glasses; `ganedit train self-conditioned` does the same for
any model and any pictures.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor
from tqdm import tqdm

from ..core.conditioning import Labels, save_labels
from ..core.conditioning.invert import guess, invert
from ..core.conditioning.labeler import label, project, symmetric, with_mirrors
from ..core.conditioning.resampling import resample
from ..core.conditioning.source import PictureSource
from ..core.embed_folder import Embeddings, read_embeddings
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.probes.library import load_directions
from ..core.training.conditional import ConditionalConfig
from ..core.training.conditional_loop import export_run, fine_tune
from ..core.training.distributed import chief_first, end_process, processes, start_process
from ..core.training.labeled import open_labeled
from .portraits.dataset import build_cache
from .train import latents_of

DIRECTIONS = {"yaw": "turn head", "age": "age", "glasses": "glasses"}
MIRRORS = {"yaw": "opposite", "age": "same", "glasses": "same"}  # true of any portrait
PORTRAITS, THOUSANDS, CAP = 8000, 120.0, 30
MIRRORED = 256  # portraits by which the middle of yaw is measured
CHUNK = 1000  # latents mapped at a time


def settings(thousands: float = THOUSANDS, seed: int = 0) -> ConditionalConfig:
    """Return the settings of the demo's fine-tuning: small enough for a CPU overnight, an hour on a GPU.

    Real portraits are not mirrored: partings and light come from a side.
    """
    return ConditionalConfig(
        pictures=round(1000 * thousands), batch=8, head_pictures=4000, ramp_pictures=8000, ema_steps=500.0, seed=seed
    )


def embedded(generator: Generator, folder: Path, out: Path) -> Embeddings:
    """Return the latents of the portraits in `folder`: as the encoder guesses them, kept in `out`.

    Without an encoder, they are those that the demo model was taught for them; the numbers that a portrait is drawn
    from are known.
    """
    source = PictureSource(folder, generator.size)
    if generator.encoder is not None:
        for _ in tqdm(invert(generator, source, out), "latents", disable=None, leave=False):
            pass
        return read_embeddings(out)
    w = taught(generator, torch.arange(len(source)))
    return Embeddings(source.names, w, torch.full((len(w),), torch.nan), {}, generator.fingerprint, {"taught": True})


def taught(generator: Generator, numbers: Tensor) -> Tensor:
    """Return w (N, L, D) of portraits by number: of the z that stands for each, with the same rest in every run."""
    rng = torch.Generator().manual_seed(0)
    found = []
    for chunk in numbers.split(CHUNK):
        with torch.no_grad():
            found.append(generator.map(latents_of(chunk, generator.z_dim, rng=rng).to(generator.device)).cpu())
    return torch.cat(found)[:, None].expand(-1, generator.latent_shape[0], -1).contiguous()


def portrait_labels(generator: Generator, folder: Path, out: Path) -> Labels:
    """Return the labels yaw, age and glasses of the portraits in `folder`, which the chief process writes to `out`.

    Raises `DirectionError` if the shipped directions are of another model.
    """
    directions = load_directions("demo")
    chosen = {name: directions[direction] for name, direction in DIRECTIONS.items()}
    found = embedded(generator, folder, out.with_name(f"{out.stem}_latents.safetensors"))
    labels = with_mirrors(label(generator, found, chosen), MIRRORS)
    if generator.encoder is not None:
        source, ordered = PictureSource(folder, generator.size), [chosen[name] for name in labels.schema.names]
        shown = [guess(generator, source, source.some(MIRRORED), mirror)[0] for mirror in (False, True)]
        labels = symmetric(labels, *(project(generator, ordered, w) for w in shown))
    if processes()[0] == 0:
        save_labels(out, labels)
    return labels


def make(
    folder: Path,
    cfg: ConditionalConfig,
    count: int = PORTRAITS,
    seconds: float | None = None,
    device: str | None = None,
    generator: Generator | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> Path:
    """Draw portraits, label them, sample them evenly, fine-tune the demo on them; return the model's path.

    Each part that is done is kept in `folder`, and a run that was stopped goes on. `seconds` limits the fine-tuning.
    """
    source = generator or load_generator("demo", "cpu")
    where, chief = start_process(device)
    with chief_first(), tqdm(total=count, unit="portrait", desc="drawing", disable=None if chief else True) as bar:
        portraits = build_cache(
            folder / "portraits", count, source.size[0], progress=lambda done, _: bar.update(done - bar.n)
        )
    labels = portrait_labels(source, portraits, folder / "labels.safetensors")
    data = open_labeled(portraits, labels, source.size[0], resample(labels, seed=cfg.seed, cap=CAP))
    with tqdm(total=cfg.pictures, unit="picture", unit_scale=True, disable=None if chief else True) as bar:
        for progress in fine_tune(source, data, folder, cfg, where, seconds=seconds, stop=stop):
            bar.update(progress.pictures - bar.n)
            bar.set_postfix_str(str(progress), refresh=False)
    made = export_run(source, labels.schema, folder, cfg) if processes()[0] == 0 else folder
    end_process()
    return made


def main(words: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="for portraits, labels, checkpoints, sheets and the model")
    parser.add_argument("--portraits", type=int, default=PORTRAITS, help=f"how many are drawn ({PORTRAITS})")
    parser.add_argument("--thousands", type=float, default=THOUSANDS, help=f"of pictures to show ({THOUSANDS:g})")
    parser.add_argument("--minutes", type=float, default=None, help="stop the fine-tuning after so long")
    parser.add_argument("--device", default=None, help="cuda or cpu; by default cuda where there is one")
    asked = parser.parse_args(words)
    seconds = None if asked.minutes is None else 60 * asked.minutes
    make(asked.folder, settings(asked.thousands), asked.portraits, seconds, asked.device)


if __name__ == "__main__":
    main()
