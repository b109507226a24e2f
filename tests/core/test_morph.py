"""Morphs: keyframes exact, ways straight or round, time as asked, loops without a jump."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganedit_widgets.core import LatentError, Morph, to_pixels
from ganedit_widgets.core.code import script_files, script_for
from ganedit_widgets.core.easing import EASINGS, delayed, edges
from ganedit_widgets.core.edits import Restore, Sample, run
from ganedit_widgets.core.groups import layer_groups
from ganedit_widgets.core.morph_path import Speed, slerp
from ganedit_widgets.core.perceptual import pixel_error
from tests.tiny import conditional, odd, tiny, tiny3

TINY = tiny()
SEEDS = tuple(Sample(seed, 1.0) for seed in (1, 2, 3))
A, B, C = (TINY.sample(seed) for seed in (1, 2, 3))


def pictures(latents, model=TINY):
    return [to_pixels(model.draw(latent)) for latent in latents]


# ---- keyframes


@settings(deadline=None, max_examples=40)
@given(
    count=st.integers(2, 8),
    more=st.integers(0, 30),
    easing=st.sampled_from(sorted(EASINGS)),
    path=st.sampled_from(["w+", "z"]),
    late=st.floats(-0.9, 0.9),
    loop=st.booleans(),
    weights=st.one_of(st.none(), st.lists(st.floats(0, 10), min_size=8, max_size=8)),
)
def test_every_keyframe_is_a_frame_whatever_the_timing(count, more, easing, path, late, loop, weights):
    seeds = tuple(Sample(i, 1.0) for i in range(count))
    morph = Morph(seeds, count + more, easing, path, {"fine": late}, weights is not None, loop)
    speed = None if weights is None else Speed(tuple((w, w / 2) for w in weights[: morph.segments]))
    latents, keys = morph.latents(TINY, speed), morph.keys(speed)
    assert len(latents) == count + more and len(keys) == count and keys[0] == 0
    for key, seed in zip(keys, seeds, strict=True):
        assert torch.equal(latents[key].w, run(TINY, A, seed).w)
    assert loop or keys[-1] == len(latents) - 1
    assert all(latent.w.isfinite().all() for latent in latents)


def test_half_way_is_the_mean():
    middle = Morph((A, B), 3).latents(TINY)[1]
    assert torch.allclose(middle.w, (A.w + B.w) / 2, atol=1e-6)


def test_a_segment_begins_and_ends_at_its_keyframes_even_where_nothing_is_seen_to_move():
    speed = Speed(((0.0, 0.0, 1.0, 0.0),))
    assert (speed.even(0, 0.0), speed.even(0, 1.0)) == (0.0, 1.0)
    assert speed.even(0, 0.5) == pytest.approx(0.625)


def test_between_two_equal_keyframes_nothing_moves():
    for morph in (Morph((A, A), 5), Morph((A, A), 5, constant_speed=True), Morph(SEEDS[:1] * 2, 5, path="z")):
        for latent in morph.latents(TINY):
            assert torch.allclose(latent.w, A.w, atol=1e-5)


def test_offsets_and_noise_of_keyframes_are_kept():
    a = replace(A.shifted({"b8.conv0": torch.ones(8)}), noise={"b8.conv1": torch.ones(8, 8)})
    first, middle, last = Morph((a, B), 3).latents(TINY)
    assert torch.equal(first.offsets["b8.conv0"], torch.ones(8)) and "b8.conv1" in first.noise
    assert torch.allclose(middle.offsets["b8.conv0"], torch.full((8,), 0.5)) and not last.offsets


def test_a_frame_shares_no_memory_with_its_keyframe():
    frame = Morph((A, B), 3).latents(TINY)[0]
    before = A.w.clone()
    frame.w.add_(1)
    assert torch.equal(A.w, before)


# ---- time


@pytest.mark.parametrize("name", EASINGS)
@given(u=st.floats(0, 1), v=st.floats(0, 1))
def test_easings_begin_at_0_end_at_1_and_never_go_back(name, u, v):
    ease = EASINGS[name]
    assert ease(0.0) == 0 and ease(1.0) == 1
    assert ease(min(u, v)) <= ease(max(u, v)) + 1e-12


@given(u=st.floats(0, 1), late=st.floats(-0.9, 0.9))
def test_a_delay_moves_the_middle_and_never_the_ends(u, late):
    assert delayed(0.0, late) == 0 and delayed(1.0, late) == 1
    assert 0 <= delayed(u, late) <= 1
    assert (delayed(u, late) - u) * late <= 1e-9


@given(st.integers(0, 40), st.lists(st.floats(0, 1e6), min_size=1, max_size=8))
def test_every_segment_has_a_step_and_all_are_used(more, weights):
    found = edges(len(weights) + more, weights)
    assert found[0] == 0 and found[-1] == len(weights) + more
    assert all(one < two for one, two in pairwise(found))


def test_groups_of_layers_may_be_late_or_early():
    fine, coarse = layer_groups(TINY)["fine"], layer_groups(TINY)["coarse"]
    frames = Morph((A, B), 5, timing={"fine": 0.5, "coarse": -0.5}).latents(TINY)
    assert torch.equal(frames[2].w[list(fine)], A.w[list(fine)])
    assert torch.equal(frames[2].w[list(coarse)], B.w[list(coarse)])
    assert torch.allclose(frames[3].w[fine[0]], (A.w + B.w)[fine[0]] / 2, atol=1e-6)


def test_easing_slows_down_at_the_keyframes():
    def first_step(easing):
        one, two = Morph((A, B), 9, easing).latents(TINY)[:2]
        return float((two.w - one.w).norm())

    assert first_step("rest") < first_step("ease-in-out") < first_step("linear") < first_step("ease-out")


def steps(latents, loop=False):
    """How far each picture looks from the one before it, measured otherwise than the film does."""
    drawn = [TINY.draw(latent) for latent in latents]
    pairs = [*pairwise(drawn), *([(drawn[-1], drawn[0])] if loop else [])]
    return np.array([float(pixel_error(one, two)) ** 0.5 for one, two in pairs])


def test_constant_speed_evens_out_what_one_sees():
    near = A.moved(0.1 * (B.w - A.w))
    morph = Morph((A, near, B), 33)
    plain, even = steps(morph.latents(TINY)), steps(replace(morph, constant_speed=True).latents(TINY))
    assert even.std() / even.mean() < 0.4 * plain.std() / plain.mean()
    keys = replace(morph, constant_speed=True).keys(list(replace(morph, constant_speed=True).measure(TINY))[-1])
    assert keys[1] < 10  # of 16 for equal times: there is less to see in the first segment


def test_measuring_says_how_far_it_is_and_may_be_given_up():
    morph = Morph((A, B, C), 9, constant_speed=True)
    speeds = list(morph.measure(TINY))
    assert len(speeds) == morph.measured == 33
    assert speeds[0].weights == [0, 0] and all(weight > 0 for weight in speeds[-1].weights)
    assert all(torch.equal(x.w, y.w) for x, y in
               zip(morph.latents(TINY), morph.latents(TINY, speeds[-1]), strict=True))  # fmt: skip


def test_a_loop_closes_without_a_jump_and_without_a_repeated_frame():
    latents = Morph((A, B, C), 24, loop=True).latents(TINY)
    jumps = [float((two.w - one.w).norm()) for one, two in pairwise([*latents, latents[0]])]
    assert min(jumps) > 0 and max(jumps) < 3 * np.median(jumps)
    assert jumps[-1] == pytest.approx(float((A.w - C.w).norm()) / 8, rel=1e-4)
    assert Morph((A, B), 2, loop=True).keys() == [0, 1]


# ---- through z


def test_in_z_every_frame_is_a_sample_of_the_model():
    frames = Morph(SEEDS[:2], 5, path="z").latents(TINY)
    z = slerp(TINY.z(1), TINY.z(2), 0.25)
    assert torch.allclose(frames[1].w, TINY.map(z).expand(6, -1), atol=1e-5)
    assert (frames[1].w == frames[1].w[0]).all()
    assert not torch.allclose(frames[2].w, Morph(SEEDS[:2], 5).latents(TINY)[2].w, atol=1e-3)


def test_in_z_truncation_and_label_change_on_the_way():
    frames = Morph((Sample(1, 0.0), Sample(1, 1.0)), 3, path="z").latents(TINY)
    assert torch.allclose(frames[1].w, (TINY.w_avg + A.w) / 2, atol=1e-5)
    model = conditional()
    frames = Morph((Sample(1, 1.0, (1, 0, 0)), Sample(1, 1.0, (0, 0, 1))), 3, path="z").latents(model)
    half = model.map(model.z(1), torch.tensor([0.5, 0, 0.5]))
    assert torch.allclose(frames[1].w, half.expand(6, -1), atol=1e-4)


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1), st.integers(0, 1000))
def test_slerp_keeps_to_the_circle(share, seed):
    a, b = torch.randn(2, 1, 9, generator=torch.Generator().manual_seed(seed))
    c = slerp(a, b, share)
    assert float(c.norm()) == pytest.approx(float(torch.lerp(a.norm(), b.norm(), share)), rel=1e-3)
    angles = [torch.acos(torch.cosine_similarity(c, x).clamp(-1, 1)).item() for x in (a, b)]
    whole = torch.acos(torch.cosine_similarity(a, b)).item()
    assert angles[0] == pytest.approx(share * whole, abs=2e-3) and sum(angles) == pytest.approx(whole, abs=4e-3)


def test_opposite_or_equal_points_are_joined_straight():
    a = torch.ones(1, 4)
    assert torch.equal(slerp(a, -a, 0.25), 0.5 * a) and torch.allclose(slerp(a, a, 0.3), a)


# ---- one place of it, as an edit


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 1), st.sampled_from(["w+", "z"]), st.booleans())
def test_any_moment_is_an_edit_that_makes_its_picture(position, path, loop):
    morph = Morph(SEEDS, 13, "ease-in-out", path, {"fine": 0.3}, loop=loop)
    assert run(TINY, A, morph.edit(TINY, position)).w.isfinite().all()
    frame = round(position * morph.intervals)
    if frame < morph.frames:
        made = run(TINY, C, morph.edit(TINY, frame / morph.intervals))
        assert torch.allclose(made.w, morph.latents(TINY)[frame].w, atol=1e-4)


def test_at_a_keyframe_the_edit_is_the_keyframe():
    assert Morph(SEEDS, 5).edit(TINY, 0.5) is SEEDS[1]
    kept = Morph((A, B), 5).edit(TINY, 1.0)
    assert isinstance(kept, Restore) and torch.equal(run(TINY, C, kept).w, B.w)
    assert Morph(SEEDS, 6, loop=True).edit(TINY, 1.0) is SEEDS[0]


# ---- refusals, other models, code


@pytest.mark.parametrize(
    ("morph", "says"),
    [
        (Morph((A,)), "1 keyframes were given: a morph needs from 2 to 8"),
        (Morph((A,) * 9), "9 keyframes"),
        (Morph((A, B, C), 2), "2 frames.*from 3"),
        (Morph((A, B), 10_000), "10000 frames.*2000"),
        (Morph((A, B), easing="bounce"), "'bounce'.*'linear'"),
        (Morph((A, B), path="x"), "'x'.*'z'"),
        (Morph((SEEDS[0], B), path="z"), "The z of keyframe 2 is not known"),
        (Morph((A, B), timing={"rough": 0.1}), "'rough'.*coarse, middle, fine"),
        (Morph((A, B), timing={"fine": 1.0}), "delay of 1.0.*0.9"),
        (Morph((A, B), timing={"fine": float("nan")}), "delay of nan"),
        (Morph((A, odd().sample(1))), "checkpoint"),
        (Morph((A, replace(B, w=B.w[:4]))), r"shape \(4, 8\)"),
    ],
    ids=range(12),
)
def test_says_in_a_sentence_what_is_wrong(morph, says):
    for act in (lambda: morph.latents(TINY), lambda: morph.edit(TINY, 0.5), lambda: next(morph.measure(TINY))):
        with pytest.raises(LatentError, match=says):
            act()


@pytest.mark.parametrize("build", [odd, conditional, tiny3])
def test_other_models_morph_too(build):
    model = build()
    morph = Morph((Sample(1), Sample(2)), 4, path="z", constant_speed=True, timing={"middle": 0.2})
    assert len({picture.tobytes() for picture in pictures(morph.latents(model), model)}) == 4


def test_its_code_writes_the_same_film(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    morph = Morph((Sample(1), B), 3, "rest", timing={"fine": 0.5}, loop=True)
    for name, contents in script_files(TINY, morph).items():
        Path(name).write_bytes(contents)
    verbs = ['save_film("morph.png", [to_pixels(generator.draw(latent)) for latent in morph.latents(generator)])']
    code = script_for(TINY, "morph", morph, verbs)
    assert "morph = Morph((Sample(1), load_recipe(" in code
    exec(compile(code, "shown", "exec"), {})
    assert np.array_equal(np.asarray(Image.open("morph.png")), np.hstack(pictures(morph.latents(TINY))))
