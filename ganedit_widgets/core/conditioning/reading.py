"""Labels of real pictures: what the class head of a self-conditioned model says of them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ..errors import LabelError
from ..generators.base import Generator
from ..generators.class_head import SelfConditionedDiscriminator
from ..image import Picture, Pixels, to_tensor


def class_head(generator: Generator) -> SelfConditionedDiscriminator:
    """Return the critic with the class head. Raises `LabelError` if the model has none."""
    critic = generator.discriminator
    if generator.schema is None or not isinstance(critic, SelfConditionedDiscriminator):
        raise LabelError(
            f"{generator.name} has no class head that could read labels: open a model of `ganedit train "
            "self-conditioned`, or set the labels by hand."
        )
    return critic


def read_labels(generator: Generator, pictures: Tensor) -> Tensor:
    """Return the labels v (N, A) in [0, 1] of pictures (N, 3, H, W) in [-1, 1], of the generator's size.

    Each is ½·(1 + h − l) of the class head's softmax (l, m, h): that of a picture alone, whatever is beside it.
    The paper gives l and h to the generator as they are; here they become the one v that a slider stands for.
    Raises `LabelError` if the model has no class head.
    """
    critic = class_head(generator)
    with torch.no_grad():
        return critic.labels(pictures.to(generator.device))


def labels_in(generator: Generator, picture: Picture | Pixels | Path | str) -> dict[str, float]:
    """Return attribute → v in [0, 1] of a picture, for `SetLabels`; correct by hand what the class head got wrong.

    `picture`: a `Picture`, pixels (H, W, 3) uint8, or the path of a file.
    Raises `LabelError` if the model has no class head, `ImageError` if that is no picture.
    """
    given = picture if isinstance(picture, Picture) else Picture.read(picture, generator.size)
    critic = class_head(generator)
    v = read_labels(generator, to_tensor(given.fitted(generator.size), generator.device))[0]
    return dict(zip(critic.cfg.schema.names, map(float, v), strict=True))
