"""Directions: what they must find, how they are checked, disentangled and kept."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from sklearn.svm import LinearSVC

from ganedit_widgets.core import DirectionError, edits
from ganedit_widgets.core.probes import (
    Direction,
    boundary,
    channel,
    condition,
    load_directions,
    new_direction,
    pca,
    save_directions,
    sefa,
)
from ganedit_widgets.core.probes.boundary import linear_svm, ridge
from ganedit_widgets.core.probes.whitening import Whitening
from tests.tiny import odd, tiny

RNG = np.random.default_rng(0)


def along(a, b):
    """Return the cosine of two vectors."""
    return float(torch.nn.functional.cosine_similarity(torch.as_tensor(a).double(), torch.as_tensor(b).double(), dim=0))


def samples(generator, count=200):
    return [generator.latent(w) for w in generator.w_samples[:count]]


# ---- SeFa


@pytest.mark.parametrize("layers", [None, range(1, 3)])
def test_sefa_finds_the_eigenvectors_of_the_affine_maps(generator, layers):
    chosen = range(6) if layers is None else layers
    maps = [layer.affine.weight for i, layer in generator.network.synthesis.style_layers().values() if i in chosen
            and not layer.__class__.__name__ == "ToRGB"]  # fmt: skip
    a = torch.cat(maps).double()
    found = sefa(generator, layers)
    assert len(found) == 8
    eigenvalues = [float((a @ d.vector.double()).square().sum()) for d in found]
    assert eigenvalues == sorted(eigenvalues, reverse=True)
    for direction, value in zip(found, eigenvalues, strict=True):
        assert torch.allclose(a.t() @ (a @ direction.vector.double()), value * direction.vector.double(), atol=1e-3)
        assert direction.layers == layers


def test_the_first_direction_changes_styles_more_than_any_other(generator):
    strongest = sefa(generator)[0].vector

    def change(v):
        before = generator.styles(generator.average())
        after = generator.styles(generator.average().moved(v))
        return sum(float((after[k] - before[k]).square().sum()) for k in before if not k.endswith("torgb"))

    assert all(change(strongest) > change(torch.nn.functional.normalize(torch.randn(8), dim=0)) for _ in range(20))


# ---- principal components


def test_pca_agrees_with_scikit_learn(generator):
    z = np.random.RandomState(1).randn(1000, 8)
    w = generator.map(torch.from_numpy(z).float()).numpy()
    reference = PCA(4).fit(w)
    for mine, theirs in zip(pca(generator, 4, samples=1000), reference.components_, strict=True):
        assert abs(along(mine.vector, theirs)) > 0.9999


def test_components_of_activations_are_carried_back_to_w(generator):
    found = pca(generator, 3, layer="b8.conv1")
    assert all(d.vector.shape == (8,) and d.fingerprint == generator.fingerprint for d in found)
    random = new_direction(generator, torch.nn.functional.normalize(torch.ones(8), dim=0), "any")

    def effect(direction):
        moved = (edits.run(generator, generator.average(), edits.MoveAlong(direction, s)) for s in (-1.0, 1.0))
        low, high = (generator.features(latent, ["b8.conv1"])["b8.conv1"] for latent in moved)
        return float((high - low).norm())

    assert effect(found[0]) > effect(random)


def test_a_layer_that_is_not_there_is_refused(generator):
    with pytest.raises(Exception, match=r"no layer 'b64\.conv0'.*b4\.conv1"):
        pca(generator, 3, layer="b64.conv0")


# ---- boundaries


@pytest.mark.parametrize("c", [0.01, 1.0, 30.0])
@pytest.mark.parametrize("count", [300, 20], ids=["many samples", "few samples"])
def test_the_svm_agrees_with_scikit_learn(c, count):
    x = RNG.normal(size=(count, 30)) * np.linspace(0.5, 2, 30)
    y = x @ RNG.normal(size=30) + RNG.normal(size=count) > 0.7
    reference = LinearSVC(C=c, loss="squared_hinge", dual=False, intercept_scaling=100, tol=1e-8).fit(x, y)
    v, b = linear_svm(torch.from_numpy(x), torch.from_numpy(y), c)
    assert np.allclose(v, reference.coef_[0], rtol=1e-3, atol=1e-4)
    assert np.isclose(b, reference.intercept_[0], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize("count", [200, 8], ids=["primal", "dual"])
def test_the_ridge_agrees_with_scikit_learn(count):
    x = RNG.normal(size=(count, 12))
    y = 5 * x @ RNG.normal(size=12) + RNG.normal(size=count) + 40
    reference = Ridge(alpha=1 / 3.0).fit(x, (y - y.mean()) / y.std(ddof=1))
    assert np.allclose(ridge(torch.from_numpy(x), torch.from_numpy(y), c=3.0), reference.coef_, atol=1e-8)


@pytest.mark.parametrize("kind", ["classes", "continuous"])
def test_a_boundary_finds_what_the_labels_were_made_of(generator, kind):
    truth = torch.nn.functional.normalize(torch.tensor([1.0, -1, 0, 0.5, 0, 0, 0, 0]), dim=0)
    latents = samples(generator, 600)
    scores = torch.stack([latent.w[0] for latent in latents]) @ truth
    labels = scores > scores.median() if kind == "classes" else scores * 10 + 100
    found = boundary(generator, latents, labels, "truth", c=10.0)
    assert along(found.vector, truth) > 0.97
    raised = edits.run(generator, latents[0], edits.MoveAlong(found, 1.0))
    assert float(raised.w[0] @ truth) > float(latents[0].w[0] @ truth)


@pytest.mark.parametrize("space", ["w+", "s"])
def test_boundaries_are_found_in_wider_spaces_too(generator, space):
    latents = samples(generator)
    labels = [float(generator.styles(latent)["b8.conv0"][2]) > 1 for latent in latents]
    found = boundary(generator, latents, labels, "channel 2", space=space)
    assert found.space == space
    moved = edits.run(generator, latents[0], edits.MoveAlong(found, 3.0))
    assert generator.styles(moved)["b8.conv0"][2] > generator.styles(latents[0])["b8.conv0"][2]


@pytest.mark.parametrize(
    ("labels", "says"),
    [([1, 0, 1], "4 latents.*3 labels"), ([1, 1, 1, 1], "Both sides"), ([1, 0, 0, 0], "Both sides"),
     ([1, 0, float("nan"), 0], "not finite")],
)  # fmt: skip
def test_labels_that_tell_nothing_are_refused(generator, labels, says):
    with pytest.raises(DirectionError, match=says):
        boundary(generator, samples(generator, 4), labels)


def test_labels_in_an_unknown_space_are_refused(generator):
    with pytest.raises(DirectionError, match="'z' is unknown"):
        boundary(generator, samples(generator, 4), [0, 0, 1, 1], space="z")


def test_a_boundary_can_be_found_in_inference_mode(generator):
    with torch.inference_mode():
        assert boundary(generator, samples(generator, 20), [i % 2 for i in range(20)]).unit > 0


# ---- conditions


def test_conditions_are_all_held(generator):
    one, other, third = (
        new_direction(generator, torch.from_numpy(RNG.normal(size=8)), name) for name in ("one", "other", "third")
    )
    held = condition(one, other, third)
    assert abs(along(held.vector, other.vector)) < 1e-6 and abs(along(held.vector, third.vector)) < 1e-6
    assert along(held.vector, one.vector) > 0
    assert held.name == "one | other, third"


def test_a_conditioned_step_changes_its_own_score_as_much_as_before(generator):
    one, other = (new_direction(generator, torch.from_numpy(RNG.normal(size=8)), name) for name in ("one", "other"))
    held = condition(one, other)
    before, after = (float(d.unit * d.vector @ one.vector) for d in (one, held))
    assert np.isclose(before, after, rtol=1e-5)


def test_a_condition_given_twice_counts_once(generator):
    one, other = sefa(generator)[0], pca(generator, 2)[0]
    assert torch.allclose(condition(one, other, other).vector, condition(one, other).vector, atol=1e-6)


def test_without_conditions_a_direction_stays_itself(generator):
    one = sefa(generator)[0]
    assert condition(one) is one


def test_style_directions_are_conditioned_across_layers(generator):
    one = new_direction(generator, {"b8.conv0": torch.ones(8), "b8.conv1": torch.ones(8)}, "one")
    held = condition(one, channel(generator, "b8.conv1", 3), channel(generator, "b4.conv1", 0))
    assert held.vector["b8.conv1"][3].abs() < 1e-6 and held.vector["b8.conv1"][2].abs() > 0.1


def test_conditions_that_leave_nothing_are_refused(generator):
    one = sefa(generator)[0]
    with pytest.raises(DirectionError, match="nothing is left"):
        condition(one, replace(one, name="again"))


def test_conditions_of_another_space_or_model_are_refused(generator):
    one = sefa(generator)[0]
    with pytest.raises(DirectionError, match=r"in W, .* in S"):
        condition(one, channel(generator, "b8.conv0", 1))
    with pytest.raises(DirectionError, match="different checkpoints"):
        condition(one, sefa(tiny(seed=1))[0])


# ---- units and signs


@pytest.mark.parametrize("length", [1.0, 7.0])
@pytest.mark.parametrize("shape", [(8,), (6, 8)])
def test_a_step_is_one_deviation_whatever_the_length_given(generator, shape, length):
    vector = torch.zeros(shape)
    vector[..., 2] = length
    found = new_direction(generator, vector, "third")
    step = found.unit * found.vector
    assert torch.allclose(step[..., 2], generator.w_samples[:, 2].std().expand(shape[:-1]), rtol=1e-4)


def test_a_channel_moves_by_the_deviation_of_its_style(generator):
    found = channel(generator, "b8.conv0", 5)
    styles = torch.stack([generator.styles(latent)["b8.conv0"][5] for latent in samples(generator, 2000)])
    assert np.isclose(found.unit, float(styles.std()), rtol=1e-4)


def test_signs_are_fixed_and_recorded(generator):
    for direction in (*sefa(generator), *pca(generator, 4)):
        assert direction.vector[direction.vector.abs().argmax()] > 0
        assert "positive" in direction.sign


@pytest.mark.parametrize("model", [tiny, odd])
def test_the_whitened_latents_of_a_model_are_round(model):
    generator = model()
    white = Whitening.of(generator)
    u = white.to_u(generator.w_samples)
    variances = torch.linalg.eigvalsh(u.t() @ u / len(u))
    assert variances.max() < 1.01 and variances.median() > 0.99  # an axis W hardly has stays short
    assert torch.allclose(white.to_w(u), generator.w_samples, atol=1e-4)
    assert white.distance(generator.average().w) == 0
    assert 0.5 < white.distance(generator.w_samples) < 1.5


# ---- checks


@pytest.mark.parametrize(
    ("vector", "says"),
    [
        (torch.ones(9), r"\(9,\).*\(8,\) for W or \(6, 8\)"),
        (torch.ones(5, 8), r"\(5, 8\)"),
        (torch.zeros(8), "all zeros"),
        (torch.full((8,), float("nan")), "not finite"),
        ({"b8.conv0": torch.ones(7)}, "7.*'b8.conv0'.*8 channels"),
        ({"b64.conv0": torch.ones(8)}, "no such style layer"),
        ({"b8.conv0": torch.zeros(8)}, "all zeros"),
    ],
    ids=["width", "layers", "zero", "nan", "channels", "layer", "zero style"],
)
def test_a_vector_that_cannot_be_a_direction_is_refused(generator, vector, says):
    with pytest.raises(DirectionError, match=says):
        new_direction(generator, vector, "mine")


@pytest.mark.parametrize(
    ("find", "says"),
    [
        (lambda g: sefa(g, range(3, 9)), "Layers 3 to 8.*0 to 5"),
        (lambda g: sefa(g, range(0)), "no convolution"),
        (lambda g: channel(g, "b8.conv7", 0), "no style layer 'b8.conv7'"),
        (lambda g: channel(g, "b8.conv0", 8), "channels 0 to 7"),
        (lambda g: pca(g, 20, samples=10), "too few"),
    ],
)
def test_finders_say_what_they_cannot_find(generator, find, says):
    with pytest.raises(DirectionError, match=says):
        find(generator)


# ---- files


def test_directions_are_kept_exactly(generator, tmp_path):
    kept = [
        sefa(generator, range(1, 3))[0],
        new_direction(generator, torch.randn(6, 8), "wide"),
        channel(generator, "b8.conv0", 1),
        replace(sefa(generator)[1], name="smile ☺ / \"'", range=(-1.5, 2.5)),
    ]
    save_directions(tmp_path / "mine.safetensors", kept)
    found = load_directions(tmp_path / "mine.safetensors")
    assert list(found) == [d.name for d in kept]
    for before, after in zip(kept, found.values(), strict=True):
        for name in Direction.__dataclass_fields__:
            if name not in ("vector", "code"):
                assert getattr(after, name) == getattr(before, name), name
        one, other = edits.MoveAlong(before, 1.3), edits.MoveAlong(after, 1.3)
        start = generator.average()
        pictures = [generator.draw(edits.run(generator, start, edit)) for edit in (one, other)]
        assert torch.equal(*pictures)


def test_code_finds_a_direction_again(generator, tmp_path):
    wide = new_direction(generator, torch.randn(6, 8), "wide")
    save_directions(tmp_path / "d.safetensors", [wide])
    loaded = load_directions(tmp_path / "d.safetensors")["wide"]
    names = {"sefa": sefa, "pca": pca, "channel": channel, "condition": condition, "load_directions": load_directions}
    found = [sefa(generator, range(2, 5))[1], sefa(generator)[3], pca(generator, 5, samples=500)[2], loaded,
             pca(generator, 2, layer="b8.conv0")[1], channel(generator, "b8.conv0", 5)]  # fmt: skip
    for direction in [*found, condition(found[0], found[1], found[2])]:
        again = eval(direction.code, {"generator": generator, **names})
        vectors = [d.vector if isinstance(d.vector, dict) else {"": d.vector} for d in (direction, again)]
        assert all(torch.equal(vectors[0][k], vectors[1][k]) for k in vectors[0])
        assert (again.unit, again.layers) == (direction.unit, direction.layers)


def test_directions_of_another_model_load_and_are_refused_where_they_are_used(generator, tmp_path):
    save_directions(tmp_path / "d.safetensors", sefa(odd())[:1])
    found = load_directions(tmp_path / "d.safetensors")["SeFa 1"]
    with pytest.raises(DirectionError, match="'SeFa 1' belongs to checkpoint"):
        edits.run(generator, generator.average(), edits.MoveAlong(found))


def test_two_directions_of_one_name_are_refused(generator, tmp_path):
    with pytest.raises(DirectionError, match="Two directions are called 'SeFa 1'"):
        save_directions(tmp_path / "d.safetensors", [sefa(generator)[0]] * 2)


def test_files_that_hold_no_directions_say_so(generator, tmp_path):
    from safetensors.torch import save_file

    with pytest.raises(DirectionError, match="no file"):
        load_directions(tmp_path / "nothing.safetensors")
    (tmp_path / "letter.safetensors").write_text("hello")
    with pytest.raises(DirectionError, match="damaged"):
        load_directions(tmp_path / "letter.safetensors")
    save_file({"w": torch.ones(3)}, tmp_path / "weights.safetensors")
    with pytest.raises(DirectionError, match="no directions"):
        load_directions(tmp_path / "weights.safetensors")
    save_file({}, tmp_path / "newer.safetensors", metadata={"ganedit.directions": '{"version": 99, "directions": []}'})
    with pytest.raises(DirectionError, match="newer version"):
        load_directions(tmp_path / "newer.safetensors")
    with pytest.raises(DirectionError, match="cannot be written"):
        save_directions(tmp_path / "nowhere" / "d.safetensors", sefa(generator)[:1])


def test_a_file_of_directions_cannot_put_words_into_shown_code(generator, tmp_path):
    evil = replace(sefa(generator)[0], code='__import__("os").system("true")')
    save_directions(tmp_path / "d.safetensors", [evil])
    assert "__import__" not in load_directions(tmp_path / "d.safetensors")["SeFa 1"].code
