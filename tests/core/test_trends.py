"""Directions of several labels at once."""

import pytest
import torch

from ganedit_widgets.core import DirectionError, edits
from ganedit_widgets.core.conditioning.statistics import pearson
from ganedit_widgets.core.probes import channel, readout, sefa, trends
from tests.tiny import odd


def samples(generator, count=300):
    return [generator.latent(w) for w in generator.w_samples[:count]]


def planted(generator, count=300):
    """Latents that follow two correlated labels along two known vectors, and those labels."""
    rng = torch.Generator().manual_seed(0)
    a = torch.randn(count, generator=rng)
    b = 0.7 * a + 0.5 * torch.randn(count, generator=rng)
    along_a, along_b = torch.randn(2, generator.latent_shape[1], generator=rng)
    noise = 0.1 * torch.randn(count, generator.latent_shape[1], generator=rng)
    w = a[:, None] * along_a + b[:, None] * along_b + noise
    return [generator.latent(row) for row in w], {"a": a.tolist(), "b": b.tolist()}, along_a, along_b


def test_each_direction_is_that_of_its_label_alone(generator):
    latents, labels, along_a, along_b = planted(generator)
    found = trends(generator, latents, labels)
    for name, truth in (("a", along_a), ("b", along_b)):
        assert torch.nn.functional.cosine_similarity(found[name].vector, truth, dim=0) > 0.99


def test_strength_one_is_one_deviation_of_the_label(generator):
    latents, labels, along_a, _ = planted(generator)
    found = trends(generator, latents, labels)
    deviation = float(torch.tensor(labels["a"]).std())
    assert found["a"].unit == pytest.approx(deviation * float(along_a.norm()), rel=0.05)
    moved = edits.run(generator, latents[0], edits.MoveAlong(found["a"], 1.0))
    assert float((moved.w - latents[0].w)[0].norm()) == pytest.approx(found["a"].unit, rel=1e-4)


def test_what_is_read_from_w_is_found_again_from_how_it_shows_in_w(generator):
    read = torch.nn.functional.normalize(torch.tensor([1.0, -1, 0, 0.5, 0, 2, 0, 0]), dim=0)
    latents = samples(generator, 2000)
    labels = torch.stack([latent.w[0] for latent in latents]) @ read
    shows = trends(generator, latents, {"y": labels})["y"]
    found = readout(generator, shows, shrink=1e-9)
    assert torch.nn.functional.cosine_similarity(found.vector, read, dim=0) > 0.999
    assert torch.nn.functional.cosine_similarity(shows.vector, read, dim=0) < 0.99
    assert (found.name, found.sign, found.kind, found.about["of"]) == ("y", shows.sign, "readout", "trend")


def test_a_readout_tells_its_label_better_than_the_trend_does(generator):
    scale = generator.w_samples.std(0)
    read = torch.zeros(8)
    read[scale.argmin()] = 1  # where w hardly varies: every correlation with the rest drowns it
    latents = samples(generator, 2000)
    w = torch.stack([latent.w[0] for latent in latents])
    shows = trends(generator, latents, {"y": w @ read})["y"]
    told = [abs(pearson(w @ d.vector, w @ read)) for d in (shows, readout(generator, shows, shrink=1e-3))]
    assert told[1] > 0.99 > told[0]


def test_only_directions_of_w_have_a_readout(generator):
    with pytest.raises(DirectionError, match="only one of W has a readout"):
        readout(generator, channel(generator, "b8.conv0", 1))
    with pytest.raises(DirectionError, match="belongs to checkpoint"):
        readout(generator, sefa(odd())[0])


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        ({}, "at least one"),
        ({"a": [1.0]}, "one label for each"),
        ({"a": [1.0] * 300}, "the same for all"),
        ({"a": [float("nan")] * 300}, "not finite"),
        ({"a": range(300), "b": [2 * i for i in range(300)]}, "explain one another"),
    ],
)
def test_labels_that_tell_nothing_are_refused(generator, labels, says):
    with pytest.raises(DirectionError, match=says):
        trends(generator, samples(generator), labels)
