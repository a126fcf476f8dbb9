"""Workers of several devices that a test sets: each has a clock of its own, and answers when its calls would be over."""

from __future__ import annotations

import os
from collections import deque
from types import SimpleNamespace

import msgspec
import numpy as np

from engine import messages
from engine.capabilities import Facts, Gpu
from engine.job import Configuration, Job, ModelSource
from engine.replica_set import ReplicaSet
from engine.replicas import ReplicaVisitor
from engine.result import ModelInfo
from engine.workers import ConfigurationEnded
from tests.support import jobs

TWO_GPUS = Facts(torch="2.13.0", cuda_build="12.6", cores=8, gpus=(Gpu(0, "H100", 80 << 30, (9, 0)), Gpu(1, "H100", 80 << 30, (9, 0))))
PLAN = msgspec.structs.replace(jobs.TURNS, warm_up_s=0.0, warm_up_calls=10, visit_s=0.0, visit_samples=12, visit_needs_both=True)
MIB = 1 << 20


class FakeLink:
    """A worker of one device; its clock begins at `starts_ns`."""

    def __init__(self, number: int, starts_ns: int, call_ns: int) -> None:
        self.number, self.pid, self.log = number, os.getpid(), SimpleNamespace(text=lambda: f"log {number}")
        self.clock_ns, self.call_ns = starts_ns, call_ns
        self.owed: deque[messages.Command] = deque()

    def has_exited(self) -> bool:
        return False


class FakeWorkers:
    """`call_ms` and `starts_ms` of each device; `replace` are other answers, by the command's name: called with the link and the command."""

    def __init__(self, call_ms: tuple[float, ...] = (1, 1), starts_ms: tuple[float, ...] = (0, 0), per_block: int = 6, cuda: bool = True, **replace: object) -> None:
        self.links: list[FakeLink] = []
        self.sent: list[tuple[int, str, str]] = []
        self.ended: list[int] = []
        self.policies: list[object] = []
        self._call_ms, self._starts_ms, self.per_block, self._cuda, self.replace = call_ms, starts_ms, per_block, cuda, replace

    def start(self, python: str, policy: object = None) -> FakeLink:
        number = len(self.links) % len(self._call_ms)
        self.links.append(FakeLink(number, int(self._starts_ms[number] * 1e6), int(self._call_ms[number] * 1e6)))
        self.policies.append(policy)
        return self.links[-1]

    def now(self) -> float:
        return 0.0

    def send(self, link: FakeLink, command: messages.Command, phase: str) -> None:
        self.sent.append((link.number, type(command).__name__, phase))
        link.owed.append(command)

    def receive_any(self, waiting, beside, timeout_s, phase):
        """Whoever would be through first."""
        link = min((each for each in waiting if each.owed), key=lambda each: each.clock_ns + isinstance(each.owed[0], messages.RunBlock) * each.call_ns * self.per_block)
        command = link.owed.popleft()
        name = type(command).__name__
        try:
            return link, self.replace[name](link, command) if name in self.replace else getattr(self, name)(link, command)
        except ConfigurationEnded as ended:
            ended.link = link
            raise

    def end(self, link: FakeLink, at_once: bool = False) -> None:
        self.ended.append(link.number)

    def end_all(self, links, at_once=False):
        self.ended.extend(link.number for link in links if link.number not in self.ended)

    def MakeContext(self, link, command):
        return messages.ContextMade(5_000_000 * (1 + link.number), 2 * MIB)

    def Load(self, link, command):
        return messages.Loaded(2_000_000 * (1 + link.number), 10, 0, 40, None)

    def Prepare(self, link, command):
        return messages.Prepared(3_000_000, None, None, (("provider", {"provider": "p"}),))

    def FirstCall(self, link, command):
        return messages.FirstCalled(4_000_000, "[1]")

    def ResetPeaks(self, link, command):
        return messages.PeaksReset(10, 20, 5) if self._cuda else messages.PeaksReset()

    def ReadMemory(self, link, command):
        return messages.MemoryRead(100 * MIB, 200 * MIB, 200 * MIB) if self._cuda else messages.MemoryRead(None, None)

    def RunBlock(self, link, command):
        starts = link.clock_ns + link.call_ns * np.arange(self.per_block)
        link.clock_ns += link.call_ns * self.per_block
        latency = np.full(self.per_block, link.call_ns, "<i8").tobytes()
        on_gpu = latency if self._cuda else None
        return messages.BlockDone(command.block, starts.astype("<i8").tobytes(), latency, 0, 0, device_ns=on_gpu, enqueue_ns=on_gpu)


def make(device: str = "cuda:0+cuda:1", plan=PLAN, monitor: object = None, configuration: Configuration | None = None, **fields):
    """A visitor over fakes, the record of all replicas, its workers, and what was told."""
    workers, events = FakeWorkers(cuda=device.startswith("cuda"), **fields), []
    configuration = configuration or Configuration(device=device)
    job = Job(id="j", model=ModelSource("/m.pth", "state-dict"), inputs=(), configurations=(configuration,), plan=plan, timeout_s=7.0, first_timeout_s=70.0)
    record = ReplicaSet(0, job, configuration, ModelInfo(path="/m.pth", sha256="0" * 64, kind="state-dict"), 2)
    return ReplicaVisitor(workers, events.append, 0, monitor), record, workers, events
