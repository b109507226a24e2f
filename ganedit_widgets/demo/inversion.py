"""Pictures → latents, as all measurements of EditGAN begin: from the encoder's guess on, several at once."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.edits import Embed, embed_many
from ..core.generators import Generator
from ..core.image import Pixels
from ..core.latent import Latent
from ..core.progress import Bar

TOGETHER = 8  # pictures embedded at once


def inverted(generator: Generator, pictures: Sequence[Pixels], steps: int, what: str = "embedding") -> list[Latent]:
    """Return the latents of pictures (H, W, 3), found from the encoder's guess on, which 1 step returns.

    Without an encoder the walk begins at the average latent.
    """
    guessing = generator.encoder is not None
    found: list[Latent] = []
    for i in Bar(range(0, len(pictures), TOGETHER), what, leave=False):
        searches = [
            Embed(picture, steps, start="encoder" if guessing else "average") for picture in pictures[i : i + TOGETHER]
        ]
        *_, last = embed_many(generator, searches)
        found += last
    return found
