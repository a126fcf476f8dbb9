"""Which Python runs the models: the program's own, or one that the user chose; whether it can is found out by a probe."""

from __future__ import annotations

import os

from PySide6.QtCore import QObject, Signal

from engine.capabilities import Facts
from engine.result import Failure
from gui.models.engine_like import EngineLike
from gui.models.preferences import Preferences
from gui.models.problem import failure_problem, problem
from gui.settings import with_python, without_python


class Interpreter(QObject):
    """The chosen one. Signals: `chosen_changed`, after which its facts are on their way; `problem_met(Problem)`."""

    chosen_changed = Signal()
    problem_met = Signal(object)

    def __init__(self, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._preferences = preferences
        self._engine: EngineLike | None = None
        self.chosen: str | None = preferences.value.python or None
        self._awaited = 1
        """Probes that have not answered: the engine's own start is the first."""

    def set_engine(self, engine: EngineLike) -> None:
        """Take the engine; a choice of another day is probed after its start."""
        self._engine = engine
        if self.chosen is not None:
            self._probe()

    def choose(self, python: str | None) -> None:
        """Run models in this interpreter from now on; None is the program's own."""
        python = os.path.abspath(python) if python else None
        if python == self.chosen:
            return
        if python is not None and not (os.path.isfile(python) and os.access(python, os.X_OK)):
            self.problem_met.emit(problem("python.not-runnable", path=python))
            self._preferences.change(lambda settings: without_python(settings, python))
            self.chosen_changed.emit()
            return
        self._take(python)

    def on_ready(self, facts: Facts) -> bool:
        """Facts came: whether they are those of the chosen one (older probes answer first)."""
        self._awaited = max(0, self._awaited - 1)
        return self._awaited == 0

    def on_failed(self, failure: Failure) -> bool:
        """A probe failed: whether it was the chosen interpreter's, which is then given up for the program's own."""
        if self._awaited == 0:
            return False
        self._awaited -= 1
        if self._awaited or self.chosen is None:
            return False
        bad = self.chosen
        self._preferences.change(lambda settings: without_python(settings, bad))
        self._take(None)
        self.problem_met.emit(failure_problem(failure))
        return True

    def _take(self, python: str | None) -> None:
        self.chosen = python
        self._preferences.change(lambda settings: with_python(settings, python or ""))
        self.chosen_changed.emit()
        self._probe()

    def _probe(self) -> None:
        if self._engine is not None:
            self._awaited += 1
            self._engine.probe(self.chosen)
