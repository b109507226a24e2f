"""Parts of pictures: what is masked out has no influence, and each operation does what its name says."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core import ImageError, LatentError, Picture, edits, to_pixels
from ganedit_widgets.core.edits.objective import Objective, Part
from ganedit_widgets.core.masks import fit_mask, masked_target
from ganedit_widgets.core.perceptual import distance_to, pixel_errors, psnr, style_distance_to
from tests.tiny import odd, tiny

TINY = tiny()
AVERAGE = TINY.average()
ONE, OTHER = (TINY.draw(TINY.sample(seed)).detach().clamp(-1, 1) for seed in (7, 8))
LEFT = np.zeros((16, 16), bool)
LEFT[:, :8] = True
HOLE = np.zeros((16, 16), bool)
HOLE[5:11, 5:11] = True


def as_mask(mask):
    return torch.from_numpy(mask).float()[None, None]


def made(edit, latent=AVERAGE):
    told = []
    return edits.run(TINY, latent, edit, report=told.append), told


def error_in(picture, target, mask):
    return float(pixel_errors(picture, target, as_mask(mask))) / mask.mean()


# ---- masks


def test_a_mask_is_fitted_as_its_picture_is():
    mask = np.zeros((40, 80), np.uint8)
    mask[:, 40:60] = 255  # right half of the central square
    assert (fit_mask(mask, (20, 20)) == (np.arange(20) >= 10)).all()


def test_a_mask_of_any_size_and_type_means_the_same():
    small = np.eye(4, dtype=bool)
    wanted = fit_mask(small, (16, 16))
    for mask in (small.repeat(8, 0).repeat(8, 1), small.astype(np.uint8), small.astype(np.uint8) * np.uint8(200)):
        assert (fit_mask(mask, (16, 16)) == wanted).all()
    assert wanted.sum() == 64


def test_what_is_partly_inside_is_outside():
    mask = np.zeros((32, 32), bool)
    mask[:, :17] = True
    assert fit_mask(mask, (16, 16)).sum() == 8 * 16


@pytest.mark.parametrize(
    ("mask", "says"),
    [
        (np.zeros((4, 4), bool), "Nothing is inside"),
        (np.ones((4, 4)), "float64"),
        (np.ones((4, 4, 3), bool), r"\(4, 4, 3\)"),
        ([[True]], "list"),
    ],
)
def test_what_is_no_mask_is_refused(mask, says):
    with pytest.raises(ImageError, match=says):
        edits.run(TINY, AVERAGE, edits.embed_part(to_pixels(ONE), mask, 2))


# ---- no influence from outside


@pytest.mark.parametrize("kind", ["discriminator", "pyramid"])
@pytest.mark.parametrize("measure", [distance_to, style_distance_to])
def test_pixels_that_are_masked_out_have_no_slope(measure, kind):
    mask = as_mask(~HOLE)
    picture = OTHER.clone().requires_grad_()
    loss = measure(TINY, ONE, kind, mask)(picture) + pixel_errors(picture, ONE, mask)
    (slope,) = torch.autograd.grad(loss.sum(), picture)
    assert slope[:, :, HOLE].abs().max() == 0
    assert slope[:, :, ~HOLE].abs().max() > 0


@pytest.mark.parametrize("size", [(16, 16), (48, 48), (30, 41)])
@pytest.mark.parametrize("painted_on_the_crop", [False, True])
def test_the_hole_s_pixels_do_not_influence_what_fills_it(size, painted_on_the_crop):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (*size, 3), np.uint8)
    hole = HOLE if painted_on_the_crop else np.kron(np.eye(2, dtype=bool), np.ones((size[0] // 2, size[1] // 2), bool))
    if hole.shape != size and not painted_on_the_crop:
        hole = np.pad(hole, [(0, s - h) for s, h in zip(size, hole.shape, strict=True)])
    if painted_on_the_crop and size != (16, 16):
        pixels = np.array(Picture(pixels).fitted((16, 16)))
    inside = fit_mask(hole, pixels.shape[:2])
    changed = pixels.copy()
    changed[inside] = rng.integers(0, 256, (int(inside.sum()), 3), np.uint8)
    assert not np.array_equal(changed, pixels)
    once, twice = (made(edits.inpaint(p, hole, 6))[0] for p in (pixels, changed))
    assert torch.equal(once.w, twice.w)


def test_the_known_pixels_do_influence_it():
    changed = to_pixels(ONE)
    changed[0, 0] = 255 - changed[0, 0]
    once, twice = (made(edits.inpaint(p, HOLE, 6))[0] for p in (to_pixels(ONE), changed))
    assert not torch.equal(once.w, twice.w)


def test_what_is_painted_over_is_the_color_of_the_rest():
    pixels = np.full((16, 16, 3), 90, np.uint8)
    pixels[HOLE] = 255
    target, mask = masked_target(pixels, ~HOLE, (16, 16))
    assert target.unique().tolist() == pytest.approx([90 / 127.5 - 1])
    assert mask.sum() == (~HOLE).sum()


# ---- the operations


def test_reconstructing_is_embedding():
    one, _ = made(edits.reconstruct(to_pixels(ONE), 12))
    other, _ = made(edits.Embed(to_pixels(ONE), 12))
    assert torch.equal(one.w, other.w)


def test_an_embedded_part_is_like_inside_and_free_outside():
    latent, told = made(edits.embed_part(to_pixels(ONE), LEFT, 60))
    picture = TINY.draw(latent)
    assert error_in(picture, ONE, LEFT) < 0.2 * error_in(TINY.draw(AVERAGE), ONE, LEFT)
    assert told[-1]["psnr"] > told[0]["psnr"] + 5


def test_inpainting_recovers_what_the_model_knows():
    """The hole in the model's own pictures: on average over several far better than the average picture there."""
    errors = []
    for seed in range(5):
        whole = TINY.draw(TINY.sample(seed)).detach().clamp(-1, 1)
        pixels = to_pixels(whole)
        pixels[HOLE] = 0
        latent, _ = made(edits.inpaint(pixels, HOLE, 60))
        errors.append([error_in(TINY.draw(la), whole, HOLE) for la in (latent, AVERAGE)])
    filled, before = np.mean(errors, 0)
    assert filled < 0.6 * before


def test_a_joined_picture_is_like_each_on_its_side():
    latent, _ = made(edits.join(to_pixels(ONE), to_pixels(OTHER), LEFT, 80))
    picture = TINY.draw(latent)
    assert error_in(picture, ONE, LEFT) < 0.5 * error_in(picture, ONE, ~LEFT)
    assert error_in(picture, OTHER, ~LEFT) < 0.5 * error_in(picture, OTHER, LEFT)


def test_joining_a_picture_with_itself_is_nearly_embedding_it():
    latent, told = made(edits.join(to_pixels(ONE), to_pixels(ONE), LEFT, 60))
    _, whole = made(edits.reconstruct(to_pixels(ONE), 60))
    assert psnr(TINY.draw(latent), ONE) > whole[-1]["psnr"] - 3
    assert told[-1]["psnr"] == pytest.approx(psnr(TINY.draw(latent), ONE), abs=0.3)


def test_local_style_moves_the_style_inside_and_keeps_the_rest():
    style = style_distance_to(TINY, OTHER, mask=as_mask(LEFT))
    found = {}
    for strength in (0.0, 1.0):
        latent, _ = made(edits.local_style(to_pixels(ONE), to_pixels(OTHER), LEFT, strength, 80))
        found[strength] = TINY.draw(latent)
    assert style(found[1.0]) < 0.5 * style(found[0.0])
    assert error_in(found[1.0], ONE, ~LEFT) < 0.5 * error_in(found[1.0], OTHER, ~LEFT)


@pytest.mark.parametrize("kind", ["discriminator", "pyramid"])
def test_style_does_not_ask_where_things_lie(kind):
    distance = style_distance_to(TINY, ONE, kind)
    assert distance(ONE) < 1e-8
    assert distance(ONE.flip(3)) < 0.2 * distance(OTHER)


def test_a_scribble_is_followed_and_held_near():
    latent = TINY.sample(7, psi=0.5)
    pixels = to_pixels(TINY.draw(latent))
    pixels[HOLE] = 255
    painted = torch.ones(1, 3, 16, 16)
    away = {}
    for near in (0.0, 1.0):
        reached, told = made(edits.scribble(pixels, HOLE, near, 40), latent)
        away[near] = float((reached.w - latent.w).norm())
        assert error_in(TINY.draw(reached), painted, HOLE) < error_in(TINY.draw(latent), painted, HOLE)
        assert told[-1]["best"] < told[0]["best"]
    assert 0 < away[1.0] < away[0.0]


def test_parts_of_three_pictures_are_one_edit():
    thirds = [np.repeat((np.arange(16) * 3 // 16 == i)[None], 16, 0) for i in range(3)]
    pictures = [to_pixels(TINY.draw(TINY.sample(seed))) for seed in range(3)]
    parts = tuple(Part(p, m) for p, m in zip(pictures, thirds, strict=True))
    _, told = made(edits.EmbedParts(parts, 60))
    assert told[-1]["psnr"] > told[0]["psnr"] + 1


def test_a_model_without_a_critic_takes_parts_too():
    model = odd()
    edit = edits.local_style(np.full((32, 32, 3), 50, np.uint8), np.full((32, 32, 3), 200, np.uint8), LEFT, 1.0, 3)
    assert model.draw(edits.run(model, model.average(), edit)).isfinite().all()


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (edits.EmbedParts(()), "nothing to look for"),
        (edits.EmbedParts((Part(to_pixels(ONE), None, 0.0, 0.0),)), "nothing to look for"),
        (edits.EmbedParts((Part(to_pixels(ONE), None, -1.0),)), "positive"),
        (edits.EmbedParts((Part(to_pixels(ONE)),), near=float("inf")), "positive"),
        (edits.EmbedParts((Part(to_pixels(ONE)),), start="zero"), "'zero'.*'average'"),
        (edits.EmbedParts((Part(to_pixels(ONE)),), iterations=0), "0 steps"),
    ],
    ids=range(6),
)
def test_says_in_a_sentence_what_is_wrong(edit, says):
    with pytest.raises(LatentError, match=says):
        edits.run(TINY, AVERAGE, edit)


def test_the_objective_judges_each_of_several_by_itself():
    judge = Objective(TINY, [Part(to_pixels(ONE), LEFT), Part(to_pixels(OTHER), ~LEFT, style=1.0)], 0.03)
    latents = [TINY.sample(seed) for seed in range(3)]
    with torch.no_grad():
        together = judge(latents)
        alone = torch.cat([judge([latent]).loss for latent in latents])
    assert torch.allclose(together.loss, alone, atol=1e-5)
    assert together.best == int(alone.argmin())
