"""The noise stage: detail comes, w stays, and models that have no noise say so."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core import ModelError, edits
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.perceptual import pixel_errors
from tests.tiny import tiny, tiny3

TINY = tiny()
PHOTO = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
LEFT = np.repeat((np.arange(16) < 8)[None], 16, 0)


def fit(edit, latent, generator=TINY):
    told = []
    return edits.run(generator, latent, edit, report=told.append), told


def test_w_stays_bit_identical_and_the_likeness_rises():
    gains = []
    for seed in range(3):
        photo = np.roll(PHOTO, 4 * seed, 0)
        latent = edits.run(TINY, TINY.average(), edits.Embed(photo, 40))
        reached, told = fit(edits.FitNoise(photo, 60), latent)
        assert torch.equal(reached.w, latent.w) and not latent.noise
        assert set(reached.noise) == set(TINY.network.synthesis.constant_noise())
        gains.append(told[-1]["psnr"] - told[0]["psnr"])
    assert min(gains) > 0.5 and np.mean(gains) > 1


def test_the_noise_is_that_of_the_picture_that_is_reported():
    told = []
    for latent in edits.FitNoise(PHOTO, 6).steps(TINY, TINY.average(), told.append):
        assert torch.allclose(told[-1]["picture"], TINY.draw(latent), atol=1e-5)


def test_outside_the_mask_the_picture_is_kept():
    latent = TINY.sample(3)
    before = TINY.draw(latent)
    outside = torch.from_numpy(~LEFT).float()[None, None]
    change = {}
    for keep in (0.0, 30.0):
        reached, told = fit(edits.FitNoise(PHOTO, 40, LEFT, keep=keep), latent)
        change[keep] = float(pixel_errors(TINY.draw(reached), before, outside))
        assert told[-1]["psnr"] > told[0]["psnr"]
    assert change[30.0] < 0.3 * change[0.0]


def test_it_goes_on_from_the_noise_at_hand():
    first, told = fit(edits.FitNoise(PHOTO, 20), TINY.sample(3))
    _, again = fit(edits.FitNoise(PHOTO, 5), first)
    assert again[0]["loss"] == pytest.approx(told[-1]["best"], rel=1e-4)


def test_offsets_and_label_stay():
    latent = TINY.sample(3).shifted({"b8.conv0": torch.ones(8)})
    reached, _ = fit(edits.FitNoise(PHOTO, 3), latent)
    assert torch.equal(reached.offsets["b8.conv0"], latent.offsets["b8.conv0"])


def test_models_without_noise_are_refused():
    model = tiny3()
    with pytest.raises(ModelError, match="has no noise inputs"):
        fit(edits.FitNoise(np.zeros((32, 32, 3), np.uint8), 3), model.average(), model)


def test_noise_that_the_model_does_not_hear_is_refused():
    network = tiny().network
    for _, layer in network.synthesis.style_layers().values():
        if hasattr(layer, "noise_strength"):
            layer.noise_strength.data.zero_()
    model = Generator(network, name="quiet")
    with pytest.raises(ModelError, match=r"quiet cannot fit noise.*strength 0"):
        fit(edits.FitNoise(PHOTO, 3), model.average(), model)
