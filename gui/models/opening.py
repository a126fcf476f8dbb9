"""What the window takes in: files that are dropped or opened, what each one is, its class, and the user's consent to code in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.events import FileInspected
from engine.inputs import parse_input
from gui.models.engine_like import EngineLike
from gui.models.model_list import ModelEntry, ModelList
from gui.models.preferences import Preferences
from gui.models.problem import failure_problem, problem
from gui.settings import with_class, with_recent, with_trusted, without_recent


class Opening(QObject):
    """Fills a `ModelList`. Signals: `problem_met(Problem)`, `trust_asked(ModelEntry)`, `class_asked(path of a Python file or "")`, `run_opened(path)`."""

    problem_met = Signal(object)
    trust_asked = Signal(object)
    class_asked = Signal(str)
    run_opened = Signal(str)

    def __init__(self, models: ModelList, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models, self._preferences = models, preferences
        self._engine: EngineLike | None = None
        self._waiting: list[str] = []
        self._after_consent: Callable[[], None] | None = None
        models.refused.connect(self._refused)

    def set_engine(self, engine: EngineLike) -> None:
        """Take the engine, which is started after the first paint; files opened before are looked at now."""
        self._engine = engine
        for path in self._waiting:
            engine.inspect(path)
        self._waiting.clear()

    def open(self, paths: list[str]) -> None:
        """Take files in: models into the list, a Python file as the class of the current model, a saved run onto the screen."""
        for path in (os.path.abspath(path) for path in paths):
            if path.endswith(".py"):
                self._open_python(path)
            elif path.endswith(".json") and Path(path).is_file():
                self.run_opened.emit(path)
            else:
                self._open_model(path)

    def open_recent(self, path: str) -> None:
        """Open a file of the recent ones; one that is gone leaves the list."""
        if Path(path).exists():
            self.open([path])
            return
        self._preferences.change(lambda settings: without_recent(settings, path))
        self.problem_met.emit(problem("tool.recent.gone", name=Path(path).name, folder=str(Path(path).parent)))

    def open_demo(self) -> None:
        """Load the bundled demo model with its class and inputs."""
        from engine.demo import demo_source  # the demo is looked for only when it is asked for

        try:
            path, architecture, inputs = demo_source()
        except OSError as error:
            self.problem_met.emit(problem("problem.demo-missing", reason=error.strerror or str(error)))
            return
        entry = self._models.add(str(path))
        entry.is_demo, entry.architecture = True, architecture
        entry.inputs = tuple(parse_input(each) if isinstance(each, str) else each for each in inputs)
        self._inspect(str(path))

    def set_class(self, architecture: str) -> None:
        """Take the class of the current model and remember it for these weights."""
        self._models.set_architecture(architecture)
        info = self._models.current.info if self._models.current else None
        if info is not None:
            self._preferences.change(lambda settings: with_class(settings, info.sha256, architecture))

    def is_trusted(self, entry: ModelEntry) -> bool:
        """Whether these exact bytes may always run code."""
        return entry.info is not None and entry.info.sha256 in self._preferences.value.trusted_sha256

    def ask_trust(self, entry: ModelEntry, then: Callable[[], None]) -> None:
        """Ask whether a file may run code; `then` when it may."""
        self._after_consent = then
        self.trust_asked.emit(entry)

    def answer_trust(self, entry: ModelEntry, decision: str) -> None:
        """`once` runs this time, `always` from now on, anything else runs nothing."""
        then, self._after_consent = self._after_consent, None
        if decision not in ("once", "always"):
            self.problem_met.emit(problem("trust.rejected", name=entry.name))
            return
        info = entry.info
        if decision == "always" and info is not None:
            self._preferences.change(lambda settings: with_trusted(settings, info.sha256))
        if then is not None:
            then()

    def on_inspected(self, event: FileInspected) -> None:
        """Take what the engine found out about a file."""
        self._models.apply(event)
        entry = next((entry for entry in self._models.entries if entry.path == event.path), None)
        if entry is None or entry.info is None or entry.is_demo:
            return
        self._preferences.change(lambda settings: with_recent(settings, event.path))
        remembered = self._preferences.value.classes.get(entry.info.sha256)
        if entry.needs_class and remembered:
            entry.architecture = remembered
            self._models.entry_changed.emit()

    def _open_model(self, path: str) -> None:
        entry = self._models.add(path)
        entry.is_demo = False
        self._inspect(path)

    def _open_python(self, path: str) -> None:
        entry = self._models.current
        if entry is None or (entry.is_ready and not entry.is_weights_only):
            self.problem_met.emit(problem("problem.python-without-model", name=Path(path).name))
        else:
            self.class_asked.emit(path)

    def _inspect(self, path: str) -> None:
        if self._engine is None:
            self._waiting.append(path)
        else:
            self._engine.inspect(path)

    def _refused(self, event: FileInspected) -> None:
        if event.refusal is not None:
            self.problem_met.emit(failure_problem(event.refusal))
