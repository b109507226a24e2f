"""The encoder: small, near W, of one model only; and a training that resumes and is worth its while."""

import json

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from ganedit_widgets.cli import main
from ganedit_widgets.core import ModelError, TrainingError, edits, load_generator, to_pixels
from ganedit_widgets.core.encoder import (
    Encoder,
    EncoderNetwork,
    config_for,
    load_encoder,
    save_encoder,
)
from ganedit_widgets.core.encoder.pool import Pool
from ganedit_widgets.core.encoder.training import EncoderPlan, train_encoder
from ganedit_widgets.core.generators.load import save_model
from ganedit_widgets.core.probes.whitening import Whitening
from ganedit_widgets.core.training.pictures import PictureArrays, open_pictures
from tests.tiny import odd, tiny, tiny3

TINY = tiny()
PLAN = EncoderPlan(steps=120, batch=16, rate=3e-3, warm=0.7)


def network(generator, seed=0):
    """A network whose heads do not begin at zero."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        made = EncoderNetwork(config_for(generator))
        for head in (made.point, made.residual):
            torch.nn.init.normal_(head.weight, 0, 0.1)
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A throw-away encoder of the tiny generator."""
    out = tmp_path_factory.mktemp("encoder") / "tiny_encoder.safetensors"
    told = list(train_encoder(TINY, out, plan=PLAN, report_every=20))
    return out, told


# ---- the network


@pytest.mark.parametrize("build", [tiny, odd, tiny3])
def test_it_guesses_a_w_plus_for_each_of_several_pictures(build):
    model = build()
    encoder = Encoder(network(model), model)
    pictures = model.draw_many([model.sample(seed) for seed in range(3)])
    found = encoder(pictures)
    assert found.shape == (3, *model.latent_shape)
    assert not torch.allclose(found[0], found[1], atol=1e-3)
    assert torch.allclose(encoder(pictures[1:2]), found[1:2], atol=1e-4)  # a batch is its pictures one by one
    assert model.draw(encoder.latents(pictures)[0]).shape == (1, 3, *model.size)


def test_an_untrained_one_guesses_the_average():
    encoder = Encoder(EncoderNetwork(config_for(TINY)), TINY)
    assert torch.allclose(encoder(TINY.draw(TINY.sample(3)))[0], TINY.average().w, atol=1e-5)


def test_pictures_of_any_size_are_scaled():
    encoder = Encoder(network(TINY), TINY)
    assert encoder(torch.rand(2, 3, 40, 40)).shape == (2, 6, 8)
    assert encoder(torch.rand(2, 3, 8, 8)).shape == (2, 6, 8)


def test_it_is_small_enough_to_ship_with_the_demo():
    class Size:
        size, latent_shape = (128, 128), (12, 128)

    weights = sum(p.numel() for p in EncoderNetwork(config_for(Size())).parameters())
    assert 2 * weights < 3e6  # bytes of float16


# ---- the file


def test_a_saved_encoder_is_the_same_encoder(tmp_path):
    encoder = Encoder(network(TINY), TINY, {"step": 7})
    picture = TINY.draw(TINY.sample(3))
    for half, near in ((False, 0.0), (True, 2e-2)):
        save_encoder(tmp_path / "e.safetensors", encoder, half)
        found = load_encoder(tmp_path / "e.safetensors", TINY)
        assert torch.allclose(found(picture), encoder(picture), atol=near)
        assert found.about == {"step": 7}


def test_another_model_s_encoder_is_refused(tmp_path):
    save_encoder(tmp_path / "e.safetensors", Encoder(network(TINY), TINY))
    stranger = tiny(1)
    with pytest.raises(ModelError, match=f"{TINY.fingerprint}.*{stranger.fingerprint}"):
        load_encoder(tmp_path / "e.safetensors", stranger)


def header(**changes):
    about = {"version": 1, "fingerprint": TINY.fingerprint, "config": vars(config_for(TINY)), "about": {}}
    return {"ganedit.encoder": json.dumps(about | changes)}


@pytest.mark.parametrize(
    ("metadata", "says"),
    [
        (None, "no encoder"),
        (header(version=9), "newer version"),
        (header(config={}), "damaged"),
        (header(config=vars(config_for(TINY)) | {"hidden": 10**9}), "sizes do not fit"),
        (header(), "weights are not those"),
        ({"ganedit.encoder": "{"}, "damaged"),
        ({"ganedit.encoder": "[]"}, "damaged"),
    ],
    ids=range(7),
)
def test_a_file_that_holds_no_encoder_is_refused(metadata, says, tmp_path):
    save_file({"point.bias": torch.zeros(8)}, tmp_path / "e.safetensors", metadata)
    with pytest.raises(ModelError, match=says):
        load_encoder(tmp_path / "e.safetensors", TINY)


def test_a_missing_and_a_cut_off_file_are_refused(tmp_path):
    with pytest.raises(ModelError, match="There is no encoder"):
        load_encoder(tmp_path / "none.safetensors", TINY)
    (tmp_path / "e.safetensors").write_bytes(b"\x10\0\0\0")
    with pytest.raises(ModelError, match="damaged"):
        load_encoder(tmp_path / "e.safetensors", TINY)


def test_a_model_finds_the_encoder_beside_it(tmp_path):
    path = tmp_path / "cats.safetensors"
    save_model(path, TINY.network)
    assert load_generator(path, "cpu").encoder is None
    save_encoder(tmp_path / "cats_encoder.safetensors", Encoder(network(TINY), TINY))
    model = load_generator(path, "cpu")
    assert model.encoder is model.encoder
    assert model.encoder.fingerprint == model.fingerprint
    edits.run(model, model.average(), edits.Embed(np.zeros((16, 16, 3), np.uint8), 2, start="encoder"))


def test_a_foreign_encoder_beside_a_model_says_so_when_it_is_asked_for(tmp_path):
    path = tmp_path / "cats.safetensors"
    save_model(path, TINY.network)
    stranger = tiny(1)
    save_encoder(tmp_path / "cats_encoder.safetensors", Encoder(network(stranger), stranger))
    model = load_generator(path, "cpu")
    with pytest.raises(ModelError, match="was trained for checkpoint"):
        model.encoder  # noqa: B018 (reading it is what is tried)


# ---- training


def test_training_lowers_the_loss_and_keeps_the_best(trained):
    out, told = trained
    assert told[-1].step == told[-1].total == 120
    assert told[-1].psnr > told[0].psnr + 1
    assert told[-1].best == min(p.best for p in told)
    assert load_encoder(out, TINY).about["step"] in [p.step for p in told]


def test_it_stays_near_w(trained):
    encoder = load_encoder(trained[0], TINY)
    ws = encoder(torch.cat([TINY.draw(TINY.sample(seed)) for seed in range(8)]))
    u = Whitening.of(TINY).to_u(ws)
    assert u.std(1).mean() < 0.5 * u.square().mean().sqrt()


def test_from_the_encoder_the_same_steps_lead_farther_than_from_the_average(trained):
    model = tiny()
    model.__dict__["encoder"] = load_encoder(trained[0], model)
    found = {"average": [], "encoder": []}
    for seed in range(500, 506):  # pictures the training did not see
        wanted = to_pixels(model.draw(model.sample(seed, 0.8)))
        for start, losses in found.items():
            told = []
            edits.run(model, model.average(), edits.Embed(wanted, 15, start=start), report=told.append)
            losses.append((told[0]["best"], told[-1]["best"]))
    average, encoder = (np.mean(found[start], 0) for start in found)
    assert encoder[0] < 0.7 * average[0]
    assert encoder[1] < average[1]


def test_a_training_that_was_cut_off_ends_as_one_that_was_not(tmp_path):
    plan = EncoderPlan(steps=8, batch=1)  # a batch of one is drawn anew at each step, a larger one mostly from a pool
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    expected = list(train_encoder(TINY, whole, plan=plan, report_every=2))
    run = train_encoder(TINY, cut, plan=plan, report_every=2)
    next(run)
    next(run)
    run.close()
    rest = list(train_encoder(TINY, cut, plan=plan, report_every=2))
    assert [p.step for p in rest] == [6, 8]
    assert rest[-1].loss == pytest.approx(expected[-1].loss, rel=1e-3)
    assert list(train_encoder(TINY, cut, plan=plan)) == []  # nothing is left to do


def test_it_begins_with_the_encoder_of_another_model_and_refuses_one_of_other_sizes(trained, tmp_path):
    encoder = load_encoder(trained[0], TINY)
    relative = tiny()  # what one tunes a little is hardly another model
    for i, start in enumerate((encoder, None)):
        plan = EncoderPlan(steps=1, batch=2, rate=1e-12)
        list(train_encoder(relative, tmp_path / f"{i}.safetensors", plan=plan, start=start))
    kept, fresh = (load_encoder(tmp_path / f"{i}.safetensors", relative) for i in range(2))
    wanted = TINY.draw(TINY.sample(3))
    assert torch.allclose(kept(wanted), encoder(wanted), atol=2e-2)
    assert not torch.allclose(fresh(wanted), encoder(wanted), atol=2e-2)
    large = odd()
    other = Encoder(network(large), large)
    with pytest.raises(TrainingError, match="begin without one"):
        next(train_encoder(TINY, tmp_path / "e.safetensors", start=other))


def test_a_state_of_another_model_or_plan_is_refused(tmp_path):
    out = tmp_path / "e.safetensors"
    list(train_encoder(TINY, out, plan=EncoderPlan(steps=1, batch=2)))
    for generator, steps, says in ((tiny(1), 1, "fingerprint"), (TINY, 5, "steps 1, now it is 5")):
        with pytest.raises(TrainingError, match=says):
            next(train_encoder(generator, out, plan=EncoderPlan(steps=steps, batch=2)))


def test_a_damaged_state_or_another_file_in_its_place_is_one_sentence(tmp_path):
    out, state = tmp_path / "e.safetensors", tmp_path / "e.checkpoint.pt"
    plan = EncoderPlan(steps=2, batch=2)
    list(train_encoder(TINY, out, plan=plan))
    state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(TrainingError, match=r"is damaged .*delete it to begin again"):
        next(train_encoder(TINY, out, plan=plan))
    torch.save({"step": 3}, state)
    with pytest.raises(TrainingError, match="another kind of training"):
        next(train_encoder(TINY, out, plan=plan))


def test_a_state_that_finds_no_space_is_one_sentence_and_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(state, path):
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(TrainingError, match="free some space"):
        list(train_encoder(TINY, tmp_path / "e.safetensors", plan=EncoderPlan(steps=1, batch=2)))
    assert [path.name for path in tmp_path.iterdir()] == ["e.safetensors"]  # what was learned


def test_real_pictures_are_learned_in_the_end(tmp_path):
    """Pictures of another model stand for real ones."""
    other = tiny(5)
    shown = np.stack([to_pixels(other.draw(other.sample(s))).transpose(2, 0, 1) for s in range(40)])
    pictures = PictureArrays([shown], mirror=False)
    plan = EncoderPlan(steps=60, batch=8, rate=3e-3, warm=0.3, real=0.6)
    psnr = {}
    for name, given in (("own", None), ("real", pictures)):
        list(train_encoder(TINY, tmp_path / f"{name}.safetensors", given, plan))
        encoder = load_encoder(tmp_path / f"{name}.safetensors", TINY)
        x = torch.from_numpy(shown).float() / 127.5 - 1
        drawn = TINY.draw_many(encoder.latents(x))
        psnr[name] = -float((drawn - x).square().mean())
    assert psnr["real"] > psnr["own"]


def test_the_pool_gives_latents_with_their_own_pictures_and_some_that_are_new():
    drawn = []

    def draw(rng, count):
        u = torch.from_numpy(rng.uniform(-1, 1, (count, 1))).float()
        drawn.append(count)
        return u, u[:, :, None, None].expand(-1, 3, 8, 8)

    pool, rng = Pool(draw, resolution=4, size=24), np.random.default_rng(0)
    for _ in range(20):
        u, pictures = pool.batch(rng, 16)
        assert pictures.shape == (16, 3, 4, 4)
        assert torch.allclose(pictures[:, 0, 0, 0], u[:, 0], atol=1 / 127)
    assert drawn == [16] + 19 * [2] and len(pool) == 24
    assert len(u.unique()) > 8


def test_no_time_is_no_step(tmp_path):
    assert list(train_encoder(TINY, tmp_path / "e.safetensors", seconds=0)) == []
    assert not list(tmp_path.iterdir())


# ---- the command line


def test_the_command_trains_and_goes_on(tmp_path, capsys):
    model, out, photos = tmp_path / "tiny.safetensors", tmp_path / "tiny_encoder.safetensors", tmp_path / "photos"
    save_model(model, TINY.network)
    photos.mkdir()
    for i in range(3):
        Image.fromarray(np.full((20, 20, 3), 60 * i, np.uint8)).save(photos / f"{i}.png")
    base = ["train", "encoder", str(model), str(out), "--device", "cpu", "--batch", "2", "--steps", "4"]
    assert main([*base, "--pictures", str(photos), "--minutes", "0"]) == 0
    assert not out.exists()
    assert main([*base, "--pictures", str(photos)]) == 0
    assert f"wrote {out}" in capsys.readouterr().out
    assert load_generator(model, "cpu").encoder is not None
    other = tmp_path / "other.safetensors"
    assert main(["train", "encoder", str(model), str(other), *base[4:], "--start", str(model)]) == 0
    out.unlink()
    assert main(["train", "encoder", str(model), str(other), *base[4:], "--start", str(model)]) == 2
    assert "encoder" in capsys.readouterr().err
    assert open_pictures(photos, 16).size == 16


def test_the_command_shows_examples(capsys):
    with pytest.raises(SystemExit):
        main(["train", "encoder", "--help"])
    assert "ganedit train encoder cats.safetensors" in capsys.readouterr().out


def test_the_command_refuses_what_is_no_model(tmp_path, capsys):
    (tmp_path / "x.safetensors").write_bytes(b"")
    assert main(["train", "encoder", str(tmp_path / "x.safetensors"), str(tmp_path / "e.safetensors")]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1
    (tmp_path / "a file").write_text("")
    assert main(["train", "encoder", "demo", str(tmp_path / "a file" / "e.safetensors")]) == 2
    assert "choose another place" in capsys.readouterr().err
