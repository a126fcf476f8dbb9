"""What latency and memory plots share: header, axes, one time axis, crosshair, the user's zoom, and drawing only what is new."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from gui import text, theme
from gui.models.run_model import RunModel
from gui.widgets.axes import TimeView, UnitAxis
from gui.widgets.canvas import Canvas, paint_bands
from gui.widgets.crosshair import Crosshair, paint_line
from gui.widgets.labels import label, set_role

Span = tuple[float, float]
PREFERRED_HEIGHTS = {"latencyPlot": 160, "memoryPlot": 110}


class TimePlot(QFrame):
    """A plot over the run's time. Subclasses say what is drawn; `refresh` draws when something is new."""

    zoom_changed = Signal()

    def __init__(self, model: RunModel, name: str, has_time_axis: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("role", "plot")
        self.model = model
        self.view = TimeView()
        self.value_axis, self.time_axis = UnitAxis("left"), UnitAxis("bottom")
        self._leader: TimePlot = self
        self.is_auto_time = self.is_auto_values = True
        self._seen: tuple[object, ...] = ()
        self.crosshair = Crosshair(self)
        self.widget = self._make_widget(has_time_axis)
        self.canvas = Canvas(self.view, self._paint)
        self.title, self.readout, self.zoom_note = label("strong"), label("small"), label("muted")
        self.empty_note = label("muted", parent=self.widget)
        self.empty_note.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.empty_note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.header = QHBoxLayout()
        self._lay_out()
        self._connect()
        self.restyle()

    @property
    def is_zoomed(self) -> bool:
        """Whether the user chose the range."""
        return not (self._leader.is_auto_time and self.is_auto_values)

    def sizeHint(self) -> QSize:
        """Low enough that the results below have room."""
        return QSize(640, PREFERRED_HEIGHTS[self.objectName()])

    def link_time_axis(self, leader: TimePlot) -> None:
        """Share the time axis and the crosshair of another plot."""
        self._leader = leader
        self.view.setXLink(leader.view)
        self.crosshair.moved.disconnect(self._show_crosshair)
        self.crosshair = leader.crosshair
        self.crosshair.moved.connect(self._show_crosshair)
        leader.zoom_changed.connect(self._show_zoom)
        self.zoom_changed.connect(leader._show_zoom)

    def reset_zoom(self) -> None:
        """Show everything, and go on doing so."""
        for plot in {self, self._leader}:
            plot.is_auto_time = plot.is_auto_values = True
            plot.forget()
        self.zoom_changed.emit()
        self._show_zoom()
        self.refresh()

    @property
    def cursor_s(self) -> float | None:
        """Where the crosshair is."""
        return self.crosshair.t_s

    def _show_crosshair(self) -> None:
        self._show_readout()
        self.canvas.update()

    def refresh(self) -> None:
        """Draw, if anything is new since the last time."""
        now = self._state()
        if now == self._seen or not self.isVisible():
            return
        self._fit_time()
        self._fit_values()
        self._seen = self._state()
        self.update_words()
        self._show_readout()
        self.canvas.update()

    def forget(self) -> None:
        """Draw anew next time, whatever is new."""
        self._seen = ()

    def retranslate(self) -> None:
        """Say every word again."""
        self.forget()
        self.setAccessibleName(text.say(f"plot.{self._what()}.name"))
        self.widget.setToolTip(text.say("plot.tip"))
        self._show_zoom()
        self.update_words()

    def restyle(self) -> None:
        """Take the colours of the theme."""
        self._seen = ()
        self.widget.setBackground(theme.colours().surface)
        for axis in (self.value_axis, self.time_axis):
            axis.restyle()
        for made, bold in ((self.title, True), (self.readout, False), (self.zoom_note, False), (self.empty_note, False)):
            made.setFont(theme.font(11))
            set_role(made, "section" if bold else "muted" if made is not self.readout else "small")
        self.canvas.update()

    # What a subclass says.

    def data_end_s(self) -> float:
        """The time of the last thing drawn."""
        raise NotImplementedError

    def value_range(self, span: Span) -> Span | None:
        """What values to show for a span of time; None leaves the range alone."""
        raise NotImplementedError

    def unit_length(self, top: float) -> float:
        """How much of the data's unit one unit of the axis is, when `top` is the largest value shown."""
        raise NotImplementedError

    def readout_text(self, t_s: float) -> str:
        """What to say about a time."""
        raise NotImplementedError

    def update_words(self) -> None:
        """Title, labels and the sentence of an empty plot."""
        raise NotImplementedError

    def paint_data(self, painter: QPainter) -> None:
        """Draw bands, points, lines and their labels."""
        raise NotImplementedError

    def paint_marks(self, painter: QPainter, t_s: float) -> None:
        """Mark the values that are read out at a time."""
        raise NotImplementedError

    def show_empty_note(self, words: str) -> None:
        """The sentence of an empty plot, whose axis then has no numbers; no words take both back."""
        if self.empty_note.text() != words or self.empty_note.isHidden() != (not words):
            self.empty_note.setText(words)
            self.empty_note.setVisible(bool(words))
            self.value_axis.setStyle(showValues=not words)

    # Places.

    def x_pixel(self, t_s: float) -> float:
        """Where a time is drawn."""
        left, right = self.view.viewRange()[0]
        return (t_s - left) / (right - left) * self.view.width()

    def y_pixel(self, value: float) -> float:
        """Where a value is drawn."""
        bottom, top = self.view.viewRange()[1]
        return (top - value) / (top - bottom) * self.view.height()

    def paint_visits(self, painter: QPainter, visits: list[Span], colour: str, strength: float) -> None:
        """The stretches in which a row was measured."""
        bands = [(self.x_pixel(start), self.x_pixel(end)) for start, end in visits]
        paint_bands(painter, bands, self.view.width(), self.view.height(), colour, strength)

    def _show_readout(self) -> None:
        nothing = not self.empty_note.isHidden()
        self.readout.setText("" if nothing or self.cursor_s is None else self.readout_text(self.cursor_s))

    def _what(self) -> str:
        return self.objectName().removesuffix("Plot")

    def _state(self) -> tuple[object, ...]:
        ranges = self.view.viewRange()
        return (self.model.revision, self.model.selected, tuple(ranges[0]), tuple(ranges[1]), self.view.width(), self.view.height())

    def _fit_time(self) -> None:
        if self._leader is not self or not self.is_auto_time:
            return
        end, right = self.time_end_s(), self.view.viewRange()[0][1]
        is_live = self.model.state == "running"
        if not is_live:
            wanted = end * 1.01
        elif end > right or right > 2.5 * end:
            wanted = 1.25 * end + 0.5  # in steps: a range that grows with every frame is restless
        else:
            return
        if wanted > 0 and wanted != right:
            self.view.setXRange(0.0, wanted, padding=0)

    def time_end_s(self) -> float:
        """The end of everything on the shared axis."""
        return self.data_end_s()

    def _fit_values(self) -> None:
        if self.is_auto_values:
            left, right = self.view.viewRange()[0]
            wanted = self.value_range((left, right))
            shown: Span = tuple(self.view.viewRange()[1])
            if wanted is not None and not _fits(wanted, shown):
                self.view.setYRange(*wanted, padding=0)
        self.value_axis.set_unit_length(self.unit_length(0.7 * self.view.viewRange()[1][1]))

    def _paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        self.paint_data(painter)
        if self.cursor_s is not None and self.empty_note.isHidden():
            paint_line(painter, self.x_pixel(self.cursor_s), self.view.height())
            self.paint_marks(painter, self.cursor_s)

    def _make_widget(self, has_time_axis: bool) -> pg.PlotWidget:
        widget = pg.PlotWidget(viewBox=self.view, axisItems={"left": self.value_axis, "bottom": self.time_axis})
        widget.setFrameShape(QFrame.Shape.NoFrame)
        widget.hideButtons()
        widget.setMinimumHeight(60)
        widget.plotItem.layout.setContentsMargins(0, 4, 12, 0)
        widget.setMouseTracking(True)
        widget.installEventFilter(self)
        widget.scene().sigMouseMoved.connect(self._on_pointer)
        if not has_time_axis:
            self.time_axis.setStyle(showValues=False)
            self.time_axis.setHeight(1)
        return widget

    def _lay_out(self) -> None:
        self.header.setContentsMargins(12, 4, 12, 0)
        self.header.setSpacing(12)
        self.header.addWidget(self.title)
        self.header.addStretch(1)
        self.header.addWidget(self.zoom_note)
        self.header.addWidget(self.readout)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(self.header)
        column.addWidget(self.widget, 1)

    def add_to_header(self, made: QLabel) -> None:
        """Put a label behind the title."""
        self.header.insertWidget(self.header.count() - 3, made)

    def _connect(self) -> None:
        self.crosshair.moved.connect(self._show_crosshair)
        self.view.moved_by_user.connect(self._on_moved)
        self.view.values_zoomed.connect(self._on_values_zoomed)
        self.view.reset_requested.connect(self.reset_zoom)
        self.view.sigRangeChanged.connect(lambda *_: self.canvas.update())
        self.model.reset.connect(self.reset_zoom)
        self.model.followed_changed.connect(lambda following: self.reset_zoom() if following else None)
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.restyle)

    def _on_moved(self) -> None:
        self._leader.is_auto_time = False
        self.zoom_changed.emit()
        self._show_zoom()
        self.refresh()

    def _on_values_zoomed(self) -> None:
        self.is_auto_values = False
        self.view.setMouseEnabled(x=True, y=True)
        self._on_moved()

    def _show_zoom(self) -> None:
        self.view.setMouseEnabled(x=True, y=not self.is_auto_values)
        self.zoom_note.setText(text.say("plot.zoomed") if self.is_zoomed and self._leader is self else "")

    def _on_pointer(self, position: QPointF) -> None:
        inside = self.view.sceneBoundingRect().contains(position)
        self.crosshair.point(self.view.mapSceneToView(position).x() if inside else None)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The crosshair leaves with the pointer; the sentence of an empty plot stays in the middle."""
        if event.type() == QEvent.Type.Leave:
            self.crosshair.point(None)
        elif event.type() == QEvent.Type.Resize:
            self.empty_note.setGeometry(self.widget.rect())
        return super().eventFilter(watched, event)


def _fits(wanted: Span, shown: Span) -> bool:
    """Whether the shown range holds the wanted one without wasting half of itself."""
    height = shown[1] - shown[0]
    slack = 0.02 * height
    return shown[0] <= wanted[0] + slack and shown[1] >= wanted[1] - slack and (wanted[1] - wanted[0]) > 0.6 * height
