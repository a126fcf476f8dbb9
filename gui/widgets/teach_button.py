"""The button that shows what each switch does."""

from __future__ import annotations

from PySide6.QtWidgets import QPushButton, QWidget

from engine.job import PLANS
from engine.time_left import estimate_job_s
from gui import text
from gui.models.quantity import duration_text
from gui.models.setup_model import SetupModel


class TeachButton(QPushButton):
    """Its tooltip says how many rows there would be, and for how long."""

    def __init__(self, setup: SetupModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("teachButton")
        self._setup = setup

    def show_model(self) -> None:
        """The words, for what is set up now."""
        count = len(self._setup.lessons())
        time = duration_text(estimate_job_s(PLANS[self._setup.plan], count))
        self.setText(text.say("teach.button"))
        self.setToolTip(text.say("teach.button.tip", count=count, time=time) if count else text.say("teach.button.tip-none"))
