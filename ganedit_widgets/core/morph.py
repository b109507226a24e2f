"""Films that lead from picture to picture: keyframes → the latent of every frame.

Abdal et al., "Image2StyleGAN", ICCV 2019, section "Morphing": w = (1 − λ)·w₁ + λ·w₂.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .easing import EASINGS, LATEST, edges
from .edits.base import Edit
from .edits.crossover import Crossover
from .edits.sample import Restore, Sample
from .edits.sources import Source
from .edits.stack import Stack
from .errors import LatentError
from .generators.base import Generator
from .groups import layer_groups
from .latent import Latent
from .morph_path import Path, Speed
from .short import short

FEWEST, MOST, MOST_FRAMES = 2, 8, 2000
PATHS = ("w+", "z")


@dataclass(frozen=True, eq=False)
class Morph:
    """A film through `keyframes`, each of which is a frame of it, exactly.

    Between two of them w moves in a straight line ("w+"), or z along a great circle ("z": every frame is a picture
    that the model samples; only for keyframes given as `Sample`, whose z is known). With `constant_speed` the frames
    look equally far apart, and a segment lasts as long as there is something to see. A `loop` leads back to the
    first keyframe, which is not shown twice.
    """

    keyframes: tuple[Source, ...]  # 2 to 8
    frames: int = 48  # of the whole film
    easing: str = "linear"  # of every segment, see `core.easing.EASINGS`
    path: str = "w+"
    timing: Mapping[str, float] | None = None  # group of layers → by how much of a segment it is late, in [−0.9, 0.9]
    constant_speed: bool = False
    loop: bool = False

    __repr__ = short

    @property
    def segments(self) -> int:
        """The number of ways from a keyframe to the next."""
        return len(self.keyframes) - (not self.loop)

    @property
    def intervals(self) -> int:
        """The number of steps from a frame to the next; a loop has one more, from the last frame to the first."""
        return self.frames - (not self.loop)

    def require_fit(self, generator: Generator) -> None:
        """Raise `LatentError`, saying what to do, if this film cannot be made with `generator`."""
        if not FEWEST <= len(self.keyframes) <= MOST:
            raise LatentError(
                f"{len(self.keyframes)} keyframes were given: a morph needs from {FEWEST} to {MOST} pictures."
            )
        if not len(self.keyframes) <= self.frames <= MOST_FRAMES:
            raise LatentError(
                f"{self.frames} frames were asked for: choose from {len(self.keyframes)}, one for each keyframe, "
                f"to {MOST_FRAMES}."
            )
        for value, known in ((self.easing, EASINGS), (self.path, PATHS)):
            if value not in known:
                raise LatentError(f"{value!r} was given: choose one of {', '.join(map(repr, known))}.")
        unknown = [i for i, source in enumerate(self.keyframes, 1) if not isinstance(source, Sample)]
        if self.path == "z" and unknown:
            raise LatentError(
                f"The z of keyframe {unknown[0]} is not known: use the path 'w+', or keyframes that are seeds."
            )
        groups = layer_groups(generator)
        for name, delay in (self.timing or {}).items():
            if name not in groups or not -LATEST <= delay <= LATEST:
                raise LatentError(
                    f"A delay of {delay} for {name!r} was given: choose from −{LATEST} to {LATEST}, "
                    f"for {', '.join(groups)}."
                )
        Path(generator, self)  # refuses latents of other models

    # ---- frames

    def latents(self, generator: Generator, speed: Speed | None = None) -> list[Latent]:
        """Return the latent of every frame. `speed`: what `measure` found, if one wants to do that oneself."""
        self.require_fit(generator)
        if self.constant_speed and speed is None:
            *_, speed = self.measure(generator)
        path = Path(generator, self)
        return [path.at(*place) for place in self.places(speed)]

    def measure(self, generator: Generator) -> Iterator[Speed]:
        """Draw small pictures along the way, and yield what is known of their distances; the last one knows all.

        There are `measured` of them; needed for `constant_speed`, and as progress while it is found out.
        """
        self.require_fit(generator)
        yield from Path(generator, self).measure()

    @property
    def measured(self) -> int:
        """How many pictures `measure` draws."""
        return Path.drawn(self.segments)

    def keys(self, speed: Speed | None = None) -> list[int]:
        """Return the number of the frame that shows each keyframe, from 0."""
        return self._edges(speed)[: len(self.keyframes)]

    def places(self, speed: Speed | None = None) -> list[tuple[int, float]]:
        """Return where every frame lies: the segment, and the share of the way through it."""
        return [self._place(frame, speed) for frame in range(self.frames)]

    def edit(self, generator: Generator, position: float, speed: Speed | None = None) -> Edit:
        """Return the edit that makes the picture at `position`, from 0, the beginning, to 1, the end of the film."""
        self.require_fit(generator)
        segment, share = self._place(min(max(position, 0.0), 1.0) * self.intervals, speed)
        one, two = (self.keyframes[i % len(self.keyframes)] for i in (segment, segment + 1))
        if share in (0.0, 1.0):
            return _start(two if share else one)
        path = Path(generator, self)
        if self.path == "z":
            return Restore(path.at(segment, share), "between seeds")
        note = "" if isinstance(two, Sample) else "the next keyframe"
        return Stack((_start(one), Crossover(two, tuple(path.shares(share).tolist()), note)))

    def _edges(self, speed: Speed | None) -> list[int]:
        known = speed is not None and self.constant_speed
        return edges(self.intervals, speed.weights if known and speed is not None else [1.0] * self.segments)

    def _place(self, frame: float, speed: Speed | None) -> tuple[int, float]:
        ends = self._edges(speed)
        segment = max(i for i in range(self.segments) if ends[i] <= frame)
        share = EASINGS[self.easing]((frame - ends[segment]) / (ends[segment + 1] - ends[segment]))
        return segment, speed.even(segment, share) if speed is not None and self.constant_speed else share


def _start(source: Source) -> Edit:
    return source if isinstance(source, Sample) else Restore(source, "a keyframe")
