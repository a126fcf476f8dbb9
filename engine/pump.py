"""Waiting, in one place: answers, logs, exits, wake-ups from other threads, and regular ticks."""

from __future__ import annotations

import contextlib
import os
import select
import selectors
import time
from collections.abc import Callable
from dataclasses import dataclass

from engine.link import Link

_LONGEST_TURN_S = 0.2


@dataclass(eq=False)
class Tick:
    """Something done regularly while the engine waits."""

    interval_s: float
    act: Callable[[], None]
    due_s: float


class Pump:
    """A selector over all workers of the engine; everything happens on the thread that calls `turn`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._links: list[Link] = []
        self._ticks: list[Tick] = []
        self._closed = False
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if hasattr(os, "pipe2") else os.pipe()
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._drain_wake)

    def add(self, link: Link) -> None:
        """Watch a worker's channel, log and exit."""
        self._links.append(link)
        self._selector.register(link.worker.channel, selectors.EVENT_READ, lambda: self._answers(link))
        self._selector.register(link.worker.log_fd, selectors.EVENT_READ, lambda: self._log(link))
        if link.worker.exit_fd is not None:
            self._selector.register(link.worker.exit_fd, selectors.EVENT_READ, lambda: self._forget(link.worker.exit_fd))

    def remove(self, link: Link) -> None:
        """Watch it no more."""
        if link in self._links:
            self._links.remove(link)
            for descriptor in (link.worker.channel, link.worker.log_fd, link.worker.exit_fd):
                self._forget(descriptor)

    def _forget(self, descriptor: object) -> None:
        if descriptor is not None and descriptor in self._selector.get_map():
            self._selector.unregister(descriptor)  # type: ignore[arg-type]

    def _answers(self, link: Link) -> None:
        link.read_answers()
        if link.hung_up or link.broken:
            self._forget(link.worker.channel)

    def _log(self, link: Link) -> None:
        link.read_log()
        if not link.log_open:
            self._forget(link.worker.log_fd)

    def watch(self, descriptor: int, act: Callable[[], None]) -> None:
        """Call `act` in a turn whenever `descriptor` is readable."""
        self._selector.register(descriptor, selectors.EVENT_READ, act)

    def unwatch(self, descriptor: int) -> None:
        """Watch it no more."""
        self._forget(descriptor)

    def every(self, interval_s: float, act: Callable[[], None]) -> Tick:
        """Call `act` in turns, about every `interval_s`, until the tick is cancelled."""
        tick = Tick(interval_s, act, self._clock())
        self._ticks.append(tick)
        return tick

    def cancel(self, tick: Tick) -> None:
        """Call it no more."""
        self._ticks.remove(tick)

    def wake(self) -> None:
        """End the current or the next turn's wait; callable from any thread and from a signal handler, and without effect once closed."""
        if self._closed:
            return
        # A full pipe wakes just as well.
        with contextlib.suppress(BlockingIOError):
            os.write(self._wake_write, b"!")

    def _drain_wake(self) -> None:
        if select.select([self._wake_read], [], [], 0)[0]:
            os.read(self._wake_read, 4096)

    def turn(self, timeout_s: float = _LONGEST_TURN_S) -> None:
        """Wait for something to happen, at most `timeout_s` (and never longer than the next tick), and take it in."""
        self._tick()
        for key, _ in self._selector.select(max(0.0, min(timeout_s, _LONGEST_TURN_S, self._until_tick_s()))):
            key.data()
        for link in self._links:
            link.check_stalled()

    def _until_tick_s(self) -> float:
        return min((tick.due_s for tick in self._ticks), default=float("inf")) - self._clock()

    def _tick(self) -> None:
        now = self._clock()
        for tick in self._ticks:
            if now >= tick.due_s:
                # Late by less than an interval: the next one comes on time, so that the rate holds.
                tick.due_s = max(tick.due_s + tick.interval_s, now)
                tick.act()

    def close(self) -> None:
        """Free the selector and the wake-up pipe; a second time does nothing."""
        if self._closed:
            return
        self._closed = True
        self._selector.close()
        os.close(self._wake_read)
        os.close(self._wake_write)
