"""From options to a job: consent, place of the weights, inputs; every refusal is two lines and comes before anything is run."""

from __future__ import annotations

import argparse

import msgspec
import pytest

from engine.candidates import Candidate
from engine.command_line import command_line
from engine.commands import job
from engine.commands.options import NONE_OK, REFUSED, Refused, parse_profile
from engine.events import FileInspected, ModelExamined
from engine.job import PLANS, Configuration, InputSpec, Job, ModelSource
from engine.result import Failure, ModelInfo
from engine.words import failure

IMAGE = InputSpec(shape=("B", 3, 64, 64), source="guessed", ran=True)


def inspected(kind="state-dict", **changes):
    """A file of this kind."""
    info = ModelInfo(path="/a/m.pth", sha256="0" * 64, kind=kind, weights_at=changes.get("weights_places", (None,))[0], values=340, tensors=4, dtypes={"float32": 340})
    return FileInspected(path="/a/m.pth", info=info, **changes)


def options(*arguments):
    """As they are parsed."""
    return parse_profile(["/a/m.pth", *arguments])


def refusal(found, *arguments):
    """The sentence and the next step of what must be refused."""
    with pytest.raises(Refused) as refused:
        job.model_source(found, options(*arguments))
    assert refused.value.exit_code == REFUSED
    return refused.value.summary, refused.value.hint


CODE = {"requires_trust": True, "unsafe_globals": ("__main__.Net",), "danger": "unknown"}
HARM = {"requires_trust": True, "unsafe_globals": ("posix.system",), "danger": "dangerous"}


def test_code_wants_a_yes():
    first, second = refusal(inspected("module", **CODE))
    assert "__main__.Net" in first
    assert "--trust" in second
    source, info = job.model_source(inspected("module", **CODE), options("--trust"))
    assert (source.trusted, source.dangerous, info.trusted) == (True, False, True)


@pytest.mark.parametrize("more", [[], ["--trust"], ["--trust-dangerous", "m.pth"], ["--trust", "--trust-dangerous", "other.pth"], ["--trust", "--trust-dangerous", "/a/m.pth"]])
def test_what_is_dangerous_wants_both_words(more):
    first, second = refusal(inspected("module", **HARM), *more)
    assert "posix.system" in first
    assert "--trust-dangerous 'm.pth'" in second


def test_both_words_stand_in_the_command_that_measures_the_same():
    source, _ = job.model_source(inspected("module", **HARM), options("--trust", "--trust-dangerous", "m.pth"))
    words = command_line(Job(id="1", model=source, inputs=(IMAGE,), configurations=(Configuration(),), plan=PLANS["quick"]))
    assert "--trust --trust-dangerous m.pth" in words


def test_a_class_that_lies_in_a_script_is_asked_for_before_consent():
    found = inspected("module", missing_classes=("__main__.Net",), **CODE)
    first, second = refusal(found)
    assert "__main__.Net" in first
    assert "--arch" in second
    assert refusal(found, "--trust") == (first, second)
    assert "posix.system" in refusal(inspected("module", missing_classes=("__main__.Net",), **HARM))[0]


def test_the_script_beside_a_module_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    beside = (Candidate(spec=f"{tmp_path / 'fit.py'}:Net", origin="file", score=1.0),)
    _, second = refusal(inspected("module", missing_classes=("__main__.Net",), candidates=beside, **CODE))
    assert "fit.py defines Net" in second and "--trust --arch fit.py." in second


def test_plain_weights_stay_plain_under_trust():
    assert job.model_source(inspected(), options("--trust"))[0].trusted is False


def test_the_place_of_the_weights_is_chosen():
    found = inspected("checkpoint", weights_places=("model", "ema.shadow"))
    assert job.model_source(found, options())[0].weights_at == "model"
    found = msgspec.structs.replace(found, info=msgspec.structs.replace(found.info, weights_at="ema.shadow", values=8))
    source, info = job.model_source(found, options("--weights-at", "ema.shadow"))
    assert (source.weights_at, info.weights_at, info.values) == ("ema.shadow", "ema.shadow", 8)
    words = command_line(Job(id="1", model=source, inputs=(IMAGE,), configurations=(Configuration(),), plan=PLANS["quick"]))
    assert "--weights-at ema.shadow" in words


def test_an_unknown_place_is_answered_with_those_that_there_are():
    assert "model, ema.shadow" in refusal(inspected("checkpoint", weights_places=("model", "ema.shadow")), "--weights-at", "best")[1]
    assert "one place only" in refusal(inspected(), "--weights-at", "best")[0]


def test_missing_weights_are_allowed_for_a_named_class_only():
    with pytest.raises(Refused):
        options("--allow-missing")
    source, _ = job.model_source(inspected(), options("--allow-missing", "--arch", "a.b:C"))
    assert source.allow_missing is True
    words = command_line(Job(id="1", model=source, inputs=(IMAGE,), configurations=(Configuration(),), plan=PLANS["quick"]))
    assert "--allow-missing" in words


class Engine:
    """Says what an examination found."""

    def __init__(self, **found):
        self.found, self.asked = found, []

    def examine(self, source, inputs):
        """One question."""
        self.asked.append(inputs)
        return ModelExamined(path=source.path, source=source, **self.found)


SOURCE = ModelSource("/a/m.pth", "state-dict", "a.b:C")


def test_inputs_given_or_declared_are_not_guessed():
    engine = Engine()
    assert job.inputs(engine, inspected(), SOURCE, options("--input", "f32[B,3]")).specs[0].shape == ("B", 3)
    declared = InputSpec(shape=("B", 5), source="declared")
    assert job.inputs(engine, inspected(inputs=(declared,)), SOURCE, options()).specs == (declared,)
    assert engine.asked == []


def test_guessed_inputs_are_seen_to_run_and_said(capsys):
    engine = Engine(inputs=(IMAGE,))
    hint = InputSpec(shape=("B", 3, 224, 224), source="guessed")
    assert job.inputs(engine, inspected(guessed=(hint,)), SOURCE, options()).specs == (IMAGE,)
    assert engine.asked == [(hint,)]
    assert "f32[B,3,64,64]" in capsys.readouterr().err


def test_declared_sizes_that_have_only_a_name_are_found_by_trying():
    engine = Engine(inputs=(IMAGE,))
    declared = InputSpec(shape=("B", 3, "H", "W"), source="declared")
    assert job.inputs(engine, inspected(inputs=(declared,)), SOURCE, options()).specs == (IMAGE,)
    assert engine.asked == [(declared,)]


@pytest.mark.parametrize(
    ("failed", "code"),
    [
        (failure("input-mismatch", "input-refused", {"error": "no", "proposed": [["x=f32[B,3,8,8]", "16000"]]}), REFUSED),
        (failure("class-mismatch", "class-needed", {"tensors": 1, "values_count": 2}), REFUSED),
        (failure("forward-raised", "forward-raised", {"error": "no"}), NONE_OK),
    ],
)
def test_an_examination_that_fails_ends_the_command(failed, code):
    with pytest.raises(Refused) as refused:
        job.inputs(Engine(failure=failed), inspected(), SOURCE, options())
    assert (refused.value.summary, refused.value.exit_code) == (failed.summary, code)
    if "proposed" in failed.values:
        assert "--input 'x=f32[B,3,8,8]' --input 16000" in refused.value.hint


def test_the_batch_that_a_model_was_seen_to_take_is_the_default(capsys):
    """Where the user gave none, with a sentence; his own is never changed."""
    found = job.inputs(Engine(inputs=(IMAGE,), least_batch=4), inspected(), SOURCE, options())
    for given, size, told in (((), 4, "Batch 4: the model refused one row."), (("--batch", "1"), 1, "")):
        capsys.readouterr()
        job.tell_batches(options(*given), found)
        assert capsys.readouterr().err.strip() == told
        assert [each.batch_size for each in job.make_job(options(*given), None, SOURCE, found).configurations] == [size]


def test_a_batch_that_the_file_fixes_is_the_only_one(capsys):
    """Asked for or not; as the inputs of the command that measures it again, too."""
    fixed = InputSpec(name="x", shape=(2, 3, 8, 8), source="declared")
    for given in ((), ("--batch", "1"), ("--batch", "1,8"), ("--batch", "2"), ("--input", "x=f32[2,3,8,8]", "--batch", "2")):
        found = job.inputs(Engine(), inspected(inputs=(fixed,)), SOURCE, options(*given))
        job.tell_batches(options(*given), found)
        told = capsys.readouterr().err
        assert (told == "") == ("2" in given) and ("x=f32[2,3,8,8]" in told) == ("2" not in given)
        assert [each.batch_size for each in job.make_job(options(*given), None, SOURCE, found).configurations] == [2]


def test_nothing_found_asks_for_inputs():
    with pytest.raises(Refused) as refused:
        job.inputs(Engine(), inspected(), SOURCE, options())
    assert "m.pth" in refused.value.summary


@pytest.mark.parametrize("proposed", [None, [], [[]], "text", 5, [5], {"a": 1}])
def test_whatever_a_worker_proposes_is_no_fault_of_ours(proposed):
    odd = Failure(code="input-mismatch", summary="a", hint="b", values={"proposed": proposed})
    assert isinstance(job.with_proposal(odd), str)


def test_a_demo_has_its_own_inputs():
    given = job.given_inputs(argparse.Namespace(input=[], demo=True))
    assert given
