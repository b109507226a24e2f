"""The walk downhill: what it keeps, reports and survives; and that embedding finds what it looks for."""

import gc
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from ganedit_widgets.core import LatentError, ModelError, edits, to_pixels
from ganedit_widgets.core.descent import Adam, Judgement, descend, pace
from ganedit_widgets.core.generators import Generator
from tests.tiny import tiny

TINY = tiny()
LATENT = TINY.sample(1)
TRUE = TINY.sample(7)
WANTED = to_pixels(TINY.draw(TRUE))


def latent_of(x):
    return replace(LATENT, w=x)


def walk(losses, **options):
    """Descend where step i has the loss losses[i]; return the latents yielded and what was reported."""
    left, told = iter(losses), []

    def judge(latent):
        loss = latent.w.sum() * 0 + next(left)
        return Judgement(loss, torch.zeros(1, 3, 2, 2), {"loss again": float(loss.detach())})

    steps = descend([LATENT.w], latent_of, judge, len(losses), 0.1, told.append, **options)
    return list(steps), told


# ---- the loop


def test_the_best_so_far_is_yielded_and_reported():
    latents, told = walk([5.0, 3.0, 4.0, 2.0, 9.0])
    assert [n["best"] for n in told] == [5, 3, 3, 2, 2]
    assert [n["loss"] for n in told] == [5, 3, 4, 2, 9]
    assert [n["loss again"] for n in told] == [5, 3, 3, 2, 2]
    assert [n["step"] for n in told] == [1, 2, 3, 4, 5]
    assert latents[1] is latents[2] and latents[3] is latents[4] and latents[0] is not latents[1]


def test_it_finds_the_bottom_of_a_bowl():
    def judge(latent):
        return Judgement((latent.w - TRUE.w).square().sum(), torch.zeros(1, 3, 2, 2))

    *_, last = descend([LATENT.w], latent_of, judge, 200, 0.1, lambda _: None)
    assert torch.allclose(last.w, TRUE.w, atol=1e-2)


def test_stopping_early_is_the_same_walk_cut_short():
    def judge(latent):
        return Judgement((latent.w - TRUE.w).square().sum(), torch.zeros(1, 3, 2, 2))

    whole = list(descend([LATENT.w], latent_of, judge, 20, 0.1, lambda _: None))
    cut = list(descend([LATENT.w], latent_of, judge, 20, 0.1, lambda _: None, stop_after=7))
    assert len(cut) == 7 and all(torch.equal(a.w, b.w) for a, b in zip(cut, whole, strict=False))


def test_each_step_judges_once():
    assert len(walk([1.0, 2.0, 3.0])[0]) == 3  # a fourth call would end the iterator of losses


def test_a_loss_that_is_not_finite_ends_the_walk_with_a_sentence():
    with pytest.raises(LatentError, match="step 2: choose a smaller rate"):
        walk([1.0, float("nan"), 1.0])


def test_what_was_yielded_stays_as_it_was():
    def judge(latent):
        return Judgement((latent.w - TRUE.w).square().sum(), torch.zeros(1, 3, 2, 2))

    steps = descend([LATENT.w], latent_of, judge, 5, 0.1, lambda _: None)
    first = next(steps)
    before = first.w.clone()
    assert len(list(steps)) == 4
    assert torch.equal(first.w, before)


def test_an_abandoned_walk_lets_go_of_its_picture():
    seen = []

    def judge(latent):
        picture = TINY.draw(latent)
        seen.append(weakref.ref(picture))
        return Judgement(picture.square().mean(), picture)

    steps = descend([LATENT.w], latent_of, judge, 5, 0.1, lambda _: None)
    next(steps)
    steps.close()
    del steps
    gc.collect()
    assert seen[0]() is None


def test_adam_is_torchs():
    slopes = [torch.randn(3, 4, generator=torch.Generator().manual_seed(i)) for i in range(30)]
    mine, theirs = torch.ones(3, 4), torch.ones(3, 4).requires_grad_()
    adam, reference = Adam([mine]), torch.optim.Adam([theirs])
    for i, slope in enumerate(slopes):
        adam.step([slope], 0.1 / (i + 1))
        theirs.grad, reference.param_groups[0]["lr"] = slope, 0.1 / (i + 1)
        reference.step()
    assert torch.allclose(mine, theirs, atol=1e-6)


def test_the_pace_rises_holds_and_falls():
    rates = [pace(step, 100) for step in range(1, 101)]
    assert rates[:4] == sorted(rates[:4]) and rates[4:75] == [1.0] * 71
    assert rates[75:] == sorted(rates[75:], reverse=True) and rates[-1] == 0
    assert pace(1, 1) == 0 and 0 < pace(1, 2) <= 1


# ---- embedding


def embed(picture=WANTED, **options):
    told = []
    reached = edits.run(TINY, LATENT, edits.Embed(picture, **options), report=told.append)
    return reached, told


@pytest.mark.parametrize("space", ["w", "w+", "z"])
def test_the_likeness_grows_much(space):
    _, told = embed(iterations=60, space=space)
    assert told[-1]["best"] < 0.6 * told[0]["best"] or told[-1]["psnr"] > 30
    assert told[-1]["psnr"] > 20


def test_a_picture_of_the_model_is_found_where_it_is():
    """Self-inversion: starting at the true latent, the search stays, and says how like it is."""
    true = TINY.sample(7, psi=0.3)  # well within [-1, 1], so that its bytes say all
    wanted = to_pixels(TINY.draw(true))
    told = []
    reached = edits.run(TINY, true, edits.Embed(wanted, 20, start="current", stay=0), report=told.append)
    assert told[0]["loss"] < 1e-3 and told[-1]["best"] <= told[0]["loss"]
    assert abs(to_pixels(TINY.draw(reached)).astype(int) - wanted).max() <= 1


def test_w_plus_comes_nearer_than_w():
    photo = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    found = {space: embed(photo, iterations=50, space=space, stay=0)[1][-1] for space in ("w", "w+")}
    assert found["w+"]["best"] < found["w"]["best"]


def test_staying_near_keeps_the_latent_near():
    photo = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    far, near = (embed(photo, iterations=40, stay=stay)[1][-1]["distance"] for stay in (0.0, 0.3))
    assert near < 0.8 * far


def test_the_reported_picture_is_that_of_the_yielded_latent():
    told = []
    for latent in edits.Embed(WANTED, iterations=8, rate=0.5).steps(TINY, LATENT, told.append):
        assert torch.allclose(told[-1]["picture"], TINY.draw(latent), atol=1e-5)
        assert not told[-1]["picture"].requires_grad


def test_w_stays_in_w_and_z_in_z():
    for space in ("w", "z"):
        reached, _ = embed(iterations=10, space=space)
        assert torch.equal(reached.w, reached.w[:1].expand(6, -1))
    reached, _ = embed(iterations=10, space="w+")
    assert not torch.allclose(reached.w, reached.w[:1].expand(6, -1))


def test_the_average_start_is_the_average_and_the_current_one_the_latent_at_hand():
    first = next(edits.Embed(WANTED).steps(TINY, LATENT))
    assert torch.allclose(first.w, TINY.average().w, atol=1e-5)
    shifted = LATENT.shifted({"b8.conv0": torch.ones(8)})
    first = next(edits.Embed(WANTED, start="current").steps(TINY, shifted))
    assert torch.allclose(first.w, LATENT.w, atol=1e-4) and "b8.conv0" in first.offsets


def test_the_random_start_is_the_likest_of_several():
    latents = [TINY.latent(w) for w in TINY.w_samples[:16]]
    wanted = to_pixels(TINY.draw(latents[11]))
    first = next(edits.Embed(wanted, start="random").steps(TINY, LATENT))
    assert torch.allclose(first.w, latents[11].w, atol=1e-4)


def test_a_picture_of_another_size_is_fitted():
    photo = np.random.default_rng(0).integers(0, 256, (40, 70, 3), np.uint8)
    reached, _ = embed(photo, iterations=2)
    assert TINY.draw(reached).shape == (1, 3, 16, 16)


def test_a_model_loaded_in_inference_mode_is_refused():
    with torch.inference_mode():
        frozen = tiny()
    with pytest.raises(ModelError, match="inference_mode"):
        edits.run(frozen, frozen.average(), edits.Embed(WANTED, iterations=2))


def test_what_was_measured_in_inference_mode_does_no_harm():
    fresh = tiny()
    with torch.inference_mode():
        assert fresh.w_samples.is_inference()
        latent = edits.run(fresh, fresh.sample(2), edits.Embed(WANTED, iterations=2, start="current"))
    assert not latent.w.is_inference()
    edits.run(fresh, latent, edits.Embed(WANTED, iterations=2, start="random"))


def test_a_network_without_a_critic_embeds_too():
    bare = Generator(tiny().network)
    told = []
    edits.run(bare, bare.average(), edits.Embed(WANTED, iterations=60), report=told.append)
    assert told[-1]["psnr"] > 20


def test_the_first_step_does_not_wait_for_a_compiler():
    """torch.optim imports it when first used: seconds in which nothing seems to happen."""
    asked = (
        "import sys; from tests.tiny import tiny; from ganedit_widgets.core import edits, to_pixels; g = tiny();"
        "edits.run(g, g.average(), edits.Embed(to_pixels(g.draw(g.sample(1))), iterations=2));"
        "print('torch._dynamo' in sys.modules, 'sympy' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, cwd=".")
    assert answer.stdout.strip() == "False False"
