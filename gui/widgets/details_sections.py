"""The sections of the details pane: each takes a row and says what it knows of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QPushButton, QVBoxLayout, QWidget

from engine import scaling, storage, units
from engine.result import Phases, Reason
from gui import text, theme
from gui.models import row_words as words
from gui.models.problem import details_text, failure_problem
from gui.models.row import Row
from gui.widgets.code_view import CodeView
from gui.widgets.collapsible import Collapsible
from gui.widgets.labels import label, set_role
from gui.widgets.phase_bar import PhaseBar

COPIED_MS = 1500


def _say(reason: Reason) -> str:
    return text.say_reason(reason.code, reason.values, reason.sentence)


class Section(Collapsible):
    """A section that shows a row; `code` names its title in gui.text."""

    def __init__(self, code: str, is_open: bool = True) -> None:
        super().__init__(f"{code}Section", is_open)
        self._code = code

    def show_row(self, row: Row) -> None:
        """Show this row; sections that have nothing to say hide themselves."""
        self.set_title(text.say(f"details.{self._code}"))


class Sentences(QWidget):
    """Sentences below one another, each with its role; all can be selected by mouse."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._labels: list[QWidget] = []
        self._said: list[tuple[str, str]] = []

    def say(self, lines: list[tuple[str, str]]) -> None:
        """Show (role, sentence) pairs; the same lines are left alone, so that a selection stays."""
        if lines == self._said:
            return
        self._said = lines
        while len(self._labels) < len(lines):
            made = label(wraps=True)
            made.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard)
            self._column.addWidget(made)
            self._labels.append(made)
        for place, made in enumerate(self._labels):
            made.setVisible(place < len(lines))
            if place < len(lines):
                set_role(made, lines[place][0])
                made.setText(lines[place][1])


class OutcomeSection(Section):
    """What came of it, why measuring stopped, how far it may be trusted."""

    def __init__(self) -> None:
        super().__init__("outcome")
        self.sentences = Sentences("outcomeSentences")
        self.body.addWidget(self.sentences)

    def show_row(self, row: Row) -> None:
        """Failure first, then trust, then notes."""
        super().show_row(row)
        self.sentences.say([line for line in self._lines(row) if line[1]])

    def _lines(self, row: Row) -> Iterator[tuple[str, str]]:
        outcome = row.outcome
        if row.state == "queued":
            yield "muted", text.say("details.queued")
        elif row.state == "rest":
            yield "", text.say("details.resting")
        elif not row.is_ended:
            yield "", text.say("details.running", phase=words.state_word(row))
        failure = words.failure_lines(row)
        if failure is not None:
            yield "strong", failure[0]
            yield "", failure[1]
        if outcome is None:
            return
        reasons = words.trust_reasons(outcome)
        yield from (("", sentence) for sentence in reasons)
        if row.is_ended and outcome.trust is not None and outcome.trust.grade == "good" and not reasons:
            yield "", text.say("details.good")
        if outcome.stopped_because is not None and (failure is None or outcome.error is not None):
            yield "muted", _say(outcome.stopped_because)
        yield from (("muted", _say(note)) for note in outcome.notes if note.code not in scaling.NOTES)     # those stand beside the replicas
        if outcome.uncounted_calls and not any(note.code == "uncounted" for note in outcome.notes):
            yield "muted", text.say("details.uncounted", count=units.format_count(outcome.uncounted_calls))


class PhasesSection(Section):
    """Where the time went before the steady state."""

    def __init__(self) -> None:
        super().__init__("phases")
        self.bar = PhaseBar()
        self.body.addWidget(self.bar)

    def show_row(self, row: Row) -> None:
        """Known phases as a bar."""
        super().show_row(row)
        self.bar.show_phases(row.outcome.phases_ms if row.outcome is not None else Phases())


class AdviceSection(Section):
    """What to try; not there when there is nothing to say."""

    def __init__(self) -> None:
        super().__init__("advice")
        self.sentences = Sentences("adviceList")
        self.body.addWidget(self.sentences)

    def show_row(self, row: Row) -> None:
        """One sentence a line."""
        super().show_row(row)
        advice = row.outcome.advice if row.outcome is not None else ()
        self.setVisible(bool(advice))
        self.sentences.say([("", _say(reason)) for reason in advice])


class CodeSection(Section):
    """Plain PyTorch that does what this row did."""

    problem_met = Signal(object)

    def __init__(self) -> None:
        super().__init__("code")
        self.header.setObjectName("codeButton")
        self.view = CodeView("codeView")
        self.copy_button = _small_button("copyCodeButton")
        self.save_button = _small_button("saveCodeButton")
        self.copy_button.clicked.connect(self._copy)
        self.save_button.clicked.connect(self._ask_file)
        for button in (self.copy_button, self.save_button):
            self.add_button(button)
        self.body.setContentsMargins(0, 0, 0, 8)
        self.body.addWidget(self.view)
        self._source, self._name = "", "model"

    def show_row(self, row: Row) -> None:
        """The code, or that it is yet to come."""
        super().show_row(row)
        self._source = row.outcome.code if row.outcome is not None else ""
        configuration = row.configuration
        self._name = f"run_{configuration.precision}_b{configuration.batch_size}.py".replace("-", "_")
        self.view.show_text(self._source or text.say("details.no-code"))
        self.header.setToolTip(text.say("details.code.tip"))
        for button, code, picture in ((self.copy_button, "details.code-copy", "copy"), (self.save_button, "details.code-save", "save")):
            button.setEnabled(bool(self._source))
            button.setText(text.say(code))
            button.setToolTip(text.say(f"{code}.tip"))
            button.setIcon(theme.icon(picture))

    def save(self, path: str) -> None:
        """Write the code to `path`; a place that cannot be written is a problem told, not an exception."""
        try:
            storage.write_atomically(Path(path), self._source.encode())
        except storage.StorageError as error:
            self.problem_met.emit(failure_problem(error.failure))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self._source)
        self.copy_button.setText(text.say("details.code-copied"))
        QTimer.singleShot(COPIED_MS, self.copy_button, lambda: self.copy_button.setText(text.say("details.code-copy")))

    def _ask_file(self) -> None:
        dialog = QFileDialog(self, text.say("details.code-title"), self._name, f"{text.say('details.code-filter')} (*.py)")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("py")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.save)
        dialog.open()


class LogSection(Section):
    """What the worker and its libraries printed."""

    def __init__(self) -> None:
        super().__init__("log", is_open=False)
        self.view = CodeView("logView", most_lines=16)
        self.body.setContentsMargins(0, 0, 0, 8)
        self.body.addWidget(self.view)

    def show_row(self, row: Row) -> None:
        """The log, or that it is empty."""
        super().show_row(row)
        self.setVisible(row.outcome is not None)
        self.view.show_text((row.outcome.log if row.outcome is not None else "") or text.say("details.no-log"))


class ErrorSection(Section):
    """Traceback, signal and exit code of a failure."""

    def __init__(self) -> None:
        super().__init__("error")
        self.view = CodeView("errorView", most_lines=16)
        self.body.setContentsMargins(0, 0, 0, 8)
        self.body.addWidget(self.view)

    def show_row(self, row: Row) -> None:
        """Only where there is something beyond the sentence."""
        super().show_row(row)
        error = row.outcome.error if row.outcome is not None else None
        details = details_text(error) if error is not None else ""
        self.setVisible(bool(details))
        self.view.show_text(details)


def _small_button(name: str) -> QPushButton:
    button = QPushButton(objectName=name)
    button.setProperty("role", "small")
    button.setIconSize(QSize(11, 11))
    return button


