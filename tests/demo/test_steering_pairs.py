"""Portraits as pairs, and the quick look at what labels do."""

import json

import numpy as np
import pytest
import torch

from ganedit_widgets.core.conditioning import Attribute, Labels, Schema
from ganedit_widgets.core.errors import LabelError
from ganedit_widgets.core.training.conditional import ConditionalConfig, ConditionalTrainer
from ganedit_widgets.core.training.conditional_loop import save
from ganedit_widgets.core.training.labeled import LabeledPictures, open_labeled
from ganedit_widgets.demo.portraits.attributes import STREAMS, THROWN, thrown_numbers
from ganedit_widgets.demo.portraits.dataset import build_cache
from ganedit_widgets.demo.steering_pairs import SteeringPairs
from ganedit_widgets.demo.steering_progress import VALUES, effects, reached, write_effects
from ganedit_widgets.demo.train import latents_from, latents_of, rotation
from tests.demo.judge import judge
from tests.tiny import labeled, tiny

Z = THROWN + 8


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = build_cache(tmp_path_factory.mktemp("portraits"), 12, 16)
    return SteeringPairs(labeled_portraits(folder), folder, 16, Z)


def labeled_portraits(folder, names=("yaw", "age")) -> LabeledPictures:
    raw = torch.rand(12, len(names), generator=torch.Generator().manual_seed(0))
    schema = Schema(tuple(Attribute(name) for name in names))
    pictures = tuple(f"portraits_0000000.npy#{i}" for i in range(12))
    return open_labeled(folder, Labels(raw, pictures, schema), 16)


def numbers_in(z):
    """Return the numbers that a latent holds, up to its length."""
    return (z @ rotation(z.shape[1]).t())[:, :THROWN]


def test_every_number_has_its_name():
    assert len(set(STREAMS)) == THROWN and {"yaw", "age", "glasses", "smile"} <= set(STREAMS)


def test_a_latent_is_that_of_the_numbers_it_is_made_of():
    rng = (torch.Generator().manual_seed(3) for _ in range(2))
    assert torch.equal(
        latents_of(torch.arange(4), Z, rng=next(rng)), latents_from(thrown_numbers(range(4)), Z, next(rng))
    )


def test_a_pair_shows_a_portrait_with_its_labels_and_all_its_numbers_but_those_of_the_attributes(pairs):
    found = pairs.pairs(30, 16, np.random.default_rng(0))
    assert found.pictures.shape == (30, 3, 16, 16) and found.weights.max() > 1
    everything = pairs.portraits[range(12)][0].float() / 127.5 - 1
    replaced = [STREAMS.index(name) for name in ("age", "yaw")]
    kept = [i for i in range(THROWN) if i not in replaced]
    for z, v, picture in zip(numbers_in(found.z), found.v, found.pictures, strict=True):
        row = int((everything - picture).abs().flatten(1).sum(1).argmin())
        assert torch.equal(everything[row], picture) and torch.equal(pairs.data.v[row], v)
        own = pairs.known[row]
        assert float(torch.corrcoef(torch.stack([z[kept], own[kept]]))[0, 1]) > 0.999
        assert not torch.allclose(z[replaced] * own[kept].norm() / z[kept].norm(), own[replaced], atol=1e-3)


def test_pairs_are_those_of_the_chance_that_is_given(pairs):
    one, same, other = (pairs.pairs(3, 16, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert torch.equal(one.z, same.z) and not torch.equal(one.z, other.z)


def test_an_attribute_that_no_number_decides_is_refused(pairs):
    folder = pairs.portraits
    with pytest.raises(LabelError, match="decides height"):
        SteeringPairs(labeled_portraits_like(pairs.data, "height"), folder, 16, Z)


def labeled_portraits_like(data, name):
    schema = Schema((Attribute(name),))
    return LabeledPictures(data.pictures, data.v[:, :1], schema, data.places, data.rows)


def test_a_look_reads_every_attribute_at_every_label_and_likens_to_the_middle(tmp_path):
    generator = labeled()
    found = effects(generator, judge(), people=3)
    assert found.keys() == {"yaw", "age", "identity_yaw", "identity_age"}
    assert all(len(values) == len(VALUES) for values in found.values())
    assert found["identity_yaw"][2] == pytest.approx(1, abs=1e-3)
    assert max(found["identity_yaw"]) <= 1
    write_effects(tmp_path, 8, found)
    write_effects(tmp_path, 16, found)
    lines = (tmp_path / "effects.jsonl").read_text().splitlines()
    assert [json.loads(line)["pictures"] for line in lines] == [8, 16]


def test_a_run_is_looked_at_where_its_checkpoint_is(tmp_path):
    schema = labeled().schema
    run = ConditionalTrainer(tiny(), schema, ConditionalConfig())
    with torch.no_grad():
        run.average.synthesis.low.fill_(0.25)
    run.pictures = 40
    save(run, tmp_path)
    generator, pictures = reached(tiny(), schema, tmp_path)
    assert pictures == 40 and generator.schema == schema
    assert float(generator.network.synthesis.low.mean()) == 0.25
