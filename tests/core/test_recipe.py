"""A picture carries how it was made: exactly, safely, and with clear words when it does not."""

import base64
import io
import json
import struct
import tracemalloc
import zlib
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganedit_widgets.core import (
    History,
    Latent,
    Picture,
    Recipe,
    RecipeError,
    edits,
    load_recipe,
    probes,
    read_image,
    recordable,
    save_png,
    save_recipe,
    to_pixels,
)
from ganedit_widgets.core.codec import decode, encode
from ganedit_widgets.core.short import short
from tests.tiny import odd, tiny

TINY = tiny()
SEFA = probes.sefa(TINY)
CHANNEL = probes.channel(TINY, "b8.conv1", 2)


def a_path():
    """Return a history with every kind of edit, and noise and offsets in its latents."""
    start = replace(TINY.sample(1), noise={"b8.conv0": torch.randn(8, 8)}, label=torch.tensor([0.5]))
    history = History(start)
    picture = Picture(np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8), "somewhere/face.jpg", (16, 16))
    for edit in (
        edits.MoveAlong(SEFA[0], 1 / 3),
        edits.Stack((edits.MoveAlong(SEFA[1], -2.0, range(2, 4)), edits.MoveAlong(CHANNEL))),
        edits.Embed(picture, iterations=3, start="current"),
        edits.Sample(7, 0.5),
        edits.Restore(TINY.sample(2), "kept"),
    ):
        history.push(edit, edits.run(TINY, history.latent, edit))
    return history


HISTORY = a_path()
RECIPE = Recipe.of(TINY, HISTORY)
PIXELS = to_pixels(TINY.draw(HISTORY.latent))


def as_file(recipe=RECIPE):
    file = io.BytesIO()
    save_png(file, PIXELS, recipe)
    return file.getvalue()


def with_text(change):
    """Return the PNG with its recipe's JSON changed."""
    info = PngInfo()
    text = Image.open(io.BytesIO(as_file())).text["ganedit_widgets"]
    info.add_itxt("ganedit_widgets", change(text))
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG", pnginfo=info)
    return file.getvalue()


def with_json(**changes):
    return with_text(lambda text: json.dumps(json.loads(text) | changes))


def equal(one, other):
    """Tell whether two latents are the same to the last bit."""
    labels = [torch.zeros(0) if la.label is None else la.label for la in (one, other)]
    maps = [({"w": la.w} | dict(la.offsets), dict(la.noise)) for la in (one, other)]
    return torch.equal(*labels) and all(
        a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a) for a, b in zip(*maps, strict=True)
    )


# ---- the round trip


def test_the_pixels_and_every_latent_on_the_way_come_back_exactly(tmp_path):
    save_png(tmp_path / "edited.png", PIXELS, RECIPE)
    assert np.array_equal(read_image(tmp_path / "edited.png"), PIXELS)
    found = load_recipe(tmp_path / "edited.png")
    assert (found.fingerprint, len(found.steps)) == (TINY.fingerprint, 5)
    assert equal(found.original, RECIPE.original)
    for (edit, latent), (edit_before, latent_before) in zip(found.steps, RECIPE.steps, strict=True):
        assert equal(latent, latent_before)
        assert type(edit) is type(edit_before) and repr(edit) == repr(edit_before)


def test_the_edits_can_be_made_again_after_loading():
    found = load_recipe(as_file())
    assert equal(edits.run(TINY, found.original, *found.edits), HISTORY.latent)


def test_undo_works_after_loading():
    history = load_recipe(as_file()).history(TINY)
    assert equal(history.latent, HISTORY.latent)
    for entry in reversed(HISTORY.entries[:-1]):
        assert equal(history.undo(), entry.latent)


def test_what_was_undone_is_not_in_the_picture():
    history = a_path()
    history.go_to(2)
    assert len(Recipe.of(TINY, history).steps) == 2


def test_the_embedded_picture_travels_along():
    found = next(edit for edit in load_recipe(as_file()).edits if isinstance(edit, edits.Embed))
    before = next(edit for edit in RECIPE.edits if isinstance(edit, edits.Embed))
    assert np.array_equal(found.picture.pixels, before.picture.pixels)
    assert (found.picture.source, found.picture.size) == ("somewhere/face.jpg", (16, 16))


def test_a_long_path_of_a_large_model_stays_readable_by_everyone():
    latent = Latent(torch.randn(18, 512), "big")
    steps = tuple((edits.Sample(i), replace(latent, w=torch.randn(18, 512))) for i in range(80))
    contents = as_file(Recipe("big", 'load_generator("big.pkl")', latent, steps))
    assert len(contents) > 2**20  # more than Pillow would unpack
    assert Image.open(io.BytesIO(contents)).size == (16, 16)
    assert torch.equal(load_recipe(contents).latent.w, steps[-1][1].w)


def test_a_recipe_can_be_kept_without_a_picture(tmp_path):
    save_recipe(tmp_path / "r.json", RECIPE)
    assert equal(load_recipe(tmp_path / "r.json").latent, HISTORY.latent)


def test_a_compressed_recipe_is_read_too():
    info = PngInfo()
    info.add_itxt("ganedit_widgets", Image.open(io.BytesIO(as_file())).text["ganedit_widgets"], zip=True)
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, "PNG", pnginfo=info)
    assert equal(load_recipe(file.getvalue()).latent, HISTORY.latent)


# ---- values


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -0.1, 1 / 3, float("inf"), "é\n\"'", (), (1, (2.0, "x")), [1], range(3, 9, 2), {"a": 1, "b": (2,)}],
    ids=str,
)
def test_plain_values_come_back_as_they_were(value):
    found = decode(json.loads(json.dumps(encode(value), allow_nan=False)))
    assert found == value and type(found) is type(value)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["float32", "float64", "float16", "uint8", "int64", "bool"]),
    st.lists(st.integers(0, 9), max_size=4),
)
def test_arrays_come_back_to_the_last_bit(dtype, shape):
    array = np.asarray(np.random.default_rng(0).normal(size=shape) * 50).astype(dtype)
    found = decode(json.loads(json.dumps(encode(array))))
    assert found.dtype == array.dtype and np.array_equal(found, array)
    tensor = decode(encode(torch.from_numpy(array)))
    assert torch.equal(tensor, torch.from_numpy(array))


def test_numbers_that_are_not_finite_come_back_in_arrays():
    array = np.array([np.nan, np.inf, -np.inf, -0.0], np.float32)
    assert decode(encode(array)).tobytes() == array.tobytes()


@recordable
@dataclass(frozen=True, eq=False)
class Brighten:
    """Somebody's edit, allowed into recipes."""

    amount: float = 1.0

    __repr__ = short
    total = 1

    def steps(self, generator, latent, report=edits.ignore):
        yield latent.moved(torch.full((8,), self.amount))


def test_ones_own_edit_is_kept_when_it_is_recordable():
    history = History(TINY.sample(1))
    history.push(Brighten(0.25), edits.run(TINY, history.latent, Brighten(0.25)))
    found = load_recipe(as_file(Recipe.of(TINY, history)))
    assert isinstance(found.edits[0], Brighten) and found.edits[0].amount == 0.25


# ---- what is wrong


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "not a PNG"),
        (b"\xff\xd8\xff\xe0 a jpeg", "not a PNG"),
        ("nowhere.png", "No such file"),
        (".", "directory"),
        (as_file(None), "no recipe"),
        (as_file()[:300], "damaged or cut off"),
        (as_file()[:200] + b"x" + as_file()[201:], "damaged or cut off"),
        (with_text(lambda text: text[:-5]), "is damaged"),
        (with_text(lambda _: "[]"), "is damaged"),
        (with_text(lambda _: "{}"), "is damaged"),
        (with_json(version=99), "newer version"),
        (with_json(version="1"), "newer version"),
        (with_json(steps=None), "is damaged"),
        (with_json(steps=[{}]), "is damaged"),
        (with_json(steps=[1]), "is damaged"),
        (with_json(original=None), "several checkpoints"),
        (with_json(original=encode(TINY.sample(1)) | {"fields": 3}), "is damaged"),
        (with_json(original=encode(tiny(seed=1).sample(1))), "several checkpoints"),
        (with_json(original=encode(replace(TINY.sample(1), w=torch.full((6, 8), torch.nan)))), "not finite"),
        (with_json(original=encode(replace(TINY.sample(1), w=torch.ones(8)))), "is damaged"),
        (with_json(original=encode(replace(TINY.sample(1), w="no"))), "is damaged"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_says_in_one_sentence_what_is_wrong(source, says):
    with pytest.raises(RecipeError, match=says) as caught:
        load_recipe(source)
    assert len(str(caught.value)) < 300


def test_another_model_is_refused():
    for other in (tiny(seed=1), odd()):
        with pytest.raises(RecipeError, match=f"{TINY.fingerprint}.*{other.fingerprint}.*open that model"):
            RECIPE.history(other)


def test_a_folder_that_is_not_there_is_named(tmp_path):
    for save in (lambda p: save_png(p, PIXELS, RECIPE), lambda p: save_recipe(p, RECIPE)):
        with pytest.raises(RecipeError, match="nowhere"):
            save(tmp_path / "nowhere" / "a.png")


def test_an_unknown_edit_becomes_its_result():
    def newer(text):
        data = json.loads(text)
        data["steps"][0]["edit"]["is"] = "Teleport"
        data["steps"][1]["edit"]["fields"]["speed"] = 3  # a field that this version does not know
        return json.dumps(data)

    found = load_recipe(with_text(newer))
    for i in (0, 1):
        assert isinstance(found.edits[i], edits.Restore)
        assert found.edits[i].note == repr(RECIPE.edits[i])[:200]
    assert equal(edits.run(TINY, found.original, *found.edits), HISTORY.latent)


# ---- safety


def test_a_recipe_cannot_put_words_into_shown_code():
    evil = '__import__("os").system("true")'
    direction = replace(SEFA[0], code=evil)
    latent = edits.run(TINY, TINY.sample(1), edits.MoveAlong(direction))
    found = load_recipe(
        as_file(Recipe(TINY.fingerprint, evil, TINY.sample(1), ((edits.MoveAlong(direction), latent),)))
    )
    assert found.model == "" and found.edits[0].direction.code == ""
    harmless = Recipe(TINY.fingerprint, 'load_generator("demo")', TINY.sample(1))
    assert load_recipe(as_file(harmless)).model == 'load_generator("demo")'


@pytest.mark.parametrize("name", ["Path", "eval", "Generator", "edits.Sample", "__class__", "Popen", "Edit"])
def test_only_records_on_the_list_are_made(name):
    with pytest.raises(RecipeError, match="does not know"):
        decode({"is": name, "fields": {}})


@pytest.mark.parametrize(
    "array",
    [
        {"dtype": "float32", "shape": [10**9, 10**3], "zlib": ""},
        {"dtype": "float32", "shape": [4], "zlib": base64.b64encode(zlib.compress(bytes(10**7))).decode()},
        {"dtype": "float32", "shape": [4], "zlib": base64.b64encode(zlib.compress(bytes(3))).decode()},
        {"dtype": "float32", "shape": [-1], "zlib": ""},
        {"dtype": "object", "shape": [1], "zlib": ""},
        {"dtype": "float32", "shape": [1], "zlib": "not base64!"},
        {"dtype": "float32", "shape": [1], "zlib": base64.b64encode(b"not zlib").decode()},
        {"dtype": "uint8", "shape": [9, 9, 3], "png": base64.b64encode(b"not png").decode()},
        {"dtype": "float32", "shape": "x", "zlib": ""},
    ],
)
def test_arrays_that_lie_are_refused(array):
    with pytest.raises(RecipeError, match="damaged"):
        decode({"is": "tensor", **array})


@pytest.mark.parametrize("says", [4, 10**8], ids=["less", "as much"])
def test_an_array_that_unpacks_to_too_much_costs_no_memory(says):
    bomb = base64.b64encode(zlib.compress(bytes(10**8))).decode()
    tracemalloc.start()
    with pytest.raises(RecipeError, match="damaged"):
        decode({"is": "array", "dtype": "float32", "shape": [says], "zlib": bomb})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10**7


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_a_broken_recipe_is_refused_and_never_a_crash(data):
    contents = bytearray(as_file())
    text_at = contents.index(b"iTXt")
    size = struct.unpack(">I", contents[text_at - 4 : text_at])[0]
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(text_at + 25, text_at + size - 1))
        contents[at] = data.draw(st.integers(0, 255))
    body = bytes(contents[text_at : text_at + 4 + size])
    contents[text_at + 4 + size : text_at + 8 + size] = struct.pack(">I", zlib.crc32(body))
    try:
        load_recipe(bytes(contents))
    except RecipeError as error:
        assert len(str(error)) < 500
