"""Losses, augmentation, growth and the loop of GAN training, on networks of a few thousand weights."""

import json
import subprocess
import sys
import textwrap

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core import TrainingError, load_generator
from ganedit_widgets.core.ops import downsample2d, upsample2d
from ganedit_widgets.core.training.ada import AdaControl, augment
from ganedit_widgets.core.training.export import export
from ganedit_widgets.core.training.grow import FadeIn
from ganedit_widgets.core.training.loop import Plan, train
from ganedit_widgets.core.training.losses import discriminator_loss, generator_loss, r1_penalty
from ganedit_widgets.core.training.pictures import PictureArrays, open_pictures
from ganedit_widgets.core.training.trainer import TrainConfig, Trainer

CFG = TrainConfig(batch=4, channel_base=64, channel_max=8, z_dim=8, w_dim=8, mapping_layers=2, fade_pictures=8)


def pictures(n=12, size=32, seed=0):
    rng = np.random.default_rng(seed)
    return PictureArrays([rng.integers(0, 256, (n, 3, size, size), dtype=np.uint8)])


def real(trainer, seed=0):
    return pictures().batch(CFG.batch, trainer.resolution, np.random.default_rng(seed), torch.device("cpu"))


def test_losses_are_those_of_the_paper():
    real_scores, fake_scores = torch.tensor([[2.0]]), torch.tensor([[-1.0]])
    sigmoid = torch.sigmoid
    assert generator_loss(fake_scores) == pytest.approx(-float(sigmoid(fake_scores).log()))
    expected = -sigmoid(real_scores).log() - (1 - sigmoid(fake_scores)).log()
    assert discriminator_loss(real_scores, fake_scores) == pytest.approx(float(expected))


def test_r1_of_a_linear_critic_is_the_square_of_its_slope():
    slope = torch.randn(3, 4, 4)

    def critic(x):
        return (x * slope).sum((1, 2, 3))[:, None]

    assert float(r1_penalty(critic, torch.randn(5, 3, 4, 4))) == pytest.approx(float(slope.square().sum()), rel=1e-5)


def test_a_step_changes_both_networks_and_the_average_follows_slowly():
    trainer = Trainer(CFG, 8)
    before = [
        {k: v.clone() for k, v in net.state_dict().items()}
        for net in (trainer.generator, trainer.critic, trainer.average)
    ]
    for i in range(3):
        trainer.step(real(trainer, i))
    after = [net.state_dict() for net in (trainer.generator, trainer.critic, trainer.average)]
    moved = [sum(float((a[k] - b[k]).abs().sum()) for k in a) for a, b in zip(after, before, strict=True)]
    assert min(moved) > 0
    key = "synthesis.b8.conv1.weight"
    towards = (after[2][key] - before[2][key]) * (after[0][key] - before[0][key])
    assert float(towards.sum()) > 0


def test_a_grown_generator_first_draws_the_old_picture_enlarged():
    trainer = Trainer(CFG, 8)
    trainer.step(real(trainer))
    grown = trainer.grown()
    for small, large in ((trainer.generator, grown.generator), (trainer.average, grown.average)):
        ws = torch.randn(2, small.cfg.num_ws, 8)
        longer = torch.cat([ws, torch.randn(2, 2, 8)], 1)
        with torch.no_grad():
            old = small.synthesis(ws)
            torch.testing.assert_close(
                large.synthesis(longer), upsample2d(old, small.synthesis.block(8).resample_filter)
            )


def test_a_grown_critic_first_judges_as_before():
    trainer = Trainer(CFG, 8)
    trainer.step(real(trainer))
    grown = trainer.grown()
    x = torch.randn(4, 3, 16, 16)
    smaller = downsample2d(x, grown.generator.synthesis.block(8).resample_filter)
    grown.critic.alpha = 0.0
    torch.testing.assert_close(grown.critic(x), trainer.critic(smaller))
    grown.critic.alpha = 1.0
    torch.testing.assert_close(grown.critic(x), grown.critic.network(x))
    assert isinstance(grown.critic, FadeIn)


def test_a_saved_trainer_goes_on_as_if_never_stopped(tmp_path):
    trainer = Trainer(CFG, 8).grown()
    trainer.step(real(trainer))
    torch.save(trainer.state(), tmp_path / "state.pt")
    copy = Trainer.from_state(torch.load(tmp_path / "state.pt", weights_only=True), torch.device("cpu"))
    torch.set_rng_state(torch.load(tmp_path / "state.pt", weights_only=True)["rng"])
    trainer.step(real(trainer, 1))
    torch.set_rng_state(torch.load(tmp_path / "state.pt", weights_only=True)["rng"])
    copy.step(real(copy, 1))
    for name, value in trainer.generator.state_dict().items():
        torch.testing.assert_close(copy.generator.state_dict()[name], value)
    assert (copy.pictures, copy.stage_pictures, copy.steps) == (trainer.pictures, trainer.stage_pictures, trainer.steps)


def test_no_augmentation_leaves_pictures_alone_and_full_augmentation_keeps_gradients():
    x = torch.rand(6, 3, 16, 16).requires_grad_()
    assert augment(x, 0.0) is x
    y = augment(x, 1.0)
    assert y.shape == x.shape
    assert not torch.allclose(y, x)
    (slope,) = torch.autograd.grad(y.square().sum(), x)
    assert slope.abs().sum() > 0


def test_augmentation_grows_while_the_critic_is_sure_and_shrinks_when_it_is_not():
    control = AdaControl(target=0.6, speed=100)
    control.observe(torch.full((20, 1), 3.0))
    assert control.adjust() == 1
    assert control.p == pytest.approx(0.2)
    control.observe(torch.full((10, 1), -3.0))
    control.adjust()
    assert control.p == pytest.approx(0.1)


def test_training_grows_saves_and_resumes(tmp_path):
    plan = Plan(((8, 24), (16, 24)))
    done = list(train(pictures(), tmp_path, CFG, Plan(((8, 24), (16, 8))), report_every=1))
    assert done[-1].sheet is not None
    with Image.open(done[-1].sheet) as sheet:
        assert sheet.size == (8 * 16, 4 * 16)
    went_on = list(train(pictures(), tmp_path, CFG, plan, report_every=1))
    assert went_on[0].pictures == 36
    assert went_on[-1].pictures == plan.total
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert {row["resolution"] for row in rows} == {8, 16}
    generator = load_generator(export(tmp_path), "cpu")
    assert generator.size == (16, 16)
    assert generator.discriminator is not None


def test_training_stops_when_asked_and_keeps_its_checkpoint(tmp_path):
    steps = []
    run = train(pictures(), tmp_path, CFG, Plan(((8, 4000),)), report_every=1, stop=lambda: len(steps) >= 2)
    steps.extend(run)
    assert steps[-1].pictures <= 12
    assert (tmp_path / "checkpoint.pt").exists()


def test_another_width_is_refused_for_a_run_that_goes_on(tmp_path):
    list(train(pictures(), tmp_path, CFG, Plan(((8, 4),))))
    other = TrainConfig(**{**vars(CFG), "channel_max": 4})
    with pytest.raises(TrainingError, match="channel_max 8, now 4"):
        next(iter(train(pictures(), tmp_path, other, Plan(((8, 8),)))))


def test_a_folder_of_images_becomes_an_array_once(tmp_path):
    for i in range(3):
        Image.fromarray(np.full((20, 30, 3), 80 * i, np.uint8)).save(tmp_path / f"{i}.png")
    for _ in range(2):  # the second time from the cache
        source = open_pictures(tmp_path, 8, mirror=False)
        assert len(source) == 3
        values = source.batch(60, 8, np.random.default_rng(0), torch.device("cpu"))[:, 0, 0, 0]
        assert {round(float(v), 3) for v in values} == {round(80 * i / 127.5 - 1, 3) for i in range(3)}


def test_an_empty_folder_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(TrainingError, match=r"holds neither pictures .* nor \.npy arrays"):
        open_pictures(tmp_path, 8)


def test_pictures_smaller_than_the_resolution_are_refused():
    with pytest.raises(TrainingError, match="8 pixels wide, training needs 16"):
        pictures(size=8).batch(2, 16, np.random.default_rng(0), torch.device("cpu"))


TWO = textwrap.dedent("""
    import sys, torch, torch.distributed as dist
    from ganedit_widgets.core.training.distributed import start_process
    from ganedit_widgets.core.training.trainer import TrainConfig, Trainer
    torch.set_num_threads(1)
    device, chief = start_process("cpu")
    cfg = TrainConfig(batch=4, channel_base=64, channel_max=8, z_dim=8, w_dim=8, mapping_layers=2)
    trainer = Trainer(cfg, 8)
    torch.manual_seed(dist.get_rank())
    for _ in range(3):
        trainer.step(torch.rand(4, 3, 8, 8) * 2 - 1)
    weights = torch.cat([p.detach().flatten() for p in trainer.generator.parameters()])
    others = [torch.zeros_like(weights) for _ in range(2)]
    dist.all_gather(others, weights)
    assert torch.equal(others[0], others[1]), "the processes drifted apart"
    assert trainer.pictures == 24
    dist.destroy_process_group()
""")


@pytest.mark.slow
def test_two_processes_stay_equal(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
