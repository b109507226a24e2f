"""Solids of smoothly joined ellipsoids as signed distance fields, and finding where rays of sight meet them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

Scalar = float | Tensor
TINY = 1e-12


def stack(values: Sequence[Scalar], like: Tensor) -> Tensor:
    """Numbers and tensors (B,) as one tensor (B, K)."""
    return torch.stack([v if isinstance(v, Tensor) else torch.full_like(like, float(v)) for v in values], -1)


def rotation(yaw: Tensor, pitch: Tensor, roll: Tensor) -> Tensor:
    """Turns (B, 3, 3) from an object's axes (x right, y up, z to the viewer) to the camera's; angles (B,) radians."""
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)
    cy, sy, cp, sp, cr, sr = yaw.cos(), yaw.sin(), pitch.cos(), pitch.sin(), roll.cos(), roll.sin()
    about_y = torch.stack([cy, zero, sy, zero, one, zero, -sy, zero, cy], -1).view(-1, 3, 3)
    about_x = torch.stack([one, zero, zero, zero, cp, sp, zero, -sp, cp], -1).view(-1, 3, 3)
    about_z = torch.stack([cr, -sr, zero, sr, cr, zero, zero, zero, one], -1).view(-1, 3, 3)
    return about_z @ about_x @ about_y


@dataclass(frozen=True)
class Frame:
    """Where an object stands: turn (B, 3, 3) about a pivot (3,)."""

    turn: Tensor
    pivot: Tensor

    def local(self, points: Tensor) -> Tensor:
        """Camera points (B, 3, N) in the object's coordinates."""
        pivot = self.pivot.view(1, 3, 1)
        return self.turn.mT @ (points - pivot) + pivot


@dataclass(frozen=True)
class Blobs:
    """P ellipsoids joined by a soft minimum: q = matrix @ p + offset is an ellipsoid's own space, a unit ball there."""

    matrix: Tensor  # (B, 3P, 3), rows ordered axis-major
    offset: Tensor  # (B, 3P, 1)
    inverse_radii: Tensor  # (B, 3, P, 1)
    axes: Tensor  # (B, 3, 3P): columns are the ellipsoids' axes in camera space
    parts: Tensor  # (P,) int64 part numbers
    blend: float

    def evaluate(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scaled coordinates (B, 3, P, N), distances to each ellipsoid (B, P, N), and their gradients' lengths.

        The distance is Quilez' bound k0 (k0 - 1) / k1, exact at the surface to first order.
        """
        count = len(self.parts)
        q = torch.baddbmm(self.offset, self.matrix, points).view(len(points), 3, count, -1)
        squares = q * q
        k0 = squares[:, 0] + squares[:, 1] + squares[:, 2]
        squares *= self.inverse_radii * self.inverse_radii
        k1 = (squares[:, 0] + squares[:, 1]).add_(squares[:, 2]).add_(TINY).rsqrt_()
        return q, (k0 - k0.sqrt()).mul_(k1), k1

    def distance(self, points: Tensor) -> Tensor:
        """Signed distance (B, N) of camera points (B, 3, N), negative inside."""
        _, each, _ = self.evaluate(points)
        return each.mul_(-1 / self.blend).exp_().sum(1).clamp_(min=1e-30).log_().mul_(-self.blend)

    def surface(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Distance (B, N), outward normal (B, 3, N) and part numbers (B, N) at points near the surface."""
        q, each, k1 = self.evaluate(points)
        weights = each.mul_(-1 / self.blend).exp_()
        total = weights.sum(1).clamp_(min=1e-30)
        part = self.parts[weights.argmax(1)]
        slopes = q.mul_(self.inverse_radii).mul_((weights * k1).unsqueeze(1))
        normal = self.axes @ slopes.flatten(1, 2)
        return total.log().mul_(-self.blend), unit(normal), part

    def first_contact(self, plane: Tensor) -> Tensor:
        """Height z (B, N) where rays from the viewer through (2, N) first meet an ellipsoid, -9 where they miss."""
        flat = torch.cat([plane, torch.zeros_like(plane[:1])]).expand(len(self.matrix), -1, -1)
        q = torch.baddbmm(self.offset, self.matrix, flat).view(len(flat), 3, len(self.parts), -1)
        along = self.matrix[:, :, 2].reshape(len(flat), 3, -1, 1)
        square = (along * along).sum(1)
        lean = (q * along).sum(1)
        inside = lean.square().sub_(square * (q.square_().sum(1) - 1))
        return torch.where(inside > 0, (inside.clamp(min=0).sqrt() - lean) / square, -9.0).amax(1)


def unit(vectors: Tensor) -> Tensor:
    """Vectors (B, 3, N) at length 1."""
    return vectors * (vectors.square().sum(1, keepdim=True) + TINY).rsqrt()


@dataclass
class Sculpture:
    """Collects ellipsoids in an object's coordinates, then builds ``Blobs``."""

    like: Tensor
    centers: list[Tensor] = field(default_factory=list)
    radii: list[Tensor] = field(default_factory=list)
    tilts: list[Tensor | None] = field(default_factory=list)
    parts: list[int] = field(default_factory=list)
    active: Tensor | None = None  # (B,) bool: portraits the next ellipsoids exist in

    def add(self, part: int, center: Sequence[Scalar], radii: Sequence[Scalar], tilt: Scalar = 0.0) -> None:
        """One ellipsoid: center and radii of three numbers or (B,) tensors, tilted about z by radians."""
        middle, extent = stack(center, self.like), stack(radii, self.like)
        if self.active is not None:  # what does not exist is a speck in the middle of the head
            middle = torch.where(self.active.unsqueeze(-1), middle, 0.0)
            extent = torch.where(self.active.unsqueeze(-1), extent, 1e-3)
        self.centers.append(middle)
        self.radii.append(extent)
        self.tilts.append(None if isinstance(tilt, float) and tilt == 0 else stack([tilt], self.like)[:, 0])
        self.parts.append(part)

    def pair(self, part: int, center: Sequence[Scalar], radii: Sequence[Scalar], tilt: Scalar = 0.0) -> None:
        """An ellipsoid on the right side and its mirror image on the left."""
        self.add(part, center, radii, tilt)
        self.add(part, (-1 * center[0], *center[1:]), radii, -1 * tilt)

    def build(self, frame: Frame, blend: float, grow: float = 0.0) -> Blobs:
        """The solid in camera space, its radii grown by ``grow``."""
        centers, radii = torch.stack(self.centers, 1), torch.stack(self.radii, 1) + grow
        local = [self._axes(tilt) for tilt in self.tilts]
        axes = frame.turn.unsqueeze(1) @ torch.stack(local, 1)  # (B, P, 3, 3), columns are axes
        world = (frame.turn @ (centers - frame.pivot).mT).mT + frame.pivot
        matrix = axes.mT / radii.unsqueeze(-1)  # (B, P, axis, 3)
        offset = -(matrix @ world.unsqueeze(-1)).squeeze(-1)  # (B, P, axis)
        return Blobs(
            matrix.transpose(1, 2).flatten(1, 2).contiguous(),
            offset.transpose(1, 2).reshape(len(radii), -1, 1).contiguous(),
            (1 / radii).transpose(1, 2).unsqueeze(-1).contiguous(),
            axes.permute(0, 2, 3, 1).flatten(2).contiguous(),
            torch.tensor(self.parts, device=self.like.device),
            blend,
        )

    def _axes(self, tilt: Tensor | None) -> Tensor:
        if tilt is None:
            return torch.eye(3, device=self.like.device).expand(len(self.like), 3, 3)
        zero = torch.zeros_like(tilt)
        return rotation(zero, zero, tilt)


@dataclass(frozen=True)
class Solid:
    """Blobs, less a softly cut-out ellipsoid, plus a swelling: what one surface of a portrait is made of."""

    blobs: Blobs
    hull: Blobs  # every point of the surface lies within one of its ellipsoids
    cut: Blobs | None = None
    cut_blend: float = 0.05
    swell: Callable[[Tensor], Tensor] | None = None  # camera points (B, 3, N) -> (B, N) added thickness

    def distance(self, points: Tensor) -> Tensor:
        """Signed distance (B, N) of camera points (B, 3, N)."""
        d = self.blobs.distance(points)
        if self.swell is not None:
            d = d - self.swell(points)
        if self.cut is not None:
            other = -self.cut.distance(points)
            mix = ((other - d) / (2 * self.cut_blend) + 0.5).clamp(0, 1)
            d = torch.lerp(d, other, mix).addcmul_(mix, 1 - mix, value=self.cut_blend)
        return d

    def surface(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Outward normals (B, 3, N) and part numbers (B, N) at surface points (B, 3, N)."""
        d, normal, part = self.blobs.surface(points)
        if self.cut is not None:
            hole, hole_normal, _ = self.cut.surface(points)
            mix = ((-hole - d) / (2 * self.cut_blend) + 0.5).clamp(0, 1).unsqueeze(1)
            normal = unit(torch.lerp(normal, -hole_normal, mix))
        return normal, part

    def trace(self, plane: Tensor, rounds: int, close: float) -> tuple[Tensor, Tensor]:
        """Heights z (B, N) of the surface on rays through (2, N), and which rays hit (B, N).

        Sphere tracing (Hart, 1996), started where the ray enters the hull; after each round of steps the rays that
        have arrived are left alone, so that the few along edges and into gaps can walk on.
        """
        z = self.hull.first_contact(plane)
        near = torch.full_like(z, 9.0)
        columns = (z > -8).any(0).nonzero().squeeze(1)
        for steps in (3, *[4] * rounds):
            here, flat = z[:, columns], plane[:, columns].expand(len(z), -1, -1)
            for _ in range(steps):
                d = self.distance(torch.cat([flat, here.unsqueeze(1)], 1))
                here = here - d.clamp(min=-0.05)
            z[:, columns], near[:, columns] = here, d
            columns = columns[((d > 0.5 * close) & (here > -1.2)).any(0)]
            if not len(columns):
                break
        return z, (near < close) & (z > -2)
