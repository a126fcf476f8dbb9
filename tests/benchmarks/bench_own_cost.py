"""What measuring with the program costs: `python -m tests.benchmarks.bench_own_cost [pnet|crepe ...] [--rounds N] [--seconds S]`.

Own cost (docs: what a profiler owes): median under the program with its window drawing (A) over the same loop in a lone Python process with the same
window drawing beside it (B): the window is fed with the events of A, at their pace, from a thread. Cost of watching: A over the lone loop while
the window stands still (C). Each round is a window, a fork server and a lone process of its own, and measures A B C C B A; the
interval is Student's t on the logarithms of the rounds' ratios. A round during which other programs (or the host, by stolen time) took more than 5 % of the
machine says nothing about the program: it is shown, and measured again.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import subprocess
import sys
import threading
import time

import numpy as np

from engine.events import BlockMeasured, MonitorSampled, OutcomeUpdated, PhaseStarted, Progressed
from tests.benchmarks import rig

BAR = "interval within 0.97-1.03"
SHAPES = {"pnet": (1, 3, 64, 64), "crepe": (1, 1024)}
WARM_UP_S = 0.3
OTHERS_MOST = 0.05
TRIES = 4
"""A benchmark of N rounds gives up after so many times N."""
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 14: 2.145, 19: 2.093}
LIVE = (BlockMeasured, MonitorSampled, OutcomeUpdated, PhaseStarted, Progressed)


class Lone:
    """The lone Python process."""

    def __init__(self, name, model=None):
        if model is None:
            file, spec, _ = rig.REAL[name]
            model = {"nets": str(rig.NETS), "spec": spec, "path": str(rig.MODELS / file), "shape": SHAPES[name]}
        command = [sys.executable, "-P", str(rig.ROOT / "tests" / "benchmarks" / "lone.py"), json.dumps(model)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def wait_ready(self):
        """Until torch and the model are loaded."""
        if self._process.stdout.readline().strip() != "ready":
            raise RuntimeError("the lone process did not start")

    def ask(self, line, meanwhile):
        """Send a command and live until its answer is there: median in ns."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        answers = []
        reader = threading.Thread(target=lambda: answers.append(json.loads(self._process.stdout.readline())))
        reader.start()
        meanwhile(lambda: bool(answers))
        reader.join()
        return answers[0][0]

    def close(self):
        """Let it end."""
        self._process.communicate()


class Replay:
    """Sends the events of a finished job to the window again, at the pace at which they came."""

    def __init__(self, program, job, info, log):
        self._program, self._job, self._info = program, job, info
        begin = next(index for index, (_, event) in enumerate(log) if isinstance(event, PhaseStarted) and event.phase == "warm-up")
        self._events = [(at - log[begin][0], event) for at, event in log[begin:] if isinstance(event, LIVE)]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._send)

    def start(self):
        """From the beginning of warm-up on."""
        self._program.session.run.set_queued(self._job, self._info)
        self._program.session.run.state = "running"
        self._thread.start()

    def _send(self):
        began = time.perf_counter()
        for at, event in self._events:
            if self._stop.wait(max(0.0, began + at - time.perf_counter())):
                return
            self._program.engine.told.emit(event)

    def stop(self):
        """No more of it."""
        self._stop.set()
        self._thread.join()


def under_program(program, name, seconds):
    """A: p50 in ns, and what is needed to draw the same again."""
    job, info = rig.real_job(name, visit_s=seconds, visit_samples=1, visit_limit_s=seconds + 5, measuring_limit_s=seconds + 5)
    program.log.clear()
    run = program.measure(job, info)
    return run.outcomes[0].latency.p50_ms * 1e6, (job, info, list(program.log))


def one_round(name, seconds):
    """Medians of A B C C B A, in ns, and how often the window was drawn a second in A and in B."""
    with rig.places():
        lone = Lone(name)
        program = rig.Program()
        lone.wait_ready()
        under_program(program, name, 0.3)
        watch = rig.Watch(program.window.bench.latency_plot.canvas)
        medians, rates, others = [], {}, rig.Others(os.getppid())
        for what in "ABCCBA":
            program.for_seconds(0.3)
            watch.start()
            began = time.perf_counter()
            if what == "A":
                median, drawn = under_program(program, name, seconds)
            else:
                replay = Replay(program, *drawn)
                if what == "B":
                    replay.start()
                median = lone.ask(f"loop {seconds} {WARM_UP_S}", lambda condition: program.until(condition, 60))
                if what == "B":
                    replay.stop()
            watch.stop()
            medians.append(median)
            rates[what] = round(len(watch.paints) / (time.perf_counter() - began), 1)
        print(json.dumps({"medians": medians, "frames_per_s": rates, "others": others.share()}))
        lone.close()
        program.close()


def interval(logs):
    """Ratio with its 95 % interval, from the rounds' logarithms."""
    mean, half = float(np.mean(logs)), T_975[len(logs) - 1] * float(np.std(logs, ddof=1)) / math.sqrt(len(logs))
    return [round(math.exp(value), 4) for value in (mean, mean - half, mean + half)]


def main():
    """All rounds of each model."""
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", default=["pnet", "crepe"])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--one", action="store_true")
    options = parser.parse_args()
    if options.one:
        one_round(options.models[0], options.seconds)
        return
    print(rig.machine())
    with rig.places():
        for name in options.models:
            report(name, options.rounds, options.seconds)


def report(name, rounds, seconds):
    """Every round in a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.bench_own_cost", name, "--one", "--seconds", str(seconds)]
    environment = {**os.environ, "BENCH_DISPLAY": os.environ.get("DISPLAY", "")}
    results, tries = [], 0
    while len(results) < rounds and tries < TRIES * rounds:
        tries += 1
        answer = json.loads(subprocess.run(command, cwd=rig.ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1])
        is_quiet = answer["others"] <= OTHERS_MOST
        results += [answer["medians"]] if is_quiet else []
        us = " ".join(f"{what} {value / 1e3:.1f}" for what, value in zip("ABCCBA", answer["medians"], strict=True))
        verdict = f"round {len(results)}" if is_quiet else "disturbed"
        print(f"  {name} {verdict}: {us} us, frames/s {answer['frames_per_s']}, others {answer['others']:.1%}", flush=True)
    if len(results) < rounds:
        print(f"  {name}: only {len(results)} of {rounds} rounds were quiet", flush=True)
    if len(results) < 2:
        return
    logs = np.log(np.array(results))
    a, b, c = logs[:, [0, 5]].mean(1), logs[:, [1, 4]].mean(1), logs[:, [2, 3]].mean(1)
    for what, bar, part in (("own cost", BAR, a - b), ("cost of watching", None, a - c), ("the window alone", None, b - c)):
        ratio, low, high = interval(part)
        rig.say(f"{what}, {rig.REAL[name][0]}", bar, ratio=ratio, ci95=[low, high], rounds=len(results), disturbed=tries - len(results))


if __name__ == "__main__":
    main()
