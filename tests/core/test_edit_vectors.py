"""Edit vectors: what scale means, vectors from vectors, their file, and what is refused."""

import io
import json
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ganedit_widgets.core import DirectionError, LatentError, code_for, edits, files_for, to_pixels
from ganedit_widgets.core.edits import Paint, Stack
from ganedit_widgets.core.segment import Labeled, SegmentPlan, train_segmenter
from ganedit_widgets.core.vectors import (
    average,
    calibrate,
    combine,
    extract,
    illustrated,
    import_npy,
    load_vectors,
    npy_bytes,
    preview_strip,
    project_out,
    refined,
    relearn,
    save_vectors,
    search,
    vector_of,
    vectors_bytes,
)
from ganedit_widgets.core.vectors.calibrate import _range
from ganedit_widgets.core.vectors.files import KEY
from tests.tiny import tiny

TINY, STRANGER = tiny(), tiny(seed=1)
START, OTHER = TINY.sample(1), TINY.sample(2)
PICTURE = np.zeros((16, 32, 3), np.uint8)


def random(seed, name, **options):
    delta = torch.randn(6, 8, generator=torch.Generator().manual_seed(seed))
    return vector_of(TINY, delta, name, **options)


SMILE = random(0, "smile", classes=("mouth", "teeth"), about={"author": "Ada"}, thumbnail=PICTURE)
NOSE = random(1, "bigger nose", classes=("nose",))


@pytest.fixture(scope="module")
def segmenter():
    left = (np.indices((16, 16))[1] < 8).astype(np.uint8)
    labeled = [Labeled(TINY.sample(seed), left) for seed in range(3)]
    *_, last = train_segmenter(TINY, labeled, ("right", "left"), SegmentPlan(steps=80, models=2, rate=1e-2))
    return last.segmenter()


def run(*made, latent=START):
    return edits.run(TINY, latent, *made).w


# ---- what a scale means


def test_scale_one_makes_the_edit_again_and_zero_changes_nothing(segmenter):
    painted = segmenter.labels(TINY, START)
    painted[5:9] = 1
    after = edits.run(TINY, START, Paint(painted, segmenter, 5, rate=0.1, keep=0.0))
    found = extract(TINY, START, after, "band", ("left",))
    assert torch.allclose(run(found.at(1.0)), after.w, atol=1e-5)
    assert torch.equal(run(found.at(0.0)), START.w)
    assert torch.allclose(run(found.at(0.7), found.at(-0.7)), START.w, atol=1e-5)
    assert torch.allclose(run(found.at(-2.0), latent=OTHER), OTHER.w - 2 * (after.w - START.w), atol=1e-4)


def test_vectors_stack_and_add_up():
    both = run(Stack((SMILE.at(0.5), NOSE.at(-1.0))))
    assert torch.allclose(both, START.w + 0.5 * SMILE.delta - NOSE.delta, atol=1e-5)
    one = combine(TINY, [(SMILE, 0.5), (NOSE, -1.0)], "both")
    assert torch.allclose(run(one.at()), both, atol=1e-5)
    assert one.classes == ("mouth", "teeth", "nose") and one.pictures == 2
    assert one.about == {"method": "combined", "of": "0.5·smile, -1·bigger nose"}


def test_what_vectors_of_one_edit_have_in_common_stays_in_their_average():
    common = torch.ones(6, 8)
    made = [vector_of(TINY, common + random(seed, "x").delta, f"{seed}") for seed in range(30)]
    found = average(TINY, made, "common")
    assert (found.delta - common).norm() < 0.3 * (made[0].delta - common).norm()
    assert found.pictures == 30


def test_a_vector_without_another_is_orthogonal_to_it_and_no_longer():
    found = project_out(SMILE, NOSE)
    assert abs(float((found.delta * NOSE.delta).sum())) < 1e-4
    assert torch.allclose(found.delta + _along(SMILE.delta, NOSE.delta), SMILE.delta, atol=1e-5)
    assert found.classes == SMILE.classes and found.about == {"author": "Ada", "without": "bigger nose"}
    with pytest.raises(DirectionError, match="nothing is left"):
        project_out(SMILE, SMILE)


def _along(a, b):
    return (a * b).sum() / (b * b).sum() * b


def test_refining_carries_the_classes_over(segmenter):
    band, free = random(3, "band", classes=("left",)), random(4, "free")
    edit = refined([(band, 1.0), (random(5, "x", classes=("right",)), 0.5)], segmenter, 30)
    assert edit.classes == ("left", "right") and edit.total == 30
    assert refined([(band, 1.0), (free, 1.0)], segmenter).classes is None
    found = edits.run(TINY, START, replace(edit, iterations=3))
    assert found.w.isfinite().all()


def test_a_strip_shows_the_vector_from_below_to_above():
    pictures = preview_strip(TINY, START, SMILE, (-1, 0, 1))
    assert np.array_equal(pictures[1], to_pixels(TINY.draw(START)))
    assert not np.array_equal(pictures[0], pictures[2])


def test_a_thumbnail_shows_the_picture_before_and_after():
    found = illustrated(TINY, START, NOSE)
    assert found.thumbnail.shape == (16, 32, 3) and found.name == NOSE.name
    assert np.array_equal(found.thumbnail[:, :16], to_pixels(TINY.draw(START)))
    assert not np.array_equal(found.thumbnail[:, 16:], found.thumbnail[:, :16])
    assert illustrated(TINY, START, NOSE, height=8).thumbnail.shape == (8, 16, 3)


def test_what_is_learned_again_on_several_pictures_is_the_mean_of_what_each_asks_for(segmenter):
    band = random(3, "band", classes=("left",), about={"author": "Ada"})
    *steps, last = relearn(TINY, band, segmenter, [START, OTHER], iterations=3)
    assert [p.step for p in steps] == [1, 2, 3, 4, 5] and last.step == last.total == 6
    edit = refined([(band, 1.0)], segmenter, 3)
    wanted = sum(edits.run(TINY, x, edit).w - x.w for x in (START, OTHER)) / 2
    assert torch.allclose(last.vector.delta, wanted, atol=1e-5)
    found = last.vector
    assert (found.name, found.classes, found.pictures) == ("band", ("left",), 2)
    assert found.about == {"author": "Ada", "method": "averaged", "of": "band on 2 pictures"}
    with pytest.raises(DirectionError, match="a picture at least"):
        next(relearn(TINY, band, segmenter, []))


def test_every_word_searched_for_must_occur():
    assert search([SMILE, NOSE], "") == [SMILE, NOSE]
    assert search([SMILE, NOSE], "TEETH ada") == [SMILE]
    assert search([SMILE, NOSE], "nose ada") == []


# ---- calibrating


def test_the_range_ends_where_the_rest_begins_to_suffer():
    scales = (-2.0, -1.0, 1.0, 2.0, 3.0)
    assert _range(scales, (30, 20, 40, 30, 10), 24) == (0.0, 2.0)
    assert _range(scales, (30, 30, 20, 40, 40), 24) == (-2.0, 0.0)


def test_calibrating_measures_each_scale_and_narrows_the_range(segmenter):
    *_, last = calibrate(TINY, random(6, "x", classes=("left",)), segmenter, [START, OTHER], (-0.2, 0.01, 0.2, 5.0))
    found = last.calibration
    assert last.step == last.total == 8
    assert found.psnr[1] > found.psnr[2] > found.psnr[3] and found.changed[3] > found.changed[1]
    low, high = found.vector.direction.range
    assert -0.2 <= low <= 0 < high < 5.0
    with pytest.raises(DirectionError, match="a picture and a scale"):
        next(calibrate(TINY, SMILE, segmenter, []))


# ---- files


def test_a_file_keeps_all_that_is_known(tmp_path):
    path = tmp_path / "mine.safetensors"
    save_vectors(path, [SMILE, replace(NOSE, direction=replace(NOSE.direction, range=(-0.5, 1.5)))])
    found = load_vectors(path)
    assert list(found) == ["smile", "bigger nose"]
    smile = found["smile"]
    assert (smile.classes, dict(smile.about), smile.pictures) == (("mouth", "teeth"), {"author": "Ada"}, 1)
    assert np.array_equal(smile.thumbnail, PICTURE) and found["bigger nose"].thumbnail is None
    assert found["bigger nose"].direction.range == (-0.5, 1.5)
    assert smile.direction.fingerprint == TINY.fingerprint
    assert torch.allclose(smile.delta, SMILE.delta, atol=1e-6)


def test_bytes_hold_the_same_as_a_file_and_the_code_needs_no_path():
    found = load_vectors(vectors_bytes([SMILE, NOSE]))
    assert list(found) == ["smile", "bigger nose"] and torch.allclose(found["smile"].delta, SMILE.delta, atol=1e-6)
    assert found["smile"].direction.code == ""
    with pytest.raises(DirectionError, match=r"^this file is damaged"):
        load_vectors(b"no such thing")


def test_code_finds_a_vector_in_its_file_or_takes_it_along(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_vectors("mine.safetensors", [SMILE])
    for vector in (load_vectors("mine.safetensors")["smile"], SMILE):
        made = [vector.at(0.5)]
        for name, contents in files_for(TINY, made, START).items():
            (tmp_path / name).write_bytes(contents)
        namespace = {}
        exec(compile(code_for(TINY, made, START), "shown", "exec"), namespace)
        assert np.array_equal(namespace["picture"], to_pixels(TINY.draw(edits.run(TINY, START, *made))))
    assert 'load_vectors("mine.safetensors")' in code_for(TINY, [load_vectors("mine.safetensors")["smile"].at()])


@pytest.mark.parametrize(
    ("says", "change"),
    [
        ("newer version", lambda h, t: h.update(version=9)),
        ("damaged.*infinity", lambda h, t: h.update(version=float("inf"))),
        ("damaged.*infinity", lambda h, t: h["vectors"][0].update(pictures=float("inf"))),
        ("damaged.*'classes'", lambda h, t: h["vectors"][0].pop("classes")),
        ("damaged.*no vector of W", lambda h, t: t["0/delta"].zero_()),
        ("damaged.*no vector of W", lambda h, t: t["0/delta"].fill_(float("nan"))),
        ("damaged.*no picture", lambda h, t: t.update({"0/thumbnail": torch.zeros(3)})),
    ],
)
def test_a_damaged_file_is_refused_with_a_sentence(says, change, tmp_path):
    path = tmp_path / "mine.safetensors"
    save_vectors(path, [SMILE])
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()[KEY])
    tensors = load_file(path)
    change(header, tensors)
    save_file(tensors, path, {KEY: json.dumps(header)})
    with pytest.raises(DirectionError, match=says):
        load_vectors(path)


def test_a_header_nested_too_deeply_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "deep.safetensors", {KEY: "[" * 200_000})
    with pytest.raises(DirectionError, match="damaged"):
        load_vectors(tmp_path / "deep.safetensors")


def test_files_without_vectors_are_refused(tmp_path):
    with pytest.raises(DirectionError, match="no file"):
        load_vectors(tmp_path / "x.safetensors")
    save_file({"x": torch.zeros(2)}, tmp_path / "x.safetensors")
    with pytest.raises(DirectionError, match="no edit vectors in"):
        load_vectors(tmp_path / "x.safetensors")
    with pytest.raises(DirectionError, match="Two edit vectors are called 'smile'"):
        save_vectors(tmp_path / "y.safetensors", [SMILE, SMILE])
    with pytest.raises(DirectionError, match="stay as they are"):
        save_vectors("demo", [SMILE])
    with pytest.raises(DirectionError, match="another place"):
        save_vectors(tmp_path / "nowhere" / "y.safetensors", [SMILE])


# ---- arrays of other programs


@pytest.mark.parametrize("shape", [(1, 6, 8), (6, 8), (8,)])
def test_an_array_of_another_program_becomes_a_vector(shape, tmp_path):
    delta = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    np.save(tmp_path / "wheel_enlarge.npy", delta)
    found = import_npy(TINY, tmp_path / "wheel_enlarge.npy", classes=("wheel",))
    assert found.name == "wheel_enlarge" and found.about["method"] == "imported"
    assert torch.allclose(run(found.at()), START.w + torch.from_numpy(delta).reshape(-1, 8), atol=1e-5)


@pytest.mark.parametrize(("space", "shape"), [("w+", (6, 8)), ("w+", (1, 48)), ("w", (8,)), ("w", (1, 8))])
def test_who_imports_says_which_space_the_numbers_lie_in_and_how_far_they_go(space, shape):
    delta = random(7, "x").delta if space == "w+" else random(7, "x").delta[:1]
    contents = npy_bytes(vector_of(TINY, delta.expand(6, 8), "x"))
    if space == "w" or shape != (6, 8):
        file = io.BytesIO()
        np.save(file, delta.numpy().reshape(shape))
        contents = file.getvalue()
    found = import_npy(TINY, contents, "mine", space=space, scales=(-1, 3))
    assert torch.allclose(found.delta, delta.expand(6, 8), atol=1e-5)
    assert found.name == "mine" and found.direction.range == (-1.0, 3.0)


@pytest.mark.parametrize(
    ("says", "options"),
    [
        (r"shape \(6, 8\), W of this generator needs \(8,\)", {"space": "w"}),
        ("lies in W or in W", {"space": "z"}),
        ("2 to 1 is no range", {"scales": (2, 1)}),
        ("no range", {"scales": (-1, float("inf"))}),
    ],
)
def test_a_space_or_range_that_does_not_fit_is_refused(says, options):
    with pytest.raises(DirectionError, match=says):
        import_npy(TINY, npy_bytes(SMILE), "x", **options)


class Trap:
    def __reduce__(self):
        return (open, ("trapped", "w"))


@pytest.mark.parametrize(
    ("says", "array"),
    [
        (r"shape \(16, 512\).*\(6, 8\)", np.ones((1, 16, 512), np.float32)),
        (r"shape \(3, 6, 8\)", np.ones((3, 6, 8), np.float32)),
        ("all zeros", np.zeros((6, 8), np.float32)),
        ("not finite", np.full((6, 8), np.inf, np.float32)),
        ("no array of plain numbers", np.full((6, 8), "x")),
    ],
)
def test_an_array_that_does_not_fit_is_refused(says, array, tmp_path):
    np.save(tmp_path / "x.npy", array)
    with pytest.raises(DirectionError, match=says):
        import_npy(TINY, tmp_path / "x.npy")


@pytest.mark.parametrize("shape", ["(1152921504606846975,)", "(99999999, 99999999)", "(10000000000,)", "(" * 300])
def test_an_array_that_says_it_is_huge_is_refused(shape, tmp_path):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(8))
    with pytest.raises(DirectionError, match=r"x.npy is no .npy file"):
        import_npy(TINY, tmp_path / "x.npy")


def test_a_pickle_is_not_opened(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "raw.npy").write_bytes(pickle.dumps({"edit_vector": Trap()}))
    np.save(tmp_path / "boxed.npy", np.array([Trap()], dtype=object), allow_pickle=True)
    for name in ("raw.npy", "boxed.npy", "missing.npy"):
        with pytest.raises(DirectionError, match=r"no .npy file|cannot be read"):
            import_npy(TINY, tmp_path / name)
    assert not Path("trapped").exists()


def test_vectors_of_another_model_and_what_is_no_vector_are_refused():
    strange = replace(SMILE, direction=replace(SMILE.direction, fingerprint=STRANGER.fingerprint))
    with pytest.raises(DirectionError, match=f"{STRANGER.fingerprint}.*{TINY.fingerprint}"):
        run(strange.at())
    for made in (lambda: combine(TINY, [(strange, 1.0)], "x"), lambda: average(TINY, [SMILE, strange], "x")):
        with pytest.raises(DirectionError, match=f"{STRANGER.fingerprint}.*{TINY.fingerprint}"):
            made()
    with pytest.raises(DirectionError, match="different checkpoints"):
        project_out(SMILE, strange)
    with pytest.raises(LatentError, match="checkpoint"):
        extract(TINY, START, STRANGER.sample(1), "x")
    with pytest.raises(DirectionError, match="all zeros"):
        extract(TINY, START, START, "x")
    with pytest.raises(DirectionError, match="not only w"):
        extract(TINY, START, OTHER.shifted({"b8.conv0": torch.ones(8)}), "x")
    with pytest.raises(DirectionError, match="needs a name"):
        extract(TINY, START, OTHER, " ")
    with pytest.raises(DirectionError, match="one at least"):
        combine(TINY, [], "x")
