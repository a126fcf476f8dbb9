"""Where raw units become words for the eye: the one place, so that window, page and terminal show the same figure the same way.

Numerals and units are the same in every language. What is not known is an em dash. Between number and unit stands a plain space.
"""

from __future__ import annotations

import itertools
import math

NONE = "—"
_DURATIONS = (("ns", 1e-6), ("µs", 1e-3), ("ms", 1.0), ("s", 1e3))
"""Units and their length in ms, ascending; each is used from 1 of it on."""
_MINUTE_MS = 60_000.0
_BYTES = ("B", "KiB", "MiB", "GiB", "TiB")
_COUNTS = (("", 1.0), ("K", 1e3), ("M", 1e6), ("B", 1e9), ("T", 1e12))


def decimals(value: float, error: float | None = None, digits: int = 3) -> int:
    """Digits after the point: `digits` significant ones, or as many as `error` leaves a meaning (two digits of an error that begins with 1)."""
    if error is not None and error > 0 and math.isfinite(error):
        exponent = math.floor(math.log10(error))
        return max(0, -exponent + (1 if error / 10.0**exponent < 1.95 else 0))
    if value == 0 or not math.isfinite(value):
        return 0
    return max(0, digits - 1 - math.floor(math.log10(abs(value))))


def significant(value: float | None, error: float | None = None, digits: int = 3) -> str:
    """`value` with thousands apart and as many digits as its error carries, `digits` significant ones where none is known."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:,.{decimals(value, error, digits)}f}"
    # 9.996 to three digits is 10.00, one too many: what rounding made longer is rounded again.
    return f"{value:,.{decimals(float(text.replace(',', '')), error, digits)}f}"


def format_difference(value: float | None) -> str:
    """Between two answers, in two significant digits: `0.44`, `1.9e-08`; digits beyond that are noise."""
    if value is None or not math.isfinite(value):
        return NONE if value is None else str(value)
    return f"{value:.1e}" if 0 < abs(value) < 1e-3 else significant(value, digits=2)


def duration_unit(ms: float) -> tuple[str, float]:
    """The unit that suits a duration, and its length in ms."""
    for (unit, length), (_, following) in itertools.pairwise(_DURATIONS):
        if abs(ms) < following * 0.9995:  # 999.95 µs would round to 1,000 µs
            return unit, length
    return _DURATIONS[-1]


def format_duration_ms(ms: float | None) -> str:
    """A duration in ms: `318 µs`, `4.31 ms`, `1.24 s`, `2 min 5 s`."""
    if ms is None or not math.isfinite(ms):
        return NONE
    if ms == 0:
        return "0 ms"
    if abs(ms) >= 2 * _MINUTE_MS:
        minutes, seconds = divmod(round(ms / 1e3), 60)
        return f"{minutes:,} min {seconds} s"
    unit, length = duration_unit(ms)
    return f"{significant(ms / length)} {unit}"


def split_ci(p50_ms: float | None, low_ms: float | None = None, high_ms: float | None = None) -> tuple[str, str, str]:
    """Figure, half width and unit apart (`4.304`, `0.013`, `ms`); the half width is the larger side, empty where no interval is known."""
    if p50_ms is None or not math.isfinite(p50_ms):
        return NONE, "", ""
    unit, length = duration_unit(p50_ms)
    if low_ms is None or high_ms is None:
        return significant(p50_ms / length), "", unit
    half = max(high_ms - p50_ms, p50_ms - low_ms) / length
    if not half > 0:
        return significant(p50_ms / length, digits=4), "0", unit
    return significant(p50_ms / length, half), significant(half, half), unit


def format_ci(p50_ms: float | None, low_ms: float | None = None, high_ms: float | None = None) -> str:
    """A median with its interval: `4.304 ± 0.013 ms`; `4.30 ms` where no interval is known."""
    figure, half, unit = split_ci(p50_ms, low_ms, high_ms)
    if not unit:
        return figure
    return f"{figure} ± {half} {unit}" if half else f"{figure} {unit}"


def format_interval_ms(low_ms: float | None, high_ms: float | None) -> str:
    """Both ends of an interval in one unit: `4.291–4.317 ms`."""
    if low_ms is None or high_ms is None:
        return NONE
    unit, length = duration_unit(high_ms)
    width = (high_ms - low_ms) / length
    places = decimals(high_ms / length, width / 2 or None, 4)
    return f"{low_ms / length:,.{places}f}–{high_ms / length:,.{places}f} {unit}"


def bytes_unit(count: float) -> tuple[str, int]:
    """The unit that suits a number of bytes, and how many bytes it is."""
    index = 0
    while index + 1 < len(_BYTES) and abs(count) >= 1024 ** (index + 1) * 0.9995:
        index += 1
    return _BYTES[index], 1024**index


def format_bytes(count: float | None) -> str:
    """A number of bytes in binary units, as nvidia-smi and the kernel count: `97.8 MiB`, `3.00 GiB`."""
    if count is None or not math.isfinite(count):
        return NONE
    unit, length = bytes_unit(count)
    return f"{count:,.0f} B" if length == 1 else f"{significant(count / length)} {unit}"


def format_count(count: float | None) -> str:
    """A whole number with thousands apart: `25,557,032`."""
    return NONE if count is None or not math.isfinite(count) else f"{count:,.0f}"


def format_count_short(count: float | None) -> str:
    """A number to three digits: `662`, `25.6 M`."""
    if count is None or not math.isfinite(count):
        return NONE
    if abs(count) < 999.5:
        return f"{count:,.0f}"
    unit, length = next(pair for pair in reversed(_COUNTS) if abs(count) >= pair[1] * 0.9995)
    return f"{significant(count / length)} {unit}"


def format_rate(per_s: float | None) -> str:
    """Events a second: `1,856/s`, `0.42/s`."""
    return NONE if per_s is None or not math.isfinite(per_s) else f"{significant(per_s)}/s"


def format_percent(percent: float | None) -> str:
    """A share already in percent, two significant digits: `3.8 %`, `14 %`."""
    return NONE if percent is None or not math.isfinite(percent) else f"{significant(percent, digits=2)} %"
