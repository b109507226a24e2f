"""Drawn portraits: reproducible, labeled, and moved by their attributes."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.errors import TrainingError
from ganedit_widgets.demo.portraits import (
    ATTRIBUTES,
    HAIR_STYLES,
    PART,
    PART_COLORS,
    PARTS,
    PortraitDataset,
    build_cache,
    color_labels,
    concatenate,
    dataset,
    render,
    sample_attributes,
)

SIZE = 32


def plain(**values):
    """One young, smiling portrait that looks at the viewer."""
    calm = {"yaw": 0.0, "pitch": 0.0, "roll": 0.0, "age": 0.1, "beard": 0.0, "glasses": 0.0, "smile": 0.4}
    return sample_attributes([5], 0).replace(**{**calm, "mouth_open": 0.0, "hair_style": 1, **values})


def share(portrait, part, size=64):
    """Share of the picture that a part covers."""
    return float((render(portrait, size).labels == PART[part]).float().mean())


def test_attributes_of_a_portrait_do_not_depend_on_its_batch():
    together, alone = sample_attributes(range(40), seed=3), sample_attributes(torch.tensor([17, 4]), seed=3)
    for name in ATTRIBUTES:
        assert torch.equal(getattr(together, name)[[17, 4]], getattr(alone, name)), name


def test_another_seed_gives_other_portraits():
    assert not torch.equal(sample_attributes(range(8), 0).yaw, sample_attributes(range(8), 1).yaw)


def test_attributes_follow_the_distributions_they_document():
    a = sample_attributes(range(8000))
    assert 0.28 < float(a.yaw.std()) < 0.45
    assert 0.002 < float((a.yaw.abs() > 1.0).float().mean()) < 0.05
    assert 0.10 < float(a.glasses.mean()) < 0.145
    assert float(a.age.median()) < 0.3 < 0.8 < float(a.age.quantile(0.97))
    assert float(torch.corrcoef(torch.stack([a.age, a.glasses]))[0, 1]) > 0.1
    assert bool((a.beard[a.softness >= 0.42] == 0).all())
    assert a.hair_style.bincount(minlength=len(HAIR_STYLES)).min() > 100


def test_pictures_and_labels_have_their_shapes_and_ranges():
    drawn = render(sample_attributes(range(3)), SIZE)
    assert drawn.image.shape == (3, 3, SIZE, SIZE)
    assert drawn.image.dtype == torch.float32
    assert float(drawn.image.min()) >= -1
    assert float(drawn.image.max()) <= 1
    assert drawn.labels.shape == (3, SIZE, SIZE)
    assert drawn.labels.dtype == torch.uint8
    assert int(drawn.labels.max()) < len(PARTS) == len(PART_COLORS)
    assert color_labels(drawn.labels).shape == (3, SIZE, SIZE, 3)


def test_a_portrait_is_the_same_to_the_bit_in_another_batch():
    attributes = sample_attributes(range(5), 2)
    together, alone = render(attributes, SIZE), render(attributes[3], SIZE)
    assert torch.equal(together.image[3:4], alone.image)
    assert torch.equal(together.labels[3:4], alone.labels)


def test_portraits_drawn_together_agree_with_portraits_drawn_alone():
    from ganedit_widgets.demo.portraits import renderer

    attributes = sample_attributes(range(6), 4)
    together, alone = renderer._draw(attributes, 64, 2), render(attributes, 64)
    assert float((together.image - alone.image).abs().mean()) < 0.01
    assert float((together.labels != alone.labels).float().mean()) < 0.01


@pytest.mark.parametrize("style", range(1, len(HAIR_STYLES)))
def test_every_hair_style_is_hair_and_leaves_the_face_free(style):
    portrait = plain(hair_style=style)
    assert share(portrait, "hair") > 0.08
    assert share(portrait, "skin") > 0.08
    assert share(portrait, "iris") > 0


@pytest.mark.parametrize(
    ("part", "without", "with_it"),
    [
        ("glasses", {"glasses": 0.0}, {"glasses": 1.0}),
        ("beard", {"beard": 0.0}, {"beard": 0.7}),
        ("teeth", {"mouth_open": 0.0}, {"mouth_open": 0.8, "smile": 0.8}),
        ("hair", {"hair_style": 0}, {"hair_style": 1}),
    ],
)
def test_an_attribute_adds_its_part(part, without, with_it):
    assert share(plain(**without), part) == 0
    assert share(plain(**with_it), part) > 0.002


def test_turning_the_head_moves_the_nose():
    def nose(yaw):
        labels = render(plain(yaw=yaw), 64).labels[0]
        return float((labels == PART["nose"]).nonzero()[:, 1].float().mean())

    assert nose(-0.6) < nose(0.0) - 4 < nose(0.0) + 4 < nose(0.6)


def test_hair_turns_gray_with_age():
    def saturation(age):
        drawn = render(plain(age=age, hair_color=torch.tensor([0.6, 0.3, 0.1])), 64)
        hair = drawn.image[0][:, drawn.labels[0] == PART["hair"]]
        return float((hair.amax(0) - hair.amin(0)).mean())

    assert saturation(1.0) < 0.4 * saturation(0.0)


def test_a_common_portrait_shows_the_parts_of_a_face():
    labels = render(sample_attributes(range(16), 0), 64).labels
    for part in ("background", "clothes", "neck", "skin", "hair", "ear", "nose", "eye", "iris", "brow", "mouth"):
        assert bool((labels == PART[part]).any()), part


def test_replacing_an_attribute_leaves_the_others_alone():
    a = sample_attributes(range(3))
    b = a.replace(smile=1.0)
    assert b.smile.tolist() == [1, 1, 1]
    assert all(torch.equal(getattr(a, n), getattr(b, n)) for n in ATTRIBUTES if n != "smile")
    assert len(concatenate([a, b])) == 6


def test_a_cache_that_was_stopped_continues_and_equals_drawing(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "SHARD", 3)
    seen = []
    build_cache(tmp_path, 3, SIZE, seed=1)
    first = (tmp_path / "portraits_0000000.npy").stat().st_mtime_ns
    build_cache(tmp_path, 7, SIZE, seed=1, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(6, 7), (7, 7)]
    assert (tmp_path / "portraits_0000000.npy").stat().st_mtime_ns == first
    cached, drawn = PortraitDataset(7, SIZE, 1, tmp_path), PortraitDataset(7, SIZE, 1)
    for a, b in zip(cached[[6, 1, 3]][:2], drawn[[6, 1, 3]][:2], strict=True):
        assert torch.equal(a, b)
    assert not list(tmp_path.glob("*.part"))


def test_a_shard_that_is_shorter_than_asked_is_drawn_again(tmp_path, monkeypatch):
    monkeypatch.setattr(dataset, "SHARD", 4)
    build_cache(tmp_path, 2, SIZE)
    build_cache(tmp_path, 4, SIZE)
    assert np.load(tmp_path / "portraits_0000000.npy").shape == (4, 4, SIZE, SIZE)


def test_a_cache_of_other_portraits_is_refused(tmp_path):
    build_cache(tmp_path, 1, SIZE, seed=0)
    with pytest.raises(TrainingError, match="another folder"):
        build_cache(tmp_path, 1, SIZE, seed=1)


def test_an_incomplete_cache_is_refused(tmp_path):
    build_cache(tmp_path, 1, SIZE)
    with pytest.raises(TrainingError, match="lacks"):
        PortraitDataset(900, SIZE, folder=tmp_path)


def test_a_number_beyond_the_data_set_is_refused():
    with pytest.raises(IndexError, match="portrait numbers"):
        PortraitDataset(4, SIZE)[4]
