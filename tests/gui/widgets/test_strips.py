"""The device strip above and the status strip below."""

from __future__ import annotations

import psutil
import pytest

from engine import events
from engine.capabilities import Facts, Gpu
from engine.self_cost import result as kept
from gui import text
from gui.models.run_model import RunModel
from gui.widgets.device_strip import DeviceStrip
from gui.widgets.status_strip import StatusStrip
from tests.support.costs import make_cost
from tests.support.runs import make_outcome, make_run

FACTS = Facts(torch="2.13", gpus=(Gpu(0, "NVIDIA H100", 80 << 30, (9, 0)),), cpu_name="A CPU")


def reading(**values):
    return events.MonitorSampled(None, 0, values)


@pytest.fixture
def strip(show, qapp):
    return show(DeviceStrip(RunModel()), width=500, height=40)


def test_before_the_machine_was_checked_it_says_so(strip):
    """Nothing is shown as 0."""
    assert strip._checking.isVisible()
    assert not strip.cpu.isVisible()
    assert not strip.memory.isVisible()


def test_readings_are_shown_with_their_units(strip):
    """Processor and memory of the machine."""
    strip._model.apply(reading(machine_cpu_percent=12.4, machine_memory_bytes=8.0 * 2**30))
    strip.refresh()
    assert strip.cpu.words.text() == "12 %"
    assert strip.cpu.bar.share == pytest.approx(0.124)
    assert strip.memory.words.text().startswith("8.0 / ")
    assert strip.memory.bar.share == pytest.approx(8 * 2**30 / psutil.virtual_memory().total)
    assert not strip._checking.isVisible()


def test_each_gpu_has_its_bar(strip):
    """Its total comes from the facts; temperature only where it is known."""
    strip.set_facts(FACTS)
    strip._model.apply(reading(gpu0_memory_bytes=20.0 * 2**30, gpu0_temperature_c=41.0))
    strip.refresh()
    assert strip.gpus[0].words.text() == "20.0 / 80.0 GiB  41 °C"
    assert strip.gpus[0].bar.share == pytest.approx(0.25)
    assert "NVIDIA H100" in strip.gpus[0].toolTip()
    strip._model.apply(reading(gpu1_memory_bytes=2.0 * 2**30))
    strip.refresh()
    assert strip.gpus[1].words.text() == "2.00 GiB"
    assert strip.gpus[1].bar.share is None


def test_the_device_strip_switches_language(strip):
    """Live."""
    strip._model.apply(reading(machine_memory_bytes=8.0 * 2**30))
    text.set_language("zh")
    assert strip.memory.caption.text() == "内存"


def test_progress_says_where_the_job_stands(show, running):
    """Which of how many, in which phase, how long still."""
    strip = show(StatusStrip(running), width=900, height=24)
    running.apply(events.Progressed(0.37, 21.0, 1, "warm-up"))
    strip.refresh()
    assert strip.words.text() == "2 of 2 · warming up · 20 s left"
    assert strip.progress.value() == 370
    assert strip.progress.isVisible()
    assert strip.waiting.text() == ""


@pytest.mark.parametrize(("waiting_s", "words"), [(1.9, ""), (5.4, "No answer for 5 s. Stop now ends the model's process.")])
def test_silence_is_told_from_two_seconds_on(show, running, waiting_s, words):
    """With what can be done about it."""
    strip = show(StatusStrip(running), width=900, height=24)
    running.apply(events.Progressed(0.37, None, 0, "first-call", waiting_s=waiting_s))
    strip.refresh()
    assert strip.waiting.text() == words
    assert strip.words.text() == "1 of 2 · first call"


@pytest.mark.parametrize(("outcomes", "words"), [
    ((make_outcome(), make_outcome(status="failed")), "Measured 1 of 2"), ((make_outcome(status="failed"),), "None of 1 could be measured"),
])
def test_the_end_says_how_much_was_measured(show, qapp, outcomes, words):
    """Without a bar."""
    strip = show(StatusStrip(RunModel.from_run(make_run(outcomes))), width=900, height=24)
    assert strip.words.text() == words
    assert not strip.progress.isVisible()


def test_every_state_has_its_words(show, qapp):
    """In both languages, from empty to queued."""
    model = RunModel()
    strip = show(StatusStrip(model), width=900, height=24)
    assert strip.words.text() == text.say("status.none")
    model.set_ready(True)
    assert strip.words.text() == text.say("status.ready")
    text.set_language("zh")
    assert strip.words.text() == "就绪"


def test_the_own_cost_stands_at_the_right_once_the_machine_is_known(show, qapp):
    """Empty before; a dash and how to measure it without a figure; with one its value."""
    strip = show(StatusStrip(RunModel()), width=900, height=24)
    assert strip.own_cost.text() == ""
    facts = Facts(torch="2.13.0+cpu", cpu_name="Test CPU", cores=2, python="3.11.7")
    strip.set_facts(facts)
    assert strip.own_cost.text() == "own cost –"
    assert "--self-cost" in strip.own_cost.toolTip()
    kept.store(make_cost())
    strip.set_facts(facts)
    assert strip.own_cost.text() == "own cost 1.00"
    assert strip.own_cost.geometry().right() > strip.width() - 40
    text.set_language("zh")
    assert strip.own_cost.text() == "自身开销 1.00"
    assert "自身开销 1.003" in strip.own_cost.toolTip()
