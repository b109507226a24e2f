"""Learning labels from pairs, and what else makes a fine-tuning cheap: what learns when; a stopped run goes on."""

from itertools import islice

import numpy as np
import pytest
import torch

from ganedit_widgets.core import TrainingError
from ganedit_widgets.core.training.conditional import ConditionalConfig, ConditionalTrainer
from ganedit_widgets.core.training.conditional_loop import fine_tune
from ganedit_widgets.core.training.labeled_pairs import LabeledPairs, drawn_of, let_learn
from ganedit_widgets.core.training.pairs import pair_loss
from tests.core.test_conditional_training import AT_ONCE, SCHEMA, data, same, weights
from tests.tiny import tiny

CPU = torch.device("cpu")


class Bright:
    """Pairs whose pictures are as bright as their first label, whatever z says."""

    def pairs(self, n, resolution, rng):
        v = torch.from_numpy(rng.random((n, len(SCHEMA)))).float()
        z = torch.from_numpy(rng.standard_normal((n, 8))).float()
        pictures = (2 * v[:, :1, None, None] - 1).expand(-1, 3, resolution, resolution)
        return LabeledPairs(z, pictures, torch.ones(n, 1, resolution, resolution), v)


def run_of(**options):
    return ConditionalTrainer(tiny(), SCHEMA, ConditionalConfig(**{"pictures": 400, "path_weight": 0.0, **options}))


def step(run, pairs=True):
    real, v = data().batch(4, 16, run.rng(), CPU)
    return run.step(real, v, Bright().pairs(4, 16, run.rng()) if pairs else None)


def changed(network, before):
    return {name for name, tensor in network.state_dict().items() if not torch.equal(tensor, before[name])}


def missed(run, pairs):
    with torch.no_grad():
        return float(pair_loss(drawn_of(run.generator, pairs), pairs))


def test_studying_teaches_the_generator_alone_and_what_labels_mean():
    run = run_of(study_pictures=10_000, lr=0.01)
    critic = weights(run.critic)
    pairs = Bright().pairs(64, 16, np.random.default_rng(9))
    first = missed(run, pairs)
    rows = [step(run) for _ in range(60)]
    assert all(row.keys() == {"pairs", "ada_p"} for row in rows)
    assert same(weights(run.critic), critic) and float(run.generator.synthesis.low.detach().norm()) > 0
    assert missed(run, pairs) < 0.7 * first


def test_noise_that_the_pairs_do_not_have_is_unlearned():
    run = run_of(study_pictures=10_000, lr=0.01)
    strengths = [module.noise_strength for module in run.generator.modules() if hasattr(module, "noise_strength")]
    with torch.no_grad():
        for strength in strengths:
            strength.fill_(0.3)
    for _ in range(40):
        step(run)
    assert strengths and float(torch.stack(strengths).detach().abs().mean()) < 0.15


def test_after_studying_the_class_head_learns_alone_and_then_the_game_begins():
    run = run_of(study_pictures=4, head_pictures=4, ramp_pictures=8)
    found = []
    for _ in range(5):
        found.append(run.class_weight)
        row = step(run)
        found.append(sorted(row.keys() & {"pairs", "class_d", "loss_g"}))
    assert found[1::2] == [["pairs"], ["class_d"], *[["class_d", "loss_g", "pairs"]] * 3]
    assert found[::2] == pytest.approx([0, 0, 0, 0.25, 0.5])


def test_only_while_it_studies_mapping_and_constants_learn_faster():
    run = run_of(study_pictures=4, head_pictures=0, study_mapping=50.0, study_labels=3.0)
    rates = run.g_opt.param_groups[1]["lr"]
    step(run)
    assert [group["lr"] for group in run.g_opt.param_groups] == pytest.approx([50 * rates, 3 * rates, rates])
    assert run.g_opt.param_groups[0]["betas"] == (0.9, 0.99)
    step(run)
    assert [group["lr"] for group in run.g_opt.param_groups] == pytest.approx([rates] * 3)
    assert run.g_opt.param_groups[0]["betas"] == run.g_rates[1]


def test_blocks_that_are_kept_do_not_change_and_the_rest_does():
    run = run_of(**AT_ONCE, keep_g=16, keep_d=16, share_fakes=True)
    before = weights(run.generator), weights(run.critic)
    for pairs in (True, False, True):
        step(run, pairs)
    for network, old in zip((run.generator, run.critic), before, strict=True):
        moved = changed(network, old)
        assert not {name for name in moved if ".b16." in f".{name}"}
        assert {name for name in moved if ".b8." in f".{name}"} and {name for name in moved if ".b4." in f".{name}"}


def test_letting_everything_learn_leaves_no_block_out():
    network = tiny().network
    let_learn(network, 8)
    assert not network.synthesis.b8.conv0.weight.requires_grad and network.synthesis.b4.const.requires_grad
    let_learn(network)
    assert all(p.requires_grad for p in network.parameters())


def test_shared_pictures_are_drawn_once_and_teach_both_networks(monkeypatch):
    drawn = []
    for share in (False, True):
        run = run_of(**AT_ONCE, share_fakes=share)
        before = weights(run.generator), weights(run.critic)
        fakes = run._fakes
        monkeypatch.setattr(run, "_fakes", lambda n, fakes=fakes: drawn.append(n) or fakes(n))
        step(run, pairs=False)
        drawn.append(0)
        assert changed(run.generator, before[0]) and changed(run.critic, before[1])
    assert drawn == [4, 4, 0, 4, 0]


def test_r1_is_measured_on_as_many_pictures_as_are_asked_for(monkeypatch):
    seen = []
    module = "ganedit_widgets.core.training.conditional.r1_penalty"
    monkeypatch.setattr(module, lambda critic, real: seen.append(len(real)) or critic(real).mean())
    for count in (0, 2):
        step(run_of(**AT_ONCE, r1_batch=count))
    assert seen == [4, 2]


def test_a_run_that_studies_goes_on_bit_for_bit(tmp_path):
    cfg = ConditionalConfig(
        40, study_pictures=16, head_pictures=8, ramp_pictures=8, pair_share=0.5, share_fakes=True, keep_d=16, seed=3
    )
    list(fine_tune(tiny(), data(), tmp_path / "whole", cfg, pairs=Bright()))
    cut = fine_tune(tiny(), data(), tmp_path / "cut", cfg, report_every=1, save_every=0.0, pairs=Bright())
    list(islice(cut, 5))
    del cut
    list(fine_tune(tiny(), data(), tmp_path / "cut", cfg, pairs=Bright()))
    one, other = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "cut"))
    assert all(same(one[part], other[part]) for part in ("generator", "average", "critic"))


def test_in_the_end_it_learns_from_pairs_alone_again(monkeypatch):
    run = run_of(pictures=12, head_pictures=0, ramp_pictures=0, finish_pictures=8)
    rates = run.g_opt.param_groups[0]["lr"]
    losses = [set(step(run)) for _ in range(3)]
    assert "loss_d" in losses[0] and not {"loss_d", "loss_g"} & (losses[1] | losses[2])
    assert run.g_opt.param_groups[0]["lr"] == rates  # no faster than in the game


def test_settings_that_ask_for_pairs_want_them(tmp_path):
    for options in ({"study_pictures": 8}, {"finish_pictures": 8}, {"pair_share": 0.5}):
        with pytest.raises(TrainingError, match="give them, or set study_pictures, finish_pictures"):
            list(fine_tune(tiny(), data(), tmp_path, ConditionalConfig(**options)))
    with pytest.raises(TrainingError, match="nothing to study"):
        step(run_of(study_pictures=8), pairs=False)
    with pytest.raises(TrainingError, match="pair_share is 2"):
        ConditionalConfig(pair_share=2.0)
