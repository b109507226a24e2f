"""Pictures that move: frames → an animated GIF, WebP or PNG, an MP4, a strip, or a folder of pictures."""

from __future__ import annotations

import errno
import io
import math
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from .animations import write_apng, write_gif, write_sheet, write_webp
from .errors import ImageError
from .image import Pixels, as_png
from .video import write_mp4


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
    "sheet": Kind("contact sheet", ".png", "image/png"),
    "strip": Kind("strip of pictures", ".png", "image/png"),
    "frames": Kind("all pictures", ".zip", "application/zip"),
}
ANIMATED = ("gif", "webp", "apng", "mp4")
HELD = ("gif", "strip", "sheet")  # all pictures are needed before the first can be written
WIDEST = 32_000  # pixels of a strip or sheet: what programs can open
LARGEST = 2_000_000_000  # bytes of a file, and of pictures that are held in memory


def gif(frames: Sequence[Pixels], milliseconds: int = 60, back: bool = True) -> bytes:
    """Return frames (H, W, 3) uint8 as an endless GIF, each shown for `milliseconds` (at least 20).

    With `back`, the frames run to the end and back again, so that there is no jump. Colors are reduced to 256 for the
    whole film, chosen from its first, middle and last frame. Raises `ImageError` if there is no frame.
    """
    return film(frames, "gif", milliseconds, back)


def film(frames: Sequence[Pixels], kind: str = "gif", milliseconds: int = 60, back: bool = False) -> bytes:
    """Return frames (H, W, 3) uint8 as the bytes of a file of `kind`, one of `KINDS`; see `encode`."""
    file = io.BytesIO()
    for _ in encode(file, frames, kind, milliseconds, back):
        pass
    return file.getvalue()


def encode(
    file: BinaryIO, frames: Iterable[Pixels], kind: str = "gif", milliseconds: int = 60, back: bool = False
) -> Iterator[int]:
    """Write frames (H, W, 3) uint8 to a seekable file of `kind`, one of `KINDS`; yield how many were taken so far.

    It yields after each picture that was taken or encoded, so that whoever stops reading waits for no more than one.
    "gif" has 256 colors; "webp" and "apng" have all, and "apng" loses nothing; they are endless. "mp4" is the smallest,
    and ends. With `back` all four run to the end and back again. "strip" is one wide PNG, "sheet" a nearly square
    one, "frames" a zip archive of PNGs. Raises `ImageError` if there is no frame, the kind is unknown, or the strip or
    sheet would be too wide.
    """
    _require(kind)
    counted = _Counted(frames)
    held: list[Pixels] = []
    if kind in HELD:
        for frame in counted:
            held.append(frame)
            yield counted.count
    first = next(iter(held or counted), None)
    if first is None:
        raise ImageError("A film needs at least one picture.")
    for _ in _writer(file, held or chain([first], counted), kind, milliseconds, back):
        yield counted.count


def steps_of(kind: str, frames: int, back: bool = False) -> int:
    """Return about how often `encode` yields for so many pictures, for a progress bar."""
    again = frames - 2 if kind == "mp4" and back else 0
    return frames + max(0, frames if kind in HELD else again)


class _Counted(Iterator[Pixels]):
    """Counts what is taken of pictures."""

    def __init__(self, frames: Iterable[Pixels]) -> None:
        self.frames, self.count = iter(frames), 0

    def __next__(self) -> Pixels:
        frame = next(self.frames)
        self.count += 1
        return frame


def _writer(file: BinaryIO, frames: Iterable[Pixels], kind: str, milliseconds: int, back: bool) -> Iterator[None]:
    if kind == "gif":
        return write_gif(file, list(frames), milliseconds, back)
    if kind == "webp":
        return write_webp(file, frames, milliseconds, back)
    if kind == "apng":
        return write_apng(file, frames, milliseconds, back)
    if kind == "mp4":
        return write_mp4(file, _there_and_back(frames) if back else frames, milliseconds)
    return _archive(file, frames) if kind == "frames" else _sheet(file, list(frames), kind)


def _there_and_back(frames: Iterable[Pixels]) -> Iterator[Pixels]:
    kept: list[Pixels] = []
    for frame in frames:
        kept.append(frame)
        yield frame
    yield from kept[-2:0:-1]


def _archive(file: BinaryIO, frames: Iterable[Pixels]) -> Iterator[None]:
    with zipfile.ZipFile(file, "w") as archive:  # not compressed: PNGs are
        for i, frame in enumerate(frames):
            archive.writestr(f"frame-{i:04}.png", as_png(frame))
            yield


def _sheet(file: BinaryIO, frames: Sequence[Pixels], kind: str) -> Iterator[None]:
    require_width(frames[0], len(frames), kind)
    return write_sheet(file, frames, columns_of(kind, len(frames)))


def columns_of(kind: str, frames: int) -> int:
    """Return how many of so many pictures stand side by side in a "strip", all, or in a "sheet", nearly square."""
    return frames if kind == "strip" else math.ceil(math.sqrt(frames))


def require_width(picture: Pixels, frames: int, kind: str) -> None:
    """Raise `ImageError` if a strip or sheet of so many pictures, (H, W, 3), is larger than programs can open."""
    width = picture.shape[1] * columns_of(kind, frames)
    if width > WIDEST:
        raise ImageError(
            f"A {KINDS[kind].title} of {frames} pictures would be {width} pixels wide, more than {WIDEST}: take fewer "
            "frames."
        )


# ---- files


def write_film(
    path: str | Path, frames: Iterable[Pixels], kind: str = "gif", milliseconds: int = 60, back: bool = False
) -> Iterator[int]:
    """Write `frames` to `path` and yield their number so far: read on to go on, stop reading to give up.

    "frames" writes a new folder of PNGs, unless `path` ends in ".zip". Nothing is at `path` before all is written,
    and nothing is left behind if it is given up or fails; a file that was there stays. It yields as `encode` does.
    Raises `ImageError` for a path that cannot be written, on a full disk, and for a film that grows beyond 2 GB.
    """
    _require(kind)
    path = Path(path).expanduser()
    if kind == "frames" and path.suffix != ".zip":
        yield from _write_folder(path, frames)
        return
    with _part_of(path) as file:
        for count in encode(file, frames, kind, milliseconds, back):
            if file.tell() > LARGEST:
                raise ImageError(
                    f"{path} has grown beyond {in_bytes(LARGEST)} after {count} pictures: take fewer, or an MP4 video."
                )
            yield count


@contextmanager
def _part_of(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside `path` that becomes `path` when all went well, and is removed when not."""
    part, written = _beside(path), 0
    try:
        with part.open("wb") as file:
            yield file
            written = file.tell()
        part.replace(path)
    except OSError as error:
        raise _unwritable(path, error, written or _size(part)) from None
    finally:
        _forget(part)


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


def in_bytes(size: float) -> str:
    """Return a size in words: "1.2 MB", "3.4 GB"."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _require(kind: str) -> None:
    if kind not in KINDS:
        raise ImageError(f"A film of kind {kind!r} cannot be written: choose one of {', '.join(KINDS)}.")


def _write_folder(path: Path, frames: Iterable[Pixels]) -> Iterator[int]:
    if path.exists():
        raise ImageError(f"{path} exists already: name a new folder for the pictures.")
    part = _beside(path)
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


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid4().hex[:8]}.part")


def _size(part: Path) -> int:
    try:
        return part.stat().st_size
    except OSError:
        return 0


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
            f"There is no space left for {path} after {in_bytes(size)}: free some, or choose another place."
        )
    return ImageError(f"{path} cannot be written ({error.strerror}): choose another place.")
