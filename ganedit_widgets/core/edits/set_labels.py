"""Set what a self-conditioned generator's labels say; w, the noise and the generator stay as they are.

Liu et al., "Self-Conditioned GANs for Image Editing", SIGGRAPH 2022.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from numbers import Real

from ..errors import LabelError
from ..generators.base import Generator, require_own
from ..latent import Latent
from ..short import short
from .base import Report, ignore


@dataclass(frozen=True, eq=False)
class SetLabels:
    """v of the named attributes := the given numbers, 0 to 1. The other attributes keep theirs.

    Numbers beyond 0 and 1 saturate: they draw what 0 and 1 draw.
    """

    values: Mapping[str, float]

    __repr__ = short
    total = 1

    def steps(self, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield the latent with its new labels.

        Raises `LabelError` for a generator without labels, an unknown attribute, or a value that is no number.
        """
        require_own(generator, latent)
        schema = generator.schema
        if schema is None:
            raise LabelError(f"{generator.name} takes no labels: open a model of `ganedit train self-conditioned`.")
        label = schema.typical if latent.label is None else latent.label.detach().clone().float()
        for name, value in self.values.items():
            if not isinstance(value, Real) or not math.isfinite(value):
                raise LabelError(f"{name} was set to {value}: give a number from 0 to 1.")
            label[schema.index(name)] = min(max(float(value), 0.0), 1.0)
        yield replace(latent, label=label)
