"""Solids of smoothly joined ellipsoids as signed distance fields, and finding where rays of sight meet them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Scalar = float | Tensor
TINY = 1e-12


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
    blend: Tensor  # (B, 1, 1)

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
        return each.mul_(-1 / self.blend).exp_().sum(1).clamp_(min=1e-30).log_().mul_(-self.blend[:, 0])

    def surface(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Distance (B, N), outward normal (B, 3, N) and part numbers (B, N) at points near the surface."""
        q, each, k1 = self.evaluate(points)
        weights = each.mul_(-1 / self.blend).exp_()
        total = weights.sum(1).clamp_(min=1e-30)
        part = self._strongest(weights)
        slopes = q.mul_(self.inverse_radii).mul_((weights * k1).unsqueeze(1))
        normal = self.axes @ slopes.flatten(1, 2)
        return total.log().mul_(-self.blend[:, 0]), unit(normal), part

    def _strongest(self, weights: Tensor) -> Tensor:
        """The part (B, N) whose ellipsoids weigh most together, of weights (B, P, N)."""
        names = self.parts.unique()
        if len(names) == 1:
            return names.view(1, 1).expand(len(weights), weights.shape[-1])
        shares = (names.unsqueeze(1) == self.parts).to(weights) @ weights
        best, part = shares[:, 0], names[0].expand_as(shares[:, 0])
        for i in range(1, len(names)):
            part = torch.where(shares[:, i] > best, names[i], part)
            best = torch.maximum(best, shares[:, i])
        return part

    def crossing(self, plane: Tensor, below: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Heights z (B, N) where rays from the viewer through (2, N) enter the first and leave the last ellipsoid.

        Only ellipsoids entered ``below`` a height (B, N) count, where it is given. Rays that miss all of them enter
        at -9 and leave at 9.
        """
        flat = torch.cat([plane, torch.zeros_like(plane[:1])]).expand(len(self.matrix), -1, -1)
        q = torch.baddbmm(self.offset, self.matrix, flat).view(len(flat), 3, len(self.parts), -1)
        along = self.matrix[:, :, 2].reshape(len(flat), 3, -1, 1)
        square = (along * along).sum(1)
        lean = (q * along).sum(1)
        inside = lean.square().sub_(square * (q.square_().sum(1) - 1))
        half, lean, met = inside.clamp(min=0).sqrt_() / square, lean / square, inside > 0
        if below is not None:
            met &= half - lean < below.unsqueeze(1)
        return torch.where(met, half - lean, -9.0).amax(1), torch.where(met, -half - lean, 9.0).amin(1)


def unit(vectors: Tensor) -> Tensor:
    """Vectors (B, 3, N) at length 1."""
    return vectors * (vectors.square().sum(1, keepdim=True) + TINY).rsqrt()


class Sculpture:
    """Collects ellipsoids in an object's coordinates, then builds ``Blobs``."""

    def __init__(self, like: Tensor):
        self._like = like
        self._rows: list[tuple[Scalar, ...]] = []  # center, radii, tilt
        self._parts: list[int] = []
        self._masks: list[Tensor | None] = []
        self.active: Tensor | None = None  # (B,) bool: portraits the next ellipsoids exist in

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, part: int, center: Sequence[Scalar], radii: Sequence[Scalar], tilt: Scalar = 0.0) -> None:
        """One ellipsoid: center and radii of three numbers or (B,) tensors, tilted about z by radians."""
        self._rows.append((*center, *radii, tilt))
        self._parts.append(part)
        self._masks.append(self.active)

    def pair(self, part: int, center: Sequence[Scalar], radii: Sequence[Scalar], tilt: Scalar = 0.0) -> None:
        """An ellipsoid on the right side and its mirror image on the left."""
        self.add(part, center, radii, tilt)
        self.add(part, (-1 * center[0], *center[1:]), radii, -1 * tilt)

    def build(self, frame: Frame, blend: float | Tensor, hull: float = 0.0) -> tuple[Blobs, Blobs]:
        """The solid in camera space, joined with radius ``blend`` (one or (B,)), and with radii grown by ``hull``."""
        rows = self._table()
        centers, radii, tilt = rows[..., :3], rows[..., 3:6], rows[..., 6]
        zero = torch.zeros_like(tilt).flatten()
        local = rotation(zero, zero, tilt.flatten()).view(*tilt.shape, 3, 3)
        axes = frame.turn.unsqueeze(1) @ local  # (B, P, 3, 3), columns are axes
        world = (frame.turn @ (centers - frame.pivot).mT).mT + frame.pivot
        width = torch.as_tensor(blend, dtype=rows.dtype, device=rows.device).expand(len(rows)).view(-1, 1, 1)
        parts = torch.tensor(self._parts, device=rows.device)
        return _blobs(axes, world, radii, parts, width), _blobs(axes, world, radii + hull, parts, width)

    def _table(self) -> Tensor:
        """Centers, radii and tilts (B, P, 7); what does not exist is a speck in the middle of the head."""
        plain = [[0.0 if isinstance(v, Tensor) else float(v) for v in row] for row in self._rows]
        table = self._like.new_tensor(plain).repeat(len(self._like), 1, 1)
        for i, row in enumerate(self._rows):
            for j, value in enumerate(row):
                if isinstance(value, Tensor):
                    table[:, i, j] = value
        if all(mask is None for mask in self._masks) or len(self._like) == 1:
            return table
        everyone = torch.ones_like(self._like, dtype=torch.bool)
        exists = torch.stack([everyone if mask is None else mask for mask in self._masks], 1)
        speck = self._like.new_tensor([0, 0, 0, 1e-3, 1e-3, 1e-3, 0])
        return torch.where(exists.unsqueeze(-1), table, speck)


def _blobs(axes: Tensor, world: Tensor, radii: Tensor, parts: Tensor, blend: Tensor) -> Blobs:
    matrix = axes.mT / radii.unsqueeze(-1)  # (B, P, axis, 3)
    offset = -(matrix @ world.unsqueeze(-1)).squeeze(-1)  # (B, P, axis)
    return Blobs(
        matrix.transpose(1, 2).flatten(1, 2).contiguous(),
        offset.transpose(1, 2).reshape(len(radii), -1, 1).contiguous(),
        (1 / radii).transpose(1, 2).unsqueeze(-1).contiguous(),
        axes.permute(0, 2, 3, 1).flatten(2).contiguous(),
        parts,
        blend,
    )


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
