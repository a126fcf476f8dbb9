"""Memory's bars: each begins where the one before ended, none is negative, what is missing is said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.result import Memory
from engine.waterfall import CPU_PARTS, GPU_PARTS, waterfall

sizes = st.integers(0, 1 << 40)
maybe = st.none() | sizes


@given(st.fixed_dictionaries({f"{code}_bytes": maybe for code in GPU_PARTS}), maybe, st.sampled_from(["cuda:0", "cuda:1"]))
def test_bars_on_a_gpu_follow_one_another(values, driver, device):
    fall = waterfall(Memory(driver_bytes=driver, **values), device)
    known = {code: values[f"{code}_bytes"] for code in GPU_PARTS if values[f"{code}_bytes"] is not None}
    if not set(known) - {"weights", "others"}:
        assert fall is None
        return
    assert {part.code: part.bytes for part in fall.parts} == known
    assert set(fall.missing) == set(GPU_PARTS) - set(known)
    end = 0
    for part in fall.parts:
        assert part.start_bytes == end
        end += part.bytes
    assert end == fall.sum_bytes
    assert fall.covered_percent == (pytest.approx(end / driver * 100.0) if driver else None)


@given(sizes, sizes, sizes)
def test_bars_on_the_cpu_add_up_to_the_peak(weights, growth, peak):
    fall = waterfall(Memory(weights_bytes=weights, growth_bytes=growth, process_peak_bytes=peak), "cpu")
    assert [part.code for part in fall.parts] == list(CPU_PARTS)
    assert fall.sum_bytes == max(peak, weights + growth)
    assert all(part.bytes >= 0 for part in fall.parts)


def test_weights_alone_are_no_waterfall():
    assert waterfall(Memory(weights_bytes=5), "cpu") is None
    assert waterfall(Memory(weights_bytes=5, others_bytes=7), "cuda:0") is None
    assert waterfall(Memory(), "cpu") is None
