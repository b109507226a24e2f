"""StyleGAN3: its filters, its schedule, and an input that can be moved and turned."""

import numpy as np
import pytest
import scipy.signal
import scipy.special
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganedit_widgets.core.generators.filters3 import bessel_j1, kaiser_beta, lowpass
from ganedit_widgets.core.generators.schedule3 import stylegan3_config
from ganedit_widgets.core.generators.stylegan3 import StyleGAN3
from ganedit_widgets.core.readers.open import read_model
from tests.core.vectors import FOLDER
from tests.tiny import tiny3

quick = settings(max_examples=30, deadline=None)


@quick
@given(st.integers(2, 40), st.floats(0.5, 100), st.floats(0.1, 60), st.sampled_from([32.0, 64.0, 256.0]), st.booleans())
def test_filters_are_those_of_scipy(taps, cutoff, width, rate, radial):
    cutoff, width = min(cutoff, 0.49 * rate), min(width, 0.49 * rate)
    assert kaiser_beta(taps, width, rate) == pytest.approx(
        scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width / (rate / 2))), abs=1e-9
    )
    found = lowpass(taps, cutoff, width, rate, radial).double().numpy()
    if radial:
        x = (np.arange(taps) - (taps - 1) / 2) / rate
        r = np.hypot(*np.meshgrid(x, x))
        r[r == 0] = 1e-9
        window = np.kaiser(taps, kaiser_beta(taps, width, rate))
        expected = scipy.special.j1(2 * np.pi * cutoff * r) / (np.pi * r) * np.outer(window, window)
        expected /= expected.sum()
    else:
        expected = scipy.signal.firwin(taps, cutoff, width=width, fs=rate)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6 * np.abs(expected).max())


def test_the_bessel_function_is_scipys():
    x = np.linspace(-90, 90, 2001)
    np.testing.assert_allclose(bessel_j1(x), scipy.special.j1(x), atol=1e-13)


def test_one_tap_is_no_filter():
    assert lowpass(1, 3.0, 2.0, 16.0) is None


SCHEDULES = {  # of the released checkpoints
    ("stylegan3-t", 1024, 32768, 512): "L0_36_512 L1_36_512 L2_52_512 L3_52_512 L4_84_512 L5_148_512 L6_148_512 "
    "L7_276_323 L8_276_203 L9_532_128 L10_1044_81 L11_1044_51 L12_1044_32 L13_1024_32 L14_1024_3",
    ("stylegan3-r", 512, 65536, 1024): "L0_36_1024 L1_36_1024 L2_52_1024 L3_52_1024 L4_84_1024 L5_84_1024 "
    "L6_148_1024 L7_148_967 L8_276_645 L9_276_431 L10_532_287 L11_532_192 L12_532_128 L13_512_128 L14_512_3",
    ("stylegan3-t", 256, 16384, 512): "L0_36_512 L1_36_512 L2_36_512 L3_52_512 L4_52_512 L5_84_512 L6_84_512 "
    "L7_148_362 L8_148_256 L9_148_181 L10_276_128 L11_276_91 L12_276_64 L13_256_64 L14_256_3",
}
PADDING = {1024: {(9, 8), (-6, -9), (-11, -12), (0, 0)}, 512: {(11, 10), (-2, -5), (-9, -10), (0, 0)}}


@pytest.mark.parametrize("key", SCHEDULES)
def test_the_schedule_is_the_papers(key):
    family, resolution, base, most = key
    cfg = stylegan3_config(resolution, family, channel_base=base, channel_max=most)
    assert " ".join(layer.name for layer in cfg.layers) == SCHEDULES[key]
    if resolution in PADDING:
        assert {layer.padding[:2] for layer in cfg.layers} == PADDING[resolution]
    assert cfg.num_ws == 16


@pytest.mark.parametrize(
    ("file", "family", "base", "most"),
    [("sg3t-32.pkl", "stylegan3-t", 256, 32), ("sg3r-32.pkl", "stylegan3-r", 512, 64)],
)
def test_a_network_from_scratch_has_the_filters_and_layers_of_a_file(file, family, base, most):
    stored = read_model(FOLDER / file).generator
    options = {"z_dim": 32, "w_dim": 32}
    cfg = stylegan3_config(32, family, num_layers=6, channel_base=base, channel_max=most, **options)
    assert cfg == stored.cfg
    fresh = StyleGAN3(cfg).state_dict()
    assert fresh.keys() == stored.tensors.keys()
    for name in [n for n in fresh if n.endswith("_filter")]:
        np.testing.assert_allclose(fresh[name].numpy(), stored.tensors[name], rtol=1e-5, atol=1e-7)


@quick
@given(st.floats(-0.2, 0.2), st.floats(-0.2, 0.2))
def test_moving_the_input_of_stylegan3_moves_its_features(dx, dy):
    generator = tiny3()
    layer = generator.network.synthesis.input
    style = torch.tensor([[1.0, 0, 0, 0]])
    with torch.no_grad():
        moved = layer(style + torch.tensor([[0, 0, dx, dy]]))
        layer.transform.copy_(torch.tensor([[1.0, 0, -dx], [0, 1, -dy], [0, 0, 1]]))
        torch.testing.assert_close(layer(style), moved, rtol=1e-4, atol=1e-4)


def test_rotating_the_input_by_a_right_angle_turns_the_features_exactly():
    layer = tiny3("stylegan3-r").network.synthesis.input
    with torch.no_grad():
        upright = layer(torch.tensor([[1.0, 0, 0, 0]]))
        turned = layer(torch.tensor([[0.0, 1, 0, 0]]))
    ways = [torch.rot90(upright, k, (2, 3)) for k in (1, -1)]
    assert min((way - turned).abs().max() for way in ways) < 1e-4


def test_stylegan3_with_a_label_needs_one():
    generator = tiny3(c_dim=2)
    a, b = (generator.sample(0, label=torch.eye(2)[k]) for k in range(2))
    assert not torch.equal(a.w, b.w)
    torch.testing.assert_close(generator.sample(0).w, generator.sample(0, label=torch.zeros(2)).w)
