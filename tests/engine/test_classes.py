"""Classes are found by reading: order, arguments, hostile files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.classes import SOURCE_LIMIT_BYTES, ClassEntry, SourceError, list_classes

SOURCE = '''
import torch.nn as nn
from torch import nn as other
open("ran.txt", "w").write("the file was run")

def build(num_classes=10, *, wide):
    return Net(num_classes)

def _private(): ...

class Options:
    pass

class Base(nn.Module):
    def __init__(self, width, depth=3, *blocks, bias: bool = True, **rest):
        super().__init__()

class Net(Base):
    pass

class Typed(Generic[T], other.Module):
    def forward(self, x): ...
'''


def entries(folder: Path, source: str | bytes) -> list[ClassEntry]:
    path = folder / "nets.py"
    path.write_bytes(source if isinstance(source, bytes) else source.encode())
    return list_classes(str(path))


def test_modules_come_first_then_classes_then_functions(tmp_path: Path) -> None:
    """Modules are known through the classes of the file; private functions are left out."""
    found = entries(tmp_path, SOURCE)
    assert [entry.name for entry in found] == ["Base", "Net", "Typed", "Options", "build"]
    assert [entry.is_module for entry in found] == [True, True, True, False, False]
    assert found[-1].is_function and found[0].line == 14


def test_constructor_arguments_keep_their_defaults(tmp_path: Path) -> None:
    """What must be given is told apart from what has a default."""
    base, *_, build = entries(tmp_path, SOURCE)
    assert [(argument.name, argument.default) for argument in base.arguments] == [("width", None), ("depth", "3"), ("bias", "True")]
    assert base.needs == ("width",)
    assert build.needs == ("wide",)


def test_the_file_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading leaves no trace of the file's own statements."""
    monkeypatch.chdir(tmp_path)
    entries(tmp_path, SOURCE)
    assert not (tmp_path / "ran.txt").exists()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("class Net(:\n", "source-not-python"),
        (b"\xff\xfe\x00class", "source-not-python"),
        ("x = 1\0", "source-not-python"),
        ("(" * 100_000, "source-not-python"),
        ("x = 1\n", "source-nothing"),
        (b"#" * (SOURCE_LIMIT_BYTES + 1), "source-too-large"),
    ],
)
def test_a_bad_file_has_a_code(tmp_path: Path, source: str | bytes, code: str) -> None:
    """Whatever is wrong with the file, the error says which kind it is and names the file."""
    with pytest.raises(SourceError) as caught:
        entries(tmp_path, source)
    assert caught.value.code == code
    assert caught.value.values["name"] == "nets.py"


def test_a_missing_file_says_why(tmp_path: Path) -> None:
    """The system's reason is kept."""
    with pytest.raises(SourceError) as caught:
        list_classes(str(tmp_path / "none.py"))
    assert caught.value.values["reason"] == "No such file or directory"


def test_an_encoding_line_is_obeyed(tmp_path: Path) -> None:
    """A source in GBK with its coding line is read."""
    assert entries(tmp_path, "# coding: gbk\nclass 网络(Module): ...\n".encode("gbk"))[0].name == "网络"


@given(source=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_only_source_error_escapes(tmp_path: Path, source: bytes) -> None:
    """No file whatever makes anything but `SourceError`."""
    with contextlib.suppress(SourceError):
        entries(tmp_path, source)
