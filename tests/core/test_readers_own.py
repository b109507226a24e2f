"""Our own container: complete, atomic, mapped, and clear about what it cannot open."""

import json
import os
import subprocess
import sys

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from ganedit_widgets.core.encoder import Encoder, EncoderNetwork, config_for, save_encoder
from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators import StyleGAN2, StyleGAN2Config, load
from ganedit_widgets.core.generators.load import convert, describe, load_generator, save_model
from ganedit_widgets.core.generators.schedule3 import stylegan3_config
from ganedit_widgets.core.generators.stylegan3 import StyleGAN3
from ganedit_widgets.core.readers.own import write_tensors
from tests.core.forge import forge, official
from tests.core.vectors import FOLDER
from tests.tiny import conditional, odd, tiny


def save(path, generator, **options):
    save_model(path, generator.network, generator.discriminator, **options)
    return path


@pytest.mark.parametrize("make", [tiny, odd, conditional])
def test_a_saved_generator_draws_the_same_pictures(make, tmp_path):
    generator = make()
    again = load_generator(save(tmp_path / "g.safetensors", generator), "cpu")
    latent = generator.sample(3, 0.5)
    assert again.fingerprint == generator.fingerprint and again.cfg == generator.cfg
    assert torch.equal(again.draw(latent), generator.draw(latent))
    assert (again.discriminator is None) == (generator.discriminator is None)


@pytest.mark.parametrize("family", ["stylegan3-t", "stylegan3-r"])
def test_a_saved_stylegan3_draws_the_same_pictures(family, tmp_path):
    cfg = stylegan3_config(32, family, num_layers=5, channel_base=128, channel_max=8, z_dim=4, w_dim=4, c_dim=2)
    network = StyleGAN3(cfg).eval()
    save_model(tmp_path / "g.safetensors", network)
    again = load_generator(tmp_path / "g.safetensors", "cpu")
    assert again.cfg == cfg and again.family == family
    ws = torch.randn(1, cfg.num_ws, 4)
    with torch.no_grad():
        assert torch.equal(again.network.synthesis(ws), network.synthesis(ws))


def test_the_code_of_a_generator_loads_it_again(tmp_path):
    generator = load_generator(str(save(tmp_path / "g.safetensors", tiny())), "cpu")
    assert eval(generator.code, {"load_generator": load_generator}).fingerprint == generator.fingerprint


def test_meta_comes_back_and_gives_the_name(tmp_path):
    path = save(tmp_path / "g.safetensors", tiny(), meta={"name": "Ζωή", "license": "BSD-3-Clause", "steps": [1, 2]})
    assert describe(path).meta == {"name": "Ζωή", "license": "BSD-3-Clause", "steps": [1, 2]}
    assert load_generator(path, "cpu").name == "Ζωή"


def test_half_precision_that_does_not_fit_is_refused(tmp_path):
    network = StyleGAN2(StyleGAN2Config(8, {4: 16, 8: 16}, 4, w_dim=4))
    network.synthesis.b8.conv1.weight.data[0, 0, 0, 0] = 1e6
    with pytest.raises(ModelError, match="too large for half precision"):
        save_model(tmp_path / "g.safetensors", network, half=True)
    assert list(tmp_path.iterdir()) == []


def test_saving_replaces_the_file_at_once_and_leaves_nothing_behind(tmp_path, monkeypatch):
    path = save(tmp_path / "g.safetensors", tiny(0))
    loaded = load_generator(path, "cpu")
    before = loaded.draw(loaded.sample(0))
    save(path, tiny(1))
    assert torch.equal(loaded.draw(loaded.sample(0)), before)  # its mapped file lives on
    assert load_generator(path, "cpu").fingerprint == tiny(1).fingerprint
    content = path.read_bytes()
    monkeypatch.setattr("ganedit_widgets.core.readers.own.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        save(path, tiny(2))
    assert path.read_bytes() == content and list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644 or os.name == "nt"


def test_a_full_disk_is_an_os_error_and_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "model.safetensors"
    write_tensors(path, {"a": torch.ones(3)}, {})
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # a file may not grow further, as on a full disk
    try:
        with pytest.raises(OSError, match=r"model\.safetensors"):
            write_tensors(path, {"a": torch.zeros(10_000)}, {})
        with pytest.raises(ModelError, match=r"cannot be written to .*choose another place"):
            save_encoder(path, Encoder(EncoderNetwork(config_for(tiny())), tiny()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_file(path)["a"].tolist() == [1, 1, 1] and list(tmp_path.iterdir()) == [path]


def fail(*_):
    raise OSError("disk full")


def edit_header(path, change):
    """Rewrite the file with a changed header."""
    with safe_open(path, "pt") as file:
        header = json.loads(file.metadata()["ganedit"])
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    change(header, tensors)
    save_file(tensors, path, {"ganedit": json.dumps(header)})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda h, t: h.update(version=2), "format version 2"),
        (lambda h, t: h.update(version="x"), "damaged"),
        (lambda h, t: h.pop("version"), "damaged"),
        (lambda h, t: h["generator"].update(family="stylegan9"), "unknown family"),
        (lambda h, t: h["generator"].update(wings=2), "unknown option 'wings'"),
        (lambda h, t: h["generator"].update(resolution=24), "not a power of two"),
        (lambda h, t: h["generator"].update(resolution=2**40), "resolution is no whole number"),
        (lambda h, t: h["generator"].update(resolution="16"), "no whole number"),
        (lambda h, t: h["generator"].update(channels={"4": 8}), "do not fit"),
        (lambda h, t: h["generator"].update(channels=7), "damaged"),
        (lambda h, t: h["generator"].pop("channels"), "damaged"),
        (lambda h, t: h["generator"].update(mapping_layers=1000), "mapping layers"),
        (lambda h, t: h["generator"].update(architecture="spiral"), "unknown"),
        (lambda h, t: h["generator"].update(activation="gelu"), "unknown"),
        (lambda h, t: h["generator"].update(w_dim=9), "has shape"),
        (lambda h, t: h["generator"].update(channels={"4": 9, "8": 8, "16": 8}), "has shape"),
        (lambda h, t: h["generator"].update(channels={"4": 2**62, "8": 8, "16": 8}), "wider than"),
        (lambda h, t: h["generator"].update(w_dim=2**62), "w_dim is no whole number"),
        (lambda h, t: h["generator"].update(mapping_width="7"), "mapping_width is no whole number"),
        (lambda h, t: h["generator"].update(mapping_lr="fast"), "mapping_lr is no number"),
        (lambda h, t: h["generator"].update(conv_clamp=float("nan")), "conv_clamp is no number"),
        (lambda h, t: h["generator"].update(use_noise="yes"), "use_noise is of another type"),
        (lambda h, t: h["generator"].update(resample_filter=["a"]), "damaged|impossible"),
        (lambda h, t: h["generator"].update(resample_filter=[1] * 999), "filter"),
        (lambda h, t: h.update(generator=[]), "unknown family"),
        (lambda h, t: h.pop("generator"), "discriminator only"),
        (lambda h, t: t.pop("generator.synthesis.b4.const"), "lacks the tensor"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_in_one_sentence(change, reason, tmp_path):
    path = save(tmp_path / "g.safetensors", tiny())
    edit_header(path, change)
    with pytest.raises(ModelError, match=reason) as caught:
        load_generator(path, "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"layers": []},
        {"layers": [{"name": "x"}]},
        {"layers": 3},
        {"input_size": -1},
        {"resolution": 20},
    ],
)
def test_a_stylegan3_header_that_does_not_fit_is_refused(change, tmp_path):
    cfg = stylegan3_config(32, num_layers=5, channel_base=128, channel_max=8, z_dim=4, w_dim=4)
    save_model(tmp_path / "g.safetensors", StyleGAN3(cfg))
    edit_header(tmp_path / "g.safetensors", lambda h, t: h["generator"].update(change))
    with pytest.raises(ModelError):
        load_generator(tmp_path / "g.safetensors", "cpu")


@pytest.mark.parametrize("share", [0.2, 0.99])
def test_a_truncated_file_is_refused(share, tmp_path):
    path = save(tmp_path / "g.safetensors", tiny())
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    with pytest.raises(ModelError, match="truncated"):
        load_generator(path, "cpu")


# ---- the demo


def test_the_demo_comes_with_its_discriminator(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "DEMO", tmp_path)
    with pytest.raises(ModelError, match="no demo model"):
        load_generator()
    with pytest.raises(ModelError, match="no demo-self-conditioned model"):
        load_generator("demo-self-conditioned")
    generator = tiny()
    save_model(tmp_path / "generator.safetensors", generator.network, meta={"name": "demo"})
    assert load_generator(device="cpu").discriminator is None and not describe().has_discriminator
    save_model(tmp_path / "discriminator.safetensors", None, generator.discriminator)
    found = load_generator(device="cpu")
    assert found.code == "load_generator('demo')" and describe().has_discriminator
    picture = generator.draw(generator.sample(0))
    assert torch.equal(found.discriminator(picture), generator.discriminator(picture))
    convert("demo", tmp_path / "both.safetensors")
    assert load_generator(tmp_path / "both.safetensors", "cpu").discriminator is not None


# ---- memory

MEASURE = """
import resource, sys, torch
torch.set_num_threads(1)
from ganedit_widgets.core.readers.open import read_model
def rss():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
from pathlib import Path
read_model(Path(sys.argv[2])).generator.build()  # imports and caches
before = rss()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
network = read_model(Path(sys.argv[1])).generator.build()
print(rss() - before, max(0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - max(peak, before)))
"""


LARGE = StyleGAN2Config(16, {4: 512, 8: 512, 16: 512}, mapping_layers=8)


def memory(path, small):
    """Return the bytes that a fresh process holds after reading `path`, and needs at most while it does."""
    command = [sys.executable, "-c", MEASURE, str(path), str(small)]
    return map(int, subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_weights_of_our_own_file_are_mapped_and_not_copied(tmp_path):
    save_model(tmp_path / "large.safetensors", StyleGAN2(LARGE))
    size = (tmp_path / "large.safetensors").stat().st_size
    held, peak = memory(tmp_path / "large.safetensors", save(tmp_path / "small.safetensors", tiny()))
    assert size > 40e6 and held < 0.2 * size and peak < 0.2 * size


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_weights_of_a_pickle_are_copied_once_and_the_raw_copy_is_not_read(tmp_path):
    one = official(StyleGAN2(LARGE))
    (tmp_path / "one.pkl").write_bytes(forge({"G_ema": one}))
    (tmp_path / "two.pkl").write_bytes(forge({"G": official(StyleGAN2(LARGE)), "G_ema": one}))
    size = (tmp_path / "one.pkl").stat().st_size
    held, peak = memory(tmp_path / "two.pkl", FOLDER / "sg2ada-32-orig.pkl")
    assert held < 1.2 * size and peak < 2.4 * size  # while copying, the file's pages are in memory, too


def test_loading_a_model_imports_no_compiler():
    # torch imports its compiler, two seconds of it, for random numbers on the meta device
    script = (
        "import sys\nfrom ganedit_widgets.core import load_generator\nload_generator('demo')\n"
        "print([name for name in ('torch._dynamo', 'sympy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
