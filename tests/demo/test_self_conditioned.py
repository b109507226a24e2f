"""The self-conditioned demo: portraits are drawn, labeled and fine-tuned on, and a run that was stopped goes on."""

import pytest
import torch

from ganedit_widgets.core import load_generator
from ganedit_widgets.core.conditioning import load_labels
from ganedit_widgets.core.training.conditional import ConditionalConfig
from ganedit_widgets.demo.self_conditioned import DIRECTIONS, MIRRORS, main, make, settings, taught


def test_the_settings_warm_the_class_head_up_before_anything_else_moves():
    cfg = settings(1)
    assert cfg.pictures == 1000 and cfg.head_pictures > 0 and cfg.ramp_pictures > 0 and cfg.start == "zero"
    assert MIRRORS.keys() == DIRECTIONS.keys() == {"yaw", "age", "glasses"}


def test_portraits_have_the_same_latents_in_every_run():
    generator = load_generator("demo", "cpu")
    one, other = (taught(generator, torch.arange(5)) for _ in range(2))
    assert one.shape == (5, *generator.latent_shape)
    assert torch.equal(one, other) and not torch.equal(one[0], one[1])


@pytest.mark.slow
def test_it_draws_labels_and_fine_tunes_and_goes_on(tmp_path):
    options = {"batch": 2, "head_pictures": 2, "ramp_pictures": 0, "path_weight": 0.0, "ada_target": 0.0}
    for pictures in (2, 4):
        path = make(tmp_path, ConditionalConfig(pictures, **options), count=12, device="cpu")
    model = load_generator(path, "cpu")
    assert model.schema.names == ("age", "glasses", "yaw")
    assert {a.name: a.mirror for a in model.schema.attributes} == MIRRORS
    assert len(load_labels(tmp_path / "labels.safetensors")) == 12
    assert torch.load(tmp_path / "checkpoint.pt", weights_only=True)["counts"] == [4, 2]


def test_it_says_how_it_is_used(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--minutes" in capsys.readouterr().out
