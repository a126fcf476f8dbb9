"""The line at the bottom: progress, where the job stands, how long it still takes, and whether the worker answers."""

from __future__ import annotations

from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QWidget

from engine.capabilities import Facts
from engine.self_cost.result import SelfCost
from gui import text
from gui.models import own_cost
from gui.models.quantity import duration_text
from gui.models.row_words import state_word
from gui.models.run_model import RunModel
from gui.widgets.labels import label

HEIGHT = 24
WAITING_S = 2.0
"""From here on the silence of a worker is told."""
STEPS = 1000


class StatusStrip(QFrame):
    """Shows a `RunModel`'s progress."""

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("statusStrip")
        self.setFixedHeight(HEIGHT)
        self._model = model
        self._seen: tuple[object, ...] = ()
        self.progress = QProgressBar(objectName="progressBar")
        self.progress.setRange(0, STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(160)
        self.words, self.waiting = label("small", "statusWords"), label("caution", "waitingNotice")
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(12)
        for widget in (self.progress, self.words):
            row.addWidget(widget)
        row.addStretch(1)
        row.addWidget(self.waiting)
        self.own_cost = label("small", "ownCost")
        self._costs: tuple[SelfCost, ...] | None = None
        row.addWidget(self.own_cost)
        for signal in (model.state_changed, model.reset, text.current.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def set_facts(self, facts: Facts) -> None:
        """The machine is known: show what the program itself costs on it."""
        self._costs = own_cost.measured(facts)
        self._say_own_cost()

    def refresh(self) -> None:
        """Show newer progress."""
        if self._key() != self._seen:
            self.retranslate()

    def retranslate(self) -> None:
        """Say every word again."""
        self._seen = self._key()
        progress = self._model.progress
        busy = self._model.state in ("queued", "running")
        self.progress.setVisible(busy)
        self.progress.setValue(round(STEPS * progress.fraction) if progress is not None else 0)
        self.progress.setAccessibleName(text.say("status.progress"))
        self.words.setText(self._words())
        waits = progress is not None and progress.waiting_s >= WAITING_S
        self.waiting.setText(text.say("status.waiting", seconds=int(progress.waiting_s)) if progress is not None and waits else "")

        self._say_own_cost()

    def _say_own_cost(self) -> None:
        words = own_cost.words_of(self._costs) if self._costs is not None else None
        self.own_cost.setText(words.text if words else "")
        self.own_cost.setToolTip(words.tip if words else "")

    def _key(self) -> tuple[object, ...]:
        return (self._model.state, self._model.progress, len(self._model.rows))

    def _words(self) -> str:
        model, total = self._model, len(self._model.rows)
        if model.state == "running":
            return self._position()
        if model.state in ("done", "failed"):
            ok = sum(row.state == "done" for row in model.rows)
            return text.say("status.done", ok=ok, total=total) if ok else text.say("status.failed", total=total)
        return text.say({"empty": "status.none", "ready": "status.ready", "queued": "status.queued"}[model.state])

    def _phase(self, name: str, index: int | None) -> str:
        """Its word; while the largest batch is sought, which one is tried."""
        if name == "finding" and index is not None and index < len(self._model.rows):
            return state_word(self._model.rows[index])
        return _phase(name)

    def _position(self) -> str:
        progress, rows = self._model.progress, self._model.rows
        if progress is None:
            return text.say("state.starting")
        number = (progress.index if progress.index is not None else sum(row.is_ended for row in rows) - 1) + 1
        position = text.say("status.position", done=max(1, number), total=len(rows), phase=self._phase(progress.phase, progress.index))
        if progress.seconds_left is None:
            return position
        return text.say("status.left", position=position, time=duration_text(max(0.0, progress.seconds_left)))


def _phase(name: str) -> str:
    return text.say(f"state.{name}") if f"state.{name}" in text.TABLE else name
