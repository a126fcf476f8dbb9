"""Numbers as words: counts, bytes, durations, in the language of the moment."""

from __future__ import annotations

from gui import text


def count_text(count: int) -> str:
    """`25.6 M`, `6,632`."""
    for unit, size in (("billion", 1e9), ("million", 1e6), ("thousand", 1e4)):
        if count >= size:
            return text.say(f"quantity.{unit}", n=_three_digits(count / (1e3 if unit == "thousand" else size)))
    return f"{count:,}"


def bytes_text(count: int) -> str:
    """`97.8 MB`; decimal units, as drives and files are sold."""
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= size:
            return text.say(f"bytes.{unit}", n=_three_digits(count / size))
    return text.say("bytes.B", n=count)


def duration_text(seconds: float) -> str:
    """`40 s`, `3 min`, `1.5 h`: as exact as an estimate deserves."""
    if seconds < 90:
        return text.say("time.seconds", n=max(1, round(seconds)) if seconds < 10 else round(seconds / 5) * 5)
    if seconds < 5400:
        return text.say("time.minutes", n=round(seconds / 60))
    return text.say("time.hours", n=_three_digits(seconds / 3600))


def _three_digits(value: float) -> str:
    return f"{value:.0f}" if value >= 99.95 else f"{value:.1f}" if value >= 9.995 else f"{value:.2f}".rstrip("0").rstrip(".")
