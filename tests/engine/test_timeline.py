"""Lines over time stay bounded and keep their peaks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.timeline import Timeline, TimelineBuffer, unit_of


def filled(values: list[float], limit: int) -> TimelineBuffer:
    """A line with a reading each 20 ms."""
    line = TimelineBuffer(limit)
    for index, value in enumerate(values):
        line.append(index * 20_000_000, value)
    return line


def test_a_short_line_is_kept_whole() -> None:
    """Nothing is reduced before the limit."""
    t_ns, values = filled([3.0, 1.0, 2.0], 8).arrays()
    assert values.tolist() == [3.0, 1.0, 2.0]
    assert t_ns.tolist() == [0, 20_000_000, 40_000_000]


@settings(max_examples=300)
@given(count=st.integers(1, 400), seed=st.integers(0, 5), limit=st.integers(8, 40))
def test_a_long_line_is_bounded_and_keeps_peaks_and_order(count: int, seed: int, limit: int) -> None:
    """However long it runs: few points, true ones, in order, with the extremes and the newest."""
    values = [float(value) for value in np.random.default_rng(seed).integers(0, 1 + 10 * seed, count)]
    line = filled(values, limit)
    t_ns, kept = line.arrays()
    assert len(kept) <= limit + 3
    assert kept.max() == max(values)
    assert kept.min() == min(values)
    assert np.all(np.diff(t_ns) > 0)
    assert t_ns[-1] == (len(values) - 1) * 20_000_000
    assert all(values[t // 20_000_000] == value for t, value in zip(t_ns.tolist(), kept.tolist(), strict=True))


def test_resolution_is_even_along_a_long_line() -> None:
    """The oldest part is drawn as finely as the newest, within a factor of four."""
    t_ns, _ = filled([float(n % 7) for n in range(10_000)], 256).arrays()
    halves = np.histogram(t_ns, bins=4)[0]
    assert halves.min() * 4 >= halves.max()


def test_earlier_arrays_do_not_change() -> None:
    """What was handed out stays while the line grows and is reduced."""
    line = filled([float(n) for n in range(7)], 8)
    _, before = line.arrays()
    for n in range(100):
        line.append(10**9 + n, 500.0)
    assert before.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]


def test_a_line_needs_room() -> None:
    """A limit too small for a pair of buckets is refused."""
    with pytest.raises(ValueError, match="room for 8"):
        TimelineBuffer(4)


def test_names_become_tracks_with_units() -> None:
    """A reading that was absent at a moment has no point there."""
    timeline = Timeline()
    timeline.add(0, {"gpu0_power_watts": 200.0, "worker_resident_bytes": 5.0})
    timeline.add(7, {"worker_resident_bytes": 6.0})
    power, resident = timeline.tracks()
    assert (power.name, power.unit, power.t_ns, power.values) == ("gpu0_power_watts", "W", [0], [200.0])
    assert (resident.unit, resident.t_ns, resident.values) == ("B", [0, 7], [5.0, 6.0])
    assert timeline.line("worker_resident_bytes")[1].tolist() == [5.0, 6.0]
    assert len(timeline.line("nothing")[0]) == 0


def test_units() -> None:
    """The unit is the end of the name."""
    names = {"gpu0_clock_mhz": "MHz", "machine_cpu_percent": "%", "gpu0_temperature_c": "°C", "gpu0_throttle_reasons": ""}
    assert {name: unit_of(name) for name in names} == names
