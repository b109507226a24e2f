"""Fine-tuning a GAN so that labels of its own steer it (Liu et al., "Self-Conditioned GANs", SIGGRAPH 2022)."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..conditioning.model import self_conditioned, with_class_head
from ..conditioning.schema import Schema
from ..descent import gradients
from ..errors import TrainingError
from ..generators.base import Generator
from ..generators.load import average_w
from ..generators.self_conditioned import SelfConditioned, soft_labels
from .ada import AdaControl, augment
from .conditional_config import ConditionalConfig
from .conditional_losses import label_loss, paper_gamma, path_penalty
from .distributed import add_up, broadcast, descend, processes
from .labeled import can_mirror, mirrored
from .labeled_pairs import LabeledPairs, drawn_of, let_learn
from .losses import discriminator_loss, generator_loss, r1_penalty
from .pairs import pair_loss

__all__ = ["ConditionalConfig", "ConditionalTrainer"]


class ConditionalTrainer:
    """The state of a fine-tuning; `step` is one update of both networks.

    All chance in a step comes from the seed, the step's number and the process's, so that a run that was stopped goes
    on as if it never had been.
    """

    def __init__(
        self, source: Generator, schema: Schema, cfg: ConditionalConfig, device: torch.device | None = None
    ) -> None:
        self.cfg, self.schema, self.source = cfg, schema, source.fingerprint
        self.device = device or torch.device("cpu")
        self.pictures = self.steps = 0
        with torch.random.fork_rng(devices=[]), gradients():
            torch.manual_seed(cfg.seed)
            self.generator = self_conditioned(source, schema, cfg.start).to(self.device).train().requires_grad_(True)
            self.critic = with_class_head(source, schema, cfg.projection).to(self.device).train()
            for tensor in [*self.generator.state_dict().values(), *self.critic.state_dict().values()]:
                broadcast(tensor)
            self.average = copy.deepcopy(self.generator).eval().requires_grad_(False)
            self.path_mean = torch.zeros((), device=self.device)
        self.ada = AdaControl(cfg.ada_target, cfg.ada_speed)
        self.mirrors = can_mirror(schema)
        if cfg.mirror:
            schema.mirrored(torch.full((len(schema),), 0.5))  # says what is not known
        self.g_opt, self.d_opt = _optimizers(self.generator, self.critic, cfg)
        group = self.g_opt.param_groups[0]
        self.g_rates = group["lr"], group["betas"]

    @property
    def resolution(self) -> int:
        """The side of the pictures, in pixels."""
        return self.generator.cfg.resolution

    @property
    def gamma(self) -> float:
        """R1's γ."""
        cfg = self.cfg
        return paper_gamma(self.resolution, cfg.batch) if cfg.r1_gamma is None else cfg.r1_gamma

    @property
    def studies(self) -> bool:
        """Whether it learns from pairs alone: at first, and in the end."""
        ends = 0 < self.cfg.pictures - self.pictures <= self.cfg.finish_pictures
        return self.pictures < self.cfg.study_pictures or ends

    @property
    def class_weight(self) -> float:
        """λ of the generator's class loss now: it grows from 0, once the class head has learned alone."""
        passed = self.pictures - self.cfg.study_pictures - self.cfg.head_pictures
        share = passed / self.cfg.ramp_pictures if self.cfg.ramp_pictures > 0 else float(passed >= 0)
        return self.cfg.class_weight_g * min(1.0, max(0.0, share))

    # ---- one step

    def rng(self) -> np.random.Generator:
        """Return the chance of this step and process, for what is drawn outside of `step`."""
        return np.random.default_rng((self.cfg.seed, self.steps, processes()[0]))

    def step(self, real: Tensor, v: Tensor, pairs: LabeledPairs | None = None) -> dict[str, float]:
        """Update the networks with real pictures (N, 3, R, R) in [-1, 1] and their labels v (N, A); return the losses.

        Until `study_pictures` have been shown, only the generator learns, from `pairs`; from then on, until
        `head_pictures` have been shown, only the class head. Later `pairs`, where given, are what is drawn.
        """
        with _own_chance(self.cfg.seed, self.steps, self.device):
            real, v = real.clone(), v.clone()  # what was made in inference mode could not get a gradient
            if self.studies:
                report = self._study(pairs)
            elif self.pictures < self.cfg.study_pictures + self.cfg.head_pictures:
                report = self._warm_up(real, v)
            else:
                report = self._play(real, v, pairs)
        self._count(len(real))
        return {**report, "ada_p": self.ada.p}

    def _study(self, pairs: LabeledPairs | None) -> dict[str, float]:
        if pairs is None:
            raise TrainingError("There is nothing to study: give pairs, or set study_pictures to 0.")
        _pace(self.g_opt, self.g_rates, self.cfg, studying=self.pictures < self.cfg.study_pictures)  # else no leaps
        let_learn(self.generator, self.cfg.keep_g)
        loss = pair_loss(drawn_of(self.generator, pairs), pairs)
        descend(self.g_opt, loss)
        return {"pairs": float(loss.detach())}

    def _warm_up(self, real: Tensor, v: Tensor) -> dict[str, float]:
        self.critic.requires_grad_(False)
        self.critic.classes.requires_grad_(True)
        x, seen = self._augmented(real, v)
        loss = label_loss(self.critic.judge(x, seen)[1], soft_labels(seen))
        descend(self.d_opt, loss * self.cfg.class_weight_d)
        return {"class_d": float(loss.detach())}

    def _play(self, real: Tensor, v: Tensor, pairs: LabeledPairs | None) -> dict[str, float]:
        """Let both networks learn from each other, the generator from `pairs` too."""
        cfg, n = self.cfg, len(real)
        _pace(self.g_opt, self.g_rates, cfg, studying=False)
        let_learn(self.generator, cfg.keep_g)

        def draw() -> tuple[Tensor, Tensor]:
            return self._fakes(n)[::2] if pairs is None else (drawn_of(self.generator, pairs), pairs.v)

        with torch.set_grad_enabled(cfg.share_fakes):
            fake, asked = draw()
        report = self._improve_critic(real, v, fake.detach(), asked)
        return {**report, **self._improve_generator(*((fake, asked) if cfg.share_fakes else draw()), pairs)}

    def _improve_critic(self, real: Tensor, v: Tensor, fake: Tensor, asked: Tensor) -> dict[str, float]:
        cfg = self.cfg
        let_learn(self.critic, cfg.keep_d)
        x, seen = self._augmented(real, v)
        real_scores, logits = self.critic.judge(x, seen)
        loss = discriminator_loss(real_scores, self.critic(*self._augmented(fake, asked)))
        classes = label_loss(logits, soft_labels(seen))
        descend(self.d_opt, loss + cfg.class_weight_d * classes)
        self.ada.observe(real_scores)
        report = {"loss_d": float(loss.detach()), "class_d": float(classes.detach())}
        if self.steps % cfg.r1_every == 0:
            some = slice(cfg.r1_batch or None)
            penalty = r1_penalty(lambda pictures: self.critic(pictures, seen[some]), x[some])
            descend(self.d_opt, penalty * (self.gamma / 2 * cfg.r1_every))
            report["r1"] = float(penalty.detach())
        return report

    def _improve_generator(self, fake: Tensor, asked: Tensor, pairs: LabeledPairs | None) -> dict[str, float]:
        cfg = self.cfg
        self.critic.requires_grad_(False)
        x, seen = self._augmented(fake, asked)
        scores, logits = self.critic.judge(x, seen)
        loss, classes = generator_loss(scores), label_loss(logits, soft_labels(seen))
        report = {"loss_g": float(loss.detach()), "class_g": float(classes.detach())}
        loss = loss + self.class_weight * classes
        if pairs is not None:
            known = pair_loss(fake, pairs)
            loss, report["pairs"] = loss + cfg.pair_weight * known, float(known.detach())
        descend(self.g_opt, loss)
        if cfg.path_weight and self.steps % cfg.path_every == 0:
            fewer, ws, _ = self._fakes(max(1, len(fake) // cfg.path_shrink))
            penalty, mean = path_penalty(fewer, ws, self.path_mean)
            descend(self.g_opt, penalty * (cfg.path_weight * cfg.path_every))
            self.path_mean = add_up(mean) / processes()[1]
            report["path"] = float(penalty.detach())
        return report

    def _fakes(self, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return pictures of random z and labels v ~ U(0, 1), their ws and v."""
        net, layers = self.generator, self.generator.cfg.num_ws
        z = torch.randn(2, n, net.cfg.z_dim, device=self.device)
        v = torch.rand(n, len(self.schema), device=self.device)
        cut = int(torch.randint(1, layers, ())) if float(torch.rand(())) < self.cfg.mixing else layers
        w = net.mapping(z[0])
        ws = w[:, None].expand(-1, layers, -1)
        if cut < layers:
            ws = torch.cat([ws[:, :cut], net.mapping(z[1])[:, None].expand(-1, layers - cut, -1)], 1)
        return net.synthesis(ws, noise="random", labels=v), ws, v

    def _augmented(self, x: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return pictures augmented with probability p each, and their labels: those of mirrored ones turn."""
        if self.mirrors and self.ada.p > 0:
            x, v = mirrored(x, v, self.schema, torch.rand(len(x), device=self.device) < self.ada.p / 2)
        return augment(x, self.ada.p), v

    def _count(self, n: int) -> None:
        keep = 0.5 ** (1 / self.cfg.ema_steps)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - keep)
        self.pictures, self.steps = self.pictures + n * processes()[1], self.steps + 1
        if self.cfg.ada_target > 0 and self.steps % 8 == 0:
            self.ada.gather(self.device)
            self.ada.adjust()

    # ---- saving

    def result(self) -> SelfConditioned:
        """Return a copy of the moving average on the CPU, with the average w that it has now."""
        network = copy.deepcopy(self.average).cpu()
        if self.cfg.study_pictures or self.pictures > self.cfg.head_pictures:  # before, the source's file says it
            network.mapping.w_avg.copy_(average_w(network))
        return network

    def state(self) -> dict[str, Any]:
        """Return everything needed to go on, as tensors and plain numbers."""
        return {
            "self_conditioned": 1,
            "config": asdict(self.cfg),
            "schema": self.schema.to_json(),
            "source": self.source,
            "counts": [self.pictures, self.steps],
            "ada": self.ada.state(),
            "path_mean": self.path_mean,
            **{name: getattr(self, name).state_dict() for name in ("generator", "average", "critic", "g_opt", "d_opt")},
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken, of a trainer of the same source, attributes and kind of critic."""
        for name in ("generator", "average", "critic", "g_opt", "d_opt"):
            getattr(self, name).load_state_dict(state[name])
        self.pictures, self.steps = state["counts"]
        self.ada.restore(state["ada"])
        self.path_mean = state["path_mean"].to(self.device)


@contextmanager
def _own_chance(seed: int, step: int, device: torch.device) -> Iterator[None]:
    """Let torch draw the numbers of a step and this process, with gradients; leave its state as it was."""
    state = np.random.SeedSequence((seed, step, processes()[0], 1)).generate_state(1, np.uint64)
    with gradients(), torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(int(state[0] >> np.uint64(1)))
        yield


def _pace(opt: torch.optim.Adam, rates: tuple[float, Any], cfg: ConditionalConfig, studying: bool) -> None:
    """Set the generator's rates: of plain descent, where some parts are faster, or those of the game."""
    speeds = (cfg.study_mapping, cfg.study_labels, 1.0) if studying else (1.0, 1.0, 1.0)
    for group, speed in zip(opt.param_groups, speeds, strict=True):
        group["lr"], group["betas"] = rates[0] * speed, (0.9, 0.99) if studying else rates[1]


def _optimizers(
    generator: SelfConditioned, critic: torch.nn.Module, cfg: ConditionalConfig
) -> tuple[torch.optim.Adam, torch.optim.Adam]:
    """Return the generator's, of mapping network, constants of labels and the rest, and the critic's."""
    synthesis = generator.synthesis
    labels = [synthesis.low, synthesis.high]
    rest = [p for p in synthesis.parameters() if not any(p is one for one in labels)]
    parts = (generator.mapping.parameters(), labels, rest)
    every = cfg.path_every if cfg.path_weight else None
    return _adam(parts, cfg.lr, every), _adam((critic.parameters(),), cfg.lr, cfg.r1_every)


def _adam(parts: Iterable[Iterable[torch.nn.Parameter]], lr: float, every: int | None) -> torch.optim.Adam:
    """Return Adam with rates and β₂ for a lazy penalty at every so many steps (Karras et al. 2020, appendix B)."""
    ratio = 1.0 if every is None else every / (every + 1)
    groups = [{"params": list(part)} for part in parts]
    return torch.optim.Adam(groups, lr * ratio, (0.0, 0.99**ratio), eps=1e-8)
