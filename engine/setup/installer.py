"""Runs pip in the environment: what it will fetch and how large that is, then the installation itself with its progress."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import re
import subprocess
import tempfile
import threading
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from engine.setup.places import Places
from engine.setup.speech import SetupStopped
from engine.setup.torch_build import Choice

DROPPED = ("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_QUIET", "PIP_VERBOSE", "PIP_DRY_RUN", "PIP_REPORT")
"""Settings that would send the packages elsewhere or hide what pip says; indexes, mirrors, proxies and certificates stay."""
SIZE_LIMIT_S = 5.0
FIRST_RAW_PROGRESS = (24, 1)
"""The first pip that prints bytes instead of drawing a bar."""
TICK_S = 0.5
Heard = Callable[[str], None]


@dataclass(frozen=True)
class Package:
    """One file that pip is going to install."""

    name: str
    version: str
    url: str
    size_bytes: int | None = None

    @property
    def file_name(self) -> str:
        """The wheel's name as pip prints it."""
        return urllib.parse.unquote(self.url.rpartition("/")[2])


@dataclass
class Pip:
    """pip of one environment; children keep the lock's descriptor, so that an orphaned pip keeps others out."""

    places: Places
    lock: int
    tail: list[str] = field(default_factory=list)

    def upgrade_itself(self) -> None:
        """Take the pinned pip: the bundled one is too old to give figures of its progress."""
        pin = pinned(self.places, "pip")
        if pin and not (self.places.site_packages / f"pip-{pin}.dist-info").is_dir():
            self.run(["install", f"pip=={pin}"], lambda line: None)

    def plan(self, requirements: Sequence[str], choice: Choice) -> list[Package]:
        """What is missing, with sizes where the index tells them; nothing is installed."""
        with tempfile.TemporaryDirectory() as folder:
            report = Path(folder) / "report.json"
            self.run(["install", "--dry-run", "--report", str(report), *self._wanted(requirements, choice)], lambda line: None)
            entries = json.loads(report.read_text(encoding="utf-8"))["install"]
        packages = [Package(entry["metadata"]["name"], entry["metadata"]["version"], entry["download_info"]["url"]) for entry in entries]
        with ThreadPoolExecutor(16) as pool:
            sizes = pool.map(lambda package: size_bytes(package.url), packages)
            return [Package(package.name, package.version, package.url, size) for package, size in zip(packages, sizes, strict=True)]

    def install(self, requirements: Sequence[str], choice: Choice, heard: Heard, extra: Sequence[str] = ()) -> None:
        """Install; `heard` gets each line of pip, and an empty one at least twice a second."""
        bar = ["--progress-bar", "raw"] if self._version() >= FIRST_RAW_PROGRESS else []
        self.run(["install", *bar, *extra, *self._wanted(requirements, choice)], heard)

    def _version(self) -> tuple[int, ...]:
        names = [info.name for info in self.places.site_packages.glob("pip-*.dist-info")]
        return max((tuple(int(part) for part in re.findall(r"\d+", name)) for name in names), default=(0,))

    def _wanted(self, requirements: Sequence[str], choice: Choice) -> list[str]:
        pin = pinned(self.places, "torch")
        exact = [f"torch=={pin}+{choice.label}"] if choice.label and pin else []
        index = ["--extra-index-url", choice.index] if choice.index else []
        return ["-c", str(self.places.constraints), *index, *requirements, *exact]

    def run(self, arguments: Sequence[str], heard: Heard) -> None:
        """Run pip to its end; what it said is in the log, and a failure becomes a sentence."""
        self.tail.clear()
        command = [str(self.places.python), "-m", "pip", *arguments]
        with self.places.log.open("a", encoding="utf-8") as log:
            code = _run(command, self.places.root, self.lock, lambda line: self._hear(line, log.write, heard))
        if code != 0:
            raise self._failure(code)

    def _hear(self, line: str, write: Callable[[str], object], heard: Heard) -> None:
        if line and not line.startswith("Progress "):
            write(line + "\n")
            self.tail = [*self.tail[-60:], line]
        heard(line)

    def _failure(self, code: int) -> SetupStopped:
        said = "\n".join(self.tail)
        errors = [line.removeprefix("ERROR: ") for line in self.tail if line.startswith("ERROR: ")] or [f"pip ended with {code}"]
        reason = next((error for error in errors if "No matching distribution" in error), errors[0])
        for kind, pattern in FAILURES.items():
            if re.search(pattern, said, re.IGNORECASE):
                return SetupStopped(kind, reason=reason, log=self.places.log, folder=self.places.venv)
        return SetupStopped("setup-pip-failed", reason=reason, log=self.places.log)


FAILURES = {
    "setup-disk-full": r"No space left on device|\[Errno 28\]|WinError 112",
    "setup-no-network": r"Failed to establish a new connection|Temporary failure in name resolution|Could not fetch URL|Read timed out|ProxyError|NewConnectionError|NameResolutionError",
    "setup-no-package": r"No matching distribution found|ResolutionImpossible|Could not find a version that satisfies",
}
"""code -> what pip says then."""


def environment() -> dict[str, str]:
    """The environment for pip: the user's indexes, and nothing that leads it astray."""
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    return {**kept, "PYTHONSAFEPATH": "1", "PYTHONUNBUFFERED": "1", "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def _run(command: Sequence[str], folder: Path, lock: int, heard: Heard) -> int:
    inherited = {} if os.name == "nt" else {"pass_fds": (lock,)}
    with subprocess.Popen(
        command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, encoding="utf-8", errors="replace", **inherited,  # type: ignore[call-overload]
    ) as child:
        try:
            for line in _lines(child.stdout):
                heard(line)
            return int(child.wait())
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()


def _lines(stream: Iterable[str]) -> Iterator[str]:
    """Each line as it comes, and an empty one when there was none for a moment."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line.rstrip())
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=TICK_S)
        except queue.Empty:
            line = ""
        if line is None:
            return
        yield line


def requirements(places: Places, extras: Iterable[str] = ()) -> list[str]:
    """The ranges in pyproject.toml, with those of the extras."""
    project = tomllib.loads(places.pyproject.read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *(line for extra in sorted(extras) for line in project["optional-dependencies"][extra])]


def pinned(places: Places, name: str) -> str | None:
    """The exact version in constraints.txt."""
    found = re.search(rf"^{re.escape(name)}==([^\s;]+)", places.constraints.read_text(encoding="utf-8"), re.MULTILINE | re.IGNORECASE)
    return found[1] if found else None


def size_bytes(url: str) -> int | None:
    """How large the file behind a URL is, or None where nobody says within some seconds."""
    if url.startswith("file:"):
        with contextlib.suppress(OSError):
            return os.stat(urllib.request.url2pathname(urllib.parse.urlsplit(url).path)).st_size
        return None
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310 - pip is going to fetch this very URL
    with contextlib.suppress(OSError, ValueError), urllib.request.urlopen(request, timeout=SIZE_LIMIT_S) as answer:  # noqa: S310
        return int(answer.headers["Content-Length"])
    return None
