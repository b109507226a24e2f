"""Learning from pairs of latents and the pictures they should give."""

import numpy as np
import pytest
import torch

from ganedit_widgets.core.training.loop import Plan, train
from ganedit_widgets.core.training.pairs import Facts, Pairs, fact_loss, pair_loss
from ganedit_widgets.core.training.pictures import PictureArrays
from ganedit_widgets.core.training.trainer import TrainConfig, Trainer

CFG = TrainConfig(batch=4, channel_base=64, channel_max=8, z_dim=8, w_dim=8, mapping_layers=2, fade_pictures=8)
FEW = torch.randn(4, 8, generator=torch.Generator().manual_seed(1))
COLORS = torch.rand(4, 3, 1, 1, generator=torch.Generator().manual_seed(2)) * 2 - 1


def pairs(n=4, resolution=16):
    """Return four latents, each of a plain picture of its own color."""
    return Pairs(FEW[:n], COLORS[:n].expand(-1, -1, resolution, resolution), torch.ones(n, 1, resolution, resolution))


class Source:
    """The same four pairs again and again."""

    def pairs(self, n, resolution):
        return pairs(n, resolution)

    def facts(self, n):
        z = torch.randn(n, 8)
        return Facts(z, z[:, :2].sign())


def config(**changes):
    return TrainConfig(**{**vars(CFG), **changes})


def test_a_constant_error_counts_once_and_edges_of_it_not_at_all():
    shown = pairs()
    assert float(pair_loss(shown.pictures, shown)) == 0
    assert float(pair_loss(shown.pictures + 0.25, shown)) == pytest.approx(0.25, rel=1e-5)


def test_an_error_counts_where_the_weights_say():
    shown = pairs()
    weights = torch.ones_like(shown.weights)
    weights[..., :8] = 0
    wrong = shown.pictures.clone()
    wrong[..., :4] += 1  # away from the weighted half, also after halving twice
    assert float(pair_loss(wrong, Pairs(shown.z, shown.pictures, weights))) == 0
    assert float(pair_loss(wrong, shown)) > 0.2


def test_what_is_studied_is_learned():
    trainer = Trainer(config(study_pictures=1000, lr=1e-2), 16)
    losses = [trainer.study(pairs())["loss_pairs"] for _ in range(150)]
    assert losses[-1] < 0.35 * losses[0]
    assert all(group["betas"][0] > 0 for group in trainer.g_opt.param_groups)


def test_studying_leaves_the_critic_alone_and_moves_the_mapping_faster():
    trainer = Trainer(config(study_pictures=8, study_mapping=7.0), 16)
    before = [p.clone() for p in trainer.critic.parameters()]
    assert trainer.studies
    trainer.study(pairs()), trainer.study(pairs())
    assert not trainer.studies
    assert all(torch.equal(a, b) for a, b in zip(before, trainer.critic.parameters(), strict=True))
    mapping, synthesis = trainer.g_opt.param_groups
    assert mapping["lr"] == pytest.approx(7 * synthesis["lr"])


def test_the_game_goes_on_with_pairs_unless_styles_are_mixed():
    real = torch.rand(4, 3, 16, 16) * 2 - 1
    never, always = Trainer(config(mixing=0.0), 16), Trainer(config(mixing=1.0), 16)
    assert "loss_pairs" in never.step(real, pairs())
    assert "loss_pairs" not in always.step(real, pairs())
    assert {group["lr"] for group in never.g_opt.param_groups} == {CFG.lr}


def test_a_run_studies_first_then_plays_and_goes_on_where_it_was(tmp_path):
    arrays = PictureArrays([np.random.default_rng(0).integers(0, 256, (9, 3, 16, 16), dtype=np.uint8)])
    cfg, plan = config(study_pictures=16), Plan(((16, 32),))
    reports = list(train(arrays, tmp_path, cfg, plan, report_every=1, pairs=Source()))
    kinds = [("study" if "untold" in r.losses else "game") for r in reports if r.losses]
    assert kinds == ["study"] * 4 + ["game"] * 4
    longer = list(train(arrays, tmp_path, cfg, Plan(((16, 40),)), report_every=1, pairs=Source()))
    assert [r.pictures for r in longer if r.losses] == [36, 40]


def test_facts_that_w_tells_cost_nothing_and_others_their_whole_variance():
    w = torch.randn(400, 8)
    told = w @ torch.randn(8, 3)
    assert float(fact_loss(w, told / told.std(0))) < 1e-3
    unrelated = torch.randn(400, 3)
    assert float(fact_loss(w, unrelated)) == pytest.approx(1, abs=0.15)


def test_w_learns_to_tell_the_facts():
    trainer = Trainer(config(study_pictures=10_000, fact_weight=1.0), 16)
    source = Source()
    untold = [trainer.study(source.pairs(4, 16), source.facts(256))["untold"] for _ in range(150)]
    assert sum(untold[-10:]) < 0.75 * sum(untold[:10])
