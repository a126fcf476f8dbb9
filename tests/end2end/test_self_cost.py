"""`doctor --self-cost` for real: one round of the window, the engine and the lone loop; and Ctrl-C in the middle of one."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import psutil
import pytest
import torch

from tests.support.command import MARK, begin, command, end_group, marked, still_living

pytestmark = pytest.mark.slow


def test_one_round_gives_both_figures(tmp_path):
    """Whatever else runs on this machine: a disturbed round is not a figure, and is said."""
    arguments = ("--self-cost", "--rounds", 1, "--seconds", 0.2, "--limit", 0.1, "--device", "cpu", "--json", "out.json")
    done = command(tmp_path, tmp_path / "home", "doctor", *arguments, **{MARK: str(tmp_path)})
    if done.returncode == 1:        # other tests ran beside it
        assert re.fullmatch(r"The own cost on cpu was not measured: of \d rounds 0 were quiet\.", done.stderr.splitlines()[0])
    else:
        assert (done.returncode, done.stderr) == (0, "")
        (result,) = json.loads((tmp_path / "out.json").read_bytes())["results"]
        assert 0.3 < result["own"]["ratio"] < 3
        assert 0.3 < result["watching"]["ratio"] < 3
        under_program, beside_lone = result["frames_per_s"]
        assert under_program > 3 and beside_lone > 3, "the window draws in both"
        assert all(median > 10_000 for median in result["rounds_ns"][0])
        assert result["place"]["torch"] == torch.__version__
    assert not (tmp_path / "home" / "history").exists(), "its runs are nobody's history"
    assert still_living(marked(str(tmp_path)), within_s=2.0) == []


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGKILL])
def test_an_interruption_leaves_nothing_running(tmp_path, sig):
    """Window, fork server, worker and lone process are gone, even when nobody was left to end them."""
    process = begin(tmp_path, tmp_path / "home", "--self-cost", "--seconds", 30, word="doctor", **{MARK: str(tmp_path)})
    try:
        ours = _until_measuring(process)
        os.kill(process.pid, sig)
        process.communicate(timeout=20)
        assert process.returncode == (130 if sig != signal.SIGKILL else -signal.SIGKILL)
        assert still_living(ours, within_s=5.0) == []
    finally:
        end_group(process)


def _until_measuring(process):
    """All descendants, once the lone process and a worker are among them."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        ours = psutil.Process(process.pid).children(recursive=True)
        said = [line for line in map(_said, ours) if line]
        if any("lone.py" in line for line in said) and sum("engine.launch" in line for line in said) >= 2:
            return ours
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
    raise AssertionError("it never began to measure")


def _said(process):
    """A process's command line; None when it has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return None
