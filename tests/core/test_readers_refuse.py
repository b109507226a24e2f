"""What is no model is refused with one clear sentence, and nothing in it is ever run."""

import ast
import io
import os
import pickle
import shutil
import struct
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save_file

import ganedit_widgets.core.readers as readers
from ganedit_widgets.core.errors import ModelError
from ganedit_widgets.core.generators.load import describe, load_generator
from ganedit_widgets.core.readers import pickles
from ganedit_widgets.core.readers.open import read_model
from tests.core.forge import Call, forge, record, tensor
from tests.core.vectors import FILES, FOLDER, MANIFEST, REFUSED

SMALL = {"pickle": "sg2ada-32-orig.pkl", "stream": "rosinality-32-converted.pt", "zip": "rosinality-32-training.pt"}


def refusal(path):
    """Return the message that refuses `path`: one sentence that names what to do or why."""
    with pytest.raises(ModelError) as caught:
        load_generator(path, "cpu")
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message and len(message) < 300
    return message


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- malicious files


@pytest.mark.parametrize("file", REFUSED)
def test_malicious_files_are_refused_and_leave_no_trace(file, here):
    refusal(FOLDER / file)
    assert list(here.iterdir()) == []
    assert not list(FOLDER.glob("vector_canary*"))


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        ("bad-os-system.pkl", "os.system"),
        ("bad-builtins-eval.pkl", "builtins.eval"),
        ("bad-nested-storage.pkl", "os.system"),
        ("bad-module-src.pkl", "'Payload'"),
        ("bad-dotted-global.pkl", "torch.serialization.os.system"),
        ("bad-zip-reduce.pt", "posix.system"),
    ],
)
def test_the_refusal_says_what_was_asked_for(file, reason):
    assert reason in refusal(FOLDER / file)


class Payload:
    """Would make a file when unpickled."""

    def __reduce__(self):
        return (os.mkdir, ("vector_canary_class",))


@pytest.mark.parametrize("protocol", range(6))
def test_a_payload_is_refused_in_every_protocol(protocol, here):
    (here / "model.pkl").write_bytes(pickle.dumps({"G_ema": Payload()}, protocol))
    refusal(here / "model.pkl")
    assert [p.name for p in here.iterdir()] == ["model.pkl"]


def test_a_payload_is_refused_in_both_torch_containers(here):
    for old in (False, True):
        torch.save({"g_ema": {"x": torch.ones(2), "y": Payload()}}, "model.pt", _use_new_zipfile_serialization=not old)
        assert "mkdir" in refusal(here / "model.pt")
    assert [p.name for p in here.iterdir()] == ["model.pt"]


@pytest.mark.parametrize(
    "code",
    [
        b"\x80\x04\x8c\x11torch.serialization\x8c\x02os\x93.",  # an allowed prefix is not enough
        b"\x80\x02ctorch._utils\n_rebuild_tensor\n.",
        b"\x80\x02cbuiltins\ngetattr\n.",
        b"\x80\x02c__builtin__\neval\n.",
        b"\x80\x02ctorch\nload\n.",
        b"\x80\x02cpickle\nloads\n.",
        b"\x80\x04(i os\nsystem\n.",  # INST
        b"\x80\x04(o.",  # OBJ
        b"\x80\x02P1\n.",  # PERSID
        b"\x80\x02\x82\x01.",  # EXT1
        b"\x80\x04)}\x92.",  # NEWOBJ_EX
        b"\x80\x04K\x01Q.",  # a persistent id in a plain pickle
        b"\x80\x04}K\x01R.",  # a call of something that is no function
        b"\x80\x04}}b.",  # a state for a dictionary
        b"\x80\x04ccollections\nOrderedDict\n}b.",  # a state for a name
        b"\x80\x04K\x01K\x02a.",  # an item for a number
        b"\x80\x04})K\x01s.",  # an unusual key
        b"\x80\x04\x8f(](K\x01ee\x90.",  # a list in a set
    ],
)
def test_unusual_opcodes_are_refused(code, tmp_path):
    (tmp_path / "model.pkl").write_bytes(code)
    refusal(tmp_path / "model.pkl")


FORBIDDEN = {"eval", "exec", "compile", "__import__", "getattr", "setattr", "torch.load", "np.load"}


def test_no_reader_imports_an_unpickler_or_calls_torch_load():
    for source in Path(readers.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {
                    getattr(node, "module", None) if not getattr(node, "level", 0) else None
                }
                assert not names & {"pickle", "_pickle", "marshal", "shelve", "dill", "importlib"}, source.name
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"eval", "exec", "compile", "__import__", "torch.load", "np.load", "getattr"}, (
                    source.name
                )


# ---- limits


def test_deep_nesting_many_calls_and_endless_opcodes_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"\x80\x04" + b"(" * 1000 + b".")
    assert "nested" in refusal(path)
    monkeypatch.setattr(pickles, "MOST_CALLS", 50)
    path.write_bytes(b"\x80\x04" + b"ccollections\nOrderedDict\n)R" * 40 + b".")
    assert "calls" in refusal(path)
    monkeypatch.setattr(pickles, "MOST_OPCODES", 50)
    path.write_bytes(b"\x80\x04" + b"]" * 100 + b".")
    assert "opcodes" in refusal(path)


def test_a_tuple_nested_200000_times_does_no_harm(tmp_path):
    (tmp_path / "model.pkl").write_bytes(b"\x80\x04)" + b"\x85" * 200_000 + b".")
    refusal(tmp_path / "model.pkl")


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (0, (5,), (1,)),
        (3, (2,), (1,)),
        (-1, (2,), (1,)),
        (0, (-2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2, 2), (4, 1)),
        (0, (2,), (1, 1)),
        (0, (2**40,), (0,)),
        (0, (2**33, 2**33), (0, 0)),
        (0, (1,) * 40, (1,) * 40),
    ],
)
def test_tensors_that_reach_beyond_their_storage_are_refused(offset, size, stride, tmp_path):
    wrong = tensor(torch.tensor([1.0, 2, 3, 4]), offset, size, stride)
    (tmp_path / "model.pkl").write_bytes(forge({"G_ema": record(_parameters={"weight": wrong})}))
    assert "tensor" in refusal(tmp_path / "model.pkl")


def test_modules_that_contain_each_other_a_billion_times_are_refused(tmp_path):
    module = record()
    for _ in range(20):
        module = record(modules={"a": module, "b": module})
    (tmp_path / "model.pkl").write_bytes(forge({"G_ema": module}))
    assert "nested" in refusal(tmp_path / "model.pkl")


def test_modules_by_the_thousand_are_refused(tmp_path):
    module = record()
    for _ in range(7):
        module = record(modules={str(i): module for i in range(100)})
    (tmp_path / "model.pkl").write_bytes(forge({"G_ema": module}))
    assert "modules" in refusal(tmp_path / "model.pkl")


def test_a_compressed_zip_is_refused_before_it_unfolds(tmp_path):
    with zipfile.ZipFile(tmp_path / "model.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model/data.pkl", b"\0" * 5_000_000)
    assert "compressed" in refusal(tmp_path / "model.pt")


# ---- other programs' networks


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ({"G": record()}, "no network 'G_ema'"),
        ({"G_ema": record("StyleGANXL")}, "'StyleGANXL'"),
        ({"G_ema": record(modules={"synthesis": record("TriPlane")})}, "'TriPlane'"),
        ({"G_ema": record(modules={"synthesis": record("SynthesisNetwork")})}, "unknown variant"),
        ({"G_ema": record(version=7)}, "unknown layout"),
        ({"G_ema": {"weight": 1}}, "no network 'G_ema'"),
        ([1, 2], "something else"),
        ((1, 2, 3), "something else"),
    ],
)
def test_other_networks_are_refused_by_what_they_are(root, reason, tmp_path):
    (tmp_path / "model.pkl").write_bytes(forge(root))
    assert reason in refusal(tmp_path / "model.pkl")


@pytest.mark.parametrize(("version", "reason"), [(3, "StyleGAN1"), (9, "unknown version"), ("x", "unknown version")])
def test_tensorflow_networks_of_another_version_are_refused(version, reason, tmp_path):
    network = Call(("dnnlib.tflib.network", "Network"))
    code = forge((network, network, network)).replace(b")R", b")\x81")  # TensorFlow's are made with NEWOBJ
    state = forge({"version": version})[2:-1]
    (tmp_path / "model.pkl").write_bytes(code.replace(b")\x81\x94", b")\x81\x94" + state + b"b"))
    assert reason in refusal(tmp_path / "model.pkl")


# ---- what is no model at all


def picture(kind):
    stream = io.BytesIO()
    Image.new("RGB", (8, 8)).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (picture("JPEG"), "a JPEG picture"),
        (picture("PNG"), "a PNG picture"),
        (picture("GIF"), "a GIF picture"),
        (b"Dear diary,\n\ttoday I trained a GAN.\n" * 40, "a text file"),
        ("Ζωή, ψ = 0.7\n".encode() * 60, "a text file"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (bytes(range(256)), "unknown"),
        (b"\x80\x04", "truncated"),
        (b"PK\x03\x04", "truncated zip"),
        (struct.pack("<Q", 2) + b"{}", "another program"),
        (struct.pack("<Q", 9) + b"{nonsense", "safetensors"),
    ],
)
def test_what_is_no_model_is_called_by_its_name(content, reason, tmp_path):
    (tmp_path / "model.pkl").write_bytes(content)
    assert reason in refusal(tmp_path / "model.pkl")


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    assert "no readable file" in refusal(tmp_path / "nothing.pkl")
    assert "no readable file" in refusal(tmp_path)


def test_a_zip_of_something_else_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "letter.docx", "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    assert "without a PyTorch model" in refusal(tmp_path / "letter.docx")


def test_torch_files_of_something_else_are_refused(tmp_path):
    for root in ({"state_dict": {}}, [torch.ones(2)], torch.ones(3), {"g_ema": 3}):
        torch.save(root, tmp_path / "model.pt")
        assert "StyleGAN2" in refusal(tmp_path / "model.pt")


def test_safetensors_of_another_program_are_refused(tmp_path):
    save_file({"weight": torch.ones(4)}, tmp_path / "lora.safetensors", {"format": "pt"})
    assert "another program" in refusal(tmp_path / "lora.safetensors")


# ---- damage


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("share", [0.0001, 0.1, 0.5, 0.9, 0.9999])
def test_truncated_files_are_refused(kind, share, tmp_path):
    content = (FOLDER / SMALL[kind]).read_bytes()
    (tmp_path / "model").write_bytes(content[: max(20, int(len(content) * share))])
    assert "truncated" in refusal(tmp_path / "model")


CONTENTS = {kind: (FOLDER / file).read_bytes() for kind, file in SMALL.items()}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(sorted(SMALL)), place=st.floats(0, 1), value=st.integers(0, 255), first=st.booleans())
def test_a_changed_byte_loads_or_is_refused_but_nothing_else(kind, place, value, first, tmp_path):
    content = bytearray(CONTENTS[kind])
    content[int(place * (min(20_000, len(content)) if first else len(content) - 1))] = value
    (tmp_path / "model").write_bytes(content)
    with suppress(ModelError):
        read_model(tmp_path / "model").generator.build()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.sampled_from([bytes([c]) for c in pickles.OPCODES]) | st.binary(max_size=3), max_size=60))
def test_random_opcodes_are_refused_but_nothing_else_happens(pieces, tmp_path):
    (tmp_path / "model").write_bytes(b"\x80\x04" + b"".join(pieces) + b".")
    with pytest.raises(ModelError):
        describe(tmp_path / "model")


def test_the_name_of_a_file_does_not_matter(tmp_path):
    for file, name in (("sg3r-32.pkl", "a.safetensors"), ("tf-sg2-32-v4.pkl", "b.pt"), (SMALL["zip"], "c.pkl")):
        shutil.copy(FOLDER / file, tmp_path / name)
        assert describe(tmp_path / name).fingerprint == describe(FOLDER / file).fingerprint


def test_the_vectors_are_complete():
    assert len(FILES) == 13 and len(REFUSED) == 6
    for file, entry in (MANIFEST["checkpoints"] | MANIFEST["refuse"]).items():
        assert (FOLDER / file).stat().st_size == entry["bytes"]
