"""From the click on Run to the first point on the screen, pnet.pt, fork server warm: `python -m tests.benchmarks.bench_first_point [processes]`; `--one --trace`: one process, and where its time goes.

The real window with the real engine. Each process presses Run three times: the first one also pays for the plots, which are made when first needed.
The point is there when the latency plot has painted at least one sample and Qt has handed the picture over (the next turn of the event loop).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

import numpy as np

from tests.benchmarks import rig

BAR_S = 0.5
PRESSES = 3


def one_process():
    """Seconds of each press, as JSON on standard output."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest

    with rig.places():
        program = rig.Program()
        window, session = program.window, program.session
        drawn = []

        def noted(paint, plot):
            def painted(painter):
                paint(painter)
                if not drawn and any(raster.total for raster in plot._rasters.values()):
                    QTimer.singleShot(0, lambda: drawn.append(time.perf_counter()))
            return painted

        made = type(window)._make_bench

        def make_bench(self):
            bench = made(self)
            bench.latency_plot.canvas._paint = noted(bench.latency_plot.canvas._paint, bench.latency_plot)
            return bench

        type(window)._make_bench = make_bench
        file, spec, inputs = rig.REAL["pnet"]
        session.opening.open([str(rig.MODELS / file)])
        program.until(lambda: session.models.current is not None and session.models.current.is_ready, 30)
        session.opening.set_class(f"{rig.NETS}:{spec}")
        session.models.set_input_text(0, inputs)
        session.setup.set_plan("quick")
        program.until(window.setup_pane.run_button.isEnabled, 5)
        took = [press(program, window, session, drawn, QTest, Qt) for _ in range(PRESSES)]
        print(json.dumps({"seconds": took, "torch": "torch" in sys.modules}))
        program.close()


def press(program, window, session, drawn, QTest, Qt):
    """Click, wait for the point, then let the job end."""
    program.for_seconds(1.0)
    drawn.clear()
    began = time.perf_counter()
    QTest.mouseClick(window.setup_pane.run_button, Qt.MouseButton.LeftButton)
    program.until(lambda: bool(drawn), 20)
    program.until(lambda: not session.is_busy, 30)
    if "--trace" in sys.argv:
        trace(program.log, began, drawn[0])
    return drawn[0] - began


def trace(log, began, drawn):
    """When the engine's events of this press arrived, in ms after the click: where the time goes."""
    told = [(at, event) for at, event in log if began <= at <= drawn and type(event).__name__ not in ("MonitorSampled", "Progressed")]
    lines = [f"{(at - began) * 1e3:7.1f} {type(event).__name__} {getattr(event, 'phase', '')}" for at, event in told]
    print("\n".join([*lines, f"{(drawn - began) * 1e3:7.1f} drawn"]), file=sys.stderr)


def main(processes=5):
    """Each process is a program of its own."""
    print(rig.machine())
    with rig.places():
        command = [sys.executable, "-m", "tests.benchmarks.bench_first_point", "--one"]
        environment = {**os.environ, "BENCH_DISPLAY": os.environ.get("DISPLAY", "")}
        answers = [json.loads(subprocess.run(command, cwd=rig.ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout.splitlines()[-1]) for _ in range(processes)]
    seconds = np.array([answer["seconds"] for answer in answers])
    for what, part in (("first press in a process", seconds[:, 0]), ("later presses", seconds[:, 1:].ravel())):
        rig.say(f"Run to first point, {what}", f"at most {BAR_S} s", median_s=round(float(np.median(part)), 3), worst_s=round(float(part.max()), 3), presses=len(part))
    rig.say("torch in the window's sys.modules after the jobs", "never", seen=any(answer["torch"] for answer in answers))


if __name__ == "__main__":
    if "--one" in sys.argv:
        one_process()
    else:
        main(*map(int, sys.argv[1:]))
