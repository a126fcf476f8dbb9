"""One way to start the window: paint first, then the engine; one way to end it: engine, plots, interpreter."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from types import FrameType, TracebackType
from typing import Any, Protocol

from PySide6.QtCore import QMessageLogContext, QObject, QSocketNotifier, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from engine import storage
from gui import text, theme
from gui.main_window import MainWindow
from gui.models.engine_like import EngineLike
from gui.models.preferences import Preferences
from gui.models.problem import failure_problem, problem
from gui.models.session import Session
from gui.settings import SettingsFile

LOG = logging.getLogger("model_dyno.window")
INTERRUPTED = 130
LOG_BYTES = 1 << 20


class Engine(EngineLike, Protocol):
    """What the application itself needs of `engine.thread.EngineThread`."""

    told: Any
    """A bound `Signal(object)`."""

    def start_engine(self) -> None:
        """Answered by `EngineReady` or `EngineFailed`."""

    def close(self) -> None:
        """Stop everything and wait."""


class Faults(QObject):
    """Exceptions that nobody caught, from any thread, told on the GUI thread and written to the log."""

    met = Signal(object)

    def install(self) -> None:
        """Take the interpreter's hooks, and Qt's own messages into the log."""
        sys.excepthook = self._caught
        threading.excepthook = lambda given: self._caught(given.exc_type, given.exc_value, given.exc_traceback)
        qInstallMessageHandler(_log_qt)

    def remove(self) -> None:
        """Give the hooks back."""
        sys.excepthook = sys.__excepthook__
        threading.excepthook = threading.__excepthook__
        qInstallMessageHandler(None)

    def _caught(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        details = "".join(traceback.format_exception(kind, error, trace))
        LOG.error("%s", details)
        self.met.emit(problem("problem.internal", details, error=f"{kind.__name__}: {error}"))


class Interrupts(QObject):
    """SIGINT and SIGTERM, seen by Qt's event loop: Python alone would wait for the next event."""

    arrived = Signal(int)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader, self._writer = socket.socketpair()
        self._reader.setblocking(False)
        self._writer.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._read)
        self._old_fd = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        self._old = {number: signal.signal(number, _leave_to_the_loop) for number in (signal.SIGINT, signal.SIGTERM)}

    def remove(self) -> None:
        """Give the signals back."""
        self._notifier.setEnabled(False)
        signal.set_wakeup_fd(self._old_fd)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._reader.close()
        self._writer.close()

    def _read(self) -> None:
        for number in self._reader.recv(16):
            self.arrived.emit(number)


class Application(QObject):
    """One window and its engine, from the first paint to the last."""

    def __init__(self, app: QApplication, make_engine: Callable[[], Engine], native_dialogs: bool = True) -> None:
        super().__init__()
        self._app, self._make_engine = app, make_engine
        self._engine: Engine | None = None
        self.was_interrupted = False
        file = SettingsFile(storage.settings_path())
        self.preferences = Preferences(file, self)
        text.set_language(text.system_language() if file.value.language == "system" else file.value.language)
        theme.apply_theme(app, file.value.theme)
        self.session = Session(self.preferences, self)
        self.window = MainWindow(self.session, native_dialogs)
        self.window.painted.connect(self._start_engine)
        self.session.run.reset.connect(self._freeze_plots)
        self.window.closed.connect(self._end)
        self.window.theme_chosen.connect(lambda name: theme.apply_theme(app, name))
        self.preferences.write_failed.connect(lambda failure: self.session.problem_met.emit(failure_problem(failure)))
        if file.problem is not None:
            self.session.problem_met.emit(problem("problem.settings-broken", path=file.problem))

    def open(self, files: list[str]) -> None:
        """Show the window with these files; they are looked at once the engine is there."""
        self.session.opening.open(files)
        self.window.show()

    def interrupt(self) -> None:
        """Ctrl-C in the terminal: stop, keep what was measured, close without asking."""
        self.was_interrupted = True
        self.window.stop_and_close()

    def show_problem(self, met: object) -> None:
        """A fault of the window itself."""
        self.session.problem_met.emit(met)

    def _start_engine(self) -> None:
        self._engine = self._make_engine()
        self._engine.told.connect(self.session.apply)
        self._engine.start_engine()
        self.session.set_engine(self._engine)
        gc.collect()
        gc.freeze()

    def _freeze_plots(self) -> None:
        """Modules and widgets live to the end: walking them, the collector halted the window for 40 ms in the middle of a run."""
        if self.session.run.rows:
            self.session.run.reset.disconnect(self._freeze_plots)
            gc.freeze()

    def _end(self) -> None:
        if self._engine is not None:
            self._engine.close()
        self.window.deleteLater()
        self._app.quit()


def make_application() -> QApplication:
    """Qt's side of the program, once in a process."""
    app = QApplication.instance() or QApplication(["model-dyno"])
    assert isinstance(app, QApplication)
    app.setApplicationName("model-dyno")
    app.setApplicationDisplayName("Model Dyno")
    app.setDesktopFileName("model-dyno")
    app.setQuitOnLastWindowClosed(False)
    return app


def main(files: list[str]) -> int:
    """Open the window with `files`; returns the exit code when it has closed."""
    _start_log()
    app = make_application()
    faults, interrupts = Faults(), Interrupts()
    faults.install()
    application = Application(app, engine_thread)
    faults.met.connect(application.show_problem)
    interrupts.arrived.connect(application.interrupt)
    application.open(files)
    app.exec()
    interrupts.remove()
    faults.remove()
    let_go(app, application)
    return INTERRUPTED if application.was_interrupted else 0


def let_go(app: QApplication, application: Application) -> None:
    """Plots must not outlive the application object: a graphics view alive at the interpreter's end can crash."""
    del application.window
    app.sendPostedEvents(None, 0)
    app.processEvents()


def engine_thread() -> Engine:
    """The engine that the window drives."""
    from engine.thread import EngineThread  # after the first paint

    return EngineThread()


def _start_log() -> None:
    """Everything that went wrong stands in one file of limited size; a place that cannot be written costs the log only."""
    LOG.propagate = False
    try:
        folder = storage.cache_folder()
        storage.make_folder(folder)
        handler: logging.Handler = RotatingFileHandler(folder / "window.log", maxBytes=LOG_BYTES, backupCount=1, delay=True, encoding="utf-8")
    except storage.StorageError:
        handler = logging.NullHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    LOG.log(logging.DEBUG if kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) else logging.WARNING, "Qt: %s", message)


def _leave_to_the_loop(number: int, frame: FrameType | None) -> None:
    """The byte in the wake-up socket is what counts."""
