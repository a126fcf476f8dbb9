"""Figures for the eye."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import units


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, "—"), (math.nan, "—"), (0.0, "0 ms"), (0.00085, "850 ns"), (0.318, "318 µs"), (0.99994, "1.00 ms"), (0.9994, "999 µs"), (4.307, "4.31 ms"),
        (9.996, "10.0 ms"), (24.04, "24.0 ms"), (999.4, "999 ms"), (999.96, "1.00 s"), (1240.0, "1.24 s"), (99_960.0, "100 s"), (125_000.0, "2 min 5 s"),
        (7_199_600.0, "120 min 0 s"),
    ],
)
def test_durations_take_the_unit_that_suits_them(ms: float | None, text: str) -> None:
    """Three significant digits in the unit that suits, and never 1,000 of a unit that has a next one."""
    assert units.format_duration_ms(ms) == text


@pytest.mark.parametrize(
    ("p50", "low", "high", "text"),
    [
        (None, None, None, "—"), (4.307, None, None, "4.31 ms"), (4.304465, 4.2894, 4.3157, "4.304 ± 0.015 ms"), (12.862, 12.50, 13.38, "12.9 ± 0.5 ms"),
        (0.02312, 0.0228, 0.0233, "23.1 ± 0.3 µs"), (1856.2, 1845.0, 1868.0, "1.856 ± 0.012 s"), (24.0, 24.0, 24.0, "24.00 ± 0 ms"),
        (150.0, 40.0, 270.0, "150 ± 120 ms"), (4.3, 4.3, 4.4996, "4.3 ± 0.2 ms"),
    ],
)
def test_a_median_has_as_many_digits_as_its_error_carries(p50: float | None, low: float | None, high: float | None, text: str) -> None:
    """One digit of the error, two when it begins with 1; the figure ends at the same place."""
    assert units.format_ci(p50, low, high) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "—"), (0, "0 B"), (1023, "1,023 B"), (1024, "1.00 KiB"), (102_530_333, "97.8 MiB"), (24 << 30, "24.0 GiB"), ((1 << 30) - 1, "1.00 GiB"), (5 << 40, "5.00 TiB"), (3 << 60, "3,145,728 TiB")],
)
def test_bytes_are_counted_in_binary_units(count: int | None, text: str) -> None:
    """A 24 GiB card says 24.0, as nvidia-smi's MiB do."""
    assert units.format_bytes(count) == text


def test_counts_rates_and_percentages() -> None:
    """Thousands stand apart; a rate carries its own unit."""
    assert units.format_count(25_557_032) == "25,557,032"
    assert [units.format_count_short(n) for n in (662, 6_632, 25_557_032, 999_999, 3e15)] == ["662", "6.63 K", "25.6 M", "1.00 M", "3,000 T"]
    assert [units.format_rate(rate) for rate in (None, 1856.4, 0.4219, 42.0)] == ["—", "1,856/s", "0.422/s", "42.0/s"]
    assert [units.format_percent(share) for share in (None, 3.84, 14.2, 0.0)] == ["—", "3.8 %", "14 %", "0 %"]
    assert units.format_interval_ms(4.2894, 4.3157) == "4.289–4.316 ms"
    assert units.format_interval_ms(None, 4.3) == "—"


@given(st.floats(1e-6, 1e5))
def test_a_duration_is_never_off_by_more_than_half_a_percent(ms: float) -> None:
    """Reading the text back gives the duration: no unit is mistaken for its neighbour."""
    number, unit = units.format_duration_ms(ms).split(" ")
    length = {"ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3}[unit]
    assert float(number.replace(",", "")) * length == pytest.approx(ms, rel=0.0051)


@given(st.floats(1e-4, 1e5), st.floats(1e-6, 0.5), st.floats(0, 1))
def test_the_interval_shown_holds_the_interval_measured(p50: float, relative: float, share: float) -> None:
    """The larger side is shown, within what rounding to its digits takes away."""
    low, high = p50 * (1 - relative), p50 * (1 + relative * share)
    figure, half, unit = units.split_ci(p50, low, high)
    length = {"ns": 1e-6, "µs": 1e-3, "ms": 1.0, "s": 1e3}[unit]
    assert float(half.replace(",", "")) * length == pytest.approx(p50 * relative, rel=0.30)
    assert len(figure.partition(".")[2]) == len(half.partition(".")[2])
