"""What a portrait is of: named attributes, and their sampling from a seed and a number."""

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from . import palettes

HAIR_STYLES: tuple[str, ...] = ("bald", "short", "quiff", "fringe", "bob", "long", "curly", "bun", "pigtails")
IDENTITY: tuple[str, ...] = (
    "width",
    "jaw",
    "chin",
    "cheeks",
    "nose_length",
    "nose_width",
    "eye_spacing",
    "eye_size",
    "brow_height",
    "brow_weight",
    "lips",
    "ears",
    "softness",
    "skin",
    "iris",
)
COLORS: tuple[str, ...] = ("hair_color", "iris", "clothes", "background")
MAX_YAW = math.radians(75)
TURNED: tuple[str, ...] = ("yaw", "roll", "gaze", "light")  # change their sign in a mirror


@dataclass(frozen=True)
class Attributes:
    """Attributes of B portraits: tensors (B,) float32, colors (B, 3) sRGB in [0, 1], ``hair_style`` (B,) int64.

    Angles are radians; yaw > 0 turns the face to the picture's right, pitch > 0 lifts the chin, roll > 0 tilts the
    head to the picture's left. Face proportions (``width`` ... ``ears``) are standard normals cut at 2;
    ``softness`` in [0, 1] rounds the jaw, thins the brows and lengthens the lashes; ``skin`` runs from fair 0 to
    deep 1. ``smile``, ``light`` and ``gaze`` lie in [-1, 1]; ``age``, ``mouth_open``, ``hair_length``, ``beard``,
    ``glasses_shape`` and ``collar`` in [0, 1]; ``glasses`` is 0 or 1. ``hair_style`` counts in ``HAIR_STYLES``.
    """

    yaw: Tensor
    pitch: Tensor
    roll: Tensor
    gaze: Tensor
    smile: Tensor
    mouth_open: Tensor
    age: Tensor
    glasses: Tensor
    glasses_shape: Tensor
    hair_style: Tensor
    hair_length: Tensor
    hair_color: Tensor
    beard: Tensor
    width: Tensor
    jaw: Tensor
    chin: Tensor
    cheeks: Tensor
    nose_length: Tensor
    nose_width: Tensor
    eye_spacing: Tensor
    eye_size: Tensor
    brow_height: Tensor
    brow_weight: Tensor
    lips: Tensor
    ears: Tensor
    softness: Tensor
    skin: Tensor
    iris: Tensor
    light: Tensor
    background: Tensor
    clothes: Tensor
    collar: Tensor

    def __len__(self) -> int:
        return len(self.yaw)

    def __getitem__(self, key: int | slice | Tensor | Sequence[int]) -> "Attributes":
        """Some of the portraits; a single number keeps the batch dimension."""
        if isinstance(key, int):
            key = slice(key, key + 1 or None)
        return Attributes(**{name: value[key] for name, value in self.items()})

    def items(self) -> list[tuple[str, Tensor]]:
        """Names and tensors, in the order of ``ATTRIBUTES``."""
        return [(name, getattr(self, name)) for name in ATTRIBUTES]

    def to(self, device: torch.device | str) -> "Attributes":
        """The same attributes on another device."""
        return Attributes(**{name: value.to(device) for name, value in self.items()})

    def replace(self, **values: Tensor | float | int) -> "Attributes":
        """The same portraits with some attributes set; a number or one color is given to all of them."""
        spread = {}
        for name, value in values.items():
            old = getattr(self, name)
            spread[name] = torch.as_tensor(value, dtype=old.dtype, device=old.device).expand_as(old)
        return dataclasses.replace(self, **spread)


ATTRIBUTES: tuple[str, ...] = tuple(field.name for field in dataclasses.fields(Attributes))


def concatenate(batches: Sequence[Attributes]) -> Attributes:
    """One batch out of several, in order."""
    return Attributes(**{name: torch.cat([getattr(batch, name) for batch in batches]) for name in ATTRIBUTES})


def _shift(value: Tensor, bits: int) -> Tensor:
    return (value >> bits) & ((1 << (64 - bits)) - 1)  # torch shifts arithmetically, the hash wants zeros


def _signed(value: int) -> int:
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


def _mix(value: Tensor) -> Tensor:
    """The finalizer of SplitMix64 (Steele, Lea and Flood, 2014), on int64 with wrap-around."""
    value = (value ^ _shift(value, 30)) * _signed(0xBF58476D1CE4E5B9)
    value = (value ^ _shift(value, 27)) * _signed(0x94D049BB133111EB)
    return value ^ _shift(value, 31)


class _Dice:
    """Random numbers that depend on the seed, the portrait's number and a stream's name, and on nothing else."""

    def __init__(self, indices: Tensor, seed: int):
        self.thrown: dict[str, Tensor] = {}  # what each stream gave, uniform in (0, 1)
        self._root = _mix(_mix(indices.long() * _signed(0x9E3779B97F4A7C15)) + _signed((seed + 1) * 0xD1B54A32D192ED03))

    def uniform(self, stream: str) -> Tensor:
        salt = int.from_bytes(stream.encode(), "little") % ((1 << 64) - 59)
        bits = _shift(_mix(self._root ^ _mix(torch.tensor(_signed(salt)))), 11)
        self.thrown[stream] = (bits.double() + 0.5) / (1 << 53)
        return self.thrown[stream]

    def normal(self, stream: str, cut: float = 2.0) -> Tensor:
        return (torch.erfinv(2 * self.uniform(stream) - 1) * math.sqrt(2)).clamp(-cut, cut)

    def color(self, stream: str, table: Tensor, odds: Tensor, jitter: float) -> Tensor:
        base = palettes.draw(table.double(), odds, self.uniform(stream))
        change = torch.stack([self.normal(f"{stream}{channel}") for channel in "rgb"], -1)
        shared = self.normal(f"{stream}*").unsqueeze(-1)
        return (base * (1 + jitter * shared + 0.4 * jitter * change)).clamp(0.02, 0.98)


def sample_attributes(indices: Tensor | range | Sequence[int], seed: int = 0) -> Attributes:
    """Attributes of the portraits of some numbers: portrait i of a seed is the same in whatever batch it is asked.

    The tails are long on purpose: yaw is normal (0.3 rad) with one tenth drawn from a wide normal (0.75 rad), age is
    skewed young, 12 % wear glasses. Correlations: glasses come with age (7.5 % of the youngest, 27 % of the oldest);
    gray hair, thin hair and baldness come with age; beards only where ``softness`` < 0.42, long hair and buns more
    often above; dark hair and dark eyes with deep skin; an open mouth with a smile.
    """
    return _compose(_dice(indices, seed))


def thrown_numbers(indices: Tensor | range | Sequence[int], seed: int = 0, mirrored: bool = False) -> Tensor:
    """Return the random numbers (B, ``THROWN``) that portraits are made of, as independent standard normals.

    `mirrored`: those of the same portraits as a mirror shows them, but for partings, which stay on their side.
    """
    dice = _dice(indices, seed)
    _compose(dice)
    uniforms = torch.stack([1 - u if mirrored and k in TURNED else u for k, u in dice.thrown.items()], 1)
    return (torch.erfinv(2 * uniforms - 1) * math.sqrt(2)).float()


def _dice(indices: Tensor | range | Sequence[int], seed: int) -> _Dice:
    return _Dice(torch.as_tensor(list(indices) if not isinstance(indices, Tensor) else indices).cpu(), seed)


def _compose(dice: _Dice) -> Attributes:
    values = {**_pose(dice), **_expression(dice), **_identity(dice)}
    values |= _coloring(dice, values["skin"])
    values |= _wear(dice, values["age"], values["softness"])
    return Attributes(**{k: v if v.dtype == torch.int64 else v.float() for k, v in values.items()})


def _pose(dice: _Dice) -> dict[str, Tensor]:
    wide = dice.uniform("wide") < 0.10
    yaw = dice.normal("yaw", 4) * torch.where(wide, 0.75, 0.30)
    return {
        "yaw": yaw.clamp(-MAX_YAW, MAX_YAW),
        "pitch": (dice.normal("pitch", 3) * 0.10).clamp(-0.3, 0.3),
        "roll": dice.normal("roll") * 0.05,
        "gaze": dice.normal("gaze") * 0.25,
        "light": (dice.normal("light") * 0.5).clamp(-1, 1),
    }


def _expression(dice: _Dice) -> dict[str, Tensor]:
    smile = (0.45 + 0.35 * dice.normal("smile", 3)).clamp(-1, 1)
    opened = (dice.uniform("open") * 1.5 - 0.62 + 0.2 * smile).clamp(0, 1)
    return {"smile": smile, "mouth_open": opened, "age": dice.uniform("age") ** 2.2}


def _identity(dice: _Dice) -> dict[str, Tensor]:
    proportions = {name: dice.normal(name) for name in IDENTITY if name not in ("softness", "skin", "iris")}
    return {**proportions, "softness": dice.uniform("softness"), "skin": dice.uniform("skin") ** 1.25}


def _coloring(dice: _Dice, skin: Tensor) -> dict[str, Tensor]:
    depth = ((skin - 0.25) / 0.5).clamp(0, 1).unsqueeze(-1)

    def odds(fair: tuple[float, ...], deep: tuple[float, ...]) -> Tensor:
        return torch.lerp(torch.tensor(fair, dtype=depth.dtype), torch.tensor(deep, dtype=depth.dtype), depth)

    even = torch.ones(1, dtype=depth.dtype)
    return {
        "hair_color": dice.color("hair", palettes.HAIR, odds(palettes.HAIR_ODDS_FAIR, palettes.HAIR_ODDS_DEEP), 0.08),
        "iris": dice.color("iris", palettes.IRIS, odds(palettes.IRIS_ODDS_FAIR, palettes.IRIS_ODDS_DEEP), 0.05),
        "clothes": dice.color("clothes", palettes.CLOTHES, even.expand(len(palettes.CLOTHES)), 0.05),
        "background": dice.color("back", palettes.BACKGROUND, even.expand(len(palettes.BACKGROUND)), 0.05),
        "collar": dice.uniform("collar"),
    }


def _wear(dice: _Dice, age: Tensor, softness: Tensor) -> dict[str, Tensor]:
    # Odds of the nine styles: hard-featured, soft-featured.
    firm = torch.tensor([0.10, 0.34, 0.23, 0.08, 0.02, 0.04, 0.15, 0.02, 0.0], dtype=age.dtype)
    soft = torch.tensor([0.01, 0.05, 0.04, 0.16, 0.19, 0.21, 0.16, 0.11, 0.07], dtype=age.dtype)
    odds = torch.lerp(firm, soft, ((softness - 0.35) / 0.3).clamp(0, 1).unsqueeze(-1))
    odds = odds * (1 + torch.tensor([3.0, 0.5, 0, 0, 0, -0.5, 0, 0.3, -1.0], dtype=age.dtype) * age.unsqueeze(-1))
    style = (dice.uniform("style").unsqueeze(-1) >= (odds.cumsum(-1) / odds.sum(-1, keepdim=True))[:, :-1]).sum(-1)
    bearded = (softness < 0.42) & (dice.uniform("bearded") < 0.5)
    return {
        "glasses": (dice.uniform("glasses") < 0.075 + 0.20 * age**1.5).double(),
        "glasses_shape": dice.uniform("shape"),
        "hair_style": style,
        "hair_length": dice.uniform("length"),
        "beard": torch.where(bearded, 0.15 + 0.85 * dice.uniform("beard"), 0),
    }


def _streams() -> tuple[str, ...]:
    dice = _dice([0], 0)
    _compose(dice)
    return tuple(dice.thrown)


STREAMS: tuple[str, ...] = _streams()  # what each column of `thrown_numbers` decides
THROWN: int = len(STREAMS)
