"""Animated GIF, WebP and PNG, written picture by picture, so that a long one can be stopped and needs little memory.

What Pillow writes for one picture is put into the container of many: the pictures after the first are the same blocks
with a header of their own. (GIF89a; "WebP Container Specification"; W3C, "Portable Network Graphics, Third Edition".)
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import numpy as np
from PIL import Image

from .image import Pixels, as_png

QUALITY = 90  # of WebP; GIF has 256 colors, PNG is exact
SIGNATURE = b"\x89PNG\r\n\x1a\n"
ENDLESS = b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"  # of GIF: play again, without an end
ENOUGH = 256  # pixels: side of the pictures that the colors of a GIF are chosen from; larger ones take seconds
WHOLE, DELAY = 4, 20  # GIF: a picture stays below the next one; milliseconds at least, or browsers slow down


def write_gif(file: BinaryIO, frames: Sequence[Pixels], milliseconds: int, back: bool) -> Iterator[None]:
    """Write frames (H, W, 3) uint8 as an endless GIF and yield after each; `back`: to the end and back again.

    Colors are reduced to 256 for the whole film, chosen, in a step of their own, from its first, middle and last frame.
    """
    thin = 1 + max(frames[0].shape[:2]) // ENOUGH
    ends = np.vstack([frames[i][::thin, ::thin] for i in (0, len(frames) // 2, -1)])
    colors = Image.fromarray(ends).quantize(256)
    yield
    control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, WHOLE, max(DELAY, milliseconds) // 10, 0, 0)
    kept: list[bytes] = []
    for i, frame in enumerate(frames):
        single = io.BytesIO()
        Image.fromarray(frame).quantize(palette=colors).save(single, "GIF", optimize=False)
        header, image = _gif_parts(single.getvalue())
        if i == 0:
            file.write(header + ENDLESS)
        file.write(control + image)
        kept += [image] if back else []
        yield
    for image in kept[-2:0:-1]:
        file.write(control + image)
    file.write(b";")


def _gif_parts(data: bytes) -> tuple[bytes, bytes]:
    """Return (header with the colors, image) of a GIF of one picture."""
    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    header = b"GIF89a" + data[6:at]
    while data[at] == 0x21:  # an extension: its sub-blocks follow, each behind its length
        at += 2
        while data[at]:
            at += data[at] + 1
        at += 1
    return header, data[at:].removesuffix(b";")


def write_webp(file: BinaryIO, frames: Iterable[Pixels], milliseconds: int, back: bool) -> Iterator[None]:
    """Write frames (H, W, 3) uint8 as an endless WebP and yield after each; `back`: to the end and back again.

    `file` must be seekable: its length stands at the beginning.
    """
    start, kept = file.tell(), []
    for i, frame in enumerate(frames):
        single = io.BytesIO()
        Image.fromarray(frame).save(single, "WEBP", quality=QUALITY, method=2)
        image = _webp_image(single.getvalue())
        extent = _three(frame.shape[1] - 1) + _three(frame.shape[0] - 1)
        if i == 0:
            file.write(b"RIFF\0\0\0\0WEBP" + _riff(b"VP8X", b"\x02\0\0\0" + extent) + _riff(b"ANIM", bytes(6)))
        shown = _riff(b"ANMF", bytes(6) + extent + _three(max(DELAY, milliseconds)) + b"\x02" + image)
        file.write(shown)
        kept += [shown] if back else []
        yield
    for shown in kept[-2:0:-1]:
        file.write(shown)
    end = file.tell()
    file.seek(start + 4)
    file.write(struct.pack("<I", end - start - 8))
    file.seek(end)


def _webp_image(data: bytes) -> bytes:
    """Return the chunk of pixels of a WebP of one picture."""
    at = 12
    while data[at : at + 4] not in (b"VP8 ", b"VP8L"):
        at += 8 + (int.from_bytes(data[at + 4 : at + 8], "little") + 1) // 2 * 2
    return _riff(data[at : at + 4], data[at + 8 : at + 8 + int.from_bytes(data[at + 4 : at + 8], "little")])


def _riff(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def write_apng(file: BinaryIO, frames: Iterable[Pixels], milliseconds: int, back: bool) -> Iterator[None]:
    """Write frames (H, W, 3) uint8 as an endless PNG and yield after each; `back`: to the end and back again.

    `file` must be seekable: the number of pictures stands at the beginning.
    """
    start, count, number, kept = file.tell(), 0, 0, []
    for frame in frames:
        chunks = list(_png_chunks(as_png(frame)))
        image = b"".join(data for name, data in chunks if name == b"IDAT")
        extent = struct.pack(">II", frame.shape[1], frame.shape[0])
        if count == 0:
            header = next(data for name, data in chunks if name == b"IHDR")
            file.write(SIGNATURE + _png(b"IHDR", header) + _animation(0))
        number = _show(file, number, extent, milliseconds, image)
        kept += [image] if back else []
        count += 1
        yield
    for image in kept[-2:0:-1]:
        number = _show(file, number, extent, milliseconds, image)
        count += 1
    file.write(_png(b"IEND", b""))
    end = file.tell()
    file.seek(start + len(SIGNATURE) + 25)  # behind the header
    file.write(_animation(count))
    file.seek(end)


def _show(file: BinaryIO, number: int, extent: bytes, milliseconds: int, image: bytes) -> int:
    """Write one picture; `number` counts the chunks of the animation. Return the next."""
    control = struct.pack(">I", number) + extent + struct.pack(">IIHHBB", 0, 0, max(DELAY, milliseconds), 1000, 0, 0)
    file.write(_png(b"fcTL", control))
    if number == 0:  # the first picture is also what readers show that know no animations
        file.write(_png(b"IDAT", image))
        return 1
    file.write(_png(b"fdAT", struct.pack(">I", number + 1) + image))
    return number + 2


def _animation(count: int) -> bytes:
    return _png(b"acTL", struct.pack(">II", count, 0))


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + length]
        at += 12 + length


def _png(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def write_sheet(file: BinaryIO, frames: Sequence[Pixels], columns: int) -> Iterator[None]:
    """Write frames (H, W, 3) uint8 in rows of `columns` as one PNG, and yield about once for each; it is white below.

    A band of pixels is put together and packed at a time, so that the whole is never held twice.
    """
    lines = [frames[i : i + columns] for i in range(0, len(frames), columns)]
    height, width = frames[0].shape[0], sum(frame.shape[1] for frame in lines[0])
    file.write(SIGNATURE + _png(b"IHDR", struct.pack(">IIBBBBB", width, height * len(lines), 8, 2, 0, 0, 0)))
    packer, above = zlib.compressobj(6), np.zeros((1, 3 * width), np.uint8)
    step = -(-height // columns)
    for line in lines:
        for top in range(0, height, step):
            rows = np.hstack([frame[top : top + step] for frame in line])
            rows = np.pad(rows, ((0, 0), (0, width - rows.shape[1]), (0, 0)), constant_values=255)
            rows = rows.reshape(-1, 3 * width)
            change = rows - np.vstack([above, rows[:-1]])  # modulo 256: the filter "up"
            packed = packer.compress(np.pad(change, ((0, 0), (1, 0)), constant_values=2).tobytes())
            file.write(_png(b"IDAT", packed) if packed else b"")
            above = rows[-1:]
            yield
    file.write(_png(b"IDAT", packer.flush()) + _png(b"IEND", b""))
