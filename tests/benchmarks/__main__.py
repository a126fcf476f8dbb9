"""All benchmarks, one after the other, each in a process of its own: `python3 -m tests.benchmarks [--list] [NAME ...]`."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))

from tests.support import display  # noqa: E402


def benchmarks():
    """Name -> first line of what it says about itself."""
    found = {}
    for path in sorted(HERE.glob("bench_*.py")):
        said = ast.get_docstring(ast.parse(path.read_bytes())) or ""
        found[path.stem.removeprefix("bench_")] = said.partition("\n")[0].partition(": `python")[0].rstrip(".:")
    return found


def command(name):
    """How a benchmark is started: as a program, or with pytest where it is made of tests."""
    path = HERE / f"bench_{name}.py"
    if '__name__ == "__main__"' in path.read_text(encoding="utf-8"):
        return [sys.executable, "-m", f"tests.benchmarks.{path.stem}"]
    return [sys.executable, "-m", "pytest", "-q", "-s", "-m", "bench", str(path)]


def main():
    """List, or run the ones that were named (all without a name); 1 when one of them could not be run."""
    parser = argparse.ArgumentParser(prog="python3 -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true", help="only say what there is")
    options = parser.parse_args()
    known = benchmarks()
    if unknown := [name for name in options.names if name not in known]:
        parser.error(f"no benchmark {unknown[0]}; there are: {' '.join(known)}")
    if options.list:
        print("\n".join(f"{name:18} {said}" for name, said in known.items()))
        return 0
    server = display.start()
    try:
        return max([run(name) for name in options.names or known], default=0)
    finally:
        display.stop(server)


def run(name):
    """One benchmark; 0 when it came to its end."""
    print(f"\n== {name}", flush=True)
    began = time.monotonic()
    code = subprocess.run(command(name), cwd=ROOT, check=False).returncode
    print(f"== {name}: {'done' if code == 0 else f'FAILED with {code}'} after {time.monotonic() - began:.0f} s", flush=True)
    return int(code != 0)


if __name__ == "__main__":
    import bootstrap

    bootstrap.ensure(str(Path(__file__).resolve()), extras=["tests"], tests=True)
    sys.exit(main())
