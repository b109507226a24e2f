"""Find the latents of a picture, or of a folder of pictures."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from .options import add_model, require_place, require_png

EXAMPLES = """\
  ganedit embed face.jpg face_w.png
  ganedit embed face.jpg face_w.png --steps 300 --space w
  ganedit embed face.jpg face_w.png --start encoder --steps 50
  ganedit embed https://example.org/face.png out.png --model network.pkl
  ganedit embed faces/ faces.safetensors
  torchrun --nproc-per-node 4 -m ganedit_widgets.cli embed faces/ faces.safetensors

A picture's reconstruction is saved with its recipe inside. A folder's latents go into one file, which
ganedit_widgets.core.embed_folder.read_embeddings reads; a run that was stopped goes on where it was, and another
folder is added to what the file holds."""


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Add this command's arguments."""
    add_model(command)
    command.add_argument("picture", metavar="PICTURE", help="a picture file or address, or a folder")
    command.add_argument("out", metavar="OUT", type=Path, help="OUT.png; for a folder OUT or OUT.safetensors")
    command.add_argument("--steps", type=int, default=150, help="of the optimization (150)")
    command.add_argument("--space", choices=["w+", "w", "z"], default="w+", help="where to search (w+)")
    command.add_argument(
        "--start", choices=["average", "random", "encoder"], default="average", help="where to begin (average)"
    )
    command.add_argument("--stay", type=float, help="weight of staying near the average; more is easier to edit (0.03)")
    command.add_argument("--batch", type=int, help="of a folder: pictures at once (8 on a GPU, else 1)")


def run(options: argparse.Namespace) -> int:
    """Embed one picture, Ctrl+C keeps the best so far; or a folder."""
    return _folder(options) if Path(options.picture).is_dir() else _one(options)


def _one(options: argparse.Namespace) -> int:
    from ..core import History, Picture, Recipe, load_generator, save_png, to_pixels
    from ..core.edits import Embed
    from ..core.edits.base import stopped
    from ..core.progress import Bar
    from ..core.report_card import report_card

    require_png("the recipe", options.out)
    generator = load_generator(options.model, options.device)
    picture = Picture.read(options.picture)
    edit = Embed(picture, **_settings(options))
    history = History(generator.average())
    numbers: dict[str, float] = {}
    latent, done = history.latent, 0
    with Bar(total=edit.total, unit="step") as bar:
        try:
            for done, latent in enumerate(edit.steps(generator, history.latent, numbers.update), 1):  # noqa: B007
                bar.update()
                bar.set_postfix_str(f"PSNR {numbers.get('psnr', 0):.1f} dB", refresh=False)
        except KeyboardInterrupt:
            if not done:
                raise  # there is nothing to keep
            bar.write("stopped: the best so far is kept")
    history.push(stopped(edit, done), latent)
    save_png(options.out, to_pixels(generator.draw(latent)), Recipe.of(generator, history))
    print(f"wrote {options.out}: PSNR {numbers.get('psnr', 0):.1f} dB after {done} steps")
    card = report_card(generator, latent, picture)
    print(f"{card.verdict} {card.advice}")
    return 0


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of `Embed`."""
    stay = {} if options.stay is None else {"stay": options.stay}
    return {"iterations": options.steps, "space": options.space, "start": options.start, **stay}


def _folder(options: argparse.Namespace) -> int:
    from ..core import Picture, load_generator
    from ..core.edits import Embed
    from ..core.embed_folder import embed_folder, read_embeddings
    from ..core.progress import Bar
    from ..core.training.distributed import end_process, start_process

    options.out = _latents_file(options.out)
    device, chief = start_process(options.device)
    generator = load_generator(options.model, device)
    settings = _settings(options)

    def edit(picture: Picture) -> Embed:
        return Embed(picture, **settings)

    batch = options.batch or (8 if generator.device.type == "cuda" else 1)
    kept = "what is done is kept"
    with Bar(unit="picture", disable=not chief) as bar:
        try:
            for each in embed_folder(generator, options.picture, options.out, edit, settings, batch):
                bar.total, kept = each.total, f"{each.done} of {each.total} pictures are done"
                bar.go_to(each.done)
                bar.set_postfix_str(each.error or f"{each.name} {each.psnr:.1f} dB", refresh=False)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{kept}, and the same command goes on from there") from None
    end_process()
    if not chief:
        return 0
    found = read_embeddings(options.out)
    several = f" of {len(set(found.folders))} folders" if len(set(found.folders)) > 1 else ""
    mean = float(found.psnr.nanmean())
    print(f"wrote {options.out}: {len(found.names)} pictures{several}, PSNR {mean:.1f} dB on average")
    for name, why in found.failed.items():
        print(f"left out {name}: {why}", file=sys.stderr)
    return int(bool(found.failed))


def _latents_file(out: Path) -> Path:
    """Return where a folder's latents go: `out`, with the ending .safetensors if it has none."""
    from ..core.errors import LatentError

    require_place(out, LatentError)
    if not out.suffix:
        out = out.with_name(f"{out.name}.safetensors")
        require_place(out, LatentError)
    if out.suffix != ".safetensors":
        raise LatentError(f"A folder's latents go into a .safetensors file, not into {out}: rename it.")
    return out
