"""The engine's line to one worker: one answer for each command, nothing blocks, prints cost little."""

from __future__ import annotations

import os
import signal

import pytest

from engine import messages
from engine.job import Configuration, ModelSource
from engine.link import LOG_HEAD_BYTES, LOG_TAIL_BYTES, Log
from engine.wire import ProtocolError
from tests.support.wired import linked


@pytest.fixture
def line():
    link, worker = linked()
    yield link, worker
    worker.close()


def test_an_answer_to_a_command_arrives(line):
    link, worker = line
    link.send(messages.ReadMemory())
    assert not link.read_answers()
    worker.say(messages.MemoryRead(1, 2))
    assert link.read_answers()
    assert list(link.answers) == [messages.MemoryRead(1, 2)]
    assert link.broken is None


def test_an_answer_that_nobody_asked_for_breaks_the_rules_and_is_no_figure(line):
    link, worker = line
    link.send(messages.ResetPeaks())
    worker.say(messages.PeaksReset(), messages.BlockDone(1, b"", b"", 0, 0))
    link.read_answers()
    assert list(link.answers) == [messages.PeaksReset()]
    assert "nobody asked" in str(link.broken)
    worker.say(*[messages.PeaksReset()] * 100)
    assert not link.read_answers()
    assert len(link.answers) == 1


def test_two_commands_may_be_under_way(line):
    link, worker = line
    for _ in range(2):
        link.send(messages.ResetPeaks())
    worker.say(messages.PeaksReset(), messages.PeaksReset())
    link.read_answers()
    assert len(link.answers) == 2
    assert link.broken is None


def test_a_worker_that_does_not_read_is_found_out_without_waiting(line):
    link, _ = line
    big = messages.Load(ModelSource("/m.pth", "state-dict"), Configuration(options={"text": "x" * 100_000}), (), 0)
    with pytest.raises(ProtocolError, match="stopped reading"):
        for _ in range(1000):
            link.send(big)


def test_a_closed_channel_is_remembered_both_ways(line):
    link, worker = line
    worker.theirs.close()
    assert not link.read_answers()
    assert link.hung_up
    link.send(messages.ReadMemory())
    assert link.broken is None


def test_drain_takes_all_that_was_sent_before_the_exit(line):
    link, worker = line
    for _ in range(3):
        link.send(messages.ReadMemory())
    worker.say(*[messages.MemoryRead(number, None) for number in range(3)])
    worker.print(b"last words")
    link.drain()
    assert [answer.allocated_peak_bytes for answer in link.answers] == [0, 1, 2]
    assert link.log.text() == "last words"


def test_signals_go_to_the_worker_and_it_is_collected_once(line):
    link, worker = line
    link.terminate()
    link.kill()
    assert worker.signals == [signal.SIGTERM, signal.SIGKILL]
    assert link.collect() == 0
    assert link.collect() == 0
    assert worker.collected == 1
    assert link.has_exited()


def test_a_flood_of_prints_costs_little_and_keeps_both_ends():
    log = Log()
    log.add(b"first words ")
    for _ in range(300):
        log.add(b"x" * 10_000)
    log.add(b" last words")
    text = log.text()
    assert text.startswith("first words ")
    assert text.endswith(" last words")
    assert "bytes left out" in text
    assert len(text) < LOG_HEAD_BYTES + 2 * LOG_TAIL_BYTES + 100


def test_a_log_is_text_whatever_is_printed():
    log = Log()
    log.add(b"a\0b\xff")
    assert log.text() == "ab\ufffd"


def test_a_log_is_read_in_portions(line):
    link, worker = line
    worker.print(b"y" * 50_000)
    link.read_log(limit_bytes=1)
    assert "y" in link.log.text()
    os.close(worker.log_write)
    worker.log_write = -1
    link.read_log()
    assert not link.log_open
