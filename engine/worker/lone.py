"""The loop that the program's own cost is measured against: plain PyTorch in a Python process of its own, run as a file.

Reads commands on standard input, one a line: `loop SECONDS WARM_UP_S` times calls and answers with their median in ns and their number; `timer SECONDS`
asks torch.utils.benchmark. Same model, inputs, seed, threads, inference_mode, timing calls and garbage collector's rest as the worker's timed loop; nothing of
the program is imported, and nothing but this loop runs here.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

_PR_SET_PDEATHSIG, _SIGKILL = 1, 9


def build(told: dict[str, Any]) -> tuple[Callable[[], object], torch.device]:
    """The call of the network with its weights and input, as the worker makes them; and its device."""
    torch.set_num_threads(told["threads"])
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    torch.manual_seed(0)
    device = torch.device(told["device"])
    file, _, expression = told["architecture"].rpartition(":")
    spec = importlib.util.spec_from_file_location("lone_model", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made = eval(expression, vars(module))  # noqa: S307 - the class that the program itself was told to measure
    network = made() if isinstance(made, type) else made
    network.load_state_dict(torch.load(told["weights"], map_location=device, weights_only=True))
    network.to(device).eval()
    positional, named = (torch.randn(told["shape"], generator=torch.Generator().manual_seed(0)).to(device),), dict[str, Any]()
    return lambda: network(*positional, **named), device


def host(call: Callable[[], object], seconds: float) -> list[int]:
    """Time calls on the CPU for so long."""
    clock, starts, latencies = time.perf_counter_ns, list[int](), list[int]()
    deadline = clock() + int(seconds * 1e9)
    while True:
        began = clock()
        call()
        ended = clock()
        starts.append(began)
        latencies.append(ended - began)
        if ended >= deadline:
            return latencies


def cuda(call: Callable[[], object], seconds: float, device: torch.device) -> list[int]:
    """The same on a GPU: events around the call, the clock stops when the device is done, and the events are read as the worker reads them."""
    clock, synchronize = time.perf_counter_ns, torch.cuda.synchronize
    starts, latencies, enqueued, elapsed = list[int](), list[int](), list[int](), list[int]()
    first, second = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    deadline = clock() + int(seconds * 1e9)
    with torch.cuda.device(device):
        while True:
            began = clock()
            first.record()
            call()
            second.record()
            queued = clock()
            synchronize(device)
            ended = clock()
            starts.append(began)
            latencies.append(ended - began)
            enqueued.append(queued - began)
            elapsed.append(round(first.elapsed_time(second) * 1e6))
            if ended >= deadline:
                return latencies


def loop(call: Callable[[], object], device: torch.device, seconds: str, warm_up_s: str) -> list[int]:
    """Warm up, then measure."""
    run = (lambda length: cuda(call, length, device)) if device.type == "cuda" else (lambda length: host(call, length))
    gc.disable()
    try:
        with torch.inference_mode():
            run(float(warm_up_s))
            return run(float(seconds))
    finally:
        gc.enable()


def timer(call: Callable[[], object], device: torch.device, seconds: str, number: str = "0") -> list[float]:
    """The median that torch.utils.benchmark gives, in ns: of blocks as long as it chooses, or of `number` calls each."""
    from torch.utils.benchmark import Timer

    with torch.inference_mode():
        made = Timer("call()", globals={"call": call}, num_threads=torch.get_num_threads())
        if not int(number):
            return [made.blocked_autorange(min_run_time=float(seconds)).median * 1e9]
        blocks, end = list[float](), time.perf_counter() + float(seconds)
        made.timeit(int(number))
        while time.perf_counter() < end:
            blocks.append(made.timeit(int(number)).median * 1e9)
        return blocks


COMMANDS: dict[str, Callable[..., Any]] = {"loop": loop, "timer": timer}


def main() -> None:
    """Say `ready`, then obey until standard input ends."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    call, device = build(json.loads(sys.argv[1]))
    gc.collect()
    gc.freeze()
    print("ready", flush=True)  # noqa: T201 - its answer
    for line in sys.stdin:
        name, *arguments = line.split()
        values = np.array(COMMANDS[name](call, device, *arguments))
        print(json.dumps([float(np.median(values)), len(values)]), flush=True)  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
