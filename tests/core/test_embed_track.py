"""Keyframes: what is kept of a search, and that one can go on from any of them."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core import edits, to_pixels
from ganedit_widgets.core.track import Track
from tests.tiny import tiny

TINY = tiny()
WANTED = to_pixels(TINY.draw(TINY.sample(7)))


def followed(count, **options):
    track = Track(**options)
    reached = list(track.follow(edits.Embed(WANTED, count), TINY, TINY.average()))
    return track, reached


def test_the_first_every_kth_and_the_last_are_kept():
    track, reached = followed(13, every=5)
    assert [frame.step for frame in track.keyframes] == [1, 5, 10, 13]
    assert all(frame.latent is reached[frame.step - 1] for frame in track.keyframes)


def test_numbers_are_kept_and_pictures_are_not():
    told = []
    track = Track(every=2)
    for _ in track.follow(edits.Embed(WANTED, 6), TINY, TINY.average(), told.append):
        pass
    assert "picture" in told[3] and "picture" not in track.at(4).numbers
    assert track.at(4).numbers["psnr"] == told[3]["psnr"]


def test_a_long_search_takes_bounded_memory():
    track = Track(every=1, most=20)
    latent = TINY.average()
    for step in range(1, 1001):
        track.add(latent, {"step": step})
        assert len(track) <= 21 and track.keyframes[-1].step == step
    steps = [frame.step for frame in track.keyframes]
    assert steps[0] == 1 and len(steps) >= 10
    assert np.ptp(np.diff(steps[1:-1])) == 0


def test_the_nearest_before_a_step_is_found():
    track, _ = followed(13, every=5)
    assert [track.at(step).step for step in (0, 1, 4, 5, 12, 13, 99)] == [1, 1, 1, 5, 10, 13, 13]
    with pytest.raises(LookupError):
        Track().at(1)


def test_one_can_go_back_change_a_weight_and_go_on():
    track, reached = followed(40, every=10)
    frame = track.at(20)
    told = []
    nearer = edits.Embed(WANTED, 20, start="current", stay=0.5)
    edits.run(TINY, frame.latent, nearer, report=told.append)
    same = []
    next(edits.Embed(WANTED, 20, start="current").steps(TINY, frame.latent, same.append))
    assert same[0]["loss"] == pytest.approx(frame.numbers["best"], rel=1e-3)
    assert told[-1]["distance"] < frame.numbers["distance"]
    assert torch.equal(track.at(40).latent.w, reached[-1].w)  # what was kept is as it was
