"""What the machine is doing: processor, memory, and each GPU's memory and temperature, once a second."""

from __future__ import annotations

import re

import psutil
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from engine import units
from engine.capabilities import Facts
from gui import text, theme
from gui.models.run_model import RunModel
from gui.widgets.labels import label

BAR = (48, 6)
NEARLY_FULL = 0.9
GPU_NAME = re.compile(r"gpu(\d+)_memory_bytes")


class Gauge(QWidget):
    """A name, a bar and words; each part keeps its width."""

    def __init__(self, name: str, widest: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.caption, self.words, self.bar = label("muted"), label("small"), _Bar()
        self.words.setMinimumWidth(QFontMetrics(theme.font(11)).horizontalAdvance(widest))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        for widget in (self.caption, self.bar, self.words):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_share(self, caption: str, share: float | None, words: str, tip: str) -> None:
        """The bar for `share` of 0..1; None leaves the bar empty."""
        self.caption.setText(caption)
        self.words.setText(words)
        self.bar.share = share
        self.bar.update()
        self.setToolTip(tip)
        self.setAccessibleName(f"{caption} {words}")


class _Bar(QWidget):
    """A share as a bar; nearly full is told by its colour and by the words beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.share: float | None = None
        self.setFixedSize(*BAR)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Ground, then share."""
        colours, painter = theme.colours(), QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.button))
        painter.drawRoundedRect(self.rect(), 3, 3)
        if self.share:
            painter.setBrush(QColor(colours.caution if self.share > NEARLY_FULL else colours.accent))
            painter.drawRoundedRect(QRectF(0, 0, max(3.0, BAR[0] * min(1.0, self.share)), BAR[1]), 3, 3)


class DeviceStrip(QWidget):
    """Shows a `RunModel`'s latest readings; the facts name the devices."""

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("deviceStrip")
        self._model = model
        self._facts: Facts | None = None
        self._seen: dict[str, float] | None = None
        self._memory_bytes = psutil.virtual_memory().total
        self._checking = label("muted")
        self.cpu = Gauge("cpuGauge", "100 %")
        self.memory = Gauge("memoryGauge", "88.8 / 88.8 GiB")
        self.gpus: dict[int, Gauge] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(16)
        self._row.addStretch(1)
        for widget in (self._checking, self.memory, self.cpu):
            self._row.addWidget(widget)
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.update)
        self.retranslate()

    def set_facts(self, facts: Facts | None) -> None:
        """What the machine has, once it was checked."""
        self._facts = facts
        self.retranslate()

    def refresh(self) -> None:
        """Show new readings."""
        if self._model.readings is not self._seen:
            self.retranslate()

    def retranslate(self) -> None:
        """Say every word again."""
        self._seen = self._model.readings
        self.setAccessibleName(text.say("device.name"))
        self._checking.setText(text.say("device.checking"))
        self._checking.setVisible(self._facts is None and not self._seen)
        self._show_cpu()
        self._show_memory()
        for index in sorted(int(match[1]) for match in map(GPU_NAME.fullmatch, self._seen) if match):
            self._show_gpu(index)

    def _show_cpu(self) -> None:
        percent = self._seen.get("machine_cpu_percent") if self._seen else None
        self.cpu.setVisible(percent is not None)
        if percent is not None:
            name = self._facts.cpu_name if self._facts is not None else ""
            self.cpu.show_share(text.say("device.cpu"), percent / 100, text.say("device.percent", n=f"{percent:.0f}"), text.say("device.cpu.tip", name=name).strip())

    def _show_memory(self) -> None:
        used = self._seen.get("machine_memory_bytes") if self._seen else None
        self.memory.setVisible(used is not None)
        if used is not None:
            tip = text.say("device.memory.tip", used=units.format_bytes(used), total=units.format_bytes(self._memory_bytes))
            self.memory.show_share(text.say("device.memory"), used / self._memory_bytes, _of(used, self._memory_bytes), tip)

    def _show_gpu(self, index: int) -> None:
        assert self._seen is not None
        if index not in self.gpus:
            self.gpus[index] = Gauge(f"gpu{index}Gauge", "88.8 / 88.8 GiB 88 °C")
            self._row.insertWidget(1 + len(self.gpus), self.gpus[index])
        used, total = self._seen[f"gpu{index}_memory_bytes"], self._gpu_bytes(index)
        celsius = self._seen.get(f"gpu{index}_temperature_c")
        words = [_of(used, total) if total else units.format_bytes(used)]
        words += [text.say("device.temperature", n=f"{celsius:.0f}")] if celsius is not None else []
        tip = text.say("device.gpu.tip", name=self._gpu_name(index), used=units.format_bytes(used), total=units.format_bytes(total))
        self.gpus[index].show_share(f"cuda:{index}", used / total if total else None, "  ".join(words), tip)

    def _gpu_bytes(self, index: int) -> int | None:
        found = [gpu.memory_bytes for gpu in self._facts.gpus if gpu.index == index] if self._facts is not None else []
        return found[0] if found else None

    def _gpu_name(self, index: int) -> str:
        found = [gpu.name for gpu in self._facts.gpus if gpu.index == index] if self._facts is not None else []
        return found[0] if found else f"cuda:{index}"


def _of(used: float, total: float) -> str:
    unit, length = units.bytes_unit(total)
    return text.say("device.of", used=f"{used / length:.1f}", total=f"{total / length:.1f} {unit}")
