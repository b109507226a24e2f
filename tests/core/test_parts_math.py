"""The mathematics of Editing in Style: clusters on the sphere, contributions, queries."""

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import linprog
from sklearn.metrics import adjusted_rand_score

from ganedit_widgets.core import LatentError
from ganedit_widgets.core.parts.contributions import contributions, normalized, resized
from ganedit_widgets.core.parts.kmeans import plus_plus, spherical_kmeans
from ganedit_widgets.core.parts.queries import greedy_query, simple_query, soft_query


def fit(rows, k, **options):
    return list(spherical_kmeans(rows, k, **options))


def blobs(k=5, each=60, channels=12, seed=0):
    rng = torch.Generator().manual_seed(seed)
    centers = torch.nn.functional.normalize(torch.randn(k, channels, generator=rng), dim=1)
    truth = torch.arange(k).repeat_interleave(each)
    return centers[truth] + 0.08 * torch.randn(k * each, channels, generator=rng), truth


def uniform(n=300, channels=6, seed=0):
    return torch.randn(n, channels, generator=torch.Generator().manual_seed(seed))


# ---- clusters


def test_blobs_are_recovered():
    rows, truth = blobs()
    best = fit(rows, 5)[-1].best
    assert adjusted_rand_score(truth, best.assign(rows)) > 0.99


def test_centers_are_of_unit_length_and_rows_go_to_the_one_of_largest_cosine():
    rows = uniform()
    best = fit(rows, 7)[-1].best
    assert torch.allclose(best.centers.norm(dim=1), torch.ones(7), atol=1e-5)
    cosines = torch.nn.functional.cosine_similarity(rows[:, None], best.centers[None], dim=2)
    assert torch.equal(best.assign(rows), cosines.argmax(1))
    assert best.objective == pytest.approx(float(cosines.max(1).values.mean()), abs=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_the_objective_never_falls_within_a_start(seed):
    # with one restart, the best so far is the present one unless it fell
    steps = fit(uniform(seed=seed), 8, restarts=1, iterations=30, seed=seed)
    objectives = [p.best.objective for p in steps]
    assert objectives == sorted(objectives)
    assert objectives[-1] > objectives[0]


def test_the_length_of_rows_does_not_matter():
    rows = uniform()
    scaled = rows * torch.linspace(0.1, 9, len(rows))[:, None]
    assert torch.allclose(fit(rows, 4)[-1].best.centers, fit(scaled, 4)[-1].best.centers, atol=1e-4)


def test_a_seed_gives_the_same_clusters_and_another_may_not():
    rows = uniform()
    first, again = fit(rows, 6, seed=3)[-1].best, fit(rows, 6, seed=3)[-1].best
    assert torch.equal(first.centers, again.centers)
    assert not torch.equal(first.centers, fit(rows, 6, seed=4)[-1].best.centers)


def test_more_restarts_are_never_worse():
    rows = uniform(500)
    assert fit(rows, 9, restarts=6)[-1].best.objective >= fit(rows, 9, restarts=1)[-1].best.objective


def test_it_is_as_good_as_the_best_of_scikit_learns_k_means_on_unit_rows():
    from sklearn.cluster import KMeans

    rows = torch.nn.functional.normalize(uniform(400), dim=1)
    theirs = KMeans(6, n_init=10, random_state=0).fit(rows.numpy()).cluster_centers_
    theirs = torch.nn.functional.normalize(torch.from_numpy(theirs).float(), dim=1)
    assert fit(rows, 6, restarts=10)[-1].best.objective > float((rows @ theirs.t()).max(1).values.mean()) - 0.005


def test_no_cluster_stays_empty():
    rows = torch.cat([blobs(2)[0], blobs(2)[0]])
    best = fit(rows, 12, restarts=1)[-1].best
    assert len(best.assign(rows).unique()) == 12


def test_small_batches_come_close_to_all_rows():
    rows, _ = blobs(6, 200)
    whole, batches = fit(rows, 6)[-1].best, fit(rows, 6, batch=100, iterations=40)[-1].best
    assert batches.objective > whole.objective - 0.02


def test_the_first_centers_are_rows_and_spread_out():
    rows, truth = blobs(5)
    x = torch.nn.functional.normalize(rows, dim=1)
    found = []
    for seed in range(20):
        first = plus_plus(x, 5, torch.Generator().manual_seed(seed))
        chosen = [(x == c).all(1).nonzero()[0].item() for c in first]
        found.append(len({int(truth[i]) for i in chosen}))
    assert sum(found) / len(found) > 4.3  # five draws at random find 3.4 of the five blobs


def test_progress_counts_up_to_its_total():
    steps = fit(uniform(), 3, restarts=2, iterations=5)
    assert [p.step for p in steps] == sorted(p.step for p in steps)
    assert steps[-1].step == steps[-1].total == 10


@pytest.mark.parametrize(
    ("rows", "k", "says"),
    [
        (torch.ones(3, 4), 4, "N ≥ K"),
        (torch.ones(99, 4), 65, "2 to 64"),
        (torch.zeros(9, 4), 2, "no direction"),
        (torch.full((9, 4), float("nan")), 2, "no direction"),
    ],
)
def test_what_cannot_be_clustered_is_refused(rows, k, says):
    with pytest.raises(LatentError, match=says):
        fit(rows, k)


# ---- contributions


def members(n=3, k=4, size=8, seed=0):
    labels = torch.randint(k, (n, size, size), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(labels, k).permute(0, 3, 1, 2).float()


@pytest.mark.parametrize("size", [(8, 8), (4, 4), (16, 16), (6, 10)])
def test_the_parts_of_a_channel_sum_to_one(size):
    activations = torch.randn(3, 5, *size) * 7 + 3
    m = contributions(activations, members())
    assert m.shape == (4, 5)
    assert torch.allclose(m.sum(0), torch.ones(5), atol=1e-4)
    assert (m >= 0).all()


def test_contributions_of_merged_clusters_are_the_sums_of_theirs():
    activations, u = torch.randn(3, 5, 8, 8), members()
    merged = torch.cat([u[:, :2].sum(1, keepdim=True), u[:, 2:]], 1)
    m = contributions(activations, u)
    assert torch.allclose(contributions(activations, merged)[0], m[0] + m[1], atol=1e-5)


def test_the_average_is_that_of_the_pictures():
    activations, u = torch.randn(3, 5, 8, 8), members()
    assert torch.allclose(contributions(activations, u, each=True).mean(0), contributions(activations, u), atol=1e-6)


def test_a_channel_that_lives_in_one_part_contributes_to_it_alone():
    u = torch.zeros(1, 2, 8, 8)
    u[:, 0, :4], u[:, 1, 4:] = 1, 1
    activations = torch.zeros(1, 1, 8, 8)
    activations[..., 0, 0] = 50.0
    assert float(contributions(activations, u)[0, 0]) > 0.98


def test_a_channel_that_never_varies_is_spread_evenly():
    assert torch.equal(normalized(torch.full((1, 1, 4, 4), 5.0)), torch.ones(1, 1, 4, 4))


def test_resized_memberships_still_are_of_one_cluster_each():
    for size in ((4, 4), (16, 16), (3, 5)):
        found = resized(members(), size)
        assert torch.equal(found.sum(1), torch.ones(3, *size))
        assert set(found.unique().tolist()) == {0.0, 1.0}


# ---- queries

channels = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=40).map(lambda values: torch.tensor(values))


@given(channels, st.floats(1e-3, 50))
@example(torch.tensor([1.0, 1.0]), 1e-3)
def test_the_greedy_choice_is_within_one_channel_of_the_linear_programme(m, epsilon):
    best = linprog(-m.numpy().astype(np.float64), [(1 - m.numpy()).astype(np.float64)], [epsilon], bounds=(0, 1))
    q = greedy_query(m, epsilon)
    assert float((q * (1 - m)).sum()) <= epsilon + 1e-4
    assert -best.fun - 1 - 1e-4 <= float((q * m).sum()) <= -best.fun + 1e-4
    whole = greedy_query(m, epsilon, fraction=True)
    assert float((whole * m).sum()) == pytest.approx(-best.fun, abs=1e-3)
    assert float((whole * (1 - m)).sum()) <= epsilon + 1e-3


@given(channels, st.floats(0, 50), st.floats(0, 50), st.floats(0, 1), st.floats(0, 1))
def test_more_budget_takes_more_and_more_protection_takes_less(m, a, b, low, high):
    less, more = (greedy_query(m, e) for e in sorted((a, b)))
    assert (less <= more).all()
    loose, strict = (greedy_query(m, a, rho) for rho in sorted((low, high)))
    assert (strict <= loose).all()


@given(channels, st.floats(0, 0.99))
def test_the_ends_of_the_greedy_rule(m, rho):
    assert greedy_query(m, 0).sum() == 0
    assert greedy_query(m, 5, rho=1.0).sum() == 0
    assert torch.equal(greedy_query(m, len(m) + 1, rho), (m > rho).float())


@given(channels.map(lambda m: m.clamp(min=0.01)))
def test_the_ends_of_the_simple_rule(m):
    assert simple_query(m, 0).sum() == 0
    assert torch.equal(simple_query(m, 101), torch.ones_like(m))


def test_the_soft_rule_takes_what_belongs_to_no_other_part():
    m = torch.tensor([[0.9, 0.5, 0.1], [0.1, 0.5, 0.9]])
    assert soft_query(m, 0).tolist() == [1, 0, 0]


def test_negative_budgets_and_strengths_are_refused():
    with pytest.raises(LatentError, match="0 or more"):
        greedy_query(torch.ones(3), -1)
    with pytest.raises(LatentError, match="0 or more"):
        simple_query(torch.ones(3), -1)
