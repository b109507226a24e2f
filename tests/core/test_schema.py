"""The schema of labels: attributes by name, one order, exact scaling, a file's header."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganedit_widgets.core import LabelError
from ganedit_widgets.core.conditioning import Attribute, Schema

YAW = Attribute("yaw", -85.471, 86.191, "towards the right", "turn head", "0123456789ab", "w", (2.2, 3.1), "opposite")
AGE = Attribute("age", -2.864, 9.7, "older", "age", space="w+", mirror="same")
GLASSES = Attribute("glasses", -51.916, -30.185, "glasses on", space="s", mirror="same")


def test_every_order_gives_the_same_schema():
    schemas = [Schema(order, "abc") for order in itertools.permutations((YAW, AGE, GLASSES))]
    assert len(set(schemas)) == 1
    assert schemas[0].names == ("age", "glasses", "yaw")


def test_it_comes_back_from_its_text_exactly():
    schema = Schema((YAW, AGE, GLASSES), "abc")
    assert Schema.from_json(schema.to_json()) == schema


def test_scaling_follows_the_formula_and_saturates():
    schema = Schema((Attribute("age", -2.0, 8.0),))
    raw = torch.tensor([[-2.0], [0.5], [3.0], [8.0], [-9.0], [100.0]])
    assert schema.scale(raw).flatten().tolist() == [0, 0.25, 0.5, 1, 0, 1]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1, width=32), min_size=3, max_size=3))
def test_unscaling_undoes_scaling_within_the_range(v):
    schema = Schema((YAW, AGE, GLASSES))
    v = torch.tensor(v, dtype=torch.float64)
    assert torch.allclose(schema.scale(schema.unscale(v)), v, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 500), st.integers(0, 2**31))
def test_the_fitted_range_is_that_of_numpys_percentiles(n, seed):
    raw = np.random.default_rng(seed).normal(5, 30, (n, 3))
    schema = Schema((YAW, AGE, GLASSES)).fitted(torch.from_numpy(raw))
    low, high = np.percentile(raw, [0.5, 99.5], axis=0)
    assert np.allclose([a.low for a in schema.attributes], low, rtol=1e-12, atol=1e-9)
    assert np.allclose([a.high for a in schema.attributes], high, rtol=1e-12, atol=1e-9)


@given(st.integers(2, 60), st.integers(0, 1000))
def test_the_typical_label_is_the_median(n, seed):
    raw = torch.from_numpy(np.random.RandomState(seed).randn(n, 1) * 3 + 1)
    fitted = Schema((AGE,)).fitted(raw)
    low, median, high = np.percentile(raw[:, 0].numpy(), (0.5, 50, 99.5))
    assert fitted.typical.tolist() == pytest.approx([(median - low) / (high - low)], abs=1e-5)
    assert Schema.from_json(fitted.to_json()) == fitted
    assert fitted.values({}).tolist() == pytest.approx(fitted.typical.tolist())


def test_values_are_set_by_name_and_others_are_typical():
    schema = Schema((YAW, AGE, GLASSES))
    assert schema.values({"yaw": 0.75, "age": 0}).tolist() == [0, 0.5, 0.75]


def test_mirroring_turns_only_what_is_opposite():
    schema = Schema((YAW, AGE))
    assert torch.allclose(schema.mirrored(torch.tensor([[0.25, 0.25]])), torch.tensor([[0.25, 0.75]]))
    v = torch.rand(5, 2)
    assert torch.allclose(schema.mirrored(schema.mirrored(v)), v)


def test_columns_from_elsewhere_are_found_by_name():
    schema = Schema((YAW, AGE))
    assert schema.columns(["beard", "yaw", "age"]) == [2, 1]
    with pytest.raises(LabelError, match="no labels of yaw, only of age"):
        schema.columns(["age"])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Schema((AGE, AGE)), "Two attributes are called 'age'"),
        (lambda: Schema(()), "at least one attribute"),
        (lambda: Attribute(" "), "needs a name"),
        (lambda: Attribute("age", 1.0, 1.0), "no range"),
        (lambda: Attribute("age", float("nan"), 1.0), "no range"),
        (lambda: Attribute("age", mirror="maybe"), "'maybe'"),
        (lambda: Schema((AGE,)).values({"yaw": 0.5}), "no attribute 'yaw': choose among age"),
        (lambda: Schema((AGE,)).values({"age": 1.5}), "from 0 to 1"),
        (lambda: replace(AGE, typical=1.5), "labels go from 0 to 1"),
        (lambda: Schema((AGE,)).values({"age": float("nan")}), "from 0 to 1"),
        (lambda: Schema((AGE,)).scale(torch.ones(4, 2)), r"\(4, 2\).*1 attributes"),
        (lambda: Schema((AGE, YAW)).scale(torch.tensor([[1.0, float("nan")]])), "'yaw' is not finite"),
        (lambda: Schema((AGE, YAW)).fitted(torch.tensor([[1.0, 2.0], [1.0, 3.0]])), "age is the same in all pictures"),
        (lambda: Schema((AGE,)).fitted(torch.zeros(0, 1)), "no labels"),
        (lambda: Schema((GLASSES, Attribute("age"))).mirrored(torch.ones(2)), "mirroring does to age"),
        (lambda: Schema.from_json("{"), "damaged"),
        (lambda: Schema.from_json('{"version": 1}'), "damaged"),
        (lambda: Schema.from_json('{"version": 9}'), "newer version"),
    ],
)
def test_what_cannot_be_is_one_sentence(make, says):
    with pytest.raises(LabelError, match=says) as error:
        make()
    assert "\n" not in str(error.value)
