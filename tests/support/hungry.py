"""Networks that take memory by the batch, and some that are greedy or die of it; the weights are those of `nets.Linears`."""

from __future__ import annotations

import os
import signal
import sys

import torch
from torch import nn


class Hungry(nn.Module):
    """Takes `mib` MiB for each item of the batch while it runs; from batch `at` on it does `then` instead."""

    def __init__(self, mib: int = 8, then: str = "", at: int = 1 << 30) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 4)
        self.mib, self.then, self.at = mib, then, at

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if len(x) >= self.at:
            getattr(self, self.then)()
        if self.mib:
            held = torch.zeros(len(x) * self.mib * 2**18)
            x = x + held[0]
        return self.second(torch.relu(self.first(x)))

    def grab(self) -> None:
        """Python objects without end: a MemoryError once there are no more."""
        kept = []
        while True:
            kept.append(bytearray(2**24))

    def raises(self) -> None:
        raise RuntimeError("no such batch")

    def dies(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def aborts(self) -> None:
        """As a library does that gets no memory."""
        sys.stderr.write("terminate called after throwing an instance of 'std::bad_alloc'\n")
        sys.stderr.flush()
        os.abort()

    def shares(self) -> None:
        """Memory that counts as shared: the kernel's limit on private memory does not see it."""
        import mmap

        kept = []
        while True:
            block = mmap.mmap(-1, 2**24)
            for place in range(0, 2**24, 4096):
                block[place] = 1
            kept.append(block)

    def spins(self) -> None:
        while True:
            pass


class Tall(Hungry):
    """Takes half a GiB for each item of the batch while it runs, on whatever device."""

    def __init__(self) -> None:
        super().__init__(mib=0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x) + x.repeat(1, 2**23).amax(dim=1, keepdim=True)
