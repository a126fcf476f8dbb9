"""Whether code may run: what the user agreed to for always (in the settings) or for as long as this window is open, and how he is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QObject, Signal

from engine.architecture import ArchitectureError, parse_architecture
from engine.capabilities import Facts
from gui.models.consent import TrustRequest, ask_for_classes, ask_for_file, file_sha256, remember
from gui.models.model_entry import ModelEntry
from gui.models.preferences import Preferences
from gui.models.problem import problem
from gui.models.terminal import terminal_command


class Agreement(QObject):
    """One window's consents. Signals: `asked(TrustRequest)`, answered by `answer`; `problem_met(Problem)`; `problem_solved(about)` when a no is over."""

    asked = Signal(object)
    problem_met = Signal(object)
    problem_solved = Signal(str)

    def __init__(self, preferences: Preferences, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.facts: Facts | None = None
        self.python: str | None = None
        """The interpreter that loads models; None is the program's own."""
        self._preferences = preferences
        self._once: set[str] = set()
        """sha256 of files that may run code until this window closes."""
        self._then: Callable[[], None] | None = None

    def covers(self, entry: ModelEntry) -> bool:
        """Whether loading this file needs no question: it runs no code, or the user agreed to these exact bytes."""
        return entry.inspected is not None and (not entry.inspected.requires_trust or self.trusts(entry))

    def trusts(self, entry: ModelEntry) -> bool:
        """Whether these exact bytes may run code."""
        return entry.info is not None and self._allows(entry.info.sha256)

    def covers_classes(self, paths: Iterable[str]) -> bool:
        """Whether every one of these Python files may be imported, as it is now."""
        return all(self._allows(file_sha256(path)) for path in paths)

    def ask_file(self, entry: ModelEntry, then: Callable[[], None]) -> None:
        """Ask whether a model file may run its code; `then` when it may."""
        if entry.inspected is not None:
            self._ask(ask_for_file(entry.inspected, self.facts, terminal_command(entry, self.python)), then)

    def ask_classes(self, paths: tuple[str, ...], then: Callable[[], None]) -> None:
        """Ask whether Python files may be imported; `then` when they may."""
        self._ask(ask_for_classes(paths, self.facts), then)

    def answer(self, request: TrustRequest, decision: str) -> None:
        """`once` holds while this window is open, `always` from now on; anything else runs nothing, and so does what is dangerous."""
        then, self._then = self._then, None
        if decision not in ("once", "always") or request.is_dangerous:
            why = "-dangerous" if request.is_dangerous else "-classes" if request.what == "classes" else ""
            self.problem_met.emit(problem(f"trust.rejected{why}", about=_about(request.paths[0]), name=request.name))
            return
        self.forget_no(request.paths)
        self._once.update(each for each in request.sha256 if each)
        if decision == "always":
            self._preferences.change(lambda settings: remember(settings, request))
        if then is not None:
            then()

    def forget_no(self, paths: Iterable[str]) -> None:
        """The user decided anew about these files: what was said of an earlier no is old news."""
        for path in paths:
            self.problem_solved.emit(_about(path))

    def _ask(self, request: TrustRequest, then: Callable[[], None]) -> None:
        self._then = then
        self.asked.emit(request)

    def _allows(self, sha256: str) -> bool:
        return bool(sha256) and (sha256 in self._once or sha256 in self._preferences.value.trusted_sha256)


def _about(path: str) -> str:
    return f"trust {path}"


def class_files(specs: Iterable[str]) -> tuple[str, ...]:
    """The Python files that building these classes would import; classes of installed packages have none."""
    found = []
    for spec in specs:
        try:
            architecture = parse_architecture(spec)
        except ArchitectureError:
            continue
        if architecture.is_file:
            found.append(architecture.where)
    return tuple(dict.fromkeys(found))
