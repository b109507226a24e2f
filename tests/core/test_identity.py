"""How much of a person is kept: 1 for the same outside the expression, less and less with every change there."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core import LatentError
from ganedit_widgets.core.identity import expression_region, identity_kept
from ganedit_widgets.core.image import to_pixels
from tests.tiny import odd, tiny, tiny3

TINY = tiny()
ME, NEUTRAL, SMILE = (TINY.sample(seed) for seed in (1, 2, 3))


def kept(after, before=ME, neutral=NEUTRAL, expressive=SMILE, **options):
    return identity_kept(TINY, before, after, neutral, expressive, **options)


def test_nothing_changed_is_all_of_the_person_and_a_stranger_is_little():
    same = kept(ME)
    assert same.share == 1 and same.word == "kept" and np.array_equal(same.before, same.after)
    strangers = [kept(TINY.sample(seed)).share for seed in range(10, 18)]
    assert max(strangers) < 0.7 and np.mean(strangers) < 0.4


@pytest.mark.parametrize("kind", ["auto", "pyramid"])
def test_the_further_away_the_less_is_kept(kind):
    shares = [kept(ME.moved(share * (SMILE.w - ME.w)), kind=kind).share for share in (0.05, 0.2, 0.6, 1.0)]
    assert shares == sorted(shares, reverse=True) and shares[0] > shares[-1] + 0.3


def pictures_that_differ(rows, columns):
    one = torch.zeros(1, 3, 32, 32)
    other = one.clone()
    other[..., rows, columns] = 1.0
    return one, other


def test_the_region_is_where_the_drivers_pictures_differ():
    found = expression_region(*pictures_that_differ(slice(20, 28), slice(8, 24)))
    inside = np.zeros((32, 32), bool)
    inside[20:28, 8:24] = True
    assert found[inside].all() and found.sum() < 1.6 * inside.sum()
    assert not expression_region(torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)).any()


def test_the_region_never_takes_most_of_the_picture():
    noise = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert expression_region(-noise, noise).mean() <= 0.41


def test_only_what_lies_outside_the_region_is_judged(monkeypatch):
    """A change that lies wholly inside costs nothing, the same change outside does."""
    before, after = TINY.draw(ME), TINY.draw(ME).clone()
    after[..., 2:6, 2:6] = -after[..., 2:6, 2:6] - 0.5
    shares = []
    for rows in (slice(1, 7), slice(9, 15)):
        neutral, expressive = torch.zeros(1, 3, 16, 16), torch.zeros(1, 3, 16, 16)
        expressive[..., rows, 1:7] = 1.0
        drawn = iter([neutral, expressive, before, after])
        with monkeypatch.context() as patch:
            TINY.__dict__.pop("_strangers", None)
            kept(ME)  # the strangers are drawn
            patch.setattr(TINY, "draw", lambda latent, drawn=drawn: next(drawn))
            found = kept(ME)
        shares.append(found.share)
        assert np.array_equal(found.after, to_pixels(after)) and found.region[3:6, 3:6].all() == (rows.start == 1)
        gray = found.judged[found.region].astype(int)
        assert (abs(gray - 128) <= abs(to_pixels(after)[found.region].astype(int) - 128)).all()
    assert shares[0] == 1 and shares[1] < 0.95


@pytest.mark.parametrize("build", [odd, tiny3])
def test_models_without_a_discriminator_are_judged_too(build):
    model = build()
    a, b = model.sample(1), model.sample(2)
    neutral, expressive = model.sample(3), model.sample(4)
    assert identity_kept(model, a, a, neutral, expressive).share == 1
    assert identity_kept(model, a, b, neutral, expressive).share < 0.8


def test_a_latent_of_another_model_is_refused():
    with pytest.raises(LatentError, match="checkpoint"):
        kept(tiny(1).sample(1))
