"""One line for what went wrong outside a row: the newest, what to do, and how many more there are."""

from __future__ import annotations

from PySide6.QtCore import QAbstractAnimation, QEasingCurve, QSize, Qt, QVariantAnimation
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QSizePolicy, QToolButton, QWidget

from gui import text, theme
from gui.models.problem import Problem
from gui.widgets.labels import label, set_role
from gui.widgets.problem_dialog import ProblemDialog

HEIGHT = 36
ANIMATION_MS = 120
MOST = 50
"""Older problems than this are forgotten: nobody reads them."""


class ProblemBar(QFrame):
    """Grows from nothing to one line when there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problemBar")
        self.problems: list[Problem] = []
        self.picture, self.sentence, self.more = label(), label("", "problemSentence"), label("muted", "problemMore")
        self.sentence.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.sentence.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.details_button, self.fix_button = _button("problemDetailsButton"), _button("problemFixButton")
        self.close_button = QToolButton(objectName="problemCloseButton")
        self.close_button.setIconSize(QSize(12, 12))
        self._line = QWidget(self)
        self._lay_out()
        self._growth = QVariantAnimation(self)
        self._growth.valueChanged.connect(self.setFixedHeight)
        self._growth.setDuration(ANIMATION_MS)
        self._growth.setEasingCurve(QEasingCurve.Type.OutCubic)
        self.setFixedHeight(0)
        self.details_button.clicked.connect(self._show_details)
        self.fix_button.clicked.connect(self._fix)
        self.close_button.clicked.connect(self._dismiss)
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.retranslate)
        self.retranslate()

    @property
    def current(self) -> Problem | None:
        """The one that shows."""
        return self.problems[-1] if self.problems else None

    def show_problem(self, problem: Problem) -> None:
        """The newest comes first; what says the same again replaces itself, and good news gives way to anything."""
        same = (problem.summary, problem.hint)
        self.problems = [each for each in self.problems if not each.is_notice and (each.summary, each.hint) != same]
        self.problems = [*self.problems, problem][-MOST:]
        self.retranslate()

    def withdraw(self, about: str) -> None:
        """Forget what is solved."""
        left = [each for each in self.problems if each.about != about]
        if about and len(left) < len(self.problems):
            self.problems = left
            self.retranslate()

    def clear(self) -> None:
        """Forget all of them."""
        self.problems = []
        self.retranslate()

    def retranslate(self) -> None:
        """Say every word again."""
        problem = self.current
        self.details_button.setText(text.say("problem.details"))
        self.close_button.setToolTip(text.say("problem.close"))
        self.close_button.setAccessibleName(text.say("problem.close"))
        self.close_button.setIcon(theme.icon("close", "muted"))
        if problem is not None:
            self._say(problem)
        self._grow(HEIGHT if problem is not None else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """What does not fit is elided; the tooltip has all of it."""
        super().resizeEvent(event)
        # The line keeps its height and slides in from above: widgets squeezed to nothing cannot be painted.
        self._line.setGeometry(0, self.height() - HEIGHT, self.width(), HEIGHT - 1)
        self._elide()

    def _say(self, problem: Problem) -> None:
        name, role = ("notice", "good") if problem.is_notice else ("problem", "caution")
        self.picture.setPixmap(theme.icon(name, role).pixmap(QSize(14, 14)))
        self.setAccessibleName(text.say("problem.line", summary=problem.summary, hint=problem.hint).strip())
        self.fix_button.setVisible(problem.fix is not None and bool(problem.fix_code))
        if problem.fix_code:
            self.fix_button.setText(text.say(problem.fix_code))
        set_role(self.fix_button, "small")
        others = len(self.problems) - 1
        self.more.setText(text.say("problem.more", count=others) if others else "")
        self._elide()

    def _elide(self) -> None:
        whole = self.accessibleName() if self.current is not None else ""
        whole = " ".join(whole.split())
        shown = self.sentence.fontMetrics().elidedText(whole, Qt.TextElideMode.ElideRight, max(40, self.sentence.width()))
        self.sentence.setText(shown)
        self.sentence.setToolTip(whole if shown != whole else "")
        # Without a mouse there is no tooltip: what is cut off can be opened whole.
        self.details_button.setVisible(self.current is not None and (bool(self.current.details) or shown != whole))

    def _grow(self, height: int) -> None:
        if not self.isVisible():
            self._growth.stop()
            self.setFixedHeight(height)
        elif self._growth.state() != QAbstractAnimation.State.Running or self._growth.endValue() != height:
            self._growth.stop()
            self._growth.setStartValue(self.height())
            self._growth.setEndValue(height)
            self._growth.start()

    def _show_details(self) -> None:
        if self.current is not None:
            dialog = ProblemDialog(self.current, self)
            dialog.open()

    def _fix(self) -> None:
        problem = self.current
        self._dismiss()
        if problem is not None and problem.fix is not None:
            problem.fix()

    def _dismiss(self) -> None:
        self.problems = self.problems[:-1]
        self.retranslate()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self._line)
        row.setContentsMargins(12, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self.picture)
        row.addWidget(self.sentence, 1)
        for widget in (self.more, self.details_button, self.fix_button, self.close_button):
            row.addWidget(widget)


def _button(name: str) -> QPushButton:
    button = QPushButton(objectName=name)
    button.setProperty("role", "small")
    return button
