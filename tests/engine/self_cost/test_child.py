"""A round as its starter sees it: heard, refused, ended with everything that it started."""

from __future__ import annotations

import json
import os
import sys

import msgspec
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.self_cost import child
from engine.self_cost.child import RoundProcess
from engine.workers import ConfigurationEnded
from tests.support.command import still_living
from tests.support.costs import SPEC, a_round

DONE = json.dumps({"round": msgspec.to_builtins(a_round())})


def take(tmp_path, code, hear=lambda number: None, **changes):
    return RoundProcess(SPEC, tmp_path, hear, (sys.executable, "-c", code)).take()


def test_a_round_is_heard_stretch_by_stretch(tmp_path):
    """What a library prints between is passed over."""
    heard = []
    lines = ['{"stretch": 0}', "a library's remark", "[1]", '{"stretch": 1}', DONE]
    code = f"print({chr(10).join(lines)!r}, flush=True)"
    assert take(tmp_path, code, heard.append) == a_round()
    assert heard == [0, 1]


def test_the_window_has_places_of_its_own_and_no_secret(tmp_path, monkeypatch):
    """And draws into memory where no display answers."""
    monkeypatch.setenv("DISPLAY", ":54321")
    monkeypatch.setenv("SOME_TOKEN", "x")
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    code = (
        "import json, os, sys; spec = json.loads(sys.argv[1]); assert spec['device'] == 'cpu', spec; assert 'SOME_TOKEN' not in os.environ; "
        f"assert os.environ['MODEL_DYNO_HOME'] == {str(tmp_path)!r}; assert os.environ['QT_QPA_PLATFORM'] == 'offscreen'; print({DONE!r})"
    )
    assert take(tmp_path, code) == a_round()


def test_a_round_that_fails_says_its_last_words(tmp_path):
    with pytest.raises(ConfigurationEnded) as ended:
        take(tmp_path, "import sys; sys.exit('libEGL.so.1: cannot open shared object file')")
    assert "libEGL.so.1" in ended.value.failure.summary
    assert ended.value.failure.details["exit_code"] == 1


def test_a_round_that_falls_silent_is_ended_with_what_it_started(tmp_path, monkeypatch):
    """Its group goes with it."""
    monkeypatch.setattr(child, "START_S", 2.0)
    other = tmp_path / "pid"
    code = (
        "import subprocess, sys; from pathlib import Path; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(1000)']); "
        f"Path({str(other)!r}).write_text(str(p.pid)); p.wait()"
    )
    with pytest.raises(ConfigurationEnded) as ended:
        take(tmp_path, code)
    assert "no word for 2 s" in ended.value.failure.summary
    pid = int(other.read_text())
    assert not psutil.pid_exists(pid) or still_living([psutil.Process(pid)], within_s=2.0) == []


def test_an_interruption_ends_the_round(tmp_path):
    """Ctrl-C arrives while it is listened to."""
    pids = []

    def interrupt(number):
        pids.append(number)
        raise KeyboardInterrupt

    code = "import os, json, time; print(json.dumps({'stretch': os.getpid()}), flush=True); time.sleep(1000)"
    with pytest.raises(KeyboardInterrupt):
        take(tmp_path, code, interrupt)
    assert not psutil.pid_exists(pids[0])


@given(st.one_of(st.binary(max_size=60), st.recursive(st.none() | st.integers() | st.text(max_size=5), lambda inner: st.dictionaries(st.sampled_from(["stretch", "round", "x"]), inner, max_size=3), max_leaves=5).map(lambda value: json.dumps(value).encode())))
def test_whatever_is_printed_is_a_stretch_a_round_or_nothing(line):
    told = child._understood(line)
    assert told is None or isinstance(told, int)


def test_no_descriptor_is_left(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    take(tmp_path, f"print({DONE!r})")
    assert len(os.listdir("/proc/self/fd")) == before
