"""A class file whose network tells the test from inside its worker that it is about to do something; fits weights of `nets.Linears`."""

from __future__ import annotations

import threading
import time

import torch
from torch import nn


class Ringing(nn.Module):
    """From call `at` on (of batches of at least `rows`) it empties the pipe at `bell`, once, and does `what`; each call takes `pause_s`."""

    def __init__(self, bell: str, what: str = "nothing", at: int = 1, rows: int = 1, pause_s: float = 0.0) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 4)
        self.bell, self.what, self.at, self.rows, self.pause_s = bell, what, at, rows, pause_s
        self.calls = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.calls += 1
        time.sleep(self.pause_s)
        if self.calls >= self.at and len(x) >= self.rows:
            if self.calls == self.at:
                self.ring()
            getattr(self, self.what)()
        return self.second(torch.relu(self.first(x)))

    def ring(self) -> None:
        with open(self.bell, "rb", 0) as stream:
            stream.read(1 << 20)

    def nothing(self) -> None:
        """Go on."""

    def spin(self) -> None:
        while True:
            pass

    def endless(self) -> None:
        # One call into C that holds the interpreter and does not come back.
        sum(range(10**13))

    def crowd(self) -> None:
        # With threads of its own that never end; processes are refused.
        for _ in range(20):
            threading.Thread(target=self.spin, daemon=True).start()
        self.spin()
