"""Auto-ε: the largest budget of a borrowed part that leaves the rest of the picture as still as the user asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ..errors import LatentError
from ..generators.base import Generator
from ..latent import Latent
from .meters import Change, Meter, meter

if TYPE_CHECKING:
    from ..edits.borrow import Borrow

MOST = {"greedy": 1.0, "simple": 10.0, "global": 1.0, "soft": 1.0}  # budgets beyond which a rule takes no more
HALVINGS = 8


@dataclass(frozen=True)
class BudgetProgress:
    """The best budget so far, as the edit that has it, and what it changes."""

    borrow: Borrow
    change: Change
    step: int
    total: int


def fit_budget(
    generator: Generator, latent: Latent, borrow: Borrow, outside: float, gauge: Meter | None = None
) -> Iterator[BudgetProgress]:
    """Bisect the budget of `borrow` for the largest whose change outside the part is at most `outside` (ΔE).

    Yields the best after every picture drawn, ten at most: stop asking to stop. What is yielded keeps to `outside` as
    measured. Halves are of √budget, for small budgets matter most. `gauge`: what measures, else `meter` of the borrow.
    Raises `LatentError` for a negative `outside`, or if the layers with budgets of their own change more by themselves.
    """
    if not outside >= 0:
        raise LatentError(f"A change outside of {outside} was asked for: it must be 0 or more.")
    gauge = gauge or meter(generator, latent, [borrow])
    total = 2 + HALVINGS
    best = replace(borrow, budget=0.0), _change(generator, latent, replace(borrow, budget=0.0), gauge)
    if best[1].outside > outside:
        raise LatentError(
            f"The budgets of single layers alone change {best[1].outside:.1f} outside the part, {outside:.1f} is "
            "allowed: lower them."
        )
    yield BudgetProgress(*best, 1, total)
    low, high, middle = 0.0, 1.0, 1.0
    for step in range(2, total + 1):
        tried = replace(borrow, budget=MOST[borrow.rule] * middle**2)
        change = _change(generator, latent, tried, gauge)
        if change.outside <= outside:
            low, best = middle, (tried, change)
        else:
            high = middle
        done = low == 1.0
        yield BudgetProgress(*best, total if done else step, total)
        if done:
            return
        middle = (low + high) / 2


def _change(generator: Generator, latent: Latent, borrow: Borrow, gauge: Meter) -> Change:
    *_, after = borrow.steps(generator, latent)
    with torch.no_grad():
        return gauge.read(generator.draw(after))
