"""The whole window against a fake engine: every state of every pane, and everything that can be pressed."""

from __future__ import annotations

import sys

import msgspec
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QFileDialog, QLabel, QLineEdit, QListWidget, QTableView, QWidget

from engine import events
from engine.history import Entry, Summary
from engine.inputs import format_input
from engine.job import InputSpec
from gui import text, theme
from gui.main_window import MainWindow
from gui.models.input_cells import RANGE, SHAPE, TYPE
from gui.models.preferences import Preferences
from gui.models.session import Session
from gui.settings import SettingsFile, with_python
from gui.widgets.class_picker import ClassPicker
from gui.widgets.close_dialog import CloseDialog
from gui.widgets.trust_dialog import TrustDialog
from tests.support.fake_engine import FACTS, FakeEngine, answer_examination, examined, inspected, replay
from tests.support.runs import make_run

NAMES_BEFORE_A_RUN = """mainWindow dropZone openButton recentList modelCard deviceBox precisionBox quantizationBox backendBox batchField threadsField planBox inputsTable
 runButton cancelButton stopNowButton progressBar problemBar historyList modelList deviceStrip sidePane statusStrip demoButton moreSettings pythonBox languageBox""".split()
NAMES_WITH_A_RUN = """latencyPlot memoryPlot resultsTable saveReportButton figuresBar detailsPane lowerTabs keepMeasuringButton followLiveButton codeButton compareButton""".split()


class Bench:
    """A window, its session and its engine."""

    def __init__(self, qtbot, folder, ready=True):
        self.qtbot = qtbot
        self.preferences = Preferences(SettingsFile(folder / "settings.json"))
        self.session = Session(self.preferences)
        self.engine = FakeEngine(ready)
        self.window = MainWindow(self.session, native_dialogs=False)
        self.window.resize(1280, 800)
        self.engine.told.connect(self.session.apply)
        self.engine.start_engine()
        self.session.set_engine(self.engine)

    def show(self):
        with self.qtbot.waitExposed(self.window):
            self.window.show()
        return self

    def find(self, name, kind=QWidget):
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def click(self, name):
        self.qtbot.mouseClick(self.find(name, QAbstractButton), Qt.MouseButton.LeftButton)

    def load(self, path="/models/a.jit", **changes):
        self.engine.files[path] = inspected(path, **changes)
        self.session.opening.open([path])

    def run(self):
        self.load()
        self.click("runButton")
        return self.engine.calls[-1][1:]

    def drawn(self):
        self.qtbot.waitUntil(lambda: not self.window.frames.timer.isActive())


@pytest.fixture
def bench(qtbot, tmp_path, qapp):
    theme.apply_theme(qapp, "light")
    made = Bench(qtbot, tmp_path).show()
    yield made
    text.set_language("en")
    made.session.run.abort()
    made.window.close()
    made.window.deleteLater()


def test_every_name_of_the_contract_is_there(bench):
    """Tests and screen readers find widgets by these names, each once."""
    for name in NAMES_BEFORE_A_RUN:
        assert bench.window.objectName() == name or len(bench.window.findChildren(object, name)) == 1, name
    bench.run()
    for name in NAMES_WITH_A_RUN:
        assert len(bench.window.findChildren(object, name)) == 1, name


def test_widgets_of_later_features_are_absent(bench):
    """Absent, not disabled."""
    bench.run()
    for name in ("matrixGrid",):
        assert bench.window.findChild(object, name) is None


def test_everything_that_can_be_used_has_a_name_for_a_screen_reader(bench):
    """Buttons by their text or name; fields, boxes and lists by their name."""
    job, info = bench.run()
    for event in replay(job, info):
        bench.engine.emit(event)
    for kind in (QAbstractButton, QComboBox, QLineEdit, QListWidget, QTableView):
        for widget in bench.window.findChildren(kind):
            inside = widget.objectName().startswith("qt_") or isinstance(widget.parent(), QComboBox | QTableView | QLineEdit)
            described = widget.accessibleName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
            assert inside or described or widget.visibleRegion().isEmpty(), (kind.__name__, widget.objectName(), widget.parent())


def test_empty_ready_running_done(bench):
    """The centre and the details follow the state."""
    window = bench.window
    assert window.centre.currentWidget() is window.empty_state and not window.details_holder.isVisible()
    assert not bench.find("runButton").isEnabled() and not bench.find("cancelButton").isVisible()
    job, info = bench.run()
    assert window.centre.currentWidget() is window.bench and window.details_holder.isVisible()
    assert bench.find("cancelButton").isVisible() and not bench.find("saveReportButton").isEnabled()
    for event in replay(job, info):
        bench.engine.emit(event)
    bench.drawn()
    assert bench.find("saveReportButton").isEnabled() and bench.find("runButton").isEnabled()
    assert not bench.find("cancelButton").isVisible()


def test_a_loaded_model_is_not_asked_for_again(bench):
    """Before the first run the centre says what is missing."""
    bench.load("/w.pth", kind="state-dict")
    assert bench.window.centre.currentWidget() is bench.window.ready_state
    bench.click("readyClassButton")
    assert bench.window.findChild(ClassPicker) is not None
    bench.window.findChild(ClassPicker).reject()


def test_the_run_button_says_what_will_happen(bench):
    """Number of configurations and time; several values of an axis multiply."""
    bench.load("/w.jit", kind="torchscript")
    button = bench.find("runButton")
    assert button.text().startswith("Run 1 configuration, about")
    bench.qtbot.mouseClick(bench.find("precisionBox.bf16", QAbstractButton), Qt.MouseButton.LeftButton)
    field = bench.find("batchField", QLineEdit)
    field.selectAll()
    bench.qtbot.keyClicks(field, "1,8")
    assert button.text().startswith("Run 4 configurations, about")
    bench.qtbot.keyClicks(field, ",x")
    assert not button.isEnabled() and "x" in bench.find("settingsError").text()


def test_the_batch_that_a_model_was_seen_to_take_is_the_default(bench):
    """Shown with the reason, in both languages; what the user types is his, and an empty field goes back."""
    bench.engine.examined["/w.jit"] = msgspec.structs.replace(examined("/w.jit", "f32[B,3]"), least_batch=4)
    field, note = bench.find("batchField", QLineEdit), bench.find("batchNote", QLabel)
    assert field.text() == "1" and not note.isVisible()
    bench.load("/w.jit", kind="torchscript")
    assert field.text() == "4" and note.isVisible() and note.text().strip("\u200b") == "Batch 4: the model refused one row."
    assert [each.batch_size for each in bench.session.setup.job().configurations] == [4]
    field.selectAll()
    bench.qtbot.keyClicks(field, "1")
    assert [each.batch_size for each in bench.session.setup.job().configurations] == [1] and not note.isVisible()
    field.selectAll()
    bench.qtbot.keyClick(field, Qt.Key.Key_Backspace)
    assert [each.batch_size for each in bench.session.setup.job().configurations] == [4] and not bench.find("settingsError").isVisible()
    bench.qtbot.keyClick(field, Qt.Key.Key_Return)
    text.set_language("zh")
    assert note.text() == "批大小 4:模型不接受单行输入。"


def test_a_batch_that_the_file_fixes_cannot_be_typed(bench):
    """The field is closed and says why; a list that cannot be read, typed for another model, blocks nothing."""
    field, note = bench.find("batchField", QLineEdit), bench.find("batchNote", QLabel)
    bench.load("/a.jit", kind="torchscript")
    bench.qtbot.keyClicks(field, "x")
    assert bench.find("settingsError").isVisible()
    declared = InputSpec(name="x", shape=(2, 3, 8, 8), source="declared")
    bench.load("/b.pt2", kind="exported-program", inputs=(declared,))
    assert (field.text(), field.isEnabled()) == ("2", False) and "The batch is 2" in note.text() and "f32[2,3,8,8]" in field.toolTip()
    assert bench.find("runButton").isEnabled() and [each.batch_size for each in bench.session.setup.job().configurations] == [2]
    bench.session.models.select(0)
    assert field.isEnabled() and field.text() == "1" and not note.isVisible()


def test_what_cannot_exist_here_is_grey_with_its_reason(bench):
    """The reason stands in the tooltip, in the language of the moment."""
    chip = bench.find("deviceBox.cuda:0", QAbstractButton)
    assert not chip.isEnabled() and "GPU" in chip.toolTip()
    text.set_language("zh")
    assert "未找到" in chip.toolTip()


def test_cancel_then_stop_now(bench):
    """Stop now stands beside it once pressed; both go back afterwards."""
    job, info = bench.run()
    bench.engine.emit(events.JobStarted(job, info, 0, None))
    assert not bench.find("stopNowButton").isVisible()
    bench.click("cancelButton")
    assert bench.engine.names()[-1] == "cancel" and bench.find("stopNowButton").isVisible() and not bench.find("cancelButton").isEnabled()
    bench.click("stopNowButton")
    assert bench.engine.names()[-1] == "stop_now"
    for event in replay(job, info)[1:]:
        bench.engine.emit(event)
    assert not bench.find("stopNowButton").isVisible()


def test_keys_do_what_the_buttons_do(bench):
    """Ctrl+R runs, Esc stops after this one, Shift+Esc stops now."""
    bench.load()
    bench.window.activateWindow()
    bench.qtbot.waitUntil(bench.window.isActiveWindow)
    bench.qtbot.keyClick(bench.window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    assert bench.engine.names()[-1] == "run_job"
    bench.qtbot.keyClick(bench.window, Qt.Key.Key_Escape)
    bench.qtbot.keyClick(bench.window, Qt.Key.Key_Escape, Qt.KeyboardModifier.ShiftModifier)
    assert bench.engine.names()[-2:] == ["cancel", "stop_now"]


def test_trust_is_asked_and_not_loading_is_the_default(bench):
    """Enter on the dialog loads nothing."""
    bench.load("/m.pth", kind="module", requires_trust=True, unsafe_globals=("nets.Net",))
    bench.click("runButton")
    dialog = bench.window.findChild(TrustDialog)
    assert dialog.request.grades == (("nets.Net", "unknown"),)
    assert dialog.reject_button.isDefault()
    bench.qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert "run_job" not in bench.engine.names() and bench.window.problem_bar.isVisible()


@pytest.mark.parametrize(("button", "always"), [("trustOnceButton", False), ("trustAlwaysButton", True)])
def test_trust_once_and_always(bench, button, always):
    """Both run; only one is remembered."""
    bench.load("/m.pth", kind="module", requires_trust=True)
    bench.click("runButton")
    bench.click(button)
    answer_examination(bench.engine)
    assert bench.engine.names()[-1] == "run_job" and bench.engine.calls[-1][1].model.trusted
    assert bool(bench.preferences.value.trusted_sha256) is always


def test_what_attacks_use_is_not_loaded_in_the_window(bench):
    """There is no yes to press, only the command for a terminal."""
    bench.load("/m.pth", kind="module", requires_trust=True, danger="dangerous", unsafe_globals=("posix.system",), grades={"posix.system": "dangerous"})
    bench.click("runButton")
    dialog = bench.window.findChild(TrustDialog)
    assert not dialog.once_button.isVisible() and not dialog.always_button.isVisible() and dialog.reject_button.isDefault()
    assert "--trust-dangerous m.pth" in bench.find("trustCommand").toPlainText()
    bench.qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert "run_job" not in bench.engine.names()


def test_a_class_is_chosen_from_a_dropped_python_file(bench, tmp_path):
    """The file is read, its network class stands first, and the job names it."""
    nets = tmp_path / "nets.py"
    nets.write_text("import torch\nclass Options: ...\nclass Net(torch.nn.Module):\n    def __init__(self, width=3): ...\n")
    bench.load("/w.pth", kind="state-dict")
    drop(bench.window, nets)
    picker = bench.window.findChild(ClassPicker)
    assert picker.list.count() == 2
    bench.qtbot.keyClicks(picker.arguments_field, "width=oops")
    bench.click("useClassButton")
    assert picker.isVisible() and bench.find("classProblem").text()
    picker.arguments_field.clear()
    bench.qtbot.keyClicks(picker.arguments_field, "width=5")
    bench.click("useClassButton")
    assert bench.session.setup.job().model.architecture == f"{nets}:Net(width=5)"


def test_a_file_that_is_no_python_says_so_in_the_picker(bench, tmp_path):
    """The picker stays open for another file."""
    (tmp_path / "x.py").write_text("class (")
    bench.load("/w.pth", kind="state-dict")
    drop(bench.window, tmp_path / "x.py")
    assert "x.py" in bench.find("classProblem").text() and not bench.find("useClassButton").isEnabled()
    bench.window.findChild(ClassPicker).reject()


def drop(window, *paths, at=QPoint(400, 300)):
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    enter = QDragEnterEvent(at, Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QGuiApplication.sendEvent(window, enter)
    assert enter.isAccepted() and window.overlay.isVisible()
    event = QDropEvent(QPointF(at), Qt.DropAction.CopyAction, mime, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QGuiApplication.sendEvent(window, event)
    assert not window.overlay.isVisible()


def test_several_files_go_to_the_list(bench, tmp_path):
    """The first one that is known to run is current; each is looked at."""
    bench.engine.files["/模型 one.pth"] = inspected("/模型 one.pth", kind="state-dict")
    bench.engine.files["/a\nb.jit"] = inspected("/a\nb.jit")
    drop(bench.window, "/模型 one.pth", "/a\nb.jit")
    box = bench.find("modelList", QComboBox)
    assert [box.itemData(index, Qt.ItemDataRole.ToolTipRole) for index in range(box.count())] == ["/模型 one.pth", "/a\nb.jit"]
    assert bench.engine.names().count("inspect") == 2
    assert bench.session.models.current.path == "/a\nb.jit" and bench.window.windowTitle().startswith("Model Dyno")


def test_the_whole_window_is_the_drop_target(bench):
    """No field, list or plot takes a file for itself."""
    bench.run()
    assert [widget for widget in bench.window.findChildren(QWidget) if widget.acceptDrops()] == []
    assert bench.window.acceptDrops()


def test_what_a_file_is_called_is_never_markup(bench):
    """A hostile name is shown as it is."""
    name = "</script><img src=x onerror=alert(1)>.pth"
    bench.load(f"/m/{name}")
    assert bench.find("modelList", QComboBox).currentText().endswith(".pth")
    for label in bench.find("modelCard").findChildren(QWidget):
        assert not hasattr(label, "textFormat") or label.textFormat() == Qt.TextFormat.PlainText


def test_an_input_that_cannot_be_read_stays_with_its_reason(bench):
    """Run waits until it is corrected."""
    bench.load("/a.jit", inputs=(InputSpec(name="x", shape=("B", 512), source="declared"),))
    inputs = bench.window.setup_pane.inputs
    inputs.model.setData(inputs.model.index(0, SHAPE), "f99[B]")
    assert not bench.find("runButton").isEnabled()
    assert "f99" in inputs.model.line_of(0) and inputs.model.index(0, SHAPE).data() == "f99[B]"
    inputs.model.setData(inputs.model.index(0, SHAPE), "B,256")
    assert bench.find("runButton").isEnabled()
    assert [spec.shape for spec in bench.session.setup.job().inputs] == [("B", 256)]


def test_an_input_is_edited_with_the_keyboard_alone(bench):
    """F2 opens a cell, Return takes it, Delete takes the row away."""
    bench.load("/a.jit", inputs=(InputSpec(name="x", shape=("B", 512), source="declared"),))
    table = bench.window.setup_pane.inputs.table
    table.setFocus()
    table.setCurrentIndex(table.model().index(0, SHAPE))
    bench.qtbot.keyClick(table, Qt.Key.Key_F2)
    field = table.findChild(QLineEdit, "inputField")
    field.selectAll()
    bench.qtbot.keyClicks(field, "B,64")
    bench.qtbot.keyClick(field, Qt.Key.Key_Return)
    bench.qtbot.waitUntil(lambda: bench.session.models.current.inputs[0].shape == ("B", 64))
    assert bench.session.models.current.inputs[0].source == "given"
    table.setCurrentIndex(table.model().index(0, SHAPE))
    bench.qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert bench.session.models.current.inputs == ()
    bench.click("addInputButton")
    field = table.findChildren(QLineEdit, "inputField")[-1]
    bench.qtbot.keyClicks(field, "(f32[B,3], 2)")
    bench.qtbot.keyClick(field, Qt.Key.Key_Return)
    bench.qtbot.waitUntil(lambda: [format_input(spec) for spec in bench.session.models.current.inputs] == ["(f32[B,3], 2)"])


def test_a_no_that_a_yes_followed_is_gone(bench):
    """The bar is empty again; another problem stays."""
    bench.load("/m.pth", kind="module", requires_trust=True, unsafe_globals=("nets.Net",))
    bench.click("findInputsButton")
    bench.qtbot.mouseClick(bench.find("rejectButton"), Qt.MouseButton.LeftButton)
    bench.qtbot.waitUntil(lambda: bench.window.problem_bar.current is not None)
    bench.click("findInputsButton")
    bench.qtbot.waitUntil(lambda: any(each.isVisible() for each in bench.window.findChildren(QWidget, "trustOnceButton")))
    (yes,) = [each for each in bench.window.findChildren(QWidget, "trustOnceButton") if each.isVisible()]
    bench.qtbot.mouseClick(yes, Qt.MouseButton.LeftButton)
    bench.qtbot.waitUntil(lambda: bench.window.problem_bar.current is None)
    assert "examine" in bench.engine.names()


def test_what_is_being_typed_outlives_what_is_found_meanwhile(bench):
    """A row is being made while the model is examined: the answer comes, and the field keeps its words and the keyboard."""
    bench.load("/a.jit")
    source, asked = next((call[1], call[2]) for call in bench.engine.calls if call[0] == "examine")
    bench.click("addInputButton")
    table = bench.window.setup_pane.inputs.table
    field = table.findChildren(QLineEdit, "inputField")[-1]
    bench.qtbot.keyClicks(field, "B,7")
    bench.engine.emit(msgspec.structs.replace(examined("/a.jit", "x=f32[B,3]"), source=source, asked=asked))
    assert field.isVisible() and field.text() == "B,7" and table.model().rowCount() == 2
    bench.qtbot.keyClick(field, Qt.Key.Key_Return)
    bench.qtbot.waitUntil(lambda: [format_input(spec) for spec in bench.session.models.current.inputs] == ["x=f32[B,3]", "f32[B,7]"])


def test_the_note_above_run_is_no_higher_than_its_words(bench):
    """And says what a module without its class needs."""
    bench.load("/m.pth", kind="module", requires_trust=True, missing_classes=("__main__.Net",))
    note = bench.find("runNote")
    bench.qtbot.waitUntil(lambda: note.isVisible() and note.height() <= note.heightForWidth(note.width()) + 4)
    assert note.text() == text.say("run.needs-class-file") and bench.find("readyClassButton").text() == text.say("picker.browse")


def test_a_dangerous_file_is_not_announced_as_runnable(bench):
    """The centre says what Run will show."""
    bench.load("/m.pth", kind="module", requires_trust=True, danger="dangerous", unsafe_globals=("posix.system",), grades={"posix.system": "dangerous"})
    assert bench.find("readySentence").text() == text.say("ready.dangerous")
    bench.click("runButton")
    bench.qtbot.waitUntil(lambda: bench.window.findChild(TrustDialog) is not None)
    assert bench.window.findChild(TrustDialog).findChild(QWidget, "trustCommand").isVisible()
    bench.window.findChild(TrustDialog).reject()


def test_more_settings_opened_below_the_edge_come_into_sight(bench):
    """And the wheel over a box scrolls, it chooses nothing."""
    bench.window.resize(1280, 720)
    bench.load("/a.jit")
    bench.click("moreSettings")
    box = bench.find("teachButton")
    bench.qtbot.waitUntil(lambda: box.visibleRegion().boundingRect().height() == box.height())
    plan, there = bench.find("planBox"), QPoint(5, 5)
    before = plan.currentIndex()
    for turned in (-120, 120):
        buttons, keys, phase = Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(QPointF(there), QPointF(plan.mapToGlobal(there)), QPoint(), QPoint(0, turned), buttons, keys, phase, False)
        QApplication.sendEvent(plan, event)
        assert plan.currentIndex() == before


def test_more_settings_than_there_is_room_for_are_shown_from_their_button_on(bench):
    """At the lowest height of the window."""
    bench.window.resize(1280, 560)
    bench.load("/a.jit")
    bench.click("moreSettings")
    for name in ("moreSettings", "quantizationBox", "gradBox"):
        box = bench.find(name)
        bench.qtbot.waitUntil(lambda box=box: box.visibleRegion().boundingRect().height() == box.height())


def test_the_type_of_an_input_is_chosen_from_a_list(bench):
    """Every type that torch knows, and a plain number."""
    bench.load("/a.jit", inputs=(InputSpec(name="x", shape=("B", 512), source="declared"),))
    table = bench.window.setup_pane.inputs.table
    table.edit(table.model().index(0, TYPE))
    box = table.findChild(QComboBox, "inputTypeBox")
    bench.qtbot.waitUntil(lambda: box.view().isVisible())
    box.hidePopup()
    box.setCurrentIndex(box.findData("i64"))
    box.activated.emit(box.currentIndex())
    assert bench.session.models.current.inputs[0].dtype == "int64" and not table.isColumnHidden(RANGE)


def test_data_dropped_on_an_input_is_its_data(bench, tmp_path):
    """Anywhere else it is a file like any other; while it is dragged the rows stay in sight."""
    bench.load("/a.jit", inputs=(InputSpec(name="x", shape=("B", 512), source="declared"),))
    table = bench.window.setup_pane.inputs.table
    place = table.viewport().mapTo(bench.window, QPoint(40, 20))
    drop(bench.window, "/data/x.npy", at=place)
    assert [format_input(spec) for spec in bench.session.models.current.inputs] == ["x=@/data/x.npy"]
    drop(bench.window, "/data/x.npy")
    assert bench.engine.calls[-1] == ("inspect", "/data/x.npy")


def test_another_python_is_chosen_and_its_facts_shown(bench):
    """The engine is asked what it can do; the job names it."""
    bench.load()
    python = sys.executable
    bench.preferences.change(lambda settings: with_python(settings, python))
    box = bench.find("pythonBox", QComboBox)
    box.activated.emit(box.findData(python))
    assert ("probe", python) in bench.engine.calls and "checked" in bench.find("pythonFacts").text()
    bench.engine.emit(events.EngineReady(msgspec.structs.replace(FACTS, torch="2.4.1")))
    assert "2.4.1" in bench.find("pythonFacts").text() and bench.session.setup.job().interpreter == python


def test_the_report_goes_where_the_user_says(bench, tmp_path):
    """The button waits while the page is written, and good news comes in the bar."""
    bench.engine.emit(events.RunLoaded("/r.json", make_run()))
    bench.click("saveReportButton")
    dialog = bench.window.findChild(QFileDialog, "reportDialog")
    dialog.selectFile(str(tmp_path / "page.html"))
    dialog.accept()
    assert bench.engine.calls[-1][0] == "save_report" and bench.engine.calls[-1][2:] == (str(tmp_path / "page.html"), "en")
    assert not bench.find("saveReportButton").isEnabled()
    bench.engine.emit(events.ReportSaved(str(tmp_path / "page.html")))
    assert bench.find("saveReportButton").isEnabled() and bench.window.problem_bar.isVisible()


def test_results_are_copied_as_markdown(bench):
    """One line a configuration, with a head."""
    run = make_run()
    bench.engine.emit(events.RunLoaded("/r.json", run))
    bench.click("copyMarkdownButton")
    lines = [line for line in QGuiApplication.clipboard().text().splitlines() if line.startswith("|")]
    assert len(lines) == len(run.outcomes) + 2


def test_a_click_in_the_history_opens_the_run(bench):
    """Newest first; the run that is open is marked."""
    entries = tuple(Entry(f"/h/{day}.json", 100, Summary(created_at=f"2026-01-0{day}T00:00:00+00:00", model_path="/m/a.pth", outcomes=2)) for day in (3, 2))
    bench.engine.emit(events.HistoryListed(entries))
    bench.window.side_tabs.setCurrentIndex(1)
    history = bench.find("historyList", QListWidget)
    assert history.count() == 2
    bench.qtbot.mouseClick(history.viewport(), Qt.MouseButton.LeftButton, pos=history.visualItemRect(history.item(1)).center())
    assert bench.engine.calls[-1] == ("load_run", "/h/2.json")
    bench.engine.emit(events.RunLoaded("/h/2.json", make_run()))
    assert history.currentRow() == 1 and bench.window.centre.currentWidget() is bench.window.bench


def test_the_language_is_switched_live(bench):
    """Every word of the window changes, and comes back."""
    bench.engine.emit(events.RunLoaded("/r.json", make_run()))
    bench.load()
    bench.drawn()
    before = words(bench.window)
    bench.window.tool_bar.language_chosen.emit("zh")
    bench.drawn()
    chinese = words(bench.window)
    stayed = [word for word in before if word in chinese and any(table[0] == word != table[1] for table in text.TABLE.values())]
    assert not stayed
    assert bench.preferences.value.language == "zh"
    bench.window.tool_bar.language_chosen.emit("en")
    bench.drawn()
    assert words(bench.window) == before


def words(window):
    said = {widget.text() for widget in window.findChildren(QWidget) if hasattr(widget, "text") and callable(widget.text) and widget.isVisible()}
    return {word for word in said if any(character.isalpha() for character in word)}


def test_closing_asks_once_while_a_job_runs(bench):
    """Going on keeps everything; stopping keeps what was measured and then closes."""
    job, info = bench.run()
    bench.engine.emit(events.JobStarted(job, info, 0, None))
    bench.window.close()
    bench.window.close()
    assert len(bench.window.findChildren(CloseDialog)) == 1 and bench.window.isVisible()
    bench.click("keepRunningButton")
    assert "stop_now" not in bench.engine.names()
    bench.qtbot.waitUntil(lambda: not bench.window.findChildren(CloseDialog))
    bench.window.close()
    bench.click("stopAndCloseButton")
    assert bench.engine.names()[-1] == "stop_now" and bench.window.isVisible()
    with bench.qtbot.waitSignal(bench.window.closed):
        for event in replay(job, info)[1:]:
            bench.engine.emit(event)


def test_closing_without_a_job_asks_nothing(bench):
    """The window goes and remembers its place."""
    with bench.qtbot.waitSignal(bench.window.closed):
        bench.window.close()
    assert bench.preferences.value.geometry
    assert not bench.window.frames.timer.isActive()


def test_a_narrow_window_lays_details_over_the_centre(bench):
    """Below 1180 px they are out of the way until asked for."""
    bench.engine.emit(events.RunLoaded("/r.json", make_run()))
    assert bench.window.details_holder.isVisible()
    bench.window.resize(1000, 700)
    bench.qtbot.waitUntil(lambda: bench.window.panes.is_narrow)
    assert not bench.window.details_holder.isVisible()
    width = bench.window.centre.width()
    bench.click("rightPaneButton")
    assert bench.window.details_holder.isVisible() and bench.window.centre.width() == width
    bench.window.resize(1280, 700)
    bench.qtbot.waitUntil(lambda: not bench.window.panes.is_narrow)
    assert bench.window.centre.geometry().right() < bench.window.details_holder.mapTo(bench.window.panes, QPoint(0, 0)).x()


def test_settings_are_remembered(bench, qtbot, tmp_path):
    """Axes, plan and the open lower part come back in the next window."""
    bench.load("/w.jit")
    bench.click("moreSettings")
    bench.qtbot.mouseClick(bench.find("precisionBox.bf16", QAbstractButton), Qt.MouseButton.LeftButton)
    bench.session.setup.set_plan("quick")
    again = SettingsFile(bench.preferences.file.path).value
    assert again.more_open and again.plan == "quick" and again.axes.precisions == ("fp32", "bf16")


def test_drawing_stops_when_nothing_is_new(bench):
    """An idle window costs nothing."""
    bench.load()
    bench.drawn()
    bench.engine.emit(events.MonitorSampled(None, 1, {"machine_cpu_percent": 5.0}))
    assert bench.window.frames.timer.isActive()
    bench.drawn()


def test_an_engine_that_fails_to_start_says_so(qtbot, tmp_path, qapp):
    """Run cannot be pressed, and the bar says why."""
    from engine.words import failure

    theme.apply_theme(qapp, "light")
    bench = Bench(qtbot, tmp_path, ready=False).show()
    bench.engine.emit(events.EngineFailed(failure("engine-lost", "engine-failed", {"error": "no fork"}, {"log": "trace"})))
    bench.load()
    assert not bench.find("runButton").isEnabled() and bench.window.problem_bar.isVisible()
    bench.window.close()
    bench.window.deleteLater()


def test_run_waits_with_words_while_the_engine_starts(qtbot, tmp_path, qapp):
    """Pressed early it says so, and starts by itself."""
    from tests.support.fake_engine import FACTS

    theme.apply_theme(qapp, "light")
    bench = Bench(qtbot, tmp_path, ready=False).show()
    bench.load()
    bench.click("runButton")
    assert bench.find("runButton").text() == text.say("run.starting")
    bench.engine.emit(events.EngineReady(FACTS))
    assert bench.engine.names()[-1] == "run_job"
    bench.session.run.abort()
    bench.window.close()
    bench.window.deleteLater()


def test_a_gpu_that_torch_cannot_use_is_said(bench):
    """With the command that mends it."""
    from tests.support.fake_engine import FACTS

    bench.engine.emit(events.EngineReady(msgspec.structs.replace(FACTS, driver_gpus=("RTX 4090",))))
    assert "RTX 4090" in bench.window.problem_bar.current.summary
