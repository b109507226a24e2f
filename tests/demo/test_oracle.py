"""The oracle: what it is taught, how it learns, what it answers, and whether the one that ships is good."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.errors import ImageError, ModelError, TrainingError
from ganedit_widgets.demo.evaluate_oracle import Extent, oracle_metrics
from ganedit_widgets.demo.held_out import HELD_OUT_SEED, held_out
from ganedit_widgets.demo.oracle import load_oracle
from ganedit_widgets.demo.oracle import train as training
from ganedit_widgets.demo.oracle.augment import augment, shift
from ganedit_widgets.demo.oracle.losses import identity_loss, rarity
from ganedit_widgets.demo.oracle.model_file import WEIGHTS, read_oracle, save_oracle
from ganedit_widgets.demo.oracle.network import describe_parts, details
from ganedit_widgets.demo.oracle.people import VIEWS, People, portraits_of
from ganedit_widgets.demo.oracle.targets import COLUMNS, NUMBERS, decode, encode, hair_reach, mirror_pictures, mirrored
from ganedit_widgets.demo.portraits import ATTRIBUTES, HAIR_STYLES, IDENTITY, PART, PARTS, render, sample_attributes
from ganedit_widgets.demo.results_file import read_results
from ganedit_widgets.demo.statistics import bootstrap, frechet_distance, r_squared
from tests.demo.judge import SMALL, judge

SIZE = 32
shipped = pytest.mark.skipif(not WEIGHTS.exists(), reason="the oracle's weights do not ship yet")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a run of two steps on three people, and the losses it reported."""
    path = tmp_path_factory.mktemp("oracle")
    return path, list(training.train(path, settings(steps=2)))


def settings(**changes):
    return training.TrainSettings(
        **{"people": 3, "batch_people": 2, "with_parts": 3, "rounds": 2, "epochs": 3, "network": SMALL, **changes}
    )


def test_what_is_taught_can_be_read_back():
    a = sample_attributes(range(20))
    t = encode(a)
    found = decode(t.numbers, 20 * t.glasses - 10, torch.nn.functional.one_hot(t.style, len(HAIR_STYLES)).float())
    for name in NUMBERS:
        assert torch.equal(found[name], hair_reach(a) if name == "hair_reach" else getattr(a, name)), name
    assert torch.allclose(found["iris"], a.iris)
    assert torch.equal(found["glasses"] > 0.5, a.glasses > 0.5)
    assert torch.equal(found["hair_style"], a.hair_style)


def test_hair_color_is_the_one_that_shows():
    red = torch.tensor([0.7, 0.2, 0.1])
    young, old = (encode(sample_attributes([3]).replace(hair_color=red, age=age)) for age in (0.0, 1.0))
    red_column = COLUMNS.index("hair_color_r")
    assert float(young.numbers[0, red_column]) == pytest.approx(0.7, abs=1e-3)
    assert float(old.numbers[0, red_column : red_column + 3].std()) < 0.1


def test_the_hair_of_bald_young_heads_cannot_be_seen():
    a = sample_attributes(range(2)).replace(hair_style=HAIR_STYLES.index("bald"), age=0.1)
    hidden = {name for i, name in enumerate(COLUMNS) if not encode(a).seen[0, i]}
    assert hidden == {"hair_length", "hair_color_r", "hair_color_g", "hair_color_b"}


def test_hair_that_reaches_further_covers_more_of_the_lower_half():
    a = sample_attributes([4]).replace(yaw=0.0, pitch=0.0, roll=0.0, beard=0.0, age=0.0)
    looks = [(HAIR_STYLES.index(style), length) for style in ("bald", "short", "bob", "long") for length in (0.0, 1.0)]
    portraits = [a.replace(hair_style=style, hair_length=length) for style, length in looks]
    reach = torch.cat([hair_reach(p) for p in portraits])
    low = torch.stack([(render(p, 32).labels[0, 16:] == PART["hair"]).float().mean() for p in portraits])
    assert float(reach.min()) == 0
    assert float(reach.max()) == 1
    assert float(torch.corrcoef(torch.stack([reach, low]))[0, 1]) > 0.9


def test_a_mirrored_picture_is_almost_that_of_the_mirrored_attributes():
    """Almost: hair has a parting."""
    a = sample_attributes([7]).replace(hair_style=0, glasses=0.0, yaw=0.4, light=0.5, roll=0.08)
    flip = torch.tensor([True])
    ours, theirs = mirror_pictures(render(a, 48).image, flip), render(mirrored(a, flip), 48).image
    assert float((ours - theirs).abs().mean()) < 0.01 < float((ours - render(a, 48).image).abs().mean())


def test_a_person_keeps_the_face_and_changes_everything_else():
    a = portraits_of(range(2 * VIEWS), seed=3)
    for name in ATTRIBUTES:
        value = getattr(a, name)
        alike = bool((value[:VIEWS] == value[:1]).all())
        if name in IDENTITY:
            assert alike and not torch.equal(value[0], value[VIEWS]), name
        elif name not in ("glasses", "beard", "hair_style", "mouth_open"):
            assert not alike, name


def test_a_folder_of_people_is_drawn_once_and_holds_what_it_says(folder):
    path = folder[0] / "people"
    before = [p.stat().st_mtime_ns for p in sorted(path.glob("*.npy"))]
    pictures, labels, attributes = People(path, 3, SIZE)[torch.tensor([9, 2])]
    assert [p.stat().st_mtime_ns for p in sorted(path.glob("*.npy"))] == before
    drawn = render(attributes, SIZE)
    assert torch.equal(labels, drawn.labels)
    assert float((pictures.float() / 127.5 - 1 - drawn.image).abs().max()) < 0.005
    with pytest.raises(TrainingError, match="another folder"):
        People(path, 3, SIZE, seed=5)


def test_augmentation_changes_most_pictures_and_keeps_their_range():
    x = held_out(0, 12, SIZE)[0].float() / 127.5 - 1
    before = x.clone()
    y = augment(x, torch.Generator().manual_seed(0))
    assert torch.equal(x, before)
    assert y.shape == x.shape
    assert float(y.abs().max()) <= 1
    assert 5 <= int((y != x).flatten(1).any(1).sum()) <= 11
    assert float((y - x).abs().mean()) < 0.15


def test_pictures_and_labels_are_shifted_together():
    labels = torch.arange(64, dtype=torch.uint8).view(1, 8, 8)
    pictures = labels.unsqueeze(1).expand(-1, 3, -1, -1).float()
    for seed in range(5):
        x, y = shift(pictures, labels, torch.Generator().manual_seed(seed))
        assert torch.equal(x[:, 0], y.float())


def test_parts_are_described_by_color_place_and_bend():
    """A mouth whose corners are up bends the other way than one whose corners are down."""
    grid = torch.linspace(-1, 1, 32)
    y, x = torch.meshgrid(grid, grid, indexing="ij")
    pictures = torch.full((3, 3, 32, 32), -1.0)
    logits = torch.zeros(3, 2, 32, 32)
    for i, bend in enumerate((0.8, -0.8, 0.0)):
        inside = (y - 0.2 + bend * (x - 0.1) ** 2).abs() + (x - 0.1).abs() * 0.02 < 0.12
        inside &= (x - 0.1).abs() < 0.5
        logits[i, 1] = torch.where(inside, 20.0, -20.0)
        pictures[i, 0] = torch.where(inside, 1.0, -1.0)
    red, green, _, area, px, py, wide, high, slant, curve = describe_parts(pictures, logits).view(3, 2, 10)[:, 1].T
    assert float(red.min()) > 0.3 > -0.9 > float(green.max())
    assert torch.allclose(px, torch.full((3,), 0.1), atol=0.05)
    assert float(py[2]) == pytest.approx(0.2, abs=0.05)
    assert bool((wide > high).all())
    assert float(slant.abs().max()) < 0.01
    assert float(curve[0]) < -0.01 < 0.01 < float(curve[1])
    assert abs(float(curve[2])) < 0.005
    assert torch.allclose(area, area.mean(), atol=0.3)


def test_an_absent_part_is_described_by_almost_nothing():
    logits = torch.zeros(1, 2, 32, 32)
    logits[:, 1] = -30
    described = describe_parts(torch.ones(1, 3, 32, 32), logits).view(2, 10)
    assert float(described[1].abs().max()) < 1e-3 < float(described[0].abs().max())


def test_details_fall_with_blur_and_rise_with_grain():
    pictures = held_out(0, 3, SIZE)[0].float() / 127.5 - 1
    fine = details(pictures)[:, :16].mean()
    blurred = torch.nn.functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
    grainy = pictures + 0.1 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    assert float(details(blurred)[:, :16].mean()) < float(fine) - 0.1
    assert float(details(grainy)[:, :16].mean()) > float(fine) + 0.1


def test_the_identity_loss_falls_as_one_person_comes_together():
    person = torch.tensor([0, 0, 1, 1])
    apart = torch.eye(4)
    together = torch.eye(4)[person]
    assert float(identity_loss(together, person)) < 0.01 < float(identity_loss(apart, person))


def test_rare_parts_weigh_more_and_pixels_weigh_one_on_average():
    counts = torch.tensor([900, 90, 10])
    weights = rarity(counts)
    assert weights[0] < weights[1] < weights[2]
    assert float((weights * counts).sum() / counts.sum()) == pytest.approx(1, abs=1e-5)


def test_training_reports_finite_losses_and_writes_a_model(folder):
    path, reports = folder
    assert [(r["step"], r.get("epoch")) for r in reports] == [(0, None), (1, None), (2, 0), (2, 1), (2, 2)]
    assert all(np.isfinite(list(r.values())).all() for r in reports)
    network, about = read_oracle(path / "oracle.safetensors")
    assert about["steps"] == 2
    assert about["pictures"] == 2 * 2 * VIEWS
    assert float(network.feature_std.min()) > 0


def test_a_stopped_training_goes_on_as_if_it_had_not_stopped(folder, tmp_path):
    (tmp_path / "people").symlink_to(folder[0] / "people")
    through = [r["identity"] for r in training.train(tmp_path, settings(steps=3))]
    assert (tmp_path / "oracle.safetensors").exists()
    (tmp_path / "checkpoint.pt").unlink()
    first = [r["identity"] for r in training.train(tmp_path, settings(steps=3), minutes=0)]
    rest = [r["identity"] for r in training.train(tmp_path, settings(steps=3))]
    assert len(first) == 1
    assert first + rest == pytest.approx(through, rel=1e-3)


def test_a_checkpoint_of_other_settings_is_refused(folder):
    with pytest.raises(TrainingError, match="other settings"):
        next(training.train(folder[0], settings(lr=0.5)))


def test_a_run_that_has_ended_can_be_made_longer(folder):
    assert [r["step"] for r in training.train(folder[0], settings(steps=3)) if "epoch" not in r] == [2]


def test_every_answer_has_its_shape_whatever_the_pictures_are():
    oracle, size = judge(), 48
    pixels = held_out(0, 3, size)[0]
    asked = [pixels, pixels.float() / 127.5 - 1, list(pixels.permute(0, 2, 3, 1).numpy())]
    looks = [oracle.look(pictures) for pictures in asked]
    for look in looks:
        assert look.attributes["yaw"].shape == (3,)
        assert look.attributes["hair_color"].shape == (3, 3)
        assert torch.allclose(look.identity.norm(dim=1), torch.ones(3))
        assert torch.allclose(look.features, looks[0].features, atol=1e-4)
    labels = oracle.segment(pixels)
    assert labels.shape == (3, size, size)
    assert labels.dtype == torch.uint8
    assert int(labels.max()) < len(PARTS)


def test_an_answer_does_not_depend_on_the_other_pictures():
    pixels = held_out(0, 5, SIZE)[0]
    assert torch.allclose(judge().features(pixels)[3:4], judge().features(pixels[3:4]), atol=1e-5)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 1, 32, 32), (1, 3, 32, 16), (0, 3, 32, 32)])
def test_what_is_no_square_picture_is_refused_in_a_sentence(shape):
    with pytest.raises(ImageError, match="square"):
        judge().look(torch.zeros(shape))


def test_half_precision_hardly_changes_an_answer(tmp_path):
    oracle = judge()
    loaded = load_oracle(save_oracle(tmp_path / "o.safetensors", oracle.network, {"steps": 1}))
    pixels = held_out(0, 2, SIZE)[0]
    assert loaded.about == {"steps": 1}
    assert torch.allclose(loaded.features(pixels), oracle.features(pixels), atol=1e-2)


def test_a_file_that_is_no_oracle_is_refused(tmp_path):
    with pytest.raises(ModelError, match="no oracle at"):
        load_oracle(tmp_path / "absent.safetensors")
    (tmp_path / "text.safetensors").write_text("nothing of the kind")
    with pytest.raises(ModelError, match="no oracle file"):
        load_oracle(tmp_path / "text.safetensors")


def test_a_measurement_of_the_oracle_names_every_accuracy():
    metrics, look = oracle_metrics(judge(), Extent(10, 4), SIZE)
    assert len(look.features) == 10
    assert {"oracle/yaw_r2", "oracle/glasses_accuracy", "oracle/miou", "oracle/identity_auc"} <= set(metrics)
    assert {f"oracle/miou_{part}" for part in ("hair", "skin", "background")} <= set(metrics)
    for name, metric in metrics.items():
        assert np.isfinite([metric.value, metric.low, metric.high]).all(), name


@pytest.fixture(scope="module")
def look():
    """What the shipped oracle sees in 64 held-out portraits, beside the truth."""
    pictures, labels, attributes = held_out(5000, 64, 128, HELD_OUT_SEED)
    oracle = load_oracle()
    return oracle.look(pictures), encode(attributes), oracle.segment(pictures), labels


@shipped
def test_the_oracle_that_ships_still_sees_what_its_results_say(look):
    seen, truth, _, _ = look
    measured = read_results("oracle").metrics
    for name in ("yaw", "smile", "age"):
        now = bootstrap(r_squared, seen.attributes[name], truth.numbers[:, COLUMNS.index(name)])
        then = measured[f"oracle/{name}_r2"]
        assert now.low <= then.high and then.low <= now.high, name


@shipped
def test_the_oracle_that_ships_finds_glasses_and_parts(look):
    seen, truth, labels, true = look
    assert float(((seen.attributes["glasses"] > 0.5) == (truth.glasses > 0.5)).float().mean()) > 0.9
    for part in ("hair", "skin", "background", "clothes"):
        a, b = labels == PART[part], true == PART[part]
        assert float((a & b).sum() / (a | b).sum()) > 0.75, part


@shipped
def test_the_features_notice_blur_grain_and_gray():
    """On the same portraits, so that few of them will do."""
    oracle, pictures = load_oracle(), held_out(6000, 24, 128)[0].float() / 127.5 - 1
    whole = oracle.features(pictures)
    blurred = torch.nn.functional.avg_pool2d(pictures, 3, 1, 1, count_include_pad=False)
    grainy = pictures + 0.05 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    gray = pictures.mean(1, keepdim=True).expand(-1, 3, -1, -1)
    hardly = pictures + 0.005 * torch.randn(pictures.shape, generator=torch.Generator().manual_seed(0))
    floor = frechet_distance(oracle.features(hardly), whole)
    for name, worse in {"blurred": blurred, "grainy": grainy, "gray": gray}.items():
        assert frechet_distance(oracle.features(worse), whole) > 10 + 2 * floor, name


@shipped
def test_all_weights_of_the_oracle_fit_into_four_megabytes():
    assert sum(p.stat().st_size for p in WEIGHTS.parent.glob("oracle*.safetensors")) <= 4_000_000
