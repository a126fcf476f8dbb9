"""The list of models: what each answer of the engine changes, and which answers are old news."""

from __future__ import annotations

import msgspec
import pytest

from engine.candidates import Candidate, Fit
from engine.events import ClassesRanked, Looking, ModelExamined
from engine.job import InputSpec
from engine.result import Run
from engine.words import failure
from gui.models.model_list import ModelList
from tests.support.fake_engine import inspected

PATH = "/models/w.pth"
GUESS = InputSpec(shape=("B", 3, 224, 224), source="guessed")
RAN = msgspec.structs.replace(GUESS, ran=True)
WHOLE, PART = Fit(matching=13, keys=13), Fit(matching=11, keys=13, missing=("fc.weight",), missing_count=2)
BROKEN = failure("load-failed", "run-unreadable", {"path": "/x", "cause": "gone"})


def candidate(name="Net", fit=WHOLE, **changes):
    score = fit.score if fit else 0.5
    return Candidate(**{"spec": f"/n/net.py:{name}", "origin": "file", "score": score, "fit": fit} | changes)


@pytest.fixture
def models(qapp):
    made = ModelList()
    made.add(PATH)
    made.apply(inspected(PATH, kind="state-dict", guessed=(GUESS,)))
    return made


def examined(models, trusted=False, **changes):
    values = {"path": PATH, "source": models.current.source(trusted), "inputs": (RAN,), "outputs": "f32[1,10]"} | changes
    return ModelExamined(**values)


def test_an_examination_proves_the_inputs(models):
    """The guess is marked as having run."""
    assert models.apply_examined(examined(models))
    assert models.current.inputs == (RAN,) and models.current.examined.outputs == "f32[1,10]"


def test_inputs_that_the_user_gave_stay(models):
    """An examination of the guess does not overwrite them; one of themselves marks them."""
    old = examined(models)
    models.set_input_text(0, "f32[B,1,28,28]")
    given = models.current.inputs
    models.apply_examined(old)
    assert models.current.inputs == given and not given[0].ran
    models.apply_examined(examined(models, inputs=(msgspec.structs.replace(given[0], ran=True),)))
    assert models.current.inputs[0].ran and models.current.inputs_edited


def test_changed_inputs_have_not_run(models):
    """What ran was the set of them before."""
    models.apply_examined(examined(models))
    models.set_input_text(1, "16000")
    assert [spec.ran for spec in models.current.inputs] == [False, False]


@pytest.mark.parametrize("change", [
    lambda models: models.set_architecture("/n/net.py:Other"), lambda models: models.set_architecture(None, allow_missing=True),
    lambda models: models.set_weights_at("ema"), lambda models: models.remove(0),
])
def test_an_answer_about_another_choice_is_ignored(models, change):
    """Another class, another agreement, another place, a model that is gone."""
    old = examined(models)
    change(models)
    assert not models.apply_examined(old)
    assert all(entry.examined is None for entry in models.entries)


def test_an_answer_from_before_the_yes_is_old_after_it(models):
    """The refusal of an untrusted file does not replace what loading it found."""
    refused = examined(models, failure=BROKEN, inputs=(), outputs=None)
    assert models.apply_examined(refused)
    assert models.apply_examined(examined(models, trusted=True))
    assert not models.apply_examined(refused) and models.current.examined.failure is None


def test_another_class_forgets_what_was_found(models):
    """And the inputs are guesses again; the same class forgets nothing."""
    models.set_architecture("/n/net.py:Net")
    models.apply_examined(examined(models))
    models.set_architecture("/n/net.py:Net")
    assert models.current.examined is not None
    models.set_architecture("/n/net.py:Other")
    assert models.current.examined is None and models.current.inputs == (GUESS,)


def test_source_names_place_class_and_agreement(models):
    """What the user chose goes into the job."""
    assert models.current.source(False).weights_at is None
    models.set_weights_at("model.ema")
    models.set_architecture("/n/net.py:Net", allow_missing=True)
    source = models.current.source(True)
    assert (source.weights_at, source.architecture, source.allow_missing, source.trusted) == ("model.ema", "/n/net.py:Net", True, True)


def test_only_a_perfect_fit_is_taken_silently(models):
    """Less is shown; a choice that was made stays."""
    entry = models.current
    assert not entry.take_perfect((candidate("Half", PART), candidate("Read", None, score=1.0), candidate("Heads", needs=("heads",))))
    assert entry.architecture is None
    assert entry.take_perfect((candidate("Half", PART), candidate())) and entry.architecture == "/n/net.py:Net"
    assert not entry.take_perfect((candidate("Other"),)) and entry.architecture == "/n/net.py:Net"


def test_rankings_add_up(models):
    """What was built stays, what was asked for and failed goes, what nobody asked for stays as it was read; the best first."""
    read = (candidate("A", None, score=0.9), candidate("B", None, score=0.8), candidate("C", None, score=0.7))
    models.apply(msgspec.structs.replace(models.current.inspected, candidates=read))
    models.apply_ranked(ClassesRanked(path=PATH, asked=("/n/net.py:A", "/n/net.py:B"), candidates=(candidate("B(width=3)", PART),)))
    assert [each.spec for each in models.current.candidates] == ["/n/net.py:B(width=3)", "/n/net.py:C"]
    models.apply_ranked(ClassesRanked(path=PATH, asked=("/n/net.py:C",), candidates=(candidate("C"),)))
    assert [each.spec for each in models.current.candidates] == ["/n/net.py:C", "/n/net.py:B(width=3)"]


def test_a_ranking_that_failed_leaves_the_candidates(models):
    """They can still be chosen."""
    models.apply(msgspec.structs.replace(models.current.inspected, candidates=(candidate("A", None),)))
    models.apply_ranked(ClassesRanked(path=PATH, asked=("/n/net.py:A",), failure=BROKEN))
    assert len(models.current.candidates) == 1 and models.current.ranked.failure is BROKEN


def test_a_ranking_of_another_place_is_ignored(models):
    """The weights at the other place fit other classes."""
    old = ClassesRanked(path=PATH, source=models.current.source(False), candidates=(candidate(),))
    models.set_weights_at("ema")
    assert not models.apply_ranked(old) and models.current.ranked is None


def test_looking_disturbs_nobody_and_ends_with_its_answer(models, qtbot):
    """It has a signal of its own: tables are not built anew each second."""
    with qtbot.assertNotEmitted(models.entry_changed), qtbot.waitSignal(models.looking_changed):
        models.apply_looking(Looking(PATH, "examined", 1.0))
    assert models.current.looking.what == "examined"
    models.apply_examined(examined(models))
    assert models.current.looking is None
    models.apply_looking(Looking(PATH, "examined", 1.0))
    models.end_looking(PATH)
    assert models.current.looking is None and models.current.was_stopped
    models.apply_looking(Looking("/not/there", "examined", 1.0))


def test_other_bytes_are_another_model(models):
    """Saved again under the same name: what was found out about the old one goes."""
    models.set_weights_at("ema")
    models.apply_ranked(ClassesRanked(path=PATH, candidates=(candidate(),)))
    models.apply_examined(examined(models))
    event = models.current.inspected
    models.apply(event)
    assert models.current.examined is not None
    models.apply(msgspec.structs.replace(event, info=msgspec.structs.replace(event.info, sha256="f" * 64)))
    assert (models.current.examined, models.current.ranked, models.current.weights_at) == (None, None, None)


def test_a_module_without_its_class_needs_one(models):
    """It takes a class as bare weights do; a module that is whole takes none."""
    models.apply(inspected(PATH, kind="module", missing_classes=("__main__.Net",)))
    assert models.current.needs_class and not models.current.is_weights_only
    models.set_architecture("/n/train.py:Net")
    assert not models.current.needs_class
    models.apply(inspected(PATH, kind="module"))
    assert not models.current.takes_class


def test_the_fit_is_that_of_the_chosen_class(models):
    """From the examination, else from the ranking."""
    models.apply_ranked(ClassesRanked(path=PATH, candidates=(candidate("A", PART), candidate("B"))))
    assert models.current.fit is None
    models.set_architecture("/n/net.py:A")
    assert models.current.fit == PART
    models.apply_examined(examined(models, fit=WHOLE))
    assert models.current.fit == WHOLE


def test_inputs_of_a_run_are_learned(models):
    """Only where none are known."""
    run = Run(model=models.current.info, inputs=(RAN,))
    models.learn_inputs(run)
    assert models.current.inputs == (GUESS,)
    models.set_inputs(())
    models.learn_inputs(run)
    assert models.current.inputs == (RAN,)
