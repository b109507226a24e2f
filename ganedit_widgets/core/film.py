"""Pictures that move: frames → an animated GIF, WebP or PNG, an MP4, a strip, or a folder of pictures."""

from __future__ import annotations

import errno
import io
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from PIL import Image

from .errors import ImageError
from .image import Pixels, as_png
from .sheet import tile
from .video import mp4


@dataclass(frozen=True)
class Kind:
    """A way to write a film."""

    title: str
    ending: str  # of the file's name
    mime: str


KINDS = {
    "gif": Kind("animated GIF", ".gif", "image/gif"),
    "webp": Kind("animated WebP", ".webp", "image/webp"),
    "apng": Kind("animated PNG", ".apng", "image/apng"),
    "mp4": Kind("MP4 video", ".mp4", "video/mp4"),
    "strip": Kind("strip of pictures", ".png", "image/png"),
    "frames": Kind("all pictures", ".zip", "application/zip"),
}
QUALITY = 90  # of WebP; GIF has 256 colors, PNG is exact
ANIMATED = ("gif", "webp", "apng", "mp4")
WIDEST = 32_000  # pixels of a strip: what programs can open


def gif(frames: Sequence[Pixels], milliseconds: int = 60, back: bool = True) -> bytes:
    """Return frames (H, W, 3) uint8 as an endless GIF, each shown for `milliseconds` (at least 20).

    With `back`, the frames run to the end and back again, so that there is no jump. Colors are reduced to 256 for the
    whole film, chosen from its first, middle and last frame. Raises `ImageError` if there is no frame.
    """
    if not frames:
        raise ImageError("A film needs at least one picture.")
    order = [*frames, *frames[-2:0:-1]] if back else list(frames)
    ends = Image.new("RGB", (frames[0].shape[1], 3 * frames[0].shape[0]))
    for i, frame in enumerate((frames[0], frames[len(frames) // 2], frames[-1])):
        ends.paste(Image.fromarray(frame), (0, i * frame.shape[0]))
    palette = ends.quantize(256)
    pictures = [Image.fromarray(frame).quantize(palette=palette) for frame in order]
    file = io.BytesIO()
    pictures[0].save(
        file, "GIF", save_all=True, append_images=pictures[1:], duration=max(20, milliseconds), loop=0, disposal=1
    )
    return file.getvalue()


def film(frames: Sequence[Pixels], kind: str = "gif", milliseconds: int = 60, back: bool = False) -> bytes:
    """Return frames (H, W, 3) uint8 as the bytes of a file of `kind`, one of `KINDS`.

    "gif" has 256 colors; "webp" and "apng" have all, and "apng" loses nothing; they are endless. "mp4" is the smallest,
    and ends. With `back` all four run to the end and back again. "strip" is one wide PNG, "frames" a zip archive of
    PNGs. Raises `ImageError` if there is no frame, the kind is unknown, or the strip would be too wide.
    """
    _require(kind)
    if not frames:
        raise ImageError("A film needs at least one picture.")
    if kind == "gif":
        return gif(frames, milliseconds, back)
    if kind == "frames":
        return _archive(frames)
    if kind == "strip":
        if frames[0].shape[1] * len(frames) > WIDEST:
            raise ImageError(
                f"A strip of {len(frames)} pictures would be {frames[0].shape[1] * len(frames)} pixels wide, "
                f"more than {WIDEST}: take fewer frames."
            )
        return as_png(tile(frames, len(frames)))
    order = [*frames, *frames[-2:0:-1]] if back else list(frames)
    if kind == "mp4":
        return mp4(order, milliseconds)
    pictures = [Image.fromarray(frame) for frame in order]
    file = io.BytesIO()
    how = {"quality": QUALITY, "method": 2} if kind == "webp" else {}
    pictures[0].save(
        file, "WEBP" if kind == "webp" else "PNG", save_all=True, append_images=pictures[1:],
        duration=max(20, milliseconds), loop=0, **how,
    )  # fmt: skip
    return file.getvalue()


def write_film(
    path: str | Path, frames: Iterable[Pixels], kind: str = "gif", milliseconds: int = 60, back: bool = False
) -> Iterator[int]:
    """Write `frames` to `path` and yield their number so far: read on to go on, stop reading to give up.

    "frames" writes a new folder of PNGs, unless `path` ends in ".zip". Nothing is at `path` before all is written,
    and nothing is left behind if it is given up or fails. Raises `ImageError` for a path that cannot be written.
    """
    _require(kind)
    path = Path(path).expanduser()
    if kind == "frames" and path.suffix != ".zip":
        yield from _write_folder(path, frames)
        return
    kept: list[Pixels] = []
    for frame in frames:
        kept.append(frame)
        yield len(kept)
    write_file(path, film(kept, kind, milliseconds, back))


def save_film(
    path: str | Path, frames: Iterable[Pixels], kind: str | None = None, milliseconds: int = 60, back: bool = False
) -> None:
    """Write `frames` to `path`; the ending of its name says the kind (.png a strip, none a folder) if `kind` does not.

    Raises `ImageError` for an ending that says nothing, and as `write_film` does.
    """
    ending = Path(path).suffix
    kinds = {"": "frames", **{known.ending: name for name, known in KINDS.items()}}
    if kind is None and ending not in kinds:
        raise ImageError(f"{path} does not say what to write: let its name end in one of {', '.join(kinds)[2:]}.")
    for _ in write_film(path, frames, kind or kinds[ending], milliseconds, back):
        pass


def write_file(path: Path, contents: bytes) -> None:
    """Write all of `contents` to `path`, or, raising `ImageError`, nothing."""
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    try:
        part.write_bytes(contents)
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error, len(contents)) from None
    finally:
        _forget(part)


@dataclass(frozen=True)
class Estimate:
    """What a film will cost, roughly."""

    seconds: float
    bytes: int


def estimate(picture: Pixels, kind: str, frames: int, seconds_per_picture: float = 0.0, back: bool = False) -> Estimate:
    """Return what `frames` pictures like this one, (H, W, 3) uint8, will cost as a film, drawing included.

    The picture is encoded once, in full; films whose pictures hardly differ come out smaller.
    """
    began = time.perf_counter()
    size = len(film([picture], kind))
    encoding = time.perf_counter() - began
    written = 2 * frames - 2 if back and kind in ANIMATED else frames
    return Estimate(frames * seconds_per_picture + written * encoding, written * size)


def _require(kind: str) -> None:
    if kind not in KINDS:
        raise ImageError(f"A film of kind {kind!r} cannot be written: choose one of {', '.join(KINDS)}.")


def _archive(frames: Sequence[Pixels]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:  # not compressed: PNGs are
        for i, frame in enumerate(frames):
            archive.writestr(f"frame-{i:04}.png", as_png(frame))
    return file.getvalue()


def _write_folder(path: Path, frames: Iterable[Pixels]) -> Iterator[int]:
    if path.exists():
        raise ImageError(f"{path} exists already: name a new folder for the pictures.")
    part = path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")
    count = written = 0
    try:
        part.mkdir()
        for frame in frames:
            contents = as_png(frame)
            written += len(contents)
            (part / f"frame-{count:04}.png").write_bytes(contents)
            count += 1
            yield count
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error, written) from None
    finally:
        _forget(part)
    if not count:
        path.rmdir()
        raise ImageError("A film needs at least one picture.")


def _forget(part: Path) -> None:
    """Remove what was half written; if even that fails, the first error is the one to be told."""
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        try:
            part.unlink(missing_ok=True)
        except OSError:
            return


def _unwritable(path: Path, error: OSError, size: int) -> ImageError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return ImageError(
            f"There is no space left for {path} ({size / 1e6:.1f} MB): free some, or choose another place."
        )
    return ImageError(f"{path} cannot be written ({error.strerror}): choose another place.")
