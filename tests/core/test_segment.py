"""The segmentation branch: the same numbers as the published form, learned from few labels, kept as data."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ganedit_widgets.core.errors import GanEditError, SegmentError
from ganedit_widgets.core.segment import (
    UNLABELED,
    Labeled,
    SegmentPlan,
    diverse_seeds,
    leave_one_out,
    load_segmenter,
    most_unsure,
    overlap,
    save_segmenter,
    segmenter,
    train_segmenter,
)
from ganedit_widgets.core.segment.ensemble import Ensemble, plain_logits, uncertainty_of
from ganedit_widgets.core.segment.examples import Examples
from ganedit_widgets.core.segment.features import constant_input, draw_with_features, feature_layers, label_size
from ganedit_widgets.core.segment.files import KEY
from ganedit_widgets.core.segment.sampling import sum_of_upsampled
from ganedit_widgets.core.segment.segmenter import Segmenter, applied_first
from tests.tiny import odd, tiny, tiny3

MODELS = {"stylegan2": tiny, "odd": odd, "stylegan3": tiny3}
CLASSES = ("dark", "middling", "bright")
PLAN = SegmentPlan(steps=250, models=3, batch=64, rate=5e-3)


def label(generator, seed):
    """Label a picture by its brightness: something a segmenter can learn."""
    latent = generator.sample(seed)
    gray = generator.draw(latent)[0].mean(0).numpy()
    return Labeled(latent, np.digitize(gray, np.quantile(gray, (0.4, 0.8))).astype(np.uint8), f"seed {seed}")


def train(generator, labeled, plan=PLAN, classes=CLASSES):
    *_, last = train_segmenter(generator, labeled, classes, plan)
    return last.segmenter()


@pytest.fixture(scope="module")
def trained():
    generator = tiny()
    return generator, train(generator, [label(generator, seed) for seed in range(4)])


def untrained(generator, models=2, classes=5):
    """Return random networks whose normalizations do something, and the features they normalize over."""
    rng = torch.Generator().manual_seed(1)
    constant = constant_input(generator)
    channels = {name: x.shape[-1] for name, x in _features(generator)[1].items()}
    width = sum(channels.values()) + constant.shape[-1]
    networks = Ensemble.fresh(models, width, classes, rng, torch.device("cpu"))
    for weight in networks.weights:
        weight += 0.2 * torch.randn(weight.shape, generator=rng)
    return networks, torch.randn(models, 64, width, generator=rng), channels, constant


def _features(generator, seed=3):
    return draw_with_features(generator, [generator.sample(seed)], feature_layers(generator))


def concatenated(generator, features):
    """Return the published form: every layer upsampled to the full size, beside each other, (H·W, D)."""
    size = label_size(generator)
    constant = constant_input(generator).permute(2, 0, 1)[None]
    maps = [x.permute(0, 3, 1, 2) for x in features.values()] + [constant] * (constant.shape[1] > 0)
    large = [F.interpolate(x, size=size, mode="bilinear", align_corners=False) for x in maps]
    return torch.cat(large, 1)[0].flatten(1).t()


# ---- the same numbers


@pytest.mark.parametrize("build", MODELS.values(), ids=MODELS)
def test_applied_before_upsampling_it_gives_the_logits_of_the_concatenated_form(build):
    generator = build()
    networks, batch, channels, constant = untrained(generator)
    folded = networks.folded(batch)
    ours = Segmenter(
        generator.fingerprint, tuple("abcde"), label_size(generator), tuple(channels), (1,) * 5,
        applied_first(folded, channels, constant),
    )  # fmt: skip
    _, features = _features(generator)
    wide = concatenated(generator, features)
    expected = plain_logits(folded, wide.expand(2, -1, -1))
    found = ours.logits(features, torch.arange(len(wide)))
    assert expected.std() > 0.1
    assert torch.allclose(found, expected, atol=1e-5 * float(expected.abs().max()))


def test_normalizations_are_folded_into_the_next_layer():
    networks, batch, *_ = untrained(tiny())
    assert torch.allclose(plain_logits(networks.folded(batch), batch), networks.logits(batch), atol=1e-4)


@pytest.mark.parametrize("native", [(4, 4), (7, 5), (20, 20), (16, 16)])
def test_chosen_pixels_are_upsampled_as_the_whole(native):
    rng = torch.Generator().manual_seed(0)
    x, weight = torch.randn(*native, 3, generator=rng), torch.randn(3, 2, generator=rng)
    whole = F.interpolate(x.permute(2, 0, 1)[None], size=(16, 16), mode="bilinear", align_corners=False)
    expected = whole[0].flatten(1).t() @ weight
    pixels = torch.tensor([0, 255, 17, 100, 100])
    assert torch.allclose(sum_of_upsampled([x], [weight], (16, 16), pixels), expected[pixels], atol=1e-5)


def test_training_sees_the_features_of_the_concatenated_form():
    generator = odd()
    labeled = [label(generator, seed) for seed in (3, 4)]
    examples = Examples.of(generator, labeled, CLASSES)
    pixels = torch.tensor([[0, 5, 700], [1024, 2047, 1500]])
    expected = torch.cat([concatenated(generator, _features(generator, seed)[1]) for seed in (3, 4)])
    assert torch.allclose(examples.features(pixels), expected[pixels], atol=1e-5)


def test_a_region_alone_gives_the_logits_and_slopes_of_the_whole(trained, monkeypatch):
    generator, found = trained
    latent = generator.sample(9)
    w = latent.w.clone().requires_grad_()
    region = torch.tensor([3, 4, 200, 77, 130])

    def of(pixels, chosen):
        _, features = found.draw(generator, [replace(latent, w=w)])
        logits = found.logits(features, pixels)[:, chosen]
        return logits.detach(), torch.autograd.grad(logits.square().sum(), w)[0]

    whole = of(torch.arange(256), region)
    for chunk in (4096, 2):  # at once, and computed again on the way back
        monkeypatch.setattr(segmenter, "CHUNK", chunk)
        alone = of(region, slice(None))
        assert torch.allclose(alone[0], whole[0], atol=1e-4)
        assert torch.allclose(alone[1], whole[1], rtol=1e-3, atol=1e-3)


# ---- learning


def test_it_learns_what_the_pixels_show(trained):
    generator, found = trained
    seen, new = (label(generator, seed) for seed in (2, 11))
    assert (found.labels(generator, seen.latent) == seen.labels).mean() > 0.9
    assert (found.labels(generator, new.latent) == new.labels).mean() > 0.6
    assert found.counts == tuple(np.bincount(np.stack([label(generator, s).labels for s in range(4)]).ravel()))


@pytest.mark.parametrize("build", [odd, tiny3], ids=["odd", "stylegan3"])
def test_it_learns_on_models_of_other_shapes(build):
    generator = build()
    labeled = label(generator, 1)
    found = train(generator, [labeled], replace(PLAN, steps=120))
    assert (found.labels(generator, labeled.latent) == labeled.labels).mean() > 0.7


def test_the_same_plan_gives_the_same_segmenter_and_another_seed_another():
    generator = tiny()
    labeled, short = [label(generator, 1)], replace(PLAN, steps=4)
    one, two = (train(generator, labeled, short) for _ in range(2))
    other = train(generator, labeled, replace(short, seed=1))
    assert all(torch.equal(w, two.weights[name]) for name, w in one.weights.items())
    assert not torch.equal(one.weights["second"], other.weights["second"])


def test_whoever_stops_keeps_what_was_learned_and_asking_changes_nothing():
    generator = tiny()
    labeled = [label(generator, 1)]
    asked = [p for p in train_segmenter(generator, labeled, CLASSES, PLAN, report_every=50) if p.segmenter()]
    stopped = next(p for p in train_segmenter(generator, labeled, CLASSES, PLAN, report_every=50) if p.step == 100)
    right = (stopped.segmenter().labels(generator, labeled[0].latent) == labeled[0].labels).mean()
    assert right > 0.6 and stopped.seconds_left > 0 and "left" in str(stopped)
    last = train(generator, labeled)
    assert torch.equal(asked[-1].segmenter().weights["second"], last.weights["second"])


def test_pixels_without_a_label_teach_nothing():
    generator = tiny()
    half = label(generator, 1)
    hidden = half.labels.copy()
    hidden[8:] = UNLABELED
    lies = half.labels.copy()
    lies[8:] = 0
    honest, misled = (train(generator, [replace(half, labels=x)]) for x in (hidden, lies))
    below = [(s.labels(generator, half.latent)[8:] == half.labels[8:]).mean() for s in (honest, misled)]
    assert below[0] > below[1]
    assert sum(honest.counts) == 128


def test_left_out_a_picture_with_wrong_labels_stands_out():
    generator = tiny()
    stripes = (np.arange(256).reshape(16, 16) % 16 // 6).astype(np.uint8)  # the same places in every picture
    labeled = [Labeled(generator.sample(seed), 2 - stripes if seed == 3 else stripes) for seed in range(5)]
    *_, last = leave_one_out(generator, labeled, CLASSES, PLAN)
    scores = [found.miou for found in last.overlaps]
    assert scores[3] < 0.35 and np.median(scores) > 0.6
    assert scores[3] < last.miou < max(scores)


# ---- doubt


def test_networks_that_agree_are_sure_and_such_that_do_not_are_not():
    same = torch.tensor([[2.0, 0.0], [0.0, 1.0]]).expand(4, -1, -1)
    assert torch.allclose(uncertainty_of(same), torch.zeros(2), atol=1e-6)
    split = torch.tensor([[[50.0, 0.0]], [[0.0, 50.0]]])
    assert float(uncertainty_of(split)) == pytest.approx(np.log(2))


def test_it_is_less_sure_of_pictures_it_did_not_learn(trained):
    generator, found = trained
    doubts = {d.seed: d.score for d in most_unsure(generator, found, range(12), psi=1.0)}
    assert np.mean([doubts[s] for s in range(4, 12)]) > np.mean([doubts[s] for s in range(4)])
    reading = found.read(generator, generator.sample(5))
    assert reading.uncertainty.shape == (16, 16) and 0 <= reading.score <= np.log(3)
    assert reading.score >= reading.uncertainty.mean()


def test_diverse_seeds_lie_apart():
    generator = tiny()
    chosen = diverse_seeds(generator, 5, range(50))
    assert len(set(chosen)) == 5
    ws = torch.stack([generator.sample(seed, 0.7).w[0] for seed in [*chosen, *range(5)]])
    apart = [torch.pdist(rows).min() for rows in (ws[:5], ws[5:])]
    assert apart[0] > apart[1]


def test_overlap_counts_pixels_and_leaves_out_what_nobody_labeled():
    wanted = np.array([[0, 0, 1, UNLABELED]], np.uint8)
    found = overlap(np.array([[0, 1, 1, 2]], np.uint8), wanted, 3)
    assert found.iou[:2].tolist() == [0.5, 0.5] and np.isnan(found.iou[2]) and found.miou == 0.5
    assert (found + found).shared.tolist() == [2, 2, 0]


# ---- files and refusals


def test_a_file_gives_the_identical_segmenter(trained, tmp_path):
    generator, found = trained
    save_segmenter(tmp_path / "parts.safetensors", found)
    read = load_segmenter(tmp_path / "parts.safetensors", generator)
    assert (read.classes, read.counts, read.pictures, read.size) == (CLASSES, found.counts, 4, (16, 16))
    latent = generator.sample(8)
    one, two = (s.read(generator, latent) for s in (found, read))
    assert np.array_equal(one.labels, two.labels) and np.array_equal(one.uncertainty, two.uncertainty)


def damage(path, change):
    with safe_open(path, framework="pt") as file:
        header = json.loads(file.metadata()[KEY])
    tensors = load_file(path)
    change(header, tensors)
    save_file(tensors, path, {KEY: json.dumps(header)})


DAMAGES = {
    "newer version": lambda h, t: h.update(version=99),
    "damaged or no segmenter.*'second'": lambda h, t: t.pop("second"),
    "damaged or no segmenter.*header": lambda h, t: t.pop("first/b8.conv1"),
    "damaged or no segmenter.*shapes": lambda h, t: h.update(classes=["a", "b"], counts=[1, 1], colors=[]),
    "damaged or no segmenter.*finite": lambda h, t: t["place"].fill_(float("nan")),
    "damaged or no segmenter": lambda h, t: h.pop("layers"),
    "damaged or no segmenter.*infinity": lambda h, t: h.update(version=float("inf")),
    "damaged or no segmenter.*NaN": lambda h, t: h.update(pictures=float("nan")),
}


@pytest.mark.parametrize("says", DAMAGES)
def test_a_damaged_file_is_refused_with_a_sentence(says, trained, tmp_path):
    path = tmp_path / "parts.safetensors"
    save_segmenter(path, trained[1])
    damage(path, DAMAGES[says])
    with pytest.raises(SegmentError, match=says):
        load_segmenter(path)


def test_a_header_nested_too_deeply_is_refused(tmp_path):
    save_file({"x": torch.zeros(1)}, tmp_path / "deep.safetensors", {KEY: "[" * 200_000})
    with pytest.raises(SegmentError, match="damaged or no segmenter"):
        load_segmenter(tmp_path / "deep.safetensors")


def test_files_that_hold_no_segmenter_are_refused(tmp_path):
    with pytest.raises(SegmentError, match=f"There is no segmenter nothing.safetensors, looked for in {Path.cwd()}: "):
        load_segmenter("nothing.safetensors")
    (tmp_path / "text.safetensors").write_text("cos\nsystem\n(S'x'\ntR.")
    with pytest.raises(SegmentError, match=r"^text\.safetensors is no segmenter, it is no sound \.safetensors"):
        load_segmenter(tmp_path / "text.safetensors")
    save_file({"x": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(SegmentError, match=r"^other\.safetensors is no segmenter, it holds something else: "):
        load_segmenter(tmp_path / "other.safetensors")


def test_demo_is_no_name_for_ones_own(trained):
    with pytest.raises(SegmentError, match="stays as it is"):
        save_segmenter("demo", trained[1])


def test_another_models_segmenter_is_refused(trained, tmp_path):
    stranger = tiny(seed=1)
    says = f"{trained[0].fingerprint}.*{stranger.fingerprint}"
    with pytest.raises(SegmentError, match=says):
        trained[1].labels(stranger, stranger.sample(1))
    save_segmenter(tmp_path / "parts.safetensors", trained[1])
    with pytest.raises(SegmentError, match=says):
        load_segmenter(tmp_path / "parts.safetensors", stranger)


def test_bad_labels_are_refused_with_a_sentence():
    generator = tiny()
    good = label(generator, 1)

    def refuse(says, labels=good.labels, latent=good.latent, classes=CLASSES, plan=PLAN):
        with pytest.raises(GanEditError, match=says):
            next(train_segmenter(generator, [Labeled(latent, labels, "mine")], classes, plan))

    refuse(r"of mine has 15×16 pixels.*16×16", good.labels[:, :15])
    refuse(r"class number 3.*3 classes.*dark", np.full((16, 16), 3, np.uint8))
    refuse(r"class number -1", np.full((16, 16), -1))
    refuse(r"float64 \(16, 16\): give class numbers", good.labels / 1.0)
    refuse("No pixel is labeled", np.full((16, 16), UNLABELED, np.uint8))
    refuse("checkpoint", latent=tiny(seed=1).sample(1))
    refuse("1 classes were given", classes=("all",))
    refuse("2 classes were given.*different", classes=("a", "a"))
    refuse("positive rate", plan=replace(PLAN, rate=float("nan")))
    with pytest.raises(SegmentError, match="two at least"):
        next(leave_one_out(generator, [good], CLASSES, PLAN))
    with pytest.raises(SegmentError, match="No pixel is labeled"):
        next(train_segmenter(generator, [], CLASSES, PLAN))
    with pytest.raises(SegmentError, match=r"no class 'nose'.*dark, middling"):
        train(generator, [good], replace(PLAN, steps=1)).number("nose")
