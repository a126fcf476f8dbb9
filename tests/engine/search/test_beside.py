"""Python files beside the weights: which are read, in which order, within which bounds, and that none is run."""

from __future__ import annotations

import os
import time

from engine.search.beside import BUDGET_S, FILES_LIMIT, file_candidates
from engine.search.scoring import key_tree

KEYS = [("conv.weight", (8, 3, 3, 3)), ("fc.weight", (10, 8)), ("fc.bias", (10,))]
NET = """import torch
from torch import nn
open({canary!r}, "w").write("the file was run")
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3, bias=False), nn.Linear(8, 10)
"""


def found_in(folder, near=(), **named):
    return {os.path.relpath(each.spec, folder): each.score for each in file_candidates(str(folder), near, [key_tree(KEYS)], **named)}


def write(path, canary):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(NET.format(canary=str(canary)))


def test_beside_below_and_handed_over(tmp_path):
    """The folder and one below it; files and folders handed over; not hidden ones, not deeper ones. Nothing is run."""
    canary = tmp_path / "ran"
    for name in ("w/net.py", "w/models/net.py", "w/models/deep/net.py", "w/.hidden/net.py", "w/__pycache__/net.py", "given/file.py", "other/net.py", "far/net.py"):
        write(tmp_path / name, canary)
    near = (str(tmp_path / "given/file.py"), str(tmp_path / "other"), str(tmp_path / "nowhere.py"))
    found = found_in(tmp_path / "w", near)
    assert found == dict.fromkeys(("net.py:Net", "models/net.py:Net", "../given/file.py:Net", "../other/net.py:Net"), 1.0)
    assert not canary.exists()


def test_a_link_to_the_same_file_counts_once(tmp_path):
    write(tmp_path / "net.py", tmp_path / "ran")
    (tmp_path / "again.py").symlink_to(tmp_path / "net.py")
    (tmp_path / "ring").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.py")
    assert found_in(tmp_path) == {"net.py:Net": 1.0}


def test_files_of_other_things_are_not_parsed(tmp_path):
    """What does not speak of torch or has none of the words is left; handed over, it is read all the same."""
    (tmp_path / "other.py").write_text("class Net:\n    def conv(self): return fc\n")
    (tmp_path / "plain.py").write_text("from mine import *\nclass Net(Module):\n    def __init__(self):\n        self.conv = Conv2d(3, 8, 3, bias=False)\n")
    assert found_in(tmp_path) == {}
    assert found_in(tmp_path, (str(tmp_path / "plain.py"),))["plain.py:Net"] > 0.3


def test_a_crowded_folder_is_cut(tmp_path):
    for number in range(FILES_LIMIT + 50):
        write(tmp_path / f"net{number:03}.py", tmp_path / "ran")
    assert len(found_in(tmp_path, clock=lambda: 0.0)) == FILES_LIMIT


def test_the_time_is_bounded(tmp_path):
    """Large and broken files among good ones: over within about the budget."""
    for number in range(40):
        (tmp_path / f"big{number}.py").write_text("import torch\n" + "class A:\n    conv = fc = [1, 2, 3, 4]\n" * 40_000)
    (tmp_path / "nested.py").write_text("torch = class conv fc" + "(" * 500_000)
    (tmp_path / "huge.py").write_bytes(b"class torch conv fc " * 600_000)
    write(tmp_path / "net.py", tmp_path / "ran")
    began = time.monotonic()
    assert "net.py:Net" in found_in(tmp_path)
    assert time.monotonic() - began < 3 * BUDGET_S


def test_no_time_means_no_file(tmp_path):
    write(tmp_path / "net.py", tmp_path / "ran")
    ticks = iter(range(10_000))
    assert found_in(tmp_path, clock=lambda: float(next(ticks))) == {}
