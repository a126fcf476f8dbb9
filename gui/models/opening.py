"""What the window takes in: files and folders that are dropped or opened, until it is known what each one is."""

from __future__ import annotations

import os
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from engine.events import FileInspected, Looking
from engine.inputs import parse_input
from gui.models.engine_like import EngineLike
from gui.models.folders import look_inside
from gui.models.model_entry import ModelEntry
from gui.models.model_list import ModelList
from gui.models.preferences import Preferences
from gui.models.problem import failure_problem, notice, problem
from gui.models.recollection import recall
from gui.settings import with_recent, without_recent

NAMES_SAID = 3
GIVEN_UP = "file-inspection-cancelled"
HAS_MODELS = ("file-folder", "file-folder-with")
"""What an inspection says of a folder in which there may be models."""


class Opening(QObject):
    """Fills a `ModelList`.

    Signals: `problem_met(Problem)`; `run_opened(path)` for a saved run; `class_dropped(path)` for Python that goes to the current model; `arriving` before new
    files are looked at; `settled` when it is known what each of the dropped files is.
    """

    problem_met = Signal(object)
    run_opened = Signal(str)
    class_dropped = Signal(str)
    arriving = Signal()
    settled = Signal()

    def __init__(self, models: ModelList, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._models, self._preferences = models, preferences
        self._engine: EngineLike | None = None
        self._waiting: list[tuple[str, tuple[str, ...], str | None]] = []
        self._batch: list[str] = []
        """Files of the last drop, in its order: the first that runs becomes the current one."""
        self._unknown: set[str] = set()
        """Files and folders that are being looked at."""
        self._asked_at: dict[str, str | None] = {}
        """The place in a checkpoint that a look is about; None: the likeliest."""
        self._folders: dict[str, tuple[str, ...]] = {}
        """Folders that are being looked at, and the Python that came with them."""
        self._before: ModelEntry | None = None
        models.refused.connect(self._refused)
        models.entries_changed.connect(self._forget_removed)

    @property
    def is_settled(self) -> bool:
        """Whether it is known what each of the dropped files is."""
        return not self._unknown

    def set_engine(self, engine: EngineLike) -> None:
        """Take the engine, which is started after the first paint; files opened before are looked at now."""
        self._engine = engine
        waiting, self._waiting = self._waiting, []
        for path, near, at in waiting:
            engine.inspect(path, near, at)

    def open(self, paths: list[str]) -> None:
        """Take files in: models into the list, Python beside them or as the class of the current model, a saved run onto the screen."""
        given = list(dict.fromkeys(os.path.abspath(path) for path in paths))
        folders = [path for path in given if os.path.isdir(path)]
        python = [path for path in given if path.endswith(".py") and path not in folders]
        runs = [path for path in given if path.endswith(".json") and os.path.isfile(path)]
        models = [path for path in given if path not in (*folders, *python, *runs)]
        for path in runs:
            self.run_opened.emit(path)
        if models or folders:
            self._take(models, folders, tuple(python))
        else:
            for path in python:
                self.add_python(path)

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
        self._begin([])
        entry = self._models.add(str(path))
        entry.is_demo, entry.architecture = True, architecture
        entry.inputs = tuple(parse_input(each) if isinstance(each, str) else each for each in inputs)
        self._inspect(str(path))

    def add_python(self, path: str) -> None:
        """Python that came alone, a file or a folder: the class of the current model is looked for in it."""
        entry = self._models.current
        if entry is None or (entry.is_ready and not entry.takes_class):
            self.problem_met.emit(problem("problem.python-without-model", name=Path(path).name))
            return
        entry.near = tuple(dict.fromkeys((path, *entry.near)))
        self.class_dropped.emit(path)

    def look_again(self, entry: ModelEntry) -> None:
        """Inspect a model of the list once more: other Python lies near it now, or another place in it was chosen."""
        self._begin([entry.path])
        self._inspect(entry.path, entry.near, entry.weights_at)

    def on_inspected(self, event: FileInspected) -> None:
        """Take what the engine found out about a file or a folder; that one was given up is known here."""
        if event.path not in self._unknown and event.refusal is not None and event.refusal.say == GIVEN_UP:
            return
        self._unknown.discard(event.path)
        if event.path in self._folders:
            self._on_folder(event, self._folders.pop(event.path))
        else:
            self._step_aside(event)
            self._models.apply(event)
        entry = self._models.entry_of(event.path)
        if entry is not None and entry.info is not None and not entry.is_demo:
            self._preferences.change(lambda settings: with_recent(settings, event.path))
            if recall(entry, self._preferences.value):
                self._models.entry_changed.emit()
            self._look_at_place(entry)
        self._settle()

    def on_looking(self, event: Looking) -> None:
        """Word of a file that is still being looked at."""
        if event.path in self._unknown:
            self._models.apply_looking(event)

    def give_up(self, entry: ModelEntry) -> None:
        """The user ended an inspection: a file that stays unknown leaves the list; of one that was known, what was known holds."""
        if self._engine is None or entry.path not in self._unknown:
            return
        self._engine.stop_looking(entry.path)
        if entry.inspected is None:
            self._models.remove(self._models.entries.index(entry))
            return
        self._unknown.discard(entry.path)
        entry.weights_at = None
        self._models.end_looking(entry.path)
        self._models.entry_changed.emit()
        self._settle()

    def _look_at_place(self, entry: ModelEntry) -> None:
        """The place that was chosen another day is looked at now; one that is not in the file any more is forgotten."""
        asked = self._asked_at.pop(entry.path, None)
        if not entry.awaits_place:
            return
        if asked == entry.weights_at:
            entry.weights_at = None
        else:
            self._inspect(entry.path, entry.near, entry.weights_at)

    def _take(self, models: list[str], folders: list[str], python: tuple[str, ...]) -> None:
        near = (*python, *folders) if models else python
        self._begin([*models, *folders])
        self._folders |= dict.fromkeys(folders, near)
        self._unknown.update(folders)
        self._add(models, near, select=True)
        for path in folders:
            self._inspect(path)

    def _add(self, models: list[str], near: tuple[str, ...], select: bool) -> None:
        """All of them are in the list before the first answer comes."""
        entries = [self._models.add(path, select=select and number == 0) for number, path in enumerate(models)]
        self._unknown.update(models)
        for entry in entries:
            entry.is_demo = False
            entry.near = tuple(dict.fromkeys((*near, *entry.near)))
            self._inspect(entry.path, entry.near, entry.weights_at)

    def _begin(self, batch: list[str]) -> None:
        self.arriving.emit()
        self._batch, self._before = batch, self._models.current

    def _inspect(self, path: str, near: tuple[str, ...] = (), at: str | None = None) -> None:
        self._unknown.add(path)
        self._asked_at[path] = at
        self._models.apply_looking(Looking(path, "inspected", 0.0))
        if self._engine is None:
            self._waiting.append((path, near, at))
        else:
            self._engine.inspect(path, near, at)

    def _on_folder(self, event: FileInspected, near: tuple[str, ...]) -> None:
        if event.info is not None:
            self._models.add(event.path, select=False)
            self._models.apply(event)
            return
        self._batch.remove(event.path)
        inside = look_inside(event.path) if event.refusal is not None and event.refusal.say in HAS_MODELS else None
        if inside is not None and inside.models:
            self._open_inside(event.path, inside.models, inside.count, near)
        elif inside is not None and inside.has_python and event.path not in near:
            self.add_python(event.path)
        elif (inside is None or not inside.has_python) and event.refusal is not None:
            self.problem_met.emit(failure_problem(event.refusal))

    def _open_inside(self, folder: str, models: tuple[str, ...], count: int, near: tuple[str, ...]) -> None:
        """Take the models of a folder in, and say which; Python beside them may define their classes."""
        new = [path for path in models if path not in self._batch]
        self._batch += new
        self._add(new, (*near, folder), select=False)
        names = ", ".join(os.path.relpath(path, folder) for path in models[:NAMES_SAID])
        code = "folder.opened" if count == len(models) <= NAMES_SAID else "folder.opened-more" if count == len(models) else "folder.opened-some"
        self.problem_met.emit(notice(code, name=Path(folder).name, count=len(models), names=names, more=len(models) - NAMES_SAID, total=count))

    def _settle(self) -> None:
        """When the last file of a drop is known, the first that can run as it is becomes the current one, unless the user has moved on."""
        if self._unknown:
            return
        arrived = [entry for path in self._batch if (entry := self._models.entry_of(path)) is not None]
        current = self._models.current
        if current is None or current is self._before or current in arrived:
            best = [entry for entry in arrived if not entry.needs_class] or arrived or ([self._before] if self._before in self._models.entries else [])
            if best and best[0] is not None:
                self._models.select(self._models.entries.index(best[0]))
        self._batch, self._before = [], None
        self.settled.emit()

    def _step_aside(self, event: FileInspected) -> None:
        """What turns out to be no model leaves the model before it, as if it had never come."""
        current, before = self._models.current, self._before
        if event.info is None and before is not None and current is not None and current.path == event.path and before in self._models.entries:
            self._models.select(self._models.entries.index(before))

    def _forget_removed(self) -> None:
        """A model that was taken off the list while it was looked at: nobody waits for it."""
        listed = {entry.path for entry in self._models.entries}
        gone = {path for path in self._unknown if path not in listed and path not in self._folders}
        if gone:
            self._unknown -= gone
            if self._engine is not None:
                for path in gone:
                    self._engine.stop_looking(path)
            self._settle()

    def _refused(self, event: FileInspected) -> None:
        if event.refusal is not None:
            self.problem_met.emit(failure_problem(event.refusal))
