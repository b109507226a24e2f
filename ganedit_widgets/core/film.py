"""Pictures that move: frames → the bytes of an animated GIF."""

from __future__ import annotations

import io
from collections.abc import Sequence

from PIL import Image

from .errors import ImageError
from .image import Pixels


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
