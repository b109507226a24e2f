"""Labels: exact projections in every space, inversion that goes on, reports that say what is true, and refusals."""

import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file
from sklearn.metrics import roc_auc_score

from ganedit_widgets.core import DirectionError, ImageError, LabelError, LatentError
from ganedit_widgets.core.conditioning import Attribute, Labels, Schema, load_labels, save_labels
from ganedit_widgets.core.conditioning.invert import guess, invert
from ganedit_widgets.core.conditioning.labeler import direction_id, label, project, symmetric, with_mirrors
from ganedit_widgets.core.conditioning.reports import agreement, mirror_checks, read_truth, report
from ganedit_widgets.core.conditioning.source import PictureSource
from ganedit_widgets.core.conditioning.statistics import auc, decile_shares, pearson, spearman
from ganedit_widgets.core.embed_folder import Embeddings, read_embeddings
from ganedit_widgets.core.encoder import Encoder
from ganedit_widgets.core.encoder.network import EncoderNetwork, config_for
from ganedit_widgets.core.probes import channel, new_direction, pca, sefa
from tests.tiny import odd, tiny

W = torch.from_numpy(np.random.default_rng(1).normal(size=(60, 6, 8))).float()


def embeddings(generator, w=W, **changes):
    names = tuple(f"{i:03d}.png" for i in range(len(w)))
    return replace(Embeddings(names, w, torch.zeros(len(w)), {}, generator.fingerprint, {"steps": 3}), **changes)


def some_labels(raw, *names):
    """Return labels with the given columns."""
    raw = torch.as_tensor(np.asarray(raw), dtype=torch.float32)
    schema = Schema(tuple(map(Attribute, names))).fitted(raw)
    return Labels(raw, tuple(map(str, range(len(raw)))), schema)


# ---- projections


def test_a_label_of_w_is_the_weighted_sum_over_layers(generator):
    n = sefa(generator)[0]
    weights = (2.5, 1.0, 0.5, 0.0, 1.5, 0.5)
    plain, weighed = project(generator, [n, replace(n, weights=weights)], W).unbind(1)
    assert torch.allclose(plain, torch.stack([W[:, i] @ n.vector for i in range(6)]).sum(0), atol=1e-5)
    assert torch.allclose(weighed, sum(o * (W[:, i] @ n.vector) for i, o in enumerate(weights)), atol=1e-5)


def test_a_direction_of_some_layers_measures_only_these(generator):
    n = sefa(generator, range(1, 3))[0]
    found = project(generator, [n], W)[:, 0]
    assert torch.allclose(found, (W[:, 1] + W[:, 2]) @ n.vector, atol=1e-5)


def test_a_label_of_w_plus_is_the_dot_product_of_all_numbers(generator):
    n = new_direction(generator, torch.randn(6, 8), "wide")
    assert torch.allclose(project(generator, [n], W)[:, 0], W.flatten(1) @ n.vector.flatten(), atol=1e-5)


def test_a_label_of_s_is_the_dot_product_of_all_styles(generator):
    n = new_direction(generator, {"b8.conv0": torch.randn(8), "b16.torgb": torch.randn(8)}, "styles")
    found = project(generator, [n], W)[:, 0]
    for i in (0, 7):
        styles = generator.styles(generator.latent(W[i]))
        assert np.isclose(float(found[i]), float(sum(styles[k] @ x for k, x in n.vector.items())), atol=1e-4)


def test_a_label_follows_a_planted_attribute_in_a_straight_line(generator):
    n = pca(generator, 2)[0]
    amounts = torch.linspace(-3, 3, 60)
    w = generator.w_avg.expand(60, 6, 8) + amounts[:, None, None] * n.vector
    assert pearson(project(generator, [n], w)[:, 0], amounts) > 0.9999


def test_directions_and_latents_of_another_model_or_space_are_refused(generator):
    with pytest.raises(DirectionError, match="'SeFa 1' belongs to checkpoint"):
        label(generator, embeddings(generator), {"yaw": sefa(odd())[0]})
    forged = replace(sefa(generator)[0], vector=torch.ones(6, 8), space="w")
    with pytest.raises(DirectionError, match="another model or space"):
        label(generator, embeddings(generator), {"yaw": forged})
    with pytest.raises(LatentError, match="belong to checkpoint"):
        label(generator, embeddings(odd()), {"yaw": sefa(generator)[0]})
    with pytest.raises(LatentError, match=r"\(60, 5, 8\)"):
        project(generator, [sefa(generator)[0]], W[:, :5])
    with pytest.raises(DirectionError, match="weights for 2 layers"):
        project(generator, [replace(sefa(generator)[0], weights=(1.0, 1.0))], W)


# ---- labels


def test_labels_are_found_by_name_whatever_the_order(generator):
    a, b = sefa(generator)[0], channel(generator, "b8.conv0", 1)
    one = label(generator, embeddings(generator), {"yaw": a, "age": b})
    other = label(generator, embeddings(generator), {"age": b, "yaw": a})
    assert one.schema == other.schema and torch.equal(one.raw, other.raw)
    assert torch.equal(one.of("yaw"), project(generator, [a], W)[:, 0])
    assert one.schema["age"].space == "s" and one.schema["yaw"].direction == "SeFa 1"
    assert one.schema.fingerprint == generator.fingerprint


def test_v_runs_from_the_half_percent_to_its_opposite(generator):
    labels = label(generator, embeddings(generator), {"yaw": sefa(generator)[0]})
    low, high = np.percentile(labels.raw.double(), [0.5, 99.5])
    assert np.isclose(labels.schema["yaw"].low, low) and np.isclose(labels.schema["yaw"].high, high)
    assert torch.allclose(labels.v, ((labels.raw - low) / (high - low)).clamp(0, 1).float(), atol=1e-5)
    assert labels.v.min() == 0 and labels.v.max() == 1


def test_a_direction_is_known_by_its_numbers_and_not_by_its_name(generator):
    one, other = sefa(generator)[:2]
    assert direction_id(one) == direction_id(replace(one, name="yaw"))
    ids = {direction_id(d) for d in (one, other, replace(one, weights=(1.0,) * 6), replace(one, layers=range(2)))}
    assert len(ids) == 4


def test_labels_come_back_from_their_file_exactly(generator, tmp_path):
    labels = label(generator, embeddings(generator), {"yaw": sefa(generator)[0], "age": sefa(generator)[1]})
    save_labels(tmp_path / "l.safetensors", with_mirrors(labels, {"yaw": "opposite"}))
    again = load_labels(tmp_path / "l.safetensors")
    assert torch.equal(again.raw, labels.raw) and again.names == labels.names and again.about == labels.about
    assert again.schema["yaw"].mirror == "opposite" and again.schema["age"] == labels.schema["age"]


def test_some_attributes_can_be_chosen(generator):
    directions = dict(zip("abc", sefa(generator), strict=False))
    labels = label(generator, embeddings(generator), directions)
    chosen = labels.only(["c", "a"])
    assert chosen.schema.names == ("a", "c") and torch.equal(chosen.raw, labels.raw[:, [0, 2]])
    with pytest.raises(LabelError, match="Two attributes are called 'a'"):
        labels.only(["a", "a"])


def test_rows_are_found_by_the_names_of_pictures():
    labels = some_labels(np.arange(5.0)[:, None], "age")
    assert labels.rows(["3", "0"]).tolist() == [3, 0]
    with pytest.raises(LabelError, match=r"'9' has no labels \(1 of 2 pictures"):
        labels.rows(["3", "9"])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda g: label(g, embeddings(g), {}), "at least one attribute"),
        (lambda g: label(g, embeddings(g, W[:1].expand(60, -1, -1)), {"yaw": sefa(g)[0]}), "yaw is the same"),
        (lambda g: label(g, embeddings(g), {"yaw": sefa(g)[0], " yaw": sefa(g)[1]}), "Two attributes are called 'yaw'"),
        (lambda g: label(g, embeddings(g, W * float("nan")), {"yaw": sefa(g)[0]}), "'yaw' is not finite"),
        (lambda g: label(g, embeddings(g, W[:0]), {"yaw": sefa(g)[0]}), "None of the pictures"),
        (lambda g: Labels(torch.ones(2, 1), ("a", "a"), Schema((Attribute("age"),))), "'a' has two rows"),
        (lambda g: Labels(torch.ones(2, 1), ("a",), Schema((Attribute("age"),))), "names of 1 pictures"),
    ],
)
def test_labels_that_cannot_be_are_one_sentence(generator, make, says):
    with pytest.raises(LabelError, match=says) as error:
        make(generator)
    assert "\n" not in str(error.value)


def test_files_that_hold_no_labels_say_so(tmp_path):
    path = tmp_path / "x.safetensors"
    with pytest.raises(LabelError, match="no file"):
        load_labels(path)
    path.write_bytes(b"letter")
    with pytest.raises(LabelError, match="damaged"):
        load_labels(path)
    save_file({"labels": torch.ones(2, 1)}, path)
    with pytest.raises(LabelError, match="no labels in"):
        load_labels(path)
    save_file({"labels": torch.ones(2, 1)}, path, {"ganedit.labels": json.dumps({"version": 9})})
    with pytest.raises(LabelError, match="newer version"):
        load_labels(path)
    schema = Schema((Attribute("age"),)).to_json()
    header = {"version": 1, "schema": schema, "names": ["a", "b"], "about": {}}
    save_file({"labels": torch.tensor([[1.0], [float("nan")]])}, path, {"ganedit.labels": json.dumps(header)})
    with pytest.raises(LabelError, match="not finite"):
        load_labels(path)


# ---- inversion


def with_encoder(generator):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        generator.__dict__["encoder"] = Encoder(EncoderNetwork(config_for(generator)), generator)
    return generator


@pytest.fixture
def folder(tmp_path):
    """Return a folder of five pictures and one damaged file."""
    where = tmp_path / "faces"
    (where / "more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("a.png", "b.png", "c.png", "d.png", "more/e.png"):
        Image.fromarray(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)).save(where / name)
    (where / "broken.png").write_bytes((where / "a.png").read_bytes()[:60])
    return where


def test_every_picture_is_guessed_under_its_name(folder, tmp_path):
    generator = with_encoder(tiny())
    source = PictureSource(folder, generator.size)
    *_, last = invert(generator, source, tmp_path / "w.safetensors")
    assert (last.done, last.total, last.failed) == (6, 6, ("broken.png",))
    found = read_embeddings(tmp_path / "w.safetensors")
    assert found.names == ("a.png", "b.png", "c.png", "d.png", "more/e.png") and list(found.failed) == ["broken.png"]
    alone = generator.encoder(source.picture(5)[None])[0]
    assert torch.allclose(found.latent("more/e.png").w, alone, atol=1e-5)
    assert not (tmp_path / "w.safetensors.parts").exists()


def test_a_killed_inversion_goes_on_and_repeats_nothing(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("ganedit_widgets.core.conditioning.invert.SHARD", 2)
    generator = with_encoder(tiny())
    source = PictureSource(folder, generator.size)
    first = invert(generator, source, tmp_path / "w.safetensors")
    assert [next(first).done, next(first).done] == [0, 2]
    first.close()
    assert not (tmp_path / "w.safetensors").exists()
    (tmp_path / "w.safetensors.parts" / ".00000002.safetensors.x1.part").write_bytes(b"half")  # killed while it wrote
    seen = []
    source.picture = lambda i, picture=source.picture: seen.append(i) or picture(i)
    assert [each.done for each in invert(generator, source, tmp_path / "w.safetensors")] == [2, 4, 6]
    assert seen == [2, 3, 4, 5] and not (tmp_path / "w.safetensors.parts").exists()
    seen.clear()
    assert [each.done for each in invert(generator, source, tmp_path / "w.safetensors")] == [6] and not seen


def test_parts_of_another_run_are_refused(folder, tmp_path):
    generator = with_encoder(tiny())
    running = invert(generator, PictureSource(folder, generator.size), tmp_path / "w.safetensors")
    next(running)
    (folder / "b.png").unlink()
    with pytest.raises(LatentError, match="begun with another model, another encoder or other pictures"):
        next(invert(generator, PictureSource(folder, generator.size), tmp_path / "w.safetensors"))


def test_arrays_are_a_data_set_too(tmp_path):
    generator = with_encoder(tiny())
    rows = np.random.default_rng(0).integers(0, 256, (3, 4, 32, 32), dtype=np.uint8)
    np.save(tmp_path / "one.npy", rows)
    np.save(tmp_path / "two.npy", rows[:1, :3])
    source = PictureSource(tmp_path, generator.size)
    assert source.names == ("one.npy#0", "one.npy#1", "one.npy#2", "two.npy#0")
    smaller = torch.from_numpy(rows[1, :3]).float().reshape(3, 16, 2, 16, 2).mean((2, 4)) / 127.5 - 1
    assert torch.allclose(source.picture(1), smaller, atol=1e-5)
    w, read, failed = guess(generator, source, [0, 3])
    assert torch.equal(w[0], w[1]) and read == [0, 3] and not failed
    mirrored = guess(generator, source, [1], mirror=True)[0]
    assert torch.allclose(mirrored[0], generator.encoder(source.picture(1).flip(2)[None])[0], atol=1e-5)


def test_pictures_are_spread_evenly_over_a_data_set(tmp_path):
    np.save(tmp_path / "one.npy", np.zeros((10, 3, 16, 16), np.uint8))
    source = PictureSource(tmp_path, (16, 16))
    assert list(source.some(5)) == [0, 2, 4, 6, 8] and list(source.some(99)) == list(range(10))


def test_data_that_cannot_be_inverted_is_one_sentence(folder, tmp_path):
    generator = tiny()
    with pytest.raises(LatentError, match="has no encoder"):
        next(invert(generator, PictureSource(folder, generator.size), tmp_path / "w.safetensors"))
    with pytest.raises(ImageError, match=r"There is no folder .*nowhere"):
        PictureSource(tmp_path / "nowhere", generator.size)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImageError, match=r"neither pictures .* nor \.npy"):
        PictureSource(tmp_path / "empty", generator.size)
    np.save(folder / "x.npy", np.zeros((2, 3, 15, 15), np.uint8))
    with pytest.raises(ImageError, match=r"\(2, 3, 15, 15\).*16"):
        PictureSource(folder, generator.size)
    (folder / "x.npy").write_bytes(b"nothing")
    with pytest.raises(ImageError, match="damaged or no array"):
        PictureSource(folder, generator.size)


# ---- statistics and reports


numbers = st.lists(st.integers(-5, 5), min_size=12, max_size=40)


@settings(max_examples=60, deadline=None)
@given(numbers, st.integers(0, 2**31))
def test_statistics_agree_with_the_libraries(x, seed):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=len(x)) + np.asarray(x) * rng.normal()
    if len(set(x)) > 1:
        assert np.isclose(spearman(x, y), scipy.stats.spearmanr(x, y).statistic)
        assert np.isclose(pearson(x, y), scipy.stats.pearsonr(x, y).statistic)
    positive = y > np.median(y)
    if 0 < positive.sum() < len(y):
        assert np.isclose(auc(x, positive), roc_auc_score(positive, x))


def test_what_does_not_vary_correlates_with_nothing():
    assert np.isnan(pearson([1, 1, 1], [1, 2, 3])) and np.isnan(auc([1, 2], [True, True]))


def test_decile_shares_sum_to_one_and_count_the_ends():
    shares = decile_shares(np.array([[0.0], [0.05], [0.1], [1.0]]))
    assert np.allclose(shares, [[0.5, 0.25, 0, 0, 0, 0, 0, 0, 0, 0.25]])


def test_the_report_warns_of_attributes_that_are_one():
    rng = np.random.default_rng(0)
    a = rng.normal(size=500)
    found = report(some_labels(np.stack([a, -a + 0.1 * rng.normal(size=500), rng.normal(size=500)], 1), *"abc"))
    assert [pair[:2] for pair in found.entangled] == [("a", "b")] and found.entangled[0][2] < -0.98
    assert "a and b are practically one (r = -" in found.warnings[0] and len(found.warnings) == 1
    assert np.allclose(np.diag(found.correlation), 1) and np.isclose(sum(found.spread["a"].histogram), 1)
    json.dumps(found.to_dict())


def test_labels_are_compared_with_what_is_known():
    rng = np.random.default_rng(0)
    age = rng.normal(size=200)
    labels = some_labels(np.stack([age, age + 0.01 * rng.normal(size=200)], 1), "age", "glasses")
    truth = np.where(np.arange(200) < 150, 3 * age + 7, np.nan)
    found = report(labels, {"age": truth, "glasses": age > 1}).agreement
    assert found["age"].pictures == 150 and np.isclose(found["age"].r2, 1) and np.isclose(found["age"].spearman, 1)
    assert found["glasses"].auc > 0.99 and found["glasses"].spearman is None
    with pytest.raises(LabelError, match="of 3 pictures is known"):
        agreement(labels, "age", [1, 2, 3] + [float("nan")] * 197)
    with pytest.raises(LabelError, match="the truth about 5"):
        agreement(labels, "age", [1.0] * 5)


def test_what_a_mirror_does_is_seen_in_the_labels():
    rng = torch.Generator().manual_seed(0)
    raw = torch.randn(300, 3, generator=rng)
    mirrored = torch.stack([raw[:, 0], -raw[:, 1], torch.randn(300, generator=rng)], 1)
    schema = Schema(tuple(Attribute(name, -3, 3) for name in ("age", "turn", "unsure")))
    found = mirror_checks(schema, raw, mirrored)
    assert [check.verdict for check in found.values()] == ["same", "opposite", "unknown"]
    assert found["age"].error == 0 and found["turn"].error < 1e-6 and np.isnan(found["unsure"].error)
    labels = Labels(raw, tuple(map(str, range(300))), schema)
    assert "unlike labels of unsure" in report(labels, mirrored=(raw, mirrored)).warnings[0]
    with pytest.raises(LabelError, match="300 pictures and 2 mirrored"):
        mirror_checks(schema, raw, mirrored[:2])


def test_a_range_is_made_symmetric_where_a_mirror_turns_the_label_around():
    rng = torch.Generator().manual_seed(0)
    raw = torch.stack([torch.randn(400, generator=rng).exp(), torch.randn(400, generator=rng)], 1)
    labels = with_mirrors(some_labels(raw, "turn", "wide"), {"turn": "opposite", "wide": "same"})
    mirrored = torch.stack([3 - raw[:, 0], raw[:, 1]], 1)
    assert mirror_checks(labels.schema, raw, mirrored)["turn"].error > 0.1
    found = symmetric(labels, raw[:50], mirrored[:50])
    assert mirror_checks(found.schema, raw, mirrored)["turn"].error < 1e-5
    assert torch.allclose(found.schema.mirrored(found.v), found.schema.scale(mirrored), atol=1e-5)
    both = np.percentile(torch.cat([raw[:, 0], 3 - raw[:, 0]]), [0.5, 99.5])
    assert np.allclose([found.schema["turn"].low, found.schema["turn"].high], both, atol=1e-4)
    assert found.schema["wide"] == labels.schema["wide"] and torch.equal(found.raw, labels.raw)


def test_truth_is_read_by_names(tmp_path):
    labels = some_labels(np.arange(3.0)[:, None], "age")
    path = tmp_path / "truth.csv"
    path.write_text("picture,size,age\n2,9,30\n0,9,\n", encoding="utf-8")
    found = read_truth(path, labels)
    assert list(found) == ["age"] and np.isnan(found["age"][:2]).all() and found["age"][2] == 30
    for text, says in (("picture,size\n0,1\n", "says nothing"), ("picture,age\n0,old\n", "full of numbers"),
                       ("", "cannot be read as CSV"), ("picture,age\nx,1\n", "says nothing")):  # fmt: skip
        path.write_text(text, encoding="utf-8")
        with pytest.raises(LabelError, match=says):
            read_truth(path, labels)
