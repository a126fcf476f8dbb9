"""The machine beside a configuration: who took its cores, what its host took, clocks, power."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import machine_state
from engine.machine_state import MachineNotes, Used, busiest, clock_mhz, power_state, processes

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="/proc")
OWN = 10
BEFORE = {1: Used("init", 0, 5.0), 10: Used("model-dyno", 1, 1.0), 20: Used("chrome", 1, 100.0), 30: Used("rsync", 1, 7.0)}
AFTER = {
    1: Used("init", 0, 5.0), 10: Used("model-dyno", 1, 9.0), 11: Used("fork server", 10, 3.0), 12: Used("worker", 11, 50.0), 20: Used("chrome", 1, 106.0),
    21: Used("chrome", 20, 2.0), 30: Used("rsync", 1, 7.3), 40: Used("make", 1, 10.0),
}


def test_the_busiest_are_named_with_their_cores_and_our_own_are_left_out():
    found = busiest(BEFORE, AFTER, 10.0, OWN)
    assert [name for name, _ in found] == ["make", "chrome"], "rsync took too little"
    assert [cores for _, cores in found] == pytest.approx([1.0, 0.8])


def test_no_time_and_no_one():
    assert busiest(BEFORE, AFTER, 0.0, OWN) == busiest({}, {}, 1.0, OWN) == ()


def test_a_pid_that_was_given_again_counts_from_its_own_beginning():
    assert busiest({7: Used("old", 1, 90.0)}, {7: Used("new", 1, 2.0)}, 4.0, OWN) == (("new", 0.5),)


@given(st.dictionaries(st.integers(1, 30), st.tuples(st.integers(0, 30), st.floats(0, 1e6))))
def test_any_family_tree_ends(rows):
    """Parents may be missing, and even go round in a circle when a table was read while pids were given again."""
    table = {pid: Used(str(pid), parent, seconds) for pid, (parent, seconds) in rows.items()}
    assert str(OWN) not in dict(busiest({}, table, 1.0, OWN))


@LINUX
def test_real_processes_are_seen():
    own = processes()[os.getpid()]
    assert own.parent == os.getppid()
    assert own.cpu_s == pytest.approx(sum(psutil.Process().cpu_times()[:2]), abs=0.5)


@LINUX
@pytest.mark.parametrize("name", ["a) R 1 (b", "", "x y", "\\xff"])
def test_names_may_hold_anything(tmp_path, name):
    folder = tmp_path / "42"
    folder.mkdir()
    (folder / "stat").write_bytes(f"42 ({name}) S 7 ".encode() + b"0 " * 9 + b"250 50 0 0\n")
    assert processes(tmp_path) == {42: Used(name, 7, 300 / os.sysconf("SC_CLK_TCK"))}


@LINUX
@given(line=st.binary(max_size=60))
def test_a_line_that_is_none_is_left_out(tmp_path_factory, line):
    folder = tmp_path_factory.mktemp("proc") / "1"
    folder.mkdir()
    (folder / "stat").write_bytes(line)
    assert all(isinstance(used, Used) for used in processes(folder.parent).values())


def test_the_fastest_core_counts(tmp_path):
    assert clock_mhz(tmp_path) is None
    for core, kilohertz in enumerate(("800000", "3500000")):
        folder = tmp_path / f"cpu{core}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_cur_freq").write_text(f"{kilohertz}\n")
    assert clock_mhz(tmp_path) == 3500.0


def test_where_the_power_comes_from(tmp_path):
    profile: Path = tmp_path / "platform_profile"
    assert power_state(profile, lambda: None) is None
    assert power_state(profile, lambda: SimpleNamespace(power_plugged=False)) == "battery"
    profile.write_text("low-power\n")
    assert power_state(profile, lambda: SimpleNamespace(power_plugged=True)) == "saver"
    profile.write_text("balanced\n")
    assert power_state(profile, lambda: None) is None


def test_what_the_host_took_counts_during_visits_only(monkeypatch):
    now = SimpleNamespace(steal=0.0, user=0.0)
    monkeypatch.setattr(machine_state.psutil, "cpu_times", lambda: SimpleNamespace(_asdict=lambda: {"user": now.user, "steal": now.steal, "guest": 99.0}))
    notes = MachineNotes()
    notes.sample()
    assert notes.steal_percent is None
    now.user, now.steal = 9.0, 1.0
    notes.sample()
    assert notes.steal_percent == pytest.approx(10.0)
    notes.rest()
    now.steal = 500.0
    notes.sample()
    now.user = 19.0
    notes.sample()
    assert notes.steal_percent == pytest.approx(5.0)


def test_the_tables_are_read_before_and_after():
    tables, times = iter((BEFORE, AFTER)), iter((100.0, 110.0))
    notes = MachineNotes(lambda: next(tables), lambda: next(times))
    notes.close()
    assert notes.busiest == ()
    notes.open()
    notes.open()
    notes.close()
    assert notes.busiest[0] == ("worker", 5.0), "no descendant of this process"
