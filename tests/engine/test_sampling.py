"""Samples survive growing, reducing, saving; what is damaged is refused in a sentence."""

from __future__ import annotations

import base64
import zlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.result import EncodedSamples
from engine.sampling import COUNT_MAX, STEADY, WARM_UP, SampleArrays, SampleBuffer, SamplesError, decode, encode, encode_for_run, reduce_samples

INT64 = st.integers(-(2**63), 2**63 - 1)


def make(count: int, *, device: bool = False, visits: int = 5) -> SampleArrays:
    """Samples whose latencies are all different."""
    latency = np.random.default_rng(count).permutation(count).astype(np.int64) + 1000
    return SampleArrays(
        start_ns=np.arange(count, dtype=np.int64) * 2000,
        latency_ns=latency,
        phase=np.where(np.arange(count) < count // 10, WARM_UP, STEADY).astype(np.uint8),
        visit=(np.arange(count) * visits // max(1, count)).astype(np.int32),
        device_ns=latency - 100 if device else None,
    )


def same(left: SampleArrays, right: SampleArrays) -> bool:
    """Same columns with the same numbers and types."""
    a, b = left.columns(), right.columns()
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) and a[name].dtype == b[name].dtype for name in a)


def test_buffer_keeps_every_block_in_order() -> None:
    """Blocks of any size come back as one row of samples."""
    whole, buffer = make(5000, device=True), SampleBuffer(capacity=4)
    for first in range(0, 5000, 37):
        part = whole.take(slice(first, first + 37))
        buffer.extend(part.start_ns, part.latency_ns, phase=part.phase, visit=part.visit, device_ns=part.device_ns)
    assert len(buffer) == 5000
    assert same(buffer.arrays(), whole)
    assert same(buffer.steady(), whole.take(slice(500, None)))


def test_buffer_takes_one_phase_and_visit_for_a_block() -> None:
    """A block usually belongs to one visit."""
    buffer = SampleBuffer()
    buffer.extend(np.arange(3), np.arange(3), phase=WARM_UP, visit=0)
    buffer.extend(np.arange(2), np.arange(2), phase=STEADY, visit=7)
    assert buffer.arrays().visit.tolist() == [0, 0, 0, 7, 7]
    assert len(buffer.steady()) == 2


def test_views_do_not_change_when_the_buffer_grows() -> None:
    """What was handed to another thread stays as it was, and cannot be written."""
    buffer = SampleBuffer(capacity=2)
    buffer.extend(np.array([1, 2]), np.array([10, 20]), phase=STEADY, visit=0)
    before = buffer.arrays()
    buffer.extend(np.array([3, 4]), np.array([30, 40]), phase=STEADY, visit=0)
    assert before.latency_ns.tolist() == [10, 20]
    assert buffer.arrays().latency_ns.tolist() == [10, 20, 30, 40]
    with pytest.raises(ValueError, match="read-only"):
        before.latency_ns[0] = 5


@given(phases=st.lists(st.lists(st.integers(0, 1), max_size=8), max_size=12))
def test_steady_rows_are_those_of_the_phase(phases: list[list[int]]) -> None:
    """However warm-up and steady rows alternate, within blocks and between them, and whenever one asks."""
    buffer, count = SampleBuffer(capacity=1), 0
    for phase in phases:
        numbers = np.arange(count, count + len(phase))
        buffer.extend(numbers, numbers + 7, phase=np.array(phase, np.uint8), visit=0)
        count += len(phase)
        assert same(buffer.steady(), buffer.arrays().steady())
        assert buffer.steady() is buffer.steady()
    assert buffer.steady_count == sum(map(sum, phases))
    recent = buffer.recent_latency_ns(3)
    assert recent.tolist() == buffer.steady().latency_ns[len(buffer.steady()) - len(recent) :].tolist()
    assert (len(recent) > 0) == (buffer.steady_count > 0)


def test_buffer_refuses_columns_that_do_not_fit() -> None:
    """A short column or a device column that comes and goes is a mistake of ours, not a sample."""
    buffer = SampleBuffer()
    buffer.extend(np.arange(3), np.arange(3), phase=1, visit=0)
    with pytest.raises(ValueError, match="start_ns has 2 values"):
        buffer.extend(np.arange(2), np.arange(3), phase=1, visit=0)
    with pytest.raises(ValueError, match="do not match"):
        buffer.extend(np.arange(3), np.arange(3), phase=1, visit=0, device_ns=np.arange(3))
    assert len(buffer) == 3


def test_empty_buffer_has_empty_columns() -> None:
    """Nothing measured is no error."""
    assert len(SampleBuffer().arrays()) == 0
    assert same(decode(encode(SampleBuffer().arrays())), SampleBuffer().arrays())


def test_short_samples_are_not_reduced() -> None:
    """At the limit everything is kept."""
    arrays = make(200)
    assert reduce_samples(arrays, 200) is arrays
    assert encode_for_run(arrays, 200).reduced_from is None


def test_reduction_keeps_extremes_ends_visits_and_order() -> None:
    """The drawn picture keeps its peaks, and each visit its first and last sample."""
    arrays = make(10_007, device=True)
    reduced = reduce_samples(arrays, 500)
    assert len(reduced) <= 500
    assert reduced.latency_ns.min() == arrays.latency_ns.min()
    assert reduced.latency_ns.max() == arrays.latency_ns.max()
    assert np.all(np.diff(reduced.start_ns) > 0)
    rows = np.searchsorted(arrays.start_ns, reduced.start_ns)
    assert same(reduced, arrays.take(rows))
    for visit in range(5):
        assert reduced.start_ns[reduced.visit == visit][0] == arrays.start_ns[arrays.visit == visit][0]
        assert reduced.start_ns[reduced.visit == visit][-1] == arrays.start_ns[arrays.visit == visit][-1]
    assert encode_for_run(arrays, 500).reduced_from == 10_007


@given(count=st.integers(1, 400), limit=st.integers(4, 50), visits=st.integers(1, 400), seed=st.integers(0, 9))
def test_reduction_never_exceeds_its_limit(count: int, limit: int, visits: int, seed: int) -> None:
    """Any number of samples and visits fits, with the global extremes kept."""
    arrays = make(count, visits=visits)
    shuffled = arrays.take(np.random.default_rng(seed).permutation(count))
    reduced = reduce_samples(shuffled, limit)
    assert len(reduced) <= max(limit, 4)
    assert reduced.latency_ns.max() == shuffled.latency_ns.max()
    assert reduced.latency_ns.min() == shuffled.latency_ns.min()
    assert reduced.latency_ns[[0, -1]].tolist() == shuffled.latency_ns[[0, -1]].tolist()


def test_a_limit_without_room_is_refused() -> None:
    """Both ends and one bucket need four rows."""
    with pytest.raises(ValueError, match="room for 4"):
        reduce_samples(make(10), 3)


@given(rows=st.lists(st.tuples(INT64, INT64, st.integers(0, 255), st.integers(-(2**31), 2**31 - 1), INT64), max_size=50), device=st.booleans())
def test_encoding_round_trip(rows: list[tuple[int, ...]], device: bool) -> None:
    """Every number comes back, through JSON too."""
    table = list(zip(*rows, strict=True)) or [()] * 5
    arrays = SampleArrays(
        start_ns=np.array(table[0], np.int64), latency_ns=np.array(table[1], np.int64), phase=np.array(table[2], np.uint8),
        visit=np.array(table[3], np.int32), device_ns=np.array(table[4], np.int64) if device else None,
    )
    stored = msgspec.json.decode(msgspec.json.encode(encode(arrays)), type=EncodedSamples)
    assert same(decode(stored), arrays)


def column(numbers: list[int]) -> str:
    """A well-formed column."""
    return base64.b64encode(zlib.compress(np.array(numbers, "<i8").tobytes())).decode()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"latency_ns": "%%%"}, "latency_ns"),
        ({"latency_ns": base64.b64encode(b"not zlib").decode()}, "latency_ns"),
        ({"latency_ns": column([1, 2])}, "latency_ns"),
        ({"latency_ns": column([1, 2, 3, 4])}, "latency_ns"),
        ({"latency_ns": column([1, 2, 3])[:-8]}, "latency_ns"),
        ({"start_ns": "数字"}, "start_ns"),
        ({"phase": column([0, 1, 256])}, "phase"),
        ({"visit": column([0, 1, 2**31])}, "visit"),
        ({"count": -1}, "count"),
        ({"count": COUNT_MAX + 1}, "count"),
        ({"reduced_from": 2}, "count"),
        ({"encoding": "pickle"}, "encoding"),
        ({"device_ns": ""}, "device_ns"),
    ],
)
def test_damaged_samples_are_refused_by_name(change: dict[str, object], named: str) -> None:
    """The error says which part is damaged."""
    good = encode(make(3))
    with pytest.raises(SamplesError) as caught:
        decode(msgspec.structs.replace(good, **change))
    assert caught.value.values == {"column": named}
    assert named in caught.value.sentence


def test_a_bomb_is_not_unpacked() -> None:
    """Ten megabytes behind three declared samples are refused after 25 bytes."""
    bomb = base64.b64encode(zlib.compress(bytes(10_000_000))).decode()
    with pytest.raises(SamplesError):
        decode(msgspec.structs.replace(encode(make(3)), latency_ns=bomb))


@given(text=st.text(max_size=40) | st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode()), count=st.integers(-2, 5))
def test_only_samples_errors_escape(text: str, count: int) -> None:
    """Whatever stands in the file, it is read or refused."""
    try:
        arrays = decode(EncodedSamples(count=count, start_ns=text, latency_ns=text, phase=text, visit=text))
    except SamplesError:
        return
    assert len(arrays) == count
