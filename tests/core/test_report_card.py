"""The report card: numbers that mean the same for every model, and a verdict that follows from them."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core import LatentError, to_pixels
from ganedit_widgets.core.edits import Embed, run
from ganedit_widgets.core.probes.whitening import Whitening
from ganedit_widgets.core.report_card import ReportCard, _verdict, card_steps, difference, finish, report_card
from tests.tiny import odd, tiny, tiny3


def own(generator, seed=7):
    """A latent and exactly its picture."""
    latent = generator.sample(seed)
    with torch.no_grad():
        return latent, to_pixels(generator.draw(latent))


@pytest.mark.parametrize("make", [tiny, odd, tiny3])
def test_the_models_own_picture_is_close_inside_and_reacts_as_usual(make):
    generator = make()
    ratios = []
    for seed in range(20, 26):
        card = report_card(generator, *own(generator, seed))
        assert card.words["likeness"] == "close" and card.psnr > 40
        assert card.distance == pytest.approx(float(Whitening.of(generator).distance(generator.sample(seed).w)))
        assert np.array_equal(card.before, card.after) and not card.difference.any()
        ratios.append(card.editability)
    assert 0.6 < np.median(ratios) < 1.6


def test_a_stranger_is_a_poor_likeness_and_embedding_makes_it_better(generator):
    wanted = own(generator, 8)[1]
    before = report_card(generator, generator.sample(9), wanted)
    after = report_card(generator, run(generator, generator.average(), Embed(wanted, 60)), wanted)
    assert after.likeness < before.likeness and after.psnr > before.psnr
    assert before.words["likeness"] == "poor"


def test_a_spoiled_corner_is_named_though_the_whole_is_close(generator):
    latent, picture = own(generator)
    assert report_card(generator, latent, picture).worst < 0.7
    spoiled = np.ascontiguousarray(picture)
    corner = spoiled[-len(spoiled) // 5 :, : len(spoiled) // 5]
    corner[:] = np.where(corner > 127, 0, 255)
    card = report_card(generator, latent, spoiled)
    assert card.worst > 0.7 and "but for the lower left" in card.verdict
    assert card.where[0] < 0.3 and card.where[1] > 0.7


def test_only_what_is_inside_the_mask_is_judged(generator):
    latent, picture = own(generator)
    wanted, inside = np.ascontiguousarray(picture), np.ones(picture.shape[:2], bool)
    inside[:, len(picture) // 2 :] = False
    wanted[~inside] = 255 - wanted[~inside]
    whole, part = report_card(generator, latent, wanted), report_card(generator, latent, wanted, inside)
    assert whole.words["likeness"] == "poor" and part.words["likeness"] == "close"
    assert not part.difference.any() and np.array_equal(part.before, wanted)
    wanted[inside] = 255 - wanted[inside]
    spoiled, half = report_card(generator, latent, wanted), report_card(generator, latent, wanted, inside)
    assert half.psnr == pytest.approx(spoiled.psnr, abs=1.5)  # a small part of a poor likeness is as poor
    assert not half.difference[~inside].any() and half.difference[inside].any()


def test_a_latent_far_outside_is_called_so(generator):
    latent, picture = own(generator)
    far = latent.moved(5 * (latent.w - generator.w_avg))
    card = report_card(generator, far, picture)
    assert card.words["distance"] == "outside" and "far outside" in card.verdict
    assert card.distance > 1.3 * card.usual_distance > report_card(generator, latent, picture).distance


def test_the_samples_themselves_are_almost_never_outside(generator):
    distances = Whitening.of(generator).to_u(generator.w_samples).square().mean(1).sqrt()
    usual = report_card(generator, *own(generator)).usual_distance
    assert (distances > usual).float().mean() == pytest.approx(0.01, abs=0.002)


def card_of(**values):
    pixels = np.zeros((8, 8, 3), np.uint8)
    given = {"likeness": 0.1, "distance": 1.0, "usual_distance": 1.4, "editability": 1.0, **values}
    return ReportCard(pixels, pixels, pixels, psnr=30.0, perceptual=0.1, **given)


@pytest.mark.parametrize(
    ("values", "said", "advised"),
    [
        ({}, "A close likeness, where the model draws by itself; it follows edits as usual", "ready to be edited"),
        ({"likeness": 0.5}, "A fair likeness", "More steps"),
        ({"worst": 0.9, "where": (0.5, 0.8)}, "A close likeness but for the lower middle, where", "More steps"),
        ({"worst": 0.9, "where": (0.1, 0.5)}, "A close likeness but for the left, where", "More steps"),
        ({"worst": 0.6}, "A close likeness, where", "ready to be edited"),
        ({"likeness": 0.9, "worst": 2.0}, "A poor likeness.", "take more steps"),
        ({"likeness": 0.9}, "A poor likeness.", "upright and as large; then take more steps"),
        ({"likeness": 0.9, "distance": 3.0}, "A poor likeness, far outside what", "hardly knows such pictures"),
        ({"distance": 1.5}, "at the rim", "ready to be edited"),
        ({"distance": 3.0}, "far outside", "search in W"),
        ({"editability": 0.2}, "edits hardly move it", "larger strengths"),
        ({"editability": 3.0}, "edits move it far", "smaller strengths"),
    ],
)
def test_the_verdict_follows_from_the_numbers(values, said, advised):
    verdict, advice = _verdict(card_of(**values))
    assert said in verdict and advised in advice
    assert verdict.endswith(".") and advice.endswith(".")


def test_the_difference_shows_where_and_how_much():
    one, other = np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8, 3), np.uint8)
    other[0, 0, 1], other[1, 1] = 10, 200
    found = difference(one, other)
    assert (found[0, 0] == 20).all() and (found[1, 1] == 255).all() and not found[2:].any()
    assert np.array_equal(found, difference(other, one))


def test_it_pauses_between_drawings_and_gives_the_same_card(generator):
    latent, picture = own(generator)
    pauses = []

    def counted():
        steps = card_steps(generator, latent, picture)
        while True:
            try:
                pauses.append(next(steps))
            except StopIteration as end:
                return end.value
            yield

    card = finish(counted())
    assert len(pauses) >= 9
    assert card.likeness == report_card(generator, latent, picture).likeness


def test_it_leaves_the_grad_mode_alone_and_draws_without_gradients(generator):
    latent, picture = own(generator)
    with torch.enable_grad():
        for _ in card_steps(generator, latent, picture):
            assert torch.is_grad_enabled()


def test_a_foreign_latent_is_refused(generator):
    with pytest.raises(LatentError, match="checkpoint"):
        report_card(generator, *own(tiny(seed=1)))
