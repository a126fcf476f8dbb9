"""Durations as words, in the language of the moment; other numbers are said by engine.units."""

from __future__ import annotations

from engine.units import significant
from gui import text


def duration_text(seconds: float) -> str:
    """`40 s`, `3 min`, `1.5 h`: as exact as an estimate deserves."""
    if seconds < 90:
        return text.say("time.seconds", n=max(1, round(seconds)) if seconds < 10 else round(seconds / 5) * 5)
    if seconds < 5400:
        return text.say("time.minutes", n=round(seconds / 60))
    return text.say("time.hours", n=significant(seconds / 3600, digits=2))
