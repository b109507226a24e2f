"""The shape of a person: proportions from attributes, head and body as solids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .attributes import Attributes
from .geometry import Frame, Sculpture, Solid, rotation
from .parts import PART

HULL = 0.06  # how far soft joints may bulge beyond their ellipsoids


@dataclass(frozen=True)
class Proportions:
    """Lengths (B,) in head units (the head is about 1.45 high), shared by solids and painted features."""

    width: Tensor
    jaw: Tensor
    chin: Tensor
    eye_x: Tensor
    eye_y: Tensor
    eye_wide: Tensor
    eye_high: Tensor
    mouth_y: Tensor
    nose_y: Tensor
    temple: Tensor


def proportions(a: Attributes) -> Proportions:
    """Lengths of each portrait's head."""
    firm = 1 - a.softness
    eye_wide = 0.138 + 0.009 * a.eye_size
    width = 0.575 + 0.018 * a.width
    return Proportions(
        width=width,
        jaw=0.315 + 0.022 * a.jaw + 0.05 * firm + 0.015 * a.width,
        chin=-0.555 - 0.018 * a.chin - 0.02 * firm,
        eye_x=0.218 + 0.012 * a.eye_spacing + 0.4 * (eye_wide - 0.138),
        eye_y=torch.zeros_like(width) + 0.02,
        eye_wide=eye_wide,
        eye_high=(0.090 + 0.009 * a.eye_size) * (1 - 0.22 * a.age) * (1 - 0.08 * firm),
        mouth_y=-0.372 - 0.006 * a.chin,
        nose_y=-0.155 - 0.018 * a.nose_length,
        temple=width * 0.93,
    )


def frames(a: Attributes) -> tuple[Frame, Frame]:
    """Where head and body stand; the shoulders follow a third of the head's turn."""
    like = a.yaw
    head = Frame(rotation(a.yaw, a.pitch, a.roll), like.new_tensor([0.0, -0.42, -0.10]))
    body = Frame(rotation(0.35 * a.yaw, 0 * like, 0.2 * a.roll), like.new_tensor([0.0, -0.90, -0.12]))
    return head, body


def head(a: Attributes, p: Proportions, frame: Frame) -> tuple[Sculpture, float]:
    """Skull, cheeks, jaw, nose and ears, and how softly they join."""
    s, skin = Sculpture(a.yaw), PART["skin"]
    drop = 0.045 * a.mouth_open
    s.add(skin, (0.0, 0.20, -0.07), (p.width, 0.585, 0.61))
    s.add(skin, (0.0, -0.06, 0.06), (p.width - 0.055, 0.46, 0.475))
    s.add(skin, (0.0, -0.33 - 0.5 * drop, 0.13), (p.jaw + 0.035, 0.25, 0.33))
    s.add(skin, (0.0, p.chin + 0.115 - drop, 0.27), (0.145 + 0.1 * (p.jaw - 0.34), 0.115, 0.15))
    lift = 0.03 * a.smile.clamp(min=0)
    full = 0.155 + 0.014 * a.cheeks + 0.02 * a.smile.clamp(min=0) - 0.02 * a.age
    s.pair(skin, (0.245, -0.175 + lift, 0.295), (full, full, full))
    s.pair(skin, (p.eye_x * 0.9, p.eye_y + 0.155, 0.40), (0.15, 0.055, 0.09))
    s.pair(skin, (p.eye_x, p.eye_y, 0.365), (0.13, 0.10, 0.125))
    s.pair(PART["ear"], (p.width + 0.005, -0.03, -0.10), (0.055, 0.15 + 0.014 * a.ears + 0.02 * a.age, 0.095), -0.18)
    nose, wide = PART["nose"], 0.082 + 0.009 * a.nose_width + 0.008 * a.age
    s.add(nose, (0.0, p.nose_y * 0.5 + 0.01, 0.485), (0.052, 0.15, 0.10))
    s.add(nose, (0.0, p.nose_y, 0.575), (wide, 0.078, 0.098))
    s.pair(nose, (wide * 0.95, p.nose_y - 0.018, 0.515), (0.05, 0.046, 0.06))
    return s, 0.028


def neck(a: Attributes, frame: Frame) -> Sculpture:
    """The neck, a little thinner on soft-featured people."""
    s = Sculpture(a.yaw)
    thick = 0.245 + 0.035 * (1 - a.softness) + 0.01 * a.width
    s.add(PART["neck"], (0.0, -0.75, -0.12), (thick, 0.55, thick))
    return s


def clothes(a: Attributes, frame: Frame) -> Sculpture:
    """Chest, shoulders and a collar that rises with ``collar``."""
    s, cloth = Sculpture(a.yaw), PART["clothes"]
    broad = 0.04 * (1 - a.softness) + 0.015 * a.width
    s.add(cloth, (0.0, -1.42, -0.12), (0.78 + broad, 0.60, 0.45))
    s.pair(cloth, (0.56 + broad, -1.16, -0.14), (0.36, 0.25, 0.30))
    rise = 0.10 * (a.collar - 0.4).clamp(min=0)
    s.add(cloth, (0.0, -0.93 + rise, -0.13), (0.355 - 0.4 * rise, 0.115 + rise, 0.345 - 0.4 * rise))
    return s


def solid(s: Sculpture, frame: Frame, blend: float | Tensor, **more: Any) -> Solid:
    """A sculpture with its hull; ``more`` goes to ``Solid``."""
    return Solid(*s.build(frame, blend, HULL), **more)
