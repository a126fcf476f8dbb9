"""Figures beside the timed loop on a GPU: copies to and from the device, and how long the device itself is busy in a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import torch

MIN_COPIES = 5
SPIN_TRIAL_CYCLES = 2_000_000
SPIN_LEAST_S, SPIN_MOST_S = 0.001, 0.5
SPIN_MARGIN = 2.0
"""The queue is held back for so many times what launching a call took."""


def nbytes(tensors: Sequence[torch.Tensor]) -> int:
    """Bytes that a copy of these tensors moves: each one whole, also where it repeats what lies there once."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def time_copies(tensors: Sequence[torch.Tensor], device: torch.device, target: torch.device, duration_ns: int) -> list[int]:
    """Copy all tensors to `target` again and again for about `duration_ns`, at least five times after one that is not counted; ns each.

    From ordinary (pageable) memory of the host, as a program has it that does not ask for pinned memory.
    """
    took: list[int] = []
    if not tensors:
        return took
    clock = time.perf_counter_ns
    deadline = clock() + duration_ns
    for number in range(1_000_000):
        torch.cuda.synchronize(device)
        began = clock()
        for tensor in tensors:
            tensor.to(target, copy=True)
        torch.cuda.synchronize(device)
        ended = clock()
        if number:
            took.append(ended - began)
        if ended >= deadline and len(took) >= MIN_COPIES:
            break
    return took


def spin_cycles_per_s(device: torch.device) -> float:
    """How many cycles of `torch.cuda._sleep` pass in a second here."""
    first, second = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    with torch.cuda.device(device):
        torch.cuda._sleep(SPIN_TRIAL_CYCLES)      # loads the kernel
        first.record()
        torch.cuda._sleep(SPIN_TRIAL_CYCLES)
        second.record()
        torch.cuda.synchronize(device)
    return SPIN_TRIAL_CYCLES / (first.elapsed_time(second) / 1e3)


def time_busy(call: Callable[[], object], device: torch.device, rounds: int) -> list[int]:
    """How long the device computes in one call, in ns, one figure a round.

    A kernel that only waits holds the queue back until the whole call is launched, so the device never waits for the CPU. A round counts only if the
    wait was still going on when the last launch was made: calls that wait for the device themselves, or launch more than the queue takes, give none.
    """
    rate = spin_cycles_per_s(device)
    launch_s = _launch_s(call, device)
    found: list[int] = []
    with torch.cuda.device(device):
        for _ in range(rounds):
            held_s = min(SPIN_MOST_S, max(SPIN_LEAST_S, SPIN_MARGIN * launch_s))
            held, first, last = torch.cuda.Event(), torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            began = time.perf_counter()
            torch.cuda._sleep(int(held_s * rate))
            held.record()
            first.record()
            call()
            last.record()
            is_valid = not held.query()
            launch_s = max(launch_s, time.perf_counter() - began) if not is_valid else launch_s
            torch.cuda.synchronize(device)
            if is_valid:
                found.append(round(first.elapsed_time(last) * 1e6))
    return found


def _launch_s(call: Callable[[], object], device: torch.device) -> float:
    began = time.perf_counter()
    call()
    took = time.perf_counter() - began
    torch.cuda.synchronize(device)
    return took
