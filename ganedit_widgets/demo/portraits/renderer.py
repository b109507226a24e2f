"""Draw portraits: trace the solids of each person, paint and light what is seen, and label every pixel."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from . import anatomy, face, shading
from .anatomy import Proportions
from .attributes import Attributes
from .canvas import Canvas, linear
from .face import column
from .geometry import Frame, Sculpture, Solid
from .glasses import look_through
from .hairstyles import hair
from .parts import PART
from .tracing import trace

VIEW = 1.06  # half the picture's side, in head units
CENTER_Y = 0.05
GPU_CHUNK = 64


@dataclass(frozen=True)
class Rendering:
    """Pictures (B, 3, S, S) float32 in [-1, 1] and part labels (B, S, S) uint8."""

    image: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Person:
    """Everything about a batch of portraits that is not a pixel."""

    a: Attributes
    p: Proportions
    head_frame: Frame
    solids: dict[str, Solid]


@torch.no_grad()
def render(attributes: Attributes, size: int = 128, supersample: int = 2) -> Rendering:
    """Draw portraits of size x size pixels, each from supersample² samples.

    On a CPU every portrait is drawn alone, so that its pixels do not depend on the batch it is in; on a GPU they are
    drawn together and agree to rounding.
    """
    chunk = 1 if attributes.yaw.device.type == "cpu" else GPU_CHUNK
    drawn = [_draw(attributes[i : i + chunk], size, supersample) for i in range(0, len(attributes), chunk)]
    return Rendering(torch.cat([d.image for d in drawn]), torch.cat([d.labels for d in drawn]))


def model(a: Attributes) -> Person:
    """The solids of each person."""
    p = anatomy.proportions(a)
    head_frame, body_frame = anatomy.frames(a)
    sculpture, blend = anatomy.head(a, p, head_frame)
    swell = None
    if bool((a.beard > 0).any()):
        _grow_beard(sculpture, a, p)
        swell = _beard_thickness(a, p, head_frame)
    solids = {
        "clothes": anatomy.solid(anatomy.clothes(a, body_frame), body_frame, 0.05),
        "neck": anatomy.solid(anatomy.neck(a, body_frame), body_frame, 0.06),
        "head": anatomy.solid(sculpture, head_frame, blend, swell=swell),
    }
    mane = hair(a, p, head_frame)
    if mane is not None:
        solids["hair"] = mane
    return Person(a, p, head_frame, solids)


def _grow_beard(s: Sculpture, a: Attributes, p: Proportions) -> None:
    thick = (a.beard - 0.3).clamp(min=0)
    s.add(PART["skin"], (0.0, p.chin + 0.12 - 0.10 * thick, 0.25), (0.15 + 0.09 * thick, 0.10 + 0.15 * thick, 0.14))


def _beard_thickness(a: Attributes, p: Proportions, frame: Frame):
    amount = column(0.010 + 0.05 * (a.beard - 0.2).clamp(min=0)) * column(a.beard > 0)
    return lambda points: face.beard_cover(a, p, frame.local(points)) * amount


def _draw(a: Attributes, size: int, supersample: int) -> Rendering:
    side = size * supersample
    person = model(a)
    plane = _rays(side, a.yaw)
    soft = 2 * VIEW / side
    surfaces = {name: trace(solid, plane, side, VIEW) for name, solid in person.solids.items()}
    depth = torch.full((len(a), side * side), -9.0, device=a.yaw.device)
    for s in surfaces.values():
        near = torch.where(s.hit, s.z, -9.0)
        depth[:, s.columns] = torch.maximum(depth[:, s.columns], near)
    color = _background(a, plane)
    label = torch.zeros(len(a), side * side, dtype=torch.int64, device=a.yaw.device)
    for name, s in surfaces.items():
        seen = s.hit & (s.z >= depth[:, s.columns])
        keep = seen.any(0).nonzero().squeeze(1)
        if not len(keep):
            continue
        columns, seen = s.columns[keep], seen[:, keep]
        points = torch.cat([plane[:, columns].expand(len(a), -1, -1), s.z[:, keep].unsqueeze(1)], 1)
        canvas = _PAINTERS[name](person, points, soft)
        color[:, :, columns] = torch.where(seen.unsqueeze(1), canvas.color, color[:, :, columns])
        label[:, columns] = torch.where(seen, canvas.label, label[:, columns])
    if bool((a.glasses > 0.5).any()):
        color, label = _put_on_glasses(person, plane, depth, soft, color, label)
    image = shading.develop(color).view(len(a), 3, side, side)
    image = torch.nn.functional.avg_pool2d(image, supersample) if supersample > 1 else image
    return Rendering(image * 2 - 1, _vote(label.view(len(a), side, side), supersample))


def _rays(side: int, like: Tensor) -> Tensor:
    """Where the rays of side² samples pass (2, side²), row by row from the top left."""
    ticks = ((torch.arange(side, device=like.device, dtype=like.dtype) + 0.5) / side * 2 - 1) * VIEW
    y, x = torch.meshgrid(CENTER_Y - ticks, ticks, indexing="ij")
    return torch.stack([x.flatten(), y.flatten()])


def _background(a: Attributes, plane: Tensor) -> Tensor:
    """A wall (B, 3, N) in linear light, lighter behind the head and on the lamp's side."""
    x, y = plane[0] / VIEW, (plane[1] - CENTER_Y) / VIEW
    glow = 1.06 - 0.16 * (x * x + (y - 0.25).square()) + 0.06 * y + 0.10 * column(a.light) * x
    return linear(a.background).unsqueeze(-1) * glow.unsqueeze(1).square()


def _ease(value: Tensor) -> Tensor:
    value = value.clamp(0, 1)
    return value * value * (3 - 2 * value)


def _shadow(person: Person, caster: str, points: Tensor, reach: float) -> Tensor:
    """How much light (B, N) reaches points past a solid, from its distance a step towards the lamp."""
    if caster not in person.solids:
        return torch.ones_like(points[:, 0])
    towards = points + reach * shading.key_direction(person.a.light)
    return _ease(person.solids[caster].distance(towards) / reach * 0.9 + 0.35)


def _paint_head(person: Person, points: Tensor, soft: float) -> Canvas:
    a, p = person.a, person.p
    normal, part = person.solids["head"].surface(points)
    local = person.head_frame.local(points)
    skin = face.skin_paint(a)
    c = Canvas(skin.expand(-1, -1, points.shape[-1]), part, soft, torch.full_like(points[:, 0], 0.16))
    ear = (part == PART["ear"]).float()
    c.tint(ear * 0.6, skin.new_tensor([1.0, 0.72, 0.68]).view(1, 3, 1))
    hollow = ((local[:, 1] + 0.015) / 0.085).square() + ((local[:, 2] + 0.075) / 0.05).square()
    c.tint(ear * torch.exp(-hollow) * 0.6, skin.new_tensor([0.62, 0.40, 0.36]).view(1, 3, 1))
    face.paint_face(c, a, p, local)
    shadow = 0.50 + 0.50 * _shadow(person, "hair", points, 0.13)
    openness = (0.78 + 0.22 * _ease((local[:, 1] + 0.75) / 0.5)) * (0.75 + 0.25 * shadow)
    lit = shading.shade(c.color, normal, a.light, shadow, openness, 1.0)
    shine = shading.highlight(normal, a.light, 22) * c.gloss * shadow
    c.color = lit + 0.55 * shine.unsqueeze(1)
    return c


def _paint_neck(person: Person, points: Tensor, soft: float) -> Canvas:
    a = person.a
    normal, part = person.solids["neck"].surface(points)
    color = face.skin_paint(a).expand(-1, -1, points.shape[-1])
    shadow = 0.35 + 0.65 * _shadow(person, "head", points, 0.28)
    openness = 0.55 + 0.45 * _ease((-0.62 - points[:, 1]) / 0.35)
    c = Canvas(color, part, soft, shadow)
    c.color = shading.shade(color, normal, a.light, shadow, openness, 1.0)
    return c


def _paint_clothes(person: Person, points: Tensor, soft: float) -> Canvas:
    a = person.a
    normal, part = person.solids["clothes"].surface(points)
    color = linear(a.clothes).unsqueeze(-1).expand(-1, -1, points.shape[-1])
    shadow = 0.55 + 0.45 * _shadow(person, "head", points, 0.35)
    if "hair" in person.solids:
        shadow = shadow * (0.65 + 0.35 * _shadow(person, "hair", points, 0.15))
    c = Canvas(color, part, soft, shadow)
    c.color = shading.shade(color, normal, a.light, shadow, 0.5 + 0.5 * shadow, 0.25)
    return c


def _paint_hair(person: Person, points: Tensor, soft: float) -> Canvas:
    a = person.a
    normal, part = person.solids["hair"].surface(points)
    x, y, z = person.head_frame.local(points).unbind(1)
    around = torch.atan2(x, z + 0.12)
    strands = torch.sin(around * 34 + 2.5 * torch.sin(around * 9 + 3 * y)) + 0.6 * torch.sin(around * 71 + 4 * y)
    color = face.hair_paint(a) * (1 + 0.13 * strands).unsqueeze(1)
    openness = 0.62 + 0.38 * _ease((y + 0.35) / 0.8)
    lit = shading.shade(color, normal, a.light, torch.ones_like(y), openness, 0.4)
    down = person.head_frame.turn @ color.new_tensor([0.0, -1.0, 0.15]).view(1, 3, 1)
    ring = shading.hair_highlight(normal, down, a.light) * (1 + 0.35 * strands)
    c = Canvas(lit + (0.55 * color + 0.035) * 0.55 * ring.unsqueeze(1), part, soft, openness)
    return c


_PAINTERS = {"clothes": _paint_clothes, "neck": _paint_neck, "head": _paint_head, "hair": _paint_hair}


def _put_on_glasses(
    person: Person, plane: Tensor, depth: Tensor, soft: float, color: Tensor, label: Tensor
) -> tuple[Tensor, Tensor]:
    g = look_through(person.a, person.p, person.head_frame, plane, depth, soft)
    lens = g.lens.unsqueeze(1)
    color = color * (1 - 0.07 * lens) + lens * (0.012 + 0.10 * g.glare.unsqueeze(1))
    color = torch.lerp(color, g.color.expand_as(color), g.frame.unsqueeze(1))
    return color, torch.where(g.frame > 0.5, PART["glasses"], label)


def _vote(label: Tensor, supersample: int) -> Tensor:
    """The most frequent label (B, S, S) uint8 of each pixel's samples; the finer part wins a draw."""
    b, side, _ = label.shape
    n = supersample
    cells = label.view(b, side // n, n, side // n, n).permute(0, 1, 3, 2, 4).reshape(b, side // n, side // n, n * n)
    votes = sum((cells == cells[..., i : i + 1]).long() for i in range(n * n))
    return ((votes * 64 + cells).amax(-1) % 64).to(torch.uint8)
