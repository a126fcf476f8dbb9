"""A page in headless Chromium: what it logs, asks the network for, shows and looks like."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe",
)
# Chromium reads commands from descriptor 3 and answers on 4.
_LAUNCH = "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
_HIGH = 50


class ChromiumError(Exception):
    """Chromium ended, did not answer in time, or refused a command."""


class Page:
    """One page. `errors`: what its console calls an error, and uncaught exceptions; `requests`: addresses it asked for besides its own."""

    def __init__(self, connection: _Connection, url: str) -> None:
        self._connection = connection
        self._url = url
        self._errors: list[str] = []
        self._requests: list[str] = []

    @property
    def errors(self) -> list[str]:
        """Console errors, violations of the content security policy and uncaught exceptions so far."""
        self._take()
        return self._errors

    @property
    def requests(self) -> list[str]:
        """Addresses asked for, without the page itself and what it holds as data."""
        self._take()
        return [url for url in self._requests if url.split("#")[0] != self._url and not url.startswith(("data:", "blob:"))]

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; a promise is awaited."""
        answer = self._connection.ask("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise ChromiumError(_exception(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_for(self, condition: str, timeout_s: float = 15.0) -> None:
        """Until the JavaScript condition is true; raises ChromiumError after `timeout_s`."""
        waiting = f"""new Promise((done, fail) => {{
            const end = performance.now() + {timeout_s * 1000};
            const look = () => {{ if ({condition}) done(true); else if (performance.now() > end) fail(new Error("never true")); else setTimeout(look, 20); }};
            look();
        }})"""
        self.evaluate(waiting)

    def dom(self) -> str:
        """The document as it is now, scripts run."""
        return str(self.evaluate("document.documentElement.outerHTML"))

    def text(self) -> str:
        """What a reader can see."""
        return str(self.evaluate("document.body.innerText"))

    def set_dark(self, dark: bool) -> None:
        """What the system prefers, as the page sees it."""
        self._connection.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def set_width(self, width: int, height: int = 900) -> None:
        """The window's size in CSS pixels."""
        self._connection.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path: Path | None = None, *, full: bool = True) -> bytes:
        """PNG of the page, or of what the window shows."""
        answer = self._connection.ask("Page.captureScreenshot", format="png", captureBeyondViewport=full)
        png = base64.b64decode(answer["data"])
        if path is not None:
            path.write_bytes(png)
        return png

    def _take(self) -> None:
        self._connection.ask("Runtime.evaluate", expression="0")  # events that came before the answer are read with it
        for event in self._connection.take_events():
            self._note(event["method"], event["params"])

    def _note(self, method: str, params: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            self._errors.append(_exception(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "assert"):
            self._errors.append(" ".join(str(part.get("value", part.get("description", ""))) for part in params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self._errors.append(params["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self._requests.append(params["request"]["url"])


def _exception(details: dict[str, Any]) -> str:
    return str(details.get("exception", {}).get("description") or details.get("text"))


class _Connection:
    """Commands and answers over two pipes: JSON, each ended by a zero byte."""

    def __init__(self, reader: int, writer: int) -> None:
        self._reader, self._writer = reader, writer
        self._rest = b""
        self._number = 0
        self._events: list[dict[str, Any]] = []
        self.session: str | None = None

    def ask(self, method: str, timeout_s: float = 30.0, **params: Any) -> dict[str, Any]:
        """Send a command and return its result; events meanwhile are kept."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        os.write(self._writer, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + timeout_s
        while True:
            answer = self._read(deadline, method)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise ChromiumError(f"{method}: {answer['error']}")
                return dict(answer["result"])
            if "method" in answer:
                self._events.append(answer)

    def wait_for_event(self, method: str, timeout_s: float = 30.0) -> None:
        """Until an event of this name came (it may have come already)."""
        deadline = time.monotonic() + timeout_s
        while not any(event["method"] == method for event in self._events):
            answer = self._read(deadline, method)
            if "method" in answer:
                self._events.append(answer)

    def take_events(self) -> list[dict[str, Any]]:
        """Events since the last time."""
        events, self._events = self._events, []
        return events

    def _read(self, deadline: float, waiting_for: str) -> dict[str, Any]:
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reader], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise ChromiumError(f"no answer in time to {waiting_for}")
            part = os.read(self._reader, 1 << 20)
            if not part:
                raise ChromiumError(f"Chromium ended during {waiting_for}")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@contextlib.contextmanager
def opened(path: Path, *, width: int = 1280, height: int = 900, dark: bool = False, until: str = "document.readyState === 'complete'") -> Iterator[Page]:
    """The file in a fresh browser, once the condition `until` is true; skips the test where there is no Chromium."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    with TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile, _running(binary, profile) as connection:
        target = connection.ask("Target.createTarget", url="about:blank")["targetId"]
        connection.session = connection.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(connection, path.resolve().as_uri())
        for domain in ("Page", "Runtime", "Log", "Network"):
            connection.ask(f"{domain}.enable")
        page.set_width(width, height)
        page.set_dark(dark)
        connection.ask("Page.navigate", url=path.resolve().as_uri())
        connection.wait_for_event("Page.loadEventFired")
        page.wait_for(until)
        yield page


@contextlib.contextmanager
def _running(binary: str, profile: str) -> Iterator[_Connection]:
    commands_in, commands_out = os.pipe()
    answers_in, answers_out = os.pipe()
    inherited = [_high(commands_in), _high(answers_out)]
    arguments = [sys.executable, "-S", "-c", _LAUNCH, *map(str, inherited), binary, *FLAGS, f"--user-data-dir={profile}"]
    process = subprocess.Popen(
        arguments, pass_fds=inherited, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )
    for descriptor in (commands_in, answers_out, *inherited):
        os.close(descriptor)
    connection = _Connection(answers_in, commands_out)
    try:
        yield connection
    finally:
        _end(process, connection)
        os.close(answers_in)
        os.close(commands_out)


def _high(descriptor: int) -> int:
    """A copy above the numbers that the launcher gives away."""
    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _HIGH)


def _end(process: subprocess.Popen[bytes], connection: _Connection) -> None:
    with contextlib.suppress(ChromiumError, OSError):
        connection.session = None
        connection.ask("Browser.close", timeout_s=5.0)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(5.0)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10.0)
