"""Every network in every container draws and scores what the original programs do."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.generators.load import convert, describe, load_generator
from tests.core.vectors import FILES, FOLDER, Reference, outputs_of, ported, ported_critic, synthesis_features

STYLEGAN3 = ["sg3t-32.pkl", "sg3t-32-c3.pkl", "sg3r-32.pkl"]


@pytest.fixture(scope="module", params=FILES)
def reference(request):
    with torch.no_grad():
        yield Reference(request.param)


def test_mapping_and_truncation_are_the_originals(reference):
    reference.check("w", reference.ws())
    reference.check("w_trunc", reference.ws(0.7))
    reference.check("w_trunc_cutoff4", reference.ws(0.7, 4))


def test_pictures_are_the_originals(reference):
    draw = reference.network.synthesis
    reference.check("img_const", draw(reference.ws()))
    reference.check("img_trunc_const_first", draw(reference.ws(0.7)[:1]))
    reference.check("img_wplus_const", draw(reference["wplus"]))
    if "img_none" in reference:
        reference.check("img_none", draw(reference.ws(), noise="none"))


def test_the_average_is_drawn_and_not_the_raw_training_copy(reference):
    raw, drawn = reference["img_G_const_first"], reference["img_const"][:1]
    assert (raw - drawn).abs().max() > 0.01
    assert (reference.network.synthesis(reference.ws()[:1]) - drawn).abs().max() < 1e-4 * drawn.abs().max()


def test_every_layer_is_the_originals(reference):
    found = synthesis_features(reference.network, reference.ws()[:1])
    compare_features(reference, found, "feat", ported)


def test_the_discriminator_scores_like_the_original(reference):
    c, critic = reference.label, reference.discriminator
    reference.check("d_logits", critic(reference["img_const"], c))
    reference.check("d_logits_first_alone", critic(reference["img_const"][:1], None if c is None else c[:1]))


@pytest.mark.parametrize("file", [f for f in FILES if not f.startswith("tf")])  # those give no such features
def test_every_layer_of_the_discriminator_is_the_originals(file):
    reference = Reference(file)
    critic, pictures = reference.discriminator, reference["img_const"]
    found = outputs_of(critic, lambda: critic(pictures, reference.label))
    compare_features(reference, {name: x[:1] for name, x in found.items()}, "d_feat", ported_critic)


def compare_features(reference, found, kind, rename):
    for name, mean, std in zip(*(reference.arrays[f"{kind}_{part}"] for part in ("names", "mean", "std")), strict=True):
        name, factor = (str(name), 1) if str(name) in found else rename(str(name))
        x = found[name].double() * factor
        assert abs(x.mean() - mean) <= 1e-4 * std, name
        assert abs(x.std(correction=0) - std) <= 1e-4 * std, name


def test_the_gradient_in_w_is_the_originals(reference):
    with torch.enable_grad():
        w = reference.ws()[:1].requires_grad_()
        loss = reference.network.synthesis(w).square().mean()
        (gradient,) = torch.autograd.grad(loss, w)
    reference.check("grad_loss", loss)
    reference.check("grad_w", gradient)


@pytest.mark.parametrize("file", STYLEGAN3)
def test_the_input_transform_of_stylegan3_is_obeyed(file):
    reference = Reference(file)
    reference.network.synthesis.input.transform.copy_(reference["transform"])
    reference.check("img_transform_first", reference.network.synthesis(reference.ws()[:1]))


@pytest.mark.parametrize("file", FILES)
def test_a_converted_file_draws_exactly_the_same(file, tmp_path):
    source = Reference(file)
    convert(source_path := source_of(file), tmp_path / "own.safetensors")
    again = load_generator(tmp_path / "own.safetensors", "cpu")
    fresh = load_generator(source_path, "cpu")
    latent = fresh.sample(5, 0.7)
    assert again.fingerprint == fresh.fingerprint
    assert torch.equal(again.draw(latent), fresh.draw(latent))
    c = None if source.label is None else source.label[:1]
    scores = [g.discriminator(source["img_const"][:1], c) for g in (again, fresh)]
    assert torch.equal(*scores)
    assert describe(tmp_path / "own.safetensors").meta["converted_from"] == describe(source_path).container


@pytest.mark.parametrize("file", ["sg2ada-32-skip.pkl", "sg3r-32.pkl"])
def test_a_half_precision_file_is_half_as_large_and_draws_nearly_the_same(file, tmp_path):
    convert(source_of(file), tmp_path / "full.safetensors")
    convert(source_of(file), tmp_path / "half.safetensors", half=True)
    full, half = (tmp_path / f"{n}.safetensors" for n in ("full", "half"))
    assert half.stat().st_size < 0.65 * full.stat().st_size
    network = load_generator(half, "cpu").network
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    reference = Reference(file, half)
    reference.check("img_const", network.synthesis(reference.ws()), 2e-2)
    assert load_generator(half, "cpu").fingerprint != load_generator(full, "cpu").fingerprint


def source_of(file):
    return FOLDER / file


@pytest.mark.parametrize("file", FILES)
def test_describe_tells_sizes_without_drawing(file):
    info, reference = describe(source_of(file)), Reference(file)
    with_labels = reference.arrays["c"].shape[1]
    assert info.size == (32, 32) and info.has_discriminator
    assert info.latent_shape == reference.arrays["w"].shape[1:]
    assert (info.z_dim, info.c_dim) == (reference.arrays["z"].shape[1], with_labels)
    assert info.fingerprint == load_generator(source_of(file), "cpu").fingerprint
    assert info.file_size == source_of(file).stat().st_size
    assert info.parameters == sum(p.numel() for p in reference.network.parameters())


def test_the_average_of_a_training_file_without_one_is_estimated(tmp_path):
    estimated = load_generator(source_of("rosinality-32-training.pt"), "cpu").w_avg
    generator = load_generator(source_of("rosinality-32-training.pt"), "cpu")
    w = generator.map(torch.from_numpy(np.random.default_rng(1).standard_normal((20000, 32))).float())
    error = (estimated - w.mean(0)).abs() / w.std(0)
    assert error.max() < 0.05 and torch.equal(estimated, generator.w_avg)
