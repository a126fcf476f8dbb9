"""What the window does: starts and stops jobs, opens runs, saves reports; it knows the engine and the models, but no widget."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from PySide6.QtCore import QObject, Signal

from engine import events
from engine.job import Job
from engine.result import ModelInfo
from gui import text
from gui.models.agreement import Agreement
from gui.models.comparisons import Comparisons
from gui.models.consent import may_load_again
from gui.models.discovery import Discovery
from gui.models.engine_like import EngineLike
from gui.models.first_try import FirstTry
from gui.models.history_model import HistoryModel
from gui.models.interpreter import Interpreter
from gui.models.model_list import ModelList
from gui.models.opening import Opening
from gui.models.preferences import Preferences
from gui.models.problem import failure_problem, notice, problem, reason_problem
from gui.models.run_model import RunModel
from gui.models.setup_model import SetupModel
from gui.models.show_file import show_file


class Session(QObject):
    """One window's work; `opening` takes files in. Signals: `problem_met(Problem)`, `problem_solved(about)`, `engine_changed(state)`."""

    problem_met = Signal(object)
    problem_solved = Signal(str)
    engine_changed = Signal(str)
    facts_changed = Signal(object)
    run_loaded = Signal()
    report_saving = Signal(bool)

    def __init__(self, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.preferences = preferences
        self.models = ModelList(self)
        self.agreement = Agreement(preferences, self)
        self.opening = Opening(self.models, preferences, self)
        self.discovery = Discovery(self.models, preferences, self.agreement, self)
        self._first_try = FirstTry(self.models, self.discovery)
        self.setup = SetupModel(self.models, preferences.value.axes, preferences.value.plan, self)
        self.run = RunModel(self)
        self.comparisons = Comparisons(self.run, self._may_load, self)
        self.comparisons.is_blocked = lambda: self.is_busy or self.engine_state != "ready"
        self.history = HistoryModel(self)
        self.interpreter = Interpreter(preferences, self)
        self.setup.interpreter = self.discovery.python = self.agreement.python = self.interpreter.chosen
        self.engine_state = "starting"
        self._engine: EngineLike | None = None
        self._pending: tuple[Job, ModelInfo] | None = None
        self._agreed: set[str] = set()
        """Runs of this window: the user agreed to what they load when they were started."""
        self._connect_opening()
        self._handlers: dict[Any, Callable[[Any], None]] = {
            events.EngineReady: self._on_ready,
            events.EngineFailed: self._on_engine_failed,
            events.FileInspected: self.opening.on_inspected,
            events.ModelExamined: self._first_try.on_examined,
            events.ClassesRanked: self.discovery.on_ranked,
            events.Looking: self._on_looking,
            events.JobFinished: self._on_finished,
            events.RunLoaded: self._on_loaded,
            events.ReportSaved: self._on_saved,
            events.HistoryListed: self.history.apply,
        }
        self.models.entries_changed.connect(lambda: self.run.set_ready(bool(self.models.entries)))

    @property
    def is_busy(self) -> bool:
        """Whether a job or a comparison waits or runs."""
        return self.run.state in ("queued", "running") or self.comparisons.model.is_busy

    def set_engine(self, engine: EngineLike) -> None:
        """Take the engine, which is started after the first paint; files opened before are looked at now."""
        self._engine = engine
        self.discovery.set_engine(engine)
        self.opening.set_engine(engine)
        self.interpreter.set_engine(engine)
        self.comparisons.set_engine(engine)
        engine.list_history()

    def request_run(self, teach: bool = False) -> None:
        """Run what is set up, or the teaching run; a file that contains code is asked about first, and then inputs that were only guessed are tried before they are measured with."""
        entry = self.models.current
        if self.comparisons.model.is_busy:
            self.problem_met.emit(problem("compare.busy"))
        if entry is None or self.is_busy or self.setup.missing():
            return
        self.discovery.stop(by_user=False)
        if self.agreement.covers(entry):
            self.start(self.agreement.trusts(entry), teach)
        else:
            self.agreement.ask_file(entry, lambda: self._first_try.before(entry, lambda: self.start(True, teach)))

    def start(self, trusted: bool, teach: bool = False) -> None:
        """Start the job; while the engine is starting it waits."""
        entry = self.models.current
        if entry is None or entry.info is None:
            return
        job = self.setup.job(trusted, teach)
        info = msgspec.structs.replace(entry.info, trusted=trusted)
        self._agreed.add(job.id)
        self.history.set_opened(None)
        self.run.set_queued(job, info)
        self._pending = (job, info)
        self._start_pending()

    def cancel(self) -> None:
        """Let the running configuration finish and leave out the rest."""
        if self._pending is not None:
            self._pending = None
            self.run.clear(bool(self.models.entries))
        elif self.comparisons.model.is_busy:
            self.comparisons.stop()
        elif self._engine is not None:
            self._engine.cancel()

    def stop_now(self) -> None:
        """End the running configuration at once."""
        if self._pending is not None:
            self.cancel()
        elif self._engine is not None:
            self._engine.stop_now()

    def keep_measuring(self) -> None:
        """Append visits to the selected row of the run that is shown."""
        run = self.run.run
        if self._engine is None or run is None or self.run.selected is None or self.is_busy:
            return
        if run.comparison is not None:
            self.problem_met.emit(problem("compare.no-more"))
        elif self._may_load(run.id, run.model, self.run.run_path):
            self.discovery.stop(by_user=False)
            self._engine.keep_measuring(run, self.run.selected, self.run.run_path)
        else:
            self.problem_met.emit(problem("problem.not-agreed", name=Path(run.model.path).name))

    def _may_load(self, run_id: str, model: ModelInfo, run_path: str | None) -> bool:
        """Whether the user agreed to what loading this run's model runs."""
        return run_id in self._agreed or may_load_again(model, run_path, self.preferences.value)

    def save_report(self, path: str) -> None:
        """Write the page of the run that is shown."""
        if self._engine is not None and self.run.run is not None:
            self.discovery.stop(by_user=False)
            self.report_saving.emit(True)
            self._engine.save_report(self.run.run, path, text.language())

    def open_run(self, path: str) -> None:
        """Show a saved run; not while a job runs."""
        if self.is_busy:
            self.problem_met.emit(problem("history.busy"))
        elif self._engine is not None:
            self.discovery.stop(by_user=False)
            self._engine.load_run(path)

    def apply(self, event: object) -> None:
        """Take one event of the engine; what belongs to a comparison touches no row."""
        rest = self.comparisons.take(event)
        if rest is None:
            return
        self.run.apply(rest)
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def _start_pending(self) -> None:
        if self._pending is not None and self._engine is not None and self.engine_state == "ready":
            job, info = self._pending
            self._pending = None
            self._engine.run_job(job, info)

    def _set_engine_state(self, state: str) -> None:
        self.engine_state = state
        self.engine_changed.emit(state)

    def _connect_opening(self) -> None:
        opening, discovery = self.opening, self.discovery
        for source in (opening, discovery, self.agreement, self.interpreter):
            source.problem_met.connect(self.problem_met)
        self.comparisons.problem_met.connect(self.problem_met)
        self.comparisons.began.connect(lambda: discovery.stop(by_user=False))
        self.comparisons.finished.connect(self._on_compared)
        for settled in (discovery, self.agreement):
            settled.problem_solved.connect(self.problem_solved)
        opening.run_opened.connect(self.open_run)
        opening.arriving.connect(lambda: discovery.stop(by_user=False))
        opening.settled.connect(discovery.advance)
        discovery.place_chosen.connect(opening.look_again)
        opening.class_dropped.connect(self._on_class_dropped)
        self.interpreter.chosen_changed.connect(self._on_interpreter)
        discovery.may_look = lambda: not self.is_busy and self.opening.is_settled

    def stop_looking(self) -> None:
        """The user ends what is being done with the current model: an inspection, a search or an examination."""
        entry = self.models.current
        if entry is not None and not entry.is_ready:
            self.opening.give_up(entry)
        else:
            self.discovery.stop()

    def choose_python(self, python: str) -> None:
        """Run models in another interpreter (empty: the program's own); not while a job runs."""
        if self.is_busy:
            self.problem_met.emit(problem("problem.busy"))
            self.setup.changed.emit()
        else:
            self.interpreter.choose(python or None)

    def _on_class_dropped(self, path: str) -> None:
        self.discovery.on_class_dropped(path)
        entry = self.models.current
        if entry is not None and entry.needs_class:
            self.opening.look_again(entry)

    def _on_interpreter(self) -> None:
        self.agreement.python = self.interpreter.chosen
        self.discovery.set_python(self.interpreter.chosen)
        self._set_engine_state("starting")
        self.setup.set_interpreter(self.interpreter.chosen)

    def _on_looking(self, event: events.Looking) -> None:
        self.opening.on_looking(event)
        self.discovery.on_looking(event)

    def _on_ready(self, event: events.EngineReady) -> None:
        if not self.interpreter.on_ready(event.facts):
            return
        self._set_engine_state("ready")
        self.agreement.facts = event.facts
        self.setup.set_facts(event.facts)
        self.facts_changed.emit(event.facts)
        self._say_what_torch_lacks()
        self._start_pending()
        self.discovery.advance()

    def _say_what_torch_lacks(self) -> None:
        for choice in self.setup.chips("devices"):
            if choice.code == "gpu-but-cpu-torch":
                self.problem_met.emit(reason_problem(choice.code, choice.values))

    def _on_engine_failed(self, event: events.EngineFailed) -> None:
        self.discovery.on_engine_failed()
        if self.interpreter.on_failed(event.failure):
            if self._pending is not None:
                self.cancel()
            return
        if self.engine_state == "starting":
            self._set_engine_state("failed")
        if self._pending is not None:
            self.cancel()
        elif self.comparisons.model.is_busy:
            self.comparisons.abort()
        elif self.is_busy:
            self.run.abort()
        self.problem_met.emit(failure_problem(event.failure))

    def _on_finished(self, event: events.JobFinished) -> None:
        self.models.learn_inputs(event.run)
        self.history.set_opened(event.run_path)
        if event.save_failure is not None:
            self.problem_met.emit(failure_problem(event.save_failure))
        if self._engine is not None:
            self._engine.list_history()
        if not any(outcome.status == "ok" for outcome in event.run.outcomes):
            self.discovery.advance()

    def _on_compared(self) -> None:
        if self._engine is not None:
            self._engine.list_history()
        self.discovery.advance()

    def _on_loaded(self, event: events.RunLoaded) -> None:
        if event.failure is not None:
            self.problem_met.emit(failure_problem(event.failure))
        elif event.run is not None and not self.is_busy:
            self.run.load(event.run, event.path)
            self.history.set_opened(event.path)
            self.run_loaded.emit()
            self.comparisons.show(event.run, event.path)
        self.discovery.advance()

    def _on_saved(self, event: events.ReportSaved) -> None:
        self.report_saving.emit(False)
        self.discovery.advance()
        if event.failure is not None:
            self.problem_met.emit(failure_problem(event.failure))
        else:
            self.problem_met.emit(notice("report.saved", fix_code="report.open", fix=lambda: show_file(event.path), path=event.path))
