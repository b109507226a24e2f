"""Hair as solids: each style adds ellipsoids around the skull and cuts an opening for the face."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from .anatomy import Proportions, solid
from .attributes import HAIR_STYLES, Attributes
from .geometry import Frame, Sculpture, Solid
from .parts import PART

HAIR = PART["hair"]
_CRISP = [HAIR_STYLES.index(name) for name in ("curly", "bun", "pigtails")]  # their balls stand apart


def hair(a: Attributes, p: Proportions, frame: Frame) -> Solid | None:
    """The hair of a batch, None where nobody has any."""
    s, opening = Sculpture(a.yaw), Sculpture(a.yaw)
    low = torch.zeros_like(a.yaw)
    present = set(a.hair_style.tolist())
    for number, name in enumerate(HAIR_STYLES):
        if number in present:
            s.active = a.hair_style == number
            low = torch.where(s.active, _STYLES[name](s, a, p), low)
    if not len(s):
        return None
    recede = 0.05 * a.age * (1 - a.softness)
    rise = 0.145 * (1 - low) + recede
    opening.add(0, (0.0, -0.20 + rise, 0.66), (p.width * 0.90 - 0.03 * low, 0.60, 0.60 + 0.4 * recede))
    blend = torch.where(torch.isin(a.hair_style, a.hair_style.new_tensor(_CRISP)), 0.022, 0.048)
    return solid(s, frame, blend, cut=opening.build(frame, 0.03)[0], cut_blend=0.045)


def _cap(s: Sculpture, a: Attributes, p: Proportions, thick: float, up: float = 0.0) -> None:
    thin = thick * (1 - 0.25 * a.age)
    s.add(HAIR, (0.0, 0.23 + up, -0.10), (p.width + thin, 0.60 + thin + up, 0.60 + thin))


def _bald(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    """Nothing on young heads, a wreath of hair on old ones."""
    grown = ((a.age - 0.35) / 0.15).clamp(0, 1)
    thick = 0.055 * grown - 0.13 * (1 - grown)
    s.pair(HAIR, (p.width - 0.16, 0.05, -0.22), (0.15 + thick, 0.22 + thick, 0.30 + thick))
    s.add(HAIR, (0.0, -0.02, -0.36), (0.42 + thick, 0.24 + thick, 0.26 + thick))
    return torch.zeros_like(a.yaw)


def _short(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    _cap(s, a, p, 0.04)
    s.pair(HAIR, (p.width - 0.10, 0.06, -0.06), (0.13, 0.24, 0.24))
    s.add(HAIR, (-0.10, 0.60, 0.22), (0.44, 0.17, 0.32), -0.22)
    s.add(HAIR, (0.34, 0.52, 0.22), (0.20, 0.16, 0.22), -0.7)
    return 0.2 + 0.15 * a.hair_length


def _quiff(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    _cap(s, a, p, 0.04)
    lift = 0.08 * a.hair_length
    s.add(HAIR, (0.02, 0.63 + lift, 0.16), (0.46, 0.20 + lift, 0.34), 0.10)
    s.add(HAIR, (0.16, 0.68 + 1.3 * lift, 0.32), (0.32, 0.15, 0.23), 0.30)
    s.add(HAIR, (-0.20, 0.62 + lift, 0.30), (0.26, 0.14, 0.22), -0.15)
    s.pair(HAIR, (p.width - 0.10, 0.04, -0.06), (0.12, 0.22, 0.20))
    return 0.15 + 0 * a.yaw


def _sides(s: Sculpture, a: Attributes, p: Proportions, bottom: Tensor, wide: float) -> None:
    """Curtains of hair from the crown down to a height on both sides, and behind."""
    top = torch.full_like(bottom, 0.40)
    middle, half = (top + bottom) / 2, (top - bottom) / 2
    s.pair(HAIR, (p.width - 0.05, middle, -0.10), (wide, half, 0.30), 0.06)
    s.add(HAIR, (0.0, middle + 0.05, -0.34), (p.width * 0.92, half + 0.02, 0.30))


def _fringe(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    _cap(s, a, p, 0.075)
    _sides(s, a, p, -0.10 - 0.42 * a.hair_length, 0.15)
    s.add(HAIR, (0.0, 0.40, 0.39), (0.43, 0.185, 0.20))
    return 1.0 + 0 * a.yaw


def _bob(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    _cap(s, a, p, 0.075)
    _sides(s, a, p, -0.42 - 0.22 * a.hair_length, 0.17)
    s.pair(HAIR, (p.width - 0.03, -0.32 - 0.16 * a.hair_length, -0.02), (0.145, 0.20, 0.22))
    s.add(HAIR, (-0.14, 0.54, 0.26), (0.38, 0.19, 0.26), -0.5)
    return 0.2 + 0 * a.yaw


def _long(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    _cap(s, a, p, 0.07)
    bottom = -0.75 - 0.45 * a.hair_length
    _sides(s, a, p, bottom, 0.15)
    s.pair(HAIR, (p.width - 0.06, bottom + 0.26, -0.02), (0.16, 0.34, 0.20), -0.12)
    s.add(HAIR, (0.16, 0.54, 0.26), (0.38, 0.19, 0.26), 0.5)
    return 0.15 + 0 * a.yaw


def _curly(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    """Balls on a spiral over the skull (Fibonacci lattice), more of them further down when the hair is long."""
    _cap(s, a, p, 0.05)
    golden, total = math.pi * (3 - math.sqrt(5)), 46
    for i in range(total):
        height = 1 - 1.28 * (i + 0.5) / total
        ring, angle = math.sqrt(1 - height * height), golden * i
        x, z = ring * math.cos(angle), ring * math.sin(angle)
        if z > 0.45 and height < 0.45:
            continue
        size = 0.128 + 0.055 * a.hair_length + 0.018 * math.sin(7.3 * i)
        far = 0.02 + 0.05 * a.hair_length
        s.add(HAIR, ((p.width + far) * x, 0.24 + (0.60 + far) * height, -0.10 + (0.60 + far) * z), (size, size, size))
    return 0.3 + 0 * a.yaw


def _bun(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    _cap(s, a, p, 0.05)
    size = 0.15 + 0.05 * a.hair_length
    s.add(HAIR, (0.0, 0.84 + 0.55 * size, -0.18), (size * 1.2, size, size))
    return 0.1 + 0 * a.yaw


def _pigtails(s: Sculpture, a: Attributes, p: Proportions) -> Tensor:
    _cap(s, a, p, 0.06)
    long = 0.20 + 0.14 * a.hair_length
    s.pair(HAIR, (p.width + 0.10, 0.16, -0.16), (0.085, 0.085, 0.085))
    s.pair(HAIR, (p.width + 0.20, 0.06 - long * 0.75, -0.16), (0.135, long, 0.14), 0.22)
    s.add(HAIR, (0.0, 0.42, 0.38), (0.42, 0.18, 0.20))
    return 0.8 + 0 * a.yaw


_STYLES = {
    "bald": _bald,
    "short": _short,
    "quiff": _quiff,
    "fringe": _fringe,
    "bob": _bob,
    "long": _long,
    "curly": _curly,
    "bun": _bun,
    "pigtails": _pigtails,
}
