"""The commands that label and resample: what they write, what they say, what they refuse, and how they go on."""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.cli import main
from ganedit_widgets.core import LabelError
from ganedit_widgets.core.conditioning import load_labels
from ganedit_widgets.core.conditioning.labeler import direction_id
from ganedit_widgets.core.conditioning.resampling import load_resampling
from ganedit_widgets.core.embed_folder import read_embeddings
from ganedit_widgets.core.encoder import Encoder, save_encoder
from ganedit_widgets.core.encoder.network import EncoderNetwork, config_for
from ganedit_widgets.core.generators.load import save_model
from ganedit_widgets.core.probes import channel, readout, save_directions, sefa, trends
from ganedit_widgets.demo.label_truth import write_truth
from ganedit_widgets.demo.portraits.attributes import sample_attributes
from ganedit_widgets.demo.portraits.dataset import build_cache
from tests.tiny import odd, tiny

COUNT = 40


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with a model, its encoder, directions, and pictures."""
    folder = tmp_path_factory.mktemp("home")
    generator = tiny()
    save_model(folder / "tiny.safetensors", generator.network, generator.discriminator)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = EncoderNetwork(config_for(generator))
        for p in network.parameters():
            p.data += 0.05 * torch.randn_like(p)  # fresh ones answer every picture alike
    save_encoder(folder / "tiny_encoder.safetensors", Encoder(network, generator))
    save_directions(folder / "d.safetensors", [*sefa(generator)[:2], channel(generator, "b8.conv0", 1)])
    save_directions(folder / "foreign.safetensors", sefa(odd())[:1])
    rng = np.random.default_rng(0)
    (folder / "faces").mkdir()
    for i in range(COUNT):
        pixels = np.clip(rng.normal(rng.uniform(40, 215, 3), 30, (16, 16, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "faces" / f"{i:02d}.png")
    return folder


def label(home, out, *words, pictures="faces", directions="d"):
    model = ["--model", str(home / "tiny.safetensors"), "--device", "cpu"]
    given = [str(home / pictures), str(out), "--directions", str(home / f"{directions}.safetensors")]
    return main(["label", *given, *model, *words])


@pytest.fixture(scope="module")
def labeled(home):
    assert label(home, home / "labels.safetensors") == 0
    return home / "labels.safetensors"


def test_a_folder_is_labeled_with_all_directions(labeled):
    labels = load_labels(labeled)
    assert labels.schema.names == ("SeFa 1", "SeFa 2", "b8.conv0[1]") and len(labels) == COUNT
    assert labels.names[0] == "00.png" and labels.schema["b8.conv0[1]"].space == "s"
    assert read_embeddings(labeled.with_name("labels_latents.safetensors")).names == labels.names


def test_attributes_are_named_and_strengths_measured(home, tmp_path, capsys):
    out = tmp_path / "l.safetensors"
    words = ["--attributes", "yaw=SeFa 1", "SeFa 2", "--strengths", "2", "--report", str(tmp_path / "r.json")]
    assert label(home, out, *words, "--figure", str(tmp_path / "f.png")) == 0
    labels = load_labels(out)
    assert labels.schema.names == ("SeFa 2", "yaw") and len(labels.schema["yaw"].weights) == 6
    said = capsys.readouterr().out
    assert "40 pictures" in said and "yaw" in said and "mirrored: " in said
    kept = json.loads((tmp_path / "r.json").read_text())
    assert kept["pictures"] == COUNT and set(kept["mirrors"]) == {"yaw", "SeFa 2"}
    assert labels.schema["yaw"].mirror == kept["mirrors"]["yaw"]["verdict"]
    with Image.open(tmp_path / "f.png") as figure:
        assert figure.size[0] > 300


def test_labels_are_compared_with_the_truth(home, labeled, tmp_path, capsys):
    raw = load_labels(labeled).of("SeFa 1").tolist()
    rows = "\n".join(f"{i:02d}.png,{2 * x + 1},{i % 2}" for i, x in enumerate(raw))
    (tmp_path / "truth.csv").write_text(f"picture,SeFa 1,SeFa 2\n{rows}\n", encoding="utf-8")
    words = ["--truth", str(tmp_path / "truth.csv"), "--figure", str(tmp_path / "f.png")]
    assert label(home, tmp_path / "l.safetensors", *words) == 0
    said = capsys.readouterr().out
    assert "ρ 1.000, R² 1.000" in said and "AUC 0." in said
    assert (tmp_path / "f_truth.png").stat().st_size > 1000


def test_latents_of_a_search_are_labeled_too(home, labeled, tmp_path):
    again = tmp_path / "again.safetensors"
    assert label(home, again, pictures="labels_latents.safetensors") == 0
    assert torch.equal(load_labels(again).raw, load_labels(labeled).raw)


def test_the_truth_about_drawn_portraits_is_at_hand(tmp_path):
    build_cache(tmp_path / "portraits", 12, size=16, seed=5)
    assert write_truth(tmp_path / "portraits", tmp_path / "truth.csv") == 12
    head, *rows = csv.reader((tmp_path / "truth.csv").read_text(encoding="utf-8").splitlines())
    assert rows[7][0] == "portraits_0000000.npy#7"
    assert np.isclose(float(rows[7][head.index("age")]), float(sample_attributes([7], 5).age))
    with pytest.raises(LabelError, match="no drawn portraits"):
        write_truth(tmp_path, tmp_path / "truth.csv")


def test_a_trend_is_labeled_by_what_measures_it(home, tmp_path):
    generator = tiny()
    latents = [generator.latent(w) for w in generator.w_samples[:100]]
    shows = trends(generator, latents, {"age": [float(latent.w[0, 3]) for latent in latents]})["age"]
    save_directions(home / "trend.safetensors", [shows])
    assert label(home, tmp_path / "l.safetensors", directions="trend") == 0
    found = load_labels(tmp_path / "l.safetensors").schema["age"]
    assert found.direction_id == direction_id(readout(generator, shows)) != direction_id(shows)


@pytest.mark.parametrize(
    ("words", "changes", "says"),
    [
        (["--attributes", "a=SeFa 1", "a=SeFa 2"], {}, "Two attributes are called 'a'"),
        (["--attributes", "yaw"], {}, "no direction 'yaw': choose among SeFa 1"),
        ([], {"directions": "foreign"}, "'SeFa 1' belongs to checkpoint"),
        ([], {"directions": "nothing"}, "no file"),
        ([], {"pictures": "tiny.safetensors"}, "holds no embeddings"),
        ([], {"pictures": "nowhere"}, "There is no folder"),
        (["--figure", "figure.xyz"], {}, "no kind of picture"),
    ],
)
def test_what_cannot_be_labeled_is_one_line(home, tmp_path, capsys, words, changes, says):
    assert label(home, tmp_path / "l.safetensors", *words, **changes) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and says in lines[0]


def test_other_endings_are_refused_before_work(home, labeled, tmp_path, capsys):
    assert label(home, tmp_path / "l.json") == 2
    assert main(["resample", str(labeled), str(tmp_path / "l.json")]) == 2
    assert capsys.readouterr().err.count("into a .safetensors file") == 2


def test_labels_are_resampled_and_reported(labeled, tmp_path, capsys):
    out = tmp_path / "even.safetensors"
    words = ["--count", "60", "--nearest", "5", "--cap", "4", "--seed", "3", "--attributes", "SeFa 1"]
    kept = ["--report", str(tmp_path / "r.json"), "--figure", str(tmp_path / "f.png")]
    assert main(["resample", str(labeled), str(out), *words, *kept]) == 0
    found = load_resampling(out)
    assert len(found.rows) == 60 and int(torch.bincount(found.rows).max()) <= 4 and found.pictures == COUNT
    assert found.settings["attributes"] == ["SeFa 1"]
    assert "60 draws" in capsys.readouterr().out
    assert json.loads((tmp_path / "r.json").read_text())["draws"] == 60
    assert (tmp_path / "f.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--nearest", "41"], "41 nearest of 40"), (["--attributes", "yaw"], "no attribute 'yaw'"),
     (["--cap", "1", "--count", "50"], "each at most 1")],
)  # fmt: skip
def test_what_cannot_be_resampled_is_one_line(labeled, tmp_path, capsys, words, says):
    assert main(["resample", str(labeled), str(tmp_path / "even.safetensors"), *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_share_the_inversion(home, labeled, tmp_path):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m"]
    command += ["ganedit_widgets.cli", "label", str(home / "faces"), str(tmp_path / "l.safetensors"), "--model"]
    command += [str(home / "tiny.safetensors"), "--directions", str(home / "d.safetensors"), "--device", "cpu"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.stdout.count("wrote") == 1, done.stderr[-2000:]
    assert torch.equal(load_labels(tmp_path / "l.safetensors").raw, load_labels(labeled).raw)
