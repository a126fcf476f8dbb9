"""The command for a terminal: complete, and the same words again after a shell has read it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.commands.options import parse_profile
from engine.inputs import parse_input
from gui.models.model_list import ModelList
from gui.models.terminal import terminal_command
from tests.support.fake_engine import inspected

PATH = "/models/it's a $(model) ; 模型.pth"
CLASS = "/my nets/net.py:Net(name='a b', width=3)"


@pytest.fixture
def models(qapp):
    made = ModelList()
    made.add(PATH)
    made.apply(inspected(PATH, kind="module", requires_trust=True, danger="dangerous", missing_classes=("__main__.Net",)))
    return made


def read(command):
    """What a shell makes of it."""
    said = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], check=True, capture_output=True, env={}).stdout.decode()
    python, main, word, *arguments = said.removesuffix("\0").split("\0")
    assert (python, word) == (sys.executable, "profile") and Path(main).is_absolute() and Path(main).name == "main.py" and Path(main).is_file()
    return parse_profile(arguments)


def test_the_class_that_was_chosen_goes_along(models):
    """And both words of consent."""
    models.set_architecture(CLASS)
    given = read(terminal_command(models.current, None))
    assert (given.file, given.arch, given.trust, given.trust_dangerous, given.python) == (PATH, CLASS, True, Path(PATH).name, None)


def test_inputs_that_were_given_and_the_python_go_along(models):
    """What was guessed is guessed again there; what lacks a size cannot be given."""
    models.set_inputs((msgspec.structs.replace(parse_input("f32[B,3]"), source="guessed"),), edited=False)
    assert not read(terminal_command(models.current, None)).input
    models.set_inputs((parse_input("x=f32[B,3]"), parse_input("@/d/my data.npy")))
    given = read(terminal_command(models.current, "/my venv/bin/python"))
    assert [str(each) for each in given.input] == ["x=f32[B,3]", "@/d/my data.npy"] and given.python == "/my venv/bin/python"
    models.set_inputs((parse_input("x=f32[B,W]"),))
    assert not read(terminal_command(models.current, None)).input
