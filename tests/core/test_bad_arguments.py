"""What is given where a latent, a picture or a seed is needed is told in one sentence."""

import numpy as np
import pytest

from ganedit_widgets.core import ImageError, LatentError
from ganedit_widgets.core.edits import Embed, Sample, inpaint, run
from ganedit_widgets.core.generators.base import require_own
from tests.tiny import tiny

TINY = tiny()
HOLE = np.ones((16, 16), np.uint8)


@pytest.mark.parametrize("given", [Sample(3), "seed 3", None])
def test_what_is_no_latent_is_refused(given):
    with pytest.raises(LatentError, match="where a latent is needed"):
        require_own(TINY, given)


@pytest.mark.parametrize("given", ["file.png", None, 3])
def test_what_is_no_picture_is_refused(given):
    for edit in (lambda: Embed(given, 1), lambda: inpaint(given, HOLE, iterations=1)):
        with pytest.raises(ImageError, match="picture"):
            run(TINY, TINY.average(), edit())


@pytest.mark.parametrize("seed", [-1, 2**32, "a", 1.5])
def test_what_is_no_seed_is_refused(seed):
    with pytest.raises(LatentError, match="as a seed: give a whole number"):
        TINY.sample(seed)


def test_a_truncation_that_is_not_finite_is_refused():
    with pytest.raises(LatentError, match="ψ of nan"):
        TINY.sample(1, psi=float("nan"))
