"""Durations are as exact as an estimate deserves."""

from __future__ import annotations

import pytest

from gui.models.quantity import duration_text


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (4.4, "4 s"), (12, "10 s"), (13, "15 s"), (89, "90 s"), (91, "2 min"), (3600, "60 min"), (5400, "1.5 h"), (36000, "10 h")],
)
def test_durations(seconds, words, qapp):
    """Seconds, then minutes, then hours."""
    assert duration_text(seconds) == words
