"""The model card: what is known, what is being done, what it needs, and the signals of its buttons."""

from __future__ import annotations

import msgspec
import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton

from engine.candidates import Candidate, Fit
from engine.events import ClassesRanked, Looking, ModelExamined
from engine.job import InputSpec
from engine.result import Reason
from engine.words import failure
from gui import text, theme
from gui.models import card_words
from gui.models.model_list import ModelList
from gui.widgets.model_card import ModelCard
from gui.widgets.problem_dialog import ProblemDialog
from tests.support.fake_engine import inspected

PATH = "/models/w.pth"
RAN = InputSpec(shape=("B", 3, 224, 224), source="guessed", ran=True)
BROKEN = failure("load-failed", "run-unreadable", {"path": "/x.pth", "cause": "gone"}, {"traceback": "Traceback ..."})


class Bench:
    """A card and its list."""

    def __init__(self, show):
        self.models = ModelList()
        self.card = ModelCard(self.models)
        show(self.card, 268, 500)

    def know(self, **changes):
        self.models.add(PATH)
        self.models.apply(inspected(PATH, **({"kind": "state-dict"} | changes)))
        return self

    def examine(self, **changes):
        values = {"path": PATH, "source": self.models.current.source(False), "inputs": (RAN,), "outputs": "f32[1,10]"} | changes
        assert self.models.apply_examined(ModelExamined(**values))
        return self

    def says(self, name):
        found = self.card.findChild(QLabel, name)
        return found.text().replace("\u200b", "").replace("\u00a0", " ") if found.isVisible() else ""

    def button(self, name):
        return self.card.findChild(QPushButton, name)


@pytest.fixture
def bench(show):
    return Bench(show)


def test_it_is_not_there_without_a_model(bench):
    """Empty cards say nothing."""
    bench.models.add(PATH)
    bench.models.remove(0)
    assert not bench.card.isVisible()
    bench.models.add(PATH)
    assert bench.card.isVisible()
    assert bench.says("modelFacts") == text.say("card.inspecting")


def test_kind_values_and_devices_are_said(bench):
    """Values until the class is known, parameters from then on."""
    event = inspected(PATH, kind="state-dict")
    bench.know(info=msgspec.structs.replace(event.info, parameters=None, values=6632), first_layer=Reason("of-the-future", {}, "conv1: 3 channels"))
    assert "6,632 values" in bench.says("modelFacts") and "weights" in bench.says("modelFacts")
    assert "saved on cuda:0, loaded to cpu" in bench.says("modelSaved")
    assert bench.says("modelFirstLayer") == "conv1: 3 channels" and bench.says("modelLoad") == ""
    bench.examine(parameters=6000)
    assert "6,000 parameters" in bench.says("modelFacts") and bench.says("modelFirstLayer") == "conv1: 3 channels"
    bench.examine(first_layer=Reason("first-layer-conv2d-from", {"layer": "conv1", "channels": 3, "plural": "s", "least": 11}))
    assert bench.says("modelFirstLayer") == "first layer conv1 (Conv2d): 3 channels, any height and width from 11"
    text.set_language("zh")
    assert bench.says("modelFirstLayer").endswith("高和宽不小于 11")


@pytest.mark.parametrize(("phases", "said"), [
    ({"load": 88.0, "reading": 70.0, "moving": 12.0}, "Loaded in 88.0 ms: reading 70.0 ms, moving 12.0 ms · peak 240 MiB"),
    ({"load": 88.0, "reading": 70.0}, "Loaded in 88.0 ms: reading 70.0 ms · peak 240 MiB"), ({"load": 88.0}, "Loaded in 88.0 ms · peak 240 MiB"), ({}, ""),
])
def test_loading_is_split_as_far_as_it_was_measured(bench, phases, said):
    """What was not measured is not said."""
    bench.know().examine(phases_ms=phases, load_peak_bytes=240 << 20)
    assert bench.says("modelLoad") == said


def test_the_class_is_said_with_its_fit(bench):
    """All of it, or how much of it and what that means."""
    bench.know(candidates=(Candidate(spec="/n/resnet.py:ResNet", origin="file", score=0.9),))
    assert "1 class may fit" in bench.says("modelClass")
    bench.models.set_architecture("/n/resnet.py:ResNet(depth=18)")
    bench.examine(fit=Fit(matching=320, keys=320))
    assert bench.says("modelClass") == "class ResNet(depth=18) 320/320 · resnet.py" and bench.says("modelFit") == ""
    bench.models.set_architecture("torchvision.models:resnet18", allow_missing=True)
    bench.examine(fit=Fit(matching=300, keys=320, missing_count=20))
    assert bench.says("modelClass") == "class resnet18 300/320 · torchvision.models" and "accuracy is not shown" in bench.says("modelFit")


def test_a_module_asks_for_the_file_that_defines_its_class(bench, qtbot):
    """The button says so, and asks."""
    bench.know(kind="module", missing_classes=("__main__.Net",), requires_trust=True)
    assert "__main__.Net" in bench.says("modelClass") and bench.button("chooseClassButton").text() == text.say("card.choose-class-file")
    with qtbot.waitSignal(bench.card.class_requested):
        bench.button("chooseClassButton").click()
    bench.know(kind="module", missing_classes=("__main__.Net",), requires_trust=True, candidates=(Candidate(spec="/n/train.py:Net", origin="file", score=1.0),))
    assert "train.py beside it defines Net" in bench.says("modelClass")
    bench.models.set_architecture("/n/train.py:Net")
    assert bench.button("chooseClassButton").text() == text.say("card.change-class")


def test_weights_are_taken_from_the_place_that_is_chosen(bench, qtbot):
    """The box shows every place; choosing the same again asks for nothing."""
    event = inspected(PATH, kind="checkpoint")
    bench.know(info=msgspec.structs.replace(event.info, kind="checkpoint", weights_at="model"), weights_places=("model", "ema.weights"))
    box = bench.card.place_box
    assert box.isVisible() and box.currentText() == "model" and box.accessibleName()
    with qtbot.assertNotEmitted(bench.card.place_chosen):
        box.activated.emit(0)
    with qtbot.waitSignal(bench.card.place_chosen) as told:
        box.activated.emit(1)
    assert told.args == ["ema.weights"]
    bench.models.set_weights_at("ema.weights")
    assert box.currentText() == "ema.weights"
    bench.know(weights_places=("model",))
    assert not box.isVisible()


def test_what_is_being_done_is_said_and_can_be_ended(bench, qtbot):
    """Seconds from two on; the button is there only meanwhile."""
    bench.know(kind="torchscript")
    assert not bench.button("stopLookingButton").isVisible()
    bench.models.apply_looking(Looking(PATH, "examined", 1.0))
    assert bench.says("modelState") == text.say("look.examined")
    bench.models.apply_looking(Looking(PATH, "searched", 7.4))
    assert bench.says("modelState") == f"{text.say('look.searched')}, 7 s"
    with qtbot.waitSignal(bench.card.stop_requested):
        bench.button("stopLookingButton").click()
    bench.models.end_looking(PATH)
    assert bench.says("modelState") == text.say("look.stopped") and not bench.button("stopLookingButton").isVisible()


def test_what_came_of_it_is_said(bench):
    """It ran; it loaded and needs inputs; it failed, with the details behind a button."""
    bench.know(kind="torchscript").examine()
    assert "f32[1,10]" in bench.says("modelState") and not bench.button("modelDetailsButton").isVisible()
    bench.examine(inputs=(), outputs=None)
    assert bench.says("modelState") == text.say("look.loaded")
    bench.examine(inputs=(), outputs=None, failure=BROKEN)
    assert BROKEN.summary in bench.says("modelState") and BROKEN.hint in bench.says("modelState")
    bench.button("modelDetailsButton").click()
    dialog = bench.card.findChild(ProblemDialog)
    assert dialog.isVisible()
    dialog.close()


def test_a_search_that_failed_matters_while_a_class_is_wanted(bench):
    """Once there is one, it is old news."""
    bench.know()
    bench.models.apply_ranked(ClassesRanked(path=PATH, failure=BROKEN))
    assert BROKEN.summary in bench.says("modelState")
    bench.models.set_architecture("/n/net.py:Net")
    assert bench.says("modelState") == ""


def test_notes_are_said_once(bench):
    """Those of inspecting and of examining; what the card says otherwise is left out."""
    same, other = Reason("of-the-future", {}, "Said once."), Reason("note-other-weights", {"at": "a", "others": "b"})
    bench.know(notes=(same, other)).examine(notes=(same, Reason("another", {}, "And this.")))
    assert bench.says("modelNotes") == "Said once.\nAnd this."


@pytest.mark.parametrize(("changes", "code"), [
    ({"kind": "torchscript"}, "card.safe"), ({"kind": "module", "requires_trust": True}, "card.needs-trust"),
    ({"kind": "module", "requires_trust": True, "danger": "dangerous"}, "card.dangerous"),
])
def test_whether_loading_runs_code_is_said(bench, changes, code):
    """Trusted files too."""
    bench.know(**changes)
    assert bench.says("modelCode") == text.say(code)
    bench.card.set_trusted(frozenset({bench.models.current.info.sha256}))
    assert bench.says("modelCode") == text.say("card.trusted" if code == "card.needs-trust" else code)


def test_a_yes_for_once_is_said_too(bench):
    """It holds until the window closes."""
    bench.know(kind="module", requires_trust=True)
    bench.examine(source=bench.models.current.source(True))
    assert bench.says("modelCode") == text.say("card.trusted-once")


def test_the_class_file_is_imported_and_that_is_said(bench):
    """Weights run nothing; the file that defines their class does."""
    bench.know()
    bench.models.set_architecture("/n/net.py:Net")
    assert bench.says("modelCode") == text.say("card.safe-class", file="net.py")
    bench.models.set_architecture("torchvision.models:resnet18")
    assert bench.says("modelCode") == text.say("card.safe")


def test_the_tutorials_mistakes_come_with_code_to_copy(bench):
    """Closed until asked for; other kinds have none."""
    bench.know()
    section = bench.card.findChild(object, "modelCodeSection")
    assert section.isVisible() and not section.is_open
    section.set_open(True)
    bench.button("modelCodeViewCopy").click()
    assert "load_state_dict" in QGuiApplication.clipboard().text()
    bench.know(kind="onnx")
    assert not section.isVisible()


def test_both_languages_and_appearances(bench, qapp):
    """Every word changes with the language, and nothing is lost when the appearance does."""
    bench.know().models.apply_looking(Looking(PATH, "examined", 3.0))
    before = {each.objectName(): each.text() for each in bench.card.findChildren(QLabel) if each.isVisible() and each.text()}
    text.set_language("zh")
    theme.apply_theme(qapp, "dark")
    after = {each.objectName(): each.text() for each in bench.card.findChildren(QLabel) if each.isVisible() and each.text()}
    assert before.keys() == after.keys() and before["modelState"] != after["modelState"] and before["modelClass"] != after["modelClass"]


@pytest.mark.parametrize(("words", "broken"), [
    ("peak 8.71 MiB of a.b.c_d", "peak 8.71 MiB of a.|b.|c_|d"), ("layer features.0.conv", "layer features.|0.|conv"), ("torch 2.13.0", "torch 2.13.0"),
])
def test_names_may_be_broken_and_numbers_not(words, broken):
    """After a dot or an underscore; a number never."""
    assert card_words.breakable(words).replace("\u200b", "|") == broken


def test_a_number_stays_with_its_unit():
    """And a line does not begin with the dot between two facts."""
    assert card_words.unbroken("6,632 parameters · 27.9 KiB") == "6,632\u00a0parameters\u00a0· 27.9\u00a0KiB"
