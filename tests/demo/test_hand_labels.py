"""Samples that were painted by eye: they belong to the demo model, and show what is in its pictures."""

import numpy as np
import pytest

from ganedit_widgets.core import load_generator
from ganedit_widgets.demo.hand_labels import agreement, drawn_and_seen, hand_sheet, labeled_by_hand
from ganedit_widgets.demo.oracle import load_oracle
from ganedit_widgets.demo.portraits import PARTS
from ganedit_widgets.demo.statistics import mean_iou
from tests.tiny import tiny


@pytest.fixture(scope="module")
def painted():
    return labeled_by_hand(load_generator("demo", "cpu"))


def test_sixteen_samples_show_every_part(painted):
    assert len(painted) == 16
    assert all(x.labels.shape == (128, 128) for x in painted)
    assert set(np.unique([x.labels for x in painted])) == set(range(len(PARTS)))


def test_they_are_no_pictures_of_another_model():
    assert labeled_by_hand(tiny()) == []


def test_they_fit_the_pictures_they_were_painted_on_and_no_others(painted):
    generator, some = load_generator("demo", "cpu"), painted[:4]
    pictures, seen = drawn_and_seen(generator, load_oracle(), some)
    assert float(mean_iou(agreement(some, seen))) > 0.55
    assert float(mean_iou(agreement(some, np.roll(seen, 1, 0)))) < float(mean_iou(agreement(some, seen))) - 0.1
    sheet = hand_sheet(some, pictures, seen)
    assert sheet.shape[2] == 3 and sheet.shape[0] >= 4 * 128 and sheet.shape[1] >= 3 * 128
