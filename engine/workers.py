"""All workers of an engine: starting them, asking them, and knowing how each one ended."""

from __future__ import annotations

import dataclasses
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from engine import messages
from engine.confinement import Policy
from engine.devices import gpu_index
from engine.failures import start_failure, unspeakable, worded
from engine.link import Link
from engine.process import EngineLost, ForkServer, SpawnedWorker, can_fork
from engine.pump import Pump
from engine.result import Failure
from engine.wire import ProtocolError
from engine.words import failure

LEAVE_S = 0.3
TERMINATE_S = 0.2
LAST_WORDS_S = 1.0
READY_S = 120.0


class ConfigurationEnded(Exception):
    """The configuration is over for a reason that is not success."""

    def __init__(self, why: Failure) -> None:
        super().__init__(why.summary)
        self.failure = why
        self.link: Link | None = None
        """Of several workers asked at once: the one that ended it."""


class Interrupted(Exception):
    """The user wants everything stopped now."""


class Workers:
    """Fork servers by interpreter, and the links to the workers that live."""

    def __init__(self, pump: Pump, should_stop: Callable[[], bool], clock: Callable[[], float] = time.monotonic) -> None:
        self._pump, self._should_stop, self._clock = pump, should_stop, clock
        self._servers: dict[str, ForkServer] = {}
        self._links: list[Link] = []
        self.gpu_layers: dict[str, str] = {}
        """How far an interpreter's workers are confined on a GPU (engine.confinement.LAYERS), where that is known."""
        self.waiting_since: float | None = None
        """When the question that is now open was asked or last answered; None while nothing is awaited."""

    def warm_up(self, python: str, timeout_s: float = READY_S) -> None:
        """Start the fork server of `python` and wait until torch is loaded in it; raises EngineLost or Interrupted."""
        if not can_fork():
            return
        server = self._servers.get(python)
        if server is not None and not server.is_alive():
            server.close()
            server = None
        if server is None:
            server = self._servers[python] = ForkServer(python)
        deadline = self._clock() + timeout_s
        while not server.wait_ready(0.0):
            if self._should_stop():
                raise Interrupted
            if self._clock() > deadline:
                raise EngineLost(f"torch was not loaded within {timeout_s:g} s")
            self._watch_briefly(server)

    def _watch_briefly(self, server: ForkServer) -> None:
        self._pump.watch(server.fileno(), lambda: None)
        try:
            self._pump.turn()
        finally:
            self._pump.unwatch(server.fileno())

    def start(self, python: str, policy: Policy | None = None) -> Link:
        """A new worker, confined where `policy` says so; a lost fork server is started again first. Raises ConfigurationEnded `engine-lost`."""
        if policy is not None and policy.cuda:
            policy = dataclasses.replace(policy, layers=self.gpu_layers.get(python, policy.layers))
        try:
            if not can_fork():
                worker: SpawnedWorker | object = SpawnedWorker(python, policy)
            else:
                self.warm_up(python)
                worker = self._servers[python].spawn(policy)
        except EngineLost as error:
            self._drop_server(python)
            raise ConfigurationEnded(start_failure(python, str(error))) from error
        link = Link(worker)  # type: ignore[arg-type]
        self._links.append(link)
        self._pump.add(link)
        return link

    def _drop_server(self, python: str) -> None:
        server = self._servers.pop(python, None)
        if server is not None:
            server.close()

    def ask(self, link: Link, command: messages.Command, timeout_s: float, phase: str) -> messages.Answer:
        """Send a command and wait for its answer; raises ConfigurationEnded or Interrupted."""
        self.send(link, command, phase)
        return self.receive(link, timeout_s, phase)

    def send(self, link: Link, command: messages.Command, phase: str) -> None:
        """Send a command whose answer is fetched later."""
        try:
            link.send(command)
        except ProtocolError as error:
            raise ConfigurationEnded(self._protocol_error(link, error, phase)) from error

    def receive(self, link: Link, timeout_s: float, phase: str) -> messages.Answer:
        """The next answer; raises ConfigurationEnded when the worker fails, hangs, dies or talks nonsense, Interrupted on stop."""
        self.waiting_since = self._clock()
        deadline = self.waiting_since + timeout_s
        try:
            while not link.answers:
                self._pump.turn(deadline - self._clock())
                if self._should_stop():
                    raise Interrupted
                self._check(link, deadline, timeout_s, phase)
        finally:
            self.waiting_since = None
        return self._taken(link, phase)

    def receive_any(self, waiting: Mapping[Link, float], beside: Collection[Link], timeout_s: float, phase: str) -> tuple[Link, messages.Answer]:
        """The next answer of any of several workers, each awaited since the time given; raises as `receive` does, with the worker at fault in `link`.

        Workers in `beside` owe no answer, but must live all the same.
        """
        self.waiting_since = min(waiting.values())
        try:
            while not (ready := [link for link in waiting if link.answers]):
                self._pump.turn(self.waiting_since + timeout_s - self._clock())
                if self._should_stop():
                    raise Interrupted
                for link in {**dict.fromkeys(beside), **waiting}:
                    with _blaming(link):
                        self._check(link, waiting.get(link, float("inf")) + timeout_s, timeout_s, phase)
        finally:
            self.waiting_since = None
        link = min(ready, key=lambda each: waiting[each])
        with _blaming(link):
            return link, self._taken(link, phase)

    def now(self) -> float:
        """The time on the clock that waiting is measured by."""
        return self._clock()

    def _taken(self, link: Link, phase: str) -> messages.Answer:
        answer = link.answers.popleft()
        if isinstance(answer, messages.Failed):
            raise ConfigurationEnded(self._worded(link, answer))
        if (fault := unspeakable(answer)) is not None:
            raise ConfigurationEnded(self._protocol_error(link, ProtocolError(fault), phase))
        return answer

    def _check(self, link: Link, deadline: float, timeout_s: float, phase: str) -> None:
        if link.has_exited():
            link.drain()
            if not link.answers and link.broken is None:
                raise ConfigurationEnded(self._death(link, phase))
        if link.broken is not None and not link.answers:
            raise ConfigurationEnded(self._protocol_error(link, link.broken, phase))
        if link.hung_up and not link.answers and not self._exits_soon(link):
            raise ConfigurationEnded(self._protocol_error(link, ProtocolError("it closed its channel and lives on"), phase))
        if self._clock() > deadline and not link.answers:
            self.end(link, at_once=True)
            raise ConfigurationEnded(failure("timeout", "timeout", {"seconds": timeout_s, "phase": phase}, {"log": link.log.text()}))

    def _exits_soon(self, link: Link) -> bool:
        deadline = self._clock() + LAST_WORDS_S
        while not link.has_exited() and self._clock() < deadline:
            if self._should_stop():
                raise Interrupted
            self._pump.turn(min(0.05, deadline - self._clock()))
        return link.has_exited()

    def _wait_exit(self, link: Link, seconds: float) -> bool:
        deadline = self._clock() + seconds
        while not link.has_exited() and self._clock() < deadline:
            self._pump.turn(min(0.05, deadline - self._clock()))
        return link.has_exited()

    def _death(self, link: Link, phase: str) -> Failure:
        lost = self._server_is_gone()
        self.end(link, at_once=True)
        code, details = link.exit_code, {"log": link.log.text()}
        if code is None or lost:
            self._drop_dead_servers()
            return failure("engine-lost", "engine-lost", {"error": "it was ended from outside"}, details)
        if code < 0:
            values = {"signal": -code, "name": _signal_name(-code), "phase": phase}
            return failure("killed-by-signal", "killed-by-signal", values, details | {"signal": -code})
        return failure("exited", "exited", {"exit_code": code, "phase": phase}, details | {"exit_code": code})

    def _server_is_gone(self) -> bool:
        return can_fork() and any(not server.is_alive() for server in self._servers.values())

    def _drop_dead_servers(self) -> None:
        for python in [python for python, server in self._servers.items() if not server.is_alive()]:
            self._drop_server(python)

    def _protocol_error(self, link: Link, error: ProtocolError, phase: str) -> Failure:
        self.end(link, at_once=True)
        return failure("protocol-error", "protocol-error", {"error": str(error)[:300], "phase": phase}, {"log": link.log.text()})

    def _worded(self, link: Link, answer: messages.Failed) -> Failure:
        self.end(link)
        return worded(answer, link.log.text())

    def end(self, link: Link, at_once: bool = False) -> None:
        """The worker goes: asked first, then SIGTERM, then SIGKILL to all of its group; returns when it is gone."""
        if link not in self._links:
            return
        if at_once:
            link.kill()
        else:
            link.hang_up()
        if not self._wait_exit(link, LEAVE_S):
            link.terminate()
            if not self._wait_exit(link, TERMINATE_S):
                link.kill()
                self._wait_exit(link, READY_S)
        self._links.remove(link)
        self._pump.remove(link)
        link.collect()

    def end_all(self, links: Collection[Link], at_once: bool = False) -> None:
        """Several workers go: all are told before the first one is waited for."""
        living = [link for link in links if link in self._links]
        for link in living:
            if at_once:
                link.kill()
            else:
                link.hang_up()
        for link in living:
            self.end(link, at_once)

    def has_company(self, link: Link) -> bool:
        """Whether another worker of this engine that lives computes on the same GPU."""
        index = gpu_index(link.device)
        return index is not None and any(other is not link and gpu_index(other.device) == index for other in self._links)

    @property
    def alive(self) -> tuple[Link, ...]:
        """Links to all workers that were not ended."""
        return tuple(self._links)

    def close(self) -> None:
        """End all workers and fork servers; afterwards no process of the engine lives."""
        for link in list(self._links):
            self.end(link, at_once=True)
        for python in list(self._servers):
            self._drop_server(python)


@contextmanager
def _blaming(link: Link) -> Iterator[None]:
    """What ends the configuration here comes from this worker."""
    try:
        yield
    except ConfigurationEnded as ended:
        ended.link = link
        raise


def default_python() -> str:
    """The program's own Python."""
    return sys.executable


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return "?"


def interpreter_of(requested: str | None) -> str:
    """The interpreter of a job: the one asked for, or the program's own."""
    return str(Path(requested).expanduser()) if requested else default_python()
