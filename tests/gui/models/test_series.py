"""Growing arrays keep what was appended, and what was handed out."""

from __future__ import annotations

import numpy as np
import pytest

from gui.models.series import GrowingXY, SeriesBuffer


def test_a_million_points_are_kept_in_order():
    """Growing copies rarely and loses nothing."""
    column = GrowingXY()
    for start in range(0, 1_000_000, 10_000):
        x = np.arange(start, start + 10_000, dtype=float)
        column.extend(x, x * 2)
    x, y = column.xy()
    assert len(column) == len(x) == 1_000_000
    assert np.array_equal(x, np.arange(1_000_000.0))
    assert np.array_equal(y, x * 2)


@pytest.mark.parametrize("more", [1, 1000])
def test_what_was_read_does_not_change(more):
    """A view drawn now shows the same points after an append, whether it fits or not."""
    column = GrowingXY()
    column.extend(np.array([1.0]), np.array([2.0]))
    x, y = column.xy()
    column.extend(np.full(more, 9.0), np.full(more, 9.0))
    assert (x.tolist(), y.tolist()) == ([1.0], [2.0])


def test_warm_up_and_steady_stand_apart():
    """Both are drawn, only one counts."""
    series = SeriesBuffer()
    series.extend(np.array([0.0, 1.0]), np.array([9.0, 8.0]), warm_up=True)
    series.append(2.0, 5.0)
    assert series.warm_up_xy()[1].tolist() == [9.0, 8.0]
    assert series.steady_xy()[1].tolist() == [5.0]
    assert len(series) == 3
    assert series.revision == 2
