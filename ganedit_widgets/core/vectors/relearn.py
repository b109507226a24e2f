"""Learn an edit vector again on several pictures, and keep what they have in common.

Ling et al., "EditGAN", NeurIPS 2021, section 3.4: refined on each picture, then averaged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ..errors import DirectionError
from ..generators.base import Generator
from ..latent import Latent
from ..segment.segmenter import Segmenter
from .vector import EditVector, average, extract, refined


@dataclass(frozen=True)
class RelearnProgress:
    """Where it stands; `vector` at the end."""

    step: int
    total: int
    vector: EditVector | None = None


def relearn(
    generator: Generator,
    vector: EditVector,
    segmenter: Segmenter,
    latents: Sequence[Latent],
    iterations: int = 10,
) -> Iterator[RelearnProgress]:
    """Make `vector` on the picture of each of `latents`, mend each by `iterations` steps, and average the changes.

    The result has the name and classes of `vector`, and no thumbnail. Raises `DirectionError` without latents, or if
    the vector is of another model; `SegmentError` for a class that the segmenter does not have.
    """
    if not latents:
        raise DirectionError("Learning again needs a picture at least: give latents, such as of a few seeds.")
    each = max(1, iterations)
    edit, found = refined([(vector, 1.0)], segmenter, iterations), []
    for number, latent in enumerate(latents):
        after = latent
        for step, after in enumerate(edit.steps(generator, latent)):  # noqa: B007 (the last one is the result)
            if number * each + step + 1 < len(latents) * each:
                yield RelearnProgress(number * each + step + 1, len(latents) * each)
        found.append(extract(generator, latent, after, vector.name, vector.classes))
    about = {**vector.about, "method": "averaged", "of": f"{vector.name} on {len(latents)} pictures"}
    mean = replace(average(generator, found, vector.name), about=about)
    yield RelearnProgress(len(latents) * each, len(latents) * each, mean)
