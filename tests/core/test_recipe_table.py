"""What the steps of a recipe share is in its file once, comes back exactly, and cannot be made to lie."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core import History, Recipe, RecipeError, edits, load_recipe, save_png
from ganedit_widgets.core.codec import decode, encode
from ganedit_widgets.core.recipe import recipe_text
from ganedit_widgets.core.segment.segmenter import Segmenter
from tests.tiny import tiny

TINY = tiny()


def as_file(recipe):
    file = io.BytesIO()
    save_png(file, np.zeros((16, 16, 3), np.uint8), recipe)
    return file.getvalue()


def painted(steps):
    """Return a recipe of so many masks, all painted for one segmenter that is larger than everything else."""
    rng = torch.Generator().manual_seed(0)
    weights = {"second": torch.randn(10, 64, 32, generator=rng), "third": torch.randn(10, 32, 2, generator=rng).half()}
    segmenter = Segmenter(TINY.fingerprint, ("a", "b"), (16, 16), ("b8.conv1",), (1, 1), weights)
    masks = [np.random.default_rng(i).integers(0, 2, (16, 16)).astype(np.uint8) for i in range(steps)]
    return Recipe(
        TINY.fingerprint, "", TINY.sample(0), tuple((edits.Paint(m, segmenter), TINY.sample(1)) for m in masks)
    )


def test_what_steps_share_is_written_once_and_comes_back_exactly():
    one, ten = (as_file(painted(steps)) for steps in (1, 10))
    assert len(one) > 80_000 and len(ten) < 1.3 * len(one)
    assert Image.open(io.BytesIO(ten)).size == (16, 16)
    found, before = load_recipe(ten), painted(10)
    assert found.edits[0].segmenter is found.edits[9].segmenter
    for edit, edit_before in zip(found.edits, before.edits, strict=True):
        assert np.array_equal(edit.painted, edit_before.painted) and edit.painted.dtype == np.uint8
        weights = edit.segmenter.weights
        assert weights.keys() == edit_before.segmenter.weights.keys()
        for name, w in edit_before.segmenter.weights.items():
            assert weights[name].dtype == w.dtype and torch.equal(weights[name], w)
    assert recipe_text(found) == recipe_text(before)


def test_equal_objects_are_shared_even_if_they_are_not_the_same():
    one, other = painted(1), painted(1)
    assert one.edits[0].segmenter is not other.edits[0].segmenter
    assert len(as_file(replace(one, steps=one.steps + other.steps))) < 1.1 * len(as_file(one))


def test_a_recipe_without_a_table_is_read_as_before():
    steps = [{"line": "", "edit": encode(e), "latent": encode(la)} for e, la in painted(2).steps]
    data = {"version": 1, "fingerprint": TINY.fingerprint, "model": "", "original": encode(TINY.sample(0))}
    found = load_recipe(json.dumps({**data, "steps": steps}).encode())
    assert isinstance(found.edits[1], edits.Paint) and torch.equal(found.latent.w, TINY.sample(1).w)


def test_what_only_an_edit_that_is_not_kept_refers_to_is_not_kept():
    recipe = painted(1)
    (edit, latent), *_ = recipe.steps
    network = replace(edit, embedding=lambda pictures: pictures)
    assert len(recipe_text(replace(recipe, steps=((network, latent),)))) < 5000
    both = replace(recipe, steps=((network, latent), (edit, latent)))
    assert isinstance(load_recipe(recipe_text(both).encode()).edits[1], edits.Paint)


def reference(key):
    return {"is": "shared", "key": key}


def table_of(doublings, most=1):
    """Return a table of which each entry refers `most` times to the next."""
    entries = {str(i): {"is": "tuple", "items": [reference(str(i + 1))] * most} for i in range(doublings)}
    return {**entries, str(doublings): 1}


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({}, "reference to '0', which is not there"),
        ({"0": reference("1"), "1": {"is": "list", "items": [reference("0")]}}, "reference to itself"),
        ({"0": reference("0")}, "reference to itself"),
        (table_of(60, 2), "more than 4194304 values"),
        (table_of(5000), "RecursionError|levels within"),
        ([], "no table"),
        ({"0": {"is": "tensor"}}, "is damaged"),
    ],
    ids=["dangling", "cycle", "itself", "bomb", "deep", "no table", "damaged"],
)
def test_a_table_that_lies_is_refused_in_one_sentence(table, says):
    sound = json.loads(recipe_text(Recipe.of(TINY, History(TINY.sample(0)))))
    step = {"line": "", "edit": None, "latent": reference("0")}
    for change in ({"original": reference("0")}, {"steps": [{**step, "edit": reference("0")}]}, {"steps": [step]}):
        with pytest.raises(RecipeError, match=says) as caught:
            load_recipe(json.dumps({**sound, "shared": table, **change}).encode())
        assert len(str(caught.value)) < 300


def test_a_chain_read_from_its_end_is_as_deep_as_from_its_start():
    steps = [{"line": "", "edit": reference(str(i)), "latent": encode(TINY.sample(0))} for i in range(4999, -1, -1)]
    sound = json.loads(recipe_text(Recipe.of(TINY, History(TINY.sample(0)))))
    with pytest.raises(RecipeError, match="levels within"):
        load_recipe(json.dumps({**sound, "shared": table_of(5000), "steps": steps}).encode())


def test_a_step_nested_too_deeply_is_refused():
    nested = 1
    for _ in range(150):
        nested = {"is": "tuple", "items": [nested]}
    with pytest.raises(RecipeError, match="levels within"):
        decode(nested)
