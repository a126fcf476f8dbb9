"""The program's own cost as a value: its interval, where it is kept, and which runs it belongs to."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import storage
from engine.job import Configuration
from engine.result import Environment
from engine.self_cost import result as kept
from engine.self_cost.result import Ratio
from tests.support.costs import make_cost, make_environment
from tests.support.runs import make_outcome, make_run


def test_both_figures_come_from_the_rounds_own_ratios():
    """A over B and A over C, of each round, whatever the machine's speed in it."""
    own, watching = kept.ratios([[1.02, 1.0, 0.8, 0.8, 1.0, 1.02], [2.04, 2.0, 1.6, 1.6, 2.0, 2.04]])
    assert own.ratio == pytest.approx(1.02)
    assert watching.ratio == pytest.approx(1.275)
    assert own.ci95 == pytest.approx((1.02, 1.02))


def test_the_interval_is_students_t_on_the_logarithms():
    """Three rounds: 2 degrees of freedom, 4.303."""
    logs = np.array([0.0, 0.01, 0.02])
    half = 4.3027 * 0.01 / np.sqrt(3)
    ratio = kept.ratio_of(logs)
    assert np.log(ratio.ratio) == pytest.approx(0.01)
    assert np.log(ratio.ci95) == pytest.approx([0.01 - half, 0.01 + half], rel=1e-3)


def test_one_round_has_no_interval():
    assert kept.ratio_of(np.array([0.05])) == Ratio(pytest.approx(np.exp(0.05)))


@given(st.lists(st.tuples(*[st.floats(1e3, 1e9)] * 6), min_size=2, max_size=8), st.floats(0.1, 10))
def test_a_machine_of_another_speed_gives_the_same_ratio(rounds, factor):
    own, watching = kept.ratios(rounds)
    other, other_watching = kept.ratios([[value * factor for value in medians] for medians in rounds])
    assert other.ratio == pytest.approx(own.ratio, rel=1e-9)
    assert other_watching.ratio == pytest.approx(watching.ratio, rel=1e-9)
    assert own.ci95[0] <= own.ratio * (1 + 1e-12) and own.ratio * (1 - 1e-12) <= own.ci95[1]


@pytest.mark.parametrize(("kind", "ci95", "meets"), [
    ("cpu", (0.971, 1.029), True), ("cpu", (0.969, 1.0), False), ("cpu", (1.0, 1.031), False), ("cuda", (0.991, 1.009), True), ("cuda", (0.98, 1.0), False), ("cpu", None, False),
])
def test_the_goal_is_met_by_the_whole_interval(kind, ci95, meets):
    assert make_cost(kind=kind, own=Ratio(1.0, ci95)).meets_goal is meets


def test_what_is_stored_is_found_for_this_machine_and_these_versions():
    """Another torch or another machine is told nothing."""
    kept.store(make_cost())
    here = make_environment()
    assert kept.found(here, "cpu") == make_cost()
    assert kept.found(msgspec.structs.replace(here, torch="2.14.0"), "cpu") is None
    assert kept.found(msgspec.structs.replace(here, cpu="Another CPU"), "cpu") is None
    assert kept.found(here, "cuda:0") is None


def test_a_newer_result_takes_the_place_of_the_machines_older_one():
    """Another machine's and another device's stay."""
    others = [make_cost(cpu="Another CPU"), make_cost(kind="cuda", gpu="NVIDIA H100")]
    for cost in (make_cost(torch="2.12.0"), *others, make_cost()):
        kept.store(cost)
    results, broken = kept.load()
    assert broken is None
    assert sorted(map(repr, results)) == sorted(map(repr, [make_cost(), *others]))


def test_the_folder_does_not_grow_for_ever():
    for number in range(kept.KEPT + 3):
        kept.store(make_cost(cpu=f"CPU {number}"))
    results, _ = kept.load()
    assert [result.place.cpu for result in results] == [f"CPU {number}" for number in range(kept.KEPT + 2, 2, -1)]


def plain():
    return msgspec.to_builtins({"schema": 1, "results": [make_cost()]})


def broken_files():
    """Not JSON, another schema, a ratio of zero, a missing name, and an interval of three ends."""
    yield b"{"
    yield b"\xff\xfe"
    yield msgspec.json.encode(plain() | {"schema": 2})
    for change in ({"own": {"ratio": 0.0}}, {"own": {"ratio": 1.0, "ci95": [1.0, 1.0, 1.0]}}, {"place": {}}, {"rounds": "ten"}):
        given = plain()
        given["results"][0] |= change
        yield msgspec.json.encode(given)


@pytest.mark.parametrize("data", list(broken_files()))
def test_a_broken_file_counts_as_none_and_is_told(data):
    """And is replaced when the cost is measured again."""
    path = storage.self_cost_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    results, failure = kept.load()
    assert results == ()
    assert str(path) in failure.summary
    assert "doctor --self-cost" in failure.hint
    assert kept.found(make_environment(), "cpu") is None
    kept.store(make_cost())
    assert kept.load() == ((make_cost(),), None)


@given(st.binary(max_size=200))
def test_whatever_the_file_holds_reading_it_raises_nothing(data):
    path = storage.self_cost_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    kept.load()


def test_a_run_says_what_belongs_to_its_rows():
    """By kind of device; without the rounds' own medians, which nobody needs there."""
    kept.store(make_cost())
    gpus = ({"name": "NVIDIA H100"},)
    kept.store(make_cost(kind="cuda", gpu="NVIDIA H100"))
    outcomes = tuple(make_outcome(configuration=Configuration(device=device)) for device in ("cpu", "cuda:0", "cuda:0"))
    run = msgspec.structs.replace(make_run(outcomes), environment=make_environment(gpus=gpus))
    own = kept.with_own_cost(run).own_cost
    assert list(own) == ["cpu", "cuda"]
    assert own["cpu"]["own"] == {"ratio": 1.003, "ci95": (0.991, 1.015)}
    assert (own["cpu"]["goal"], own["cpu"]["meets_goal"], own["cuda"]["meets_goal"]) == ([0.97, 1.03], True, False)
    assert "rounds_ns" not in own["cpu"]


def test_a_run_elsewhere_says_nothing():
    kept.store(make_cost())
    run = msgspec.structs.replace(make_run(), environment=Environment(cpu="Another CPU", cores=2, python="3.11.7", torch="2.13.0+cpu"))
    assert kept.with_own_cost(run).own_cost is None


@pytest.mark.parametrize(("device", "gpu"), [("cuda", "First"), ("cuda:0", "First"), ("cuda:1", "Second"), ("cuda:1+cuda:0", "Second"), ("cuda:7", ""), ("cpu", "")])
def test_a_place_knows_its_gpu(device, gpu):
    assert kept.Place.of(make_environment(gpus=({"name": "First"}, {"name": "Second"})), device).gpu == gpu
