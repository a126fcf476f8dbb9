"""Who wants to be imported and called when a pickle is loaded, in plain words: what such a call can do."""

from __future__ import annotations

from typing import Any

from engine.files.operators import FILE_OPERATORS

_PROCESSES = frozenset("os posix nt subprocess _posixsubprocess pty commands multiprocessing _multiprocessing concurrent runpy pip ensurepip venv invoke fabric".split())
_NETWORK = frozenset(
    "socket _socket http httplib urllib urllib2 urllib3 requests aiohttp httpx ssl ftplib smtplib telnetlib poplib imaplib xmlrpc webbrowser paramiko".split()
)
_FILES = frozenset("shutil tempfile zipfile tarfile fileinput glob io _io mmap shelve sqlite3 linecache compileall py_compile".split())
_FILE_NAMES = frozenset(
    "builtins.open numpy.load numpy.save numpy.fromfile numpy.loadtxt numpy.genfromtxt numpy.memmap torch.save logging.FileHandler".split()
)
_LAYERS = ("torch.nn.", "torch.ao.nn.")


def explain(name: str, grade: str) -> tuple[str, dict[str, Any]]:
    """Code and values of `gui.text` for one qualified name of that grade."""
    package = name.split(".", 1)[0]
    if grade == "dangerous":
        return f"calls.{_power(name, package)}", {}
    if grade == "harmless":
        return ("calls.layer" if name.startswith(_LAYERS) else "calls.value"), {}
    return ("calls.script", {}) if package == "__main__" else ("calls.package", {"package": package})


def _power(name: str, package: str) -> str:
    """What a dangerous name can do; whatever is none of the others reaches into the interpreter."""
    if package in _NETWORK:
        return "network"
    if package in _FILES or name in _FILE_NAMES or (name.startswith("torch.ops.") and not FILE_OPERATORS.isdisjoint(name.split("."))):
        return "files"
    return "process" if package in _PROCESSES else "interpreter"
