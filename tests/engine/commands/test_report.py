"""`report RUN.json -o OUT.html`: the page, or two lines that say why not."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import numpy as np
import pytest

from engine import report, storage
from engine.commands.report import main
from engine.history import save_run
from engine.sampling import SampleArrays, encode_for_run
from tests.support.runs import make_outcome, make_run, make_samples

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """A run on disk."""
    path = tmp_path / "run's \"one\" 模型.json"
    save_run(make_run(), path)
    return path


def _two_lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    lines = err.splitlines()
    assert len(lines) == 2, err
    assert all(line.strip() for line in lines) and "Traceback" not in err
    return lines


@pytest.mark.parametrize(("language", "words"), [("en", "How it was measured"), ("zh", "测量方法")])
def test_it_writes_the_page(saved: Path, capsys: pytest.CaptureFixture[str], language: str, words: str) -> None:
    """In the language asked for; nothing is said."""
    out = saved.parent / "页 page.html"
    assert main([str(saved), "-o", str(out), "--language", language]) == 0
    assert words in out.read_text(encoding="utf-8")
    assert capsys.readouterr() == ("", "")
    assert sorted(saved.parent.iterdir()) == sorted([saved, out])


def test_an_older_page_is_replaced(saved: Path) -> None:
    """Whole, in one step."""
    out = saved.parent / "page.html"
    out.write_text("older")
    assert main([str(saved), "-o", str(out)]) == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"), (b"", "is not a run"), (b"{", "is not a run"), (b"[]", "is not a run"), (b"null", "is not a run"), (b"\xff\xfe\x00", "is not a run"),
        (b'{"schema": 1}', "is not a run"), (b'{"schema": 2, "anything": 1}', "newer"), (b"[" * 100_000, "is not a run"),
    ],
)
def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None, words: str) -> None:
    """With the file's name and what to do; the file stays as it is, and no page is begun."""
    path, out = tmp_path / "run.json", tmp_path / "page.html"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path), "-o", str(out)]) == 2
    first, _ = _two_lines(capsys)
    assert "run.json" in first and words in first
    assert not out.exists() and (content is None or path.read_bytes() == content)


def test_a_half_written_run_is_refused(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Cut off anywhere."""
    whole = saved.read_bytes()
    for share in (0.1, 0.5, 0.999):
        saved.write_bytes(whole[: int(len(whole) * share)])
        assert main([str(saved), "-o", str(saved.parent / "page.html")]) == 2
        assert "is not a run" in _two_lines(capsys)[0]


def test_a_folder_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nor is it read."""
    assert main([str(tmp_path), "-o", str(tmp_path / "page.html")]) == 2
    assert "cannot be read" in _two_lines(capsys)[0]


@pytest.mark.parametrize("out", ["missing/page.html", "."])
def test_a_place_that_cannot_be_written_is_code_5(saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, out: str) -> None:
    """A folder that is not there, or a folder in the page's place; nothing half is left behind."""
    monkeypatch.chdir(saved.parent)
    assert main([saved.name, "-o", out]) == 5
    assert "was not saved" in _two_lines(capsys)[0]
    assert list(saved.parent.iterdir()) == [saved]


def test_a_full_disk_keeps_the_older_page(saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """/dev/full's answer comes while the new page is written beside it."""
    out = saved.parent / "page.html"
    out.write_text("older")

    def full(descriptor: int, data: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(storage.os, "write", full)
    assert main([str(saved), "-o", str(out)]) == 5
    monkeypatch.undo()
    assert "the disk is full" in _two_lines(capsys)[0]
    assert out.read_text() == "older" and sorted(saved.parent.iterdir()) == sorted([saved, out])


def test_the_page_never_takes_the_run_s_place(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not by another spelling of its path either."""
    before = saved.read_bytes()
    assert main([str(saved), "-o", str(saved.parent / "." / saved.name)]) == 2
    assert "the run itself" in _two_lines(capsys)[0]
    assert saved.read_bytes() == before


@pytest.mark.parametrize("arguments", [[], ["run.json"], ["-o", "x.html"], ["run.json", "-o", "x.html", "--language", "fr"], ["run.json", "-o", "x.html", "--odd"]])
def test_wrong_arguments_are_refused(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """Two lines, not a page of usage."""
    assert main(arguments) == 2
    assert "--help" in _two_lines(capsys)[1]


def test_help_is_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard output."""
    assert main(["--help"]) == 0
    assert "OUT.html" in capsys.readouterr().out


def test_a_fault_of_the_program_is_code_1_in_two_lines(saved: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The traceback comes with --debug only."""

    def broken(*_: object) -> str:
        raise RuntimeError("odd\nline")

    monkeypatch.setattr(report, "render", broken)
    assert main([str(saved), "-o", str(saved.parent / "page.html")]) == 1
    assert "RuntimeError: odd line" in _two_lines(capsys)[0]
    assert main([str(saved), "-o", str(saved.parent / "page.html"), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_million_samples_make_a_page_of_at_most_3_mb_within_5_s(tmp_path: Path) -> None:
    """In a process of its own, its start included; neither torch nor Qt is imported."""
    plain = make_samples(count=1_000_000, median_ms=0.05, visits=12)
    arrays = SampleArrays(
        start_ns=plain.start_ns, latency_ns=plain.latency_ns, phase=plain.phase.astype(np.uint8), visit=plain.visit.astype(np.int32),
    )
    outcome = msgspec.structs.replace(make_outcome(), samples=encode_for_run(arrays))
    run, out = tmp_path / "run.json", tmp_path / "page.html"
    save_run(make_run((outcome,)), run)
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "engine.commands.report", str(run), "-o", str(out)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )
    seconds = time.perf_counter() - began
    assert (done.returncode, done.stdout) == (0, "")
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "bokeh" in imported and not imported & {"torch", "PySide6", "pandas"}
    assert [line for line in done.stderr.splitlines() if not line.startswith("import time:")] == []
    assert out.stat().st_size <= 3_000_000
    assert seconds < 5.0
    assert "of 1,000,040 samples are drawn" in out.read_text(encoding="utf-8")
