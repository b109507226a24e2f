"""Several pictures found in one search."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core import LatentError, edits
from tests.tiny import tiny

TINY = tiny()


def photos(count):
    blocks = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), np.uint8)
    return list(blocks.repeat(4, 1).repeat(4, 2))


def searches(**options):
    return [edits.Embed(photo, **{"iterations": 10, **options}) for photo in photos(3)]


@pytest.mark.parametrize("options", [{}, {"space": "w"}, {"space": "z"}, {"start": "random"}, {"first_w": 4}])
def test_each_picture_is_found_as_by_itself(options):
    *_, together = edits.embed_many(TINY, searches(**options))
    for latent, search in zip(together, searches(**options), strict=True):
        alone = edits.run(TINY, TINY.average(), search)
        assert torch.allclose(TINY.draw(latent), TINY.draw(alone), atol=2e-2)
        assert not torch.equal(latent.w, TINY.average().w)


def test_each_keeps_the_best_of_its_own():
    told = []
    reached = list(edits.embed_many(TINY, searches(rate=2.0, iterations=12), told.append))
    bests = [one["best"] for one in told]
    assert bests == sorted(bests, reverse=True) and any(one["loss"] > one["best"] for one in told)
    assert [one["step"] for one in told] == list(range(1, 13))
    judge = searches()[0].judge(TINY, [search.picture for search in searches()])
    mean = float(judge(reached[-1]).loss.mean())
    assert mean == pytest.approx(told[-1]["best"], rel=1e-3)


def test_the_order_of_the_pictures_does_not_matter():
    *_, one = edits.embed_many(TINY, searches())
    *_, other = edits.embed_many(TINY, searches()[::-1])
    assert all(torch.allclose(a.w, b.w, atol=1e-3) for a, b in zip(one, other[::-1], strict=True))


def test_searches_that_differ_are_refused():
    with pytest.raises(LatentError, match="differ in iterations"):
        next(edits.embed_many(TINY, [edits.Embed(photos(1)[0], 3), edits.Embed(photos(1)[0], 4)]))
    with pytest.raises(LatentError, match="No picture"):
        next(edits.embed_many(TINY, []))
    with pytest.raises(LatentError, match="one restart"):
        next(edits.embed_many(TINY, searches(start="random", restarts=2)))
