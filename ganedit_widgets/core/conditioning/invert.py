"""Guess the latents of a whole data set with the model's encoder; a run that was killed goes on where it was."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..encoder import Encoder
from ..errors import ImageError, LatentError
from ..generators.base import Generator, fingerprint_of
from ..readers.own import write_tensors
from ..training.distributed import await_others, processes
from .source import PictureSource

SHARD, BATCH = 256, 16  # pictures in a part of the file, and in a pass of the encoder
NOTE = "run.json"  # what the parts are of
KEY = "embeddings"  # the same file as `embed_folder` writes


@dataclass(frozen=True)
class Inverted:
    """How far the inversion is, in pictures of all processes; `failed` names those that could not be read."""

    done: int
    total: int
    failed: tuple[str, ...] = ()


def invert(generator: Generator, source: PictureSource, out: Path | str) -> Iterator[Inverted]:
    """Guess the latent of each picture and write `out`, a safetensors file that `read_embeddings` reads.

    One pass of the encoder each (its answer lies near W, unlike that of a search), 256 pictures to a part that is
    kept in ``OUT.parts`` until all are there. Under ``torchrun`` each process takes its share of the parts; the chief
    writes `out`. A finished `out` of the same model, encoder and pictures is left as it is. A picture that cannot be
    read is noted and left out. PSNR is not measured (nan).
    Raises `LatentError` if the model has no encoder, or ``OUT.parts`` is of another run.
    """
    out = Path(out)
    encoder = require_encoder(generator)
    settings = {"encoder": fingerprint_of(encoder.network), "pictures": source.digest}
    note = {"fingerprint": generator.fingerprint, "settings": settings}
    await_others()
    if _is_done(out, note):
        yield Inverted(len(source), len(source))
        return
    parts = out.with_name(out.name + ".parts")
    _open_parts(parts, note)
    shards = [range(start, min(start + SHARD, len(source))) for start in range(0, len(source), SHARD)]
    missing = [shard for shard in shards if not _part(parts, shard).exists()]
    rank, count = processes()
    await_others()  # all have listed what is missing before anyone adds to it
    before = len(source) - sum(map(len, missing))
    yield Inverted(before, len(source))
    for i, shard in enumerate(missing[rank::count], 1):
        w, read, failed = guess(generator, source, shard)
        header = {KEY: json.dumps({"names": [source.names[n] for n in read], "failed": failed})}
        write_tensors(_part(parts, shard), {"w": w}, header)
        yield Inverted(min(before + i * count * SHARD, len(source)), len(source), tuple(failed))
    await_others()
    if rank == 0:
        _merge([_part(parts, shard) for shard in shards], out, note)
    await_others()


def guess(
    generator: Generator, source: PictureSource, rows: Sequence[int], mirror: bool = False
) -> tuple[Tensor, list[int], dict[str, str]]:
    """Return w (n, L, D) of pictures by number, which of them could be read, and why not the others, by name.

    `mirror`: of the pictures as a mirror shows them. Raises `LatentError` if the model has no encoder.
    """
    encoder = require_encoder(generator)
    found = [torch.zeros(0, *generator.latent_shape)]
    read: list[int] = []
    failed: dict[str, str] = {}
    for start in range(0, len(rows), BATCH):
        tried = {n: _tried(source, n) for n in rows[start : start + BATCH]}
        pictures = {n: picture for n, picture in tried.items() if isinstance(picture, Tensor)}
        failed |= {source.names[n]: str(error) for n, error in tried.items() if isinstance(error, ImageError)}
        read += pictures
        if pictures:
            together = torch.stack(list(pictures.values()))
            with torch.inference_mode(False), torch.no_grad():
                found.append(encoder(together.flip(3) if mirror else together).cpu().float())
    return torch.cat(found), read, failed


def _tried(source: PictureSource, n: int) -> Tensor | ImageError:
    try:
        return source.picture(n)
    except ImageError as error:
        return error


def require_encoder(generator: Generator) -> Encoder:
    """Return the model's encoder. Raises `LatentError` if it has none."""
    if generator.encoder is None:
        raise LatentError(
            f"{generator.name} has no encoder beside it: train one with `ganedit train encoder`, or find the latents "
            "by search with `ganedit embed`, and label those."
        )
    return generator.encoder


def _is_done(out: Path, note: dict[str, Any]) -> bool:
    try:
        with safe_open(out, "pt") as file:
            about = json.loads(file.metadata()[KEY])
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return False
    return bool({name: about.get(name) for name in note} == note)


def _open_parts(parts: Path, note: dict[str, Any]) -> None:
    file = parts / NOTE
    if processes()[0] == 0 and not file.exists():
        parts.mkdir(parents=True, exist_ok=True)
        partial = parts / f"{NOTE}.partial"
        partial.write_text(json.dumps(note), encoding="utf-8")
        partial.replace(file)
    await_others()
    if json.loads(file.read_text(encoding="utf-8")) != note:
        raise LatentError(
            f"{parts} was begun with another model, another encoder or other pictures: name another file, or remove "
            "that folder."
        )


def _part(parts: Path, shard: range) -> Path:
    return parts / f"{shard.start:08d}.safetensors"


def _merge(files: Sequence[Path], out: Path, note: dict[str, Any]) -> None:
    names: list[str] = []
    failed: dict[str, str] = {}
    rows = []
    for path in files:
        with safe_open(path, "pt") as file:
            about = json.loads(file.metadata()[KEY])
            rows.append(file.get_tensor("w"))
        names += about["names"]
        failed |= about["failed"]
    header = {**note, "names": names, "keys": names, "failed": failed}
    tensors = {"w": torch.cat(rows), "psnr": torch.full((len(names),), float("nan"))}
    write_tensors(out, tensors, {KEY: json.dumps(header)})
    folder = files[0].parent
    for path in folder.iterdir():  # with what a run that was killed had half written
        if path.name != NOTE:
            path.unlink()
    (folder / NOTE).unlink()  # last: parts without it would be taken for those of the next run
    folder.rmdir()
