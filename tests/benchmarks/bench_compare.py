"""Verdicts of A against itself and against a loop made 5 % slower: `python -m tests.benchmarks.bench_compare [--runs 100] [--model pnet] [--keep FILE]`.

Bars: A against itself FASTER or SLOWER in at most 5 of 100 and SAME in at least 80; the slower loop SLOWER in at least 90 of 100 and never FASTER.
With --keep each run is a line in FILE, and what is there already is not run again: 200 runs can be taken in parts.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec

from tests.benchmarks import rig

SPUN = rig.ROOT / "tests" / "support" / "spun.py"
MODELS = {"linears": ("", "SpunLinears({share}, width=512)", "f32[16,512]"), "pnet": (str(rig.MODELS / "pnet.pt"), "SpunPNet({share})", "f32[B,3,64,64]")}
"""Name -> file (empty: made here), class in tests/support/spun.py, input. The share is of the forward: of calls much shorter than these, Python's own part
would be too large for 5 % of it to be 5 % of all."""
SHARES = {"self": 0.0, "slower": 0.05}
SAME_LEAST, DIFFERENT_MOST, SLOWER_LEAST = 0.80, 0.05, 0.90


def job(name, share, folder):
    """The network whose calls take `share` longer; 0 reads the clock all the same, so that nothing but the work differs."""
    file, spec, inputs = MODELS[name]
    made, info = rig.make_job(file or weights(folder), "Linears", inputs)
    return msgspec.structs.replace(made, model=msgspec.structs.replace(made.model, architecture=f"{SPUN}:{spec.format(share=share)}")), info


def weights(folder):
    """A state dict of `Linears`, written without torch in this process."""
    path = Path(folder, "linears.pth")
    if not path.exists():
        code = "import sys, torch; from tests.support.nets import Linears; torch.manual_seed(0); torch.save(Linears(512).state_dict(), sys.argv[1])"
        subprocess.run([sys.executable, "-c", code, str(path)], cwd=rig.ROOT, check=True)
    return path


def kept(path, name):
    """Runs of this model that the file has already."""
    if path is None or not path.exists():
        return []
    return [found for found in map(json.loads, path.read_text(encoding="utf-8").splitlines()) if found["model"] == name]


def compare(engine, name, what, folder):
    """One comparison from nothing."""
    began = time.monotonic()
    run = engine.compare(*job(name, 0.0, folder), *job(name, SHARES[what], folder))
    found = run.comparison
    return {
        "model": name, "what": what, "verdict": found.verdict, "ratio": found.ratio, "ci95": found.ci95, "blocks": found.blocks, "seconds": time.monotonic() - began,
        "load": os.getloadavg()[0], "statuses": [outcome.status for outcome in run.outcomes],
    }


def take(options, folder):
    """All runs asked for, A against itself and the slower loop in turn, so that both see the same machine."""
    from engine.supervisor import Engine

    found = kept(options.keep, options.model)
    engine = Engine(keep_history=False)
    try:
        engine.start()
        for number in range(options.runs):
            for what in SHARES:
                if sum(each["what"] == what for each in found) > number:
                    continue
                found.append(compare(engine, options.model, what, folder))
                tell(number, found[-1])
                if options.keep is not None:
                    with options.keep.open("a", encoding="utf-8") as stream:
                        stream.write(json.dumps(found[-1]) + "\n")
    finally:
        engine.close()
    return found


def tell(number, each):
    """One run in a line."""
    ends = "" if each["ci95"] is None else f" [{each['ci95'][0]:.4f}, {each['ci95'][1]:.4f}]"
    print(f"  {number + 1:3} {each['what']:6} {each['verdict']:11} {each['ratio'] or 0:.4f}{ends} {each['blocks']} blocks {each['seconds']:.1f} s load {each['load']:.2f}", flush=True)


def judge(found):
    """Counts against the bars; whether all hold."""
    counts = {what: collections.Counter(each["verdict"] for each in found if each["what"] == what) for what in SHARES}
    totals = {what: max(1, sum(counts[what].values())) for what in SHARES}
    different = counts["self"]["FASTER"] + counts["self"]["SLOWER"]
    bars = {
        f"A against itself, FASTER or SLOWER: {different} of {totals['self']} (at most {DIFFERENT_MOST:.0%})": different <= DIFFERENT_MOST * totals["self"],
        f"A against itself, SAME: {counts['self']['SAME']} of {totals['self']} (at least {SAME_LEAST:.0%})": counts["self"]["SAME"] >= SAME_LEAST * totals["self"],
        f"5 % slower, SLOWER: {counts['slower']['SLOWER']} of {totals['slower']} (at least {SLOWER_LEAST:.0%})": counts["slower"]["SLOWER"] >= SLOWER_LEAST * totals["slower"],
        f"5 % slower, FASTER: {counts['slower']['FASTER']} of {totals['slower']} (none)": counts["slower"]["FASTER"] == 0,
    }
    for what, count in counts.items():
        seconds = sorted(each["seconds"] for each in found if each["what"] == what)
        print(f"{what}: {dict(count)}; seconds a run: median {seconds[len(seconds) // 2]:.1f}, longest {seconds[-1]:.1f}" if seconds else f"{what}: none")
    for said, holds in bars.items():
        print(f"{'PASS' if holds else 'FAIL'}  {said}")
    return all(bars.values())


def main():
    """Run, count, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.bench_compare", description=__doc__)
    parser.add_argument("--runs", type=int, default=100, help="of each kind (default 100)")
    parser.add_argument("--model", choices=MODELS, default="linears")
    parser.add_argument("--keep", type=Path, help="a file of earlier runs to go on with")
    options = parser.parse_args()
    print(rig.machine())
    with rig.places() as folder:
        found = take(options, folder)
    return 0 if judge(found) else 1


if __name__ == "__main__":
    sys.exit(main())
