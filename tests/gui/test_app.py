"""Start and end of the window's process: painted first, torch never imported, faults told, signals obeyed, nothing printed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
import shiboken6

from gui import app, theme
from tests.support.fake_engine import FakeEngine

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def application(qtbot, qapp):
    engine = FakeEngine()
    made = app.Application(qapp, lambda: engine, native_dialogs=False)
    made.engine = engine
    yield made
    if shiboken6.isValid(made.window):
        made.window.close()
        made.window.deleteLater()
    theme.apply_theme(qapp, "light")


def test_the_engine_starts_after_the_first_paint(application, qtbot):
    """Files given at the start are looked at as soon as it is there."""
    application.open(["/m/a.jit"])
    assert application.engine.calls == []
    qtbot.waitUntil(lambda: bool(application.engine.calls))
    assert application.engine.names() == ["start_engine", "inspect", "list_history"]


def test_closing_the_window_closes_the_engine(application, qtbot):
    """In this order, once."""
    application.open([])
    qtbot.waitUntil(lambda: bool(application.engine.calls))
    application.window.close()
    assert application.engine.names().count("close") == 1


def test_a_fault_in_a_slot_reaches_the_bar_and_the_log(application, expect_log):
    """With its traceback behind a button."""
    expect_log("RuntimeError: boom <b>")
    faults = app.Faults()
    faults.met.connect(application.show_problem)
    try:
        raise RuntimeError("boom <b>")
    except RuntimeError:
        faults._caught(*sys.exc_info())
    shown = application.window.problem_bar.current
    assert "boom <b>" in shown.summary and "test_app.py" in shown.details


def test_a_fault_in_a_thread_is_told_on_the_gui_thread(qtbot, expect_log):
    """Whoever raised it."""
    expect_log("ZeroDivisionError")
    faults, threads = app.Faults(), []
    faults.install()
    try:
        faults.met.connect(lambda _: threads.append(threading.current_thread()))
        worker = threading.Thread(target=lambda: 1 / 0)
        worker.start()
        worker.join()
        qtbot.waitUntil(lambda: bool(threads))
    finally:
        faults.remove()
    assert threads == [threading.main_thread()]


def test_a_broken_settings_file_is_told(qtbot, qapp):
    """Put aside, with its new name."""
    from engine import storage

    path = storage.settings_path()
    path.parent.mkdir(parents=True)
    path.write_text("{")
    made = app.Application(qapp, FakeEngine, native_dialogs=False)
    assert "broken-1" in made.window.problem_bar.current.summary
    made.window.close()
    made.window.deleteLater()


def test_the_appearance_is_put_in_force_and_remembered(application, qapp):
    """Dark and light, at once."""
    application.window.tool_bar.theme_chosen.emit("dark")
    assert theme.colours().is_dark and application.preferences.value.theme == "dark"
    application.window.tool_bar.theme_chosen.emit("light")
    assert not theme.colours().is_dark


SCRIPT = """
import json, os, signal, sys
from PySide6.QtCore import QTimer
import gui.app as app
from gui.models.session import Session

opened = app.Application.open
def open_and_act(self, files):
    opened(self, files)
    def painted():
        loaded = sorted(name for name in ("torch", "onnxruntime", "bokeh", "pyqtgraph") if name in sys.modules)
        print(json.dumps({"loaded": loaded, "title": self.window.windowTitle()}), file=sys.stderr, flush=True)
    self.window.painted.connect(painted)
    self.session.engine_changed.connect(lambda state: QTimer.singleShot(0, lambda: ACT))
app.Application.open = open_and_act
sys.exit(app.main([]))
"""


def start(act, home):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1", "MODEL_DYNO_HOME": str(home)}
    script = textwrap.dedent(SCRIPT).replace("ACT", act)
    return subprocess.run([sys.executable, "-c", script], env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "code"),
    [("self.window.close()", 0), ("os.kill(os.getpid(), signal.SIGINT)", 130), ("os.kill(os.getpid(), signal.SIGTERM)", 130)],
    ids=["closed", "ctrl-c", "terminated"],
)
def test_the_real_process_ends_cleanly(act, code, tmp_path):
    """Nothing is printed, nothing heavy is imported before the first paint, and the exit code says how it ended."""
    ended = start(act, tmp_path)
    said = ended.stderr.splitlines()
    assert ended.returncode == code, ended.stderr
    assert ended.stdout == "" and len(said) == 1, ended.stderr
    told = json.loads(said[0])
    assert told["loaded"] == [] and told["title"].startswith("Model Dyno")


