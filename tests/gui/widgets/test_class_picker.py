"""The class picker: what may fit, classes of a file, arguments, and what running with less needs."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QLabel

from engine.candidates import Candidate, Fit
from engine.events import ClassesRanked, Looking
from engine.result import Reason
from gui import text
from gui.models.model_list import ModelList
from gui.widgets.class_picker import ClassPicker
from tests.support.fake_engine import inspected

PATH = "/models/w.pth"
PART = Fit(matching=300, keys=322, missing=("fc.weight",), missing_count=2, unexpected=("head.w",), unexpected_count=1)
SOURCE = "import torch\nclass Other(torch.nn.Module):\n    def __init__(self, width, depth=3): ...\nclass Net(torch.nn.Module): ...\n"


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text(SOURCE)
    return str(path)


@pytest.fixture
def pick(qtbot):
    def picked(path="", candidates=(), architecture=None, **changes):
        models = ModelList()
        models.add(PATH)
        models.apply(inspected(PATH, candidates=candidates, **({"kind": "state-dict"} | changes)))
        if architecture:
            models.set_architecture(architecture)
        dialog = ClassPicker(models, path, native=False)
        dialog.models = models
        qtbot.addWidget(dialog)
        dialog.show()
        qtbot.waitExposed(dialog)
        return dialog

    return picked


def read(nets):
    return (Candidate(spec=f"{nets}:Net", origin="file", score=0.9), Candidate(spec="torchvision.models:resnet18(num_classes=10)", origin="torchvision", score=0.8))


def built(dialog, fit, spec="torchvision.models:resnet18(num_classes=10)", **changes):
    candidate = Candidate(**{"spec": spec, "origin": "torchvision", "score": fit.score, "fit": fit} | changes)
    dialog.models.apply_ranked(ClassesRanked(path=PATH, asked=(spec,), candidates=(candidate,)))
    rows = [row for row in range(dialog.form.candidates.count()) if dialog.form.candidates.item(row).text().startswith("resnet18")]
    dialog.form.candidates.setCurrentRow(rows[0])


def test_candidates_stand_first_with_their_scores(pick, nets):
    """The best is selected, its arguments can be edited."""
    dialog = pick(candidates=read(nets))
    assert "about 90 %" in dialog.form.candidates.item(0).text() and dialog.architecture == f"{nets}:Net"
    dialog.form.candidates.setCurrentRow(1)
    assert dialog.arguments_field.text() == "num_classes=10"
    dialog.arguments_field.setText("num_classes=20")
    assert dialog.architecture == "torchvision.models:resnet18(num_classes=20)" and dialog.form.use_button.isEnabled()


def test_looking_closer_asks_for_what_was_not_built(pick, nets, qtbot):
    """The chosen one first, with its arguments as typed; while it goes on, not again."""
    dialog = pick(candidates=read(nets))
    dialog.form.candidates.setCurrentRow(1)
    dialog.arguments_field.setText("num_classes=20")
    with qtbot.waitSignal(dialog.rank_requested) as told:
        dialog.form.look_button.click()
    assert [each.spec for each in told.args[0]] == ["torchvision.models:resnet18(num_classes=20)", f"{nets}:Net"]
    dialog.models.apply_looking(Looking(PATH, "searched", 3.0))
    assert not dialog.form.look_button.isEnabled() and dialog.isVisible()
    dialog.models.end_looking(PATH)
    assert dialog.form.look_button.isEnabled()


def test_a_partial_fit_runs_only_by_choice(pick, nets):
    """What does not fit is listed; the box says how much stays random; unchecked nothing can be used."""
    dialog = pick(candidates=read(nets))
    built(dialog, PART)
    details, allow, use = dialog.findChild(object, "candidateDetails"), dialog.form.allow, dialog.form.use_button
    assert "fc.weight" in details.toPlainText() and "head.w" in details.toPlainText()
    assert allow.isVisible() and "2 weights left random" in allow.text() and not use.isEnabled() and not dialog.allow_missing
    allow.click()
    assert use.isEnabled() and dialog.allow_missing
    use.click()
    assert not dialog.isVisible() and dialog.result() == ClassPicker.DialogCode.Accepted and dialog.allow_missing


def test_a_perfect_fit_needs_no_box(pick, nets):
    """And the box of another candidate does not stay checked."""
    dialog = pick(candidates=read(nets))
    built(dialog, PART)
    dialog.form.allow.click()
    dialog.form.candidates.setCurrentRow(1 - dialog.form.candidates.currentRow())
    assert not dialog.form.allow.isVisible() and not dialog.allow_missing
    built(dialog, Fit(matching=13, keys=13))
    assert not dialog.form.allow.isVisible() and dialog.form.use_button.isEnabled()


def test_other_arguments_take_the_fit_away(pick, nets):
    """It was measured with others."""
    dialog = pick(candidates=read(nets))
    built(dialog, PART)
    dialog.arguments_field.setText("num_classes=7")
    assert not dialog.form.allow.isVisible() and dialog.form.look_button.isEnabled()


def test_the_choice_survives_a_ranking(pick, nets):
    """The rows move; what was chosen stays chosen."""
    dialog = pick(candidates=read(nets))
    dialog.form.candidates.setCurrentRow(1)
    fit = Fit(matching=13, keys=13)
    ranked = (Candidate(spec=f"{nets}:Net(width=3)", origin="file", score=1.0, fit=fit), Candidate(spec="torchvision.models:resnet18(num_classes=12)", origin="torchvision", score=PART.score, fit=PART))
    dialog.models.apply_ranked(ClassesRanked(path=PATH, asked=tuple(each.spec for each in read(nets)), candidates=ranked))
    assert dialog.architecture == "torchvision.models:resnet18(num_classes=12)"


def test_what_could_not_be_built_says_why(pick, nets):
    """In the picker, where it was asked for."""
    dialog = pick(candidates=read(nets))
    dialog.models.apply_ranked(ClassesRanked(path=PATH, asked=(f"{nets}:Net",), notes=(Reason("search-not-built", {"spec": "Net", "error": "TypeError"}),)))
    assert "TypeError" in dialog.findChild(object, "candidateNotes").text()
    assert dialog.form.candidates.count() == 1


def test_arguments_that_must_be_given_are_warned_of(pick, nets):
    """Of a class in a file and of a candidate; what is typed is needed no more."""
    dialog = pick(nets)
    dialog.form.classes.setCurrentRow(0)
    needs = dialog.findChild(object, "classNeeds")
    assert "width" in needs.text() and needs.isVisible()
    dialog.arguments_field.setText("5")
    assert not needs.isVisible() and dialog.architecture == f"{nets}:Other(5)"
    dialog = pick(candidates=(Candidate(spec="timm:vit", origin="timm", score=1.0, needs=("num_heads",)),))
    assert "num_heads" in dialog.findChild(object, "classNeeds").text()


def test_one_thing_is_chosen_at_a_time(pick, nets):
    """A class of the file, or a candidate."""
    dialog = pick(candidates=read(nets))
    dialog.open_file(nets)
    assert dialog.form.candidates.currentRow() == -1 and dialog.architecture == f"{nets}:Other"
    dialog.form.candidates.setCurrentRow(1)
    assert dialog.form.classes.currentRow() == -1 and dialog.architecture.startswith("torchvision")


def test_a_class_of_a_file_can_be_looked_into(pick, nets, qtbot):
    """Then it is a candidate like the others, chosen as it was."""
    dialog = pick(nets)
    dialog.form.classes.setCurrentRow(1)
    with qtbot.waitSignal(dialog.rank_requested) as told:
        dialog.form.look_button.click()
    assert [each.spec for each in told.args[0]] == [f"{nets}:Net"]
    found = Candidate(spec=f"{nets}:Net", origin="file", score=PART.score, fit=PART)
    dialog.models.apply_ranked(ClassesRanked(path=PATH, asked=(f"{nets}:Net",), candidates=(found,)))
    assert dialog.form.allow.isVisible() and dialog.architecture == f"{nets}:Net"


def test_a_module_says_which_class_it_needs(pick, nets, tmp_path):
    """It is selected where the file defines it; a file that does not is said to be the wrong one."""
    module = {"kind": "module", "requires_trust": True}
    dialog = pick(nets, missing_classes=("__main__.Net",), **module)
    assert "Net" in dialog.findChild(object, "classWanted").text() and dialog.architecture == f"{nets}:Net"
    assert not dialog.form.look_button.isVisible()
    dialog = pick(nets, missing_classes=("__main__.Absent",), **module)
    problem = dialog.findChild(object, "classProblem")
    assert "Absent" in problem.text() and problem.isVisible() and not dialog.form.use_button.isEnabled()
    dialog.form.classes.setCurrentRow(1)
    assert dialog.form.use_button.isEnabled()


@pytest.mark.parametrize(("missing", "score", "said"), [(("__main__.Net",), 1.0, "defines what the file needs"), (("m.Net", "m.Block"), 0.5, "defines 1 of 2 classes")])
def test_a_file_that_defines_it_is_offered_first(pick, nets, missing, score, said):
    """It can be used at once; there is nothing to look closer into."""
    dialog = pick(kind="module", missing_classes=missing, requires_trust=True, candidates=(Candidate(spec=f"{nets}:Net", origin="file", score=score),))
    assert said in dialog.form.candidates.item(0).text() and "nets.py" in dialog.form.candidates.item(0).text()
    assert dialog.architecture == f"{nets}:Net" and dialog.form.use_button.isEnabled() and not dialog.form.look_button.isVisible()


def test_the_class_of_now_is_selected_with_its_arguments(pick, nets):
    """Changing a class begins at the present one."""
    dialog = pick(nets, architecture=f"{nets}:Other(width=4)")
    assert dialog.architecture == f"{nets}:Other(width=4)"


def test_arguments_that_are_no_literals_keep_it_open(pick, nets, qtbot):
    """The reason is said, and the focus stays where it was."""
    dialog = pick(nets)
    dialog.arguments_field.setText("width=oops")
    qtbot.keyClick(dialog.arguments_field, Qt.Key.Key_Return)
    assert dialog.isVisible() and dialog.findChild(object, "classProblem").text()
    dialog.arguments_field.setText("width=4")
    qtbot.keyClick(dialog.arguments_field, Qt.Key.Key_Return)
    assert not dialog.isVisible() and dialog.architecture == f"{nets}:Other(width=4)"


def test_a_file_that_cannot_be_read_says_so(pick, nets, tmp_path):
    """The candidates stay."""
    broken = tmp_path / "broken.py"
    broken.write_text("class (")
    dialog = pick(str(broken), candidates=read(nets))
    assert "broken.py" in dialog.findChild(object, "classProblem").text() and not dialog.form.classes.isVisible()
    assert dialog.form.candidates.count() == 2


@pytest.mark.parametrize("language", ["en", "zh"])
def test_it_fits_on_the_screen_at_its_fullest(pick, nets, tmp_path, language):
    """Candidates, what does not fit, and classes of a file, in both languages, live; no line is cut off and long lists scroll."""
    many = tmp_path / "many.py"
    many.write_text("".join(f"class Net{number}: ...\n" for number in range(40)))
    dialog = pick(candidates=(*read(nets), *(Candidate(spec=f"timm:net{number}", origin="timm", score=0.1) for number in range(40))))
    built(dialog, PART)
    dialog.open_file(str(many))
    dialog.form.candidates.setCurrentRow(0)
    text.set_language(language)
    QCoreApplication.processEvents()
    assert dialog.height() < 780
    assert dialog.form.candidates.verticalScrollBar().maximum() > 0 and dialog.form.classes.verticalScrollBar().maximum() > 0
    for line in dialog.findChildren(QLabel):
        assert not line.isVisible() or line.height() >= line.heightForWidth(line.width()), line.text()
    assert dialog.form.use_button.text() == text.say("picker.use") and dialog.form.candidates.accessibleName()
