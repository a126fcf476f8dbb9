"""Which class bare weights get on the command line: what may be tried without a yes, what is taken, what is listed and refused."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec
import pytest

from engine.candidates import Candidate, Fit
from engine.commands import classes, facts
from engine.commands.options import Refused
from engine.events import ClassesRanked, FileInspected
from engine.job import ModelSource
from engine.result import ModelInfo, Reason
from engine.words import failure, say

WHOLE = Fit(matching=4, keys=4)
PARTLY = Fit(matching=3, keys=5, missing=("third.weight",), unexpected=("head.bias",), missing_count=1, unexpected_count=1)
INFO = ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict", tensors=4, values=340)
SOURCE = ModelSource("/m.pth", "state-dict")


class Engine:
    """Answers as told and notes what it was asked to build."""

    def __init__(self, *fits, failed=None):
        self.fits, self.failed, self.built, self.config = dict(fits), failed, [], None

    def warm_up(self):
        """Nothing to start."""

    def rank_classes(self, source, candidates, config):
        """Those whose fit is known come back with it."""
        self.built += [each.spec for each in candidates]
        self.config = config
        found = [Candidate(spec=each.spec, origin=each.origin, score=self.fits[each.spec].score, fit=self.fits[each.spec]) for each in candidates if each.spec in self.fits]
        return ClassesRanked(path=source.path, candidates=tuple(found), failure=self.failed)


def given(**changes):
    """Options of a command."""
    return argparse.Namespace(**{"arch": None, "trust": False, "allow_missing": False, "demo": False, **changes})


def inspected(*candidates, **changes):
    """Bare weights with candidates."""
    return FileInspected(path="/m.pth", info=INFO, candidates=candidates, config={"width": 16}, **changes)


def candidate(spec, origin="torchvision", score=0.5, **changes):
    """As the index or the source tells."""
    return Candidate(spec=spec, origin=origin, score=score, **changes)


@pytest.fixture
def file(tmp_path):
    """A class file."""
    path = tmp_path / "nets (1).py"
    path.write_text("from torch import nn\n\n\nclass Net(nn.Module):\n    pass\n\n\nclass Block(nn.Module):\n    pass\n")
    return path


def test_a_librarys_class_that_fits_is_taken_silently(capsys):
    engine = Engine(("torchvision.models:resnet18", WHOLE))
    settled = classes.settle_class(engine, inspected(candidate("torchvision.models:resnet18")), SOURCE, given())
    assert settled.architecture == "torchvision.models:resnet18"
    assert engine.config == {"width": 16}
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("origin", ["remembered", "config", "timm", "transformers"])
def test_so_is_each_origin_that_needs_no_consent(origin, capsys):
    assert classes.settle_class(Engine(("a.b:C", WHOLE)), inspected(candidate("a.b:C", origin)), SOURCE, given()).architecture == "a.b:C"
    assert capsys.readouterr() == ("", "")


def test_a_file_of_this_machine_is_not_built_without_a_yes(file, capsys):
    engine = Engine((f"{file}:Net", WHOLE))
    with pytest.raises(Refused) as refused:
        classes.settle_class(engine, inspected(candidate(f"{file}:Net", "file", 0.99)), SOURCE, given())
    assert engine.built == []
    assert f"{file}:Net" in refused.value.summary
    assert "99 %" in refused.value.summary
    assert "--trust" in refused.value.hint
    assert f" 99 %  {file}:Net  (file)" in capsys.readouterr().out


@pytest.mark.parametrize("how", ["trust", "file", "folder"])
def test_a_yes_takes_it_and_says_so(file, capsys, how):
    engine = Engine((f"{file}:Net", WHOLE))
    options = {"trust": given(trust=True), "file": given(arch=str(file)), "folder": given(arch=str(file.parent))}[how]
    settled = classes.settle_class(engine, inspected(candidate(f"{file}:Net", "file"), candidate(f"{file}:Block", "file")), SOURCE, options)
    assert settled.architecture == f"{file}:Net"
    out, err = capsys.readouterr()
    assert out == ""
    assert err == f"Class: {file}:Net; every key and shape fits.\n"


def test_files_elsewhere_do_not_count_where_one_is_named(file, tmp_path):
    other = tmp_path / "other.py"
    other.write_text("class Net: pass\n")
    engine = Engine((f"{other}:Net", WHOLE), ("a.b:C", WHOLE))
    with pytest.raises(Refused):
        classes.settle_class(engine, inspected(candidate(f"{other}:Net", "file"), candidate("a.b:C")), SOURCE, given(arch=str(file)))
    assert engine.built == []


def test_a_file_is_not_tried_when_a_librarys_class_fits(file):
    engine = Engine((f"{file}:Net", WHOLE), ("a.b:C", WHOLE))
    assert classes.settle_class(engine, inspected(candidate(f"{file}:Net", "file"), candidate("a.b:C")), SOURCE, given(trust=True)).architecture == "a.b:C"
    assert engine.built == ["a.b:C"]


def test_less_than_perfect_is_listed_and_refused(file, capsys):
    with pytest.raises(Refused) as refused:
        classes.settle_class(Engine((f"{file}:Net", PARTLY)), inspected(candidate(f"{file}:Net", "file")), SOURCE, given(trust=True))
    assert "60 %: missing third.weight; unexpected head.bias" in refused.value.summary
    assert f"--arch '{file}:Net' --allow-missing" in refused.value.hint
    assert refused.value.exit_code == 2
    assert capsys.readouterr().out == f" 60 %  {file}:Net  (file)  missing third.weight; unexpected head.bias\n"


def test_it_is_taken_where_that_is_allowed_and_is_said(file, capsys):
    settled = classes.settle_class(Engine((f"{file}:Net", PARTLY)), inspected(candidate(f"{file}:Net", "file")), SOURCE, given(arch=str(file), allow_missing=True))
    assert settled.architecture == f"{file}:Net"
    assert "random" in capsys.readouterr().err


def test_what_could_not_be_built_keeps_its_place_in_the_list(file, capsys):
    needing = candidate(f"{file}:Net", "file", 0.9, needs=("width",))
    with pytest.raises(Refused) as refused:
        classes.settle_class(Engine((f"{file}:Block", PARTLY)), inspected(needing, candidate(f"{file}:Block", "file", 0.2)), SOURCE, given(trust=True))
    assert "width" in refused.value.summary
    assert capsys.readouterr().out.splitlines()[0] == f" 90 %  {file}:Net  (file)  by its source; needs width"


def test_why_one_is_left_out_stands_below_the_list(file, capsys):
    """What a candidate did to its worker is told, and nothing that it says reaches the terminal as an order."""
    values = {"spec": "net.py:Net", "error": "no \x1b[2Jsuch luck"}

    class Breaking(Engine):
        def rank_classes(self, source, candidates, config):
            return ClassesRanked(path=source.path, notes=(Reason("search-not-built", values, say("search-not-built", values)),))

    with pytest.raises(Refused):
        classes.settle_class(Breaking(), inspected(candidate(f"{file}:Net", "file", 0.9)), SOURCE, given(trust=True))
    out = capsys.readouterr().out.splitlines()
    assert out[0] == f" 90 %  {file}:Net  (file)  by its source"
    assert out[1].startswith("net.py:Net could not be built: no ") and "\x1b" not in out[1]
    ranked = classes.rank(Breaking(), inspected(candidate(f"{file}:Net", "file", 0.9)), SOURCE, given(trust=True))
    assert facts.candidate_rows(*ranked) == [("candidate", out[0]), ("note", out[1])]


def test_what_fits_with_several_values_of_an_argument_is_not_taken(file, capsys):
    """Weights do not tell a stride: somebody must."""

    class Untold(Engine):
        def rank_classes(self, source, candidates, config):
            return ClassesRanked(path=source.path, candidates=(Candidate(spec=f"{file}:Net(stride=1)", origin="file", score=1.0, fit=WHOLE, needs=("stride",)),))

    with pytest.raises(Refused) as refused:
        classes.settle_class(Untold(), inspected(candidate(f"{file}:Net", "file")), SOURCE, given(trust=True))
    assert "stride" in refused.value.summary
    assert f"--arch '{file}:Net(stride=1)'" in refused.value.hint
    assert capsys.readouterr().out == f"100 %  {file}:Net(stride=1)  (file)  needs stride\n"


def test_an_indexed_class_that_fits_is_not_built_again():
    engine = Engine()
    found = candidate("torchvision.models:resnet18", score=1.0, fit=WHOLE)
    assert classes.settle_class(engine, inspected(found), SOURCE, given()).architecture == found.spec
    assert engine.built == []


def test_a_long_list_is_cut_and_counted():
    lines = classes.candidate_lines(candidate(f"a.b:C{number}") for number in range(14))
    assert len(lines) == 11
    assert lines[-1] == "... and 4 more"


def test_nothing_known_asks_for_the_class(file):
    with pytest.raises(Refused) as refused:
        classes.settle_class(Engine(), inspected(), SOURCE, given())
    assert "4 tensors, 340 values" in refused.value.summary
    with pytest.raises(Refused) as refused:
        classes.settle_class(Engine(), inspected(), SOURCE, given(arch=str(file)))
    assert file.name in refused.value.summary


def test_a_search_that_fails_is_told(file):
    failed = failure("load-failed", "class-import-missing", {"where": file.name, "package": "einops"})
    with pytest.raises(Refused) as refused:
        classes.settle_class(Engine(failed=failed), inspected(candidate(f"{file}:Net", "file")), SOURCE, given(trust=True))
    assert "einops" in refused.value.summary


def test_what_is_named_is_not_searched_for(file):
    engine = Engine()
    named = ModelSource("/m.pth", "state-dict", f"{file}:Net")
    assert classes.settle_class(engine, inspected(candidate("a.b:C")), named, given()) is named
    assert classes.settle_class(engine, inspected(), ModelSource("/m.pt", "module"), given()).architecture is None
    assert engine.built == []


def whole_module(*missing):
    """A whole module whose classes lie elsewhere."""
    return FileInspected(path="/m.pt", info=ModelInfo(path="/m.pt", sha256="0" * 64, kind="module"), missing_classes=missing)


@pytest.mark.parametrize("place", ["file", "folder"])
def test_of_a_whole_module_the_file_that_defines_its_class_is_found(file, place):
    (file.parent / "a_broken.py").write_text("def (:\n")
    arch = str(file if place == "file" else file.parent)
    assert classes.named_class(whole_module("__main__.Block", "__main__.Net"), given(arch=arch)) == f"{file}:Net"


@pytest.mark.parametrize(("folder", "written"), [("", "train.py"), ("sub folder", "'sub folder/train.py'"), ("../other", None)])
def test_the_file_beside_is_written_as_one_types_it(tmp_path, monkeypatch, folder, written):
    work, place = tmp_path / "work", (tmp_path / "work" / folder).resolve()
    for each in (work, place):
        each.mkdir(exist_ok=True)
    monkeypatch.chdir(work)
    found = msgspec.structs.replace(whole_module("__main__.Net"), candidates=(candidate(f"{place / 'train.py'}:Net", origin="file"),))
    assert classes.file_beside(found) == {"where": written or str(place / "train.py"), "name": "Net"}
    assert classes.file_beside(whole_module("__main__.Net")) is None
    assert classes.file_beside(msgspec.structs.replace(found, missing_classes=())) is None


def test_a_file_without_it_is_refused(file):
    with pytest.raises(Refused) as refused:
        classes.named_class(whole_module("__main__.Unet"), given(arch=str(file)))
    assert refused.value.summary == "nets (1).py defines no Unet."


@pytest.mark.parametrize(("content", "words"), [("def (:\n", "line 1"), ("x = 1\n", "no class and no function")])
def test_a_file_that_defines_nothing_is_refused(tmp_path, content, words):
    (tmp_path / "net.py").write_text(content)
    with pytest.raises(Refused) as refused:
        classes.named_class(whole_module("__main__.Net"), given(arch=str(tmp_path / "net.py")))
    assert words in refused.value.summary


def test_a_place_must_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(Refused) as refused:
        classes.place_of("nowhere.py")
    assert "nowhere.py" in refused.value.summary
    Path("nets").mkdir()
    assert classes.place_of("nets") == str(tmp_path / "nets")
    assert classes.place_of("nets:Net") is None
    assert classes.place_of(None) is None


def test_percent_is_rounded_down():
    assert [classes.percent(score) for score in (0.0, 0.995, 0.9999, 1.0)] == [0, 99, 99, 100]
