"""What a film will cost, before it is made: time, memory and bytes; and which films are refused."""

from __future__ import annotations

import time
from dataclasses import dataclass

from .errors import ImageError
from .film import ANIMATED, HELD, KINDS, LARGEST, film, in_bytes, require_width
from .image import Pixels

LARGEST_DOWNLOAD = 300_000_000  # bytes: a browser gets it in one piece


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
    written = frames_of(frames, kind, back)
    encoded = written if kind == "mp4" else frames  # the others keep what they have encoded for the way back
    return Estimate(frames * seconds_per_picture + encoded * encoding, written * size)


def frames_of(pictures: int, kind: str, back: bool = False) -> int:
    """Return how many frames a film of so many pictures has: only animations run `back`, without the ends twice."""
    return max(pictures, 2 * pictures - 2) if back and kind in ANIMATED else pictures


def in_frames(pictures: int, kind: str, back: bool = False) -> str:
    """Return the length of a film in words: "48 pictures", "94 frames (48 pictures there and back)"."""
    frames, plain = frames_of(pictures, kind, back), f"{pictures} picture{'s' * (pictures != 1)}"
    return plain if frames == pictures else f"{frames} frames ({plain} there and back)"


def require_bearable(
    picture: Pixels, kind: str, frames: int, back: bool = False, seconds: float = 0.0, most: int = LARGEST
) -> Estimate:
    """Return what `frames` pictures like this one, (H, W, 3) uint8, will cost as a film; refuse what nobody can bear.

    `seconds` are those of drawing all pictures. Raises `ImageError`, with the estimate, if the file would be larger
    than `most` bytes, or the pictures that must be in memory at once larger than 2 GB; and for too wide a strip.
    """
    if kind in ("strip", "sheet"):
        require_width(picture, frames, kind)
    cost = estimate(picture, kind, frames, back=back)
    cost = Estimate(cost.seconds + seconds, cost.bytes)
    held = frames * picture.nbytes if kind in HELD or (kind == "mp4" and back) else 0
    if cost.bytes > most or held > LARGEST:
        memory = f" and {in_bytes(held)} of memory" if held > LARGEST else ""
        limit = in_bytes(LARGEST if held > LARGEST and cost.bytes <= most else most)
        raise ImageError(
            f"{frames} pictures of {picture.shape[1]}×{picture.shape[0]} as {KINDS[kind].title} would take about "
            f"{in_bytes(cost.bytes)}{memory}, and {in_minutes(cost.seconds)}; {limit} is the most: take fewer "
            f"pictures{'' if kind == 'mp4' and not back else ', or an MP4 video without the way back'}."
        )
    return cost


def require_memory(picture: Pixels, frames: int) -> None:
    """Raise `ImageError` if so many pictures like this one, (H, W, 3) uint8, are more than memory should hold, 2 GB."""
    held = frames * picture.nbytes
    if held > LARGEST:
        raise ImageError(
            f"{frames} pictures of {picture.shape[1]}×{picture.shape[0]} would take {in_bytes(held)} of memory, and "
            f"{in_bytes(LARGEST)} is the most: take fewer, or save them as a folder of pictures."
        )


def in_minutes(seconds: float) -> str:
    """Return a time in words: "40 seconds", "12 minutes", "3.4 hours"."""
    if seconds < 90:
        return f"{seconds:.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 90 * 60 else f"{seconds / 3600:.1f} hours"
