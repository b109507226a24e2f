"""Fine-tuning on labels: the formulas, the schedule, what starts where, and that a stopped run goes on exactly."""

import json
import math
import subprocess
import sys
import textwrap
from itertools import islice

import numpy as np
import pytest
import torch
from PIL import Image

from ganedit_widgets.core import LabelError, ModelError, TrainingError, load_generator
from ganedit_widgets.core.conditioning import Attribute, Labels, Schema
from ganedit_widgets.core.conditioning.resampling import resample
from ganedit_widgets.core.generators import soft_labels
from ganedit_widgets.core.training.conditional import ConditionalConfig, ConditionalTrainer
from ganedit_widgets.core.training.conditional_loop import export, fine_tune, resume, save
from ganedit_widgets.core.training.conditional_losses import label_loss, paper_gamma, path_penalty
from ganedit_widgets.core.training.labeled import LabeledPictures, mirrored
from ganedit_widgets.core.training.pictures import PictureArrays, open_pictures
from tests.tiny import labeled, tiny

SCHEMA = Schema((Attribute("yaw", 0.0, 1.0, mirror="opposite"), Attribute("age", 0.0, 1.0, mirror="same")))
AT_ONCE = {"head_pictures": 0, "ramp_pictures": 0}
CPU = torch.device("cpu")


def data(n=24, schema=SCHEMA, size=16, seed=0):
    """Return pictures whose left half is as bright as their first label says."""
    rng = np.random.default_rng(seed)
    raw = torch.from_numpy(rng.random((n, len(schema)))).float()
    pictures = rng.integers(0, 60, (n, 3, size, size), dtype=np.uint8)
    pictures[..., : size // 2] += (raw[:, 0].numpy() * 180).astype(np.uint8)[:, None, None, None]
    names = tuple(f"a.npy#{i}" for i in range(n))
    return LabeledPictures.of(PictureArrays([pictures], False, names), Labels(raw, names, schema))


def trainer(**options):
    return ConditionalTrainer(tiny(), SCHEMA, ConditionalConfig(**{"pictures": 400, **options}))


def steps(run, count, source=None):
    source = source or data()
    return [run.step(*source.batch(run.cfg.batch, 16, run.rng(), CPU, run.cfg.mirror)) for _ in range(count)]


def weights(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


# ---- formulas


def test_the_label_loss_is_the_mean_of_the_divergence_over_pictures_and_bins_summed_over_attributes():
    logits = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0))
    soft = soft_labels(torch.rand(5, 2, generator=torch.Generator().manual_seed(1)))
    expected = 0.0
    for a in range(2):
        for n in range(5):
            p = torch.softmax(logits[n, a].double(), 0)
            expected += sum(float(t * (t / q).log()) for t, q in zip(soft[n, a].double(), p, strict=True) if t > 0) / 15
    assert float(label_loss(logits, soft)) == pytest.approx(expected, rel=1e-5)


def test_the_label_loss_is_zero_where_the_softmax_equals_the_labels():
    soft = soft_labels(torch.tensor([[0.0, 0.3], [0.5, 1.0]]))
    assert float(label_loss(soft.clamp(min=1e-30).log(), soft)) == pytest.approx(0, abs=1e-6)
    assert float(label_loss(torch.zeros(2, 2, 3), soft)) > 0.1


def test_gamma_is_that_of_the_paper():
    assert paper_gamma(1024, 4) == pytest.approx(52.43, abs=0.01)
    assert paper_gamma(512, 4) == pytest.approx(13.1, abs=0.01)
    assert trainer().gamma == pytest.approx(0.0002 * 256 / 4)
    assert trainer(r1_gamma=3.0).gamma == 3.0


def test_the_path_penalty_of_a_linear_map_is_that_of_its_jacobian():
    torch.manual_seed(0)
    slope = torch.randn(6, 3 * 16 * 16)
    ws = torch.randn(1, 2, 3).requires_grad_()
    torch.manual_seed(3)
    penalty, mean = path_penalty((ws.flatten(1) @ slope).view(1, 3, 16, 16), ws, torch.tensor(2.0))
    torch.manual_seed(3)
    y = torch.randn(1, 3, 16, 16).flatten() / 16
    length = float((slope @ y).view(2, 3).square().sum(1).mean().sqrt())
    assert float(mean) == pytest.approx(2 + 0.01 * (length - 2), rel=1e-5)
    assert float(penalty) == pytest.approx((length - float(mean)) ** 2, rel=1e-4)


def test_rates_and_average_are_those_of_the_paper():
    run = trainer()
    assert run.g_opt.param_groups[0]["lr"] == pytest.approx(0.0016)
    assert run.d_opt.param_groups[0]["lr"] == pytest.approx(0.002 * 16 / 17)
    assert run.g_opt.param_groups[0]["betas"] == (0.0, pytest.approx(0.99**0.8))
    assert run.d_opt.param_groups[0]["betas"] == (0.0, pytest.approx(0.99 ** (16 / 17)))
    assert 0.5 ** (1 / run.cfg.ema_steps) == pytest.approx(0.5 ** (32 / 10_000))


# ---- the schedule


def test_the_penalties_come_at_every_16th_and_every_4th_step():
    found = steps(trainer(**AT_ONCE), 18)
    assert [i for i, row in enumerate(found) if "r1" in row] == [0, 16]
    assert [i for i, row in enumerate(found) if "path" in row] == [0, 4, 8, 12, 16]
    assert all(math.isfinite(value) for row in found for value in row.values())


def test_a_step_changes_both_networks_their_new_parts_too_and_the_average_follows_slowly():
    run = trainer(**AT_ONCE)
    before = [weights(net) for net in (run.generator, run.critic, run.average)]
    steps(run, 3)
    after = [net.state_dict() for net in (run.generator, run.critic, run.average)]
    for name in ("synthesis.low", "synthesis.high", "synthesis.b4.const", "mapping.fc0.weight"):
        moved, followed = (float((after[i][name] - before[i][name]).norm()) for i in (0, 2))
        assert 0 < followed < 0.05 * moved
    for name in ("classes.fc.weight", "classes.out.bias", "b4.out.weight"):
        assert not torch.equal(after[1][name], before[1][name])


def test_while_the_class_head_warms_up_nothing_else_moves():
    run = trainer(head_pictures=12, ramp_pictures=8)
    source = tiny()
    before = {"g": weights(run.generator), "d": weights(run.critic), "a": weights(run.average)}
    found = steps(run, 3)
    assert all(row.keys() == {"class_d", "ada_p"} for row in found)
    assert same(weights(run.generator), before["g"]) and same(weights(run.average), before["a"])
    changed = {k for k, v in run.critic.state_dict().items() if not torch.equal(v, before["d"][k])}
    assert changed == {"classes.fc.weight", "classes.fc.bias", "classes.out.weight", "classes.out.bias"}
    assert torch.equal(run.result().mapping.w_avg, source.network.mapping.w_avg)
    assert {"loss_d", "class_d", "loss_g", "class_g"} <= steps(run, 1)[0].keys()


def test_the_class_head_learns_the_labels_while_it_warms_up():
    found = steps(trainer(head_pictures=4000, batch=8, ada_target=0.0, lr=0.01), 150)
    means = [np.mean([row["class_d"] for row in part]) for part in (found[:15], found[-15:])]
    assert means[1] < 0.7 * means[0]


def test_the_generator_follows_the_class_head_step_by_step():
    run = trainer(head_pictures=100, ramp_pictures=200)
    found = []
    for run.pictures in (0, 100, 150, 200, 300, 1000):
        found.append(run.class_weight)
    assert found == pytest.approx([0, 0, 0.125, 0.25, 0.5, 0.5])


def test_labels_of_fakes_are_even_and_fresh():
    run = trainer()
    torch.manual_seed(0)
    v = torch.cat([run._fakes(8)[2] for _ in range(60)])
    assert 0.47 < float(v.mean()) < 0.53 and 0.27 < float(v.std()) < 0.31
    assert float(v.min()) < 0.02 and float(v.max()) > 0.98


def test_the_critics_class_head_learns_of_real_pictures_alone():
    reports = []
    real, v = data().batch(4, 16, np.random.default_rng(0), CPU)
    for fake, asked in ((torch.zeros(4, 3, 16, 16), torch.zeros(4, 2)), (torch.ones(4, 3, 16, 16), torch.ones(4, 2))):
        run = trainer(**AT_ONCE, r1_every=1000)
        run.steps = 1  # no penalty in this one
        with torch.enable_grad():
            reports.append(run._improve_critic(real, v, fake, asked))
    assert reports[0]["class_d"] == reports[1]["class_d"] and reports[0]["loss_d"] != reports[1]["loss_d"]
    assert ConditionalConfig().class_weight_d == ConditionalConfig().class_weight_g == 0.5


def test_a_conditional_adversarial_head_learns_to_look_at_the_labels():
    run = trainer(**AT_ONCE, projection=True)
    x = torch.randn(4, 3, 16, 16)
    steps(run, 3)
    one, other = (run.critic(x, torch.full((4, 2), v)) for v in (0.0, 1.0))
    assert not torch.equal(one, other)


# ---- mirroring


def test_mirrored_pictures_get_the_labels_of_mirrored_pictures():
    x, v = torch.randn(3, 3, 4, 4), torch.tensor([[0.2, 0.9], [0.7, 0.1], [0.4, 0.4]])  # age, yaw
    turned, labels = mirrored(x, v, SCHEMA, torch.tensor([True, False, True]))
    assert torch.equal(turned[0], x[0].flip(2)) and torch.equal(turned[1], x[1])
    torch.testing.assert_close(labels, torch.tensor([[0.2, 0.1], [0.7, 0.1], [0.4, 0.6]]))


def test_batches_are_mirrored_only_if_asked():
    source = data()
    left = [
        {bool(picture[0, :, :8].mean() > picture[0, :, 8:].mean())
         for picture, v in zip(*source.batch(40, 16, np.random.default_rng(0), CPU, mirror), strict=True) if v[0] > 0.4}
        for mirror in (False, True)
    ]  # fmt: skip
    assert left == [{True}, {True, False}]
    x, v = source.batch(40, 16, np.random.default_rng(0), CPU)
    bright = x[..., :8].mean((1, 2, 3)) - x[..., 8:].mean((1, 2, 3))
    assert float(torch.corrcoef(torch.stack([bright, v[:, 0]]))[0, 1]) > 0.99


def test_augmentation_turns_labels_and_leaves_them_where_the_schema_does_not_know():
    known, unknown = trainer(), ConditionalTrainer(tiny(), Schema((Attribute("yaw"),)), ConditionalConfig())
    for run, columns in ((known, 2), (unknown, 1)):
        run.ada.p = 0.8
        v = torch.full((64, columns), 0.2)
        turned = run._augmented(torch.randn(64, 3, 16, 16), v)[1]
        share = float((turned[:, -1] - 0.8).abs().lt(1e-6).float().mean())
        assert (0.2 < share < 0.6) if run is known else share == 0
    assert torch.equal(turned, v)


def test_mirroring_with_an_attribute_of_which_nobody_knows_is_refused():
    with pytest.raises(LabelError, match="Nobody knows what mirroring does to yaw"):
        ConditionalTrainer(tiny(), Schema((Attribute("yaw"),)), ConditionalConfig(mirror=True))


# ---- the start


def test_before_the_first_step_the_result_draws_what_the_source_draws():
    source, run = tiny(), trainer()
    ws = torch.randn(3, *source.latent_shape)
    for network in (run.generator, run.average, run.result()):
        assert torch.equal(network.eval().synthesis(ws, labels=torch.rand(3, 2)), source.network.synthesis(ws))


def test_the_start_of_copies_is_that_of_the_paper():
    run = trainer(start="copies")
    for constants in (run.generator.synthesis.low, run.average.synthesis.high):
        assert torch.equal(constants[1], run.generator.synthesis.b4.const)


@pytest.mark.slow
def test_after_a_short_fine_tuning_a_picture_goes_with_its_label():
    options = {"batch": 8, "lr": 0.005, "head_pictures": 200, "ramp_pictures": 100, "ema_steps": 20, "r1_gamma": 1.0}
    run = trainer(**options, path_weight=0.0, ada_target=0.0)
    steps(run, 250, data(256))
    ws = run.average.mapping(torch.randn(32, 8, generator=torch.Generator().manual_seed(0)))[:, None].expand(-1, 6, -1)
    labels = torch.full((5, 2), 0.5)
    labels[:, 0] = torch.linspace(0, 1, 5)
    bright = torch.stack(
        [run.average.synthesis(ws, labels=v.expand(32, -1))[..., :8].mean((1, 2, 3)) for v in labels], 1
    )
    means = bright.mean(0)
    assert (means.diff() > 0.02).all(), means
    assert float(means[-1] - means[0]) > 0.3
    read = run.critic.labels(data(64, seed=1).batch(64, 16, np.random.default_rng(0), CPU)[0])[:, 0]
    known = data(64, seed=1).batch(64, 16, np.random.default_rng(0), CPU)[1][:, 0]
    assert float(torch.corrcoef(torch.stack([read, known]))[0, 1]) > 0.8


# ---- stopping and going on


def test_a_run_that_was_killed_goes_on_bit_for_bit(tmp_path):
    cfg = ConditionalConfig(48, head_pictures=8, ramp_pictures=8, mirror=True, ada_target=0.01, ada_speed=99, seed=3)
    list(fine_tune(tiny(), data(), tmp_path / "whole", cfg))
    killed = fine_tune(tiny(), data(), tmp_path / "cut", cfg, report_every=1, save_every=0.0)
    list(islice(killed, 7))  # reports and checkpoints; then nobody asks any more
    del killed
    torch.manual_seed(99)
    progress = list(fine_tune(tiny(), data(), tmp_path / "cut", cfg, report_every=1))
    assert 0 < progress[0].pictures < 48 == progress[-1].pictures
    logged = [json.loads(line)["pictures"] for line in (tmp_path / "cut" / "log.jsonl").read_text().splitlines()]
    assert logged == sorted(set(logged)) and logged[-1] == 48  # nothing twice
    one, other = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("whole", "cut"))
    for part in ("generator", "average", "critic"):
        assert same(one[part], other[part])
    assert one["ada"] == other["ada"] and one["ada"][0] > 0
    assert torch.equal(one["path_mean"], other["path_mean"])
    for name in ("g_opt", "d_opt"):
        for i, row in one[name]["state"].items():
            assert all(torch.equal(row[k], other[name]["state"][i][k]) for k in row)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_it_learns_whatever_the_grad_mode_outside(mode, tmp_path):
    expected = weights((run := trainer(**AT_ONCE)).generator)
    steps(run, 2)
    after = weights(run.generator)
    assert not same(expected, after)
    with mode():
        other = trainer(**AT_ONCE)
        steps(other, 2)
        save(other, tmp_path)
    assert same(weights(other.generator), after)


def test_chance_outside_of_the_run_is_left_alone():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    steps(trainer(**AT_ONCE), 2)
    assert torch.equal(torch.rand(3), expected)


def test_a_run_leaves_a_log_a_sheet_and_a_model(tmp_path):
    cfg = ConditionalConfig(pictures=24, **AT_ONCE)
    *_, last = fine_tune(tiny(), data(), tmp_path, cfg, report_every=2)
    with Image.open(last.sheet) as sheet:
        assert sheet.size == (7 * 16, 2 * (14 + 3 * 16))
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["pictures"] for row in rows] == [8, 16, 24]
    assert "24" in str(last) or "0.0k" in str(last)
    run = ConditionalTrainer(tiny(), SCHEMA, cfg)
    assert resume(run, tmp_path)
    model = load_generator(export(run, tmp_path / "model.safetensors", meta={"by": "a test"}), "cpu")
    assert model.schema == SCHEMA
    assert model.discriminator.labels(torch.randn(2, 3, 16, 16)).shape == (2, 2)


def test_a_run_stops_when_asked_and_keeps_its_checkpoint(tmp_path):
    seen = []
    cfg = ConditionalConfig(pictures=4000, **AT_ONCE)
    seen.extend(fine_tune(tiny(), data(), tmp_path, cfg, report_every=1, stop=lambda: len(seen) >= 2))
    assert seen[-1].pictures == 8
    assert (tmp_path / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("source", "schema", "cfg", "says"),
    [
        (tiny(1), SCHEMA, {}, "trained from the model"),
        (tiny(), Schema((Attribute("yaw"), Attribute("hat"))), {}, "other labels than those of hat, yaw"),
        (tiny(), SCHEMA, {"batch": 2}, "batch 4, now 2"),
        (tiny(), SCHEMA, {"start": "copies"}, "start zero, now copies"),
    ],
    ids=lambda x: "",
)
def test_a_checkpoint_of_another_run_is_refused(tmp_path, source, schema, cfg, says):
    save(trainer(), tmp_path)
    other = ConditionalTrainer(source, schema, ConditionalConfig(**{"pictures": 400, **cfg}))
    with pytest.raises(TrainingError, match=says):
        resume(other, tmp_path)


def test_a_checkpoint_that_is_none_is_refused(tmp_path):
    (tmp_path / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(TrainingError, match="is damaged"):
        resume(trainer(), tmp_path)
    torch.save({"config": {}}, tmp_path / "checkpoint.pt")
    with pytest.raises(TrainingError, match="another kind of training"):
        resume(trainer(), tmp_path)


@pytest.mark.parametrize(
    ("options", "says"),
    [({"start": "warm"}, "'warm' is unknown"), ({"batch": 0}, "batch is 0"), ({"lr": -1.0}, "rate is -1")],
)
def test_settings_with_which_nothing_is_learned_are_one_sentence(options, says):
    with pytest.raises(TrainingError, match=says):
        ConditionalConfig(**options)


# ---- labeled pictures


def test_pictures_are_found_by_name_whatever_the_order_of_the_labels(tmp_path):
    for i in (2, 0, 1):
        Image.fromarray(np.full((16, 16, 3), 80 * i, np.uint8)).save(tmp_path / f"{i}.png")
    names = ("2.png", "0.png")
    labels = Labels(torch.tensor([[0.2, 0.0], [0.0, 1.0]]), names, SCHEMA)
    source = LabeledPictures.of(open_pictures(tmp_path, 16, mirror=False), labels)
    x, v = source.batch(20, 16, np.random.default_rng(0), CPU)
    assert {(round(float(p.mean()), 2), round(float(a), 2)) for p, a in zip(x, v[:, 0], strict=True)} == {
        (round(160 / 127.5 - 1, 2), 0.2), (-1.0, 0.0)
    }  # fmt: skip


def test_a_resampling_says_how_often_pictures_come():
    source = data(30)
    labels = Labels(source.v, source.pictures.names, SCHEMA)
    few = resample(labels, 200, k=3, seed=0)
    chosen = LabeledPictures.of(source.pictures, labels, few)
    assert np.array_equal(np.bincount(chosen.rows), np.bincount(few.rows.numpy()))


def test_labels_that_do_not_fit_the_pictures_are_one_sentence():
    source = data(6)
    names = (*source.pictures.names[:5], "other.png")
    with pytest.raises(LabelError, match=r"labels of 'other.png', but no such picture \(1 of 6"):
        LabeledPictures.of(source.pictures, Labels(source.v, names, SCHEMA))
    few = resample(Labels(source.v[:4], source.pictures.names[:4], SCHEMA), k=2)
    with pytest.raises(LabelError, match="of 4 pictures, there are labels of 6"):
        LabeledPictures.of(source.pictures, Labels(source.v, source.pictures.names, SCHEMA), few)


# ---- several processes


TWO = textwrap.dedent("""
    import sys, torch, torch.distributed as dist
    sys.path.insert(0, sys.argv[2])
    from pathlib import Path
    from ganedit_widgets.core.training.distributed import end_process, start_process
    from ganedit_widgets.core.training.conditional import ConditionalConfig, ConditionalTrainer
    from ganedit_widgets.core.training.conditional_loop import fine_tune, resume
    from tests.core.test_conditional_training import SCHEMA, data
    from tests.tiny import tiny
    torch.set_num_threads(1)
    device, chief = start_process("cpu")
    cfg = ConditionalConfig(pictures=64, head_pictures=16, ramp_pictures=8, ada_speed=100)
    folder = Path(sys.argv[1])
    seen = [0]
    stop = lambda: chief and seen[0] >= 3
    for progress in fine_tune(tiny(), data(), folder, cfg, device, report_every=1, stop=stop):
        seen[0] += 1
    assert progress.pictures == 24, progress
    dist.barrier()
    for progress in fine_tune(tiny(), data(), folder, cfg, device, report_every=1):
        pass
    assert progress.pictures == 64, progress
    dist.barrier()
    run = ConditionalTrainer(tiny(), SCHEMA, cfg)
    resume(run, folder)
    for _ in range(2):
        run.step(*data().batch(4, 16, run.rng(), device))
    weights = [p.detach().flatten() for net in (run.generator, run.critic, run.average) for p in net.parameters()]
    weights = torch.cat([*weights, torch.tensor([run.ada.p, float(run.path_mean)])])
    others = [torch.zeros_like(weights) for _ in range(2)]
    dist.all_gather(others, weights)
    assert torch.equal(others[0], others[1]), "the processes drifted apart"
    end_process()
""")


@pytest.mark.slow
def test_two_processes_stay_equal_stop_together_and_go_on(tmp_path):
    script = tmp_path / "two.py"
    script.write_text(TWO)
    root = str(next(p for p in __import__("pathlib").Path(__file__).parents if (p / "pyproject.toml").exists()))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(
        [*command, str(tmp_path / "run"), root], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_a_conditioned_model_is_no_source_for_another_run():
    with pytest.raises(ModelError, match="already"):
        ConditionalTrainer(labeled(), SCHEMA, ConditionalConfig())
