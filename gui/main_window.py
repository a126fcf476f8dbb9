"""The window: puts the panes together and connects them to the session; it decides nothing itself."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import msgspec
from PySide6.QtCore import QByteArray, QTimer, Signal
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
    QShortcut,
)
from PySide6.QtWidgets import QMainWindow, QStackedWidget, QTabWidget, QVBoxLayout, QWidget

from engine.capabilities import Facts
from gui import text
from gui.models.problem import notice, problem
from gui.models.session import Session
from gui.widgets.device_strip import DeviceStrip
from gui.widgets.dialogs import Dialogs
from gui.widgets.drop_overlay import DropOverlay, is_data
from gui.widgets.empty_state import EmptyState
from gui.widgets.frames import Frames
from gui.widgets.history_pane import HistoryPane
from gui.widgets.panes import Panes
from gui.widgets.problem_bar import ProblemBar
from gui.widgets.ready_state import ReadyState
from gui.widgets.setup_pane import SetupPane
from gui.widgets.status_strip import StatusStrip
from gui.widgets.tool_bar import ToolBar
from gui.widgets.wiring import connect_setup

if TYPE_CHECKING:
    from gui.widgets.bench import Bench

CLOSE_WAIT_MS = 3000


class MainWindow(QMainWindow):
    """One window of Model Dyno. `painted` once, when it is on the screen; `closed` when it has closed for good."""

    painted = Signal()
    closed = Signal()
    theme_chosen = Signal(str)

    def __init__(self, session: Session, native_dialogs: bool = True) -> None:
        super().__init__()
        self.setObjectName("mainWindow")
        self.session = session
        self.dialogs = Dialogs(session, self, native_dialogs)
        self._is_painted = self._may_close = False
        self._bench: Bench | None = None
        self._build()
        self._connect_session()
        self._connect_tool_bar()
        self._add_shortcuts()
        self._restore()
        self.retranslate()

    def _build(self) -> None:
        session = self.session
        self.device_strip = DeviceStrip(session.run)
        self.tool_bar = ToolBar(self.device_strip)
        self.problem_bar = ProblemBar()
        self.setup_pane = SetupPane(session.setup, session.run, session.preferences.value.more_open)
        self.history_pane = HistoryPane(session.history)
        self.side_tabs = QTabWidget(objectName="sidePane")
        self.side_tabs.addTab(self.setup_pane, "")
        self.side_tabs.addTab(self.history_pane, "")
        self.side_tabs.setDocumentMode(True)
        self.side_tabs.setMinimumWidth(240)
        self.empty_state = EmptyState()
        self.centre = QStackedWidget(objectName="centrePane")
        self.ready_state = ReadyState(session.setup)
        self.centre.addWidget(self.empty_state)
        self.centre.addWidget(self.ready_state)
        self.details_holder = QStackedWidget(objectName="detailsHolder")
        self.details_holder.setMinimumWidth(260)
        self.panes = Panes(self.side_tabs, self.centre, self.details_holder)
        self.status_strip = StatusStrip(session.run)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget, stretch in ((self.tool_bar, 0), (self.problem_bar, 0), (self.panes, 1), (self.status_strip, 0)):
            column.addWidget(widget, stretch)
        self.setCentralWidget(whole)
        self.overlay = DropOverlay(self)
        self.frames = Frames(session.run, self, (self.device_strip, self.status_strip))
        self._claim_drops()

    @property
    def bench(self) -> Bench:
        """The centre with figures, graphs and results; made when first needed, because plots cost the start 0.3 s."""
        return self._bench or self._make_bench()

    def _make_bench(self) -> Bench:
        from gui.widgets.details_pane import DetailsPane
        from gui.widgets.lower_tabs import make_bench

        run = self.session.run
        self._bench = bench = make_bench(self.session)
        self.details_pane = DetailsPane(run)
        self.centre.addWidget(bench)
        self.details_holder.addWidget(self.details_pane)
        self.frames.add(bench, self.details_pane)
        self.details_pane.problem_met.connect(self.session.problem_met)
        bench.save_requested.connect(self.dialogs.ask_report)
        bench.copy_requested.connect(self.copy_markdown)
        bench.keep_measuring_requested.connect(self.session.keep_measuring)
        bench.follow_live_requested.connect(run.follow_live)
        self._claim_drops()
        return bench

    def _claim_drops(self) -> None:
        """The whole window is the drop target: no field or plot takes a file for itself."""
        for widget in self.findChildren(QWidget):
            widget.setAcceptDrops(False)
        self.setAcceptDrops(True)

    def _connect_session(self) -> None:
        session, pane = self.session, self.setup_pane
        session.problem_met.connect(self.problem_bar.show_problem)
        session.problem_solved.connect(self.problem_bar.withdraw)
        session.agreement.asked.connect(self.dialogs.ask_trust)
        session.discovery.class_asked.connect(self.dialogs.ask_class)
        session.engine_changed.connect(pane.set_engine)
        session.report_saving.connect(self._set_saving)
        session.facts_changed.connect(self._set_facts)
        session.run_loaded.connect(lambda: self.panes.show_right(not self.panes.is_narrow))
        for signal in (session.run.state_changed, session.run.reset, session.models.entries_changed):
            signal.connect(self._show_state)
        for signal in (session.models.entries_changed, session.models.current_changed):
            signal.connect(self.retranslate)
        session.setup.changed.connect(self._remember_setup)
        session.interpreter.chosen_changed.connect(self._show_preferences)
        session.preferences.changed.connect(self._show_preferences)
        connect_setup(pane, session, self.dialogs)
        pane.chips.more_toggled.connect(lambda is_open: self._prefer(more_open=is_open))
        self.history_pane.run_chosen.connect(session.open_run)
        self.ready_state.class_requested.connect(self.dialogs.ask_class)
        self.empty_state.open_requested.connect(self.dialogs.ask_open)
        self.empty_state.demo_requested.connect(session.opening.open_demo)
        self.empty_state.recent_chosen.connect(session.opening.open_recent)
        text.current.changed.connect(self.retranslate)

    def _connect_tool_bar(self) -> None:
        bar = self.tool_bar
        bar.open_requested.connect(self.dialogs.ask_open)
        bar.demo_requested.connect(self.session.opening.open_demo)
        bar.recent_chosen.connect(self.session.opening.open_recent)
        bar.help_requested.connect(self.dialogs.show_help)
        bar.language_chosen.connect(self._choose_language)
        bar.theme_chosen.connect(self._choose_theme)
        bar.left_toggled.connect(self.panes.show_left)
        bar.right_toggled.connect(self.panes.show_right)
        bar.left_button.setChecked(True)
        self.panes.right_changed.connect(bar.right_button.setChecked)

    def _add_shortcuts(self) -> None:
        keys = {
            "Ctrl+O": self.dialogs.ask_open, "Ctrl+R": self.session.request_run, "Esc": self._cancel, "Shift+Esc": self.session.stop_now, "Ctrl+S": self.dialogs.ask_report,
            "Ctrl+Shift+C": self.copy_markdown, "Ctrl+L": self.session.run.follow_live, "F1": self.dialogs.show_help,
            "F9": self.tool_bar.left_button.click, "F10": self.tool_bar.right_button.click, "Ctrl+Q": self.close,
        }
        for key, act in keys.items():
            QShortcut(QKeySequence(key), self, act)

    def retranslate(self) -> None:
        """Say every word of the window itself again."""
        entry = self.session.models.current
        self.setWindowTitle(text.say("window.title-model", name=entry.name) if entry else text.say("window.title"))
        self.side_tabs.setTabText(0, text.say("pane.setup"))
        self.side_tabs.setTabText(1, text.say("pane.history"))
        self._show_preferences()
        self.frames.wake()

    def copy_markdown(self) -> None:
        """Put the results table on the clipboard."""
        if self.session.run.rows:
            QGuiApplication.clipboard().setText(self.bench.table.markdown())
            self.problem_bar.show_problem(notice("copy.done"))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files are welcome anywhere; data for an input is shown where it can go."""
        self.overlay.enter(event, self.setup_pane.inputs.place())

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """The drag went away."""
        self.overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take the files in."""
        paths = self.overlay.take(event)
        row = self.setup_pane.inputs.row_at(self.mapToGlobal(event.position().toPoint())) if is_data(paths) else -1
        if row >= 0:
            self.setup_pane.inputs.model.set_file(row, paths[0])
        elif paths:
            self.session.opening.open(paths)
        else:
            self.session.problem_met.emit(problem("problem.nothing-dropped"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The first paint is told, once it is on the screen."""
        super().paintEvent(event)
        if not self._is_painted:
            self._is_painted = True
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The overlay covers the window at every size."""
        super().resizeEvent(event)
        self.overlay.setGeometry(self.rect())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask once while a job runs; what was measured is kept."""
        if self.session.is_busy and not self._may_close:
            event.ignore()
            self.dialogs.ask_close(self.stop_and_close)
            return
        self.frames.close()
        self._prefer(geometry=base64.b64encode(self.saveGeometry().data()).decode())
        event.accept()
        self.closed.emit()

    def stop_and_close(self) -> None:
        """Stop the job, wait until what was measured is kept, and close."""
        self._may_close = True
        if not self.session.is_busy:
            self.close()
            return
        for signal in (self.session.run.state_changed, self.session.comparisons.finished):
            signal.connect(self._close_when_idle)
        QTimer.singleShot(CLOSE_WAIT_MS, self, self.close)
        self.session.stop_now()

    def _close_when_idle(self, _state: str = "") -> None:
        if not self.session.is_busy:
            QTimer.singleShot(0, self, self.close)

    def _cancel(self) -> None:
        if self.session.is_busy:
            self.setup_pane.cancel_button.click()  # a button that is not enabled does nothing

    def _set_facts(self, facts: Facts) -> None:
        self.device_strip.set_facts(facts)
        self.status_strip.set_facts(facts)
        self.frames.wake()

    def _set_saving(self, saving: bool) -> None:
        self.bench.set_saving(saving)

    def _show_state(self) -> None:
        has_rows = bool(self.session.run.rows)
        was_empty = self.centre.currentWidget() in (self.empty_state, self.ready_state)
        without = self.ready_state if self.session.models.entries else self.empty_state
        self.centre.setCurrentWidget(self.bench if has_rows else without)
        if has_rows and was_empty and not self.panes.is_narrow:
            self.panes.show_right(True)
        if not has_rows:
            self.panes.show_right(False)
        self.tool_bar.right_button.setEnabled(has_rows)

    def _show_preferences(self) -> None:
        value = self.session.preferences.value
        self.tool_bar.set_recents(value.recents)
        self.tool_bar.set_theme(value.theme)
        self.empty_state.set_recents(list(value.recents))
        self.setup_pane.card.set_trusted(frozenset(value.trusted_sha256))
        self.setup_pane.chips.set_pythons(value.pythons)

    def _remember_setup(self) -> None:
        setup, value = self.session.setup, self.session.preferences.value
        if (setup.axes, setup.plan) != (value.axes, value.plan):
            self._prefer(axes=setup.axes, plan=setup.plan)

    def _choose_language(self, code: str) -> None:
        text.set_language(code)
        self._prefer(language=code)

    def _choose_theme(self, name: str) -> None:
        self._prefer(theme=name)
        self.theme_chosen.emit(name)

    def _prefer(self, **changes: object) -> None:
        self.session.preferences.change(lambda settings: msgspec.structs.replace(settings, **changes))

    def _restore(self) -> None:
        self.resize(1280, 800)
        self.setMinimumSize(800, 560)
        if geometry := self.session.preferences.value.geometry:
            self.restoreGeometry(QByteArray.fromBase64(geometry.encode()))
