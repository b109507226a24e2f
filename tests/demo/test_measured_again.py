"""A part of what the committed results of each method say is measured again, on the same pictures."""

import pytest

from ganedit_widgets.core.generators.load import load_generator
from ganedit_widgets.core.segment import load_segmenter
from ganedit_widgets.demo.embedding_trials import embed_each, searching
from ganedit_widgets.demo.evaluate_editing_in_style import FIRST, catalog_of
from ganedit_widgets.demo.evaluate_editing_in_style import FULL as STYLES
from ganedit_widgets.demo.evaluate_image2stylegan import portraits_of
from ganedit_widgets.demo.evaluate_self_conditioned import control_metrics, ours, own_labels, steered
from ganedit_widgets.demo.held_out import TRAINING_SEED
from ganedit_widgets.demo.label_metrics import agreement_metrics, columns_of
from ganedit_widgets.demo.oracle import load_oracle
from ganedit_widgets.demo.part_metrics import labels_of, part_metrics
from ganedit_widgets.demo.parts import labeled
from ganedit_widgets.demo.portraits import sample_attributes
from ganedit_widgets.demo.results_file import read_results
from ganedit_widgets.demo.segment_trials import TESTED, seen
from ganedit_widgets.demo.segmenter import labeled_samples
from ganedit_widgets.demo.self_conditioned import exact_labels, measures
from ganedit_widgets.demo.steering_trials import sweep

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def generator():
    return load_generator("demo", "cpu")


@pytest.fixture(scope="module")
def oracle():
    return load_oracle()


def require_agreement(method, new):
    """Every interval of `new` must meet that of the same name in the committed results."""
    committed = read_results(method).metrics
    for name, metric in new.items():
        old = committed[name]
        assert metric.low <= old.high and old.low <= metric.high, f"{name}: {metric} instead of {old}"


def test_the_encoder_embeds_as_well_as_it_did(generator):
    committed = read_results("image2stylegan").metrics["psnr/encoder"]
    portraits = portraits_of(committed.n, generator)
    found = embed_each(generator, portraits, searching(1, start="encoder"), "encoder").metrics("encoder")
    assert found["psnr/encoder"].value == pytest.approx(committed.value, abs=0.1)  # dB: the same pictures
    require_agreement("image2stylegan", {"distance/encoder": found["distance/encoder"]})


def test_the_catalog_finds_parts_as_well_as_it_did(generator, oracle):
    samples = labeled(generator, oracle, range(FIRST, FIRST + 40))
    found = part_metrics(labels_of(catalog_of(generator, oracle, STYLES), generator, samples), samples.labels)
    require_agreement("editing_in_style", {name: found[name] for name in ("parts/miou_hair", "parts/miou_background")})


def test_the_segmenter_labels_as_well_as_it_did(generator, oracle):
    pictures = labeled_samples(generator, oracle, range(TESTED, TESTED + 16))
    found = seen(generator, load_segmenter("demo", generator), pictures)
    require_agreement("editgan", {"segmentation/miou_renders_on_samples": found.miou})


def test_labels_measure_what_they_did_and_turn_heads_as_far(generator, oracle):
    directions = measures(generator)
    labels = exact_labels(generator, [str(i) for i in range(1000)], directions)
    found = agreement_metrics(columns_of(labels), sample_attributes(range(1000), TRAINING_SEED))
    require_agreement("self_conditioned", {name: found[name] for name in ("labels/yaw_r2", "labels/age_spearman")})
    conditioned = steered()
    own = own_labels(generator, conditioned, directions)
    turned = sweep(ours(conditioned, "yaw", 2, own), oracle, range(400_000, 400_012))
    found = control_metrics(turned, "yaw")
    require_agreement("self_conditioned", {n: found[n] for n in ("control/yaw_lowest", "control/yaw_highest")})
