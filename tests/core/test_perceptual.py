"""Distances that need no download: what they must see, and where they come from."""

import pytest
import torch

from ganedit_widgets.core import ModelError
from ganedit_widgets.core.perceptual import VGG16, VGG_NAME, distance_to, load_vgg, pixel_error, psnr, vgg_file
from tests.tiny import conditional, odd, tiny

TINY = tiny()
TARGET = TINY.draw(TINY.sample(3)).detach().clamp(-1, 1)


@pytest.fixture
def vgg(tmp_path, monkeypatch):
    """A file with VGG-16's shapes, named as torchvision's in torch hub's folder."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.delenv("GANEDIT_VGG", raising=False)
    (tmp_path / "checkpoints").mkdir()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        state = VGG16().state_dict() | {"classifier.0.weight": torch.zeros(1)}
    path = tmp_path / "checkpoints" / VGG_NAME
    torch.save(state, path)
    return path


@pytest.fixture
def no_vgg(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.delenv("GANEDIT_VGG", raising=False)


# ---- the convention


def test_errors_are_on_the_scale_of_minus_one_to_one():
    black, white = torch.full((1, 3, 2, 2), -1.0), torch.ones(1, 3, 2, 2)
    assert pixel_error(black, white) == 4
    assert psnr(black, white) == 0
    assert psnr(torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.2)) == pytest.approx(20)
    assert psnr(white, white * 5) > 90  # what cannot be seen does not count


# ---- every kind


@pytest.mark.parametrize("kind", ["discriminator", "pyramid", "vgg"])
def test_a_distance_is_zero_at_the_target_grows_with_the_error_and_has_a_slope(kind, vgg):
    distance = distance_to(TINY, TARGET, kind)
    assert distance(TARGET) < 1e-6
    noise = torch.randn(TARGET.shape, generator=torch.Generator().manual_seed(0))
    near, far = (TARGET + scale * noise for scale in (0.05, 0.5))
    assert 0 < distance(near) < distance(far)
    near.requires_grad_()
    (slope,) = torch.autograd.grad(distance(near), near)
    assert slope.isfinite().all() and slope.abs().max() > 0
    with torch.no_grad():
        assert distance(near - 0.01 / slope.abs().max() * slope) < distance(near)


@pytest.mark.parametrize("kind", ["discriminator", "pyramid", "vgg"])
def test_a_black_picture_is_no_trouble(kind, vgg):
    black = torch.full_like(TARGET, -1).requires_grad_()
    (slope,) = torch.autograd.grad(distance_to(TINY, TARGET, kind)(black), black)
    assert slope.isfinite().all()


def test_features_are_compared_by_their_direction_only():
    """As in LPIPS: where the critic's features only grow, nothing is seen."""
    critic = TINY.discriminator
    distance = distance_to(TINY, TARGET, "discriminator")
    picture = TINY.draw(TINY.sample(4))
    errors = []
    for mine, theirs in zip(critic.features(picture), critic.features(TARGET), strict=True):
        unit = [f / f.norm(dim=1, keepdim=True) for f in (mine, theirs)]
        errors.append((unit[0] - unit[1]).square().sum(1).mean())
    assert distance(picture) == pytest.approx(float(sum(errors) / len(errors)), rel=1e-4)


def test_the_pyramid_sees_an_edge_that_pixels_hardly_do():
    distance = distance_to(odd(), torch.zeros(1, 3, 32, 32), "pyramid")
    flat, striped = torch.full((1, 3, 32, 32), 0.1), torch.zeros(1, 3, 32, 32)
    striped[..., ::2] = 0.1 * 2**0.5
    assert pixel_error(flat, torch.zeros(1)) == pytest.approx(float(pixel_error(striped, torch.zeros(1))))
    assert distance(flat) != pytest.approx(float(distance(striped)))


# ---- where they come from


def test_the_models_own_critic_comes_first(vgg):
    own, auto = (distance_to(TINY, TARGET, kind)(-TARGET) for kind in ("discriminator", "auto"))
    assert own == auto


def test_without_a_critic_vgg_is_used_if_it_lies_on_disk(vgg):
    target = odd().draw(odd().sample(1))
    assert distance_to(odd(), target)(-target) == distance_to(odd(), target, "vgg")(-target)


def test_without_both_the_pyramid_is_used(no_vgg):
    target = odd().draw(odd().sample(1))
    assert distance_to(odd(), target)(-target) == distance_to(odd(), target, "pyramid")(-target)


def test_a_conditional_critic_needs_no_label():
    model = conditional()
    assert distance_to(model, TARGET, "discriminator")(-TARGET) > 0


def test_a_named_file_goes_before_torch_hubs(vgg, tmp_path, monkeypatch):
    assert vgg_file() == vgg
    monkeypatch.setenv("GANEDIT_VGG", str(vgg))
    assert vgg_file() == vgg
    monkeypatch.setenv("GANEDIT_VGG", str(tmp_path / "nowhere.pth"))
    with pytest.raises(ModelError, match="GANEDIT_VGG says"):
        vgg_file()


def test_vgg_taps_the_five_sizes(vgg):
    sizes = [tuple(f.shape[1:]) for f in load_vgg(vgg)(torch.zeros(1, 3, 300, 300))]
    assert sizes == [(64, 256, 256), (128, 128, 128), (256, 64, 64), (512, 32, 32), (512, 16, 16)]
    assert all((f >= 0).all() for f in load_vgg(vgg)(torch.randn(1, 3, 32, 32)))  # after the ReLU


@pytest.mark.parametrize(
    ("model", "kind", "says"),
    [
        (odd, "discriminator", "without its discriminator"),
        (tiny, "vgg", "No VGG-16 weights.*GANEDIT_VGG"),
        (tiny, "lpips", "'lpips' is unknown.*pyramid"),
    ],
)
def test_a_kind_that_cannot_be_had_is_refused_with_what_to_do(model, kind, says, no_vgg):
    with pytest.raises(ModelError, match=says):
        distance_to(model(), TARGET, kind)


@pytest.mark.parametrize("contents", [b"", b"hello", b"PK\x03\x04 no zip"])
def test_a_file_that_holds_no_vgg_is_refused(tmp_path, contents):
    (tmp_path / "vgg.pth").write_bytes(contents)
    with pytest.raises(ModelError, match=r"vgg\.pth holds no VGG-16 weights"):
        load_vgg(tmp_path / "vgg.pth")
