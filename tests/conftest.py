"""Fixtures for every test: the tiny generator and a latent of it; one thread, because the machine may be shared."""

import os
from pathlib import Path

import pytest
import torch

from tests.tiny import tiny

torch.set_num_threads(1)
THREADED = [Path(__file__).parent / folder for folder in ("browser", "panels")]  # they wait for threads and pages


def pytest_collection_modifyitems(items):
    """In CI, on an unfamiliar and busy machine, what waits for threads is tried once more; the summary lists it."""
    if os.environ.get("CI", "").lower() == "true":
        for item in items:
            if any(folder in item.path.parents for folder in THREADED):
                item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def generator():
    """Return the tiny generator; it is frozen, so that one serves all tests."""
    return tiny()


@pytest.fixture
def latent(generator):
    """Return a latent of the tiny generator."""
    return generator.sample(seed=1)
