"""Painted features of the face: eyes, brows, mouth, nostrils, blush, wrinkles and beard."""

from __future__ import annotations

import torch
from torch import Tensor

from . import palettes
from .anatomy import Proportions
from .attributes import Attributes
from .canvas import Canvas, linear, paint_color


def column(value: Tensor) -> Tensor:
    """(B,) as (B, 1), to go with points (B, N)."""
    return value.unsqueeze(-1)


def gray_share(a: Attributes) -> Tensor:
    """How gray (B,) the hair is: from none at age 0.24 to almost all at 0.8."""
    return ((a.age - 0.24) / 0.56).clamp(0, 1) * 0.95


def hair_paint(a: Attributes) -> Tensor:
    """Hair color (B, 3, 1) in linear light, grayed by age."""
    gray = palettes.GRAY_HAIR.to(a.age) - 0.12 * (1 - column(gray_share(a)))
    return linear(torch.lerp(a.hair_color, gray, column(gray_share(a)))).unsqueeze(-1)


def skin_paint(a: Attributes) -> Tensor:
    """Skin color (B, 3, 1) in linear light."""
    return linear(palettes.along(palettes.SKIN, a.skin)).unsqueeze(-1)


def unroll(local: Tensor) -> tuple[Tensor, Tensor]:
    """Head points (B, 3, N) on a cylinder about the vertical: across u and up v, true to scale near the middle."""
    x, y, z = local.unbind(1)
    return 0.58 * torch.atan2(x, (z + 0.14).clamp(min=1e-3)), y


def beard_cover(a: Attributes, p: Proportions, local: Tensor) -> Tensor:
    """Where a beard grows (B, N), softly 0 to 1: jaw, chin and upper lip, leaving the mouth free."""
    x, y, z = local.unbind(1)
    side = x.abs()
    jaw = (column(p.mouth_y) - 0.015 + 1.5 * (side - 0.14).clamp(min=0).square() + 0.25 * (side - 0.2).clamp(min=0)) - y
    lip_y = column(0.5 * (p.mouth_y + p.nose_y) - 0.022)
    mustache = 0.055 - ((side / 0.21).square() + ((y - lip_y + 0.9 * x * x) / 0.052).square()).sqrt().sub(1) * 0.05
    mouth = ((side / column(0.165 + 0.03 * a.smile.clamp(min=0))) ** 2 + ((y - column(p.mouth_y)) / 0.045) ** 2) - 1
    grown = torch.maximum(jaw, mustache - 0.055)
    region = torch.minimum(grown, mouth * 0.05)
    region = torch.minimum(region, z + 0.05 - 0.2 * (y + 0.2))
    return (region / 0.020 + 0.5).clamp(0, 1) * column((a.beard * 8).clamp(max=1))


def paint_face(c: Canvas, a: Attributes, p: Proportions, local: Tensor) -> None:
    """All features, on the points ``local`` (B, 3, N) of the head (in head coordinates)."""
    u, v = unroll(local)
    front = local[:, 2] > 0.05
    _blush(c, a, p, u, v, front)
    _wrinkles(c, a, p, u, v, front)
    _nostrils(c, a, p, local)
    if bool((a.beard > 0).any()):
        alpha = beard_cover(a, p, local)
        strands = 0.85 + 0.15 * torch.sin(local[:, 0] * 70 + local[:, 1] * 25)
        c.gloss = c.gloss * (1 - alpha)
        c.paint(alpha * column(0.45 + 0.6 * a.beard).clamp(max=1), hair_paint(a) * 0.82 * strands.unsqueeze(1), None)
        c.label = torch.where((alpha > 0.5) & column(a.beard > 0), 7, c.label)
    _mouth(c, a, p, u, v, front)
    _eyes(c, a, p, u, v, front)
    _brows(c, a, p, u, v, front)


def _blush(c: Canvas, a: Attributes, p: Proportions, u: Tensor, v: Tensor, front: Tensor) -> None:
    rosy = c.color.new_tensor([1.0, 0.66, 0.64]).view(1, 3, 1)
    spot = ((u.abs() - 0.29) / 0.15).square() + ((v + 0.165) / 0.115).square()
    strength = 0.42 + 0.25 * a.smile.clamp(min=0) + 0.2 * a.softness
    c.tint(torch.exp(-spot) * column(strength) * front, rosy)
    tip = (u / 0.10).square() + ((v - column(p.nose_y)) / 0.08).square()
    c.tint(torch.exp(-tip) * 0.35 * front, rosy)
    socket = ((u.abs() - column(p.eye_x)) / 0.17).square() + ((v - column(p.eye_y) - 0.02) / 0.12).square()
    c.tint(torch.exp(-socket) * 0.20 * front, c.color.new_tensor([0.85, 0.66, 0.62]).view(1, 3, 1))


def _wrinkles(c: Canvas, a: Attributes, p: Proportions, u: Tensor, v: Tensor, front: Tensor) -> None:
    """Forehead lines, folds from nose to mouth, lines at the outer eye, bags under it: deeper with age."""
    shade = c.color.new_tensor([0.60, 0.44, 0.40]).view(1, 3, 1)
    side, old = u.abs(), column(a.age)

    def line(distance: Tensor, width: float, within: Tensor) -> Tensor:
        return torch.exp(-(distance / width).square()) * within

    forehead = sum(
        line(v - 0.30 - 0.075 * k - 0.25 * u * u, 0.013, torch.exp(-((side / (0.24 - 0.03 * k)) ** 4)))
        for k in range(3)
    )
    t = (v + 0.16).clamp(max=0)
    smile = column(a.smile.clamp(min=0))
    fold = line(side - 0.125 + 0.42 * t + 0.5 * t * t - 0.02 * smile, 0.016, torch.exp(-(((v + 0.25) / 0.10) ** 4)))
    ex, ey = side - column(p.eye_x + p.eye_wide) - 0.055, v - column(p.eye_y)
    crow = sum(line(ey - 0.01 - k * (0.02 + 0.45 * ex), 0.009, torch.exp(-((ex / 0.05) ** 4))) for k in (-1, 0, 1))
    s = (side - column(p.eye_x)) / column(p.eye_wide)
    bag = line(ey + column(p.eye_high) * 0.75 + 0.055 - 0.045 * s * s, 0.015, torch.exp(-(s**4)))
    deep = old * forehead * 0.75 + (0.9 * old + 0.28 * smile) * fold + old * crow * 0.75 + (0.85 * old + 0.1) * bag
    c.tint((deep * front).clamp(max=1), shade)


def _nostrils(c: Canvas, a: Attributes, p: Proportions, local: Tensor) -> None:
    x, y, z = local.unbind(1)
    dx = x.abs() - column(0.042 + 0.005 * a.nose_width)
    hole = 1 - ((dx / 0.026).square() + ((y - column(p.nose_y) + 0.062) / 0.016).square()).sqrt()
    c.paint(c.cover(hole * 0.018) * (z > 0.4) * 0.75, c.color * c.color.new_tensor([0.30, 0.16, 0.14]).view(1, 3, 1))
    under = torch.exp(-((x / 0.12).square() + ((y - column(p.nose_y) + 0.095) / 0.03).square())) * (z > 0.3)
    c.tint(under * 0.35, c.color.new_tensor([0.6, 0.45, 0.42]).view(1, 3, 1))


def _mouth(c: Canvas, a: Attributes, p: Proportions, u: Tensor, v: Tensor, front: Tensor) -> None:
    smile, opened = column(a.smile), column(a.mouth_open)
    wide = 0.148 + 0.050 * smile.clamp(min=0) - 0.012 * smile.clamp(max=0).abs() - 0.015 * opened
    t = u / wide
    arch = (1 - t * t).clamp(min=0)
    near = front & (t.abs() < 1.3)
    middle = v - column(p.mouth_y) - (0.095 * smile.clamp(min=0) + 0.055 * smile.clamp(max=0)) * (t * t - 0.45)
    full = 1 + 0.13 * column(a.lips) + 0.15 * column(a.softness)
    bow = 1 - 0.30 * torch.exp(-((u / 0.028) ** 2)) + 0.1 * torch.exp(-(((u.abs() - 0.045) / 0.03) ** 2))
    gap_up, gap_down = 0.022 * opened * arch, 0.10 * opened * arch
    top = gap_up + 0.030 * full * arch.sqrt() * bow * (1 - 0.15 * opened)
    bottom = -gap_down - 0.040 * full * arch.sqrt()
    lips = c.cover(torch.minimum(top - middle, middle - bottom)) * near * (arch > 0)
    red = linear(c.color.new_tensor([0.78, 0.30, 0.32]) * (1 - 0.25 * column(a.skin))).unsqueeze(-1)
    rosy = torch.lerp(skin_paint(a) * c.color.new_tensor([0.88, 0.52, 0.50]).view(1, 3, 1), red, 0.45)
    rosy = torch.lerp(rosy, red, (0.55 * a.softness).view(-1, 1, 1))
    rosy = rosy * (1 - 0.12 * a.age.view(-1, 1, 1))
    light = torch.where(middle > 0, 0.80, 1.0) + 0.25 * torch.exp(
        -(((middle - 0.55 * bottom - 0.45 * -gap_down) / 0.014) ** 2) - (t / 0.5) ** 2
    ) * (middle < -gap_down)
    c.gloss = torch.where(lips > 0.5, 0.30, c.gloss)
    c.paint(lips, rosy * light.unsqueeze(1), "mouth")
    inner = torch.minimum(gap_up - middle, middle + gap_down)
    hole = c.cover(inner) * near * (opened > 0.03)
    c.paint(hole, paint_color(0.36, 0.09, 0.12, c.color), "mouth")
    tongue = c.cover(torch.minimum(inner, -gap_down * 0.55 + 0.02 * arch - middle)) * hole
    c.paint(tongue * 0.8, paint_color(0.80, 0.38, 0.40, c.color))
    teeth = c.cover(torch.minimum(inner, middle - gap_up + 0.012 + 0.042 * opened)) * hole
    c.paint(teeth, paint_color(0.98, 0.96, 0.92, c.color), "teeth")
    seam = torch.exp(-(((middle - gap_up) / 0.009) ** 2)) * (t.abs() < 1.04) * near * (1 - hole)
    c.tint(seam * 0.75, c.color.new_tensor([0.30, 0.18, 0.18]).view(1, 3, 1))
    dimple = torch.exp(-(((t.abs() - 1.04) * wide / 0.016) ** 2) - (middle / 0.022) ** 2) * front
    c.tint(dimple * 0.5, c.color.new_tensor([0.55, 0.36, 0.34]).view(1, 3, 1))


def _eyes(c: Canvas, a: Attributes, p: Proportions, u: Tensor, v: Tensor, front: Tensor) -> None:
    wide, high = column(p.eye_wide), column(p.eye_high)
    side = torch.where(u < 0, -1.0, 1.0)
    s = (u.abs() - column(p.eye_x)) / wide
    arch = (1 - s * s).clamp(min=0)
    y = v - column(p.eye_y) - 0.008 * s
    squint = 0.30 * column(a.smile.clamp(min=0))
    upper = high * arch.sqrt() * (0.78 + 0.22 * arch) - 0.022 * column(a.age) * s.clamp(0, 1)
    lower = -high * 0.80 * arch.pow(0.75) * (1 - squint)
    inside = torch.minimum(upper - y, y - lower)
    near = front & (s.abs() < 1.6)
    crease = torch.exp(-(((y - upper - 0.035 - 0.01 * arch) / 0.011) ** 2)) * near * (s.abs() < 0.95)
    c.tint(crease * 0.55, c.color.new_tensor([0.62, 0.46, 0.42]).view(1, 3, 1))
    eye = c.cover(inside) * near * (arch > 0)
    shade = (0.70 + 0.30 * ((upper - y) / 0.045).clamp(0, 1)).unsqueeze(1)
    c.paint(eye, paint_color(0.97, 0.97, 0.96, c.color) * shade, "eye")
    c.gloss = torch.where(eye > 0.5, 0.0, c.gloss)
    _iris(c, a, p, u - side * column(p.eye_x), y, eye)
    lash = 0.013 + 0.011 * column(a.softness)
    wing = (s.abs() < 1.0) | ((s > 0) & (s < 1.0 + 0.16 * column(a.softness)))
    edge = torch.minimum(y - upper + 0.4 * lash, upper + lash - y) + 0.004 * (s - 0.5)
    dark = paint_color(0.16, 0.10, 0.09, c.color)
    c.paint(c.cover(edge) * near * wing, torch.lerp(dark, hair_paint(a), 0.12))
    rim = torch.exp(-(((y - lower) / 0.008) ** 2)) * near * (s.abs() < 1)
    c.tint(rim * 0.45, c.color.new_tensor([0.62, 0.40, 0.38]).view(1, 3, 1))


def _iris(c: Canvas, a: Attributes, p: Proportions, x: Tensor, y: Tensor, eye: Tensor) -> None:
    look = (-0.040 * torch.tanh(1.6 * a.yaw) + 0.035 * a.gaze, 0.03 * torch.tanh(-2 * a.pitch))
    x, y = x - column(look[0]), y - 0.004 - column(look[1])
    far, size = (x * x + y * y).sqrt(), column(0.072 + 0.15 * (p.eye_wide - 0.138))
    base = linear(a.iris).unsqueeze(-1)
    glow = (0.75 - 6.0 * y + 0.35 * (far / size)).clamp(0.45, 1.7).unsqueeze(1)
    alpha = c.cover(size - far) * eye
    c.paint(alpha, base * glow, "iris")
    c.tint(torch.exp(-(((far - size) / 0.012) ** 2)) * alpha * 0.65, c.color.new_tensor([0.3] * 3).view(1, 3, 1))
    c.paint(c.cover(0.50 * size - far) * alpha, paint_color(0.06, 0.04, 0.05, c.color))
    shine = ((x + 0.024 - 0.02 * column(a.light)).square() + (y - 0.028).square()).sqrt()
    c.paint(c.cover(0.021 - shine) * eye, paint_color(1.15, 1.15, 1.15, c.color))
    glint = ((x - 0.026).square() + (y + 0.030).square()).sqrt()
    c.paint(c.cover(0.010 - glint) * alpha * 0.6, paint_color(1, 1, 1, c.color))


def _brows(c: Canvas, a: Attributes, p: Proportions, u: Tensor, v: Tensor, front: Tensor) -> None:
    s = (u.abs() - column(p.eye_x) - 0.008) / (column(p.eye_wide) + 0.022)
    smile = column(a.smile)
    height = column(p.eye_y + p.eye_high + 0.078 + 0.010 * a.brow_height + 0.012 * a.softness)
    arch = height + 0.030 * (1 - s * s) - 0.020 * s + 0.012 * smile.clamp(min=0)
    weight = 0.027 - 0.008 * column(a.softness) + 0.003 * column(a.brow_weight)
    thick = weight * (1.0 - 0.45 * ((s + 0.6) / 1.6).clamp(0, 1)) * (1 - s.abs().pow(5)).clamp(min=0)
    alpha = c.cover(thick - (v - arch).abs()) * front * (s.abs() < 1)
    color = torch.lerp(hair_paint(a), paint_color(0.22, 0.16, 0.14, c.color), 0.45)
    c.paint(alpha * 0.92, color, "brow")
