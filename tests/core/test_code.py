"""The code that is shown runs in a fresh namespace and makes the identical picture."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core import Picture, code_for, edits, files_for, load_generator, probes, save_image, to_pixels
from ganedit_widgets.core.expression import is_harmless, names_in
from ganedit_widgets.core.generators import Generator
from ganedit_widgets.core.generators.load import save_model
from tests.tiny import tiny

RNG = np.random.default_rng(0)
PHOTO = RNG.integers(0, 256, (40, 60, 3), np.uint8)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a model in it and a photograph."""
    folder = tmp_path_factory.mktemp("home")
    made = tiny()
    save_model(folder / "model.safetensors", made.network, made.discriminator)
    save_image(folder / "photo.jpg", PHOTO)
    return folder


@pytest.fixture
def model(home, monkeypatch):
    monkeypatch.chdir(home)
    return load_generator("model.safetensors", device="cpu")


def execute(model, made, original=None):
    """Run the shown code where its files lie, and return its namespace."""
    for name, contents in files_for(model, made, original).items():
        Path(name).write_bytes(contents)
    namespace = {}
    exec(compile(code_for(model, made, original), "shown", "exec"), namespace)
    return namespace


def smile(model):
    """A direction that only memory has."""
    latents = [model.latent(w) for w in model.w_samples[:40]]
    return probes.boundary(model, latents, [float(la.w[0, 0]) > 0 for la in latents], "Smile (mine)")


MAKERS = {
    "a seed": lambda m: [edits.Sample(3)],
    "a found direction": lambda m: [edits.Sample(3, 0.55), edits.MoveAlong(probes.sefa(m, range(2, 5))[4], 1 / 3)],
    "a stack": lambda m: [edits.Stack((edits.MoveAlong(probes.pca(m, 3, 500)[1], 2.0, range(2)),
                                       edits.MoveAlong(probes.channel(m, "b8.conv0", 1), -1.0)))],
    "a direction from memory": lambda m: [edits.MoveAlong(smile(m), -1.0)],
    "a conditioned direction": lambda m: [edits.MoveAlong(probes.condition(*probes.sefa(m)[:3]), 1.0)],
    "a photograph": lambda m: [edits.Embed(Picture.read("photo.jpg", m.size), iterations=4)],
    "a photograph at full size": lambda m: [edits.Embed(Picture.read("photo.jpg"), iterations=4)],
    "a photograph at another size": lambda m: [edits.Embed(Picture.read("photo.jpg", (24, 24)), iterations=4)],
    "pixels from memory": lambda m: [edits.Embed(PHOTO, iterations=4, space="w")],
    "a picture from memory": lambda m: [edits.Embed(Picture.read(PHOTO, m.size), iterations=4)],
    "a stopped search": lambda m: [edits.Embed(PHOTO, iterations=9).stopped(3), edits.MoveAlong(probes.sefa(m)[0])],
    "a kept latent": lambda m: [edits.Restore(m.sample(5).shifted({"b8.conv0": torch.randn(8)}), "from a file")],
}  # fmt: skip


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS.keys())
def test_shown_code_makes_the_identical_picture(make, model):
    made = make(model)
    expected = to_pixels(model.draw(edits.run(model, model.average(), *made)))
    assert np.array_equal(execute(model, made)["picture"], expected)
    assert np.array_equal(np.asarray(Image.open("edited.png")), expected)


def test_code_can_start_from_any_latent(model):
    original = replace(model.sample(9).shifted({"b8.conv1": torch.randn(8)}), noise={"b8.conv0": torch.randn(8, 8)})
    made = [edits.MoveAlong(probes.sefa(model)[0])]
    expected = to_pixels(model.draw(edits.run(model, original, *made)))
    assert np.array_equal(execute(model, made, original)["picture"], expected)


def test_no_edits_make_the_original(model):
    assert np.array_equal(execute(model, [])["picture"], to_pixels(model.draw(model.average())))


def test_it_reads_as_one_would_write_it(model):
    made = [edits.Sample(3, 0.5), edits.MoveAlong(probes.sefa(model)[4], 2.0)]
    assert code_for(model, made, target="smile.png") == (
        "from ganedit_widgets.core import load_generator, save_image, to_pixels\n"
        "from ganedit_widgets.core.edits import MoveAlong, run, Sample\n"
        "from ganedit_widgets.core.probes import sefa\n"
        "\n"
        'generator = load_generator("model.safetensors")\n'
        "latent = run(\n"
        "    generator,\n"
        "    generator.average(),\n"
        "    Sample(3, psi=0.5),\n"
        "    MoveAlong(sefa(generator)[4], strength=2.0),\n"
        ")\n"
        "picture = to_pixels(generator.draw(latent))\n"
        'save_image("smile.png", picture)\n'
    )


def test_what_has_no_part_in_the_picture_is_left_out(model):
    code = code_for(model, [edits.Embed(PHOTO), edits.Sample(1), edits.Stack((edits.Sample(2), edits.Sample(3)))])
    assert "Embed" not in code and "Sample(3)" in code and "Sample(2)" not in code
    assert files_for(model, [edits.Embed(PHOTO), edits.Sample(1)], model.sample(8)) == {}


def test_the_same_file_is_needed_once(model):
    twice = [edits.MoveAlong(smile(model)), edits.MoveAlong(smile(model), 2.0)]
    assert list(files_for(model, twice)) == list(files_for(model, twice[:1]))


def test_the_needed_files_are_named_in_the_code(model):
    made = [edits.Embed(PHOTO, 2), edits.MoveAlong(smile(model))]
    code, files = code_for(model, made), files_for(model, made)
    assert len(files) == 2
    assert all(f"# needs the file {name}" in code and name in code.split("generator =")[1] for name in files)


@pytest.mark.parametrize("name", ['"); import os; ("', "a\nb", "ünï ☺", "", "\\", "'"])
def test_names_cannot_break_out_of_their_quotes(model, name):
    made = [edits.MoveAlong(replace(smile(model), name=name))]
    code = code_for(model, made, target=name + ".png")
    assert "os" not in names_in(code)
    ast.parse(code)
    picture = to_pixels(model.draw(edits.run(model, model.average(), *made)))
    if "\n" not in name and '"' not in name:
        assert np.array_equal(execute(model, made)["picture"], picture)


def test_a_generator_that_code_cannot_load_says_so():
    bare = Generator(tiny().network)
    assert "# generator: build it here" in code_for(bare, [edits.Sample(1)])


@pytest.mark.parametrize(
    "code",
    ["", "sefa(generator)[3]", "sefa(generator, layers=range(0, 4))[-1]", 'load_directions("a.safetensors")["x y"]',
     "condition(sefa(generator)[0], pca(generator, layer='b8.conv0')[1])", 'load_generator("demo")'],
)  # fmt: skip
def test_expressions_of_finders_are_harmless(code):
    assert is_harmless(code)


@pytest.mark.parametrize(
    "code",
    ["open('x')", "generator.network", "sefa(generator).append(1)", "(lambda: 1)()", "sefa", "__import__('os')",
     "sefa(generator", "save_image('x', 1)", "[x for x in range(9)]", "sefa(generator)[open('x')]", "f'{open(1)}'",
     "generator()", "range(3)(4)", "(" * 500, "a\0b", "sefa(generator); pca(generator)", "x := 3", "exec"],
)  # fmt: skip
def test_everything_else_is_not(code):
    assert not is_harmless(code)
