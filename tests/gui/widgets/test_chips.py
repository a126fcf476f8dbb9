"""Chips flow into lines and tell what the user chose."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt

from engine.capabilities import Choice
from gui.widgets.chips import ChipBox


@pytest.fixture
def box(qtbot):
    made = ChipBox("testBox", lambda choice: choice.value, lambda choice: choice.code)
    qtbot.addWidget(made)
    made.set_choices([Choice("fp32"), Choice("fp16"), Choice("bf16", False, "no-gpu")], ("fp32",))
    return made


def test_a_narrow_box_is_higher_and_covers_nothing(box):
    """Chips break into lines and never overlap."""
    layout = box.layout()
    assert layout.heightForWidth(80) > layout.heightForWidth(400)
    box.resize(80, layout.heightForWidth(80))
    layout.activate()
    places = [box.chip(value).geometry() for value in ("fp32", "fp16", "bf16")]
    assert not any(one.intersects(other) for one in places for other in places if one is not other)
    assert all(place.right() <= 80 for place in places)


def test_only_the_user_is_told_of(box, qtbot):
    """Showing the model's state is no choice; a click is, and a grey chip cannot be clicked."""
    told = []
    box.toggled.connect(lambda value, chosen: told.append((value, chosen)))
    box.set_choices([Choice("fp32"), Choice("fp16"), Choice("bf16", False, "no-gpu")], ("fp16",))
    for value in ("fp32", "bf16"):
        qtbot.mouseClick(box.chip(value), Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert told == [("fp32", True)]


def test_buttons_stay_while_the_values_stay(box):
    """A change of state keeps focus and animation; other values make other buttons."""
    before = box.chip("fp32")
    box.set_choices([Choice("fp32", False, "no-gpu"), Choice("fp16"), Choice("bf16")], ())
    assert box.chip("fp32") is before and not before.isEnabled() and before.toolTip() == "no-gpu"
    box.set_choices([Choice("eager")], ("eager",))
    assert box.layout().count() == 1 and box.chip("eager").isChecked()
