"""Choose the random picture to begin with."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import ipywidgets as ipw

from .controls import button

LARGEST = 2**32 - 1
RANDOM = 100_000  # seeds the dice throws: short enough to be remembered
PSI = {"key": "psi", "label": "truncation ψ", "min": 0.0, "max": 1.2, "step": 0.01, "value": 0.7, "default": 0.7}


class SeedPicker(ipw.Box):
    """A seed with previous, next and dice; `changed()` is called when one of them is touched."""

    def __init__(self, changed: Callable[[], Any]) -> None:
        self._changed = changed
        self._silent = False
        self.chosen = False  # whether the picture is to be replaced by the seed's
        self.seed = ipw.BoundedIntText(0, 0, LARGEST, layout={"width": "110px"}, tooltip="Seed of the random picture")
        self.previous_button = button("‹", lambda: self.go_to(self.seed.value - 1), "Previous seed")
        self.next_button = button("›", lambda: self.go_to(self.seed.value + 1), "Next seed")
        self.random_button = button("Random", lambda: self.go_to(random.randrange(RANDOM)), "Another picture")
        super().__init__([self.previous_button, self.seed, self.next_button, self.random_button])
        self.add_class("ge-row")
        self.seed.observe(lambda _: self._choose(), "value")

    def go_to(self, seed: int) -> None:
        """Choose the picture of `seed`."""
        seed = min(max(0, seed), LARGEST)
        if seed == self.seed.value:
            self._choose()
        self.seed.value = seed

    def show(self, seed: int) -> None:
        """Let the number say which seed the picture is of, without choosing it."""
        self._silent = True
        try:
            self.seed.value = seed
        finally:
            self._silent = False

    def _choose(self) -> None:
        if not self._silent:
            self.chosen = True
            self._changed()
