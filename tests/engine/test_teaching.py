"""What each switch did, against the first row."""

from __future__ import annotations

import msgspec
import pytest

from engine.job import Configuration
from engine.result import Latency, Memory, Outputs, Run
from engine.teaching import lessons, outputs_text, running_bytes
from tests.support.runs import make_outcome, make_run


def taught(p50_ms, growth_bytes=None, **changes):
    return make_outcome(latency=Latency(count=100, visits=5, p50_ms=p50_ms), memory=Memory(growth_bytes=growth_bytes, activations_bytes=7), **changes)


def test_time_and_memory_are_against_the_first_row():
    found = lessons((taught(4.0, 100), taught(6.0, 70), taught(None, 500), make_outcome(status="failed")))
    assert [(each.times, each.bytes, each.more_bytes) for each in found] == [(1.0, 100, None), (1.5, 70, -30), (None, 500, 400), (None, None, None)]


def test_without_a_first_row_there_is_nothing_to_compare_with():
    assert lessons(()) == () == lessons((make_outcome(status="failed"), taught(4.0))) == lessons((taught(None), taught(4.0)))


def test_running_takes_growth_on_the_cpu_and_activations_on_a_gpu():
    assert running_bytes(taught(1.0, 100)) == 100
    assert running_bytes(taught(1.0, 100, configuration=Configuration(device="cuda:0"))) == 7


@pytest.mark.parametrize(("outputs", "said"), [
    (None, "—"), (Outputs(), "other shapes"), (Outputs(max_abs_difference=0.0, repeat_max_abs_difference=0.0, state_changed=False), "same"),
    (Outputs(max_abs_difference=1.86e-8), "differ by 1.9e-08"), (Outputs(non_finite_differs=True), "inf or NaN in one only"),
    (Outputs(max_abs_difference=0.1, repeat_non_finite_differs=True), "differ by 0.10, two equal calls differ"),
    (Outputs(max_abs_difference=0.437, repeat_max_abs_difference=0.2, state_changed=True), "differ by 0.44, two equal calls differ, buffers rewritten"),
])
def test_what_became_of_the_outputs(outputs, said):
    assert outputs_text(outputs) == said


def test_in_chinese_too():
    assert outputs_text(Outputs(max_abs_difference=0.437, state_changed=True), "zh") == "相差 0.44,缓冲区被改写"


def test_a_percentile_below_its_floor_is_null_in_json():
    """300 samples carry p90 and p95, and no p99."""
    run = make_run((make_outcome(latency=Latency(count=300, visits=5, p50_ms=4.0, p90_ms=5.0, p95_ms=6.0)),))
    said = msgspec.json.decode(msgspec.json.encode(run))["outcomes"][0]["latency"]
    assert (said["p95_ms"], said["p99_ms"], "p99_ms" in said) == (6.0, None, True)
    assert msgspec.json.decode(msgspec.json.encode(run), type=Run).outcomes[0].latency == run.outcomes[0].latency
