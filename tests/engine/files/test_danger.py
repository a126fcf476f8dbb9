"""What a pickle would import and call is graded; nothing of it ever happens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.files import inspect_file, inspect_in_child
from engine.files.danger import ALLOWED, DANGEROUS, HARMLESS, UNKNOWN, grade, second_opinion
from engine.files.legacy import is_legacy
from tests.support import model_files as make

GRADES = {
    ALLOWED: ["collections.OrderedDict", "torch._utils._rebuild_tensor_v2", "torch.FloatStorage", "torch.cuda.HalfStorage", "torch.float16",
              "torch.float8_e4m3fn", "torch.Size", "torch.nn.parameter.Parameter", "torch.storage.UntypedStorage"],
    HARMLESS: ["torch.nn.modules.linear.Linear", "argparse.Namespace", "pathlib.PosixPath", "numpy.core.multiarray.scalar", "builtins.dict"],
    UNKNOWN: ["__main__.Net", "timm.models.vit.VisionTransformer", "functools.partial", "torch.nn.modules.module.register_module_forward_hook"],
    DANGEROUS: ["posix.system", "nt.system", "os.popen", "os.path.join", "subprocess.Popen", "builtins.eval", "builtins.exec", "builtins.getattr",
                "builtins.__import__", "socket.socket", "shutil.rmtree", "runpy.run_path", "webbrowser.open", "sys.exit", "importlib.import_module",
                "pty.spawn", "ctypes.CDLL", "torch.hub.load", "torch.utils.cpp_extension.load", "torch.load", "numpy.load", "pickle.loads",
                "operator.attrgetter", "types.CodeType", "multiprocessing.Process", "http.client.HTTPConnection", "urllib.request.urlopen"],
}


@pytest.mark.parametrize(("expected", "name"), [(expected, name) for expected, names in GRADES.items() for name in names])
def test_grades(expected, name):
    """Known names have their grade."""
    assert grade(*name.rsplit(".", 1)) == expected


@pytest.mark.parametrize(("module", "name"), [("torch.nn.modules.module", "torch.hub.os.system"), ("collections", "abc.sys.modules"), ("torch", "os.system"),
                                              ("numpy", "load"), ("torch.serialization", "os.system"), ("x", ""), ("a b", "os.system")])
def test_names_with_dots_reach_no_better_grade(module, name):
    """A dotted name walks from a harmless module to a dangerous one: it is judged by where it ends."""
    assert grade(module, name) == DANGEROUS


def test_weights_only_loading_agrees_on_what_is_allowed():
    """What is called allowed here is what torch's own list allows."""
    text = ("import torch\nfrom torch._weights_only_unpickler import _get_allowed_globals as allowed\n"
            "from engine.files.danger import grade\n"
            "print([name for name in allowed() if grade(*name.rsplit('.', 1)) != 'allowed'])")
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3], timeout=60)
    assert done.stdout.strip() == "[]"


def test_picklescan_is_asked():
    """The second opinion names what picklescan calls dangerous."""
    assert second_opinion([("posix", "system"), ("__main__", "Net"), ("functools", "partial")]) == ("functools.partial", "posix.system")


WRITERS = {
    "zip": make.zipped, "legacy": make.legacy, "bare": make.pickled,
    "in the magic number's place": lambda value: make.pickled(value) + make.legacy({}),
}
PLACES = {
    "alone": lambda bad: bad,
    "in weights": lambda bad: {"a.weight": make.tensor("0", 3), "a.bias": make.tensor("1", 3), "a.extra": bad},
    "in a checkpoint": lambda bad: {"state_dict": make.state_dict(), "hook": bad},
    "in a module": lambda bad: make.module(buffers={"w": make.tensor("0", 2)}, children={"bad": bad}),
    "as a key": lambda bad: {"state_dict": make.state_dict(), "more": make.Made(make.Ref("collections", "OrderedDict"), items={bad: 1})},
    "in a storage's id": lambda bad: {"a.weight": make.Made(make.Ref("torch._utils", "_rebuild_tensor_v2"),
                                                            (make.Stored(("storage", bad, "0", "cpu", 1)), 0, (1,), (1,), False, None))},
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS.keys())
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES.keys())
def test_what_a_file_wants_to_do_never_happens(tmp_path, write, place):
    """A pickle that calls posix.system is named dangerous wherever the call stands, and its effect does not come."""
    effect, path = tmp_path / "effect", tmp_path / "m.pth"
    path.write_bytes(write(place(make.harmful(effect))))
    found = inspect_file(str(path))
    if write is make.zipped:
        assert inspect_in_child(str(path)) == found
    assert not effect.exists()
    assert found.danger == DANGEROUS
    assert "posix.system" in found.unsafe_globals
    assert found.requires_trust or found.refusal.code == "file-dangerous"


def test_the_effect_would_come(tmp_path):
    """The proof that the pickles above are not harmless by mistake: a process that unpickles one does what it says."""
    effect = tmp_path / "effect"
    data = make.pickled(make.harmful(effect))
    subprocess.run([sys.executable, "-c", "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"], input=data, check=True, timeout=20)
    assert effect.exists()
    assert not is_legacy(data)


def test_stack_global_and_extensions_are_seen(tmp_path):
    """Names that are put together on the stack, or come from copyreg's registry, are not overlooked."""
    path = tmp_path / "m.pth"
    for opcodes in (b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x8c\x04true\x85R.", b"\x80\x02\x82\x07.", b"\x80\x04K\x01K\x02\x93.",
                    b"(S'true'\niposix\nsystem\n.", b"\x80\x02(cposix\nsystem\nS'true'\no.", b"\x80\x04\x8c\x05posix\x94\x8c\x06systemq\x050h\x00h\x05\x93."):
        path.write_bytes(make.zip_of({"a/data.pkl": opcodes, "a/version": b"3"}))
        found = inspect_file(str(path))
        assert found.unsafe_globals or found.refusal.code == "file-damaged", opcodes
        assert found.danger in (DANGEROUS, UNKNOWN) or found.refusal.code == "file-damaged", opcodes
