"""The headline figures of the selected row: median with its interval, p99, throughput, peak memory, trust."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from engine import devices, units
from engine.result import Latency, Outcome
from gui import text, theme
from gui.models import row_words as words
from gui.models.run_model import RunModel
from gui.widgets.figure import Figure

HEIGHT = 72
INTERVAL_S = 0.25
"""Figures change at most this often: faster cannot be read."""
MARGIN = 12
GAP = 14
BUTTON_ROOM = 40
"""What a small button needs beside its word: icon, padding, border."""
LEAST_WIDTH = 480


class FiguresBar(QFrame):
    """Shows the selected row of a `RunModel`. Signals ask the window to act."""

    keep_measuring_requested = Signal()
    follow_live_requested = Signal()

    def __init__(self, model: RunModel, parent: QWidget | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self.setObjectName("figuresBar")
        self.setFixedHeight(HEIGHT)
        self.setMinimumWidth(LEAST_WIDTH)
        self._model, self._clock = model, clock
        self._seen: tuple[object, ...] = ()
        self._shown_at = -INTERVAL_S
        self.p50 = Figure("headline", "88.888 ms", "p50")
        self.p99 = Figure("figure", "88.8 ms", "p99")
        self.throughput = Figure("figure", "88,888 /s", "throughput")
        self.memory = Figure("figure", "888 MiB", "memory")
        self.trust = Figure("grade", "", "trust")
        self._figures = (self.p50, self.p99, self.throughput, self.memory, self.trust)
        self.keep_button = self._button("keepMeasuringButton", self.keep_measuring_requested)
        self.follow_button = self._button("followLiveButton", self.follow_live_requested)
        self._lay_out()
        for signal in (model.reset, model.selection_changed, model.state_changed, model.followed_changed, theme.notifier.changed, text.current.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def refresh(self) -> None:
        """Show newer figures, but not more often than an eye follows."""
        if self._key() == self._seen:
            return
        wait_s = INTERVAL_S - (self._clock() - self._shown_at)
        if wait_s > 0:
            # The window's timer may rest before the pause is over, and the last figures must not be lost.
            QTimer.singleShot(int(wait_s * 1000) + 1, self, self.refresh)
            return
        self._show()

    def retranslate(self) -> None:
        """Say every word again, at once."""
        self._show()
        for button, picture in ((self.keep_button, "measure"), (self.follow_button, "follow")):
            button.setIcon(theme.icon(picture))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Buttons keep their words while there is room."""
        super().resizeEvent(event)
        self._say_buttons()

    def _is_compact(self) -> bool:
        words = QFontMetrics(theme.font(11)).horizontalAdvance(text.say("figures.keep")) + BUTTON_ROOM
        return self.width() < sum(figure.minimumWidth() + GAP for figure in self._figures) + words + 2 * MARGIN

    def _key(self) -> tuple[object, ...]:
        row = self._model.selected_row
        return (self._model.selected, row.revision if row else None, self._model.state)

    def _show(self) -> None:
        self._seen, self._shown_at = self._key(), self._clock()
        row = self._model.selected_row
        outcome = row.outcome if row is not None and words.has_figures(row) else None
        latency = outcome.latency if outcome is not None else None
        self._show_p50(latency)
        self._show_p99(latency)
        per_s = outcome.throughput_per_s if outcome else None
        self.throughput.show_figure(units.significant(per_s), "/s" if per_s is not None else "", text.say("figures.throughput"), text.say("term.throughput"))
        self._show_memory(outcome)
        self._show_trust(outcome)
        self._show_buttons()
        self._say_buttons()

    def _show_p50(self, latency: Latency | None) -> None:
        if latency is None or latency.p50_ms is None:
            pending = [text.say("figures.pending")] if self._model.state in ("queued", "running") else []
            self.p50.show_figure(units.NONE, "", text.say("figures.p50"), "\n".join([text.say("term.p50"), *pending]))
            return
        low, high = latency.p50_ci95_ms or (None, None)
        figure, half, unit = units.split_ci(latency.p50_ms, low, high)
        if half:
            caption, term = text.say("figures.p50-ci", half=half, unit=unit), "term.interval"
        elif latency.p25_ms is not None and latency.p75_ms is not None:
            first, third, _ = words.quartiles(latency)
            caption, term = text.say("figures.p50-quartiles", low=first, high=third), "term.quartiles"
        else:
            caption, term = text.say("figures.p50-one-visit", visits=latency.visits), "term.interval"
        counted = text.say("figures.samples", count=units.format_count(latency.count), visits=latency.visits)
        one_visit = [text.say("figures.p50-one-visit", visits=latency.visits)] if not half else []
        self.p50.show_figure(figure, unit, caption, "\n".join([text.say("term.p50"), text.say(term), counted, *one_visit]))

    def _show_p99(self, latency: Latency | None) -> None:
        missing = words.p99_missing(latency)
        if latency is None or missing is not None:
            caption = text.say("figures.p99-needs", n=units.format_count(missing)) if missing else text.say("figures.p99")
            floor = text.say("figures.p99-floor", floor=words.P99_FLOOR, count=units.format_count(latency.count)) if latency and missing else ""
            self.p99.show_figure(units.NONE, "", caption, "\n".join(filter(None, [text.say("term.p99"), floor])), is_muted=True)
            return
        figure, _, unit = units.split_ci(latency.p99_ms)
        self.p99.show_figure(figure, unit, text.say("figures.p99"), text.say("term.p99"))

    def _show_memory(self, outcome: Outcome | None) -> None:
        row = self._model.selected_row
        on_cpu = row is None or devices.on_cpu(row.configuration.device)
        figure, _, unit = units.format_bytes(words.peak_bytes(outcome)).partition(" ")
        self.memory.show_figure(figure, unit, text.say("figures.peak"), text.say("term.memory-cpu" if on_cpu else "term.memory-gpu"))

    def _show_trust(self, outcome: Outcome | None) -> None:
        grade = outcome.trust.grade if outcome is not None and outcome.trust is not None else ""
        reasons = words.trust_reasons(outcome) or ([text.say("details.good")] if grade else [])
        self.trust.show_figure(words.trust_text(outcome), "", text.say("figures.trust"), "\n".join([text.say("term.trust"), *reasons]))
        self.trust.show_grade(grade)

    def _show_buttons(self) -> None:
        model, row = self._model, self._model.selected_row
        idle = model.state in ("done", "failed")
        self.keep_button.setVisible(row is not None)
        self.keep_button.setEnabled(idle and model.run is not None and row is not None and row.state == "done")
        self.follow_button.setVisible(model.state in ("queued", "running") and not model.is_following)

    def _say_buttons(self) -> None:
        compact = self._is_compact()
        for button, code in ((self.keep_button, "figures.keep"), (self.follow_button, "figures.follow")):
            button.setText("" if compact else text.say(code))
            button.setToolTip(f"{text.say(code)}: {text.say(f'{code}.tip')}" if compact else text.say(f"{code}.tip"))
            button.setAccessibleName(text.say(code))

    def _button(self, name: str, asked: Signal) -> QPushButton:
        button = QPushButton(objectName=name)
        button.setProperty("role", "small")
        button.setIconSize(QSize(12, 12))
        button.clicked.connect(asked)
        return button

    def _lay_out(self) -> None:
        row, buttons = QHBoxLayout(self), QVBoxLayout()
        row.setContentsMargins(MARGIN, 8, MARGIN, 8)
        row.setSpacing(GAP)
        for figure in self._figures:
            row.addWidget(figure)
        row.addStretch(1)
        buttons.setSpacing(4)
        for button in (self.keep_button, self.follow_button):
            buttons.addWidget(button)
        buttons.setAlignment(Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(buttons)
