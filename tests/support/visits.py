"""Workers that answer at once, for tests of a configuration's way."""

from __future__ import annotations

import os
from types import SimpleNamespace

import msgspec
import numpy as np

from engine import messages


class FakeWorkers:
    """Answers as a worker does; `sent` are the commands in order, `behind` how many answers were owed at most."""

    def __init__(self, call_ms=1, per_block=6, **replace):
        self.sent, self.ended, self.owed, self.behind = [], [], [], 0
        self.call_ns, self.per_block, self.replace = call_ms * 1_000_000, per_block, replace
        self.company = False

    def start(self, python, policy=None):
        self.python = python
        return SimpleNamespace(pid=os.getpid(), log=SimpleNamespace(text=lambda: "log"), has_exited=lambda: False)

    def send(self, link, command, phase):
        self.sent.append((type(command).__name__, phase))
        self.owed.append(command)
        self.behind = max(self.behind, len(self.owed))

    def receive(self, link, timeout_s, phase):
        self.timeout_s = timeout_s
        command = self.owed.pop(0)
        name = type(command).__name__
        return self.replace[name](command) if name in self.replace else getattr(self, name)(command)

    def ask(self, link, command, timeout_s, phase):
        self.send(link, command, phase)
        return self.receive(link, timeout_s, phase)

    def end(self, link, at_once=False):
        self.ended.append(at_once)

    def end_all(self, links, at_once=False):
        self.ended.extend(at_once for _ in links)

    def has_company(self, link):
        return self.company

    def Load(self, command):
        return messages.Loaded(2_000_000, 10, 0, 40, None)

    def Prepare(self, command):
        return messages.Prepared(3_000_000, None, None, (("provider", {"provider": "p"}),))

    def FirstCall(self, command):
        return messages.FirstCalled(4_000_000, "[1]")

    def ResetPeaks(self, command):
        return messages.PeaksReset()

    def ReadMemory(self, command):
        return messages.MemoryRead(None, None)

    def MakeContext(self, command):
        return messages.ContextMade(5_000_000, 2 << 20)

    def RunBlock(self, command):
        return block(self.call_ns, self.per_block)


def block(call_ns, count, **changes):
    latency = np.full(count, call_ns, "<i8").tobytes()
    return msgspec.structs.replace(messages.BlockDone(1, latency, latency, 0, 1), **changes)


def gpu_block():
    one = block(1_000_000, 6)
    return msgspec.structs.replace(one, device_ns=one.latency_ns, enqueue_ns=one.latency_ns)
