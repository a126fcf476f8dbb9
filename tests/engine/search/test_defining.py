"""Python files that define what a whole module lacks: the likeliest first, none of them run."""

from __future__ import annotations

import os

import pytest

from engine.files import inspect_file
from engine.search.beside import BUDGET_S
from engine.search.defining import LIMIT, defining_candidates
from tests.support import model_files as make

MISSING = ("__main__.Net", "__main__.Block")
BOTH = "open({canary!r}, 'w')\nclass Block: ...\nclass Net: ...\n"


def write(path, text, canary="/nowhere"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.format(canary=str(canary)))


def found_in(folder, missing=MISSING, architecture="__main__.Net", **named):
    return {os.path.relpath(each.spec, folder): each.score for each in defining_candidates(missing, architecture, str(folder), **named)}


def test_the_file_with_the_modules_own_class_and_most_of_the_others_is_first(tmp_path):
    """The score is the share that it defines; nothing is run."""
    canary = tmp_path / "ran"
    for name, text in (("a_blocks.py", "class Block: ...\n"), ("b_net.py", "class Net: ...\n"), ("train.py", BOTH), ("other.py", "class Other: ...\n")):
        write(tmp_path / name, text, canary)
    assert list(found_in(tmp_path).items()) == [("train.py:Net", 1.0), ("b_net.py:Net", 0.5), ("a_blocks.py:Block", 0.5)]
    assert not canary.exists()


def test_a_file_of_the_modules_name_and_one_that_was_handed_over_go_before_others(tmp_path):
    for name in ("w/a.py", "w/net.py", "given/z.py"):
        write(tmp_path / name, "class Net: ...\n")
    assert next(iter(found_in(tmp_path / "w", ("net.Net",), "net.Net"))) == "net.py:Net"
    assert next(iter(found_in(tmp_path / "w", ("__main__.Net",), near=(str(tmp_path / "given" / "z.py"),)))) == "../given/z.py:Net"


def test_of_a_container_of_torchs_the_first_that_is_missing_counts(tmp_path):
    write(tmp_path / "train.py", BOTH)
    assert found_in(tmp_path, ("__main__.Block",), "torch.nn.modules.container.Sequential") == {"train.py:Block": 1.0}


@pytest.mark.parametrize("text", ["class Net(:\n", "def Net(): ...\n", "# class Net: is elsewhere\nx = 1\n", "class Network: ...\n", "if True:\n    class Net: ...\n", "\udcff"])
def test_what_defines_no_such_class_is_none(tmp_path, text):
    (tmp_path / "net.py").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert found_in(tmp_path) == {}


def test_no_more_than_a_few_and_no_longer_than_the_time(tmp_path):
    for number in range(LIMIT + 3):
        write(tmp_path / f"net{number}.py", BOTH)
    assert len(found_in(tmp_path)) == LIMIT
    times = iter([0.0, 0.0, 0.0, *[2 * BUDGET_S] * 50])
    assert len(found_in(tmp_path, clock=lambda: next(times))) <= 1


def test_inspecting_a_whole_module_names_them(tmp_path):
    """In the file's own folder, and in what came with it; a module whose classes are torch's has none."""
    (tmp_path / "m.pt").write_bytes(make.zipped(make.net()))
    assert inspect_file(str(tmp_path / "m.pt")).candidates == ()
    write(tmp_path / "train.py", BOTH)
    (found,) = inspect_file(str(tmp_path / "m.pt")).candidates
    assert (found.spec, found.origin, found.score, found.fit) == (f"{tmp_path / 'train.py'}:Net", "file", 1.0, None)
