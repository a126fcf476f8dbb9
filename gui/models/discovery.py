"""From a known file to a model that runs: the class that fits, the user's consent, one examination that proves its inputs."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from engine.candidates import Candidate
from engine.capabilities import BACKEND_OF_KIND
from engine.events import ClassesRanked, Looking, ModelExamined
from engine.inputs import InputError, parse_input
from engine.result import Failure
from gui import text
from gui.models.agreement import Agreement, class_files
from gui.models.engine_like import EngineLike
from gui.models.model_entry import ModelEntry
from gui.models.model_list import ModelList
from gui.models.preferences import Preferences
from gui.models.problem import failure_problem, notice, problem
from gui.models.recollection import keep, keep_class

LIBRARIES = ("remembered", "config", "torchvision", "timm", "transformers")
"""Origins of candidates that may be built without a question, where no Python file is imported for it."""


class Discovery(QObject):
    """Works on the current model, one step at a time; a step that needs a question waits for the user.

    Signals: `problem_met(Problem)`; `problem_solved(about)`; `class_asked(path of a Python file or "")` when the user has to choose.
    """

    problem_met = Signal(object)
    problem_solved = Signal(str)
    class_asked = Signal(str)
    place_chosen = Signal(object)
    """The `ModelEntry` of which another place in the checkpoint is to be looked at."""

    def __init__(self, models: ModelList, preferences: Preferences, agreement: Agreement, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models, self._preferences, self.agreement = models, preferences, agreement
        self._engine: EngineLike | None = None
        self._asked: ModelEntry | None = None
        """The model that the engine is examining or ranking classes for."""
        self._question: tuple[object, ...] = ()
        """What was asked, and with which inputs or candidates: an answer to an older question may still be on its way."""
        self._offered: set[tuple[str, str]] = set()
        """(path, class file) pairs that the user was asked about already."""
        self.python: str | None = None
        """The interpreter that loads models; None is the program's own."""
        self.may_look: Callable[[], bool] = lambda: True
        """Whether the engine is free; while a job runs nothing is looked at."""
        models.current_changed.connect(self._on_current)

    def set_engine(self, engine: EngineLike) -> None:
        """Take the engine."""
        self._engine = engine

    def advance(self) -> None:
        """Take the next step with the current model that needs no question, if there is one."""
        entry = self._models.current
        if entry is None or not entry.is_ready or not self.may_look() or self._asked is not None or entry.was_stopped:
            return
        if entry.needs_class:
            self._find_class(entry)
        if self._asked is None and not entry.needs_class and entry.examined is None and self.agreement.covers(entry):
            self._examine(entry)

    def try_guess(self, entry: ModelEntry) -> bool:
        """Whether the current model is being loaded now, to see which inputs run: not for inputs of the user's, nor once it was tried or was stopped."""
        guessed = not entry.inputs_edited and not (entry.inputs and all(spec.ran for spec in entry.inputs))
        if not guessed or entry.examined is not None or entry.was_stopped:
            return False
        self.advance()
        return self._asked is entry and entry.looking is not None and entry.looking.what == "examined"

    def find_inputs(self) -> None:
        """The user wants the current model loaded once, to see its inputs: code in the file is asked about first."""
        entry = self._models.current
        if entry is None or entry.needs_class or not entry.is_ready:
            return
        if self.agreement.covers(entry):
            entry.was_stopped, entry.examined = False, None
            self.stop(by_user=False)
            self.advance()
        else:
            self.agreement.ask_file(entry, self.find_inputs)

    def rank(self, candidates: tuple[Candidate, ...]) -> None:
        """Build these candidates and lay the weights beside them; Python files among them are asked about first."""
        entry = self._models.current
        if entry is None or not candidates:
            return
        files = class_files(each.spec for each in candidates)
        if self.agreement.covers_classes(files):
            self._rank(entry, candidates)
        else:
            self.agreement.ask_classes(files, lambda: self.rank(candidates))

    def set_class(self, architecture: str, allow_missing: bool = False) -> None:
        """Take the class of the current model as the user chose it, and remember it."""
        self.stop(by_user=False)
        self._models.set_architecture(architecture, allow_missing)
        if self._models.current is not None:
            self._models.current.was_stopped = False
            self._remember(self._models.current)
            self.agreement.forget_no(class_files([architecture]))
        self.advance()

    def set_place(self, place: str) -> None:
        """Take the weights from another place in the checkpoint: what lies there is looked at first."""
        self.stop(by_user=False)
        self._models.set_weights_at(place)
        entry = self._models.current
        if entry is None:
            return
        self._remember(entry)
        if entry.awaits_place:
            self.place_chosen.emit(entry)
        self.advance()

    def on_inputs_edited(self) -> None:
        """The user changed inputs of the current model: they are remembered, and tried."""
        entry = self._models.current
        if entry is None:
            return
        self.stop(by_user=False)
        entry.examined, entry.was_stopped = None, False
        self._remember(entry)
        self.advance()

    def set_python(self, python: str | None) -> None:
        """Load models in another interpreter: what was found out in the old one holds no longer."""
        self.stop(by_user=False)
        self.python = python
        for entry in self._models.entries:
            entry.forget_examination()
            entry.was_stopped = False

    def stop(self, by_user: bool = True) -> None:
        """End what the engine is doing with a model, if anything; the user's own stop is not begun again by itself."""
        entry = self._end_question()
        if entry is not None and self._engine is not None:
            self._engine.stop_looking(entry.path)
            self._models.end_looking(entry.path, stopped=by_user)

    def on_class_dropped(self, path: str) -> None:
        """Python was dropped for the current model and its classes are known now: see which fits, else let the user choose."""
        entry = self._models.current
        if entry is not None:
            self._offered.discard((entry.path, path))
            if not entry.needs_class:
                self.class_asked.emit(path)

    def on_examined(self, event: ModelExamined) -> None:
        """Take what came of loading a model once."""
        entry = self._answered(event.path, "examined", event.asked)
        if entry is None or not self._models.apply_examined(event):
            return
        self.problem_solved.emit(_about(entry))
        if event.failure is None:
            self._remember(entry)
        else:
            self._say(entry, event.failure)
        self.advance()

    def on_ranked(self, event: ClassesRanked) -> None:
        """Take candidates that were built: a perfect fit silently, anything less is the user's choice."""
        entry = self._answered(event.path, "searched", event.asked)
        if entry is None or not self._models.apply_ranked(event):
            return
        if event.failure is not None:
            self.problem_met.emit(failure_problem(event.failure))
        elif self._take_perfect(entry, entry.candidates):
            self.advance()
        elif entry.near and entry is self._models.current:
            self.class_asked.emit("")

    def on_looking(self, event: Looking) -> None:
        """Word of what is being done; from one that was stopped it is old news."""
        if self._asked is not None and event.path == self._asked.path:
            self._models.apply_looking(event)

    def on_engine_failed(self) -> None:
        """No answer will come."""
        entry = self._end_question()
        if entry is not None:
            self._models.end_looking(entry.path)

    def _find_class(self, entry: ModelEntry) -> None:
        """A class that was proven to fit, else one that may be tried: of installed packages at once, of files after the user's yes."""
        if self._take_perfect(entry, entry.candidates):
            return
        came = [path for path in entry.near if (entry.path, path) not in self._offered]
        if came:
            self._offer(entry, came)
        elif entry.ranked is None:
            known = tuple(each for each in entry.candidates if each.origin in LIBRARIES and not class_files([each.spec]))
            if known:
                self._rank(entry, known)

    def _offer(self, entry: ModelEntry, came: list[str]) -> None:
        """Python came with the weights: try what looks like fitting, or show what is there."""
        self._offered |= {(entry.path, path) for path in came}
        fitting = tuple(each for each in entry.candidates if any(_lies_in(file, path) for file in class_files([each.spec]) for path in came))
        if fitting and entry.is_weights_only:
            self.rank(fitting)
        else:
            # A whole module has its weights in it: what defines its class is only to be chosen.
            files = [*class_files(each.spec for each in fitting), *(path for path in came if path.endswith(".py"))]
            if files:
                self.class_asked.emit(files[0])

    def _take_perfect(self, entry: ModelEntry, candidates: tuple[Candidate, ...]) -> bool:
        if not entry.take_perfect(candidates):
            return False
        self._remember(entry)
        self._models.entry_changed.emit()
        return True

    def _rank(self, entry: ModelEntry, candidates: tuple[Candidate, ...]) -> None:
        if self._engine is None or entry.inspected is None or not self.may_look():
            return
        self.stop(by_user=False)
        self._begin(entry, "searched", tuple(each.spec for each in candidates))
        self._engine.rank_classes(entry.source(self.agreement.trusts(entry)), candidates, entry.inspected.config, self.python)

    def _examine(self, entry: ModelEntry) -> None:
        if self._engine is None or entry.kind not in BACKEND_OF_KIND:
            return
        self._begin(entry, "examined", entry.inputs)
        self._engine.examine(entry.source(self.agreement.trusts(entry)), entry.inputs, self.python)

    def _begin(self, entry: ModelEntry, what: str, about: tuple[object, ...]) -> None:
        self._asked, self._question = entry, (what, about)
        self._models.apply_looking(Looking(entry.path, what, 0.0))

    def _answered(self, path: str, *question: object) -> ModelEntry | None:
        """The model that this answers the question about; None where the question has changed meanwhile, or was taken back."""
        if self._asked is None or self._asked.path != path or self._question != question:
            return None
        self._end_question()
        return self._models.entry_of(path)

    def _end_question(self) -> ModelEntry | None:
        entry, self._asked, self._question = self._asked, None, ()
        return entry

    def _on_current(self) -> None:
        """One model at a time: the one that the user looks at."""
        if self._asked is not None and self._asked is not self._models.current:
            self.stop(by_user=False)
        self.advance()

    def _remember(self, entry: ModelEntry) -> None:
        self._preferences.change(lambda settings: keep(entry, settings))
        failure = keep_class(entry)
        if failure is not None:
            self.problem_met.emit(failure_problem(failure))

    def _say(self, entry: ModelEntry, failure: Failure) -> None:
        """A failure, with the inputs that were seen to run where there are some."""
        proposed = _proposed(failure)
        if proposed:
            self.problem_met.emit(failure_problem(failure, fix_code="looking.fix", fix=lambda: self._fix(entry, proposed), about=_about(entry)))
        else:
            self.problem_met.emit(failure_problem(failure, about=_about(entry)))

    def _fix(self, entry: ModelEntry, texts: list[str]) -> None:
        """Take the proposed inputs, and try them."""
        if entry not in self._models.entries:
            return
        try:
            inputs = tuple(parse_input(each) for each in texts)
        except InputError as error:
            self.problem_met.emit(problem("looking.fix-unreadable", inputs=", ".join(texts), error=text.say_reason(error.say, error.values, error.summary)))
            return
        self._models.select(self._models.entries.index(entry))
        self._models.set_inputs(inputs)
        self.on_inputs_edited()
        self.problem_met.emit(notice("looking.fixed", inputs=", ".join(texts)))


def _proposed(failure: Failure) -> list[str]:
    """The first complete proposal: texts of inputs. What came from a worker is checked."""
    proposals = failure.values.get("proposed")
    if not isinstance(proposals, list | tuple) or not proposals or not isinstance(proposals[0], list | tuple):
        return []
    return [each for each in proposals[0] if isinstance(each, str)]


def _about(entry: ModelEntry) -> str:
    """An examination's failure is over when the next one ends."""
    return f"examined {entry.path}"


def _lies_in(file: str, path: str) -> bool:
    return file == path or file.startswith(path.rstrip("/") + "/")
