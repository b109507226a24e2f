"""Pictures change form here and nowhere else: file ↔ pixels (H, W, 3) uint8 ↔ tensor (1, 3, H, W) in [-1, 1]."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from .errors import ImageError
from .fetch import fetch, is_address
from .short import short

if TYPE_CHECKING:
    from .align.box import Box

Pixels = NDArray[np.uint8]  # (H, W, 3)
SMALLEST, MOST = 8, 100_000_000  # pixels: of the shorter side; of the whole picture before it is decoded
BROKEN = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, struct.error, zlib.error)  # Pillow's ways


@dataclass(frozen=True, eq=False)
class Picture:
    """Pixels, and where they came from, so that code can be shown that reads them again."""

    pixels: Pixels  # (H, W, 3)
    source: str | None = None  # the path or address given to `read_image`; None: it came from memory
    size: tuple[int, int] | None = None  # the size asked of `read_image`, or of `crop`
    box: Box | None = None  # the part of the source it is, cropped by `align.crop`

    __repr__ = short

    @classmethod
    def read(cls, source: Any, size: tuple[int, int] | None = None) -> Picture:
        """Read `source` as `read_image` does, and remember it."""
        named = isinstance(source, str | Path)
        return cls(read_image(source, size), str(source) if named else None, size if named else None)

    def fitted(self, size: tuple[int, int]) -> Pixels:
        """Return the pixels, cropped and scaled to `size` = (height, width) if they have another."""
        return self.pixels if self.pixels.shape[:2] == tuple(size) else read_image(self.pixels, size)


def read_image(source: Any, size: tuple[int, int] | None = None) -> Pixels:
    """Read a picture upright, in RGB: (H, W, 3) uint8.

    `source`: a path, an https:// address, the bytes of a file, a Pillow image, or an array (H, W), (H, W, 3) or
    (H, W, 4) of bytes, of uint16 or of floats in [0, 1]. Alpha is laid over white; of an animation the first frame is
    taken. `size` = (height, width): cropped centrally to this aspect and scaled, antialiased.
    Raises `ImageError` for what is no picture, is damaged, smaller than 8 pixels, or larger than 100 megapixels.
    """
    name, picture = _open(source, size)
    try:
        upright = ImageOps.exif_transpose(picture)
        if min(upright.size) < SMALLEST:
            raise ImageError(f"{name} is {_wh(upright)} pixels: a picture needs at least {SMALLEST}×{SMALLEST}.")
        rgb = _rgb(upright)
    except BROKEN as error:
        raise ImageError(f"{name} is damaged or cut off ({_why(error)}): save or download it again.") from None
    if size is not None:
        rgb = ImageOps.fit(rgb, (size[1], size[0]), Image.Resampling.LANCZOS)
    return np.array(rgb)


def save_image(path: str | Path, pixels: Pixels) -> None:
    """Write pixels (H, W, 3) uint8 to a file; its ending says the format. For a PNG with its recipe: `save_png`."""
    try:
        Image.fromarray(pixels).save(path)
    except (OSError, ValueError) as error:
        raise ImageError(f"The picture cannot be written to {path} ({_why(error)}): choose another place.") from None


def require_picture_name(path: Path) -> None:
    """Raise `ImageError` if the ending of a name is no picture's."""
    if Image.registered_extensions().get(path.suffix.lower()) not in Image.SAVE:
        raise ImageError(f"{path} ends in {path.suffix or 'nothing'}, which is no kind of picture: write .png or .jpg.")


def to_tensor(pixels: Pixels, device: torch.device | str | None = None) -> Tensor:
    """(H, W, 3) uint8 → (1, 3, H, W) float32 in [-1, 1]."""
    return torch.tensor(pixels, device=device).permute(2, 0, 1)[None] / 127.5 - 1


def to_pixels(tensor: Tensor) -> Pixels:
    """(1, 3, H, W) or (3, H, W) in [-1, 1] → (H, W, 3) uint8, rounded; values outside are clipped.

    Raises `ImageError` if a value is not finite: it would look like black.
    """
    picture = tensor.detach().reshape(tensor.shape[-3:]).float()
    if not picture.isfinite().all():
        raise ImageError("The picture is not finite: the edit went too far. Undo it and take smaller steps.")
    pixels = (picture * 127.5 + 127.5).round().clamp(0, 255).to(torch.uint8)
    return pixels.permute(1, 2, 0).contiguous().cpu().numpy()


def as_png(pixels: Pixels) -> bytes:
    """Return pixels (H, W, 3) or (H, W) uint8 as the bytes of a PNG file."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


# ---- what `read_image` is made of


def _open(source: Any, size: tuple[int, int] | None) -> tuple[str, Image.Image]:
    """Return a name for error messages and the picture, of files only the header decoded."""
    if isinstance(source, Image.Image):
        return "This picture", source
    if isinstance(source, Tensor):
        source = to_pixels(source)
    if isinstance(source, np.ndarray):
        return "This array", Image.fromarray(_bytes_of(source))
    if isinstance(source, bytes | bytearray | memoryview):
        return "This file", _open_bytes("This file", bytes(source), size)
    if is_address(source):
        return str(source), _open_bytes(str(source), fetch(source), size)
    if isinstance(source, str | Path):
        return str(source), _open_bytes(str(source), _contents(Path(source).expanduser()), size)
    raise ImageError(f"A picture cannot be read from a {type(source).__name__}: give a path, an address or an array.")


def _contents(path: Path) -> bytes:
    if path.is_dir():
        raise ImageError(f"{path} is a folder: give one picture in it.")
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"There is no picture at {path}: check the name.") from None
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} cannot be opened ({_why(error)}).") from None


def _open_bytes(name: str, contents: bytes, size: tuple[int, int] | None) -> Image.Image:
    if not contents:
        raise ImageError(f"{name} is empty: save or download it again.")
    try:
        with warnings.catch_warnings():  # the limit is ours, and says so in one sentence
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(contents))
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not a picture that can be read: save it as PNG or JPEG.") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has more than {MOST // 10**6} megapixels: scale it down first.") from None
    except BROKEN as error:
        raise ImageError(f"{name} is damaged or cut off ({_why(error)}): save or download it again.") from None
    if picture.width * picture.height > MOST:
        raise ImageError(f"{name} is {_wh(picture)}, more than {MOST // 10**6} megapixels: scale it down first.")
    if size is not None:
        picture.draft("RGB", (2 * max(size), 2 * max(size)))  # a JPEG is decoded smaller, which is many times faster
    return picture


def _bytes_of(array: NDArray[Any]) -> Pixels:
    """Return an array as (H, W), (H, W, 3) or (H, W, 4) bytes."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)) or 0 in array.shape:
        raise ImageError(f"An array of shape {array.shape} is not a picture: give (height, width, 3).")
    if array.dtype == bool:
        return array.astype(np.uint8) * np.uint8(255)
    if array.dtype == np.uint16:
        return _scaled(array, 65535)
    if np.issubdtype(array.dtype, np.floating):
        if not np.isfinite(array).all() or array.min() < 0 or array.max() > 1:
            raise ImageError("An array of floats must lie within [0, 1] to be a picture: scale it, or give bytes.")
        return _scaled(array, 1)
    if array.min() < 0 or array.max() > 255:
        raise ImageError(f"An array with values from {array.min()} to {array.max()} is not a picture: give 0 to 255.")
    return np.ascontiguousarray(array, dtype=np.uint8)


def _scaled(values: NDArray[Any], most: float) -> Pixels:
    """Return 0…most as bytes, rounded."""
    return np.ascontiguousarray((values.clip(0, most) * (255 / most)).round().astype(np.uint8))


def _rgb(picture: Image.Image) -> Image.Image:
    """Return a Pillow image of any mode in RGB: deep grays scaled, alpha over white."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.asarray(picture).astype(np.float64)
        most = next(m for m in (1, 255, 65535, np.inf) if m >= values.max()) if picture.mode == "F" else 65535
        picture = Image.fromarray(_scaled(values, most if np.isfinite(most) else float(values.max())))
    if "A" in picture.mode or "a" in picture.mode or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return picture.convert("RGB")


def _wh(picture: Image.Image) -> str:
    return f"{picture.width}×{picture.height}"


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error).strip().rstrip(".") or type(error).__name__
