"""What the program itself costs, in the words of the status strip."""

from __future__ import annotations

from engine.capabilities import Facts, Gpu
from engine.self_cost import result as kept
from gui import text
from gui.models import own_cost
from tests.support.costs import make_cost

FACTS = Facts(torch="2.13.0+cpu", cpu_name="Test CPU", cores=2, python="3.11.7")


def test_a_dash_stands_for_a_cost_that_was_not_measured(qapp):
    """With the way to it."""
    words = own_cost.words_of(own_cost.measured(FACTS))
    assert words.text == "own cost –"
    assert "doctor --self-cost" in words.tip


def test_the_cost_of_this_machine_is_shown_with_its_interval(qapp):
    """Another machine's is not."""
    kept.store(make_cost(cpu="Another CPU"))
    assert own_cost.measured(FACTS) == ()
    kept.store(make_cost())
    words = own_cost.words_of(own_cost.measured(FACTS))
    assert words.text == "own cost 1.00"
    assert words.tip.startswith("cpu: own cost 1.003 [0.991, 1.015], cost of watching 1.024, 10 rounds, 2026-11-24.\n")


def test_a_gpu_comes_first(qapp):
    """Its goal is the stricter one."""
    kept.store(make_cost())
    kept.store(make_cost(kind="cuda", gpu="NVIDIA H100", own=kept.Ratio(1.012, (1.01, 1.014))))
    facts = Facts(torch="2.13.0+cpu", cpu_name="Test CPU", cores=2, python="3.11.7", gpus=(Gpu(0, "NVIDIA H100", 80 << 30, (9, 0)),))
    words = own_cost.words_of(own_cost.measured(facts))
    assert words.text == "own cost 1.01"
    assert [line.partition(":")[0] for line in words.tip.splitlines()[::2]] == ["cuda", "cpu"]


def test_it_is_said_in_the_language_of_the_moment(qapp):
    text.set_language("zh")
    try:
        assert own_cost.words_of((make_cost(),)).text == "自身开销 1.00"
    finally:
        text.set_language("en")
