"""The centre while there is something to see: figures, graphs on one time axis, and the results below them."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSplitter, QTabWidget, QVBoxLayout, QWidget

from gui import text, theme
from gui.models.run_model import RunModel
from gui.widgets.figures_bar import FiguresBar
from gui.widgets.latency_plot import LatencyPlot
from gui.widgets.memory_plot import MemoryPlot
from gui.widgets.results_table import ResultsTable


class Bench(QWidget):
    """Figures, plots, results. `refresh()` draws what is new; signals ask the window to act."""

    save_requested = Signal()
    copy_requested = Signal()
    keep_measuring_requested = Signal()
    follow_live_requested = Signal()

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("bench")
        self._model = model
        self.figures = FiguresBar(model)
        self.latency_plot = LatencyPlot(model)
        self.memory_plot = MemoryPlot(model)
        self.memory_plot.link_time_axis(self.latency_plot)
        self.table = ResultsTable(model)
        self.tabs = QTabWidget(objectName="lowerTabs")
        self._tab_codes = ["pane.results"]
        self.copy_button = QPushButton(objectName="copyMarkdownButton")
        self.save_button = QPushButton(objectName="saveReportButton")
        self.buttons = QHBoxLayout()
        """Below the table, after a stretch: what can be done with it."""
        self._saving = False
        self._views: list[Any] = [self.figures, self.latency_plot, self.memory_plot, self.table]
        self._lay_out()
        self.copy_button.clicked.connect(self.copy_requested)
        self.save_button.clicked.connect(self.save_requested)
        self.figures.keep_measuring_requested.connect(self.keep_measuring_requested)
        self.figures.follow_live_requested.connect(self.follow_live_requested)
        for signal in (model.state_changed, model.reset, text.current.changed, theme.notifier.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def add_tab(self, view: QWidget, code: str) -> None:
        """Another tab beside the results, called by `code` of gui.text; where it has `refresh()`, it is drawn with the others."""
        self._tab_codes.append(code)
        self.tabs.addTab(view, text.say(code))
        if hasattr(view, "refresh"):
            self._views.append(view)

    def set_saving(self, saving: bool) -> None:
        """While a report is written, a second one cannot be asked for."""
        self._saving = saving
        self.retranslate()

    def refresh(self) -> None:
        """Draw what is new since the last time."""
        for view in self._views:
            view.refresh()

    def retranslate(self) -> None:
        """Say every word again, and show what can be pressed."""
        for place, code in enumerate(self._tab_codes):
            self.tabs.setTabText(place, text.say(code))
        self.copy_button.setText(text.say("copy.markdown"))
        self.copy_button.setToolTip(text.say("copy.markdown.tip"))
        self.copy_button.setIcon(theme.icon("copy"))
        self.copy_button.setEnabled(bool(self._model.rows))
        self.save_button.setText(text.say("report.saving" if self._saving else "report.save"))
        self.save_button.setToolTip(text.say("report.save.tip"))
        self.save_button.setIcon(theme.icon("save"))
        self.save_button.setEnabled(self._model.run is not None and not self._saving)

    def _lay_out(self) -> None:
        plots, results, buttons = QSplitter(Qt.Orientation.Vertical), QWidget(), self.buttons
        plots.addWidget(self.latency_plot)
        plots.addWidget(self.memory_plot)
        plots.setStretchFactor(0, 3)
        plots.setStretchFactor(1, 2)
        plots.setChildrenCollapsible(False)
        buttons.addStretch()
        buttons.addWidget(self.copy_button)
        buttons.addWidget(self.save_button)
        below = QVBoxLayout(results)
        below.setContentsMargins(8, 8, 8, 8)
        below.setSpacing(8)
        below.addWidget(self.table, 1)
        below.addLayout(buttons)
        self.tabs.addTab(results, "")
        self.tabs.setDocumentMode(True)
        halves = QSplitter(Qt.Orientation.Vertical, objectName="centreSplitter")
        halves.addWidget(plots)
        halves.addWidget(self.tabs)
        halves.setStretchFactor(0, 3)
        halves.setStretchFactor(1, 2)
        halves.setSizes([390, 260])
        halves.setChildrenCollapsible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.figures)
        column.addWidget(halves, 1)
