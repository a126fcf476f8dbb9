"""The `profile` command's p50 against torch.utils.benchmark's median, in turn: `python -m tests.benchmarks.bench_accuracy_of_p50 [rounds]`."""

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


def profiled(folder):
    """p50 in ns, as the real command writes it."""
    file, spec, inputs = rig.REAL["pnet"]
    out = Path(folder, "run.json")
    command = [
        sys.executable, str(rig.ROOT / "main.py"), "profile", str(rig.MODELS / file), "--arch", f"{rig.NETS}:{spec}", "--input", inputs, "--threads", "1",
        "--plan", "quick", "--no-history", "--json", str(out),
    ]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return json.loads(out.read_bytes())["outcomes"][0]["latency"]["p50_ms"] * 1e6


def timed():
    """torch.utils.benchmark.Timer.blocked_autorange in a process of its own, 1 thread, in ns."""
    lone = Lone("pnet")
    lone.wait_ready()
    answer = lone.ask(f"timer {TIMER_S}", wait)
    lone.close()
    return answer


def wait(condition):
    """Until something is so."""
    while not condition():
        time.sleep(0.01)


def main(rounds=5):
    """A B B A in every round."""
    print(rig.machine())
    logs = []
    with rig.places() as folder:
        for number in range(rounds):
            a1, b1, b2, a2 = profiled(folder), timed(), timed(), profiled(folder)
            logs.append(float(np.log(a1 * a2 / b1 / b2) / 2))
            print(f"  round {number + 1}: profile {a1 / 1e3:.1f} {a2 / 1e3:.1f} us, torch.utils.benchmark {b1 / 1e3:.1f} {b2 / 1e3:.1f} us", flush=True)
    ratio, low, high = interval(np.array(logs))
    rig.say("profile's p50 over torch.utils.benchmark's median, pnet.pt", None, ratio=ratio, ci95=[low, high], rounds=rounds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
