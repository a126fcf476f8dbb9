"""Shares of the CPU while workers take turns: what others took is read all the same, and none of our workers is another program."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cpu_shares import CPU_S, CpuShares

A, B = 41, 42
CORES = 2


class FakeSystem:
    """A machine of two cores; time passes by `pass_time`, in which each process takes so many cores."""

    def __init__(self):
        self.now = self.busy = self.total = 0.0
        self.cpu = {os.getpid(): 5.0, A: 3.0, B: 7.0}

    def cpu_seconds(self, pid):
        return self.cpu.get(pid)

    def machine_seconds(self):
        return self.busy, self.total

    def pass_time(self, seconds, others=0.0, **cores):
        self.now += seconds
        self.total += CORES * seconds
        self.busy += others * seconds
        for name, share in cores.items():
            self.cpu[{"a": A, "b": B, "program": os.getpid()}[name]] += share * seconds
            self.busy += share * seconds


@pytest.fixture
def system():
    return FakeSystem()


@pytest.fixture
def shares(system):
    return CpuShares(system)


def in_turn(system, shares, turns, others, turn_s=0.05):
    """Two workers that take turns, as in a comparison; what was told of other programs after each turn."""
    told = []
    for number in range(turns):
        name, pid = (("a", A), ("b", B))[number % 2]
        shares.read(system.now, (pid,))
        system.pass_time(turn_s, others=others, program=0.1, **{name: 0.8})
        told.append(shares.read(system.now, (pid,)).get("other_cpu_percent"))
    return told


@given(st.floats(0.0, 1.0))
def test_others_are_seen_while_two_workers_take_turns(others):
    """0.05 s each, far below a window: each change used to begin the window anew, so nothing was ever told."""
    system = FakeSystem()
    told = in_turn(system, CpuShares(system), 60, others)
    assert told[:9] == [None] * 9 and None not in told[12:]
    # The other worker's turns are none of a stranger's: 100 % is both cores.
    assert told[12:] == pytest.approx([others / CORES * 100.0] * 48, abs=0.01)


def test_each_round_with_fresh_workers_is_seen_too(system, shares):
    """Windows in which a worker ended are left out, those after them are not."""
    told = []
    for _ in range(5):
        told += in_turn(system, shares, 24, others=0.6)
        system.cpu[A], system.cpu[B] = None, None
        told.append(shares.read(system.now, ()).get("other_cpu_percent"))
        system.pass_time(0.02)
        system.cpu[A], system.cpu[B] = 0.0, 0.0
    seen = [value for value in told if value is not None]
    assert len(seen) > len(told) / 4
    assert seen[-12:] == pytest.approx([30.0] * 12, abs=2.0)


def test_a_window_in_which_a_worker_ended_says_nothing_of_others(system, shares):
    shares.read(system.now, (A,))
    system.pass_time(CPU_S / 2, a=1.0)
    del system.cpu[A]
    system.pass_time(CPU_S / 2)
    values = shares.read(system.now, ())
    assert "machine_cpu_percent" in values and "other_cpu_percent" not in values
    system.pass_time(CPU_S, others=1.0)
    assert shares.read(system.now, ())["other_cpu_percent"] == pytest.approx(50.0)


def test_a_worker_that_rests_is_still_ours(system, shares):
    """What it does beside the one that is looked at is no other program's."""
    shares.read(system.now, (A,))
    shares.read(system.now, (B,))
    system.pass_time(CPU_S)
    assert "worker_cpu_percent" not in shares.read(system.now, (B,)), "it came within this window"
    system.pass_time(CPU_S, a=0.5, b=0.5)
    values = shares.read(system.now, (B,))
    assert values["other_cpu_percent"] == pytest.approx(0.0)
    assert values["worker_cpu_percent"] == pytest.approx(50.0), "of the one that is looked at"
