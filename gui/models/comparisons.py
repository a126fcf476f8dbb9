"""Comparing rows: which two, whether they may be loaded again, and what the engine says of it; the run that is shown stays."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from PySide6.QtCore import QObject, Signal

from engine import events
from engine.comparison import side_of
from engine.result import ModelInfo, Run
from gui.models.comparison_model import ComparisonModel, Side
from gui.models.engine_like import EngineLike
from gui.models.problem import failure_problem, notice, problem
from gui.models.row import Row
from gui.models.row_words import has_figures, short_name
from gui.models.run_model import RunModel

OF_ITS_RUN = (events.PhaseStarted, events.BlockMeasured, events.OutcomeUpdated)
"""Events with an index that, while a comparison runs, speak of its two sides and of no row."""


class Comparisons(QObject):
    """One window's comparisons. Signals: `problem_met(Problem)`, `began` when the Compare tab is to be shown, `finished`."""

    problem_met = Signal(object)
    began = Signal()
    finished = Signal()
    baseline_changed = Signal()

    def __init__(self, run: RunModel, may_load: Callable[[str, ModelInfo, str | None], bool], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.model = ComparisonModel(self)
        self.baseline: Side | None = None
        self.is_blocked: Callable[[], bool] = lambda: False
        """Whether the engine is busy with something else, or not ready."""
        self._run, self._may_load = run, may_load
        self._engine: EngineLike | None = None
        self._sides: tuple[Side, Side] | None = None

    def set_engine(self, engine: EngineLike) -> None:
        """Take the engine."""
        self._engine = engine

    # -- rows ----------------------------------------------------------------------------------------------------------

    def rows(self) -> list[Row]:
        """Rows of the run that is shown which can be compared: finished, with figures, on one device each."""
        return [row for row in self._run.rows if self._run.run is not None and has_figures(row) and "+" not in row.configuration.device]

    def side(self, index: int) -> Side | None:
        """A row of the run that is shown, as a side; None where it cannot be one."""
        run = self._run.run
        if run is None or all(row.index != index for row in self.rows()):
            return None
        job, info = side_of(run, index, self._run.job)
        return Side(job, info, side_name(run, index), run.id, index, self._run.run_path)

    def set_baseline(self, index: int) -> None:
        """Remember a row to compare others with, of this or of another run."""
        side = self.side(index)
        if side is not None:
            self.baseline = side
            self.baseline_changed.emit()
            self.problem_met.emit(notice("compare.baseline-set", name=side.name))

    # -- what is pressed -----------------------------------------------------------------------------------------------

    def compare_rows(self, a: int, b: int) -> None:
        """Measure two rows of the run that is shown in turn: B against A."""
        sides = self.side(a), self.side(b)
        if sides[0] is not None and sides[1] is not None:
            self.compare(sides[0], sides[1])

    def compare_with_baseline(self, index: int) -> None:
        """Measure a row against the remembered one."""
        side = self.side(index)
        if side is not None and self.baseline is not None:
            self.compare(self.baseline, side)

    def compare(self, a: Side, b: Side) -> None:
        """Begin, unless something else runs or one of them must not be loaded without a question."""
        if self._engine is None or self.is_blocked() or self.model.is_busy:
            return
        refused = next((each for each in (a, b) if not self._may_load(each.run_id, each.info, each.run_path)), None)
        if refused is not None:
            self.problem_met.emit(problem("compare.not-agreed", name=Path(refused.info.path).name))
            return
        self._sides = (a, b)
        self.model.set_queued(a.name, b.name)
        self.began.emit()
        self._engine.compare(a.job, a.info, b.job, b.info)

    def again(self) -> None:
        """The same two once more."""
        if self._sides is not None:
            self.compare(*self._sides)

    @property
    def can_repeat(self) -> bool:
        """Whether `again` would compare something."""
        return self._sides is not None and not self.model.is_busy and not self.is_blocked()

    def stop(self) -> None:
        """Let the round end; pressed again, end at once."""
        if self._engine is None or not self.model.is_busy:
            return
        if self.model.is_stopping:
            self._engine.stop_now()
        else:
            self._engine.cancel()
            self.model.stop_asked()

    # -- what the engine says ------------------------------------------------------------------------------------------

    def take(self, event: object) -> object | None:
        """Take what belongs to a comparison; what is left of the event for everybody else, or None."""
        if isinstance(event, events.ComparisonStarted | events.ComparisonUpdated):
            self.model.apply(event)
            return None
        if isinstance(event, events.ComparisonFinished):
            self._finish(event)
            return None
        if not self.model.is_busy:
            return event
        if isinstance(event, events.Progressed):
            self.model.apply(event)
            return None
        if isinstance(event, events.MonitorSampled):
            return msgspec.structs.replace(event, index=None)
        return None if isinstance(event, OF_ITS_RUN) else event

    def abort(self) -> None:
        """The engine gave up before or in the middle of it."""
        if self.model.is_busy:
            self.model.clear()
            self.finished.emit()

    def show(self, run: Run, path: str | None) -> None:
        """A saved comparison was opened: its verdict is on the tab, and its sides can be compared again."""
        if run.comparison is None or len(run.outcomes) != 2:
            return
        names = side_name(run, 0), side_name(run, 1)
        a, b = (Side(*side_of(run, index), names[index], run.id, index, path) for index in (0, 1))
        self._sides = (a, b)
        self.model.show(run, path, names)
        self.began.emit()

    def _finish(self, event: events.ComparisonFinished) -> None:
        self.model.apply(event)
        if event.failure is not None:
            self.problem_met.emit(failure_problem(event.failure))
        if event.save_failure is not None:
            self.problem_met.emit(failure_problem(event.save_failure))
        self.finished.emit()


def side_name(run: Run, index: int) -> str:
    """The file and what tells the configuration from the run's others."""
    info = run.other_model if index == 1 and run.other_model is not None else run.model
    configurations = [outcome.configuration for outcome in run.outcomes]
    return f"{info.path.replace(chr(92), '/').rpartition('/')[2]} · {short_name(configurations[index], configurations)}"
