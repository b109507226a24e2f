"""Embedding beyond the walk itself: stages, restarts, and what the fact sheet's checklist asks for."""

import math
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from ganedit_widgets.core import LatentError, edits, load_generator, to_pixels
from ganedit_widgets.core.generators import Generator, StyleGAN2
from ganedit_widgets.demo.portraits import PortraitDataset
from tests.tiny import tiny

TINY = tiny()
AVERAGE = TINY.average()
TRUE = TINY.sample(7)
WANTED = to_pixels(TINY.draw(TRUE))


def embed(edit, generator=TINY, latent=None):
    told = []
    reached = edits.run(generator, generator.average() if latent is None else latent, edit, report=told.append)
    return reached, told


def photos(count):
    """Pictures that the model does not draw."""
    blocks = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), np.uint8)
    return list(blocks.repeat(4, 1).repeat(4, 2))


# ---- several walks side by side


def test_walks_side_by_side_are_the_walks_one_by_one():
    starts = [TINY.latent(w) for w in TINY.w_samples[:16]]
    _, told = embed(edits.Embed(WANTED, 12, "w", "random", restarts=3))
    alone = []
    for start in starts:
        _, one = embed(edits.Embed(WANTED, 12, "w", "current"), latent=start)
        alone.append(one)
    nearest = sorted(alone, key=lambda one: one[0]["loss"])[:3]
    assert told[-1]["best"] == pytest.approx(min(one[-1]["best"] for one in nearest), rel=2e-2)
    assert told[0]["best"] == pytest.approx(nearest[0][0]["loss"], rel=1e-4)


def test_restarts_never_end_worse_than_one_walk():
    for space in ("w", "z"):
        one, many = (embed(edits.Embed(WANTED, 15, space, "random", restarts=n))[1][-1]["best"] for n in (1, 6))
        assert many <= one * (1 + 1e-4)


def test_what_is_reported_of_several_walks_is_of_the_latent_that_is_yielded():
    told = []
    for latent in edits.Embed(WANTED, 8, "w+", "random", rate=0.5, restarts=4).steps(TINY, AVERAGE, told.append):
        assert told[-1]["picture"].shape == (1, 3, 16, 16)
        assert torch.allclose(told[-1]["picture"], TINY.draw(latent), atol=1e-4)


def test_restarts_need_random_starts():
    with pytest.raises(LatentError, match=r"4 walks from 'average'.*'random'"):
        embed(edits.Embed(WANTED, restarts=4))


# ---- first W, then W+


def test_the_first_steps_stay_in_w_and_the_others_leave_it():
    told = []
    latents = list(edits.Embed(photos(1)[0], 30, first_w=12).steps(TINY, AVERAGE, told.append))
    in_w = [torch.allclose(la.w, la.w[:1].expand(6, -1), atol=1e-5) for la in latents]
    assert all(in_w[:13]) and not in_w[-1]
    assert [n["step"] for n in told] == list(range(1, 31))
    assert all(b["best"] <= a["best"] * (1 + 1e-5) for a, b in pairwise(told))


def test_a_search_in_stages_stops_in_either():
    edit = edits.Embed(photos(1)[0], 12, first_w=6)
    latents = list(edit.steps(TINY, AVERAGE))
    for done in (3, 6, 7, 10):
        assert torch.equal(edits.run(TINY, AVERAGE, edit.stopped(done)).w, latents[done - 1].w)


@pytest.mark.parametrize("options", [{"first_w": 20}, {"first_w": 5, "space": "w"}, {"first_w": -1}])
def test_a_first_stage_that_leaves_nothing_is_refused(options):
    with pytest.raises(LatentError, match="search in W\\+"):
        embed(edits.Embed(WANTED, 20, **options))


def test_walking_in_w_first_ends_nearer_to_what_the_model_draws():
    """Zhu et al.: on average over pictures, for the same steps."""
    far = {
        first: np.mean([embed(edits.Embed(p, 40, stay=0.0, first_w=first))[1][-1]["distance"] for p in photos(4)])
        for first in (0, 30)
    }
    assert far[30] < far[0]


# ---- the checklist


def test_w_plus_is_more_like_the_picture_than_w_and_farther_from_the_average():
    mean = {}
    for space in ("w", "w+"):
        reached = [embed(edits.Embed(p, 60, space, stay=0.0)) for p in photos(4)]
        away = [float((latent.w - TINY.w_avg).norm(dim=1).mean()) for latent, _ in reached]
        mean[space] = np.mean([told[-1]["psnr"] for _, told in reached]), np.mean(away)
    assert mean["w+"][0] > mean["w"][0]
    assert mean["w+"][1] > mean["w"][1]


@pytest.mark.slow
def test_a_network_of_random_weights_is_worse_than_a_trained_one():
    """Abdal et al., figure 5: what was learned does the embedding, not the number of parameters alone."""
    trained = load_generator("demo", "cpu")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        network = StyleGAN2(trained.cfg)
        network.mapping.w_avg.copy_(network.mapping(torch.randn(200, trained.z_dim)).mean(0))
    pictures, _, _ = PortraitDataset(count=2, size=trained.size[0], seed=77)[0:2]
    photos = [np.ascontiguousarray(p.permute(1, 2, 0).numpy()) for p in pictures]
    known, unknown = (
        np.mean([embed(edits.Embed(p, 15, perceptual="pyramid"), g)[1][-1]["psnr"] for p in photos])
        for g in (trained, Generator(network))
    )
    assert known > unknown


def test_the_start_at_the_average_finds_the_model_s_own_pictures():
    gains = []
    for seed in range(4):
        _, told = embed(edits.Embed(to_pixels(TINY.draw(TINY.sample(seed))), 80))
        gains.append(told[-1]["psnr"] - told[0]["psnr"])
        assert told[-1]["best"] < told[0]["best"]
    assert np.mean(gains) > 6


# ---- encoders


class Guess:
    """Stands for an encoder: knows the answer."""

    def __call__(self, pictures):
        assert pictures.shape == (1, 3, 16, 16)
        return TRUE.w[None]


def test_the_start_at_the_encoder_is_what_it_guesses():
    model = tiny()
    model.__dict__["encoder"] = Guess()
    first = next(edits.Embed(WANTED, start="encoder").steps(model, AVERAGE))
    assert torch.allclose(first.w, TRUE.w, atol=1e-4)
    first = next(edits.Embed(WANTED, start="encoder", space="w").steps(model, AVERAGE))
    assert torch.allclose(first.w, TRUE.w, atol=1e-4)


def test_a_model_without_an_encoder_says_what_to_do():
    with pytest.raises(LatentError, match=r"no encoder.*ganedit train encoder"):
        embed(edits.Embed(WANTED, start="encoder"))


def test_going_on_from_where_one_is_keeps_the_loss(latent):
    reached, told = embed(edits.Embed(WANTED, 15))
    _, again = embed(replace(edits.Embed(WANTED, 15), start="current"), latent=reached)
    assert math.isclose(again[0]["loss"], told[-1]["best"], rel_tol=1e-3)
