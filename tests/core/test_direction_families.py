"""The other families of directions: extremes (InterFaceGAN), channels of a few pictures (StyleSpace), strengths."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from sklearn.svm import LinearSVC

from ganedit_widgets.core import DirectionError, LatentError, edits
from ganedit_widgets.core.probes import (
    channel,
    interfacegan,
    layer_strengths,
    load_directions,
    new_direction,
    rank_channels,
    save_directions,
    sefa,
    style_direction,
    weighted,
)
from tests.tiny import odd, tiny


def samples(generator, count):
    return [generator.latent(w) for w in generator.w_samples[:count]]


@pytest.fixture
def planted(generator):
    """Return latents, and a score that is linear in w, with its direction."""
    truth = F.normalize(torch.tensor([1.0, -1, 0, 0.5, 0, 0, 0.2, 0]), dim=0)
    latents = samples(generator, 600)
    return latents, torch.stack([latent.w[0] for latent in latents]) @ truth, truth


# ---- extremes


def test_the_extremes_tell_a_planted_direction(generator, planted):
    latents, scores, truth = planted
    found = interfacegan(generator, latents, scores, "planted", share=0.2, c=10.0)
    assert float(F.cosine_similarity(found.vector, truth, dim=0)) > 0.9
    assert np.isclose(float(found.vector.norm()), 1, atol=1e-6)
    assert found.about["chosen on each side"] == 120
    assert found.about["accuracy"] > 0.95 and found.about["accuracy between"] > 0.6
    assert found.kind == "interfacegan" and found.sign == "the score rises"


def test_the_boundary_is_that_of_a_support_vector_machine_of_the_extremes(generator, planted):
    latents, scores, _ = planted
    found = interfacegan(generator, latents, scores, share=0.5, seed=3)
    order = np.argsort(scores.numpy(), kind="stable")
    rng = np.random.default_rng(3)
    low, high = rng.permutation(order[:300])[:210], rng.permutation(order[300:])[:210]
    x = torch.stack([latents[i].w[0] for i in [*low, *high]]).double().numpy()
    x = (x - x.mean(0)) / np.sqrt(((x - x.mean(0)) ** 2).mean())
    reference = LinearSVC(C=1, dual=False, intercept_scaling=100, tol=1e-8).fit(x, np.arange(420) >= 210).coef_[0]
    assert np.allclose(found.vector, reference / np.linalg.norm(reference), atol=1e-3)


def test_the_same_seed_chooses_the_same_latents_to_learn_from(generator, planted):
    latents, scores, _ = planted
    one, same, other = (interfacegan(generator, latents, scores, share=0.1, seed=seed) for seed in (0, 0, 1))
    assert torch.equal(one.vector, same.vector) and not torch.equal(one.vector, other.vector)


def test_scores_that_are_not_known_are_left_out(generator, planted):
    latents, scores, truth = planted
    scores = scores.clone()
    scores[::3] = float("nan")
    found = interfacegan(generator, latents, scores, share=0.2, c=10.0)
    assert found.about["chosen on each side"] == 80
    assert float(F.cosine_similarity(found.vector, truth, dim=0)) > 0.9


@pytest.mark.parametrize(
    ("scores", "share", "says"),
    [
        ([1.0] * 50, 0.2, "All scores are the same"),
        (range(50), 0.02, "1 on each side"),
        (range(50), 0.7, "0 to 0.5"),
        (range(40), 0.2, "50 latents came with 40 scores"),
        ([float("nan")] * 50, 0.2, "0 on each side"),
    ],
)
def test_scores_without_two_ends_are_refused(generator, scores, share, says):
    with pytest.raises(DirectionError, match=says):
        interfacegan(generator, samples(generator, 50), scores, share=share)


# ---- channels


def raised(generator, count, amount=3.0):
    """Return samples, the same with one channel raised, and that channel."""
    move = edits.MoveAlong(channel(generator, "b8.conv1", 3), amount)
    plain = samples(generator, count)
    return plain, [edits.run(generator, latent, move) for latent in plain]


def test_the_channel_that_makes_the_difference_is_first(generator):
    plain, with_it = raised(generator, 6)
    first = rank_channels(generator, with_it, plain)[0]
    assert (first.layer, first.index) == ("b8.conv1", 3) and first.difference > 0


def test_certainty_is_the_papers_ratio_but_for_its_floor(generator):
    _, with_it = raised(generator, 8)
    styles = torch.stack([generator.styles(latent)["b8.conv1"][3] for latent in with_it])
    population = torch.stack([generator.styles(latent)["b8.conv1"][3] for latent in samples(generator, 2000)])
    delta = (styles - population.mean()) / population.std()
    found = next(c for c in rank_channels(generator, with_it) if (c.layer, c.index) == ("b8.conv1", 3))
    assert np.isclose(found.difference, float(delta.mean()), rtol=1e-3)
    assert np.isclose(found.certainty, float(delta.mean().abs() / (delta.std() + 0.05)), rtol=1e-3)


def test_a_direction_of_channels_leads_towards_the_attribute(generator):
    plain, with_it = raised(generator, 6)
    found = style_direction(generator, with_it, plain, "lamp")
    assert found.space == "s" and found.about["channels"] == "b8.conv1[3]"
    moved = edits.run(generator, plain[0], edits.MoveAlong(found, 1.0))
    before, after = (generator.styles(latent)["b8.conv1"] for latent in (plain[0], moved))
    assert after[3] > before[3] and torch.equal(after[[0, 1, 2, 4, 5, 6, 7]], before[[0, 1, 2, 4, 5, 6, 7]])
    back = style_direction(generator, plain, with_it, "no lamp")
    assert torch.equal(back.vector["b8.conv1"], -found.vector["b8.conv1"])


def test_color_channels_are_left_out_unless_asked_for(generator):
    plain, with_it = raised(generator, 3)
    assert not any(c.layer.endswith("torgb") for c in rank_channels(generator, with_it, plain))
    assert any(c.layer.endswith("torgb") for c in rank_channels(generator, with_it, plain, colors=True))


def test_too_few_pictures_or_channels_are_refused(generator):
    plain = samples(generator, 3)
    with pytest.raises(DirectionError, match="1 pictures with the attribute"):
        rank_channels(generator, plain[:1])
    with pytest.raises(DirectionError, match="1 pictures without"):
        rank_channels(generator, plain, plain[:1])
    with pytest.raises(DirectionError, match="0 channels were asked for"):
        style_direction(generator, plain, count=0)
    with pytest.raises(LatentError, match="belongs to checkpoint"):
        rank_channels(generator, samples(tiny(seed=1), 3))


# ---- layer strengths


def test_strengths_sum_to_the_number_of_layers_and_are_repeatable(generator):
    found = layer_strengths(generator, sefa(generator)[0], pairs=4)
    assert found.shape == (6,) and (found >= 0).all()
    assert np.isclose(float(found.sum()), 6, rtol=1e-5)
    assert torch.equal(found, layer_strengths(generator, sefa(generator)[0], pairs=4))


def test_a_layer_that_does_not_reach_the_picture_has_no_strength():
    generator = tiny()
    with torch.no_grad():
        generator.network.synthesis.b16.torgb.affine.weight.zero_()
    assert layer_strengths(generator, sefa(generator)[0], pairs=3)[-1] == 0


def test_only_a_direction_of_w_has_strengths(generator):
    for direction in (channel(generator, "b8.conv0", 1), new_direction(generator, torch.randn(6, 8), "wide")):
        with pytest.raises(DirectionError, match="only a direction of W"):
            layer_strengths(generator, direction)
    with pytest.raises(DirectionError, match="belongs to checkpoint"):
        layer_strengths(generator, sefa(odd())[0])
    with pytest.raises(DirectionError, match="0 pairs"):
        layer_strengths(generator, sefa(generator)[0], pairs=0)


# ---- files


def test_weights_settings_and_scores_are_kept(generator, planted, tmp_path):
    latents, scores, _ = planted
    found = weighted(generator, interfacegan(generator, latents, scores, "yaw", share=0.1), pairs=2)
    save_directions(tmp_path / "d.safetensors", [found])
    again = load_directions(tmp_path / "d.safetensors")["yaw"]
    assert again.weights == found.weights and len(again.weights) == 6
    assert again.about == found.about and again.kind == "interfacegan"


def test_files_from_before_there_were_weights_load(generator, tmp_path):
    import json

    from safetensors import safe_open
    from safetensors.torch import save_file

    save_directions(tmp_path / "new.safetensors", [replace(sefa(generator)[0], name="old")])
    with safe_open(tmp_path / "new.safetensors", framework="pt") as file:
        header = json.loads(file.metadata()["ganedit.directions"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    for entry in header["directions"]:
        del entry["weights"], entry["about"]
    save_file(tensors, tmp_path / "old.safetensors", metadata={"ganedit.directions": json.dumps(header)})
    found = load_directions(tmp_path / "old.safetensors")["old"]
    assert found.weights == () and found.about == {}
