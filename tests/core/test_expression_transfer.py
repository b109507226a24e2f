"""Expression transfer: identities exact, thresholds in deviations of W, length kept."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganedit_widgets.core import LatentError
from ganedit_widgets.core.edits import Sample, TransferExpression, drive, run
from ganedit_widgets.core.edits.expression_transfer import w_deviation
from tests.tiny import odd, tiny

TINY = tiny()
ME, NEUTRAL = TINY.sample(1), TINY.sample(2)
SIZES = (0.1, 0.5, 1.0, 1.5, 2.0, 3.0)  # of the change in each layer, in deviations of W


def expressive():
    """The neutral picture, changed in each layer by a known length."""
    generator = torch.Generator().manual_seed(0)
    step = torch.nn.functional.normalize(torch.randn(6, 8, generator=generator), dim=1)
    return NEUTRAL.moved(step * torch.tensor(SIZES)[:, None] * w_deviation(TINY))


SMILE = expressive()


def transfer(*args, **options):
    return run(TINY, ME, TransferExpression(NEUTRAL, SMILE, *args, **options))


def change(latent):
    return latent.w - ME.w


def test_the_difference_is_added():
    assert torch.allclose(change(transfer()), SMILE.w - NEUTRAL.w, atol=1e-6)
    assert torch.allclose(change(transfer(-0.5)), -0.5 * (SMILE.w - NEUTRAL.w), atol=1e-6)


def test_the_neutral_picture_itself_becomes_the_expressive_one():
    done = run(TINY, NEUTRAL, TransferExpression(NEUTRAL, SMILE))
    assert torch.allclose(done.w, SMILE.w, atol=1e-6)


@settings(deadline=None, max_examples=30)
@given(st.floats(-4, 4), st.floats(0, 4))
def test_no_strength_or_no_expression_changes_nothing_at_all(strength, threshold):
    for edit in (
        TransferExpression(NEUTRAL, SMILE, 0.0, threshold),
        TransferExpression(SMILE, SMILE, strength, threshold),
        TransferExpression(NEUTRAL, SMILE, strength, threshold=float("inf")),
        TransferExpression(NEUTRAL, SMILE, strength, threshold, layers=()),
    ):
        done = run(TINY, ME, edit)
        assert torch.equal(done.w, ME.w) and not done.offsets


def test_layers_below_the_threshold_stay_and_the_others_keep_the_length_of_the_whole():
    moved = change(transfer(threshold=0.75))
    assert (moved != 0).any(1).tolist() == [False, False, True, True, True, True]
    assert float(moved.norm()) == pytest.approx(float((SMILE.w - NEUTRAL.w).norm()), rel=1e-4)


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 2.9))
def test_any_threshold_that_leaves_a_layer_keeps_the_length(threshold):
    moved = change(transfer(threshold=threshold))
    assert float(moved.norm()) == pytest.approx(float((SMILE.w - NEUTRAL.w).norm()), rel=1e-4)
    kept = (moved != 0).any(1).tolist()
    assert all(k == (size >= threshold) for k, size in zip(kept, SIZES, strict=True) if abs(size - threshold) > 1e-3)


def test_only_the_chosen_layers_move_and_only_they_share_the_length():
    plain, cleaned = change(transfer(layers=(1, 4))), change(transfer(layers=(4, 1), threshold=1.0))
    assert (plain != 0).any(1).tolist() == [False, True, False, False, True, False]
    assert torch.allclose(plain[[1, 4]], (SMILE.w - NEUTRAL.w)[[1, 4]], atol=1e-6)
    assert (cleaned != 0).any(1).tolist() == [False, False, False, False, True, False]
    assert float(cleaned.norm()) == pytest.approx(float(plain.norm()), rel=1e-4)


def test_a_deviation_is_the_distance_of_a_sample_from_the_average():
    apart = torch.stack([(TINY.sample(i).w - TINY.w_avg)[0].norm() for i in range(200)]).square().mean().sqrt()
    assert w_deviation(TINY) == pytest.approx(float(apart), rel=0.2)


def test_an_expression_made_of_style_offsets_is_carried_over_too():
    smile = NEUTRAL.shifted({"b8.conv0": torch.full((8,), 2.0)})
    done = run(TINY, ME, TransferExpression(NEUTRAL, smile, 0.5))
    assert torch.equal(done.offsets["b8.conv0"], torch.ones(8)) and torch.equal(done.w, ME.w)
    assert not run(TINY, ME, TransferExpression(NEUTRAL, smile, 0.5, layers=(0,))).offsets
    assert not run(TINY, ME, TransferExpression(smile, smile, 0.5)).offsets


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (TransferExpression(NEUTRAL, SMILE, float("nan")), "Strength nan"),
        (TransferExpression(NEUTRAL, SMILE, 1.0, -1.0), "threshold -1"),
        (TransferExpression(NEUTRAL, SMILE, 1.0, float("nan")), "threshold nan"),
        (TransferExpression(NEUTRAL, SMILE, layers=(2, 6)), "Layer 6.*layers 0 to 5"),
        (TransferExpression(NEUTRAL, odd().sample(1)), "checkpoint"),
        (TransferExpression(replace(NEUTRAL, w=NEUTRAL.w[:2]), SMILE), r"shape \(2, 8\)"),
    ],
    ids=range(6),
)
def test_says_in_a_sentence_what_is_wrong(edit, says):
    with pytest.raises(LatentError, match=says):
        run(TINY, ME, edit)


def test_many_drivers_give_one_edit_each():
    edits = drive(TINY, NEUTRAL, [NEUTRAL, SMILE, Sample(4)], 0.5, layers=(0, 1))
    films = [run(TINY, ME, edit) for edit in edits]
    assert torch.equal(films[0].w, ME.w)
    assert torch.equal(films[1].w, transfer(0.5, layers=(0, 1)).w)
    with pytest.raises(LatentError, match="checkpoint"):
        drive(TINY, NEUTRAL, [odd().sample(1)])
