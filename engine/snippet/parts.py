"""What both kinds of script share: imports at the head, the timed loop, the line that is printed."""

from __future__ import annotations

import re

WARM_UP, MEASURED = 10, 100
PRINT = f'print(f"p50 {{statistics.median(times_ms[{WARM_UP}:]):.3f}} ms")'


def with_imports(head: list[str], body: list[str], packages: tuple[str, ...]) -> list[str]:
    """The body's imports above it: the standard library's, then the packages that it uses."""
    text = "\n".join(body)
    needed = [package for package in packages if re.search(rf"(?<![\w.'\"/]){package}\.", text)]
    standard = sorted([*head, *(f"import {package}" for package in needed if package in ("sys", "runpy"))])
    return [*standard, "", *(f"import {package}" for package in needed if package not in ("sys", "runpy"))]


def loop_lines(timed: list[str]) -> list[str]:
    """The loop around the lines that are timed."""
    return [
        f"for _ in range({WARM_UP + MEASURED}):  # the first {WARM_UP} warm up",
        "    start = time.perf_counter()",
        *(f"    {line}" for line in timed),
        "    times_ms.append((time.perf_counter() - start) * 1000)",
    ]
