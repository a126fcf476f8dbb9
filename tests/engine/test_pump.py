"""Waiting in one place: answers, logs, wake-ups and ticks; it ends in time and frees its pipes."""

from __future__ import annotations

import os
import threading
import time

import pytest

from engine import messages
from engine.pump import Pump
from tests.support.wired import linked


class Clock:
    """A clock that stands until it is moved."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def pump():
    made = Pump()
    yield made
    made.close()


def test_a_wake_from_another_thread_ends_the_wait(pump):
    thread = threading.Timer(0.02, pump.wake)
    began = time.monotonic()
    thread.start()
    pump.turn(0.2)
    assert time.monotonic() - began < 0.15
    thread.join()


def test_many_wakes_are_one_and_the_next_turn_waits_again(pump):
    for _ in range(70_000):
        pump.wake()
    for _ in range(40):
        pump.turn(0.0)
    began = time.monotonic()
    pump.turn(0.05)
    assert time.monotonic() - began > 0.04


def test_a_wake_after_the_end_touches_no_file_that_took_the_number():
    pump = Pump()
    pump.close()
    reader, writer = os.pipe()      # most likely the numbers that were just freed
    pump.wake()
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        os.read(reader, 1)
    os.close(reader)
    os.close(writer)


def test_ticks_come_when_due_and_not_after_they_are_cancelled():
    clock, ticked = Clock(), []
    pump = Pump(clock)
    tick = pump.every(1.0, lambda: ticked.append(clock.now))
    pump.turn(0.0)
    pump.turn(0.0)
    clock.now += 1.0
    pump.turn(0.0)
    pump.cancel(tick)
    clock.now += 5.0
    pump.turn(0.0)
    assert ticked == [100.0, 101.0]
    pump.close()


def test_a_turn_inside_a_tick_does_not_tick_again():
    clock, ticked = Clock(), []
    pump = Pump(clock)

    def act():
        ticked.append(clock.now)
        pump.turn(0.0)

    pump.every(1.0, act)
    pump.turn(0.0)
    assert ticked == [100.0]
    pump.close()


def test_answers_and_prints_are_taken_in_and_a_closed_channel_is_watched_no_more(pump):
    link, worker = linked()
    pump.add(link)
    link.send(messages.ResetPeaks())
    worker.say(messages.PeaksReset())
    worker.print(b"hello")
    pump.turn(0.1)
    pump.turn(0.0)
    assert list(link.answers) == [messages.PeaksReset()]
    assert link.log.text() == "hello"
    worker.theirs.close()
    pump.turn(0.1)
    assert link.hung_up
    began = time.monotonic()
    pump.turn(0.05)
    assert time.monotonic() - began > 0.04, "a channel at its end is always readable: watching it would spin"
    pump.remove(link)
    pump.remove(link)
    worker.close()


def test_half_a_message_is_found_in_a_turn(pump):
    link, worker = linked()
    now = Clock()
    link._reader._clock = now
    pump.add(link)
    worker.theirs.sendall(b"\0\0")
    pump.turn(0.1)
    assert link.broken is None
    now.now += 2.5
    pump.turn(0.0)
    assert "half a message" in str(link.broken)
    pump.remove(link)
    worker.close()


def test_a_watched_descriptor_may_be_closed_before_it_is_let_go(pump):
    reader, writer = os.pipe()
    seen = []
    pump.watch(reader, lambda: seen.append(os.read(reader, 1)))
    os.write(writer, b"!")
    pump.turn(0.1)
    assert seen == [b"!"]
    os.close(reader)
    pump.unwatch(reader)
    os.close(writer)
    pump.turn(0.0)
