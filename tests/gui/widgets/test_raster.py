"""Every sample is on the picture, however it came there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtGui import QColor

from gui.widgets.raster import Raster

VIEW = (0.0, 10.0, 0.0, 5.0, 40, 20)
points = st.lists(st.tuples(st.floats(-2, 12), st.floats(-1, 8).map(lambda y: round(y, 3) + 0.0001)), max_size=60).map(
    lambda pairs: (np.sort(np.array([x for x, _ in pairs])), np.array([y for _, y in pairs]))
)


@given(points, st.lists(st.integers(0, 60), max_size=4))
def test_growing_is_the_same_as_drawing_at_once(series, stops):
    """Samples that arrive bit by bit make the picture that they make together, and none is lost."""
    x, y = series
    whole, grown = Raster(), Raster()
    whole.draw(x, y, VIEW)
    for stop in sorted(stops):
        grown.draw(x[:stop], y[:stop], VIEW)
    grown.draw(x, y, VIEW)
    assert whole.image("#ff0000") == grown.image("#ff0000")
    seen = (x >= 0) & (x < 10)
    assert whole.above_count == grown.above_count == int((y[seen] > 5).sum())
    assert whole.total == int(((y[seen] <= 5) & (y[seen] > 0)).sum())


def test_a_lone_spike_among_a_million_is_seen():
    """No sample is dropped to make drawing fast."""
    x = np.linspace(0, 9.99, 1_000_000)
    y = np.full(len(x), 1.0)
    y[432_100] = 4.0
    raster = Raster()
    raster.draw(x, y, VIEW)
    image = raster.image("#3366cc", size=1)
    assert image.pixelColor(int(x[432_100] * 4), 4).alpha() > 150
    assert image.pixelColor(20, 4).alpha() == 0
    assert image.pixelColor(20, 16).alpha() == 255


def test_a_crowd_is_more_opaque_than_a_lone_sample():
    """How many samples share a place is seen; the colour is that which was asked for."""
    raster = Raster()
    raster.draw(np.array([1.0, *[5.0] * 30]), np.full(31, 2.5), VIEW)
    image = raster.image("#3366cc", size=1)
    lone, crowd = image.pixelColor(4, 10), image.pixelColor(20, 10)
    assert 0 < lone.alpha() < crowd.alpha()
    assert crowd == QColor("#3366cc")


def test_nothing_is_done_when_nothing_is_new():
    """The same series in the same view is not drawn again; another view is."""
    raster, x = Raster(), np.arange(5.0)
    assert raster.draw(x, x, VIEW)
    assert not raster.draw(x, x, VIEW)
    assert raster.draw(x, x, (*VIEW[:3], 4.0, *VIEW[4:]))


@pytest.mark.parametrize(("columns", "runs"), [([], []), ([1, 2, 3, 9], [(1, 3), (9, 9)]), ([1, 4, 20, 22], [(1, 4), (20, 22)])])
def test_marks_above_are_joined_where_they_would_touch(columns, runs):
    """A crowd of spikes is one mark, not hundreds."""
    raster = Raster()
    raster.draw(np.array(columns, float) / 4 + 0.01, np.full(len(columns), 9.0), VIEW)
    assert raster.above_runs(near=3) == runs
