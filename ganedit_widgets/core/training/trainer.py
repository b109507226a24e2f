"""One GAN in training: networks, optimizers, moving average, and the step that improves them."""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..errors import TrainingError
from ..generators import Discriminator, DiscriminatorConfig, StyleGAN2, StyleGAN2Config, channels_for
from .ada import AdaControl, augment
from .distributed import broadcast, descend, processes
from .grow import FadeIn, carry_over, grow_discriminator, grow_generator
from .losses import discriminator_loss, generator_loss, r1_penalty
from .pairs import Facts, Pairs, fact_loss, pair_loss


@dataclass(frozen=True)
class TrainConfig:
    """The settings of a run; the defaults are those of the demo model."""

    resolution: int = 128
    channel_base: int = 3072
    channel_max: int = 128
    z_dim: int = 128
    w_dim: int = 128
    mapping_layers: int = 4
    batch: int = 16  # pictures per step and process
    lr: float = 2.5e-3
    r1_gamma: float = 0.5
    r1_every: int = 16
    r1_batch: int = 8  # pictures the penalty is measured on: it costs twice a plain step
    mixing: float = 0.5  # chance of style mixing
    ema_pictures: float = 5000.0  # half-life of the moving average
    ema_rampup: float = 0.05
    fade_pictures: int = 8000
    noise_from: int = 128  # resolution from which noise is injected: earlier it would stand in for missing structure
    study_pictures: int = 0  # at first so many pictures are learned from pairs alone, if there are pairs
    study_mapping: float = 100.0  # how much faster the mapping network learns then
    pair_weight: float = 10.0  # of the pairs' loss beside the critic's
    fact_weight: float = 0.5  # of what w should tell, while studying
    ada_target: float = 0.6
    ada_speed: float = 300_000.0
    seed: int = 0

    def generator(self, resolution: int) -> StyleGAN2Config:
        """Return the configuration of the generator at a stage of growth."""
        return StyleGAN2Config(
            resolution=resolution,
            channels=channels_for(resolution, self.channel_base, self.channel_max),
            z_dim=self.z_dim,
            w_dim=self.w_dim,
            mapping_layers=self.mapping_layers,
        )

    def discriminator(self, resolution: int) -> DiscriminatorConfig:
        """Return the configuration of the discriminator at a stage of growth."""
        return DiscriminatorConfig(
            resolution=resolution, channels=channels_for(resolution, self.channel_base, self.channel_max)
        )


@dataclass
class Trainer:
    """The state of a run at one resolution; `step` is one update of both networks."""

    cfg: TrainConfig
    resolution: int
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    pictures: int = 0  # shown since the run began
    stage_pictures: int = 0  # shown at this resolution
    steps: int = 0

    def __post_init__(self) -> None:
        torch.manual_seed(self.cfg.seed)
        self.generator = StyleGAN2(self.cfg.generator(self.resolution)).to(self.device)
        self.critic = FadeIn(Discriminator(self.cfg.discriminator(self.resolution))).to(self.device)
        self.ada = AdaControl(self.cfg.ada_target, self.cfg.ada_speed)
        self._prepare()

    def _prepare(self) -> None:
        for tensor in [*self.generator.parameters(), *self.critic.parameters(), *self.generator.buffers()]:
            broadcast(tensor)
        self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
        ratio = self.cfg.r1_every / (self.cfg.r1_every + 1)  # lazy regularization (Karras et al. 2020, section 3.1)
        halves = [{"params": list(net.parameters())} for net in (self.generator.mapping, self.generator.synthesis)]
        self.g_opt = torch.optim.Adam(halves, self.cfg.lr, (0.0, 0.99), eps=1e-8)
        self.d_opt = torch.optim.Adam(self.critic.parameters(), self.cfg.lr * ratio, (0.0, 0.99**ratio), eps=1e-8)

    # ---- one step

    @property
    def studies(self) -> bool:
        """Whether the generator still learns from pairs alone, if there are any."""
        return self.pictures < self.cfg.study_pictures

    def study(self, pairs: Pairs, facts: Facts | None = None) -> dict[str, float]:
        """Update the generator so that it draws what the pairs show and w tells the facts; return the losses."""
        for group, speed in zip(self.g_opt.param_groups, (self.cfg.study_mapping, 1.0), strict=True):
            group["lr"], group["betas"] = self.cfg.lr * speed, (0.9, 0.99)
        loss = pair_loss(self._fakes(pairs.z, mix=False, noisy=False), pairs)
        report = {"loss_pairs": float(loss.detach())}
        if facts is not None:
            untold = fact_loss(self.generator.mapping(facts.z), facts.values)
            loss = loss + self.cfg.fact_weight * untold
            report["untold"] = float(untold.detach())
        descend(self.g_opt, loss)
        self._count(len(pairs.z))
        return report

    def step(self, real: Tensor, pairs: Pairs | None = None) -> dict[str, float]:
        """Update both networks with real pictures (N, 3, R, R) in [-1, 1]; return the losses as numbers.

        Where `pairs` are given, their latents are the ones that pictures are made of.
        """
        cfg, n = self.cfg, len(real)
        for group in self.g_opt.param_groups:
            group["lr"], group["betas"] = cfg.lr, (0.0, 0.99)
        self.critic.alpha = min(1.0, self.stage_pictures / cfg.fade_pictures) if self.critic.entrance else 1.0
        self.critic.requires_grad_(True)
        mix = float(torch.rand(())) < cfg.mixing
        fake = self._fakes(torch.randn(n, cfg.z_dim, device=self.device) if pairs is None else pairs.z, mix)
        real_scores = self.critic(augment(real, self.ada.p))
        loss_d = discriminator_loss(real_scores, self.critic(augment(fake.detach(), self.ada.p)))
        self.ada.observe(real_scores)
        report = {"loss_d": float(loss_d.detach())}
        if self.steps % cfg.r1_every == 0:
            penalty = r1_penalty(lambda x: self.critic(x, {}), augment(real[: cfg.r1_batch], self.ada.p))
            loss_d = loss_d + penalty * (cfg.r1_gamma / 2 * cfg.r1_every)
            report["r1"] = float(penalty.detach())
        descend(self.d_opt, loss_d)
        self.critic.requires_grad_(False)
        loss_g = generator_loss(self.critic(augment(fake, self.ada.p)))  # the same fakes: one forward pass less
        report["loss_g"] = float(loss_g.detach())
        if pairs is not None and not mix:  # of a mixture nobody knows what it should give
            loss_pairs = pair_loss(fake, pairs)
            loss_g = loss_g + cfg.pair_weight * loss_pairs
            report["loss_pairs"] = float(loss_pairs.detach())
        descend(self.g_opt, loss_g)
        self._count(n)
        return {**report, "ada_p": self.ada.p}

    def _fakes(self, z: Tensor, mix: bool, noisy: bool = True) -> Tensor:
        net = self.generator
        w = net.mapping(z)
        with torch.no_grad():
            net.mapping.w_avg.lerp_(w.detach().mean(0), 0.005)
        ws = w[:, None].repeat(1, net.cfg.num_ws, 1)
        if mix:
            cut = int(torch.randint(1, net.cfg.num_ws, ()))
            other = net.mapping(torch.randn_like(z))
            ws = torch.cat([ws[:, :cut], other[:, None].expand(-1, net.cfg.num_ws - cut, -1)], 1)
        noise = "random" if noisy and self.resolution >= self.cfg.noise_from else "none"
        return net.synthesis(ws, noise=noise)  # type: ignore[no-any-return]

    def _count(self, n: int) -> None:
        n *= processes()[1]
        self.pictures, self.stage_pictures, self.steps = self.pictures + n, self.stage_pictures + n, self.steps + 1
        half_life = min(self.cfg.ema_pictures, max(1.0, self.pictures * self.cfg.ema_rampup))
        keep = 0.5 ** (n / half_life)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - keep)
            for mine, theirs in zip(self.average.buffers(), self.generator.buffers(), strict=True):
                mine.copy_(theirs)
        if self.steps % 8 == 0:
            self.ada.adjust()

    # ---- growing, saving

    def grown(self) -> Trainer:
        """Return a trainer of twice the resolution that starts from this one."""
        larger = Trainer(self.cfg, self.resolution * 2, self.device, pictures=self.pictures)
        grow_generator(larger.generator, self.generator.state_dict())
        larger.critic = grow_discriminator(larger.critic.network.cpu(), self.critic.network.cpu()).to(self.device)
        larger.ada.p = self.ada.p
        larger._prepare()
        grow_generator(larger.average, self.average.state_dict())
        return larger

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on, as tensors and plain numbers."""
        return {
            "config": asdict(self.cfg),
            "resolution": self.resolution,
            "counts": [self.pictures, self.stage_pictures, self.steps],
            "ada_p": self.ada.p,
            "generator": self.generator.state_dict(),
            "average": self.average.state_dict(),
            "critic": self.critic.network.state_dict(),
            "entrance": None if self.critic.entrance is None else self.critic.entrance.state_dict(),
            "g_opt": self.g_opt.state_dict(),
            "d_opt": self.d_opt.state_dict(),
            "rng": torch.get_rng_state(),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any], device: torch.device, **changes: Any) -> Trainer:
        """Return the trainer that `state` describes; `changes` override settings of its `TrainConfig`."""
        cfg = TrainConfig(**{**state["config"], **changes})
        trainer = cls(cfg, state["resolution"], device)
        if state["entrance"] is not None:
            half = Discriminator(cfg.discriminator(trainer.resolution // 2))
            trainer.critic = FadeIn(trainer.critic.network, getattr(half, f"b{trainer.resolution // 2}").fromrgb)
            assert trainer.critic.entrance is not None
            trainer.critic.entrance.load_state_dict(state["entrance"])
            trainer.critic.to(device)
        if carry_over(trainer.generator, state["generator"]) != len(trainer.generator.state_dict()):
            raise TrainingError("The checkpoint's widths differ from those asked for: continue with its own settings.")
        trainer._prepare()
        carry_over(trainer.average, state["average"])
        carry_over(trainer.critic.network, state["critic"])
        trainer.g_opt.load_state_dict(state["g_opt"])
        trainer.d_opt.load_state_dict(state["d_opt"])
        trainer.pictures, trainer.stage_pictures, trainer.steps = state["counts"]
        trainer.ada.p = state["ada_p"]
        torch.set_rng_state(state["rng"])
        return trainer
