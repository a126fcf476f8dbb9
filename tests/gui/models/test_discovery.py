"""From a known file to one that runs: remembered choice, perfect fit, consent, one examination."""

from __future__ import annotations

import msgspec
import pytest

from engine import events
from engine.candidates import Candidate, Fit
from engine.inputs import format_input, parse_input
from engine.job import InputSpec
from engine.words import failure
from tests.gui.models.test_session import Desk
from tests.support.fake_engine import examined, inspected

PERFECT = Fit(matching=4, keys=4)
HALF = Fit(matching=2, keys=4, missing_count=2)


@pytest.fixture
def desk(qapp, tmp_path, monkeypatch):
    monkeypatch.setenv("MODEL_DYNO_HOME", str(tmp_path / "home"))
    return Desk(tmp_path / "settings").start()


@pytest.fixture
def nets(tmp_path):
    path = tmp_path / "nets.py"
    path.write_text("class Net: ...\n")
    return str(path)


def asked(desk, name):
    return [call for call in desk.engine.calls if call[0] == name]


def texts(entry):
    return [format_input(spec) for spec in entry.inputs]


@pytest.mark.parametrize("kind", ["torchscript", "onnx"])
def test_what_runs_no_code_is_tried_by_itself(desk, kind):
    """Its inputs come back proven."""
    desk.engine.examined["/models/a.jit"] = examined("/models/a.jit", "x=f32[B,3,32,32]")
    entry = desk.load(kind=kind)
    assert texts(entry) == ["x=f32[B,3,32,32]"] and entry.inputs[0].ran and entry.inputs[0].source == "guessed"
    assert not desk.problems and not desk.trust


def test_code_is_tried_only_after_the_yes(desk):
    """Looking for inputs asks; the yes leads to the examination, not to a run."""
    entry = desk.load(kind="module", requires_trust=True)
    assert not asked(desk, "examine")
    desk.session.discovery.find_inputs()
    desk.session.agreement.answer(desk.trust[0], "once")
    assert asked(desk, "examine")[0][1] == entry.source(True) and not asked(desk, "run_job")


def test_a_failure_brings_the_fix_that_was_seen_to_run(desk):
    """Pressed, it sets these inputs and tries them."""
    refused = failure("input-mismatch", "run-unreadable", {"path": "/x", "cause": "c", "proposed": [["x=f32[B,3,32,32]"], ["x=f32[B,3,64,64]"]]})
    desk.engine.examined["/models/a.jit"] = examined("/models/a.jit", "x=f32[B,4,32,32]", failure=refused)
    entry = desk.load()
    (problem,) = desk.problems
    desk.engine.examined["/models/a.jit"] = examined("/models/a.jit", "x=f32[B,3,32,32]", source="given")
    problem.fix()
    assert texts(entry) == ["x=f32[B,3,32,32]"] and entry.inputs[0].ran and asked(desk, "examine")[1][2] != asked(desk, "examine")[0][2]


@pytest.mark.parametrize("proposed", [None, "x", [], ["x=f32[B]"], [["?"]], [[7]]])
def test_a_proposal_that_is_none_harms_nothing(desk, proposed):
    """What came from a worker is checked."""
    refused = failure("input-mismatch", "run-unreadable", {"path": "/x", "cause": "c", "proposed": proposed})
    desk.engine.examined["/models/a.jit"] = examined("/models/a.jit", failure=refused)
    entry = desk.load()
    for problem in desk.problems:
        if problem.fix is not None:
            problem.fix()
    assert entry.inputs == () and desk.problems


def test_run_ends_the_examination(desk):
    """Pressing Run does not wait for it, and it is not begun again while the job runs."""
    desk.load()
    desk.session.request_run()
    assert desk.engine.names()[-2:] == ["stop_looking", "run_job"]
    desk.session.discovery.advance()
    assert len(asked(desk, "examine")) == 1


def test_an_examination_that_was_stopped_is_not_begun_again_by_itself(desk):
    """Only when the user asks for it."""
    entry = desk.load()
    assert entry.looking.what == "examined"
    desk.session.stop_looking()
    desk.engine.emit(events.Looking(entry.path, "examined", 3.0))
    assert entry.looking is None and entry.was_stopped and desk.engine.calls[-1] == ("stop_looking", entry.path)
    desk.session.discovery.advance()
    assert len(asked(desk, "examine")) == 1
    desk.session.discovery.find_inputs()
    assert len(asked(desk, "examine")) == 2


def test_only_the_model_on_the_screen_is_examined(desk):
    """Another one chosen: the old examination ends, and begins again on coming back."""
    desk.load("/a.jit")
    desk.load("/b.jit")
    assert [call[1].path for call in asked(desk, "examine")] == ["/a.jit", "/b.jit"] and ("stop_looking", "/a.jit") in desk.engine.calls
    desk.session.models.select(0)
    assert asked(desk, "examine")[-1][1].path == "/a.jit"


def test_an_answer_about_another_class_is_old_news(desk, nets):
    """The class was changed while the model was examined."""
    entry = desk.load("/w.pth", kind="state-dict")
    desk.session.discovery.set_class(f"{nets}:Net")
    late = msgspec.structs.replace(examined("/w.pth", "f32[B,1]"), source=entry.source(False))
    desk.session.discovery.set_class(f"{nets}:Other")
    desk.engine.emit(late)
    assert entry.examined is None and entry.inputs == ()


def edited(desk, text="x=f32[B,9]"):
    desk.session.models.set_inputs((parse_input(text),))
    desk.session.discovery.on_inputs_edited()
    return desk.session.models.current


def heard(desk):
    """How often the window was told that something about the model has changed."""
    told = []
    desk.session.models.entry_changed.connect(lambda: told.append("entry"))
    desk.session.models.looking_changed.connect(lambda: told.append("looking"))
    return told


@pytest.mark.parametrize("left", ["x=f32[B,9]", ""])
@pytest.mark.parametrize("refused", [None, failure("input-mismatch", "run-unreadable", {"path": "/x", "cause": "c", "proposed": [["f32[B,2]"]]})])
def test_an_answer_about_inputs_of_before_changes_nothing(desk, left, refused):
    """It was on its way when the user wrote other inputs, or took them away: nothing is told, nothing written over, and the new question stands."""
    entry = desk.load(inputs=(parse_input("x=f32[B,3]"),))
    old = asked(desk, "examine")[0]
    late = msgspec.structs.replace(examined(entry.path, "x=f32[B,3]", failure=refused), source=old[1], asked=old[2])
    if left:
        edited(desk, left)
    else:
        desk.session.models.set_inputs(())
        desk.session.discovery.on_inputs_edited()
    told = heard(desk)
    desk.engine.emit(late)
    assert told == [] and not desk.problems and entry.examined is None and entry.looking.what == "examined" and texts(entry) == ([left] if left else [])
    new = asked(desk, "examine")[-1]
    desk.engine.emit(msgspec.structs.replace(examined(entry.path, "x=f32[B,9]", source="given"), source=new[1], asked=new[2]))
    assert entry.examined is not None and texts(entry) == ["x=f32[B,9]"] and entry.inputs[0].ran and len(asked(desk, "examine")) == 2


def test_an_answer_from_the_python_of_before_is_old_news(desk, tmp_path):
    """The model is examined in the new one all the same."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    entry = desk.load()
    old = asked(desk, "examine")[0]
    desk.session.choose_python(str(python))
    desk.engine.emit(msgspec.structs.replace(examined(entry.path, "f32[B,3]"), source=old[1], asked=old[2]))
    assert entry.examined is None and entry.inputs == ()
    desk.engine.start_engine()
    assert asked(desk, "examine")[-1][3] == str(python)


def test_a_late_ranking_does_not_end_the_examination(desk, nets):
    """The user chose the class while candidates were being built."""
    candidate = Candidate(spec="torchvision.models:resnet18", origin="torchvision", score=0.9)
    entry = desk.load("/w.pth", kind="state-dict", candidates=(candidate,))
    assert asked(desk, "rank_classes")
    desk.session.discovery.set_class(f"{nets}:Net")
    desk.engine.emit(events.ClassesRanked(path="/w.pth", asked=(candidate.spec,), candidates=(msgspec.structs.replace(candidate, fit=PERFECT),)))
    assert entry.looking.what == "examined"
    new = asked(desk, "examine")[0]
    desk.engine.emit(msgspec.structs.replace(examined("/w.pth", "f32[B,3]"), source=new[1], asked=new[2]))
    assert entry.looking is None and texts(entry) == ["f32[B,3]"]


def test_a_refusal_is_over_when_the_next_try_ends(desk):
    """The bar is told which."""
    solved = []
    desk.session.problem_solved.connect(solved.append)
    refused = failure("input-mismatch", "run-unreadable", {"path": "/x", "cause": "c"})
    desk.engine.examined["/models/a.jit"] = examined("/models/a.jit", "f32[B,4]", failure=refused)
    desk.load()
    solved.clear()
    desk.engine.examined["/models/a.jit"] = examined("/models/a.jit", "x=f32[B,9]", source="given")
    edited(desk)
    assert solved == [desk.problems[0].about] and len(desk.problems) == 1


def test_choosing_the_class_takes_the_no_to_its_file_back(desk, nets):
    """Naming it is the yes."""
    solved = []
    desk.session.problem_solved.connect(solved.append)
    dropped_together(desk, nets)
    desk.session.agreement.answer(desk.trust[0], "no")
    desk.session.discovery.set_class(f"{nets}:Net")
    assert desk.problems[0].about in solved


def test_a_class_of_an_installed_package_is_found_by_itself(desk):
    """Nothing of the user's is imported for it, so nothing is asked; a perfect fit is taken silently and tried."""
    candidate = Candidate(spec="torchvision.models:resnet18", origin="torchvision", score=0.9)
    desk.engine.ranked["/w.pth"] = events.ClassesRanked(path="/w.pth", candidates=(msgspec.structs.replace(candidate, fit=PERFECT, score=1.0),))
    entry = desk.load("/w.pth", kind="state-dict", candidates=(candidate,))
    assert entry.architecture == candidate.spec and not desk.trust and len(asked(desk, "examine")) == 1


def test_less_than_perfect_is_never_taken(desk):
    """It is shown, and the user chooses."""
    candidate = Candidate(spec="torchvision.models:resnet18", origin="torchvision", score=0.9)
    desk.engine.ranked["/w.pth"] = events.ClassesRanked(path="/w.pth", candidates=(msgspec.structs.replace(candidate, fit=HALF, score=0.5),))
    entry = desk.load("/w.pth", kind="state-dict", candidates=(candidate,))
    assert entry.architecture is None and not asked(desk, "examine")


def dropped_together(desk, nets, fit=PERFECT):
    candidate = Candidate(spec=f"{nets}:Net", origin="file", score=0.8)
    desk.engine.files["/w.pth"] = inspected("/w.pth", kind="state-dict", candidates=(candidate,))
    desk.engine.ranked["/w.pth"] = events.ClassesRanked(path="/w.pth", candidates=(msgspec.structs.replace(candidate, fit=fit),))
    desk.session.opening.open(["/w.pth", nets])
    return desk.session.models.current


def test_a_class_file_beside_the_weights_is_imported_only_after_the_yes(desk, nets):
    """Asked once; the perfect fit is taken and tried."""
    entry = dropped_together(desk, nets)
    assert [request.what for request in desk.trust] == ["classes"] and not asked(desk, "rank_classes")
    desk.session.agreement.answer(desk.trust[0], "once")
    assert entry.architecture == f"{nets}:Net" and len(asked(desk, "examine")) == 1 and not desk.classes


def test_no_imports_nothing_and_asks_no_more(desk, nets):
    """The user may still choose the class himself."""
    entry = dropped_together(desk, nets)
    desk.session.agreement.answer(desk.trust[0], "no")
    desk.session.discovery.advance()
    assert len(desk.trust) == 1 and not asked(desk, "rank_classes") and entry.architecture is None and len(desk.problems) == 1


@pytest.mark.parametrize("came", ["file", "folder"])
def test_what_defines_a_module_that_was_dropped_with_it_is_shown(desk, nets, came):
    """Nothing is to be compared, and nothing is imported for it; the class is the user's to choose, the yes his to give."""
    path, found = "/m.pt", (Candidate(spec=f"{nets}:Net", origin="file", score=1.0),)
    desk.engine.files[path] = inspected(path, kind="module", missing_classes=("__main__.Net",), requires_trust=True, candidates=found)
    desk.session.opening.open([path])
    assert not desk.classes
    desk.session.opening.add_python(nets if came == "file" else nets.rpartition("/")[0])
    assert desk.classes == [nets] and not asked(desk, "rank_classes")
    desk.session.discovery.set_class(f"{nets}:Net")
    assert not asked(desk, "examine")
    desk.session.discovery.find_inputs()
    desk.session.agreement.answer(desk.trust[0], "once")
    assert asked(desk, "examine")[0][1].architecture == f"{nets}:Net"


def test_a_dropped_class_that_fits_with_holes_is_shown(desk, nets):
    """The picker opens with what was found."""
    entry = dropped_together(desk, nets, HALF)
    desk.session.agreement.answer(desk.trust[0], "once")
    assert entry.architecture is None and desk.classes == [""]


def test_the_yes_is_for_these_bytes(desk, nets):
    """A class file that changed is asked about again."""
    dropped_together(desk, nets, HALF)
    desk.session.agreement.answer(desk.trust[0], "always")
    desk.session.discovery.rank(desk.session.models.current.candidates)
    assert len(desk.trust) == 1
    with open(nets, "a") as file:
        file.write("evil = 1\n")
    desk.session.discovery.rank(desk.session.models.current.candidates)
    assert len(desk.trust) == 2


def test_inputs_and_class_are_remembered(desk, nets):
    """Edited inputs come back with the same bytes; the class with the same keys and shapes."""
    entry = desk.load("/w.pth", kind="state-dict", fingerprint="f1")
    desk.session.discovery.set_class(f"{nets}:Net")
    desk.session.models.set_inputs((InputSpec(name="x", shape=("B", 7)),))
    desk.session.discovery.on_inputs_edited()
    desk.session.models.remove(0)
    again = desk.load("/w.pth", kind="state-dict", fingerprint="f1")
    assert again is not entry and (texts(again), again.inputs_edited, again.architecture) == (["x=f32[B,7]"], True, f"{nets}:Net")
    trained_again = inspected("/v2.pth", kind="state-dict", fingerprint="f1")
    desk.engine.files["/v2.pth"] = msgspec.structs.replace(trained_again, info=msgspec.structs.replace(trained_again.info, sha256="d" * 64))
    desk.session.opening.open(["/v2.pth"])
    assert desk.session.models.current.architecture == f"{nets}:Net" and desk.session.models.current.inputs == ()


def test_inputs_that_ran_are_tried_first_the_next_time(desk):
    """Still as a guess."""
    desk.engine.examined["/models/a.jit"] = examined("/models/a.jit", "f32[B,512]")
    desk.load()
    desk.session.models.remove(0)
    desk.load()
    (spec,) = asked(desk, "examine")[1][2]
    assert (spec.source, spec.shape) == ("guessed", ("B", 512))


def test_the_place_of_the_weights_is_remembered(desk):
    """A checkpoint with several."""
    desk.load("/c.ckpt", kind="checkpoint", weights_places=("model", "ema"))
    desk.session.discovery.set_place("ema")
    desk.session.models.remove(0)
    assert desk.load("/c.ckpt", kind="checkpoint", weights_places=("model", "ema")).source(False).weights_at == "ema"


def two_places(desk):
    """A checkpoint of two networks: one with a class that fits, and a smaller one that nothing fits."""
    candidate = Candidate(spec="torchvision.models:resnet18", origin="torchvision", score=1.0, fit=PERFECT)
    guess = (InputSpec(shape=("B", 7), source="guessed"),)
    first = inspected("/g.pt", kind="checkpoint", weights_places=("generator", "critic"), fingerprint="g", candidates=(candidate,))
    first = msgspec.structs.replace(first, info=msgspec.structs.replace(first.info, weights_at="generator"))
    info = msgspec.structs.replace(first.info, weights_at="critic", values=8, tensors=1)
    desk.engine.files["/g.pt"] = first
    desk.engine.places["/g.pt", "critic"] = msgspec.structs.replace(first, info=info, fingerprint="c", candidates=(), guessed=guess)
    desk.session.opening.open(["/g.pt"])
    return desk.session.models.current


def test_another_place_is_looked_at(desk):
    """Counts, candidates, class and inputs become those of the network that lies there, and come back with the first."""
    entry = two_places(desk)
    assert entry.architecture == "torchvision.models:resnet18" and entry.info.values == 6632
    desk.session.discovery.set_place("critic")
    assert desk.engine.calls[-1] == ("inspect", "/g.pt", (), "critic") and entry.is_ready
    assert (entry.info.values, entry.candidates, entry.architecture, texts(entry)) == (8, (), None, ["f32[B,7]"])
    desk.session.discovery.set_place("generator")
    assert (entry.info.values, entry.architecture, entry.inputs) == (6632, "torchvision.models:resnet18", ())
    assert [call[1].weights_at for call in asked(desk, "examine")] == ["generator", "generator"]


def test_each_place_has_the_class_that_was_chosen_for_it(desk, nets):
    """Remembered from one day to the next."""
    two_places(desk)
    desk.session.discovery.set_place("critic")
    desk.session.discovery.set_class(f"{nets}:Net")
    desk.session.models.remove(0)
    entry = two_places(desk)
    assert (entry.weights_place, entry.info.values, entry.architecture) == ("critic", 8, f"{nets}:Net")
    desk.session.discovery.set_place("generator")
    assert entry.architecture == "torchvision.models:resnet18"


def test_a_copy_at_another_place_keeps_class_and_inputs(desk, nets):
    """Averaged weights have the same keys and shapes."""
    entry = desk.load("/c.ckpt", kind="checkpoint", weights_places=("model", "ema"), fingerprint="f")
    desk.session.discovery.set_class(f"{nets}:Net")
    desk.session.models.set_inputs((InputSpec(shape=("B", 7)),))
    desk.session.discovery.set_place("ema")
    assert (entry.architecture, texts(entry), entry.info.weights_at) == (f"{nets}:Net", ["f32[B,7]"], "ema")


def test_while_a_place_is_looked_at_nothing_is_run_and_a_stop_goes_back(desk):
    """What is known is about the other place, and stays when the look is ended."""
    entry = two_places(desk)
    desk.engine.files.clear()
    count = len(asked(desk, "examine"))
    desk.session.discovery.set_place("critic")
    assert not entry.is_ready and desk.session.setup.missing() == "run.inspecting" and len(asked(desk, "examine")) == count
    desk.session.stop_looking()
    assert (entry.weights_place, entry.is_ready, entry.was_stopped) == ("generator", True, True)
    desk.engine.emit(events.FileInspected(path="/g.pt", refusal=failure("load-failed", "file-inspection-cancelled", {"name": "g"})))
    assert desk.session.models.current is entry and not desk.problems


def test_a_remembered_place_that_is_gone_is_forgotten(desk):
    """The engine answers about another one: it is asked once, not again and again."""
    entry = two_places(desk)
    desk.session.discovery.set_place("critic")
    desk.session.models.remove(0)
    desk.engine.places["/g.pt", "critic"] = desk.engine.files["/g.pt"]
    count = len(asked(desk, "inspect"))
    desk.session.opening.open(["/g.pt"])
    entry = desk.session.models.current
    assert (entry.weights_place, entry.is_ready, len(asked(desk, "inspect")) - count) == ("generator", True, 2)


def test_a_fault_of_the_engine_leaves_nothing_waiting(desk):
    """No answer will come."""
    entry = desk.load()
    desk.engine.emit(events.EngineFailed(failure("engine-failed", "program-failed", {"error": "x"})))
    assert entry.looking is None


def test_another_python_begins_anew(desk, tmp_path):
    """Facts, examination and job are the chosen interpreter's; one that fails is given up for the program's own."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\n")
    python.chmod(0o755)
    desk.load()
    desk.session.choose_python(str(python))
    assert desk.engine.calls[-1] == ("probe", str(python)) and desk.session.engine_state == "starting" and desk.session.setup.facts is None
    desk.engine.start_engine()  # the probe answers
    assert asked(desk, "examine")[-1][3] == str(python) and desk.session.setup.job().interpreter == str(python)
    desk.session.choose_python("")
    desk.engine.start_engine()
    desk.session.choose_python(str(python))
    desk.engine.emit(events.EngineFailed(failure("engine-lost", "engine-failed", {"error": "no torch"})))
    assert desk.session.interpreter.chosen is None and desk.engine.calls[-1] == ("probe", None) and desk.preferences.value.pythons == ()
    desk.engine.start_engine()
    assert desk.session.engine_state == "ready" and len(desk.problems) == 1


def test_what_is_no_program_is_not_taken(desk, tmp_path):
    """Said, and the old one stays."""
    desk.session.choose_python(str(tmp_path))
    assert not asked(desk, "probe") and str(tmp_path) in desk.problems[0].summary and desk.session.interpreter.chosen is None


def test_the_python_of_another_day_is_probed_at_the_start(qapp, tmp_path):
    """Its facts are shown, not the program's own."""
    from gui.settings import with_python

    desk = Desk(tmp_path, ready=False)
    desk.preferences.change(lambda settings: with_python(settings, "/venv/bin/python"))
    other = Desk(tmp_path, ready=False).start()
    assert other.engine.calls[-2:] == [("probe", "/venv/bin/python"), ("list_history",)]
    other.engine._ready = True
    other.engine.start_engine()
    assert other.session.setup.facts is None
    other.engine.start_engine()
    assert other.session.setup.facts is not None and other.session.engine_state == "ready"
