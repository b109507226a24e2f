"""Fixtures for every test: the tiny generator and a latent of it; one thread, because the machine may be shared."""

import pytest
import torch

from tests.tiny import tiny

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def generator():
    """Return the tiny generator; it is frozen, so that one serves all tests."""
    return tiny()


@pytest.fixture
def latent(generator):
    """Return a latent of the tiny generator."""
    return generator.sample(seed=1)
