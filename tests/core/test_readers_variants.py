"""Networks of unusual shape survive every container: what is read back is what was written."""

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators import (
    Discriminator,
    DiscriminatorConfig,
    StyleGAN2,
    StyleGAN2Config,
    fingerprint_of,
)
from ganedit_widgets.core.generators.load import load_generator, save_model
from ganedit_widgets.core.readers.open import read_model
from ganedit_widgets.core.readers.stored import Stored
from tests.core.forge import forge, official, ported, record

WIDTHS = {4: 6, 8: 5, 16: 4}
BINOMIAL = (1.0, 3.0, 3.0, 1.0)
FILTERS = st.sampled_from([BINOMIAL, None, (0.25, 0.5, 0.25), (0.0625, 0.25, 0.375, 0.25, 0.0625), (0.125,) * 8])
CLAMPS = st.sampled_from([None, 0.5, 256.0])
ARCHITECTURES = st.sampled_from(["skip", "resnet", "orig"])
STRIDES = st.sampled_from(["plain", "channels last", "offset"])
GENERATORS = st.builds(
    StyleGAN2Config,
    resolution=st.just(16),
    channels=st.fixed_dictionaries({r: st.integers(1, 6) for r in WIDTHS}),
    z_dim=st.integers(1, 6),
    c_dim=st.integers(0, 3),
    w_dim=st.integers(1, 6),
    img_channels=st.sampled_from([1, 3]),
    architecture=ARCHITECTURES,
    mapping_layers=st.integers(1, 4),
    mapping_lr=st.sampled_from([0.01, 0.1]),
    mapping_width=st.sampled_from([None, 7]),
    embed_width=st.sampled_from([None, 8]),
    conv_clamp=CLAMPS,
    resample_filter=FILTERS,
    use_noise=st.booleans(),
    activation=st.sampled_from(["lrelu", "relu", "swish"]),
    num_half_res=st.integers(0, 2),
)
DISCRIMINATORS = st.builds(
    DiscriminatorConfig,
    resolution=st.just(16),
    channels=st.fixed_dictionaries({r: st.integers(1, 6) for r in WIDTHS}),
    c_dim=st.integers(0, 3),
    cmap_dim=st.sampled_from([None, 9]),
    img_channels=st.sampled_from([1, 3]),
    architecture=ARCHITECTURES,
    conv_clamp=CLAMPS,
    resample_filter=FILTERS,
    mbstd_group=st.sampled_from([None, 2, 4]),
    mbstd_features=st.integers(0, 1),
    mapping_layers=st.integers(1, 3),
    mapping_lr=st.sampled_from([0.01, 0.1]),
)
quick = settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    phases=[Phase.explicit, Phase.generate],  # shrinking would build networks for minutes
)


def normal(cfg):
    """Return `cfg` with the options that say the same in two ways in their usual form."""
    if isinstance(cfg, StyleGAN2Config):
        cfg = replace(cfg, mapping_width=cfg.mapping_width if cfg.mapping_layers > 1 else None)
        return cfg if cfg.c_dim else replace(cfg, embed_width=None)
    if cfg.c_dim:
        return cfg
    return replace(cfg, cmap_dim=None, mapping_layers=8, mapping_lr=0.01)


@quick
@given(
    cfg=GENERATORS.map(normal),
    strides=st.sampled_from(["plain", "channels last", "offset"]),
    protocol=st.integers(3, 5),
)
def test_any_stylegan2_is_read_from_an_official_pickle(cfg, strides, protocol, tmp_path):
    network = StyleGAN2(cfg)
    (tmp_path / "model.pkl").write_bytes(forge({"G_ema": official(network, strides), "D": None}, protocol))
    read = read_model(tmp_path / "model.pkl").generator.build()
    assert_same(read, network)


@quick
@given(cfg=DISCRIMINATORS.map(normal))
def test_any_discriminator_is_read_from_an_official_pickle(cfg, tmp_path):
    network = Discriminator(cfg)
    root = {"G_ema": official(StyleGAN2(StyleGAN2Config(16, WIDTHS, 4, w_dim=4))), "D": official(network)}
    (tmp_path / "model.pkl").write_bytes(forge(root))
    assert_same(read_model(tmp_path / "model.pkl").discriminator.build(), network)


@quick
@given(cfg=GENERATORS.map(normal), critic=DISCRIMINATORS.map(normal))
def test_any_network_is_read_from_our_own_file(cfg, critic, tmp_path):
    networks = StyleGAN2(cfg), Discriminator(critic)
    save_model(tmp_path / "own.safetensors", *networks, {"name": "a", "note": ["ψ", 1]})
    file = read_model(tmp_path / "own.safetensors")
    for stored, network in zip((file.generator, file.discriminator), networks, strict=True):
        assert_same(stored.build(), network)
    assert file.meta == {"name": "a", "note": ["ψ", 1]}


@quick
@given(cfg=GENERATORS, old=st.booleans(), dtype=st.sampled_from([torch.float32, torch.float16, torch.float64]))
def test_any_stylegan2_is_read_from_the_port(cfg, old, dtype, tmp_path):
    channels = dict.fromkeys(WIDTHS, 4)
    cfg = StyleGAN2Config(16, channels, z_dim=cfg.w_dim, w_dim=cfg.w_dim, mapping_layers=cfg.mapping_layers)
    network = StyleGAN2(cfg).to(dtype)
    root = {"g_ema": ported(network), "latent_avg": network.mapping.w_avg}
    torch.save(root, tmp_path / "model.pt", _use_new_zipfile_serialization=not old)
    assert_same(read_model(tmp_path / "model.pt").generator.build(), network.float())


def assert_same(read, network):
    assert read.cfg == network.cfg
    a, b = read.state_dict(), network.state_dict()
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=0, atol=1e-6 if "filter" in name else 0)


def test_a_discriminator_of_an_unknown_class_is_left_out(tmp_path):
    generator = official(StyleGAN2(StyleGAN2Config(16, WIDTHS, 4, w_dim=4)))
    for critic in (record("ProjectedDiscriminator"), record("Discriminator"), None, 5):
        (tmp_path / "model.pkl").write_bytes(forge({"G_ema": generator, "D": critic}))
        assert load_generator(tmp_path / "model.pkl", "cpu").discriminator is None


def test_files_of_the_port_without_constant_noise_get_the_same_noise_at_every_load(tmp_path):
    network = StyleGAN2(StyleGAN2Config(16, dict.fromkeys(WIDTHS, 4), 4, w_dim=4, mapping_layers=2))
    state = {name: value for name, value in ported(network).items() if not name.startswith("noises.")}
    torch.save({"g_ema": state, "latent_avg": torch.zeros(4)}, tmp_path / "model.pt")
    first, second = (load_generator(tmp_path / "model.pt", "cpu") for _ in range(2))
    assert first.fingerprint == second.fingerprint
    assert first.network.synthesis.b16.conv1.noise_const.std() > 0.5


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.pop("b8.conv1.bias"), "lacks the tensor 'synthesis.b8.conv1.bias'"),
        (lambda s: s.update({"b8.conv1.bias": torch.zeros(7)}), "has shape"),
        (lambda s: s.update({"b8.extra": torch.zeros(7)}), "unknown tensor 'synthesis.b8.extra'"),
    ],
)
def test_a_missing_a_strange_and_a_wrong_tensor_are_named(change, reason, tmp_path):
    network = StyleGAN2(StyleGAN2Config(16, WIDTHS, 4, w_dim=4))
    state = dict(network.synthesis.state_dict())
    change(state)
    tensors = {f"synthesis.{n}": t for n, t in state.items()} | {
        f"mapping.{n}": t for n, t in network.mapping.state_dict().items()
    }
    with pytest.raises(ModelError, match=reason):
        Stored(network.cfg, tensors).build()


def test_the_fingerprint_does_not_depend_on_the_container(tmp_path):
    network = StyleGAN2(StyleGAN2Config(16, WIDTHS, 4, w_dim=4, mapping_layers=2))
    (tmp_path / "a.pkl").write_bytes(forge({"G_ema": official(network)}))
    save_model(tmp_path / "b.safetensors", network)
    found = {load_generator(tmp_path / name, "cpu").fingerprint for name in ("a.pkl", "b.safetensors")}
    assert found == {fingerprint_of(network)}
