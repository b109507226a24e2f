"""Properties of the networks that no vector shows: shapes, sums, batches, previews, offsets."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from ganedit_widgets.core.generators import Discriminator, DiscriminatorConfig, Generator, StyleGAN2, StyleGAN2Config
from ganedit_widgets.core.generators.discriminator import minibatch_std
from ganedit_widgets.core.generators.layers import ConvFn, Mapping, modulated_conv
from ganedit_widgets.core.generators.schedule3 import stylegan3_config
from ganedit_widgets.core.generators.stylegan3 import StyleGAN3
from ganedit_widgets.core.ops import setup_filter, upsample2d
from tests.tiny import conditional, odd, tiny, tiny3

quick = settings(max_examples=30, deadline=None)


GENERATORS = {"skip": tiny, "resnet": odd, "conditional": conditional, "T": tiny3, "R": lambda: tiny3("stylegan3-r")}


@pytest.fixture(params=GENERATORS)
def generator(request):
    return GENERATORS[request.param]()


# ---- modulated convolution


def per_sample(x, w, s, up, demodulate):
    """The paper's form: a weight for each sample, as one grouped convolution."""
    n, k = len(x), w.shape[-1]
    each = w[None] * s[:, None, :, None, None]
    if demodulate:
        each = each * (each.square().sum((2, 3, 4), keepdim=True) + 1e-8).rsqrt()
    convolve = ConvFn(setup_filter(), up=up, padding=k // 2)
    return torch.cat([convolve(x[m : m + 1], each[m]) for m in range(n)])


@quick
@given(
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 5),
    st.sampled_from([1, 3]),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.integers(0, 99),
)
def test_modulation_equals_a_weight_per_sample_with_gradients(n, i, o, k, up, demodulate, seed):
    rng = torch.Generator().manual_seed(seed)
    x, w, s = (
        torch.randn(n, i, 6, 6, generator=rng),
        torch.randn(o, i, k, k, generator=rng),
        torch.randn(n, i, generator=rng),
    )
    inputs = [t.double().requires_grad_() for t in (x, w, s)]
    convolve = ConvFn(setup_filter().double(), up=up, padding=k // 2)
    fast = modulated_conv(*inputs, convolve, demodulate)
    slow = per_sample(*inputs, up, demodulate)
    torch.testing.assert_close(fast, slow, rtol=1e-6, atol=1e-6)
    weights = torch.randn(fast.shape, generator=rng).double()
    for a, b in zip(*(torch.autograd.grad((y * weights).sum(), inputs) for y in (fast, slow)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)


def test_demodulation_gives_unit_variance_whatever_the_style():
    rng = torch.Generator().manual_seed(0)
    x, w = torch.randn(4, 64, 16, 16, generator=rng), torch.randn(32, 64, 3, 3, generator=rng)
    for size in (1e-3, 1, 1e3):
        style = torch.randn(4, 64, generator=rng) * size
        y = modulated_conv(x, w, style, ConvFn())
        assert y.std((1, 2, 3)) == pytest.approx(1, abs=0.1)


# ---- batches, offsets, taps, previews


def test_a_batch_draws_what_each_latent_draws_alone(generator):
    latents = [generator.sample(seed) for seed in range(3)]
    alone = torch.cat([generator.draw(latent) for latent in latents])
    torch.testing.assert_close(generator.draw_many(latents), alone, rtol=1e-4, atol=1e-5)


def test_offsets_add_up_and_undo_each_other(generator):
    torch.manual_seed(1)
    latent = generator.sample(0)
    layers = list(generator.style_layers)
    steps = {name: torch.randn(style.shape) for name, style in generator.styles(latent).items() if name in layers[1:4]}
    once = latent.shifted(steps)
    back = once.shifted({name: -step for name, step in steps.items()})
    assert (generator.draw(once) - generator.draw(latent)).abs().max() > 1e-3
    torch.testing.assert_close(generator.draw(back), generator.draw(latent), rtol=1e-4, atol=1e-5)
    twice = latent.shifted(steps).shifted(steps)
    torch.testing.assert_close(
        generator.draw(twice),
        generator.draw(latent.shifted({n: 2 * s for n, s in steps.items()})),
        rtol=1e-4,
        atol=1e-5,
    )
    for name, style in generator.styles(latent).items():
        torch.testing.assert_close(generator.styles(once)[name], style + steps.get(name, 0))


def test_styles_that_are_given_replace_w(generator):
    latent, other = generator.sample(0), generator.sample(1)
    synthesis = generator.network.synthesis
    styles = synthesis.styles(other.w[None], {})
    torch.testing.assert_close(synthesis(latent.w[None], styles=styles), generator.draw(other))


def test_a_tap_sees_and_replaces_every_layer(generator):
    latent = generator.sample(0)
    shapes = {}
    synthesis = generator.network.synthesis
    for name in generator.style_layers:
        changed = synthesis(
            latent.w[None], taps={name: lambda x, name=name: shapes.__setitem__(name, x.shape) or x * 0.5}
        )
        assert (changed - generator.draw(latent)).abs().max() > 1e-6, name
    assert {len(shape) for shape in shapes.values()} == {4}
    found = generator.features(latent, list(generator.style_layers))
    assert {name: x.shape for name, x in found.items()} == shapes


def test_gradients_reach_every_row_of_w_and_every_offset(generator):
    latent = generator.sample(0)
    w = latent.w[None].clone().requires_grad_()
    offsets = {name: torch.zeros_like(s).requires_grad_() for name, s in generator.styles(latent).items()}
    picture = generator.network.synthesis(w, offsets=offsets)
    gradients = torch.autograd.grad(picture.square().sum(), [w, *offsets.values()])
    assert (gradients[0].abs().amax(2) > 0).all()
    assert all((g.abs().amax() > 0).item() for g in gradients[1:])


def test_an_early_stop_is_the_pyramid_of_the_skips():
    generator = tiny()
    latent = generator.sample(0)
    synthesis = generator.network.synthesis
    rgb = {}
    full = synthesis(
        latent.w[None], taps={f"b{r}.torgb": lambda x, r=r: rgb.__setitem__(r, x) for r in generator.cfg.blocks}
    )
    picture = None
    for r in generator.cfg.blocks:
        picture = rgb[r] if picture is None else upsample2d(picture, setup_filter()) + rgb[r]
        preview = generator.draw(latent, until=r)
        assert preview.shape[2:] == (r, r)
        torch.testing.assert_close(preview, picture)
    torch.testing.assert_close(picture, full)


@pytest.mark.parametrize("name", ["resnet", "T", "R"])
def test_an_early_stop_where_there_is_no_picture_draws_everything(name):
    generator = GENERATORS[name]()
    latent = generator.sample(0)
    assert torch.equal(generator.draw(latent, until=8), generator.draw(latent))


# ---- noise


def test_noise_of_a_seed_is_the_same_each_time_and_differs_between_seeds():
    generator = tiny()
    latent = generator.sample(0)
    a, b, c, none = (generator.draw(latent, noise) for noise in (1, 1, 2, "none"))
    assert torch.equal(a, b) and not torch.equal(a, c) and not torch.equal(a, none)
    assert not torch.equal(generator.draw(latent), none)


def test_stylegan3_has_no_noise_and_says_so():
    generator = tiny3()
    latent = generator.sample(0)
    assert generator.network.synthesis.constant_noise() == {} and generator.network.synthesis.seeded_noise(3) == {}
    assert torch.equal(generator.draw(latent, 5), generator.draw(latent, "none"))


# ---- mapping and discriminator


def test_the_mapping_ignores_the_length_of_z_and_sees_the_label():
    mapping = Mapping(6, 2, 4, 3)
    z, c = torch.randn(5, 6), torch.eye(2)[[0, 1, 0, 1, 0]]
    torch.testing.assert_close(mapping(z * 7, c), mapping(z, c), rtol=1e-4, atol=1e-5)
    assert not torch.allclose(mapping(z, 1 - c), mapping(z, c))
    with pytest.raises(ValueError, match="label"):
        mapping(z)


def test_minibatch_deviation_groups_are_strided():
    x = torch.randn(4, 6, 2, 2)
    y = minibatch_std(x, 2, 3)
    assert y.shape == (4, 9, 2, 2) and torch.equal(y[:, :6], x)
    for n in range(2):
        pair = x[[n, n + 2]].reshape(2, 3, 2, 2, 2)
        expected = ((pair - pair.mean(0)).square().mean(0) + 1e-8).sqrt().mean((1, 2, 3))
        torch.testing.assert_close(y[[n, n + 2], 6:, 0, 0], expected.expand(2, -1))


@pytest.mark.parametrize("architecture", ["skip", "resnet", "orig"])
def test_a_discriminator_has_features_at_every_size(architecture):
    critic = Discriminator(DiscriminatorConfig(16, {4: 5, 8: 4, 16: 3}, architecture=architecture, c_dim=2))
    picture = torch.randn(2, 3, 16, 16)
    assert [x.shape for x in critic.features(picture)] == [(2, 4, 8, 8), (2, 5, 4, 4)]
    assert critic(picture, torch.eye(2)).shape == (2, 1)


# ---- half precision


def test_half_precision_changes_nothing_on_the_cpu(generator):
    latent = generator.sample(0)
    before = generator.draw(latent)
    generator.half()
    assert generator.network.synthesis.dtypes == {} and torch.equal(generator.draw(latent), before)


@pytest.mark.gpu
@pytest.mark.parametrize("family", ["stylegan2", "stylegan3-t", "stylegan3-r"])
def test_half_precision_on_cuda_is_close_and_float32_is_exact(family):
    if not torch.cuda.is_available():
        pytest.skip("needs CUDA")
    torch.backends.cudnn.allow_tf32 = False
    if family == "stylegan2":
        cfg = StyleGAN2Config(
            64, {4: 64, 8: 64, 16: 64, 32: 32, 64: 16}, 64, w_dim=64, conv_clamp=256.0, num_half_res=3
        )
        network = StyleGAN2(cfg)
    else:
        cfg = stylegan3_config(64, family, num_layers=6, channel_base=1024, channel_max=64, z_dim=64, w_dim=64)
        network = StyleGAN3(cfg)
    generator = Generator(network)
    latent = generator.sample(0)
    expected = generator.draw(latent)
    network.cuda()
    exact = generator.draw(latent)
    assert exact.dtype == torch.float32
    torch.testing.assert_close(exact.cpu(), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    generator.half()
    assert len(network.synthesis.dtypes) == cfg.num_half_res
    close = generator.draw(latent)
    assert close.dtype == torch.float32 and not torch.equal(close, exact)
    assert (close - exact).abs().max() < 0.02 * exact.abs().max()
    generator.half(False)
    assert torch.equal(generator.draw(latent), exact)


def test_plain_convolution_is_unchanged_without_resampling():
    x, w = torch.randn(1, 2, 5, 5), torch.randn(3, 2, 3, 3)
    assert torch.equal(ConvFn(padding=1)(x, w), F.conv2d(x, w, padding=1))
