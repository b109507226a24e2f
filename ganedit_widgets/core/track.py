"""The latents along a search, every so many steps: to look back, and to go on from any of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .edits.base import Edit, Report, ignore
from .generators.base import Generator
from .latent import Latent
from .short import short


@dataclass(frozen=True, eq=False)
class Keyframe:
    """Where a search stood: the step (from 1), the best latent so far, and what was reported, without the picture."""

    step: int
    latent: Latent
    numbers: dict[str, Any] = field(default_factory=dict)

    __repr__ = short


class Track:
    """Keyframes of one search: the first, every `every`-th, and the last.

    Nothing is copied, for what an edit yields is its reader's to keep. When there are more than `most`, every second is
    given up and `every` doubles, so that a search of any length takes bounded memory. To go on from one of them with
    other weights, give its latent to `Embed(…, start="current")`.
    """

    def __init__(self, every: int = 5, most: int = 200) -> None:
        if every < 1 or most < 2:
            raise ValueError(f"every {every} steps, at most {most}: at least 1 and 2 are needed")
        self.every, self.most = every, most
        self.keyframes: list[Keyframe] = []
        self._passing = False  # whether the last keyframe is only kept until the next comes

    def __len__(self) -> int:
        return len(self.keyframes)

    def __repr__(self) -> str:
        return f"Track({len(self)} of {self.keyframes[-1].step if self.keyframes else 0} steps)"

    def add(self, latent: Latent, numbers: dict[str, Any], step: int | None = None) -> None:
        """Record what was yielded and reported; `step` (from 1) is that of the numbers if it is not given."""
        step = int(numbers["step"]) if step is None else step
        if self._passing:
            self.keyframes.pop()
        plain = {key: value for key, value in numbers.items() if key != "picture"}
        self.keyframes.append(Keyframe(step, latent, plain))
        self._passing = not self._due(step)
        if len(self) > self.most:
            self.every *= 2
            last = self.keyframes[-1]
            self.keyframes = [frame for frame in self.keyframes if self._due(frame.step) or frame is last]
            self._passing = not self._due(last.step)

    def follow(self, edit: Edit, generator: Generator, latent: Latent, report: Report = ignore) -> Iterator[Latent]:
        """Yield what `edit.steps` yields, and record it."""
        told: dict[str, Any] = {}

        def both(numbers: dict[str, Any]) -> None:
            told.clear()
            told.update(numbers)
            report(numbers)

        for step, reached in enumerate(edit.steps(generator, latent, both), start=1):
            self.add(reached, told, step)
            yield reached

    def at(self, step: int) -> Keyframe:
        """Return the last keyframe not after `step`, or the first; raises `LookupError` if there is none."""
        if not self.keyframes:
            raise LookupError("the track is empty")
        return self.keyframes[max(0, bisect_right([frame.step for frame in self.keyframes], step) - 1)]

    def _due(self, step: int) -> bool:
        return step == 1 or step % self.every == 0
