"""Embed a folder of pictures into one file, with one process or many; a run that was killed goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from .edits.embed import Embed
from .edits.embed_many import embed_many
from .errors import GanEditError, ImageError, LatentError
from .generators.base import Generator
from .image import Picture
from .latent import Latent
from .masks import masked_target
from .perceptual import psnr
from .readers.own import write_tensors
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

    names: tuple[str, ...]  # paths below a folder: two folders may have pictures of one name
    w: Tensor  # (N, L, D)
    psnr: Tensor  # (N,) dB
    failed: dict[str, str]  # name → why, of the folder that was embedded last
    fingerprint: str
    settings: dict[str, Any]
    folders: tuple[str, ...] = ()  # the folder of each picture; "", or none at all, where it was not noted

    def latent(self, name: str, folder: Path | str | None = None) -> Latent:
        """Return the latent of a picture; `folder` says which, if pictures of several folders have that name.

        Raises `LatentError` if there is none of that name, or if it could be either of two.
        """
        whole = None if folder is None else _place(folder)
        folders = self.folders or ("",) * len(self.names)
        rows = [i for i, other in enumerate(self.names) if other == name and whole in (None, folders[i])]
        if not rows:
            below = "" if whole is None else f" of {whole}"
            raise LatentError(
                f"No picture {name!r}{below} was embedded here: choose one of the {len(self.names)} names."
            )
        if any(not torch.equal(self.w[rows[0]], self.w[i]) for i in rows):
            places = " or ".join(folders[i] or "an unknown folder" for i in rows)
            raise LatentError(f"{len(rows)} pictures are called {name!r}: say which by its folder, {places}.")
        return Latent(self.w[rows[0]], self.fingerprint)


def embed_folder(
    generator: Generator,
    folder: Path | str,
    out: Path | str,
    search: Callable[[Picture], Embed],
    settings: dict[str, Any],
    batch: int = 1,
) -> Iterator[Embedded]:
    """Embed all pictures below `folder` by ``search(picture)`` and write `out`, a safetensors file; yield each as done.

    Every finished picture is a small file in ``OUT.parts`` until all are there, named after what the picture holds, so
    that nothing is embedded twice: not with another number of processes, not what an `out` of the same settings holds
    already, nor one picture under two names. Under ``torchrun`` each process takes its share; the chief writes `out`
    when the last has ended. A picture that cannot be read is noted and left out. `settings` are kept in the file; a
    run with other settings than its parts or `out` had is refused (`LatentError`), as is an `out` that holds something
    else, a folder without pictures, and a search that no picture could be given to. `batch` pictures are searched for
    at once; what is found is the same but for rounding.

    What `out` holds of other folders stays there: each entry says which folder it came from. Of this folder it has what
    is there now. A folder that was moved is known by its pictures.
    """
    folder, out = Path(folder), Path(out)
    names = sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
    if not names:
        raise ImageError(f"{folder} holds no pictures ({', '.join(sorted(SUFFIXES))}): name a folder that does.")
    search(Picture(np.zeros((*generator.size, 3), np.uint8))).begin(generator, generator.average())  # or it raises
    parts = out.with_name(out.name + ".parts")
    note = {"fingerprint": generator.fingerprint, "settings": settings}
    _open_parts(parts, out, note)
    keys = {name: _key(folder / name) for name in names}
    missing = [name for key, name in {keys[n]: n for n in reversed(names)}.items() if not _part(parts, key).exists()]
    missing.sort()
    rank, count = processes()
    await_others()  # all have listed what is missing before anyone adds to it
    mine = missing[rank::count]
    for first in range(0, len(mine), max(1, batch)):
        together = mine[first : first + max(1, batch)]
        files = {folder / name: _part(parts, keys[name]) for name in together}
        for i, (name, (near, error)) in enumerate(
            zip(together, _embed(generator, files, search), strict=True), first + 1
        ):
            yield Embedded(name, min(len(names) - len(missing) + i * count, len(names)), len(names), near, error)
    await_others()
    if rank == 0:
        _merge(parts, keys, folder, out, note)


def read_embeddings(path: Path | str) -> Embeddings:
    """Read what `embed_folder` wrote. Raises `LatentError` for another file."""
    try:
        about, tensors = _read(path)
        names, folders = tuple(about["names"]), tuple(about.get("folders", ()))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise LatentError(
            f"{path} holds no embeddings ({type(error).__name__}): make them with ganedit embed."
        ) from None
    kept = (about["failed"], about["fingerprint"], about["settings"])
    return Embeddings(names, tensors["w"], tensors["psnr"], *kept, folders)


def _read(path: Path | str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["embeddings"])
        return about, {key: file.get_tensor(key) for key in ("w", "psnr")}


def _place(folder: Path | str) -> str:
    """Return what a folder is called in the file."""
    return Path(folder).expanduser().resolve().as_posix()


def _embed(
    generator: Generator, files: dict[Path, Path], search: Callable[[Picture], Embed]
) -> list[tuple[float, str]]:
    """Embed pictures together, each into its own part; return for each its PSNR, or what was wrong."""
    opened = {path: _opened(path, search) for path in files}
    searches = {path: one for path, one in opened.items() if isinstance(one, Embed)}
    found = {path: _failed(files[path], one) for path, one in opened.items() if isinstance(one, GanEditError)}
    try:
        latents = _last(embed_many(generator, list(searches.values()))) if searches else []
    except GanEditError as error:
        if len(files) > 1:  # one that fails must not spoil the others
            return [_embed(generator, {path: part}, search)[0] for path, part in files.items()]
        return [_failed(part, error) for part in files.values()]
    for (path, one), latent in zip(searches.items(), latents, strict=True):
        near = _nearness(generator, latent, one)
        _save({"w": latent.w.detach().cpu().float().contiguous()}, files[path], {"psnr": near})
        found[path] = (near, "")
    return [found[path] for path in files]


def _opened(path: Path, search: Callable[[Picture], Embed]) -> Embed | GanEditError:
    try:
        return search(Picture.read(str(path)))
    except GanEditError as error:
        return error


def _last(steps: Iterator[list[Latent]]) -> list[Latent]:
    latents: list[Latent] = []
    for latents in steps:  # noqa: B007
        pass
    return latents


def _nearness(generator: Generator, latent: Latent, search: Embed) -> float:
    with torch.no_grad():
        target = masked_target(search.picture, None, generator.size)[0]
        return psnr(generator.draw(latent), target.to(generator.device))


def _failed(part: Path, error: GanEditError) -> tuple[float, str]:
    _save({}, part, {"error": str(error)})
    return float("nan"), str(error)


def _key(path: Path) -> str:
    """Return a name for what a file holds."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()[:24]
    except OSError:
        return hashlib.sha256(str(path).encode()).hexdigest()[:24]  # `_embed` will say what is wrong with it


def _part(parts: Path, key: str) -> Path:
    return parts / f"{key}.safetensors"


def _save(tensors: dict[str, Tensor], path: Path, about: dict[str, Any]) -> None:
    """Write a file that is either whole or not there."""
    write_tensors(path, tensors or {"none": torch.zeros(1)}, {"embeddings": json.dumps(about)})


def _open_parts(parts: Path, out: Path, note: dict[str, Any]) -> None:
    file = parts / "run.json"
    if not file.exists():
        _require_own(out, note)
    if processes()[0] == 0 and not file.exists():
        parts.mkdir(parents=True, exist_ok=True)
        _unpack(out, parts)
        partial = file.with_suffix(".part")
        partial.write_text(json.dumps(note), encoding="utf-8")
        partial.replace(file)  # whole or not there, whoever is killed
    await_others()
    if json.loads(file.read_text(encoding="utf-8")) != json.loads(json.dumps(note)):
        raise LatentError(
            f"{parts} holds pictures embedded with another model or other settings: use those, name another file, "
            "or remove that folder."
        )


def _require_own(out: Path, note: dict[str, Any]) -> None:
    """Raise `LatentError` if there is an `out` that such a run has not written: it would be lost."""
    if not out.exists():
        return
    try:
        earlier = read_embeddings(out)
    except LatentError:
        raise LatentError(f"{out} exists and holds no embeddings: name another file.") from None
    if {"fingerprint": earlier.fingerprint, "settings": earlier.settings} != json.loads(json.dumps(note)):
        raise LatentError(
            f"{out} holds pictures embedded with another model or other settings: use those, name another file, or "
            "remove it."
        )


def _unpack(out: Path, parts: Path) -> None:
    """Make what an earlier run found into parts of this one."""
    for row in _rows(out):
        _save({"w": row.w.contiguous()}, _part(parts, row.key), {"psnr": row.psnr})


class _Row(NamedTuple):
    """One entry of the file."""

    name: str
    folder: str
    key: str
    w: Tensor
    psnr: float


def _rows(out: Path) -> list[_Row]:
    """Return the entries of `out`; none if there is no such file."""
    try:
        about, tensors = _read(out)
        folders = about.get("folders", [""] * len(about["names"]))
        rows = zip(about["names"], folders, about["keys"], tensors["w"], tensors["psnr"].tolist(), strict=True)
        return [_Row(*row) for row in rows]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return []


def _merge(parts: Path, keys: dict[str, str], folder: Path, out: Path, note: dict[str, Any]) -> None:
    """Write `out`: what it holds of other folders, and all of this one."""
    here = _place(folder)
    rows = [row for row in _rows(out) if row.folder != here and not _moved(row, keys)]
    failed = {}
    for name, key in keys.items():
        with safe_open(_part(parts, key), "pt") as file:
            about = json.loads(file.metadata()["embeddings"])
            if "error" in about:
                failed[name] = about["error"]
            else:
                rows.append(_Row(name, here, key, file.get_tensor("w"), about["psnr"]))
    w = torch.stack([row.w for row in rows]) if rows else torch.zeros(0, 1, 1)
    about = {
        **note,
        "names": [r.name for r in rows],
        "folders": [r.folder for r in rows],
        "keys": [r.key for r in rows],
    }
    _save({"w": w, "psnr": torch.tensor([row.psnr for row in rows])}, out, {**about, "failed": failed})
    for path in parts.iterdir():
        path.unlink()
    parts.rmdir()


def _moved(row: _Row, keys: dict[str, str]) -> bool:
    """Return whether an entry is a picture of this folder, from when the folder was elsewhere."""
    return keys.get(row.name) == row.key and not (row.folder and (Path(row.folder) / row.name).exists())
