"""Embed a folder of pictures into one file, with one process or many; a run that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from .edits.base import Edit, run
from .errors import GanEditError, ImageError, LatentError
from .generators.base import Generator
from .image import Picture
from .latent import Latent
from .training.distributed import await_others, processes
from .training.pictures import SUFFIXES


@dataclass(frozen=True)
class Embedded:
    """One picture that was just dealt with."""

    name: str  # its path below the folder
    done: int  # pictures dealt with by all processes when this one began, and by this one since
    total: int
    psnr: float  # dB; nan where it failed
    error: str = ""  # one sentence, where it failed


@dataclass(frozen=True, eq=False)
class Embeddings:
    """What `embed_folder` wrote: for each picture its name, its latent w (L, D), and how near its picture came."""

    names: tuple[str, ...]
    w: Tensor  # (N, L, D)
    psnr: Tensor  # (N,) dB
    failed: dict[str, str]  # name → why
    fingerprint: str
    settings: dict[str, Any]

    def latent(self, name: str) -> Latent:
        """Return the latent of a picture. Raises `LatentError` if there is none of that name."""
        if name not in self.names:
            raise LatentError(f"No picture {name!r} was embedded here: choose one of the {len(self.names)} names.")
        return Latent(self.w[self.names.index(name)], self.fingerprint)


def embed_folder(
    generator: Generator, folder: Path | str, out: Path | str, edit: Callable[[Picture], Edit], settings: dict[str, Any]
) -> Iterator[Embedded]:
    """Embed all pictures below `folder` by ``edit(picture)`` and write `out`, a safetensors file; yield each as done.

    Every finished picture is a small file in ``OUT.parts`` until all are there, so that nothing is embedded twice,
    not even with another number of processes. Under ``torchrun`` each process takes its share; the chief writes `out`
    when the last has ended. A picture that cannot be read is noted and left out. `settings` are kept in the file; a
    run with other settings than its parts had is refused (`LatentError`), as is a folder without pictures.
    """
    folder, out = Path(folder), Path(out)
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not names:
        raise ImageError(f"{folder} holds no pictures ({', '.join(sorted(SUFFIXES))}): name a folder that does.")
    parts = out.with_name(out.name + ".parts")
    note = {"fingerprint": generator.fingerprint, "settings": settings}
    _open_parts(parts, note)
    missing = [name for name in names if not _part(parts, name).exists()]
    rank, count = processes()
    await_others()  # all have listed what is missing before anyone adds to it
    mine = missing[rank::count]
    for i, name in enumerate(mine, 1):
        psnr, error = _embed(generator, folder / name, _part(parts, name), edit)
        yield Embedded(name, min(len(names) - len(missing) + i * count, len(names)), len(names), psnr, error)
    await_others()
    if rank == 0:
        _merge(parts, names, out, note)


def read_embeddings(path: Path | str) -> Embeddings:
    """Read what `embed_folder` wrote. Raises `LatentError` for another file."""
    try:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["embeddings"])
            tensors = {key: file.get_tensor(key) for key in ("w", "psnr")}
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise LatentError(
            f"{path} holds no embeddings ({type(error).__name__}): make them with ganedit embed."
        ) from None
    return Embeddings(
        tuple(about["names"]),
        tensors["w"],
        tensors["psnr"],
        about["failed"],
        about["fingerprint"],
        about["settings"],
    )


def _embed(generator: Generator, path: Path, part: Path, edit: Callable[[Picture], Edit]) -> tuple[float, str]:
    numbers: dict[str, Any] = {}
    try:
        picture = Picture.read(str(path))
        latent = run(generator, generator.average(), edit(picture), report=numbers.update)
    except GanEditError as error:
        _save({}, part, {"error": str(error)})
        return float("nan"), str(error)
    _save({"w": latent.w.detach().cpu().float().contiguous()}, part, {"psnr": numbers["psnr"]})
    return float(numbers["psnr"]), ""


def _part(parts: Path, name: str) -> Path:
    return parts / f"{hashlib.sha256(name.encode()).hexdigest()[:24]}.safetensors"


def _save(tensors: dict[str, Tensor], path: Path, about: dict[str, Any]) -> None:
    """Write a file that is either whole or not there."""
    partial = path.with_suffix(".partial")
    save_file(tensors or {"none": torch.zeros(1)}, partial, {"embeddings": json.dumps(about)})
    partial.replace(path)


def _open_parts(parts: Path, note: dict[str, Any]) -> None:
    file = parts / "run.json"
    if processes()[0] == 0 and not file.exists():
        parts.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(note), encoding="utf-8")
    await_others()
    if json.loads(file.read_text(encoding="utf-8")) != json.loads(json.dumps(note)):
        raise LatentError(
            f"{parts} holds pictures embedded with another model or other settings: use those, name another file, "
            "or remove that folder."
        )


def _merge(parts: Path, names: list[str], out: Path, note: dict[str, Any]) -> None:
    found: dict[str, Tensor] = {}
    psnr, failed = [], {}
    for name in names:
        path = _part(parts, name)
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()["embeddings"])
        if "error" in about:
            failed[name] = about["error"]
        else:
            found[name] = load_file(path)["w"]
            psnr.append(about["psnr"])
    w = torch.stack(list(found.values())) if found else torch.zeros(0, 1, 1)
    _save({"w": w, "psnr": torch.tensor(psnr)}, out, {**note, "names": list(found), "failed": failed})
    for path in parts.iterdir():
        path.unlink()
    parts.rmdir()
