"""The loop that the own cost is measured against: plain PyTorch in a Python process of its own. Started by bench_own_cost and bench_accuracy_of_p50.

Reads commands on standard input, one a line: `loop SECONDS WARM_UP_S` times calls and answers with a file of int64 ns; `timer SECONDS` asks
torch.utils.benchmark. Same model, inputs, seed, threads, inference_mode and garbage collector's rest as the worker; nothing of the engine is imported.
"""

from __future__ import annotations

import gc
import importlib.util
import json
import sys
import time

import numpy as np
import torch


def build(model):
    """The network with its weights, and the input, as the worker makes them."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    spec = importlib.util.spec_from_file_location("nets", model["nets"])
    nets = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(nets)
    made = eval(model["spec"], vars(nets))
    network = made() if isinstance(made, type) else made
    network.load_state_dict(torch.load(model["path"], map_location="cpu", weights_only=True))
    network.eval()
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(model["shape"], generator=generator)
    return lambda: network(x)


def run(call, seconds):
    """Time calls for so long."""
    clock, starts, latencies = time.perf_counter_ns, [], []
    deadline = clock() + int(seconds * 1e9)
    while True:
        began = clock()
        call()
        ended = clock()
        starts.append(began)
        latencies.append(ended - began)
        if ended >= deadline:
            return latencies


def loop(call, seconds, warm_up_s):
    """Warm up, then measure."""
    gc.disable()
    try:
        with torch.inference_mode():
            run(call, float(warm_up_s))
            return run(call, float(seconds))
    finally:
        gc.enable()


def timer(call, seconds):
    """The median that torch.utils.benchmark gives, in ns."""
    from torch.utils.benchmark import Timer

    with torch.inference_mode():
        return [Timer("call()", globals={"call": call}, num_threads=1).blocked_autorange(min_run_time=float(seconds)).median * 1e9]


def main():
    """Say `ready`, then obey."""
    call = build(json.loads(sys.argv[1]))
    gc.collect()
    gc.freeze()
    print("ready", flush=True)
    for line in sys.stdin:
        name, *arguments = line.split()
        values = np.array({"loop": loop, "timer": timer}[name](call, *arguments))
        print(json.dumps([float(np.median(values)), len(values)]), flush=True)


if __name__ == "__main__":
    main()
