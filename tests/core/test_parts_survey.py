"""Choosing layer and number of clusters, naming clusters after known parts, and what cannot be clustered."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import jaccard_score, silhouette_score

from ganedit_widgets.core import LatentError
from ganedit_widgets.core.edits import Borrow, run
from ganedit_widgets.core.generators import Generator, StyleGAN2, StyleGAN2Config
from ganedit_widgets.core.parts import build_catalog, silhouette, suggest, survey
from ganedit_widgets.core.parts.suggest import assign, iou, mean_iou, overlaps
from tests.tiny import tiny, tiny3


def last(steps):
    *_, end = steps
    return end


def make(generator, **options):
    return last(build_catalog(generator, **{"k": 4, "seeds": range(4), "psi": 1.0, "restarts": 1, **options})).catalog


# ---- survey


@pytest.mark.parametrize("k", [2, 5])
def test_the_silhouette_is_that_of_scikit_learn(k):
    rng = torch.Generator().manual_seed(k)
    rows, labels = torch.randn(80, 6, generator=rng) + 0.3, torch.randint(k, (80,), generator=rng)
    labels[0] = k + 3  # alone, after a gap in the numbers
    theirs = silhouette_score(rows.numpy(), labels.numpy(), metric="cosine")
    assert silhouette(rows, labels) == pytest.approx(theirs, abs=1e-5)


def test_clusters_that_are_apart_have_a_higher_silhouette_than_any_others():
    rows = torch.eye(3).repeat_interleave(20, 0) + 0.05 * torch.randn(60, 3, generator=torch.Generator().manual_seed(0))
    truth = torch.arange(3).repeat_interleave(20)
    assert silhouette(rows, truth) > 0.9 > 0.2 > silhouette(rows, torch.arange(60) % 3)
    assert silhouette(rows, torch.zeros(60)) == 0


def test_a_survey_has_a_point_for_every_layer_and_number(generator):
    steps = list(survey(generator, ks=(2, 3, 6), seeds=range(3)))
    assert [(p.layer, p.k) for p in steps[-1].points] == [
        (layer, k) for layer in ("b8.conv0", "b8.conv1") for k in (2, 3, 6)
    ]
    assert [s.step for s in steps] == list(range(1, 10)) and {s.total for s in steps} == {9}
    assert [len(s.points) for s in steps] == [0, 0, 0, 1, 2, 3, 4, 5, 6]
    assert all(-1 <= p.silhouette <= 1 and -1 <= p.objective <= 1 and p.resolution == 8 for p in steps[-1].points)
    assert steps[-1].points[0].objective < steps[-1].points[2].objective


def test_a_survey_is_the_same_every_time_and_of_the_layers_asked_for(generator):
    again = [last(survey(generator, ["b16.conv0"], (3, 4), range(2))).points for _ in range(2)]
    assert again[0] == again[1] and {p.layer for p in again[0]} == {"b16.conv0"}


def test_each_sample_is_drawn_once_for_all_layers(generator, monkeypatch):
    drawn, features = [], generator.features
    monkeypatch.setattr(generator, "features", lambda *given: (drawn.append(given), features(*given))[1])
    steps = survey(generator, ["b8.conv0", "b8.conv1"], (2,), range(5))
    next(steps)
    begun = len(drawn)
    list(steps)
    assert len(drawn) == begun + 4


def test_a_layer_asked_for_twice_is_tried_once(generator):
    found = last(survey(generator, ["b8.conv0", "b8.conv0"], (2, 3), range(2)))
    assert len(found.points) == 2 and (found.step, found.total) == (4, 4)


# ---- names

tables = st.integers(0, 2**32 - 1).map(
    lambda seed: torch.randint(0, 50, (7, 4), generator=torch.Generator().manual_seed(seed)).double()
)


@settings(max_examples=25)
@given(tables)
def test_no_single_cluster_would_be_better_placed_elsewhere(overlap):
    owner = assign(overlap)
    best = mean_iou(overlap, owner)
    for cluster in range(7):
        for part in range(4):
            moved = owner.clone()
            moved[cluster] = part
            assert mean_iou(overlap, moved) <= best + 1e-9


def test_intersection_over_union_is_that_of_scikit_learn():
    rng = torch.Generator().manual_seed(0)
    clusters, truth = (torch.randint(n, (500,), generator=rng) for n in (6, 3))
    owner = torch.tensor([0, 1, 2, 0, 1, 1])
    overlap = torch.bincount(clusters * 3 + truth, minlength=18).reshape(6, 3).double()
    theirs = jaccard_score(truth.numpy(), owner[clusters].numpy(), average=None)
    assert iou(overlap, owner).tolist() == pytest.approx(theirs.tolist())


def test_clusters_get_the_names_of_the_parts_they_are(generator):
    catalog = make(generator, k=5)
    latents = [generator.sample(seed) for seed in range(4)]
    truth = torch.tensor([1, 0, 1, 0, 0])  # clusters 0 and 2 are "hair"
    labels = truth[catalog.part_map(generator, latents)]
    found = suggest(catalog, generator, latents, labels, ["skin", "hair", "hat"], [(1, 1, 1), (2, 2, 2)])
    assert [(p.name, p.clusters, p.color) for p in found.parts] == [
        ("skin", (1, 3, 4), (1, 1, 1)),
        ("hair", (0, 2), (2, 2, 2)),
    ]
    assert torch.equal(found.part_map(generator, latents), labels)


def test_what_nobody_has_labeled_does_not_count(generator):
    catalog, latents = make(generator), [generator.sample(0)]
    labels = torch.full((1, 16, 16), -1)
    with pytest.raises(LatentError, match="None of these pictures is labeled"):
        suggest(catalog, generator, latents, labels, ["skin"])
    labels[:, :4, :3] = 0
    assert int(overlaps(catalog.cluster_map(generator, latents), labels, 4, 1).sum()) == 12


def test_labels_that_do_not_fit_are_refused(generator):
    catalog, latents = make(generator), [generator.sample(0)]
    for labels in (torch.zeros(2, 8, 8), torch.full((1, 8, 8), 3)):
        with pytest.raises(LatentError, match="labels"):
            suggest(catalog, generator, latents, labels, ["skin", "hair"])


# ---- other models, and what is refused


def wide():
    """Return an untrained StyleGAN2 with as many channels as the published ones have."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return Generator(StyleGAN2(StyleGAN2Config(16, {4: 512, 8: 512, 16: 512}, 32, w_dim=32, mapping_layers=1)))


@pytest.mark.parametrize("build", [wide, tiny3, lambda: tiny3("stylegan3-r")], ids=["wide", "stylegan3-t", "r"])
@pytest.mark.parametrize("rule", ["greedy", "soft"])
def test_untrained_models_of_other_families_and_widths_lend_parts(build, rule):
    model = build()
    catalog = make(model)
    source, other = model.sample(1), model.sample(2)
    assert catalog.part_map(model, [source]).shape == (1, *model.size)
    assert all(m.shape == (4, len(model.styles(source)[name])) for name, m in catalog.contributions.items())
    assert {p.k for p in last(survey(model, ks=(2, 4), seeds=range(2))).points} == {2, 4}
    changed = [
        run(model, source, Borrow(other, p.name, catalog, 0.6, 0.0, rule)).offsets for p in catalog.parts
    ]  # what an untrained model shows need not part well: some part takes something
    assert any(changed)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"k": 65}, "65 clusters.*2 to 64"),
        ({"k": 1}, "1 clusters.*2 to 64"),
        ({"layer": "b4.conv1", "k": 20, "seeds": range(1)}, "20 clusters.*1 samples have 16 places at b4.conv1"),
        ({"seeds": range(0)}, "0 samples"),
    ],
)
def test_clusters_that_cannot_be_found_are_refused_before_anything_is_drawn(generator, options, says):
    with pytest.raises(LatentError, match=says):
        next(build_catalog(generator, **options))


def test_activations_that_are_not_finite_are_refused(generator):
    catalog = make(generator)
    broken = tiny()
    with torch.no_grad():
        broken.network.synthesis.get_parameter("b8.conv0.weight").fill_(torch.nan)
    with pytest.raises(LatentError, match=r"b8.conv0 puts out is not finite"):
        next(build_catalog(broken))
    far = generator.sample(0).shifted({"b8.conv0": torch.full((8,), torch.inf)})
    with pytest.raises(LatentError, match=r"b8.conv1 puts out is not finite: undo"):
        catalog.part_map(generator, [far])
    with pytest.raises(LatentError, match="not finite"):
        run(generator, far, Borrow(generator.sample(1), "part 1", catalog, rule="soft"))
