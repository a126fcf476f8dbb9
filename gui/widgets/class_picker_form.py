"""The widgets of the class picker and what they say; the picker itself decides."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QCheckBox, QDialog, QDialogButtonBox, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from engine.candidates import Candidate
from engine.classes import ClassEntry
from gui import text, theme
from gui.models import class_choice
from gui.models.card_words import Line
from gui.widgets.code_view import CodeView
from gui.widgets.labels import label
from gui.widgets.marked_lines import MarkedList

WIDTH = 560
EXAMPLES = {"num_classes": "10"}
NOTES_SHOWN = 3


class ClassPickerForm:
    """Makes the widgets in `dialog`."""

    def __init__(self, dialog: QDialog) -> None:
        self._explanation, self._wanted = label("muted", wraps=True), label("strong", "classWanted", wraps=True)
        self._candidates_label, self._file_label = label("section"), label("section")
        self.candidates, self.classes = MarkedList("candidateList", most=3), MarkedList("classList", most=3)
        self.look_button = _button("rankButton")
        self._picture, self._state = label(), label("small", "candidateState")
        self._notes = label("muted", "candidateNotes", wraps=True)
        self._differences_label, self._differences = label("section"), CodeView("candidateDetails", most_lines=6)
        self.allow = QCheckBox(objectName="allowMissingBox")
        self._file = label("strong", "classFile")
        self.browse_button = _button("classFileButton")
        self._arguments_label, self.arguments = label("section"), QLineEdit(objectName="classArguments")
        self._takes, self._needs = label("muted", "classTakes", wraps=True), label("caution", "classNeeds", wraps=True)
        self._problem = label("bad", "classProblem", wraps=True)
        self.use_button, self.cancel_button = QPushButton(objectName="useClassButton"), QPushButton(objectName="cancelClassButton")
        self._arguments_label.setBuddy(self.arguments)
        self._lay_out(dialog)

    def retranslate(self, wanted: tuple[str, ...], path: str) -> None:
        """Say every word that does not depend on the choice."""
        self._explanation.setText(text.say("picker.text"))
        self._wanted.setText(text.say("picker.candidates-wanted", names=", ".join(wanted)) if wanted else "")
        self._wanted.setVisible(bool(wanted))
        self._candidates_label.setText(text.say("picker.candidates"))
        self._differences_label.setText(text.say("picker.differences"))
        self._arguments_label.setText(text.say("picker.arguments"))
        names = {
            self.candidates: "picker.candidates", self.classes: "picker.list", self.arguments: "picker.arguments", self._differences: "picker.differences",
        }
        for widget, code in names.items():
            widget.setAccessibleName(text.say(code))
        self.arguments.setToolTip(text.say("picker.arguments.tip"))
        self.look_button.setText(text.say("picker.look"))
        self.look_button.setToolTip(text.say("picker.look.tip"))
        self.browse_button.setText(text.say("picker.browse"))
        self.use_button.setText(text.say("picker.use"))
        self.cancel_button.setText(text.say("picker.cancel"))
        self.show_file(path)

    def show_file(self, path: str) -> None:
        """Name the chosen file."""
        self._file.setText(Path(path).name if path else text.say("picker.no-file"))
        self._file.setToolTip(path)

    def show_candidates(self, there_are: bool) -> None:
        """Show the first section only where there is something in it."""
        for widget in (self._candidates_label, self.candidates):
            widget.setVisible(there_are)
        self._file_label.setText(text.say("picker.file" if there_are else "picker.file-only"))

    def show_classes(self, there_are: bool) -> None:
        """Show the classes of the chosen file, as high as they are."""
        self.classes.setVisible(there_are)
        self.classes.fit_height()

    def show_look(self, possible: bool, enabled: bool) -> None:
        """The button that builds candidates, where there is anything to build."""
        self.look_button.setVisible(possible)
        self.look_button.setEnabled(enabled)

    def show_state(self, line: Line | None) -> None:
        """What is being done meanwhile."""
        for widget in (self._picture, self._state):
            widget.setVisible(line is not None)
        if line is not None:
            icon, colour, words = line
            self._picture.setPixmap(theme.icon(icon, colour).pixmap(QSize(12, 12)))
            self._state.setText(words)

    def show_notes(self, sentences: list[str]) -> None:
        """Why classes could not be built; the first of them, all in the tooltip."""
        self._notes.setText("\n".join(sentences[:NOTES_SHOWN]))
        self._notes.setToolTip("\n".join(sentences) if len(sentences) > NOTES_SHOWN else "")
        self._notes.setVisible(bool(sentences))

    def show_chosen(self, candidate: Candidate | None, entry: ClassEntry | None, missing: tuple[str, ...], problem: str) -> None:
        """Say how the chosen class fits, what it takes and what it still needs."""
        self._show_fit(candidate)
        self.arguments.setEnabled(candidate is not None or (entry is not None and bool(entry.arguments)))
        self._takes.setText(_takes(entry) if entry else "")
        self._takes.setVisible(entry is not None)
        example = f"{missing[0]}={EXAMPLES.get(missing[0], '1')}" if missing else ""
        self._needs.setText(text.say("picker.needs", names=", ".join(missing), example=example) if missing else "")
        self._needs.setVisible(bool(missing))
        self._problem.setText(problem)
        self._problem.setVisible(bool(problem))
        self._fit_height()

    def _fit_height(self) -> None:
        """As high as what shows, at the one width."""
        self._column.activate()
        self._dialog.setFixedHeight(self._column.totalHeightForWidth(WIDTH))

    def _show_fit(self, candidate: Candidate | None) -> None:
        fit = candidate.fit if candidate else None
        words = class_choice.differences(fit) if fit is not None else ""
        for widget in (self._differences_label, self._differences):
            widget.setVisible(bool(words))
        self._differences.show_text(words)
        is_partial = fit is not None and not fit.perfect
        self.allow.setVisible(is_partial)
        if fit is not None and is_partial:
            self.allow.setText(class_choice.allowing_text(fit))

    def _lay_out(self, dialog: QDialog) -> None:
        dialog.setFixedWidth(WIDTH)
        self._dialog, self._column = dialog, QVBoxLayout(dialog)
        column = self._column
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        for widget in (self._explanation, self._wanted, self._candidates_label, self.candidates):
            column.addWidget(widget)
        column.addSpacing(4)
        column.addWidget(self._file_label)
        column.addLayout(_row(self._file, None, self.browse_button))
        column.addWidget(self.classes)
        for widget in (self._arguments_label, self.arguments, self._takes, self._needs):
            column.addWidget(widget)
        column.addLayout(_row(self.look_button, self._picture, self._state, None))
        for widget in (self._notes, self._differences_label, self._differences, self.allow, self._problem):
            column.addWidget(widget)
        buttons = QDialogButtonBox()
        buttons.addButton(self.use_button, QDialogButtonBox.ButtonRole.AcceptRole)
        buttons.addButton(self.cancel_button, QDialogButtonBox.ButtonRole.RejectRole)
        column.addWidget(buttons)
        self.classes.hide()
        self.use_button.setDefault(True)
        self.use_button.setProperty("role", "accent")


def _row(*widgets: QWidget | None) -> QHBoxLayout:
    """Widgets in a line; None is a gap that grows."""
    row = QHBoxLayout()
    row.setSpacing(8)
    for widget in widgets:
        if widget is None:
            row.addStretch(1)
        else:
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
    return row


def _button(name: str) -> QPushButton:
    button = QPushButton(objectName=name)
    button.setAutoDefault(False)
    return button


def _takes(entry: ClassEntry) -> str:
    if not entry.arguments:
        return text.say("picker.takes-none")
    written = [each.name if each.default is None else f"{each.name}={each.default}" for each in entry.arguments]
    return text.say("picker.takes", arguments=", ".join(written))
