"""Fixtures of the panels' tests: a tiny session, and no widget left behind."""

import time

import numpy as np
import pytest
import torch

from ganedit_widgets.core.image import to_pixels
from ganedit_widgets.panels.session import Session


@pytest.fixture
def session(generator):
    session = Session(generator)
    yield session
    session.close()


@pytest.fixture
def drawn(generator):
    """Draw a latent as the session must show it."""

    def draw(latent):
        with torch.no_grad():
            return to_pixels(generator.draw(latent))

    return draw


@pytest.fixture
def until():
    """Wait until a condition holds."""

    def wait(condition, seconds=10):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "waited in vain"
            time.sleep(0.005)

    return wait


@pytest.fixture
def photo():
    """A picture (40, 30, 3) that no generator has drawn."""
    return np.random.default_rng(0).integers(0, 255, (40, 30, 3), np.uint8)
