"""The search for the largest batch, with models of memory in place of workers."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.largest import FAR, Search, parse_max, within
from engine.result import Probe


def searched(search, peak_of, limit):
    """Drive a search to its end over a model of memory; the batches that were started."""
    started = []
    while (batch := search.next_batch()) is not None:
        started.append(batch)
        peak = peak_of(batch)
        search.tell(Probe(batch_size=batch, fits=peak <= limit, peak_bytes=peak if peak <= limit else None))
        assert len(started) <= 200
    return started


@given(boundary=st.integers(1, 2**22 - 1), each=st.integers(1, 10_000), base=st.integers(0, 10**8), knows_limit=st.booleans())
def test_linear_memory_gives_the_boundary(boundary, each, base, knows_limit):
    limit = base + each * boundary
    search = Search(1, limit if knows_limit else None)
    started = searched(search, lambda batch: base + each * batch, limit)
    assert search.largest <= boundary < search.smallest_failing
    assert search.smallest_failing - search.largest <= within(search.largest)
    assert boundary >= 64 or search.largest == boundary
    assert len(started) <= 2 * math.log2(boundary + 1) + 8
    assert len(set(started)) == len(started)


@given(least=st.integers(1, 100), data=st.data(), limit=st.integers(10**6, 10**9), each=st.integers(1000, 10**6), base=st.integers(0, 10**5))
def test_noise_never_yields_a_batch_that_was_not_seen_to_fit(least, data, limit, each, base):
    noise = {}

    def peak_of(batch):
        noise[batch] = data.draw(st.floats(0.7, 1.3))
        return int((base + each * batch) * noise[batch])

    search = Search(least, limit)
    started = searched(search, peak_of, limit)
    fitting = {probe.batch_size for probe in search.probes if probe.fits}
    found = search.result()
    assert (found is None) == (not fitting)
    if found is not None:
        assert found.batch_size in fitting and found.batch_size in started
        assert found.fails_at is None or found.fails_at > found.batch_size
        assert {probe.batch_size for probe in found.probes if probe.foretold_bytes is None} <= set(started)


@given(boundary=st.integers(1, 10**6))
def test_what_is_foretold_to_be_far_beyond_the_limit_is_not_started(boundary):
    base, each = 10**6, 1000
    limit = base + each * boundary
    search = Search(1, limit)
    started = searched(search, lambda batch: base + each * batch, limit)
    assert all(base + each * batch <= FAR * limit for batch in started[2:])


def test_a_probe_that_was_foretold_is_told_with_what_it_would_need():
    search = Search(1, 700)
    started = searched(search, lambda batch: 100 * batch, 700)
    # 800 of 700 is near enough to be tried; 800 of 500 is far beyond
    assert started == [1, 2, 4, 8, 6, 7]
    search = Search(1, 500)
    started = searched(search, lambda batch: 100 * batch, 500)
    assert 8 not in started and search.largest == 5
    assert [(probe.batch_size, probe.foretold_bytes, probe.fits) for probe in search.probes if probe.foretold_bytes] == [(8, 800, False)]


def test_growth_that_flattens_is_followed_beyond_what_was_foretold():
    """Memory that stops growing: foretold peaks are wrong, and the search goes on in strides that double."""
    search = Search(1, 1000)
    started = searched(search, lambda batch: 100 * batch if batch < 9 else 800 if batch <= 5000 else 2000, 1000)
    assert 4800 < search.largest <= 5000 and len(started) < 60


def test_not_even_the_least_fits():
    search = Search(8, 100)
    assert searched(search, lambda batch: 1000, 100) == [8]
    assert search.result() is None


def test_a_search_that_nothing_ends_stops_at_the_most():
    search = Search(1, None, most=1000)
    searched(search, lambda batch: 1, 2)
    assert (search.result().batch_size, search.result().fails_at) == (1000, None)


def test_a_batch_that_fails_when_measured_is_given_up_for_a_smaller_one():
    search = Search(1, None)
    searched(search, lambda batch: batch, 100)
    measured = [search.largest]
    while measured[-1] > 90:
        search.reject(measured[-1])
        searched(search, lambda batch: batch, 90)
        measured.append(search.largest)
    assert measured == sorted(set(measured), reverse=True) and len(measured) < 10
    assert 90 - within(90) <= search.largest <= 90


@pytest.mark.parametrize(("text", "share"), [("max", None), (" MAX ", None), ("max:75%", 75.0), ("max: 12.5 %", 12.5), ("max:100%", 100.0)])
def test_what_asks_for_the_largest(text, share):
    assert parse_max(text).share_percent == share


@pytest.mark.parametrize("text", ["", "maximum", "max:", "max:75", "max:0%", "max:101%", "max:nan%", "8", "max:x%"])
def test_what_does_not(text):
    assert parse_max(text) is None
