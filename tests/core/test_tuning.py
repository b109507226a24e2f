"""Pivotal tuning: a new generator draws the picture, the old one is untouched, and edits go on working."""

import shutil

import numpy as np
import pytest
import torch

from ganedit_widgets.core import DirectionError, LatentError, ModelError, edits, load_generator, probes, to_pixels
from ganedit_widgets.core.align import Aligner
from ganedit_widgets.core.align.aligner import DEMO as ALIGNER
from ganedit_widgets.core.encoder import Encoder, EncoderNetwork, config_for, save_encoder
from ganedit_widgets.core.generators import fingerprint_of
from ganedit_widgets.core.image import to_tensor
from ganedit_widgets.core.perceptual import pixel_errors
from ganedit_widgets.core.tuning import carry, save_tuned, tune
from tests.tiny import odd, tiny, tiny3

TINY = tiny()
PHOTO = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
SEFA = probes.sefa(TINY)


@pytest.fixture(scope="module")
def pivot():
    return edits.run(TINY, TINY.average(), edits.Embed(PHOTO, 60, "w"))


@pytest.fixture(scope="module")
def tuned(pivot):
    told = list(tune(TINY, pivot, PHOTO, steps=100, rate=5e-3))
    return told[-1].generator(), told


def test_the_pivot_becomes_much_more_like_the_picture(tuned, pivot):
    new, told = tuned
    assert told[-1].psnr > told[0].psnr + 3
    assert torch.allclose(new.draw(carry(pivot, TINY, new)), told[-1].picture, atol=1e-5)
    assert [t.step for t in told] == list(range(1, 101)) and told[0].total == 100


def test_the_old_generator_is_untouched(tuned):
    assert fingerprint_of(TINY.network) == TINY.fingerprint == tiny().fingerprint
    assert not any(p.requires_grad for p in TINY.network.parameters())


def test_the_new_one_has_its_own_fingerprint_and_refuses_the_old_latents(tuned, pivot):
    new, _ = tuned
    assert new.fingerprint != TINY.fingerprint
    with pytest.raises(LatentError, match="checkpoint"):
        new.draw(pivot)
    assert torch.equal(new.w_avg, TINY.w_avg)  # the mapping is not tuned
    assert not any(p.requires_grad for p in new.network.parameters())


def test_whoever_stops_keeps_the_best_so_far(pivot):
    run = tune(TINY, pivot, PHOTO, steps=50, rate=5e-3)
    reached = [next(run) for _ in range(10)]
    run.close()
    kept = reached[-1].generator()
    error = float(pixel_errors(kept.draw(carry(pivot, TINY, kept)), reached[-1].picture))
    assert error < 1e-8 and reached[-1].psnr >= reached[0].psnr


def test_locality_keeps_what_lies_around(pivot):
    drift = {}
    for locality in (0.0, 3.0):
        *_, last = tune(TINY, pivot, PHOTO, steps=60, rate=5e-3, locality=locality)
        new = last.generator()
        samples = [pivot.moved(0.5 * (TINY.sample(seed).w - pivot.w)) for seed in range(20, 32)]
        before = TINY.draw_many(samples)
        after = new.draw_many([carry(la, TINY, new) for la in samples])
        drift[locality] = float((after - before).square().mean())
    assert drift[3.0] < 0.7 * drift[0.0]


def test_directions_still_do_what_they_did(tuned, pivot):
    new, _ = tuned
    found = []
    for direction in list(SEFA)[:4]:
        changes = []
        for generator in (TINY, new):
            here = pivot if generator is TINY else carry(pivot, TINY, new)
            there = direction if generator is TINY else carry(direction, TINY, new)
            moved = edits.run(generator, here, edits.MoveAlong(there, 2.0))
            changes.append((generator.draw(moved) - generator.draw(here)).flatten().numpy())
        found.append(np.corrcoef(*changes)[0, 1])
    assert np.mean(found) > 0.8 and min(found) > 0.5


def test_what_is_carried_is_of_the_new_generator_and_its_code_is_not(tuned, pivot):
    new, _ = tuned
    direction = carry(SEFA[0], TINY, new)
    assert direction.fingerprint == new.fingerprint and direction.code == ""
    assert torch.equal(direction.vector, SEFA[0].vector)
    assert torch.equal(carry(pivot, TINY, new).w, pivot.w) and pivot.fingerprint == TINY.fingerprint


def test_only_what_fits_is_carried(tuned):
    new, _ = tuned
    stranger, other = tiny(1), odd()
    with pytest.raises(LatentError, match="checkpoint"):
        carry(stranger.sample(1), TINY, new)
    with pytest.raises(DirectionError, match="checkpoint"):
        carry(probes.sefa(stranger)[0], TINY, new)
    with pytest.raises(ModelError, match="networks differ"):
        carry(TINY.sample(1), TINY, other)


def test_a_tuned_generator_is_saved_and_loaded_as_any_other(tuned, pivot, tmp_path, monkeypatch):
    new, _ = tuned
    monkeypatch.chdir(tmp_path)
    assert new.code == "generator"
    save_tuned("mine.safetensors", new)
    again = eval(new.code, {"load_generator": lambda path: load_generator(path, "cpu")})
    assert again.fingerprint == new.fingerprint and again.name == new.name
    here = carry(pivot, TINY, new)
    assert np.array_equal(to_pixels(again.draw(here)), to_pixels(new.draw(here)))


def test_the_encoder_of_the_old_generator_serves_the_new_one(tmp_path):
    old = tiny()
    old.encoder_file = tmp_path / "encoder.safetensors"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        save_encoder(old.encoder_file, Encoder(EncoderNetwork(config_for(old)), old))
    first = list(tune(old, old.sample(1), PHOTO, steps=3))[-1].generator()
    second = list(tune(first, carry(old.sample(1), old, first), PHOTO, steps=3))[-1].generator()
    target = to_tensor(PHOTO)
    for new in (first, second):
        assert new.origin == old.fingerprint and new.name == "tiny, tuned"
        guess = edits.run(new, new.average(), edits.Embed(PHOTO, 2, start="encoder"))
        assert guess.fingerprint == new.fingerprint
        assert torch.equal(new.encoder(target), old.encoder(target))
    save_tuned(tmp_path / "mine.safetensors", second)
    again = load_generator(tmp_path / "mine.safetensors", "cpu")
    assert again.origin == old.fingerprint and again.encoder is None  # a file does not know where another one lies
    shutil.copy(old.encoder_file, tmp_path / "mine_encoder.safetensors")
    again = load_generator(tmp_path / "mine.safetensors", "cpu")
    assert torch.equal(again.encoder(target), old.encoder(target))


def test_a_model_of_another_origin_gets_neither_encoder_nor_aligner(tmp_path):
    other = tiny(1)
    other.encoder_file = tmp_path / "encoder.safetensors"
    save_encoder(other.encoder_file, Encoder(EncoderNetwork(config_for(TINY)), TINY))
    new = list(tune(other, other.sample(1), PHOTO, steps=3))[-1].generator()
    with pytest.raises(ModelError, match="was trained for checkpoint"):
        new.encoder  # noqa: B018 (reading it is what is tried)
    assert Aligner.of(new) is None


@pytest.mark.skipif(not ALIGNER.exists(), reason="this copy has no demo weights")
def test_what_was_tuned_from_the_demo_keeps_its_aligner_and_encoder_even_as_a_file(tmp_path):
    demo = load_generator("demo", "cpu")
    *_, tuning = list(tune(demo, demo.sample(1, 0.7), PHOTO, steps=2, perceptual="pyramid"))
    new = tuning.generator()
    save_tuned(tmp_path / "mine.safetensors", new)
    for model in (new, load_generator(tmp_path / "mine.safetensors", "cpu")):
        assert model.origin == demo.fingerprint and isinstance(Aligner.of(model), Aligner)
        assert model.encoder_file == demo.encoder_file
    assert Aligner.of(demo) is not None


def test_the_same_tuning_twice_is_the_same_generator(pivot):
    made = [list(tune(TINY, pivot, PHOTO, steps=4, rate=5e-3))[-1].generator().fingerprint for _ in range(2)]
    assert made[0] == made[1] != TINY.fingerprint


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_it_leaves_the_grad_mode_alone(mode, pivot):
    with mode():
        expected = torch.is_grad_enabled(), torch.is_inference_mode_enabled()
        for progress in tune(TINY, pivot, PHOTO, steps=3):  # noqa: B007 (the last one is used)
            assert (torch.is_grad_enabled(), torch.is_inference_mode_enabled()) == expected
        new = progress.generator()
    edits.run(new, new.average(), edits.Embed(PHOTO, 2))  # what was made in inference mode can be searched with


@pytest.mark.parametrize("build", [odd, tiny3])
def test_other_models_are_tuned_too(build):
    model = build()
    *_, last = tune(model, model.average(), np.full((40, 40, 3), 200, np.uint8), steps=12)
    assert last.psnr > psnr_at_first(model)


def psnr_at_first(model):
    return next(tune(model, model.average(), np.full((40, 40, 3), 200, np.uint8), steps=2)).psnr


def test_says_in_a_sentence_what_is_wrong(pivot):
    with pytest.raises(LatentError, match="checkpoint"):
        next(tune(TINY, tiny(1).sample(1), PHOTO))
    for options in ({"steps": 0}, {"rate": -1.0}, {"locality": float("nan")}):
        with pytest.raises(LatentError, match="use the defaults"):
            next(tune(TINY, pivot, PHOTO, **options))
    with pytest.raises(LatentError, match="smaller rate"):
        list(tune(TINY, pivot, PHOTO, steps=30, rate=1e30))
