"""The demo's directions to measure with: one for each attribute that varies, under its own name."""

import torch

from ganedit_widgets.core.conditioning.labeler import project
from ganedit_widgets.core.conditioning.statistics import pearson
from ganedit_widgets.demo.directions import WISHES, find_measures
from tests.tiny import tiny


def test_each_attribute_that_varies_is_measured_under_its_own_name():
    generator = tiny()
    latents = [generator.latent(w) for w in generator.w_samples[:200]]
    w = torch.stack([latent.w for latent in latents])
    labels = {wish.attribute: torch.zeros(200) for wish in WISHES}
    labels["yaw"], labels["age"] = w[:, 0, 0] * 3, w[:, 0, 5] * 9 + 1
    found = find_measures(generator, latents, labels)
    assert [d.name for d in found] == ["yaw", "age"] and found[1].sign == "older"
    for direction in found:
        assert pearson(project(generator, [direction], w)[:, 0], labels[direction.name]) > 0.99
