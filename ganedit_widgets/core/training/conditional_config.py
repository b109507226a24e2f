"""The settings of a fine-tuning on labels: the paper's by default, with ways to make do with less time."""

from __future__ import annotations

from dataclasses import dataclass

from ..conditioning.model import STARTS
from ..errors import TrainingError


@dataclass(frozen=True)
class ConditionalConfig:
    """The settings of a fine-tuning; the defaults are the paper's, but for the start, the warm-up and ADA."""

    pictures: int = 160_000  # to be shown in all
    batch: int = 4  # pictures per step and process
    lr: float = 0.002
    start: str = "zero"  # or "copies", the paper's
    projection: bool = False  # whether the scores depend on labels
    class_weight_d: float = 0.5  # λ of the class head, on real pictures
    class_weight_g: float = 0.5  # λ of the generator
    head_pictures: int = 2000  # at first the class head learns alone, while nothing else changes
    ramp_pictures: int = 4000  # after that, until the generator follows the class head with its full weight
    r1_gamma: float | None = None  # None: the paper's, `paper_gamma`
    r1_every: int = 16
    path_weight: float = 2.0  # 0: no path length regularization
    path_every: int = 4
    path_shrink: int = 2  # its batch is so much smaller
    mixing: float = 0.9  # chance of style mixing
    ema_steps: float = 312.5  # half-life of the moving average: 0.5^(32/10000) per step
    ada_target: float = 0.6  # of r_t; 0: no augmentation
    ada_speed: float = 500_000.0
    mirror: bool = False  # real pictures too, with the labels of mirrored ones
    seed: int = 0
    # To make do with little time; the paper has none of these.
    study_pictures: int = 0  # before all else so many pictures are learned from pairs alone
    finish_pictures: int = 0  # the last ones likewise: what the game has drawn too wildly is put right
    study_mapping: float = 100.0  # how much faster the mapping network learns then
    study_labels: float = 5.0  # and the constants of the labels, which begin at nothing
    pair_share: float = 0.0  # of the later steps in which pictures are drawn of pairs, whose answer is known
    pair_weight: float = 10.0  # of the pairs' loss beside the critic's
    keep_g: int = 0  # the generator's blocks from this resolution on keep their weights; 0: none
    keep_d: int = 0  # the critic's likewise (Mo et al. 2020, "Freeze the discriminator")
    share_fakes: bool = False  # both networks learn from the same pictures: one pass of the generator less
    r1_batch: int = 0  # real pictures that R1 is measured on; 0: all

    def __post_init__(self) -> None:
        """Raise `TrainingError` for settings with which nothing can be learned."""
        if self.start not in STARTS:
            raise TrainingError(f"The start {self.start!r} is unknown: choose {' or '.join(map(repr, STARTS))}.")
        least = {"pictures": 1, "batch": 1, "r1_every": 1, "path_every": 1, "path_shrink": 1}
        for name, low in least.items():
            if getattr(self, name) < low:
                raise TrainingError(f"{name} is {getattr(self, name)}: give {low} or more.")
        if not 0 < self.lr < 1:
            raise TrainingError(f"The learning rate is {self.lr:g}: give a small positive number such as 0.002.")
        if not 0 <= self.pair_share <= 1:
            raise TrainingError(f"pair_share is {self.pair_share:g}: give a share from 0 to 1.")

    @property
    def needs_pairs(self) -> bool:
        """Whether there is something to be learned from pairs."""
        return self.study_pictures > 0 or self.finish_pictures > 0 or self.pair_share > 0
