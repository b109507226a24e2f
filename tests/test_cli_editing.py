"""The commands around painted masks: label, train, edit, and keep vectors, each with its refusals."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ganedit_widgets.cli import main
from ganedit_widgets.cli.opening import open_history
from ganedit_widgets.core import load_recipe
from ganedit_widgets.core.generators.load import save_model
from ganedit_widgets.core.painting import labels_of, mask_png
from ganedit_widgets.core.segment import load_segmenter
from ganedit_widgets.core.segment.folder import ENDING, read_labeled
from ganedit_widgets.core.vectors import load_vectors
from tests.tiny import tiny

LEFT = (np.indices((16, 16))[1] < 8).astype(np.uint8)
LABELS = labels_of({"right": "#102030", "left": "#f0a040", "unlabeled": "#000000"})


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a model, three labeled pictures of it, and a segmenter trained by the command."""
    folder = tmp_path_factory.mktemp("home")
    generator = tiny()
    save_model(folder / "tiny.safetensors", generator.network, generator.discriminator)
    (folder / "labeled").mkdir()
    for seed in range(3):
        picture = folder / "labeled" / f"{seed}.png"
        assert main(["embed", str(_drawn(folder, seed)), str(picture), "--model", _model(folder), "--steps", "2"]) == 0
        labels = LEFT.copy()
        labels[:2] = 2
        picture.with_name(f"{seed}{ENDING}").write_bytes(mask_png(labels, LABELS))
    arguments = [_model(folder), str(folder / "labeled"), str(folder / "parts.safetensors"), "--steps", "60"]
    assert main(["train", "segmenter", *arguments, "--device", "cpu", "--score"]) == 0
    return folder


def _drawn(folder, seed):
    path = folder / f"drawn{seed}.png"
    assert main(["sample", "--model", _model(folder), "--seeds", str(seed), "--out", str(path)]) == 0
    return path


def _model(folder):
    return str(folder / "tiny.safetensors")


def run(home, command, *words, segmenter=True):
    parts = ["--segmenter", str(home / "parts.safetensors")] if segmenter else []
    return main([command, *words, "--model", _model(home), "--device", "cpu", *parts])


def pixels(path):
    with Image.open(path) as picture:
        return np.array(picture)


def painted(home, path, column=11):
    assert run(home, "segment", "5", str(path)) == 0
    mask = pixels(path)
    mask[4:12, column - 6 : column] = 1
    path.write_bytes(mask_png(mask, labels_of(["right", "left"])))
    return str(path)


def test_a_folder_becomes_a_segmenter(home, capsys):
    found = load_segmenter(home / "parts.safetensors", tiny())
    assert found.classes == ("right", "left") and found.pictures == 3
    assert found.colors == ((16, 32, 48), (240, 160, 64))
    assert sum(found.counts) == 3 * 14 * 16  # two rows of each are not labeled


def test_segment_labels_a_seed_or_a_picture_with_its_recipe(home, tmp_path, capsys):
    files = [str(tmp_path / name) for name in ("labels.png", "unsure.png", "seed5.png")]
    assert run(home, "segment", "5", files[0], "--unsure", files[1], "--picture", files[2]) == 0
    assert "left" in capsys.readouterr().out
    with Image.open(files[0]) as labels:
        assert labels.mode == "P" and json.loads(labels.info["labels"]) == ["right", "left"]
        first = np.array(labels)
    assert run(home, "segment", files[2], files[0]) == 0
    assert np.array_equal(pixels(files[0]), first)
    assert pixels(files[1]).shape == (16, 16, 3)


def test_edit_paints_and_keeps_the_vector_which_edits_another_picture(home, tmp_path, capsys):
    mask, out, vectors = painted(home, tmp_path / "mask.png"), tmp_path / "out.png", tmp_path / "mine.safetensors"
    keep = ["--save-vector", str(vectors), "--name", "band"]
    capsys.readouterr()
    assert run(home, "edit", "5", str(out), "--mask", mask, "--steps", "15", "--large", *keep) == 0
    assert re.match(rf"wrote {out}: \d+ % of the region as painted, outside \d+\.\d dB\n", capsys.readouterr().out)
    recipe = load_recipe(out)
    assert [type(edit).__name__ for edit in recipe.edits] == ["Sample", "Paint"]
    vector = load_vectors(vectors)["band"]
    assert vector.about["method"] == "painted" and vector.thumbnail.shape == (16, 32, 3)
    delta = recipe.latent.w - recipe.steps[0][1].w
    assert np.allclose(vector.delta, delta, atol=1e-5)

    given = ["--vectors", str(vectors), "--vector", "band=-0.5"]
    assert run(home, "edit", "6", str(out), *given, segmenter=False) == 0
    moved = load_recipe(out)
    assert np.allclose(moved.latent.w - moved.steps[0][1].w, -0.5 * delta, atol=1e-5)
    assert run(home, "edit", "6", str(out), *given[:3], "band=3", "--refine", "2") == 0
    assert type(load_recipe(out).edits[-1]).__name__ == "Refine"
    assert " % of the region as the vectors made it, outside " in capsys.readouterr().out


def test_a_picture_that_hardly_follows_says_what_may_help(home, tmp_path, capsys):
    mask, out = painted(home, tmp_path / "mask.png"), str(tmp_path / "out.png")
    (tmp_path / "mask.png").write_bytes(mask_png(np.ones((16, 16), np.uint8), labels_of(["right", "left"])))
    large = "--large, for a part that was not there before, or "
    for options, says in (([], large), (["--large"], "")):
        capsys.readouterr()
        assert run(home, "edit", "5", out, "--mask", mask, "--steps", "1", *options) == 0
        first, second = capsys.readouterr().out.splitlines()
        assert int(re.search(r"(\d+) % of the region", first)[1]) < 80
        assert second == f"If it should follow more: {says}more --steps (now 1)"


def test_what_only_a_png_keeps_goes_nowhere_else(tmp_path, idle, refused):
    out, fine = str(tmp_path / "out.jpg"), str(tmp_path / "out.png")
    says = "out.jpg does not end in .png: only a PNG can hold the "
    refused(f"{says}recipe", "edit", "5", out, "--vector", "smile")
    refused(f"{says}palette", "segment", "5", out)
    refused(f"{says}recipe", "segment", "5", fine, "--picture", out)
    assert not list(tmp_path.iterdir())


def test_vectors_are_imported_mixed_listed_and_calibrated(home, tmp_path, capsys):
    file = str(tmp_path / "mine.safetensors")
    for name, seed in (("one", 0), ("two", 1)):
        np.save(tmp_path / f"{name}.npy", 0.3 * np.random.default_rng(seed).normal(size=(1, 6, 8)))
    arrays = [str(tmp_path / f"{name}.npy") for name in ("one", "two")]
    assert run(home, "vector", "import", file, *arrays, "--classes", "left") == 0
    assert run(home, "vector", "combine", file, "both", "one=0.5", "two=-1") == 0
    assert run(home, "vector", "average", file, "mean", "one", "two") == 0
    assert run(home, "vector", "without", file, "pure", "one", "two") == 0
    capsys.readouterr()
    assert run(home, "vector", "calibrate", file, "one", "--seeds", "0,1") == 0
    found, said = load_vectors(file), capsys.readouterr().out.splitlines()
    assert said[:2] == ["one, mean over 2 pictures:", "scale  labels changed  outside its region"]
    low, high = found["one"].direction.range
    assert said[10].startswith(f"its range was -2 … 2 and is now {low:g} … {high:g}: the scales at which 24 dB")
    assert list(found) == ["one", "two", "both", "mean", "pure"]
    assert np.allclose(found["both"].delta, 0.5 * found["one"].delta - found["two"].delta, atol=1e-5)
    capsys.readouterr()
    assert run(home, "vector", "list", file, "averaged") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and lines[0].startswith("mean")
    assert run(home, "vector", "list", file, "purre", segmenter=False) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "nothing is called purre; the nearest:" and lines[1].startswith("pure")


def test_bad_input_gives_one_line_and_a_code(home, tmp_path, capsys):
    mask, out = painted(home, tmp_path / "mask.png"), str(tmp_path / "out.png")
    Image.new("P", (9, 16)).save(tmp_path / "small.png")
    np.save(tmp_path / "big.npy", np.ones((18, 512)))
    file = str(tmp_path / "mine.safetensors")
    (tmp_path / "empty").mkdir()
    assert run(home, "vector", "import", file, *[]) == 2
    np.save(tmp_path / "one.npy", np.ones((6, 8)))
    assert run(home, "vector", "import", file, str(tmp_path / "one.npy")) == 0
    capsys.readouterr()

    def refuse(says, code):
        assert code == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert says in lines[-1] and lines[-1].startswith("ganedit ")

    refuse("either a mask or vectors", run(home, "edit", "5", out))
    refuse("9×16", run(home, "edit", "5", out, "--mask", str(tmp_path / "small.png")))
    refuse("no class 'nose'", run(home, "edit", "5", out, "--mask", mask, "--classes", "nose"))
    refuse("no edit vector 'smile'", run(home, "edit", "5", out, "--vectors", file, "--vector", "smile=2"))
    refuse("no scale", run(home, "edit", "5", out, "--vectors", file, "--vector", "one=much"))
    refuse("shape (18, 512)", run(home, "vector", "import", file, str(tmp_path / "big.npy")))
    train = ["train", "segmenter", _model(home)]
    refuse("no label maps", main([*train, str(tmp_path / "empty"), out]))
    (tmp_path / "empty" / f"a{ENDING}").write_bytes((tmp_path / "mask.png").read_bytes())
    refuse("has no picture beside it", main([*train, str(tmp_path / "empty"), out]))
    Image.new("L", (16, 16)).save(tmp_path / "empty" / f"a{ENDING}")
    refuse("name the classes", main([*train, str(tmp_path / "empty"), out]))


@pytest.fixture
def idle(monkeypatch):
    """Fail if a model is loaded: what is refused shall be refused before the work."""

    def loaded(*_):
        raise AssertionError("a model was loaded first")

    monkeypatch.setattr("ganedit_widgets.core.load_generator", loaded)


@pytest.fixture
def refused(home, capsys):
    def check(says, *words):
        assert run(home, *words, segmenter=words[0] != "vector") == 2
        lines = capsys.readouterr().err.strip().splitlines()
        assert says in lines[-1] and lines[-1].startswith("ganedit ")

    return check


def test_what_cannot_be_written_is_said_before_the_work(home, tmp_path, idle, refused, capsys):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder.png").mkdir()
    below, folder, fine = str(tmp_path / "file" / "x.png"), str(tmp_path / "folder.png"), str(tmp_path / "x.png")
    edit = ["--vector", "smile"]
    refused("cannot be made", "edit", "5", below, *edit)
    refused("is a folder", "edit", "5", folder, *edit)
    refused("only a PNG can hold the recipe", "edit", "5", str(tmp_path / "x"), *edit)
    refused("is a folder", "edit", "5", fine, *edit, "--save-vector", folder)
    refused("cannot be made", "segment", "5", below)
    refused("cannot be made", "segment", "5", fine, "--unsure", below)
    refused("is a folder", "segment", "5", fine, "--picture", folder)
    for out, says in ((below, "cannot be made"), (folder, "is a folder"), ("demo", "stays as it is")):
        assert main(["train", "segmenter", "demo", str(home / "labeled"), out]) == 2
        assert says in capsys.readouterr().err


def test_demo_is_no_name_for_what_is_made(tmp_path, monkeypatch, idle, refused):
    monkeypatch.chdir(tmp_path)
    refused("stays as it is", "edit", "5", "x.png", "--vector", "smile", "--save-vector", "demo")
    for action in ("combine", "average", "without", "calibrate", "import"):
        refused("stays as it is", "vector", action, "demo", "happy", "smile=0.5")
    assert not list(tmp_path.iterdir())


def test_scales_are_refused_where_they_mean_nothing(home, tmp_path, refused):
    file = str(tmp_path / "mine.safetensors")
    for name in ("one", "a=b"):
        np.save(tmp_path / f"{name}.npy", np.random.default_rng(len(name)).normal(size=(6, 8)))
        assert run(home, "vector", "import", file, str(tmp_path / f"{name}.npy"), segmenter=False) == 0
    for words in (["average", file, "mean"], ["without", file, "pure"], ["calibrate", file]):
        refused("write one", "vector", *words, "one=0.5")
    assert run(home, "vector", "average", file, "mean", "one", "a=b", segmenter=False) == 0


def test_a_recipe_of_a_newer_version_is_not_taken_for_a_picture(home, tmp_path, refused):
    path = tmp_path / "newer.png"
    assert run(home, "segment", "5", str(tmp_path / "labels.png"), "--picture", str(path)) == 0
    info = PngInfo()
    with Image.open(path) as picture:
        info.add_itxt("ganedit_widgets", json.dumps(json.loads(picture.text["ganedit_widgets"]) | {"version": 99}))
        picture.save(path, pnginfo=info)
    refused("newer version", "segment", str(path), str(tmp_path / "out.png"))
    refused("no picture at ²", "segment", "²", str(tmp_path / "out.png"))


def test_a_png_of_another_program_is_embedded_even_if_it_goes_on_after_its_end(home, tmp_path):
    path = tmp_path / "other.png"
    Image.new("RGB", (16, 16), "teal").save(path)
    path.write_bytes(path.read_bytes() + b"appended")
    generator = tiny()
    history = open_history(generator, str(path), steps=1)
    assert type(history.entries[-1].edit).__name__ == "Embed"


@pytest.mark.parametrize("words", [["--steps", "0"], ["--steps", "²"], ["--refine", "-1"], ["--refine", "x"]])
def test_numbers_of_steps_that_mean_nothing_are_refused(words, capsys):
    with pytest.raises(SystemExit):
        main(["edit", "5", "out.png", "--vector", "smile", *words])
    assert "is no number of" in capsys.readouterr().err


def test_what_is_called_unlabeled_is_so(home):
    labeled, classes = read_labeled(home / "labeled", tiny())
    assert [label.name for label in classes] == ["right", "left"]
    assert set(np.unique(labeled[0].labels)) == {0, 1, 255}
