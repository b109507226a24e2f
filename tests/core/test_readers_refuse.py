"""What is no model is refused with one clear sentence, and nothing in it is ever run."""

import ast
import os
import pickle
import zipfile
from pathlib import Path

import pytest
import torch

import ganedit_widgets.core.readers as readers
from ganedit_widgets.core.readers import pickles
from tests.core.forge import Call, forge, record, tensor
from tests.core.vectors import FOLDER, REFUSED, refusal


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
