"""The details of the selected row: how its figures came about, its code, its log, its error."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from gui import text, theme
from gui.models.row import Row
from gui.models.row_words import full_name, picture, state_word
from gui.models.run_model import RunModel
from gui.widgets.all_figures import FiguresSection
from gui.widgets.details_sections import (
    AdviceSection,
    CodeSection,
    ErrorSection,
    LogSection,
    OutcomeSection,
    PhasesSection,
    Section,
)
from gui.widgets.figures_sections import MemorySection, TimesSection, VisitsSection
from gui.widgets.labels import label
from gui.widgets.replicas_section import ReplicasSection


class DetailsPane(QWidget):
    """Shows the selected row of a `RunModel`, in sections that open and close."""

    problem_met = Signal(object)

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("detailsPane")
        self._model = model
        self._seen: tuple[object, ...] = ()
        self.title, self.state, self.empty_note = label("title", "detailsTitle", wraps=True), label("muted", "detailsState"), label("muted", wraps=True)
        self.outcome, self.phases, self.advice = OutcomeSection(), PhasesSection(), AdviceSection()
        self.visits, self.memory, self.times, self.replicas = VisitsSection(), MemorySection(), TimesSection(), ReplicasSection()
        self.figures, self.code, self.log, self.error = FiguresSection(), CodeSection(), LogSection(), ErrorSection()
        self.sections: tuple[Section, ...] = (
            self.outcome, self.error, self.replicas, self.phases, self.visits, self.memory, self.times, self.advice, self.figures, self.code, self.log,
        )
        self.code.problem_met.connect(self.problem_met)
        self._lay_out()
        for signal in (model.reset, model.selection_changed, text.current.changed, theme.notifier.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def refresh(self) -> None:
        """Show what is new of the selected row."""
        if self._key() != self._seen:
            self.retranslate()

    def retranslate(self) -> None:
        """Say every word again."""
        self._seen = self._key()
        row = self._model.selected_row
        self.empty_note.setText(text.say("details.empty"))
        self.empty_note.setVisible(row is None)
        for widget in (self.title, self.state, *self.sections):
            widget.setVisible(row is not None)
        if row is not None:
            self._show_row(row)

    def _show_row(self, row: Row) -> None:
        self.title.setText(full_name(row.configuration))
        self.state.setText(state_word(row))
        self.state.setAccessibleDescription(picture(row))
        for section in self.sections:
            section.show_row(row)

    def _key(self) -> tuple[object, ...]:
        row = self._model.selected_row
        return (self._model.selected, row.revision if row is not None else None)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(12, 12, 12, 12)
        column.setSpacing(8)
        for widget in (self.title, self.state, self.empty_note, *self.sections):
            column.addWidget(widget)
        column.setSpacing(4)
        column.addStretch(1)
        self.title.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scroll)
