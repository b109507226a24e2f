"""Harmonious colors: skin, hair, eyes, clothes and backgrounds, as sRGB values in [0, 1]."""

import torch
from torch import Tensor


def _table(*rows: tuple[int, int, int]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float32) / 255


# From fair to deep; attribute ``skin`` in [0, 1] walks along it.
SKIN = _table((253, 221, 199), (249, 206, 177), (236, 184, 148), (211, 152, 112), (168, 110, 76), (118, 74, 52))
# Black, dark brown, brown, chestnut, auburn, ginger, dark blond, blond, pale blond.
HAIR = _table(
    (38, 31, 32),
    (66, 45, 37),
    (101, 67, 45),
    (134, 83, 50),
    (142, 66, 42),
    (200, 104, 50),
    (172, 127, 76),
    (222, 178, 108),
    (240, 214, 160),
)
# Odds of the hair colors for fair and for deep skin; in between they are mixed.
HAIR_ODDS_FAIR = (0.10, 0.19, 0.20, 0.15, 0.07, 0.07, 0.09, 0.09, 0.04)
HAIR_ODDS_DEEP = (0.62, 0.25, 0.09, 0.02, 0.01, 0.003, 0.004, 0.002, 0.001)
# Dark brown, brown, hazel, green, gray, blue, light blue.
IRIS = _table(
    (62, 40, 28), (104, 66, 38), (140, 104, 52), (88, 128, 80), (112, 132, 142), (64, 112, 164), (104, 164, 204)
)
IRIS_ODDS_FAIR = (0.14, 0.22, 0.16, 0.15, 0.09, 0.13, 0.11)
IRIS_ODDS_DEEP = (0.66, 0.27, 0.04, 0.01, 0.01, 0.005, 0.005)
CLOTHES = _table(
    (233, 108, 90),  # coral
    (240, 176, 74),  # marigold
    (246, 238, 222),  # cream
    (96, 160, 142),  # sage green
    (52, 112, 120),  # teal
    (86, 132, 190),  # denim
    (54, 66, 104),  # navy
    (150, 118, 178),  # lavender
    (192, 84, 112),  # raspberry
    (238, 172, 178),  # rose
    (92, 98, 106),  # slate
    (132, 162, 92),  # moss
)
BACKGROUND = _table(
    (198, 216, 228),  # morning sky
    (220, 208, 230),  # lilac
    (240, 214, 202),  # peach
    (242, 228, 190),  # vanilla
    (202, 222, 202),  # mint
    (182, 208, 206),  # sea glass
    (226, 222, 214),  # paper
    (164, 182, 206),  # dusk blue
    (222, 188, 184),  # old rose
    (160, 186, 168),  # eucalyptus
)
GLASSES = _table((42, 40, 46), (104, 62, 42), (150, 44, 52), (44, 72, 116))
GRAY_HAIR = torch.tensor([0.86, 0.855, 0.85])


def along(table: Tensor, position: Tensor) -> Tensor:
    """Colors (B, 3) at positions (B,) in [0, 1] along a table (K, 3), linear between its rows."""
    table = table.to(position)
    place = position.clamp(0, 1) * (len(table) - 1)
    low = place.floor().long().clamp(max=len(table) - 2)
    return torch.lerp(table[low], table[low + 1], (place - low).unsqueeze(-1))


def draw(table: Tensor, odds: Tensor, uniform: Tensor) -> Tensor:
    """Rows of a table (K, 3) drawn with odds (B, K) or (K,) by uniform numbers (B,) in [0, 1)."""
    edges = odds.cumsum(-1) / odds.sum(-1, keepdim=True)
    return table[(uniform.unsqueeze(-1) >= edges[..., :-1]).sum(-1)]
