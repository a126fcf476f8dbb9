"""The real `compare`, from the command line to the last line."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

from tests.support import jobs, nets, spun
from tests.support.command import begin, command, end_group

SPUN = Path(spun.__file__).resolve()
CLASS = f"{SPUN}:SpunLinears"


def test_a_loop_made_half_as_slow_again_is_slower(tmp_path):
    """With the real lengths of blocks and looks."""
    weights = jobs.save(tmp_path, nets.Linears())
    sides = [f"{weights}::arch={CLASS}({share})" for share in (0.0, 0.5)]
    done = command(tmp_path, tmp_path / "home", "compare", *sides, "--input", "f32[B,16]", "--fail-on-slower", "--json", "run.json")
    assert done.returncode == 4, done.stderr
    assert done.stdout.splitlines()[-1].startswith("SLOWER 1.")
    assert done.stderr == ""
    run = json.loads((tmp_path / "run.json").read_bytes())
    assert run["comparison"]["verdict"] == "SLOWER" and run["comparison"]["ci95"][0] > 1.1


def test_ctrl_c_keeps_what_was_measured(tmp_path):
    """The first one lets the round end; the run is in the history, without a verdict."""
    weights = jobs.save(tmp_path, nets.Linears())
    home = tmp_path / "home"
    process = begin(tmp_path, home, weights, weights, "--arch", f"{jobs.NETS}:Linears", "--input", "f32[B,16]", "--debug", word="compare")
    try:
        history = home / "history"
        while not _blocks(history):
            assert process.poll() is None, process.communicate()
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        raise AssertionError("it does not end") from None
    finally:
        end_group(process)
    assert process.returncode == 130
    assert out.splitlines()[-1].startswith("CANNOT-TELL ")
    (kept,) = history.glob("*.json")
    run = json.loads(kept.read_bytes())
    assert run["finished"] and run["comparison"]["verdict"] == "CANNOT-TELL"
    assert [outcome["status"] for outcome in run["outcomes"]] == ["cancelled", "cancelled"]


def _blocks(history):
    """Whether the run in the history has begun."""
    return any(b'"outcomes":[{' in path.read_bytes() for path in history.glob("*.json"))
