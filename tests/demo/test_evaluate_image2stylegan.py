"""The measurements of embedding: all there, finite, and saying what they should of known cases."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.edits import Embed, FitNoise, Restore
from ganedit_widgets.core.encoder import Encoder, EncoderNetwork, config_for
from ganedit_widgets.core.image import to_pixels, to_tensor
from ganedit_widgets.core.perceptual import distance_to
from ganedit_widgets.demo import evaluate_image2stylegan
from ganedit_widgets.demo.embedding_trials import embed_each, searching, with_random_weights
from ganedit_widgets.demo.transfer_trials import crossover_metrics, expression_metrics
from tests.demo.judge import judge
from tests.tiny import tiny

PROMISED = {"psnr/z", "psnr/w", "psnr/w_plus", "psnr/w_plus_noise", "psnr/photo_w_plus", "random_weights/psnr"}
PROMISED |= {"affine/rotate_20", "affine/rotate_20_aligned", "defect/mouth_inpainted_hole", "crossover/yaw_from_b"}
PROMISED |= {"psnr/noise_z", "psnr/texture_w_plus_noise", "psnr/tuned", "drift/tuned", "seconds/w_plus"}
FIGURES = {"psnr", "psnr_outside", "affine", "defect", "crossover", "expression"}
SHEETS = {"spaces", "outside", "affine", "defects", "random_weights"}


@pytest.fixture(scope="module")
def results():
    return evaluate_image2stylegan.evaluate(quick=True, generator=tiny(), oracle=judge())


def test_every_promised_number_is_there_and_finite(results, tmp_path):
    assert set(results.metrics) >= PROMISED
    for name, metric in results.metrics.items():
        assert np.isfinite([metric.value, metric.low, metric.high]).all(), name
    assert results.write(tmp_path).exists()
    names = {p.name for p in tmp_path.iterdir() if p.suffix != ".json"}
    charts = {f"image2stylegan_quick_{name}.png" for name in FIGURES}
    assert names == charts | {f"image2stylegan_quick_{name}_pictures.jpg" for name in SHEETS}


def test_a_picture_whose_latent_is_given_is_found_exactly():
    generator = tiny()
    latent = generator.sample(3)
    trial = embed_each(generator, [to_pixels(generator.draw(latent))], lambda p: [Restore(latent)], "known")
    assert torch.equal(trial.latents[0].w, latent.w)
    assert float(trial.psnr[0]) > 40


def test_what_is_measured_is_the_end_of_the_recipe_noise_included():
    generator = tiny()
    picture = to_pixels(generator.draw(generator.sample(3)))
    plain = embed_each(generator, [picture], searching(3), "w+")
    noise = embed_each(generator, [picture], lambda p: [Embed(p, 3), FitNoise(p, 20)], "noise")
    target, drawn = to_tensor(picture), generator.draw(noise.latents[0])
    assert float(noise.perceptual) == pytest.approx(float(distance_to(generator, target)(drawn)), rel=1e-4)
    assert float(noise.perceptual) != float(plain.perceptual) and float(noise.psnr) > float(plain.psnr)
    assert float(noise.distance) == pytest.approx(float(plain.distance))  # w stays


def test_an_encoder_is_measured_where_there_is_one():
    generator = tiny()
    generator.encoder = Encoder(EncoderNetwork(config_for(generator)), generator)
    metrics, rows = evaluate_image2stylegan._spaces(
        generator, [to_pixels(generator.draw(generator.sample(3)))], evaluate_image2stylegan.QUICK
    )
    assert {"psnr/encoder", "psnr/encoder_50", "psnr/encoder_200", "seconds/encoder"} <= set(metrics)
    assert np.array_equal(rows[7][0], to_pixels(generator.draw(generator.average())))  # untrained, it guesses that


def test_more_steps_come_nearer():
    generator = tiny()
    pictures = [to_pixels(generator.draw(generator.sample(seed))) for seed in range(4)]
    few, many = (embed_each(generator, pictures, searching(steps), "x") for steps in (2, 40))
    assert float(many.psnr.mean()) > float(few.psnr.mean()) + 3


def test_random_weights_draw_something_else_in_the_same_shape():
    generator = tiny()
    blank = with_random_weights(generator)
    assert blank.fingerprint != generator.fingerprint
    assert blank.draw(blank.sample(0)).shape == generator.draw(generator.sample(0)).shape


def test_a_child_that_takes_nothing_has_gone_no_way(monkeypatch):
    generator = tiny()
    nothing = (0.0,) * generator.latent_shape[0]
    monkeypatch.setattr("ganedit_widgets.demo.transfer_trials.paper_split", lambda _: nothing)
    found = crossover_metrics(generator, judge(), 5)
    assert found["crossover/yaw_from_b"].value == 0
    assert found["crossover/identity_with_a"].value == pytest.approx(1, abs=1e-4)


def test_intervals_count_samples_and_not_how_often_each_was_used():
    found = expression_metrics(tiny(), judge(), 3, steps=2, drivers=2)
    assert {metric.n for metric in found.values()} == {3}
