"""Another Python runs the model: its torch, its packages, and of the program's own nothing but msgspec."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from engine import failures
from engine.process import child_environment
from tests.support import jobs, nets, other_python, schema
from tests.support.command import ROOT, command, profile, two_lines

pytestmark = pytest.mark.slow
PACKAGE = "somebodys_layers"
"""Installed in the other Python only."""
CLASS = f"""
import importlib.util, json, msgspec, sys, torch
from {PACKAGE} import WIDTH
from torch import nn

class Net(nn.Module):
    def __init__(self, report=None):
        super().__init__()
        self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 4)
        if report:
            with open(report, "w") as stream:
                json.dump({{"python": sys.executable, "torch": torch.__file__, "msgspec": msgspec.__file__, "psutil": importlib.util.find_spec("psutil") is not None}}, stream)

    def forward(self, x):
        return self.second(self.first(x).relu())
"""


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A Python of its own: torch and numpy, a package that is not here, no msgspec."""
    folder = tmp_path_factory.mktemp("other")
    python = other_python.make(folder / "environment")
    other_python.install(python, folder, PACKAGE, "WIDTH = 16\n")
    lacks = subprocess.run([python, "-c", "import msgspec"], capture_output=True, text=True, timeout=30, env={"PATH": ""})
    assert "No module named 'msgspec'" in lacks.stderr
    return python


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """History and cache of all commands here."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def model(tmp_path):
    """Weights, and the file of their class beside them."""
    (tmp_path / "net.py").write_text(CLASS)
    return jobs.save(tmp_path, nets.Linears(), "m.pth")


def test_its_torch_and_packages_run_the_model(tmp_path, home, model, other):
    """The run says which Python, which torch; nothing of the program's packages but msgspec is there."""
    done = profile(tmp_path, home, model, "--arch", "net.py:Net", "--input", "f32[B,16]", "--plan", "quick", "--python", other, "--json", "run.json")
    assert (done.returncode, done.stderr) == (0, "")
    run = json.loads((tmp_path / "run.json").read_bytes())
    schema.check_run(run)
    assert run["environment"]["interpreter"] == str(other)
    assert "msgspec" not in run["environment"]["packages"]
    asked = subprocess.run([other, "-c", "import torch; print(torch.__version__)"], capture_output=True, text=True, timeout=60)
    assert run["environment"]["torch"] == asked.stdout.strip()
    assert f"--python {other}" in run["command"]


def test_only_msgspec_is_lent(tmp_path, model, other):
    """In its worker torch is its own, msgspec the program's, and what else the program brings cannot be imported."""
    code = "from engine.launch import borrow_msgspec; borrow_msgspec(); import net; net.Net('said.json')"
    environment = child_environment()
    environment["PYTHONPATH"] += os.pathsep + str(tmp_path)
    subprocess.run([other, "-c", code], cwd=tmp_path, env=environment, check=True, timeout=60)
    said = json.loads((tmp_path / "said.json").read_bytes())
    assert said["torch"].startswith(str(other.parents[1]))
    assert said["msgspec"] == os.path.join(environment["MODEL_DYNO_MSGSPEC"], "__init__.py")
    assert said["psutil"] is False


def test_without_it_the_package_is_named_with_both_ways_out(tmp_path, home, model):
    """Install it here, or choose the Python that has it."""
    done = profile(tmp_path, home, model, "--arch", "net.py:Net", "--input", "f32[B,16]", "--plan", "quick")
    assert done.returncode == 2
    first, second = two_lines(done.stderr)
    assert PACKAGE in first
    assert f"pip install {PACKAGE}" in second
    assert "--python" in second


def test_what_it_cannot_do_is_found_by_asking_it(tmp_path, home, models_folder, other):
    """It has no ONNX Runtime, although the program's own Python does."""
    done = profile(tmp_path, home, models_folder / "ppocr_cls.onnx", "--input", "x=f32[B,3,48,192]", "--plan", "quick", "--python", other)
    assert done.returncode == 3
    assert "ONNX Runtime" in two_lines(done.stderr)[0]


def test_inspect_deep_asks_it_too(tmp_path, home, model, other):
    """The class needs its package, and the inputs are found there."""
    done = command(tmp_path, home, "inspect", "--deep", model, "--arch", "net.py:Net", "--python", other, "--json", "deep.json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads((tmp_path / "deep.json").read_bytes())
    assert [(spec["shape"], spec["ran"]) for spec in found["inputs"]] == [(["B", 16], True)]


def test_a_python_that_msgspec_was_not_built_for_is_told_what_to_install(tmp_path, other):
    """Its compiled part fits one minor version: without it the sentence names package, Python and command."""
    (tmp_path / "msgspec").mkdir()
    (tmp_path / "msgspec" / "__init__.py").write_text("from msgspec import _core\n")
    environment = child_environment() | {"MODEL_DYNO_MSGSPEC": str(tmp_path / "msgspec")}
    done = subprocess.run(
        [other, "-c", "from engine.launch import borrow_msgspec; borrow_msgspec()"], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    told = failures.start_failure(str(other), done.stderr)
    assert told.summary == f"{other} lacks the package msgspec, which running a model takes."
    assert f"`{other} -m pip install msgspec`" in told.hint


def test_one_that_has_a_msgspec_of_its_own_keeps_it(tmp_path, other):
    """What the other Python brings wins."""
    own = tmp_path / "own" / "msgspec"
    own.mkdir(parents=True)
    (own / "__init__.py").write_text("mine = True\n")
    environment = child_environment()
    environment["PYTHONPATH"] += os.pathsep + str(tmp_path / "own")
    code = "from engine.launch import borrow_msgspec; borrow_msgspec(); import msgspec; assert msgspec.mine"
    assert subprocess.run([other, "-c", code], cwd=Path(ROOT), env=environment, timeout=60).returncode == 0
