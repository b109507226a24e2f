"""Frames → an MP4 file that every player and every page opens, by PyAV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import chain
from typing import BinaryIO

import numpy as np

from .errors import ImageError
from .image import Pixels

CODECS = ("libx264", "libopenh264", "mpeg4")  # H.264 where there is an encoder for it
BITS = 0.6  # per pixel and frame: flat skin without blocks
LEAST_RATE = 400_000  # bits per second, of very small pictures
LEAST_SIDE = 16  # pixels, which encoders ask for


def write_mp4(file: BinaryIO, frames: Iterable[Pixels], milliseconds: int = 60) -> Iterator[None]:
    """Write frames (H, W, 3) uint8 as an MP4, each shown for `milliseconds`, and yield after each.

    There must be one at least. A row or column is added where H or W is odd; colors are kept for every second pixel, as
    in all such files. `file` must be seekable. Raises `ImageError` for pictures that are too small, or if PyAV has no
    encoder here.
    """
    import av  # takes a tenth of a second, and few films are videos

    known = [codec for codec in CODECS if codec in av.codecs_available]
    if not known:
        raise ImageError("PyAV has no encoder for MP4 here: install it from its wheels, or choose a GIF.")
    frames = iter(frames)
    first = _even(next(frames))
    if min(first.shape[:2]) < LEAST_SIDE:
        raise ImageError(f"A video needs pictures of {LEAST_SIDE} pixels at least: choose an animated PNG.")
    rate = Fraction(1000, max(20, milliseconds))
    told = _Told(file)
    try:
        with av.open(told, "w", format="mp4") as container:
            stream = container.add_stream(known[0], rate=rate)
            stream.height, stream.width, stream.pix_fmt = *first.shape[:2], "yuv420p"
            stream.bit_rate = max(LEAST_RATE, round(BITS * first.shape[0] * first.shape[1] * rate))
            for frame in chain([first], frames):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(_even(frame), format="rgb24")))
                yield
            container.mux(stream.encode())
    except av.FFmpegError:
        if told.error is not None:  # PyAV says only that something went wrong
            raise told.error from None
        raise


class _Told:
    """A file that remembers why it could not be written."""

    def __init__(self, file: BinaryIO) -> None:
        self.seek, self.tell, self._write = file.seek, file.tell, file.write
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write as the file does."""
        try:
            return self._write(data)
        except OSError as error:
            self.error = error
            raise


def _even(frame: Pixels) -> Pixels:
    """Return the frame with its last row and column twice where their number is odd."""
    height, width = frame.shape[:2]
    if height % 2 == width % 2 == 0:
        return np.ascontiguousarray(frame)
    return np.pad(frame, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
