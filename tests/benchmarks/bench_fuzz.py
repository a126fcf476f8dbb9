"""Ten thousand spoiled files of every sort, each inspected in a process of its own: no crash, hang, bloat or effect: `python -m tests.benchmarks.bench_fuzz [COUNT] [SEED]`.

Each child may have 1 GB of address space and 5 s, as the program's own child (which gets 20 s). A pickle that creates a canary file is among what is spoiled.
"""

from __future__ import annotations

import collections
import os
import random
import resource
import signal
import sys
import tempfile
import time
from pathlib import Path

from engine.files import inspect_file
from tests.benchmarks.rig import MODELS, machine
from tests.support import sorts
from tests.support.mutations import LARGEST_BYTES, mutated

MEMORY_BYTES, TIME_S = 1 << 30, 5
FINE, RAISED = 0, 3


def seeds(folder):
    """Every made file and every real one, that is not too large to be spoiled quickly."""
    sorts.write_all(folder)
    paths = [path for path in [*sorted(folder.rglob("*")), *sorted(MODELS.iterdir())] if path.is_file() and path.name != "canary"]
    return [(path.name, path.read_bytes()) for path in paths if 0 < path.stat().st_size <= LARGEST_BYTES]


def looked_at(path):
    """Inspect in a forked child; how it ended, how long it took and the most memory it held."""
    began = time.monotonic()
    pid = os.fork()
    if pid == 0:
        code = RAISED
        try:
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            signal.alarm(TIME_S)
            found = inspect_file(str(path))
            code = FINE if (found.info is None) != (found.refusal is None) else RAISED
            if found.info is not None:
                code = FINE + 10
        finally:
            os._exit(code)
    _, status, usage = os.wait4(pid, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - began, usage.ru_maxrss * 1024


def main():
    """Spoil and look, say what happened; 1 when anything did that must not."""
    count, seed = (int(each) for each in [*sys.argv[1:], *("10000", "1")[len(sys.argv) - 1 :]])
    chance, ends, slowest, largest, bad = random.Random(seed), collections.Counter(), 0.0, 0, []
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        folder, target = Path(place, "made"), Path(place, "spoiled")
        folder.mkdir()
        target.mkdir()
        kept = seeds(folder)
        inspect_file(str(folder / "weights.pth"))   # what is imported later is imported once
        for number in range(count):
            if number % 50 == 0:    # classes are looked for in the files beside
                (target / "beside.py").write_bytes(mutated(dict(kept)["net.py"], chance))
            name, content = chance.choice(kept)
            path = target / name
            path.write_bytes(mutated(content, chance))
            end, seconds, memory = looked_at(path)
            ends["a model" if end == FINE + 10 else "refused" if end == FINE else f"BAD {end}"] += 1
            slowest, largest = max(slowest, seconds), max(largest, memory)
            if end not in (FINE, FINE + 10):
                bad.append(number)
                Path(tempfile.gettempdir(), f"spoiled-{seed}-{number}-{name}").write_bytes(path.read_bytes())
            path.unlink()
        effect = (folder / "canary").exists()
    print(f"{count} spoiled files of {len(kept)} sorts, seed {seed}: {dict(ends)}; slowest {slowest:.2f} s, most memory {largest / 1e6:.0f} MB, "
          f"canary {'THERE' if effect else 'absent'}; {machine()}")
    return int(bool(bad) or effect or slowest > TIME_S or largest > MEMORY_BYTES)


if __name__ == "__main__":
    sys.exit(main())
