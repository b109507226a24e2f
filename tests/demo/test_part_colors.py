"""The colors of a portrait's parts: far enough apart to be told at a glance, by everybody."""

from functools import cache

import numpy as np
import pytest
import torch

from ganedit_widgets.core.parts.color import lab
from ganedit_widgets.demo.held_out import held_out
from ganedit_widgets.demo.portraits import PART_COLORS, PARTS

# Machado, Oliveira and Fernandes 2009, table 1, severity 1: how linear sRGB looks without one of the kinds of cones
SIGHT = {
    "all cones": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no long": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no middle": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no short": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
TOUCHING = 0.004  # share of all edges in portraits from which two parts are said to touch


def seen(colors, sight):
    """Return colors (N, 3) in 0 … 255 as somebody sees them."""
    x = colors.double() / 255
    linear = torch.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)
    linear = (linear @ torch.tensor(sight, dtype=torch.float64).T).clamp(0, 1)
    return 255 * torch.where(linear > 0.0031308, 1.055 * linear ** (1 / 2.4) - 0.055, 12.92 * linear)


def differences(colors):
    """Return ΔE (N, N) of colors (N, 3)."""
    x = lab((colors / 127.5 - 1).float()[None, :, :, None].permute(0, 2, 1, 3))[0, :, :, 0].T
    return torch.cdist(x, x)


@cache
def touching():
    """Return (P, P): which parts lie side by side in portraits."""
    labels = held_out(0, 12, 64)[1].numpy()
    edges = np.zeros((len(PARTS), len(PARTS)))
    for a, b in ((labels[:, 1:], labels[:, :-1]), (labels[:, :, 1:], labels[:, :, :-1])):
        np.add.at(edges, (a.ravel(), b.ravel()), 1)
    edges = edges + edges.T
    np.fill_diagonal(edges, 0)
    return torch.from_numpy(edges / edges.sum() * 2 > TOUCHING)


def closest(found, among):
    """Return the least difference among pairs, and whose it is."""
    found = found.masked_fill(~among | torch.eye(len(found), dtype=torch.bool), torch.inf)
    a, b = divmod(int(found.argmin()), len(found))
    return float(found.min()), (PARTS[a], PARTS[b])


@pytest.mark.parametrize("sight", SIGHT)
def test_no_two_parts_have_colors_that_are_alike(sight):
    any_two, neighbors = (40, 50) if sight == "all cones" else (19, 22)
    found = differences(seen(PART_COLORS, SIGHT[sight]))
    every = torch.ones_like(found, dtype=torch.bool)
    for least, among in ((any_two, every), (neighbors, touching())):
        distance, pair = closest(found, among)
        assert distance >= least, pair


def test_the_measure_sees_what_people_confuse():
    red, green = torch.tensor([[200, 80, 60], [110, 130, 60]]).split(1)
    pair = torch.cat([red, green])
    assert differences(seen(pair, SIGHT["all cones"]))[0, 1] > 40
    assert differences(seen(pair, SIGHT["no middle"]))[0, 1] < 20
    assert float(differences(torch.tensor([[0, 0, 0], [255, 255, 255]]))[0, 1]) == pytest.approx(100, abs=0.1)


def test_parts_that_lie_side_by_side_are_known():
    beside = touching()
    pairs = [("skin", "hair"), ("skin", "nose"), ("eye", "iris"), ("hair", "background"), ("skin", "mouth")]
    assert all(beside[PARTS.index(a), PARTS.index(b)] for a, b in pairs)
    assert not beside[PARTS.index("clothes"), PARTS.index("iris")]
