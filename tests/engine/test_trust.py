"""A grade says what is wrong, and does not cry wolf."""

from __future__ import annotations

import string
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import trust
from engine.job import PLANS
from engine.result import Reason, Trust
from engine.statistics import relative_half_width, summarize
from engine.stopping import configuration_over, warm_up_settled
from engine.trust import CAUSES, GRADES, NOTES, POOR, SYMPTOMS, GpuState, MachineState
from engine.words.trust import TABLE

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
STANDARD = PLANS["standard"]
REACHED = Reason("target-reached", {"percent": 0.5, "target_percent": 2.0, "count": 700, "planned": 662})


def spread(percent: float, count: int = 500, seed: int = 0) -> np.ndarray:
    """Latencies around 1 ms whose interquartile range is that share of the median, without order in time."""
    sigma = 1_000_000 * percent / 100.0 / 1.349
    return np.random.default_rng(seed).normal(1_000_000, sigma, count).astype(np.int64)


def grade(latency: np.ndarray, visits: int = 5, stopped: Reason | None = REACHED, machine: MachineState = trust.UNKNOWN_MACHINE, warm_up: Reason | None = None) -> Trust:
    """The grade of samples taken one after another in equal visits."""
    return trust.grade(latency, np.arange(len(latency)) * 1_000_000, np.arange(len(latency)) * visits // max(1, len(latency)), stopped, machine, warm_up=warm_up)


def codes(graded: Trust) -> list[str]:
    """The codes of its reasons."""
    return [reason.code for reason in graded.reasons]


def test_a_quiet_measurement_is_good_without_a_word() -> None:
    """Nothing wrong, nothing said."""
    assert grade(spread(3.0)) == Trust("good")


@pytest.mark.parametrize(("percent", "expected"), [(9.0, "good"), (14.0, "noisy"), (30.0, "poor")])
def test_the_spread_decides_the_grade(percent: float, expected: str) -> None:
    """10 % is noisy, 25 % is poor; without a cause it says that none was found."""
    graded = grade(spread(percent))
    assert graded.grade == expected
    assert ("cause-not-found" in codes(graded)) == (expected != "good")


def test_the_sentence_has_the_evidence() -> None:
    """The number of this run stands in it."""
    (reason, _) = grade(spread(30.0, count=4000)).reasons
    assert reason.code == "spread-poor"
    assert f"{reason.values['percent']:.0f} %" in reason.sentence
    assert 27.0 < reason.values["percent"] < 33.0


@pytest.mark.parametrize(("factor", "code"), [(1.2, "drift-slower"), (0.8, "drift-faster")])
def test_a_drift_from_first_to_last_third(factor: float, code: str) -> None:
    """Slower and faster have their own words; samples may come in any order of time."""
    latency = (spread(1.0, 600) * np.linspace(1.0, factor, 600)).astype(np.int64)
    order = np.random.default_rng(1).permutation(600)
    graded = trust.grade(latency[order], (np.arange(600) * 1000)[order], np.zeros(600, np.int32), None)
    assert graded.grade == "noisy"
    assert code in codes(graded)


def test_a_small_drift_is_no_fault() -> None:
    """2 % from end to end is below what is called a change."""
    assert grade((spread(1.0, 600) * np.linspace(1.0, 1.02, 600)).astype(np.int64)).grade == "good"


def test_few_samples_are_no_drift() -> None:
    """Two thirds of five samples differ by chance."""
    graded = grade(spread(9.0, 15, seed=3), visits=1)
    assert not {"drift-slower", "drift-faster"} & set(codes(graded))


def test_visits_that_differ_more_than_their_own_spread() -> None:
    """Told where the interval is too wide for them, and only there."""
    level = np.repeat([1.0, 1.09, 1.0, 1.09, 1.0], 100)
    latency = (spread(1.0) * level).astype(np.int64)
    wide = Reason("visits-exhausted", {"percent": 5.0, "target_percent": 2.0})
    assert {"visits-differ", "interval-noisy"} <= set(codes(grade(latency, stopped=wide)))
    assert grade(latency, stopped=REACHED).grade == "good"


def test_one_visit_is_at_best_noisy() -> None:
    """However steady it looks from inside: what another visit would have shown is not known. Its sentence says so, and accuses nothing."""
    graded = grade(spread(0.1), visits=1, stopped=Reason("plan-done", {"percent": None, "target_percent": None}))
    assert (graded.grade, codes(graded)) == ("noisy", ["one-visit"])
    assert graded.reasons[0].sentence == "One visit: how much another visit would differ is not known; the standard plan finds out."


def levels(values: list[float], within: float = 0.0, calls: int = 60) -> np.ndarray:
    """Visits of so many calls around these levels; each rises by `within` from its first call to its last."""
    rise = 1.0 + np.linspace(-within / 2, within / 2, calls)
    return (spread(1.0, len(values) * calls) * np.concatenate([level * rise for level in values])).astype(np.int64)


def test_visits_that_follow_one_another_drift() -> None:
    """Up and back down again: first and last third agree, and yet it is no scatter."""
    graded = grade(levels([1.0, 1.01, 1.02, 1.03, 1.03, 1.02, 1.01, 1.0]), visits=8, stopped=None)
    assert (graded.grade, codes(graded)) == ("noisy", ["visits-wander", "cause-not-found"])
    assert codes(grade(levels([1.0, 1.03, 1.01, 1.02, 1.0, 1.03, 1.01, 1.02]), visits=8, stopped=None)) == []


def test_visits_that_move_within_need_less_to_be_a_drift() -> None:
    """The same levels, hardly in order: a drift where the level is seen to move inside the visits as well."""
    order = [1.0, 1.01, 1.025, 1.03, 1.005, 1.02]
    assert codes(grade(levels(order), visits=6)) == []
    assert codes(grade(levels(order, within=0.02), visits=6)) == ["visits-wander", "cause-not-found"]


def test_visits_that_lie_close_together_never_drift() -> None:
    """A row that rises by 1 % in all is nothing to act on."""
    assert codes(grade(levels([1.0, 1.002, 1.004, 1.006, 1.008, 1.01]), visits=6)) == []


@pytest.mark.parametrize(("percent", "expected"), [(1.9, "good"), (2.1, "noisy"), (11.0, "poor")])
def test_an_interval_wider_than_the_target(percent: float, expected: str) -> None:
    """What the plan wanted was not reached."""
    assert grade(spread(3.0), stopped=Reason("visits-exhausted", {"percent": percent, "target_percent": 2.0})).grade == expected


def test_the_half_width_can_be_given() -> None:
    """It wins over what the reason to stop carried."""
    graded = trust.grade(spread(3.0), np.arange(500), np.arange(500) // 100, REACHED, half_width=0.05)
    assert "interval-noisy" in codes(graded)


def test_a_limit_of_time_is_at_best_noisy() -> None:
    """Even where everything else is quiet."""
    stopped = Reason("time-limit", {"count": 100, "planned": 662, "percent": 1.0, "target_percent": 2.0})
    graded = grade(spread(1.0), stopped=stopped)
    assert (graded.grade, codes(graded)) == ("noisy", ["stopped-early"])


def test_too_few_samples_are_noisy() -> None:
    """Below the floor of the median nothing else is judged."""
    graded = grade(spread(50.0, 10))
    assert (graded.grade, codes(graded)) == ("noisy", ["few-samples"])
    assert grade(spread(1.0, 0)).grade == "noisy"


def test_a_warm_up_that_never_settled_is_noisy() -> None:
    """Its sentence is the one of the warm-up."""
    warm_up = warm_up_settled((1e9 * 0.9 ** np.arange(30)).astype(np.int64), 10.0, STANDARD).reason()
    graded = grade(spread(3.0), warm_up=warm_up)
    assert (graded.grade, [reason.sentence for reason in graded.reasons]) == ("noisy", [warm_up.sentence])
    assert grade(spread(3.0), warm_up=warm_up_settled(np.full(30, 10**7), 0.3, STANDARD).reason()).grade == "good"


@pytest.mark.parametrize(
    ("percent", "threads", "expected"),
    [(5.0, 2, []), (30.0, 2, ["other-load"]), (30.0, 1, ["other-load-harmless"]), (80.0, 1, ["other-load"])],
)
def test_other_load_matters_where_it_takes_the_cores(percent: float, threads: int, expected: list[str]) -> None:
    """Two cores: half of one busy disturbs two threads, not one."""
    graded = grade(spread(3.0), machine=MachineState(cores=2, threads=threads, other_cpu_percent=percent))
    assert codes(graded) == expected
    assert graded.grade == ("noisy" if "other-load" in expected else "good")


def test_load_average_where_shares_are_unknown() -> None:
    """A busy machine before the run is a reason; an unknown one is none."""
    assert codes(grade(spread(3.0), machine=MachineState(cores=2, threads=2, load_before=1.5))) == ["other-load"]
    assert codes(grade(spread(3.0), machine=MachineState(cores=2, threads=2))) == []


@pytest.mark.parametrize(
    ("state", "expected", "code"),
    [
        ({"throttle_reasons": 0x1}, "good", None), ({"throttle_reasons": 0x4}, "good", "gpu-power-cap"), ({"throttle_reasons": 0x20}, "noisy", "gpu-hot"),
        ({"throttle_reasons": 0x40}, "noisy", "gpu-hot"), ({"throttle_reasons": 0x8}, "noisy", "gpu-hardware-slowdown"),
        ({"clock_mhz": (1980.0,) * 9 + (1965.0,)}, "good", None), ({"clock_mhz": (1980.0,) * 5 + (1500.0,) * 5}, "noisy", "gpu-clock-drift"),
        ({"foreign_compute": 0}, "good", None), ({"foreign_compute": 2}, "noisy", "gpu-shared"),
        ({"graphics_percent": 1.0}, "good", "gpu-desktop"), ({"graphics_percent": 20.0}, "noisy", "gpu-graphics-busy"), ({}, "good", None),
    ],
)
def test_what_the_gpu_did(state: dict[str, object], expected: str, code: str | None) -> None:
    """Heat, clocks and company are faults; an idle desktop and a power limit are notes."""
    graded = grade(spread(3.0), machine=MachineState(gpus=(GpuState(device="cuda:0", **state),)))  # type: ignore[arg-type]
    assert (graded.grade, codes(graded)) == (expected, [] if code is None else [code])


def test_a_cause_takes_the_place_of_not_found() -> None:
    """Where something was seen, it is named."""
    graded = grade(spread(30.0), machine=MachineState(cores=2, threads=2, other_cpu_percent=50.0))
    assert codes(graded) == ["spread-poor", "other-load"]


def test_every_code_is_worded_in_both_languages() -> None:
    """Codes in this module have words, and both languages take the same values."""
    assert TABLE.keys() >= NOTES | POOR | SYMPTOMS | CAUSES
    for code, sentences in TABLE.items():
        english, chinese = ({field for _, field, _, _ in string.Formatter().parse(sentence) if field} for sentence in sentences)
        assert english == chinese, code
        assert any("\u4e00" <= letter <= "\u9fff" for letter in sentences[1]), code


@given(
    latency=st.lists(st.integers(1, 10**10), max_size=80), visits=st.integers(1, 6), load=st.none() | st.floats(0, 100), percent=st.none() | st.floats(0, 1000),
    code=st.sampled_from(["time-limit", "visits-exhausted", "target-reached", "plan-done"]),
)
def test_any_samples_get_a_grade_that_saves(latency: list[int], visits: int, load: float | None, percent: float | None, code: str) -> None:
    """Whatever was measured: one of three grades, each reason with a sentence, and all of it goes to JSON."""
    stopped = Reason(code, {"percent": percent, "target_percent": 2.0, "count": len(latency), "planned": 662})
    graded = grade(np.array(latency, np.int64), visits, stopped, MachineState(cores=2, threads=1, other_cpu_percent=load))
    assert graded.grade in GRADES
    assert all(reason.sentence for reason in graded.reasons)
    assert msgspec.json.decode(msgspec.json.encode(graded), type=Trust) == graded
    assert (graded.grade == "good") == (not set(codes(graded)) - NOTES)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("h100_resnet50_fp32_b32", {"good"}), ("cpu_mlp_1thread", {"good"}), ("cpu_mlp_2thread", {"good"}), ("cpu_conv2_1thread", {"good", "noisy"}),
        ("cpu_conv2_2thread", {"noisy", "poor"}), ("cpu_linear8_1thread", {"noisy", "poor"}), ("h100_resnet50_fp16_b1", {"poor"}),
    ],
)
def test_grades_of_recorded_series(name: str, allowed: set[str]) -> None:
    """Quiet series are good, disturbed and launch-bound ones are not."""
    path = DATA / f"{name}.npz"
    if not path.exists():
        pytest.skip(f"the recorded series {name} is not beside the repository")
    with np.load(path) as data:
        start, latency = data["start_ns"].astype(np.int64), data["host_ns"].astype(np.int64)
    visit = (start - 10**9) // 600_000_000
    length = int(visit.max())
    kept = (visit >= 0) & (visit % max(1, length // 8) == 0) & (visit < length)
    figures = summarize(latency[kept], visit[kept])
    stopped = configuration_over(figures, STANDARD.visits_max, 5.0, 12.0, STANDARD)
    assert stopped is not None
    graded = trust.grade(latency[kept], start[kept], visit[kept], stopped.reason(), half_width=relative_half_width(figures))
    assert graded.grade in allowed


@pytest.mark.parametrize(
    ("state", "expected", "level"),
    [
        ({"steal_percent": 8.0}, ["host-steal"], "noisy"), ({"steal_percent": 1.0}, [], "good"),
        ({"clock_mhz": (3500.0, 3490.0, 2100.0)}, ["cpu-clock-moved"], "good"), ({"clock_mhz": (3500.0, 3490.0, 3510.0)}, [], "good"),
        ({"power": "battery"}, ["power-battery"], "good"), ({"power": "saver"}, ["power-saver"], "good"),
        ({"cores": 2, "threads": 2, "other_cpu_percent": 50.0, "busiest": (("chrome", 0.9),)}, ["other-load", "busiest"], "noisy"),
        ({"cores": 2, "threads": 2, "busiest": (("chrome", 0.1),)}, [], "good"),
        # What the host took is no other program's.
        ({"cores": 2, "threads": 2, "other_cpu_percent": 50.0, "steal_percent": 48.0}, ["host-steal"], "noisy"),
    ],
)
def test_the_cpus_own_state(state, expected, level):
    graded = grade(spread(3.0), machine=MachineState(**state))
    assert (codes(graded), graded.grade) == (expected, level)


def test_a_clock_that_moved_explains_a_spread():
    assert "cause-not-found" not in codes(grade(spread(30.0), machine=MachineState(clock_mhz=(3500.0, 3490.0, 2100.0))))


def test_blocks_of_a_comparison_are_no_visits_that_may_wander() -> None:
    """Fresh workers lie differently in memory: a level of its own for each round is what the ratio's interval counts already."""
    levels = np.repeat(np.array([1.0, 1.0, 1.01, 1.02, 1.04, 1.06, 1.07, 1.08, 1.1, 1.1]), 60)
    latency = (spread(1.0, 600) * levels).astype(np.int64)
    arguments = latency, np.arange(600)[::-1] * 1000, np.arange(600) // 60, None
    assert {"visits-wander", "visits-differ"} & set(codes(trust.grade(*arguments)))
    assert not {"visits-wander", "visits-differ", "one-visit"} & set(codes(trust.grade(*arguments, in_turn=True)))
