"""What being confined costs: the same small model in a free and in a confined worker, in turn: `python -m tests.benchmarks.bench_confinement [rounds]`.

Both workers live through all rounds and hold the same model; each round is one block of either, the free one first in every second. The figure is the
ratio of medians, confined over free, with the interval of its rounds; besides, how long a worker takes to start either way.
"""

from __future__ import annotations

import select
import sys
import time
from statistics import median

import numpy as np

from engine import messages
from engine.confinement import policy_for
from engine.process import ForkServer
from engine.wire import FrameReader, frame
from tests.benchmarks import rig
from tests.benchmarks.weights import linears

BAR = "medians equal within 2 %, a confined worker starts within 60 ms"
BLOCK_NS = 60_000_000
STARTS = 20


def ask(worker, command):
    """One answer, waited for without the engine."""
    worker.channel.send(frame(command))
    reader, found = FrameReader(), []
    while not found:
        select.select([worker.channel], [], [])
        found = reader.feed(worker.channel.recv(1 << 20))
    if isinstance(found[0], messages.Failed):
        raise RuntimeError(found[0].traceback)
    return found[0]


def ready(server, job, policy):
    """A worker with the model loaded, called once and warm."""
    worker = server.spawn(policy)
    for command in (messages.Load(job.model, job.configurations[0], job.inputs, 0), messages.Prepare(), messages.FirstCall()):
        ask(worker, command)
    for number in range(10):
        block(worker, number)
    return worker


def block(worker, number):
    """The median of one block, in us."""
    return float(np.median(np.frombuffer(ask(worker, messages.RunBlock(number, BLOCK_NS, 200_000)).latency_ns, "<i8"))) / 1000


def end(worker):
    """Hang up and collect."""
    worker.channel.shutdown(2)
    select.select([worker.exit_fd], [], [])
    worker.collect()


def starts(server, policy):
    """Median time in ms from the request to the worker's handle, confined by then where it is to be."""
    took = []
    for _ in range(STARTS):
        began = time.perf_counter()
        worker = server.spawn(policy)
        took.append((time.perf_counter() - began) * 1000)
        end(worker)
    return median(took)


def main(rounds=60):
    """Two networks, a quick one and a slower one."""
    print(rig.machine())
    with rig.places() as folder:
        server = ForkServer(sys.executable)
        server.wait_ready(120.0)
        jobs = {"2 linear layers": rig.make_job(linears(folder), "Linears", "f32[B,16]")[0], "pnet": rig.real_job("pnet")[0]}
        for name, job in jobs.items():
            policy = policy_for(job.model, job.inputs)
            free, confined = ready(server, job, None), ready(server, job, policy)
            pairs = []
            for number in range(rounds):
                first, second = (free, confined) if number % 2 else (confined, free)
                one, two = block(first, number), block(second, number)
                pairs.append((one, two) if number % 2 else (two, one))
            ratios = sorted(there / here for here, there in pairs)
            low, high = ratios[int(0.25 * rounds)], ratios[int(0.75 * rounds)]
            rig.say(name, BAR, free_us=round(median(here for here, _ in pairs), 2), confined_us=round(median(there for _, there in pairs), 2),
                    ratio=round(median(ratios), 4), quartiles=f"{low:.3f} to {high:.3f}", rounds=rounds)
            end(free)
            end(confined)
        rig.say("start of a worker", BAR, free_ms=round(starts(server, None), 1), confined_ms=round(starts(server, policy), 1))
        server.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
