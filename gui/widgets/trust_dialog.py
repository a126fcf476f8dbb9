"""Asking before a file may run code: not loading it is the default."""

from __future__ import annotations

from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from gui import text
from gui.models.consent import Decision, TrustRequest
from gui.widgets.labels import label

NAMES_SHOWN = 6
WIDTH, MARGIN = 480, 16


class TrustDialog(QDialog):
    """Shows what loading the file would run; `decision` is the answer. What attacks use needs the file's name typed, and is never for always."""

    def __init__(self, request: TrustRequest, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("trustDialog")
        self.request = request
        self.decision: Decision = "no"
        self._name = request.name
        self._dangerous = request.is_dangerous
        self.name_field = QLineEdit(objectName="trustNameField")
        self.reject_button = self._button("rejectButton", "trust.reject", "no")
        self.once_button = self._button("trustOnceButton", "trust.once", "once")
        self.always_button = self._button("trustAlwaysButton", "trust.always", "always")
        self.setWindowTitle(text.say("trust.title"))
        self._lay_out(request)
        self.name_field.setAccessibleName(text.say("trust.field"))
        self.name_field.textChanged.connect(lambda *_: self._allow())
        self.reject_button.setDefault(True)
        self.reject_button.setFocus()
        self._allow()

    def _lay_out(self, request: TrustRequest) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(MARGIN, MARGIN, MARGIN, MARGIN)
        column.setSpacing(12)
        self.setFixedWidth(WIDTH)
        lines = [("strong", _sentence(self._name, tuple(name for name, _ in request.grades))), ("", text.say("trust.unconfined"))]
        lines.append(("muted", text.say("trust.sha256", sha256=request.sha256[0])))
        if self._dangerous:
            lines.append(("bad", text.say("trust.dangerous", name=self._name)))
        for role, sentence in lines:
            line = label(role, wraps=True)
            line.setText(sentence)
            line.setMinimumWidth(WIDTH - 2 * MARGIN)  # otherwise Qt reckons the height for the narrowest width
            column.addWidget(line)
        column.addWidget(self.name_field)
        self.name_field.setVisible(self._dangerous)
        self.always_button.setVisible(not self._dangerous)
        row = QHBoxLayout()
        row.addWidget(self.always_button)
        row.addStretch()
        row.addWidget(self.once_button)
        row.addWidget(self.reject_button)
        column.addLayout(row)

    def _button(self, name: str, code: str, decision: Decision) -> QPushButton:
        button = QPushButton(text.say(code), objectName=name)
        button.setAutoDefault(False)
        button.clicked.connect(lambda: self._decide(decision))
        return button

    def _allow(self) -> None:
        allowed = not self._dangerous or self.name_field.text() == self._name
        self.once_button.setEnabled(allowed)
        self.always_button.setEnabled(allowed and not self._dangerous)

    def _decide(self, decision: Decision) -> None:
        self.decision = decision
        self.done(QDialog.DialogCode.Rejected if decision == "no" else QDialog.DialogCode.Accepted)


def _sentence(name: str, names: tuple[str, ...]) -> str:
    if not names:
        return text.say("trust.text-unnamed", name=name)
    shown = ", ".join(names[:NAMES_SHOWN])
    more = f" {text.say('trust.more', count=len(names) - NAMES_SHOWN)}" if len(names) > NAMES_SHOWN else ""
    return text.say("trust.text", name=name, names=shown + more)
