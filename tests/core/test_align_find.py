"""Finding the box: for any model by search, for the demo by its aligner."""

import numpy as np
import pytest
import torch
from matplotlib import get_data_path
from PIL import Image

from ganedit_widgets.core import ImageError, ModelError, load_generator, to_pixels
from ganedit_widgets.core.align import SURE, Aligner, Box, align, crop, find_box, find_steps, read_aligner
from ganedit_widgets.core.align.aligner import DEMO, AlignerConfig, AlignerNetwork, aligner_tensors, targets
from ganedit_widgets.core.image import read_image
from ganedit_widgets.demo.align_metrics import affine_metrics
from ganedit_widgets.demo.align_scenes import FAR, NEAR, WHOLE, scenes
from ganedit_widgets.demo.align_training import AlignSettings, errors_of, main, train
from ganedit_widgets.demo.held_out import held_out
from ganedit_widgets.demo.portraits import PortraitDataset
from tests.tiny import odd, tiny

has_aligner = pytest.mark.skipif(not DEMO.exists(), reason="this copy has no aligner")
QUICK = AlignSettings(portraits=12, steps=3, batch=10, network=AlignerConfig(widths=(4, 4, 4, 4), hidden=4))


@pytest.fixture(scope="module")
def portraits():
    return PortraitDataset(12, size=128)


# ---- any model


def placed(generator, seed, box, shape=(96, 128)):
    """A picture of the generator in a gray picture."""
    with torch.no_grad():
        tile = Image.fromarray(to_pixels(generator.draw(generator.sample(seed))))
    scene = np.full((*shape, 3), 127, np.uint8)
    side, left, top = int(box.side), int(box.x - box.side / 2), int(box.y - box.side / 2)
    scene[top : top + side, left : left + side] = np.array(tile.resize((side, side), Image.Resampling.BICUBIC))
    return scene


@pytest.mark.parametrize("true", [Box(40, 45, 60), Box(90, 55, 48)])
def test_a_picture_of_the_model_is_found_in_a_larger_one(generator, true):
    *_, found = find_box(generator, placed(generator, 5, true))
    assert np.hypot(found.box.x - true.x, found.box.y - true.y) < 0.15 * true.side
    assert found.box.side == pytest.approx(true.side, rel=0.15)
    assert found.latent is not None and found.latent.fingerprint == generator.fingerprint
    assert found.sure and 0 < found.fit < 0.3


def test_where_there_is_nothing_of_the_models_kind_a_box_is_found_but_not_trusted(generator):
    rng = np.random.default_rng(1)
    blobs = Image.fromarray(rng.integers(0, 255, (9, 12, 3), np.uint8)).resize((120, 90), Image.Resampling.BICUBIC)
    for source in (np.array(blobs), rng.integers(0, 255, (60, 80, 3), np.uint8), placed(tiny(1), 5, Box(40, 45, 60))):
        first, *_, found = find_box(generator, source, 15)
        assert not found.sure and not first.sure and found.latent is not None


def test_it_is_a_walk_of_known_length_that_starts_with_the_whole_picture(generator):
    source = placed(generator, 5, Box(40, 45, 60))
    every = list(find_box(generator, source, iterations=2, samples=32))
    assert len(every) == every[0].total == find_steps(generator, 2, 32)
    assert [f.step for f in every] == list(range(1, len(every) + 1))
    assert every[0].box == Box.whole(source.shape)
    for found in every:
        assert crop(source, found.box, generator.size).shape == (16, 16, 3)


def test_it_gives_the_same_box_twice_and_leaves_the_grad_mode_alone(generator):
    source = placed(generator, 5, Box(90, 55, 48))
    with torch.inference_mode():
        once = [f.box for f in find_box(generator, source, iterations=2, samples=32)]
    assert once == [f.box for f in find_box(generator, source, iterations=2, samples=32)]


def test_it_works_for_a_model_without_a_discriminator():
    photo = np.zeros((40, 60, 3), np.uint8)
    assert list(find_box(odd(), photo, iterations=1, samples=16))[-1].box.side > 0


# ---- the demo's aligner


def test_other_models_have_no_aligner_and_it_says_what_to_do(generator):
    assert Aligner.of(generator) is None
    with pytest.raises(ModelError, match="find_box"):
        align(generator, np.zeros((20, 20, 3), np.uint8))


@has_aligner
def test_the_demo_has_one_that_is_small():
    assert isinstance(Aligner.of(load_generator("demo")), Aligner)
    assert DEMO.stat().st_size < 300_000


@pytest.mark.slow
@has_aligner
def test_it_wanders_over_what_is_no_portrait_and_stays_on_what_is():
    aligner = read_aligner(DEMO)
    tiles, _, _ = held_out(0, 6, 128)
    portraits = [np.pad(t.permute(1, 2, 0).numpy(), ((32, 32), (32, 32), (0, 0)), "edge") for t in tiles]
    assert max(aligner.wander(picture) for picture in portraits) < SURE
    photograph = read_image(f"{get_data_path()}/sample_data/grace_hopper.jpg")
    assert aligner.wander(photograph) > SURE


@has_aligner
def test_whether_it_is_sure_costs_one_more_look(monkeypatch):
    aligner, source = read_aligner(DEMO), np.random.default_rng(0).integers(0, 255, (60, 80, 3), np.uint8)
    box, wander = aligner.find(source), aligner.wander(source)
    looks, look = [], Aligner._look
    monkeypatch.setattr(Aligner, "_look", lambda self, *args: looks.append(args) or look(self, *args))
    sight = aligner.sight(source)
    assert len(looks) == 3 and (sight.box, sight.wander) == (box, wander) and sight.sure == (wander <= SURE)


@has_aligner
def test_it_places_the_box_far_better_than_nobody_does():
    metrics = {name: metric.value for name, metric in affine_metrics(count=16).items()}
    for what in ("place", "scale", "angle"):
        assert metrics[f"alignment/{what}_after"] < 0.5 * metrics[f"alignment/{what}_before"]
    assert metrics["alignment/within_after"] > metrics["alignment/within_before"]


@has_aligner
def test_a_portrait_that_fills_the_picture_stays_whole(portraits):
    aligner = read_aligner(DEMO)
    tiles, _, _ = portraits[0:8]
    found = [aligner.find(tile.permute(1, 2, 0).numpy().copy()) for tile in tiles]
    assert np.median([np.hypot(box.x - 64, box.y - 64) / 128 for box in found]) < 0.06
    assert np.median([abs(np.log(box.side / 128)) for box in found]) < 0.12


def test_a_file_that_is_no_aligner_is_one_sentence(tmp_path):
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    for name in ("a.safetensors", "missing.safetensors"):
        with pytest.raises(ModelError, match="is no aligner"):
            read_aligner(tmp_path / name)


def test_an_empty_picture_is_refused_by_the_search(generator):
    with pytest.raises(ImageError, match="no area"):
        next(find_box(generator, np.zeros((0, 10, 3), np.uint8)))


# ---- its training


@pytest.mark.parametrize("spread", [FAR, NEAR, WHOLE])
def test_a_scene_holds_the_portrait_where_its_box_says(portraits, spread):
    tiles, labels, _ = portraits[0:8]
    made = scenes(tiles, torch.full_like(labels, 3), spread, torch.Generator().manual_seed(1), 128, 128)
    errors = []
    for i in range(8):
        box = Box(*(128 * float(v[i]) for v in (made.x, made.y, made.side)), float(made.angle[i].rad2deg()))
        seen = crop(to_pixels(made.pictures[i]), box, (16, 16)).astype(float)
        tile = crop(tiles[i].permute(1, 2, 0).numpy().copy(), Box(64, 64, 128), (16, 16)).astype(float)
        errors.append(1 - np.corrcoef(seen[4:12, 4:12].ravel(), tile[4:12, 4:12].ravel())[0, 1])
    assert np.median(errors) < 0.1  # contrast, color and grain differ; the place does not


def test_scenes_of_one_seed_are_the_same(portraits):
    tiles, labels, _ = portraits[0:4]
    one, other = (scenes(tiles, labels, FAR, torch.Generator().manual_seed(2)) for _ in range(2))
    assert torch.equal(one.pictures, other.pictures) and torch.equal(one.x, other.x)
    assert one.pictures.shape == (4, 3, 64, 64) and one.pictures.abs().max() <= 1


def test_the_truth_has_no_error():
    x, y, side, angle = torch.tensor([[0.4], [0.6], [0.3], [0.2]])
    truth = targets(x, y, side, angle)
    assert not errors_of(truth, truth).any()
    moved = errors_of(targets(x + 0.03, y, side, angle), truth)
    assert moved[0, 0] == pytest.approx(0.1)  # a tenth of the box's side


@pytest.mark.slow
def test_training_goes_on_where_it_stopped_and_leaves_a_file(tmp_path, portraits):
    whole = [report["loss"] for report in train(tmp_path / "a", QUICK, portraits)]
    first = [report["loss"] for report in train(tmp_path / "b", QUICK, portraits, minutes=0)]
    assert len(first) == 1 and not (tmp_path / "b" / "aligner.safetensors").exists()
    rest = [report["loss"] for report in train(tmp_path / "b", QUICK, portraits)]
    assert [*first, *rest] == pytest.approx(whole, rel=1e-4)
    aligner = read_aligner(tmp_path / "a" / "aligner.safetensors")
    assert aligner.network.cfg == QUICK.network
    assert aligner.find(np.zeros((30, 50, 3), np.uint8)).side > 0


def test_training_from_the_command_line_needs_a_folder():
    with pytest.raises(SystemExit):
        main([])


def test_a_file_holds_half_precision_weights():
    tensors, header = aligner_tensors(AlignerNetwork(AlignerConfig()))
    assert {t.dtype for t in tensors.values() if t.ndim > 1} == {torch.float16} and len(header) == 1
