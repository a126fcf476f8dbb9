"""Calls of several workers in one order, cut to the time in which all of them measured."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.merging import Merger


def calls(start, latency, count=1):
    latencies = np.full(count, latency, np.int64)
    return {"start_ns": start + latency * np.arange(count, dtype=np.int64), "latency_ns": latencies}


def test_nothing_is_given_out_before_all_have_begun():
    merger = Merger(2, cut=True)
    merger.add(0, calls(0, 10, 100))
    assert merger.take() is None and merger.window is None and merger.span_ns == 0
    merger.add(1, calls(500, 50, 2))
    taken = merger.take()
    assert merger.window == (500, 600)
    assert taken["start_ns"].tolist() == sorted([*range(500, 600, 10), 500, 550])
    assert np.bincount(taken["lane"]).tolist() == [10, 2]
    assert merger.left_out == 50


def test_what_begins_after_another_has_ended_is_never_given_out():
    merger = Merger(2, cut=True)
    merger.add(0, calls(0, 10, 10))
    merger.add(1, calls(0, 10, 4))
    assert np.bincount(merger.take()["lane"]).tolist() == [4, 4]
    assert merger.rest() == 6
    assert merger.lanes[0].busy_ns == 40 and merger.span_ns == 40


def test_a_call_that_began_a_moment_before_the_last_lane_counts():
    """Where a call is as long as a visit, none would be left otherwise."""
    merger = Merger(2, cut=True)
    merger.add(0, calls(0, 1_000))
    merger.add(1, calls(5, 1_000))
    assert np.bincount(merger.take()["lane"]).tolist() == [1, 1]


def test_uncut_all_calls_come_out():
    merger = Merger(2, cut=False)
    merger.add(0, calls(0, 10, 10))
    merger.add(1, calls(50, 10, 2))
    first, last = merger.take(), merger.all_of_them()
    assert len(first["start_ns"]) + len(last["start_ns"]) == 12
    assert merger.rest() == 0
    assert merger.all_of_them() is None


blocks = st.lists(st.tuples(st.integers(0, 2), st.integers(1, 30), st.integers(0, 5), st.integers(1, 8)), max_size=40)


@given(blocks, st.lists(st.integers(0, 100), min_size=3, max_size=3))
def test_whatever_comes_goes_out_once_and_in_order(arriving, starts):
    """Blocks of three workers in any order of arrival, of any length, with any gaps."""
    merger, clocks, added, out = Merger(3, cut=True), list(starts), 0, []
    for lane, latency, gap, count in arriving:
        block = calls(clocks[lane] + gap, latency, count)
        clocks[lane] += gap + latency * count
        merger.add(lane, block)
        added += count
        if (taken := merger.take()) is not None:
            out.append(taken)
    given_out = np.concatenate([part["start_ns"] for part in out]) if out else np.empty(0, np.int64)
    assert len(given_out) + merger.left_out + merger.rest() == added
    assert (np.diff(given_out) >= 0).all()
    if out:
        begin, end = merger.window
        middles = np.concatenate([part["start_ns"] + part["latency_ns"] // 2 for part in out])
        assert (middles >= begin).all() and (given_out < end).all()
        own = [np.concatenate([part["start_ns"][part["lane"] == lane] for part in out]) for lane in range(3)]
        assert all((np.diff(starts) > 0).all() for starts in own), "each lane's calls stay in its own order"

