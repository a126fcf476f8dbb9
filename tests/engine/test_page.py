"""The page is made by a process of its own."""

from __future__ import annotations

import pytest

from engine import history
from engine.page import write_report_in_child
from tests.support import runs


@pytest.fixture
def kept(tmp_path):
    path = tmp_path / "run.json"
    history.save_run(runs.make_run(), path)
    return path


def test_a_child_writes_the_page_in_the_language_asked_for(tmp_path, kept):
    out = tmp_path / "page 模型.html"
    process = write_report_in_child(kept, out, "zh")
    said = process.communicate(timeout=60)[1]
    assert (process.returncode, said) == (0, b"")
    assert '<html lang="zh' in out.read_text("utf-8")[:300]


def test_a_place_that_cannot_be_written_is_an_exit_code_and_two_lines(tmp_path, kept):
    process = write_report_in_child(kept, tmp_path / "no folder" / "page.html", "en")
    said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 5
    assert len(said.strip().splitlines()) == 2
    assert list(tmp_path.iterdir()) == [kept]
