"""Chips for the rest before calls that are timed besides: off, or 100 ms."""

from __future__ import annotations

import msgspec
from PySide6.QtWidgets import QWidget

from engine.capabilities import Choice
from gui import text
from gui.models.setup_model import SetupModel
from gui.widgets.chips import ChipBox

GAPS: dict[str, float | None] = {"off": None, "on": 0.1}


class IdleGapBox(ChipBox):
    """One of the two is always down."""

    def __init__(self, setup: SetupModel, parent: QWidget | None = None) -> None:
        super().__init__("idleGapBox", lambda choice: text.say(f"chip.idle.{choice.value}"), lambda choice: text.say(f"chip.idle.{choice.value}.tip"), parent)
        self._setup = setup
        self.toggled.connect(self._choose)

    def show_model(self) -> None:
        """The gap as it stands."""
        chosen = "off" if self._setup.axes.idle_gap_s is None else "on"
        self.set_choices([Choice(name) for name in GAPS], (chosen,))

    def _choose(self, value: str) -> None:
        gap_s = GAPS[value]
        if gap_s == self._setup.axes.idle_gap_s:
            self.show_model()  # a click on the one that is down leaves it down
        else:
            self._setup.set_axes(msgspec.structs.replace(self._setup.axes, idle_gap_s=gap_s))
