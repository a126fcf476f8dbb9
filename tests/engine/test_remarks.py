"""What figures mean beside one another: who sets the pace, what comes on top; nothing is said of what was not measured."""

from __future__ import annotations

import pytest

from engine.job import Configuration
from engine.remarks import remarks
from engine.result import Copies, Latency, Outcome, Outputs


def outcome(host=10.0, device=None, enqueue=None, **changes):
    latency = Latency(count=700, visits=5, p50_ms=host)
    on_gpu = None if device is None else Latency(count=700, visits=5, p50_ms=device)
    return Outcome(configuration=Configuration(device="cuda:0"), status="ok", latency=latency, device_latency=on_gpu, enqueue_p50_ms=enqueue, **changes)


def codes(made):
    return [reason.code for reason in remarks(made)]


@pytest.mark.parametrize(("device", "enqueue", "busy", "expected"), [
    (9.8, 9.5, None, ["launch-bound"]),
    (9.8, 9.5, 2.0, ["launch-bound-busy"]),
    (9.8, 1.0, 9.7, ["device-bound"]),
    (9.8, 5.0, 6.0, []),
    (9.8, 1.0, None, []),
    (None, None, None, []),
])
def test_who_sets_the_pace(device, enqueue, busy, expected):
    assert codes(outcome(device=device, enqueue=enqueue, gpu_busy_ms=busy)) == expected


def test_what_could_be_won_is_a_number():
    (reason,) = remarks(outcome(device=9.8, enqueue=9.5, gpu_busy_ms=2.0))
    assert "up to 5.0 times" in reason.sentence


def test_copies_come_on_top():
    copies = Copies(to_device_ms=2.0, from_device_ms=0.5, to_device_bytes=1 << 20, from_device_bytes=4096)
    (reason,) = remarks(outcome(copies=copies))
    assert (reason.code, reason.values["percent"], reason.values["to_bytes"]) == ("copies-beside", "25", "1.00 MiB")


@pytest.mark.parametrize(("outputs", "expected"), [
    (Outputs(), ["outputs-incomparable"]), (Outputs(max_abs_difference=0.0), ["outputs-same"]), (Outputs(max_abs_difference=0.1), ["outputs-close"]),
    (Outputs(non_finite_differs=True), ["outputs-non-finite"]), (Outputs(max_abs_difference=0.0, repeat_non_finite_differs=True), ["outputs-same", "outputs-unsteady-non-finite"]),
    (Outputs(max_abs_difference=0.0, repeat_max_abs_difference=0.2, state_changed=True), ["outputs-same", "outputs-unsteady", "state-rewritten"]),
])
def test_what_became_of_the_answers(outputs, expected):
    assert codes(outcome(outputs=outputs)) == expected


def test_a_call_after_a_rest():
    rested = Latency(count=20, visits=1, p50_ms=25.0)
    (reason,) = remarks(outcome(idle_latency=rested, idle_gap_ms=50.0))
    assert (reason.code, reason.values["times"], reason.values["gap"]) == ("after-rest", "2.5", "50.0")
    assert codes(outcome(idle_latency=Latency(count=20, visits=1, p50_ms=10.3), idle_gap_ms=100.0)) == ["after-rest-same"]
    assert codes(outcome(idle_latency=Latency(count=3, visits=1))) == []


def test_energy_says_what_is_included():
    (reason,) = remarks(outcome(energy={"joules_per_item": 0.0161, "mean_watts": 568.2, "seconds": 2.1, "items": 7, "source": "counter"}))
    assert "0.0161 J" in reason.sentence
    assert "nothing subtracted" in reason.sentence


def test_nothing_is_said_without_a_median():
    assert remarks(Outcome(configuration=Configuration(), status="failed")) == ()
