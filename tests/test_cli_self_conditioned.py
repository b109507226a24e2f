"""`ganedit train self-conditioned`: it trains, goes on, and refuses what does not fit in one line."""

import re

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.cli import main
from ganedit_widgets.core import load_generator
from ganedit_widgets.core.conditioning import Attribute, Labels, Schema, save_labels
from ganedit_widgets.core.conditioning.resampling import resample, save_resampling
from ganedit_widgets.core.generators.load import save_model
from tests.tiny import labeled, odd, tiny

SCHEMA = Schema((Attribute("yaw", mirror="opposite"), Attribute("age")))


@pytest.fixture
def home(tmp_path):
    """Return a folder with a model, twelve pictures, and their labels."""
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    names = tuple(f"{i:02}.png" for i in range(12))
    for name in names:
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(tmp_path / "pictures" / name)
    labels = Labels(torch.from_numpy(rng.random((12, 2))).float(), names, SCHEMA)
    save_labels(tmp_path / "labels.safetensors", labels)
    save_resampling(tmp_path / "even.safetensors", resample(labels, 30, k=4))
    save_model(tmp_path / "tiny.safetensors", tiny().network, tiny().discriminator)
    return tmp_path


def train(home, *more, model="tiny.safetensors", pictures="pictures", labels="labels.safetensors"):
    short = ("--warm-up", "0.004", "--ramp", "0", "--device", "cpu")
    files = [str(home / pictures), str(home / labels), str(home / "run"), "--model", str(home / model)]
    return main(["train", "self-conditioned", *files, *short, *more])


def test_it_trains_goes_on_and_writes_a_model_that_takes_labels(home, capsys):
    assert train(home, "--thousands", "0.008", "--rows", str(home / "even.safetensors")) == 0
    assert train(home, "--thousands", "0.016", "--rows", str(home / "even.safetensors")) == 0
    assert "wrote" in capsys.readouterr().out
    model = load_generator(home / "run" / "model.safetensors", "cpu")
    assert model.schema == SCHEMA
    state = torch.load(home / "run" / "checkpoint.pt", weights_only=True)
    assert state["counts"] == [16, 4]


def test_it_samples_evenly_by_itself_and_takes_some_of_the_attributes(home):
    assert train(home, "--thousands", "0.008", "--attributes", "yaw", "--mirror", "--half") == 0
    assert load_generator(home / "run" / "model.safetensors", "cpu").schema.names == ("yaw",)
    assert train(home, "--thousands", "0.008", "--all") == 2


def test_a_model_that_takes_labels_says_so_and_draws_with_them(tmp_path, capsys):
    path = str(tmp_path / "labeled.safetensors")
    save_model(path, labeled().network)
    assert main(["info", path]) == 0
    assert "age, yaw" in capsys.readouterr().out
    sheets = [tmp_path / "one.png", tmp_path / "other.png"]
    for sheet, label in zip(sheets, ("yaw=0.1", "yaw=0.9"), strict=True):
        assert main(["sample", "--model", path, "--seeds", "3", "--labels", label, "--out", str(sheet)]) == 0
    assert sheets[0].read_bytes() != sheets[1].read_bytes()
    assert main(["sample", "--model", path, "--labels", "hat=1", "--out", str(sheets[0])]) == 2
    assert "no attribute 'hat'" in capsys.readouterr().err
    for words, says in ((["yaw=0.2", "yaw=0.9"], "yaw was set twice"), (["yaw=1.5"], "labels go from 0 to 1")):
        assert main(["sample", "--model", path, "--labels", *words, "--out", str(sheets[0])]) == 2
        assert says in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["sample", "--model", path, "--labels", "yaw"])


@pytest.mark.parametrize(
    ("more", "files", "says"),
    [
        (["--attributes", "hat"], {}, "no attribute 'hat'"),
        (["--mirror"], {}, "Nobody knows what mirroring does to age"),
        (["--thousands", "0"], {}, "pictures is 0"),
        (["--rows", "labels.safetensors"], {}, "There is no file labels.safetensors"),
        ([], {"labels": "tiny.safetensors"}, "There are no labels in"),
        ([], {"pictures": "."}, "no such picture"),
        ([], {"model": "odd.safetensors"}, "has no discriminator"),
        ([], {"pictures": "nowhere"}, "There is no folder"),
    ],
)
def test_what_does_not_fit_is_one_line(home, capsys, more, files, says):
    save_model(home / "odd.safetensors", odd().network)
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(home / "big.png")
    assert train(home, "--thousands", "0.008", *more, **files) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert re.match("ganedit train self-conditioned: ", lines[-1])
    assert says in lines[-1]


def test_a_run_that_is_over_too_early_says_so(home, capsys):
    assert train(home, "--thousands", "0.008", "--warm-up", "1") == 0
    said = capsys.readouterr().out
    assert "its labels change nothing yet" in said and "stopped" not in said
    assert train(home, "--thousands", "0.1", "--minutes", "0", "--warm-up", "1") == 0
    assert "stopped at 8 of 100 pictures: the same command goes on" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("option", "value"), [("--thousands", "nan"), ("--warm-up", "inf"), ("--ramp", "-1"), ("--lr", "x")]
)
def test_numbers_that_are_none_are_one_line(home, capsys, option, value):
    with pytest.raises(SystemExit):
        train(home, option, value)
    assert f"argument {option}: {value!r} is no finite number of 0 or more" in capsys.readouterr().err


def test_fewer_pictures_than_neighbors_are_one_line(home, capsys):
    rng = np.random.default_rng(1)
    few = Labels(torch.from_numpy(rng.random((4, 2))).float(), tuple(f"{i:02}.png" for i in range(4)), SCHEMA)
    save_labels(home / "few.safetensors", few)
    assert train(home, labels="few.safetensors") == 2
    assert "The 10 nearest of 4 pictures were asked for" in capsys.readouterr().err
