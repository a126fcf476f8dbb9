"""The whole of one problem, to be read and copied."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QVBoxLayout, QWidget

from gui import text
from gui.models.problem import Problem
from gui.widgets.code_view import CodeView
from gui.widgets.labels import label


class ProblemDialog(QDialog):
    """The whole of one problem, to be read and copied."""

    def __init__(self, problem: Problem, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("problemDialog")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(text.say("problem.details"))
        self.resize(720, 420 if problem.details else 160)
        summary, hint, view = label("strong", wraps=True), label("", wraps=True), CodeView("problemDetails")
        summary.setText(problem.summary)
        hint.setText(problem.hint)
        view.show_text(problem.details)
        view.setAccessibleName(text.say("problem.details"))
        view.setMinimumHeight(0)
        view.setMaximumHeight(16_777_215)
        buttons = QDialogButtonBox()
        close = buttons.addButton(text.say("problem.close"), QDialogButtonBox.ButtonRole.RejectRole)
        close.clicked.connect(self.close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(8)
        for widget in (summary, hint):
            column.addWidget(widget)
        view.setVisible(bool(problem.details))
        column.addWidget(view, 1)
        column.addWidget(buttons)
