"""The demo's own training: latents that hold what their portraits were drawn from."""

import pytest
import torch

from ganedit_widgets.core import TrainingError
from ganedit_widgets.demo.portraits import sample_attributes
from ganedit_widgets.demo.portraits.attributes import THROWN, thrown_numbers
from ganedit_widgets.demo.portraits.dataset import build_cache
from ganedit_widgets.demo.train import FINE_WEIGHT, PortraitPairs, latents_of, rotation

Z = 128


def test_the_thrown_numbers_are_independent_normals():
    x = thrown_numbers(range(4000))
    assert x.shape == (4000, THROWN)
    assert x.mean(0).abs().max() < 0.08
    assert (x.t() @ x / len(x) - torch.eye(THROWN)).abs().max() < 0.12


def test_the_thrown_numbers_are_those_a_portrait_is_drawn_from():
    age = sample_attributes(range(50)).age
    column = 8  # ages come from the ninth number
    order = thrown_numbers(range(50))[:, column].argsort()
    assert (age[order].diff() >= 0).all()


def test_latents_are_of_the_length_of_normalized_ones_and_hold_the_numbers():
    z = latents_of(torch.arange(64), Z)
    assert z.norm(dim=1) == pytest.approx(torch.full((64,), Z**0.5), rel=1e-4)
    held = (z @ rotation(Z).t())[:, :THROWN]
    assert torch.allclose(held, thrown_numbers(torch.arange(64)), atol=1e-4)
    again = latents_of(torch.arange(64), Z)
    assert torch.allclose((again @ rotation(Z).t())[:, :THROWN], held, atol=1e-4)
    assert not torch.allclose(again, z)


def test_latents_look_like_any_normal_ones():
    z = latents_of(torch.arange(4000), Z)
    assert z.std(0) == pytest.approx(torch.ones(Z), abs=0.08)
    assert (torch.corrcoef(z.t()) - torch.eye(Z)).abs().max() < 0.1


def test_pairs_show_the_portraits_of_their_latents_and_stress_fine_parts(tmp_path):
    build_cache(tmp_path, 4, 32)
    source = PortraitPairs(tmp_path, 4, 32, Z, seed=0)
    drawn = source.pairs(6, 16)
    assert drawn.pictures.shape == (6, 3, 16, 16) and drawn.pictures.abs().max() <= 1
    assert drawn.weights.shape == (6, 1, 16, 16)
    assert 1 <= drawn.weights.min() < drawn.weights.max() <= FINE_WEIGHT
    known = thrown_numbers(range(4))
    held = (drawn.z @ rotation(Z).t())[:, :THROWN]
    which = torch.cdist(held, known).argmin(1)
    assert torch.cdist(held, known).min(1).values.max() < 1e-2
    same = [(i, j) for i in range(6) for j in range(i) if which[i] == which[j]]
    assert same and all(torch.equal(drawn.pictures[i], drawn.pictures[j]) for i, j in same)


def test_a_latent_too_small_for_a_portrait_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="--width above"):
        PortraitPairs(tmp_path, 4, 32, z_dim=THROWN, seed=0)
