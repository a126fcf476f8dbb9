"""Each import rule is kept by the tree, and broken by an import against it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
COMMAND = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()", "--no-cache"]


@pytest.fixture
def tree(tmp_path):
    """A copy of the sources."""
    for name in ("engine", "gui"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(tree):
    done = subprocess.run(COMMAND, cwd=tree, capture_output=True, text=True)
    return done.returncode, " ".join(done.stdout.split())


def test_the_tree_keeps_every_rule(tree):
    code, said = lint(tree)
    assert code == 0, said


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("gui/models/__init__.py", "import gui.widgets", "1. "),
        ("engine/job.py", "import gui.text", "1b. "),
        ("engine/statistics.py", "def f():\n    import engine.supervisor", "1c. "),
        ("gui/widgets/__init__.py", "import engine.supervisor", "1c. "),
        ("engine/history.py", "import engine.thread", "1d. "),
        ("engine/supervisor.py", "import PySide6.QtCore", "2. "),
        ("gui/app.py", "def f():\n    import torch", "3. "),
        ("engine/report/__init__.py", "import onnxruntime", "3. "),
        ("engine/launch.py", "def f():\n    import engine.worker.loop", "3b. "),
        ("engine/messages.py", "import pickle", "4. "),
        ("engine/worker/loop.py", "import pickle", "4. "),
    ],
)
def test_an_import_against_a_rule_is_found(tree, module, line, rule):
    with (tree / module).open("a") as file:
        file.write(f"\n{line}\n")
    code, said = lint(tree)
    assert code != 0
    assert f"{rule}" in said.split("Contracts:")[0]
    broken = said.split("Broken contracts")[1]
    assert f" {rule}" in broken


@pytest.mark.parametrize(
    ("module", "line", "code"),
    [
        ("gui/models/x.py", "from PySide6.QtWidgets import QWidget", "TID251"),
        ("gui/theme.py", "from PySide6 import QtWidgets", "TID251"),
        ("engine/files/x.py", "import pickle\npickle.loads(b'')", "S301"),
        ("gui/app.py", "import pickle\npickle.loads(b'')", "S301"),
    ],
)
def test_ruff_knows_what_import_linter_cannot_see(module, line, code):
    command = [sys.executable, "-m", "ruff", "check", "--output-format=concise", "--stdin-filename", module, "-"]
    said = subprocess.run(command, cwd=ROOT, input=line + "\n", capture_output=True, text=True).stdout
    assert code in said
