"""The self-conditioned demo: its own directions label the portraits, and labels then steer it.

python -m ganedit_widgets.demo.self_conditioned runs/steered --minutes 60     (run again to go on)

runs/steered/model.safetensors takes the labels yaw, age and glasses; `ganedit train self-conditioned` does the same for
any model and any pictures.

As in the paper, a label is how far a picture's latent lies along a direction of the model. The paper has to guess the
latents of its pictures, and what the encoder loses the labels lack: glasses are told with an area under the curve of
0.67. The numbers that a portrait of the demo is drawn from are also the z that the model was taught to draw it from, so
that its exact latent is known, and labels of those tell glasses almost always. `--latents encoder` labels as one has to
elsewhere.

The paper's losses alone need a day of a CPU. Here the generator first studies pairs (`steering_pairs`): portraits whose
latents lack what their labels tell. Then comes the paper's game, in which what the critic sees is drawn of such pairs,
and their loss stands beside its scores: with labels of sampled portraits, not of U(0, 1), with fewer pictures for R1,
no path length penalty, and the finest blocks as they are. `--thousands 160 --paper` does without all that.

The weights that ship saw 24,000 pictures of pairs, 24,000 of the game, 24,000 of pairs again, and the rest of the game.
Until 66,000 pairs were drawn without noise, which had let a grain in: a run of today needs no second study.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..core.conditioning import Labels, load_labels, save_labels
from ..core.conditioning.invert import guess, invert
from ..core.conditioning.labeler import label, project, symmetric, with_mirrors
from ..core.conditioning.resampling import resample
from ..core.conditioning.source import PictureSource
from ..core.embed_folder import Embeddings, read_embeddings
from ..core.errors import LatentError
from ..core.generators import Generator
from ..core.generators.load import load_generator
from ..core.probes import Direction, load_directions, readout
from ..core.progress import Bar
from ..core.training.conditional import ConditionalConfig
from ..core.training.conditional_loop import export_run, fine_tune
from ..core.training.distributed import chief_first, end_process, processes, start_process
from ..core.training.labeled import open_labeled
from .oracle import Oracle, load_oracle
from .portraits.dataset import build_cache
from .steering_pairs import SteeringPairs
from .steering_progress import effects, reached, write_effects
from .train import latents_of

DIRECTIONS = {"yaw": "turn head", "age": "age", "glasses": "glasses"}
MIRRORS = {"yaw": "opposite", "age": "same", "glasses": "same"}  # true of any portrait
PORTRAITS, THOUSANDS, CAP = 32_000, 60.0, 30
STUDY = 24.0  # thousands of pictures that are learned from pairs alone, at first
SAVE_EVERY, LOOK_EVERY = 180.0, 600.0  # seconds between checkpoints, and between looks at what labels do
LATENTS = ("exact", "encoder")  # of the portraits: those they are drawn from, or those that are guessed
NAME = "demo-self-conditioned"  # by which `load_generator` knows what was made of it
MIRRORED = 256  # portraits whose mirrored latents are guessed, for the middle of yaw
CHUNK = 1000  # latents mapped at a time


def settings(
    thousands: float = THOUSANDS, study: float = STUDY, seed: int = 0, paper: bool = False
) -> ConditionalConfig:
    """Return the settings of the demo's fine-tuning, one or two hours of a core; `paper`: those of the paper, a day.

    Real portraits are not mirrored: partings and light come from a side.
    """
    pictures = round(1000 * thousands)
    if paper:
        return ConditionalConfig(pictures, batch=8, head_pictures=4000, ramp_pictures=8000, ema_steps=500.0, seed=seed)
    return ConditionalConfig(
        pictures,
        batch=8,
        study_pictures=round(1000 * study),
        head_pictures=3000,
        ramp_pictures=2000,
        pair_share=1.0,
        pair_weight=50.0,
        mixing=0.5,
        path_weight=0.0,
        r1_batch=4,
        share_fakes=True,
        keep_g=128,
        ema_steps=200.0,
        seed=seed,
    )


def measures(generator: Generator) -> dict[str, Direction]:
    """Return attribute → the direction along which it is measured: the readouts of the directions that ship.

    Raises `DirectionError` if those are of another model.
    """
    directions = load_directions("demo")
    return {name: readout(generator, directions[direction]) for name, direction in DIRECTIONS.items()}


def taught(generator: Generator, numbers: Tensor, mirrored: bool = False) -> Tensor:
    """Return w (N, L, D) of portraits by number: of the z that stands for each, with the same rest in every run.

    `mirrored`: of the same portraits as a mirror shows them.
    """
    rng = torch.Generator().manual_seed(0)
    found = []
    for chunk in numbers.split(CHUNK):
        z = latents_of(chunk, generator.z_dim, rng=rng, mirrored=mirrored)
        with torch.no_grad():
            found.append(generator.map(z.to(generator.device)).cpu())
    return torch.cat(found)[:, None].expand(-1, generator.latent_shape[0], -1).contiguous()


def exact_labels(generator: Generator, names: Sequence[str], directions: Mapping[str, Direction]) -> Labels:
    """Return the labels of the first portraits, called `names`, of the latents that the generator was taught for them.

    Projections onto directions, as in the paper; what the paper has to guess, the latent of a picture, is known here.
    Raises `DirectionError` for a direction of another model.
    """
    w, mirrored = (taught(generator, torch.arange(len(names)), mirror) for mirror in (False, True))
    none = torch.full((len(w),), torch.nan)
    found = Embeddings(tuple(names), w, none, {}, generator.fingerprint, {"taught": True})
    return _labeled(generator, found, directions, w, mirrored)


def guessed_labels(
    generator: Generator, source: PictureSource, out: Path, directions: Mapping[str, Direction]
) -> Labels:
    """Return the labels of pictures of the latents that the encoder guesses, which are kept in `out`.

    Raises `LatentError` if the model has no encoder, `DirectionError` for a direction of another model.
    """
    for _ in Bar(invert(generator, source, out), "latents", leave=False):
        pass
    shown = (guess(generator, source, source.some(MIRRORED), mirror)[0] for mirror in (False, True))
    return _labeled(generator, read_embeddings(out), directions, *shown)


def _labeled(
    generator: Generator, found: Embeddings, directions: Mapping[str, Direction], seen: Tensor, mirrored: Tensor
) -> Labels:
    """Return labels of which a mirror makes those of the mirrored picture: from latents of both."""
    labels = with_mirrors(label(generator, found, directions), {name: MIRRORS[name] for name in directions})
    ordered = [directions[name] for name in labels.schema.names]
    return symmetric(labels, *(project(generator, ordered, w) for w in (seen, mirrored)))


def portrait_labels(generator: Generator, folder: Path, out: Path, latents: str = "exact") -> Labels:
    """Return the labels yaw, age and glasses of the portraits in `folder`, which the chief process writes to `out`.

    If they are there already, of these portraits and this model, they are those, so that a run can go on elsewhere.
    `latents`: "exact" or "encoder", see `exact_labels` and `guessed_labels`.
    Raises `DirectionError` if the shipped directions are of another model, `LatentError` for other latents, or
    "encoder" where there is none.
    """
    if latents not in LATENTS:
        raise LatentError(f"There are no {latents!r} latents: choose {' or '.join(LATENTS)}.")
    source, chosen = PictureSource(folder, generator.size), measures(generator)
    known = load_labels(out) if out.is_file() else None
    if known is not None and _are_of(known, source, generator, latents):
        return known
    if latents == "exact":
        labels = exact_labels(generator, source.names, chosen)
    else:
        labels = guessed_labels(generator, source, out.with_name(f"{out.stem}_latents.safetensors"), chosen)
    if processes()[0] == 0:
        save_labels(out, labels)
    return labels


def _are_of(labels: Labels, source: PictureSource, generator: Generator, latents: str) -> bool:
    exact = bool(labels.about.get("inversion", {}).get("taught"))
    same = labels.names == source.names and labels.schema.fingerprint == generator.fingerprint
    return same and exact == (latents == "exact") and labels.schema.names == tuple(sorted(DIRECTIONS))


def make(
    folder: Path,
    cfg: ConditionalConfig,
    count: int = PORTRAITS,
    seconds: float | None = None,
    device: str | None = None,
    generator: Generator | None = None,
    stop: Callable[[], bool] = lambda: False,
    latents: str = "exact",
    portraits: Path | None = None,
    oracle: Oracle | None = None,
) -> Path:
    """Draw portraits, label them, sample them evenly, fine-tune the demo on them; return the model's path.

    Each part that is done is kept in `folder`, and a run that was stopped goes on. `seconds` limits the fine-tuning.
    `portraits`: where they are or shall be drawn; None: in `folder`. `oracle`: looks at what labels do now and then.
    """
    source = generator or load_generator("demo", "cpu")
    where, chief = start_process(device)
    size = source.size[0]
    with chief_first(), Bar(total=count, unit="portrait", desc="drawing", disable=not chief) as bar:
        drawn = build_cache(portraits or folder / "portraits", count, size, progress=lambda n, _: bar.go_to(n))
    folder.mkdir(parents=True, exist_ok=True)
    labels = portrait_labels(source, drawn, folder / "labels.safetensors", latents)
    data = open_labeled(drawn, labels, size, resample(labels, seed=cfg.seed, cap=CAP))
    pairs = SteeringPairs(data, drawn, size, source.cfg.z_dim) if cfg.needs_pairs else None
    looked = time.monotonic()
    with Bar(total=cfg.pictures, unit="picture", unit_scale=True, disable=not chief) as bar:
        for progress in fine_tune(source, data, folder, cfg, where, 25, SAVE_EVERY, seconds, stop, pairs):
            bar.go_to(progress.pictures)
            bar.set_postfix(progress.losses, refresh=False)
            if progress.sheet and oracle is not None and time.monotonic() - looked > LOOK_EVERY:
                look(source, labels, folder, oracle)
                looked = time.monotonic()
    meta = {"portraits": count, "labels": f"{latents} latents", "cap": CAP, "batch": cfg.batch, "seed": cfg.seed}
    made = export_run(source, labels.schema, folder, cfg, half=True, meta=meta) if processes()[0] == 0 else folder
    if oracle is not None and processes()[0] == 0:
        look(source, labels, folder, oracle)
    end_process()
    return made


def look(source: Generator, labels: Labels, folder: Path, oracle: Oracle) -> None:
    """Write what labels do by now, as the run's checkpoint has it, to ``effects.jsonl``."""
    generator, pictures = reached(source, labels.schema, folder)
    write_effects(folder, pictures, effects(generator, oracle))


def main(words: Sequence[str] | None = None) -> None:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("folder", type=Path, help="for labels, checkpoints, sheets and the model")
    add("--portraits", type=int, default=PORTRAITS, help=f"how many are drawn ({PORTRAITS})")
    add("--drawn", type=Path, default=None, help="the folder to draw them to, or where they are (FOLDER/portraits)")
    add("--thousands", type=float, default=THOUSANDS, help=f"of pictures to show in all ({THOUSANDS:g})")
    add("--study", type=float, default=STUDY, help=f"thousands of them from pairs alone ({STUDY:g})")
    add("--paper", action="store_true", help="the paper's settings, without pairs: some 20 times as long")
    add("--minutes", type=float, default=None, help="stop the fine-tuning after so long; run again to go on")
    add("--device", default=None, help="cuda or cpu; by default cuda where there is one")
    add("--latents", choices=LATENTS, default="exact", help="that labels are measured on (exact)")
    asked = parser.parse_args(words)
    seconds = None if asked.minutes is None else 60 * asked.minutes
    cfg = settings(asked.thousands, asked.study, paper=asked.paper)
    make(
        asked.folder,
        cfg,
        asked.portraits,
        seconds,
        asked.device,
        latents=asked.latents,
        portraits=asked.drawn,
        oracle=load_oracle(),
    )


if __name__ == "__main__":
    main()
