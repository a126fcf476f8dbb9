"""Asking before code of somebody's runs: who wants to be called, what holds it here, and no as the default."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gui import text
from gui.models.calls import explain
from gui.models.consent import Decision, TrustRequest
from gui.widgets.code_block import CodeBlock
from gui.widgets.labels import label
from gui.widgets.marked_lines import MarkedList
from gui.widgets.protections import Protections

NAMES_SHOWN = 4
WIDTH, MARGIN = 520, 16
SHORT = 12
MARKS = {"harmless": ("good", "good"), "unknown": ("noisy", "caution"), "dangerous": ("poor", "bad")}


class TrustDialog(QDialog):
    """Shows a `TrustRequest`; `decision` is the answer. What is graded dangerous gets no yes here, but the command that opens it in a terminal."""

    def __init__(self, request: TrustRequest, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trustDialog")
        self.request = request
        self.decision: Decision = "no"
        self.list = MarkedList("trustCalls")
        self._suffix = "-classes" if request.what == "classes" else ""
        self.reject_button = self._button("rejectButton", f"trust.reject{self._suffix}", "no")
        self.once_button = self._button("trustOnceButton", f"trust.once{self._suffix}", "once")
        self.always_button = self._button("trustAlwaysButton", "trust.always-classes" if len(request.paths) > 1 else "trust.always", "always")
        self.setWindowTitle(text.say("trust.title-dangerous" if request.is_dangerous else f"trust.title{self._suffix}"))
        self._lay_out()
        self.reject_button.setDefault(True)
        self.reject_button.setFocus()

    def _lay_out(self) -> None:
        self.setFixedWidth(WIDTH)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        self._column.setSpacing(8)
        self._say("strong", self._question())
        self._show_list()
        for note in self.request.notes:
            self._say("caution", text.say_reason(note.code, note.values, note.sentence))
        if self.request.is_dangerous:
            self._show_command()
        else:
            self._column.addSpacing(4)
            self._say("section", text.say("trust.holds"))
            self._column.addWidget(Protections(self.request, WIDTH - 2 * MARGIN))
            self._show_hash()
        self._column.addSpacing(4)
        self._column.addLayout(self._buttons())

    def _question(self) -> str:
        request = self.request
        if request.what == "file":
            return text.say("trust.text-dangerous" if request.is_dangerous else "trust.text", name=request.name)
        return text.say("trust.text-class") if len(request.paths) == 1 else text.say("trust.text-classes", count=len(request.paths))

    def _show_list(self) -> None:
        """Calls with their grades, or the files that would be imported."""
        request = self.request
        if request.what == "file" and not request.grades:
            self._say("", text.say("trust.calls-none"))
            return
        caption = text.say("trust.calls", count=len(request.grades)) if request.what == "file" else text.say("trust.files", count=len(request.paths))
        self._say("section", caption)
        for name, grade in request.grades:
            code, values = explain(name, grade)
            line = text.say("trust.grade-line", grade=text.say(f"trust.grade.{grade}"), meaning=text.say(code, **values))
            self.list.add(f"{name}\n{line}", MARKS[grade], tip=name)
        if request.what == "classes":
            for path, sha256 in zip(request.paths, request.sha256, strict=True):
                self.list.add(f"{Path(path).name}\n{Path(path).parent}", tip=f"{path}\nsha256 {sha256}")
        self.list.setAccessibleName(caption)
        self.list.fit_height()
        self._column.addWidget(self.list)

    def _show_command(self) -> None:
        request, names = self.request, self.request.dangerous_names
        shown = ", ".join(names[:NAMES_SHOWN])
        if len(names) > NAMES_SHOWN:
            shown = text.say("trust.dangerous-more", names=shown, count=len(names) - NAMES_SHOWN)
        self._say("bad", text.say("trust.dangerous", name=request.name, names=shown))
        block = CodeBlock("trustCommand", wraps=True)
        block.show_text(request.command, text.say("trust.command"))
        self._column.addWidget(block)

    def _show_hash(self) -> None:
        request = self.request
        if not request.may_be_remembered:
            return
        if len(request.sha256) == 1:
            self._say("muted", text.say("trust.sha256", short=request.sha256[0][:SHORT])).setToolTip(request.sha256[0])
        else:
            self._say("muted", text.say("trust.sha256-many"))

    def _say(self, role: str, sentence: str) -> QLabel:
        line = label(role, wraps=True)
        line.setText(sentence)
        line.ensurePolished()
        line.setFixedWidth(WIDTH - 2 * MARGIN)
        self._column.addWidget(line)
        line.setFixedHeight(line.heightForWidth(line.width()))  # Qt would reckon the height for the narrowest width
        return line

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.always_button)
        row.addStretch()
        row.addWidget(self.once_button)
        row.addWidget(self.reject_button)
        self.once_button.setVisible(not self.request.is_dangerous)
        self.always_button.setVisible(self.request.may_be_remembered)
        return row

    def _button(self, name: str, code: str, decision: Decision) -> QPushButton:
        button = QPushButton(text.say(code), self, objectName=name)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self._decide(decision))
        return button

    def _decide(self, decision: Decision) -> None:
        self.decision = decision
        self.done(QDialog.DialogCode.Rejected if decision == "no" else QDialog.DialogCode.Accepted)
