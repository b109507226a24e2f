"""Time in a film: how one picture turns into the next, and which frame falls where."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

EASINGS: dict[str, Callable[[float], float]] = {  # all lead from 0 to 1, exactly, and never back
    "linear": lambda u: u,
    "ease-in": lambda u: u * u,
    "ease-out": lambda u: u * (2 - u),
    "ease-in-out": lambda u: u * u * (3 - 2 * u),
    "rest": lambda u: u**3 * (u * (6 * u - 15) + 10),  # stands almost still at both ends
}
LATEST = 0.9  # of a segment: a layer needs some time for its own change


def delayed(u: float, delay: float) -> float:
    """Return how far something is at time `u`, both in [0, 1], that begins `delay` later than the rest.

    Negative delays: it is done so much earlier. It always begins at 0 and ends at 1; `delay` lies within ±0.9.
    """
    start, length = max(delay, 0.0), 1 - abs(delay)
    return min(max((u - start) / length, 0.0), 1.0) if 0 < u < 1 else u


def edges(intervals: int, weights: Sequence[float]) -> list[int]:
    """Share `intervals` out among segments in proportion to `weights`; each has at least one.

    Returns the first interval of every segment, and `intervals` at the end. Without any weight all count the same.
    """
    total = math.fsum(weights)
    shares = [weight / total for weight in weights] if total > 0 else [1 / len(weights)] * len(weights)
    found = [0]
    for i in range(1, len(shares) + 1):
        wanted = round(intervals * math.fsum(shares[:i]))
        found.append(min(max(wanted, found[-1] + 1), intervals - (len(shares) - i)))
    return found
