"""Examining a model and ranking classes, as the engine drives it: every answer becomes one event, every failure a sentence."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from engine import messages
from engine.candidates import Candidate, Fit
from engine.events import Looking
from engine.job import InputSpec, ModelSource
from engine.looking import Looker
from engine.pump import Pump
from engine.words import failure
from engine.workers import ConfigurationEnded, Interrupted

SOURCE = ModelSource("/models/net.pth", "state-dict", "/models/net.py:Net")
GIVEN = (InputSpec(name="x", shape=("B", 3)),)
EXAMINED = messages.Examined(
    inputs=(InputSpec(name="x", shape=("B", 3), ran=True),), outputs="[2, 10]", load_ns=5_000_000, reading_ns=4_000_000, moving_ns=None,
    load_peak_bytes=1 << 20, parameters=30, buffers=0, weights_bytes=120, architecture="Net", fit=Fit(matching=2, keys=2),
)


class Workers:
    """Gives one answer, or raises it; notes what was started and whether it was ended."""

    def __init__(self, answer, turns=0, pump=None):
        self.answer, self.turns, self.pump = answer, turns, pump
        self.started, self.ended, self.commands = [], 0, []

    def start(self, python, policy=None):
        self.started.append((python, policy))
        return SimpleNamespace(pid=1)

    def ask(self, link, command, timeout_s, phase):
        self.commands.append(command)
        while self.turns and self.turns():
            self.pump.turn(0.05)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    def end(self, link, at_once=False):
        self.ended += 1


@pytest.fixture
def pump():
    made = Pump()
    yield made
    made.close()


def looker(workers, pump, told=None):
    return Looker(workers, pump, (told if told is not None else []).append, threads=1)


def test_an_answer_becomes_the_event_with_times_in_ms(pump):
    workers = Workers(EXAMINED)
    examined = looker(workers, pump).examine(SOURCE, GIVEN, "/python")
    assert (examined.path, examined.source, examined.inputs[0].ran, examined.outputs) == (SOURCE.path, SOURCE, True, "[2, 10]")
    assert examined.phases_ms == {"load": 5.0, "reading": 4.0}
    assert (examined.parameters, examined.fit.perfect, examined.failure) == (30, True, None)
    assert workers.started[0][0] == "/python"
    assert workers.ended == 1


def test_a_failure_keeps_the_inputs_and_ends_the_worker(pump):
    workers = Workers(ConfigurationEnded(failure("timeout", "timeout", {"seconds": 600, "phase": "load"})))
    examined = looker(workers, pump).examine(SOURCE, GIVEN, "/python")
    assert (examined.failure.code, examined.inputs) == ("timeout", GIVEN)
    assert workers.ended == 1


def test_a_stop_is_passed_on_and_leaves_no_worker(pump):
    workers = Workers(Interrupted())
    with pytest.raises(Interrupted):
        looker(workers, pump).examine(SOURCE, GIVEN, "/python")
    assert workers.ended == 1


@pytest.mark.parametrize("refused", [("x", "no-such-sentence", {}), ("x", "timeout", {}), ("x", "timeout", {"seconds": {}, "phase": []}), ("", "", {})])
def test_a_refusal_without_words_is_a_breach_of_protocol_or_a_sentence_and_never_an_error(pump, refused):
    answer = messages.Examined(**{name: getattr(EXAMINED, name) for name in EXAMINED.__struct_fields__} | {"refused": refused})
    assert looker(Workers(answer), pump).examine(SOURCE, GIVEN, "/python").failure.summary


def test_notes_without_words_are_left_out(pump):
    answer = messages.Examined(**{name: getattr(EXAMINED, name) for name in EXAMINED.__struct_fields__} | {"notes": (("no-such-note", {}),)})
    assert looker(Workers(answer), pump).examine(SOURCE, GIVEN, "/python").notes == ()


def test_the_sizes_that_were_proved_become_a_sentence(pump):
    """One without words is left out as a note is."""
    said = ("first-layer-conv2d-from", {"layer": "conv1", "channels": 3, "plural": "s", "least": 11})
    for first_layer, sentence in ((said, "first layer conv1 (Conv2d): 3 channels, any height and width from 11"), (("?", {}), None)):
        answer = messages.Examined(**{name: getattr(EXAMINED, name) for name in EXAMINED.__struct_fields__} | {"first_layer": first_layer, "least_batch": 4})
        examined = looker(Workers(answer), pump).examine(SOURCE, GIVEN, "/python")
        assert (examined.first_layer and examined.first_layer.sentence, examined.least_batch) == (sentence, 4)


def test_another_answer_than_the_one_asked_for_is_a_breach_of_protocol(pump):
    assert looker(Workers(messages.PeaksReset()), pump).examine(SOURCE, GIVEN, "/python").failure.code == "protocol-error"


def test_candidates_are_passed_on(pump):
    one = Candidate(spec="/models/net.py:Net", origin="file", score=1.0, fit=Fit(matching=2, keys=2))
    workers = Workers(messages.ClassesFound((one,)))
    ranked = looker(workers, pump).rank(SOURCE, (one,), {"depth": 3}, "/python")
    assert (ranked.path, ranked.candidates, ranked.failure) == (SOURCE.path, (one,), None)
    assert (ranked.asked, workers.ended) == ((one.spec,), 1)
    assert workers.commands[0].config == {"depth": 3}


def test_a_ranking_that_fails_says_why(pump):
    workers = Workers(ConfigurationEnded(failure("timeout", "timeout", {"seconds": 600, "phase": "load"})))
    assert looker(workers, pump).rank(SOURCE, (), {}, "/python").failure.code == "timeout"


def test_waiting_is_told_and_the_tick_is_gone_afterwards(pump, monkeypatch):
    monkeypatch.setattr("engine.looking.SAY_EVERY_S", 0.01)
    told: list[object] = []
    looker(Workers(EXAMINED, turns=lambda: len(told) < 2, pump=pump), pump, told).examine(SOURCE, GIVEN, "/python")
    assert all(isinstance(event, Looking) and event.what == "examined" for event in told)
    before = len(told)
    pump.turn(0.05)
    assert len(told) == before
