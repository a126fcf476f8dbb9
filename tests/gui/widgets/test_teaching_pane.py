"""The Switches tab, and the chips and the button that lead there."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from engine.capabilities import Choice
from engine.result import Outputs
from engine.words import failure
from gui import text
from gui.models.model_list import ModelList
from gui.models.run_model import RunModel
from gui.models.setup_model import SetupModel
from gui.widgets.details_pane import DetailsPane
from gui.widgets.settings_chips import SettingsChips
from gui.widgets.teaching_pane import TeachingPane
from tests.gui.models.test_teaching import ROWS, outcome
from tests.support.fake_engine import FACTS, inspected
from tests.support.runs import make_outcome, make_run


@pytest.fixture
def chips(qtbot):
    models = ModelList()
    setup = SetupModel(models)
    setup.set_facts(FACTS)
    made = SettingsChips(setup, more_open=True)
    qtbot.addWidget(made)
    made.show()
    made.setup_model = setup
    return made


def press(qtbot, chips, name):
    (button,) = chips.findChildren(object, name)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_switches_are_chosen_as_other_axes_are(qtbot, chips):
    """Several values of each, the last one stays; the gap is one of two."""
    for name in ("memoryFormatBox.channels_last", "gradBox.backward", "gradBox.no_grad", "gradBox.inference", "modeBox.eval", "idleGapBox.on", "idleGapBox.on"):
        press(qtbot, chips, name)
    axes = chips.setup_model.axes
    assert (axes.memory_formats, axes.grads, axes.modes, axes.idle_gap_s) == (("contiguous", "channels_last"), ("no_grad", "backward"), ("eval",), 0.1)
    assert chips.idle_gap_box.chip("on").isChecked() and not chips.idle_gap_box.chip("off").isChecked()
    press(qtbot, chips, "idleGapBox.off")
    assert chips.setup_model.axes.idle_gap_s is None


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_chip_has_a_tooltip_of_two_lines(chips, language):
    text.set_language(language)
    for box in ("memoryFormatBox", "gradBox", "modeBox", "idleGapBox"):
        (found,) = chips.findChildren(object, box)
        for chip in found._chips.values():
            assert chip.toolTip().count("\n") == 1 and chip.toolTip() != chip.text(), chip.objectName()
    text.set_language("en")


def test_the_button_says_how_many_rows_and_asks_for_them(qtbot, chips):
    entry = chips.setup_model.models.add("/m.jit")
    chips.setup_model.models.apply(inspected("/m.jit"))
    chips.setup_model.models.set_input_text(0, "f32[B,3,8,8]") if entry.inputs else None
    assert f"{len(chips.setup_model.lessons())} rows, about" in chips.teach_button.toolTip()
    with qtbot.waitSignal(chips.teach_requested):
        press(qtbot, chips, "teachButton")


def test_the_tab_says_where_the_button_is_while_it_is_empty(show):
    pane = show(TeachingPane(RunModel()))
    assert pane.empty.isVisible() and not pane.table.isVisible() and "More" in pane.empty.text()


def test_a_sentence_takes_the_width_and_a_picked_row_is_selected(show, qtbot):
    failed = failure("forward-raised", "train-batch-one", {"layer": "norm (BatchNorm2d)"})
    run = RunModel.from_run(make_run((outcome(ROWS[0]), make_outcome(ROWS[2], status="failed", error=failed), outcome(ROWS[3], outputs=Outputs(max_abs_difference=1e-6)))))
    pane = show(TeachingPane(run))
    assert [pane.table.columnSpan(row, 1) for row in range(3)] == [1, 3, 1]
    assert pane.note.text().startswith("Against the first row, fp32 · b1.")
    qtbot.mouseClick(pane.table.viewport(), Qt.MouseButton.LeftButton, pos=pane.table.visualRect(pane.model.index(2, 0)).center())
    assert run.selected == 2


def test_a_kind_without_modes_greys_them_with_the_reason(chips):
    models = chips.setup_model.models
    models.add("/m.onnx")
    models.apply(inspected("/m.onnx", kind="onnx"))
    (box,) = chips.findChildren(object, "modeBox")
    assert box.chip("eval").isEnabled() and not box.chip("train").isEnabled()
    assert "ONNX Runtime has no modes" in box.chip("train").toolTip()
    assert isinstance(chips.setup_model.chips("modes")[1], Choice)


def test_the_details_say_what_became_of_the_outputs(show):
    """Where nothing but the host's time was measured too."""
    row = outcome(ROWS[2], outputs=Outputs(max_abs_difference=0.4, repeat_max_abs_difference=0.1, state_changed=True))
    pane = show(DetailsPane(RunModel.from_run(make_run((row,)))), 320, 760)
    assert pane.times.isVisible()
    said = [made.text() for made in pane.times.findChildren(QLabel) if made.isVisibleTo(pane.times)]
    assert any("differ from those in eval" in each for each in said) and any("rewrote the model's buffers" in each for each in said)
