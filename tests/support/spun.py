"""Networks whose every call takes a given share longer: the same network, and work that is measured beside it."""

from __future__ import annotations

import time

import torch

from tests.support.nets import Linears, PNet


def spin(began_ns: int, share: float) -> None:
    """Keep the processor busy for `share` of the time since `began_ns`."""
    end_ns = began_ns + (time.perf_counter_ns() - began_ns) * (1.0 + share)
    while time.perf_counter_ns() < end_ns:
        pass


class SpunLinears(Linears):
    """`Linears` that takes `share` longer (0: only the clock is read)."""

    def __init__(self, share: float = 0.0, width: int = 16) -> None:
        super().__init__(width)
        self.share = share

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        began_ns = time.perf_counter_ns()
        result = super().forward(x)
        spin(began_ns, self.share)
        return result


class SpunPNet(PNet):
    """`PNet` that takes `share` longer."""

    def __init__(self, share: float = 0.0) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        began_ns = time.perf_counter_ns()
        result = super().forward(x)
        spin(began_ns, self.share)
        return result
