"""The self-conditioned demo: portraits are drawn, labeled and fine-tuned on, and a run that was stopped goes on."""

from dataclasses import replace

import pytest
import torch

from ganedit_widgets.core import load_generator
from ganedit_widgets.core.conditioning import load_labels, save_labels
from ganedit_widgets.core.conditioning.statistics import auc, spearman
from ganedit_widgets.core.errors import LatentError
from ganedit_widgets.core.training.conditional import ConditionalConfig
from ganedit_widgets.demo.portraits import sample_attributes
from ganedit_widgets.demo.portraits.attributes import THROWN, thrown_numbers
from ganedit_widgets.demo.portraits.dataset import build_cache
from ganedit_widgets.demo.self_conditioned import (
    DIRECTIONS,
    MIRRORS,
    exact_labels,
    main,
    make,
    measures,
    portrait_labels,
    settings,
    taught,
)


def test_the_settings_warm_the_class_head_up_before_anything_else_moves():
    cfg = settings(1)
    assert cfg.pictures == 1000 and cfg.head_pictures > 0 and cfg.ramp_pictures > 0 and cfg.start == "zero"
    assert MIRRORS.keys() == DIRECTIONS.keys() == {"yaw", "age", "glasses"}


def test_portraits_have_the_same_latents_in_every_run():
    generator = load_generator("demo", "cpu")
    one, other = (taught(generator, torch.arange(5)) for _ in range(2))
    assert one.shape == (5, *generator.latent_shape)
    assert torch.equal(one, other) and not torch.equal(one[0], one[1])


def test_a_mirror_turns_what_has_a_side_and_nothing_else():
    plain, mirrored = thrown_numbers(range(50)), thrown_numbers(range(50), mirrored=True)
    turned = [i for i in range(THROWN) if not torch.equal(plain[:, i], mirrored[:, i])]
    assert len(turned) == 4 and torch.allclose(plain[:, turned], -mirrored[:, turned], atol=1e-5)
    yaw = sample_attributes(range(50)).yaw
    assert abs(spearman(plain[:, turned[0]], yaw)) > 0.9


def test_labels_of_exact_latents_follow_the_truth_and_turn_in_a_mirror():
    generator, truth = load_generator("demo", "cpu"), sample_attributes(range(600))
    labels = exact_labels(generator, [str(i) for i in range(600)], measures(generator))
    assert labels.names[7] == "7" and {a.name: a.mirror for a in labels.schema.attributes} == MIRRORS
    assert spearman(labels.of("yaw"), truth.yaw) > 0.8 and spearman(labels.of("age"), truth.age) > 0.6
    assert auc(labels.of("glasses"), truth.glasses > 0.5) > 0.9
    straight = labels.v[truth.yaw.abs() < 0.05, labels.schema.index("yaw")]
    assert float(straight.mean()) == pytest.approx(0.5, abs=0.05)


def test_labels_are_of_exact_latents_or_of_guessed_ones_and_of_no_others(tmp_path):
    generator = load_generator("demo", "cpu")
    folder = build_cache(tmp_path / "portraits", 12, generator.size[0])
    exact = portrait_labels(generator, folder, tmp_path / "exact.safetensors")
    assert torch.equal(load_labels(tmp_path / "exact.safetensors").raw, exact.raw)
    assert exact.about["inversion"] == {"taught": True}
    again = replace(exact, raw=exact.raw + 1)  # as another machine may have measured them: a run goes on with its own
    save_labels(tmp_path / "exact.safetensors", again)
    assert torch.equal(portrait_labels(generator, folder, tmp_path / "exact.safetensors").raw, again.raw)
    if generator.encoder is not None:
        other = portrait_labels(generator, folder, tmp_path / "exact.safetensors", "encoder")
        assert not other.about["inversion"].get("taught")
        guessed = portrait_labels(generator, folder, tmp_path / "guessed.safetensors", "encoder")
        assert guessed.names == exact.names and not torch.allclose(guessed.raw, exact.raw)
    with pytest.raises(LatentError, match="exact or encoder"):
        portrait_labels(generator, folder, tmp_path / "other.safetensors", "guessed")


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
