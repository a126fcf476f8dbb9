"""How long the GUI thread is held while a real worker measures more than 20,000 calls a second: `python -m tests.benchmarks.bench_stall [seconds]`.

The real window with the real engine; two linear layers, batch 1, one visit. A 5 ms timer of the GUI thread that fires late tells how long it was held.
"""

from __future__ import annotations

import os
import sys

from engine.events import BlockMeasured, JobFinished
from tests.benchmarks import rig
from tests.benchmarks.weights import linears

BAR = "stall at most 50 ms, 20 frames/s or more, 20,000 samples/s or more"


def steady_blocks(log):
    """Arrival and size of the counted blocks."""
    return [(at, len(event.start_ns)) for at, event in log if isinstance(event, BlockMeasured) and event.steady]


def main(seconds=15.0):
    """One visit of so many seconds."""
    print(rig.machine())
    with rig.places() as folder:
        path = linears(folder)
        program = rig.Program()
        program.measure(*rig.make_job(path, "Linears", "f32[B,16]", visit_s=0.5))
        program.for_seconds(1.0)
        watch = rig.Watch(program.window.bench.latency_plot.canvas)
        program.log.clear()
        watch.start()
        others = rig.Others(os.getpid())
        program.measure(*rig.make_job(path, "Linears", "f32[B,16]", visit_s=seconds, visit_limit_s=seconds + 5, measuring_limit_s=seconds + 5))
        program.for_seconds(1.0)
        watch.stop()
        share = others.share()
        blocks = steady_blocks(program.log)
        first, last = blocks[0][0], blocks[-1][0]
        rate = sum(count for _, count in blocks) / (last - first)
        rig.say("samples arriving", BAR, samples_per_s=round(rate), others=f"{share:.1%}", **watch.between(first, last))
        finished = next(at for at, event in program.log if isinstance(event, JobFinished))
        rig.say("from the last sample to 0.9 s after the run was kept", "stall at most 50 ms", **watch.between(last, finished + 0.9))
        rig.say("torch in the window's sys.modules", "never", seen="torch" in sys.modules)
        program.close()


if __name__ == "__main__":
    main(*map(float, sys.argv[1:]))
