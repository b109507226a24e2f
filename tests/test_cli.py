"""The command line: each command does its work, and refuses bad input with one line and a code."""

import io
import json
import signal
import subprocess
import sys
import time
from itertools import islice

import numpy as np
import pytest
from PIL import Image

from ganedit_widgets.cli import COMMANDS, main
from ganedit_widgets.cli.lab import copy_notebooks
from ganedit_widgets.core import load_recipe
from ganedit_widgets.core.edits import Embed
from ganedit_widgets.core.generators.load import describe, save_model
from tests.tiny import tiny


@pytest.fixture
def model(tmp_path):
    generator = tiny()
    path = tmp_path / "tiny.safetensors"
    save_model(path, generator.network, generator.discriminator)
    return str(path)


def noise(path, size=(24, 24)):
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)).save(path)
    return str(path)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples(command, capsys):
    with pytest.raises(SystemExit) as stop:
        main([command, "--help"])
    assert stop.value.code == 0
    assert f"ganedit {command}" in capsys.readouterr().out


def test_info_prints_family_sizes_and_fingerprint(model, capsys):
    assert main(["info", model, "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["family"] == "stylegan2"
    assert info["fingerprint"] == tiny().fingerprint
    assert info["picture"] == "16×16"


def test_a_refused_file_gives_one_line_and_a_code(tmp_path, capsys):
    picture = tmp_path / "model.pkl"
    Image.new("RGB", (8, 8)).save(picture, "JPEG")
    assert main(["info", str(picture)]) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("ganedit info: ")


def test_sample_draws_a_sheet_and_single_files(model, tmp_path):
    assert main(["sample", "--model", model, "--seeds", "0-2,7", "--out", str(tmp_path / "sheet.png")]) == 0
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.size == (32, 32)
    assert main(["sample", "--model", model, "--seeds", "5", "--out", str(tmp_path / "folder")]) == 0
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["seed0005.png"]


def test_bad_seeds_are_explained(capsys):
    with pytest.raises(SystemExit):
        main(["sample", "--seeds", "one"])
    assert "write 0-15 or 3,7,20-24" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--seeds", "5-3"], "runs backwards: write 3-5"),
        (["--columns", "-2"], "no number of 1 or more"),
        (["--columns", "0"], "no number of 1 or more"),
    ],
)
def test_a_sheet_that_cannot_be_is_explained(words, sentence, capsys):
    with pytest.raises(SystemExit) as end:
        main(["sample", *words])
    assert end.value.code == 2 and sentence in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["sample", "--out", "sheet.xyz"], "no kind of picture"),
        (["sample", "--out", "{file}/sheet.png"], "choose another place"),
        (["sample", "--device", "banana"], "no device 'banana' here"),
        (["sample", "--device", "cuda:99"], "no device 'cuda:99' here"),
        (["convert", "{model}", "{file}/copy.safetensors"], "copy.safetensors"),
        (["embed", "{file}", "latent.xyz"], "only a PNG can hold the recipe"),
    ],
)
def test_what_cannot_be_written_or_used_is_one_line(words, sentence, model, tmp_path, capsys):
    (tmp_path / "a file").write_text("")
    words = [word.format(file=tmp_path / "a file", model=model) for word in words]
    assert main([*words, *(["--model", model] if words[0] == "sample" else [])]) == 2
    said = capsys.readouterr().err.strip()
    assert sentence in said and len(said.splitlines()) == 1


def test_a_folder_may_have_a_dot_in_its_name(model, tmp_path):
    assert main(["sample", "--model", model, "--seeds", "5", "--out", f"{tmp_path}/v1.0/"]) == 0
    assert (tmp_path / "v1.0" / "seed0005.png").exists()


def test_without_a_command_the_help_is_shown(capsys):
    assert main([]) == 2
    assert "COMMAND --help shows examples" in capsys.readouterr().out


def test_convert_writes_the_same_model(model, tmp_path, capsys):
    out = tmp_path / "copy.safetensors"
    assert main(["convert", model, str(out)]) == 0
    assert main(["info", str(out), "--json"]) == 0
    assert tiny().fingerprint in capsys.readouterr().out
    assert main(["convert", model, str(tmp_path / "copy.pkl")]) == 2


def test_embed_saves_a_picture_with_its_recipe(model, tmp_path):
    source, out = noise(tmp_path / "face.png"), tmp_path / "embedded.png"
    assert main(["embed", source, str(out), "--model", model, "--steps", "3"]) == 0
    recipe = load_recipe(out)
    assert recipe.fingerprint == tiny().fingerprint
    assert [type(edit).__name__ for edit in recipe.edits] == ["Embed"]


def test_embed_that_is_interrupted_keeps_the_best_and_before_the_first_step_writes_nothing(
    model, tmp_path, monkeypatch, capsys
):
    source, out, steps = noise(tmp_path / "face.png"), tmp_path / "embedded.png", Embed.steps

    def interrupted(after):
        def walk(self, generator, latent, report):
            yield from islice(steps(self, generator, latent, report), after)
            raise KeyboardInterrupt

        return walk

    monkeypatch.setattr(Embed, "steps", interrupted(0))
    assert main(["embed", source, str(out), "--model", model]) == 130 and not out.exists()
    monkeypatch.setattr(Embed, "steps", interrupted(2))
    assert main(["embed", source, str(out), "--model", model]) == 0
    assert load_recipe(out).edits[0].total == 2 and "after 2 steps" in capsys.readouterr().out


def test_embed_refuses_what_is_no_picture(model, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("no picture")
    assert main(["embed", str(tmp_path / "notes.txt"), str(tmp_path / "out.png"), "--model", model]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_train_trains_exports_and_goes_on(tmp_path, capsys):
    for i in range(4):
        noise(tmp_path / f"{i}.png")
    out = tmp_path / "run"
    base = ["train", str(tmp_path), str(out), "--batch", "4", "--width", "8", "--device", "cpu"]
    assert main([*base, "--plan", "8:0.008"]) == 0
    assert main([*base, "--plan", "8:0.008,16:0.008"]) == 0
    assert main(["info", str(out / "model.safetensors")]) == 0
    assert "16×16" in capsys.readouterr().out


def test_a_senseless_plan_is_explained(capsys):
    with pytest.raises(SystemExit):
        main(["train", "x", "y", "--plan", "32:5,128:5"])
    assert "power of two" in capsys.readouterr().err


def test_lab_copies_the_tour_and_keeps_what_the_user_changed(tmp_path):
    tour = copy_notebooks(tmp_path / "mine")
    assert json.loads(tour.read_text(encoding="utf-8"))["nbformat"] == 4
    tour.write_text("changed")
    assert copy_notebooks(tmp_path / "mine").read_text() == "changed"


@pytest.mark.parametrize("user", [0, 1000])
def test_lab_leads_to_the_tour_and_runs_in_a_container(tmp_path, monkeypatch, user):
    called = []
    monkeypatch.setattr("subprocess.call", lambda words: called.extend(words) or 0)
    monkeypatch.setattr("os.geteuid", lambda: user, raising=False)
    assert main(["lab", str(tmp_path / "mine"), "--no-browser", "--port", "8899"]) == 0
    assert "--LabApp.default_url=/lab/tree/00_tour.ipynb" in called
    assert f"--ServerApp.root_dir={(tmp_path / 'mine').resolve()}" in called
    assert {"--no-browser", "--port=8899"} <= set(called) and ("--allow-root" in called) == (user == 0)


def test_lab_refuses_a_folder_that_is_a_file(tmp_path, capsys):
    (tmp_path / "file").write_bytes(io.BytesIO().getvalue())
    assert main(["lab", str(tmp_path / "file")]) == 2
    assert "name another folder" in capsys.readouterr().err


@pytest.mark.slow
def test_train_runs_under_torchrun_and_only_the_chief_speaks_and_writes(tmp_path):
    pictures, out = tmp_path / "pictures", tmp_path / "run"
    pictures.mkdir()
    for i in range(4):
        Image.fromarray(np.full((16, 16, 3), 60 * i, np.uint8)).save(pictures / f"{i}.png")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    command += ["ganedit_widgets.cli", "train", str(pictures), str(out), "--plan", "8:0.024", "--width", "8"]
    command += ["--batch", "4", "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("wrote") == 1
    assert describe(out / "model.safetensors").meta["pictures"] == 24  # three steps of two times four


@pytest.mark.slow
def test_an_interrupted_training_saves_first(tmp_path):
    pictures, out = tmp_path / "pictures", tmp_path / "run"
    pictures.mkdir()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(pictures / "0.png")
    command = [sys.executable, "-m", "ganedit_widgets.cli", "train", str(pictures), str(out), "--plan", "8:1000"]
    training = subprocess.Popen([*command, "--width", "8", "--batch", "4", "--device", "cpu"])
    try:
        deadline = time.monotonic() + 120
        while not (out / "log.jsonl").exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        training.send_signal(signal.SIGINT)
        assert training.wait(60) == 0
    finally:
        training.kill()
    assert describe(out / "model.safetensors").meta["pictures"] >= 100  # the first report comes after so many
