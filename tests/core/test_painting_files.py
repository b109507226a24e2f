"""Masks in files: they come back exactly, and what does not fit is refused with a sentence."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ganedit_widgets.core.errors import ImageError
from ganedit_widgets.core.painting import labels_of, mask_png, read_mask

LABELS = labels_of(["none", "hair", "skin", "eye"])
SHAPE = (6, 9)


def png(array, mode=None):
    file = io.BytesIO()
    Image.fromarray(array, mode).save(file, "PNG") if mode else Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def some(most=4):
    return np.random.default_rng(0).integers(0, most, SHAPE, np.uint8)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 256), st.data())
def test_a_mask_comes_back_from_its_file_exactly(count, data):
    labels = labels_of(count)
    mask = data.draw(arrays(np.uint8, (7, 5), elements=st.integers(0, count - 1)))
    assert np.array_equal(read_mask(mask_png(mask, labels), labels, mask.shape), mask)


def test_the_file_has_the_labels_colors_as_other_programs_see_them():
    picture = Image.open(io.BytesIO(mask_png(some(), LABELS)))
    assert picture.mode == "P" and np.array_equal(np.asarray(picture), some())
    assert np.array_equal(np.asarray(picture.convert("RGB"))[some() == 2][0], LABELS[2].color)


def test_a_colored_file_is_read_by_its_colors():
    colored = np.asarray(Image.open(io.BytesIO(mask_png(some(), LABELS))).convert("RGB"))
    assert np.array_equal(read_mask(png(colored), LABELS, SHAPE), some())


def test_a_color_that_two_labels_have_is_refused_where_it_matters():
    labels = labels_of({"none": None, "hair": "#ff0000", "skin": "#ff0000", "eye": None})
    pixels = np.full((*SHAPE, 3), (255, 0, 0), np.uint8)
    with pytest.raises(ImageError, match="“hair” and “skin” have the same color in the mask, #ff0000"):
        read_mask(png(pixels), labels, SHAPE)
    with pytest.raises(ImageError, match="“none” and “eye”"):
        read_mask(png(np.zeros_like(pixels)), labels, SHAPE)
    assert np.array_equal(read_mask(mask_png(some(), labels), labels, SHAPE), some())  # a palette tells them apart


def test_names_tell_labels_that_stand_in_another_order():
    other = labels_of(["none", "eye", "hair", "skin"])
    mask = read_mask(mask_png(some(), LABELS), other, SHAPE)
    assert np.array_equal(mask, np.array([0, 2, 3, 1])[some()])
    with pytest.raises(ImageError, match="“eye”, which is none of none, hair"):
        read_mask(mask_png(some(), LABELS), labels_of(["none", "hair", "skin", "ear"]), SHAPE)


def test_black_and_white_is_a_mask_of_two_labels():
    mask = read_mask(png((some(2) * 255).astype(np.uint8)), labels_of(), SHAPE)
    assert np.array_equal(mask, some(2))


@pytest.mark.parametrize("kind", [bool, np.uint8, np.int64])
def test_arrays_of_whole_numbers_are_taken_as_copies(kind):
    given = some(2).astype(kind)
    mask = read_mask(given, LABELS, SHAPE)
    assert mask.dtype == np.uint8 and np.array_equal(mask, given)
    mask[:] = 3
    assert np.array_equal(given, some(2).astype(kind))


def colorful():
    pixels = np.zeros((*SHAPE, 3), np.uint8)
    pixels[2, 3:7] = (1, 2, 3)
    return png(pixels)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (np.zeros((5, 5), np.uint8), "5×5 pixels, the picture 9×6"),
        (png(np.zeros((5, 5), np.uint8)), "5×5 pixels, the picture 9×6"),
        (some(4) + 3, "only the labels 0 to 3"),
        (some(4).astype(int) - 2, "holds the value -2"),
        (np.zeros(SHAPE), "whole numbers"),
        (np.zeros((*SHAPE, 3), np.uint8), "whole numbers"),
        (png(some(4) + 3), "only the labels 0 to 3"),
        (colorful(), r"#010203 \(4 pixels\)"),
        (b"GIF89a and so on", "not a PNG file"),
        (b"", "not a PNG file"),
        (png(some())[:-30], "damaged or cut off"),
        (png(np.zeros(SHAPE, np.uint16)), "more than 8 bits"),
        ("/nowhere/mask.png", "cannot be read"),
    ],
    ids=[
        "array size",
        "file size",
        "value",
        "negative",
        "float",
        "rgb array",
        "file value",
        "color",
        "gif",
        "empty",
        "cut",
        "16 bit",
        "missing",
    ],
)
def test_what_is_no_mask_is_refused_with_a_sentence(given, sentence):
    with pytest.raises(ImageError, match=sentence):
        read_mask(given, LABELS, SHAPE)
