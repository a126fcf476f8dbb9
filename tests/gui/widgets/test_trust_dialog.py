"""The question before code runs: what it shows, what can be answered, and no as the default."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel

from engine.capabilities import Gpu
from engine.confinement import PROTECTIONS
from engine.result import Reason
from gui import text, theme
from gui.models.consent import ask_for_classes, ask_for_file
from gui.widgets.marked_lines import MARK_ROLE
from gui.widgets.trust_dialog import TrustDialog
from tests.support.fake_engine import FACTS, inspected

GRADES = {"__main__.Net": "unknown", "torch.nn.modules.conv.Conv2d": "harmless"}
COMMAND = "/venv/bin/python /opt/dyno/main.py profile '/models/m\u202f1.pth' --arch '/my nets/net.py:Net(width=3)' --trust --trust-dangerous 'm\u202f1.pth'"
CONFINED = msgspec.structs.replace(FACTS, confinement=PROTECTIONS)


@pytest.fixture
def ask(qtbot):
    def asked(request):
        dialog = TrustDialog(request)
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    return asked


def a_file(facts=CONFINED, path="/models/m 1.pth", **changes):
    grades = changes.pop("grades", GRADES)
    return ask_for_file(inspected(path, kind="module", requires_trust=True, grades=grades, unsafe_globals=tuple(grades), **changes), facts, COMMAND)


def dangerous(**changes):
    return a_file(grades={"posix.system": "dangerous"} | GRADES, danger="dangerous", **changes)


def words(dialog):
    return "\n".join(each.text() for each in dialog.findChildren(QLabel) if each.isVisible() and each.text())


def test_enter_and_escape_load_nothing(ask, qtbot):
    """No is the default, has the focus and is what closing the dialog means."""
    for key in (Qt.Key.Key_Return, Qt.Key.Key_Escape):
        dialog = ask(a_file())
        assert dialog.reject_button.isDefault() and dialog.focusWidget() is dialog.reject_button
        qtbot.keyClick(dialog, key)
        assert dialog.decision == "no" and not dialog.isVisible()


@pytest.mark.parametrize(("name", "decision"), [("trustOnceButton", "once"), ("trustAlwaysButton", "always"), ("rejectButton", "no")])
def test_each_button_is_an_answer(ask, name, decision):
    """The three buttons, by their names."""
    dialog = ask(a_file())
    dialog.findChild(object, name).click()
    assert dialog.decision == decision and not dialog.isVisible()


def test_each_call_has_a_word_a_shape_and_a_colour(ask):
    """Of the three grades no two share any of them."""
    dialog = ask(a_file(grades={"posix.system": "dangerous"} | GRADES))
    items = [dialog.list.item(row) for row in range(3)]
    assert ["dangerous" in items[0].text(), "unknown" in items[1].text(), "harmless" in items[2].text()] == [True, True, True]
    icons, colours = zip(*(item.data(MARK_ROLE) for item in items), strict=True)
    assert len(set(icons)) == len(set(colours)) == 3
    assert "starts programs" in items[0].text()
    assert "\n" not in items[0].data(Qt.ItemDataRole.AccessibleTextRole)


def test_the_mark_is_painted_in_its_colour(ask):
    """Not only said to be: pixels of it are on the screen."""
    dialog = ask(dangerous())
    image = dialog.list.viewport().grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(8, 24) for y in range(4, 30)}
    assert theme.colours().bad in seen


def test_a_long_list_scrolls(ask):
    """The dialog stays on the screen."""
    dialog = ask(a_file(grades={f"nets.Layer{number}": "unknown" for number in range(300)}))
    assert dialog.list.verticalScrollBar().maximum() > 0 and dialog.height() < 620


def test_dangerous_files_get_no_yes_but_the_command(ask):
    """It names the calls, and can be copied as it is, narrow spaces included."""
    dialog = ask(dangerous(notes=(Reason("note-picklescan", {"names": "posix.system"}),)))
    assert not dialog.once_button.isVisible() and not dialog.always_button.isVisible()
    said = words(dialog)
    assert "posix.system" in said and "picklescan" in said
    dialog.findChild(object, "trustCommandCopy").click()
    assert QGuiApplication.clipboard().text() == COMMAND
    assert dialog.findChild(object, "trustCommandCopy").text() == text.say("code.copied")


def test_what_holds_here_is_listed_and_what_does_not(ask):
    """Each protection once; nothing at all, and not yet known, are said as such."""
    some = msgspec.structs.replace(FACTS, confinement=("network",), confinement_gpu=("network",), gpus=(Gpu(0, "RTX", 1 << 30, (8, 0)),))
    everything, part, nothing, unknown = (ask(a_file(facts)).findChild(object, "trustProtections") for facts in (CONFINED, some, FACTS, None))
    assert len(words(everything).split("\n")) == len(PROTECTIONS)
    assert len(words(part).split("\n")) == len(PROTECTIONS) + 1 and text.say("trust.cuda") in words(part)
    assert words(nothing) == text.say("trust.holds-nothing") and words(unknown) == text.say("trust.holds-unknown")


def test_what_a_gpu_takes_away_is_said(ask):
    """Where the driver does not work in full confinement."""
    facts = msgspec.structs.replace(CONFINED, confinement_gpu=("network", "environment"), gpus=(Gpu(0, "RTX", 1 << 30, (8, 0)),))
    said = words(ask(a_file(facts)).findChild(object, "trustProtections")).split("\n")
    assert len(said) == len(PROTECTIONS) + 2
    assert text.say_reason("unconfined-write", {}) in said[-1] and text.say_reason("unconfined-memory", {}) not in said[-1]


def test_always_names_the_bytes(ask):
    """The hash's beginning is shown, all of it in the tooltip."""
    request = a_file()
    shown = [each for each in ask(request).findChildren(QLabel) if request.sha256[0][:12] in each.text()]
    assert len(shown) == 1 and shown[0].toolTip() == request.sha256[0]


def test_class_files_are_asked_about_by_number_and_name(ask, tmp_path):
    """One or several; each with where it lies."""
    paths = []
    for number in range(3):
        path = tmp_path / f"net{number}.py"
        path.write_text("x = 1")
        paths.append(str(path))
    several, one = ask(ask_for_classes(tuple(paths), CONFINED)), ask(ask_for_classes(tuple(paths[:1]), CONFINED))
    assert "3 Python files" in words(several) and several.list.count() == 3
    assert "this Python file" in words(one) and str(tmp_path) in one.list.item(0).text()
    assert several.always_button.isVisible() and several.reject_button.isDefault()


def test_a_file_that_is_gone_is_not_for_always(ask, tmp_path):
    """It has no bytes to be remembered by."""
    assert not ask(ask_for_classes((str(tmp_path / "gone.py"),), CONFINED)).always_button.isVisible()


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("appearance", ["light", "dark"])
def test_nothing_is_cut_off(ask, qapp, language, appearance):
    """Every line has the room that its words need, in both languages and appearances."""
    theme.apply_theme(qapp, appearance)
    text.set_language(language)
    for request in (a_file(), dangerous(), a_file(FACTS), a_file(None, grades={})):
        dialog = ask(request)
        for line in dialog.findChildren(QLabel):
            if line.isVisible() and line.text():
                assert line.height() >= line.heightForWidth(line.width()), line.text()
                assert line.height() <= line.heightForWidth(line.width()) + 8, line.text()
