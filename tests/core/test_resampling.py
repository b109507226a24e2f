"""Resampling: even labels, the same list for the same seed, a cap that is kept, a report that adds up, refusals."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from sklearn.neighbors import BallTree

from ganedit_widgets.core import LabelError
from ganedit_widgets.core.conditioning import Attribute, Labels, Schema
from ganedit_widgets.core.conditioning.resampling import (
    Resampling,
    balance,
    load_resampling,
    resample,
    save_resampling,
)


def gaussian(n, covariance, seed=0):
    raw = np.random.default_rng(seed).multivariate_normal(np.zeros(len(covariance)), covariance, n)
    raw = torch.from_numpy(raw).float()
    schema = Schema(tuple(Attribute(name) for name in "abcdef"[: raw.shape[1]])).fitted(raw)
    return Labels(raw, tuple(map(str, range(n))), schema)


LIKE_FACES = [[1, -0.52, 0.13], [-0.52, 1, -0.06], [0.13, -0.06, 1]]


def test_one_attribute_becomes_even():
    labels = gaussian(70_000, [[1.0]])
    found = balance(labels, resample(labels, 70_000))
    assert max(found.deciles_before[0]) > 0.18
    assert np.allclose(found.deciles_after[0], 0.1, atol=0.003)


def test_three_attributes_become_as_even_and_as_uncorrelated_as_the_papers():
    labels = gaussian(70_000, LIKE_FACES)
    found = balance(labels, resample(labels, 70_000))
    for shares in found.deciles_after:
        assert all(0.095 < share < 0.125 for share in shares[1:-1])
    assert found.correlation_before[0][1] < -0.5 and -0.17 < found.correlation_after[0][1] < -0.08
    assert 0.3 < found.unique / 70_000 < 0.5 and found.effective < found.unique


def test_each_draw_is_one_of_the_nearest():
    labels = gaussian(500, LIKE_FACES)
    rows = resample(labels, 300, k=5, seed=4).rows
    rng = np.random.default_rng(4)
    queries = rng.random((300, 3))
    nearest = BallTree(labels.v.double().numpy()).query(queries, 5)[1]
    places = (rng.random(300) * 5).astype(int)
    assert rows.tolist() == nearest[np.arange(300), places].tolist()


def test_the_seed_decides():
    labels = gaussian(300, LIKE_FACES)
    one, same, other = (resample(labels, seed=seed, cap=5).rows for seed in (7, 7, 8))
    assert torch.equal(one, same) and not torch.equal(one, other) and len(one) == 300


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(1, 4), st.integers(1, 5), st.data())
def test_a_cap_is_always_kept_and_every_query_answered(n, attributes, cap, data):
    labels = gaussian(n, np.eye(attributes))
    count = data.draw(st.integers(1, cap * n))
    k = data.draw(st.integers(1, n))
    rows = resample(labels, count, k, data.draw(st.integers(0, 99)), cap).rows
    assert len(rows) == count and int(torch.bincount(rows).max()) <= cap and 0 <= rows.min() and rows.max() < n


def test_a_cap_that_is_never_reached_changes_nothing():
    labels = gaussian(400, LIKE_FACES)
    assert torch.equal(resample(labels).rows, resample(labels, cap=400).rows)


def test_the_report_adds_up():
    labels = gaussian(200, np.eye(2))
    found = balance(labels, Resampling(torch.tensor([0, 0, 0, 5]), 200))
    assert (found.draws, found.unique, found.most) == (4, 2, 3)
    assert np.isclose(found.effective, 1 / (0.75**2 + 0.25**2)) and found.top_share == 1
    assert all(np.isclose(sum(shares), 1) for shares in (*found.deciles_before, *found.deciles_after))
    json.dumps(found.to_dict())
    everyone = balance(labels, Resampling(torch.arange(200), 200))
    assert np.isclose(everyone.effective, 200) and everyone.deciles_after == everyone.deciles_before


def test_it_comes_back_from_its_file(tmp_path):
    labels = gaussian(50, np.eye(2))
    found = resample(labels, 80, 3, 5, 10)
    save_resampling(tmp_path / "r.safetensors", found)
    again = load_resampling(tmp_path / "r.safetensors")
    assert torch.equal(again.rows, found.rows) and again.pictures == 50
    assert again.settings == {
        "count": 80,
        "k": 3,
        "seed": 5,
        "cap": 10,
        "attributes": ["a", "b"],
        "names": "a190ad149c6c",
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"k": 51}, "51 nearest of 50 pictures.*label more"),
        ({"k": 0}, "1 to 50"),
        ({"count": 0}, "0 draws"),
        ({"count": 101, "cap": 2}, "each at most 2 times.*1 to 100"),
        ({"cap": -1}, "at most -1 times"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, says):
    with pytest.raises(LabelError, match=says) as error:
        resample(gaussian(50, np.eye(2)), **arguments)
    assert "\n" not in str(error.value)


def test_files_and_labels_that_do_not_belong_are_refused(tmp_path):
    path = tmp_path / "r.safetensors"
    with pytest.raises(LabelError, match="no file"):
        load_resampling(path)
    header = {"ganedit.resampling": json.dumps({"version": 1, "pictures": 2, "settings": {}})}
    for rows in (torch.tensor([0, 2]), torch.tensor([-1]), torch.tensor([0.5]), torch.zeros(0, dtype=torch.int64)):
        save_file({"rows": rows}, path, header)
        with pytest.raises(LabelError, match="damaged"):
            load_resampling(path)
    save_file({"rows": torch.tensor([0])}, path)
    with pytest.raises(LabelError, match="damaged or no resampling"):
        load_resampling(path)
    with pytest.raises(LabelError, match="of 9 pictures"):
        balance(gaussian(50, np.eye(2)), Resampling(torch.tensor([0]), 9))
    labels = gaussian(50, np.eye(2))
    save_resampling(path, resample(labels))
    assert balance(labels.only(["a"]), load_resampling(path)).draws == 50  # of the same pictures
    with pytest.raises(LabelError, match="other names than those that are labeled"):
        balance(replace(labels, names=tuple(reversed(labels.names))), load_resampling(path))
