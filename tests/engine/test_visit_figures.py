"""Figures of the visits: every steady sample in its visit, nearest-rank quartiles, room for all of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.visit_figures import value_range, visit_figures

visits = st.lists(st.lists(st.floats(0.001, 1e4), min_size=1, max_size=40), min_size=1, max_size=6)


@given(visits)
def test_each_visit_has_its_own_quartiles(parts):
    t_s, latency, bands, now = [], [], [], 0.0
    for part in parts:
        starts = now + np.arange(len(part)) * 0.01
        bands.append((float(starts[0]), float(starts[-1]) + 0.005))
        t_s.extend(starts)
        latency.extend(part)
        now = float(starts[-1]) + 1.0
    found = visit_figures(np.array(t_s), np.array(latency), bands)
    assert [figure.count for figure in found] == [len(part) for part in parts]
    for figure, part in zip(found, parts, strict=True):
        assert (figure.low_ms, figure.median_ms, figure.high_ms) == tuple(np.percentile(part, (25, 50, 75), method="inverted_cdf"))
    low, high = value_range(found, None)
    assert low < min(figure.low_ms for figure in found) <= max(figure.high_ms for figure in found) < high


def test_a_band_without_samples_is_no_visit():
    assert visit_figures(np.array([0.0, 1.0]), np.array([3.0, 5.0]), [(0.4, 0.6), (0.9, 1.1)])[0].median_ms == 5.0
    assert visit_figures(np.empty(0), np.empty(0), []) == ()


def test_the_interval_needs_room_too():
    figures = visit_figures(np.array([0.0]), np.array([2.0]), [(0.0, 0.1)])
    assert value_range(figures, (1.0, 3.0)) == pytest.approx((0.8, 3.2))
    assert value_range(figures, None) == pytest.approx((1.8, 2.2))
