"""The session: what the window asks the engine for, and what it makes of the answers."""

from __future__ import annotations

import msgspec
import pytest

from engine import events
from engine.inputs import parse_input
from engine.words import failure
from gui.models.preferences import Preferences
from gui.models.session import Session
from gui.settings import SettingsFile, with_class, with_trusted
from tests.support.fake_engine import FACTS, FakeEngine, answer_examination, inspected, replay
from tests.support.runs import make_model, make_run

UNREADABLE = failure("load-failed", "run-unreadable", {"path": "/x", "cause": "gone"})


class Desk:
    """A session with a fake engine, and the problems that it met."""

    def __init__(self, folder, ready=True):
        self.preferences = Preferences(SettingsFile(folder / "settings.json"))
        self.session = Session(self.preferences)
        self.engine = FakeEngine(ready)
        self.problems, self.trust, self.classes = [], [], []
        self.session.problem_met.connect(self.problems.append)
        self.session.agreement.asked.connect(self.trust.append)
        self.session.discovery.class_asked.connect(self.classes.append)

    def start(self):
        self.engine.told.connect(self.session.apply)
        self.engine.start_engine()
        self.session.set_engine(self.engine)
        return self

    def load(self, path="/models/a.jit", **changes):
        self.engine.files[path] = inspected(path, **changes)
        self.session.opening.open([path])
        return self.session.models.current


@pytest.fixture
def desk(qapp, tmp_path):
    return Desk(tmp_path).start()


def test_a_file_opened_before_the_engine_is_looked_at_later(qapp, tmp_path):
    """The window takes files at once; the engine comes after the first paint."""
    desk = Desk(tmp_path)
    desk.load()
    assert not desk.session.models.current.is_ready
    desk.start()
    assert desk.session.models.current.is_ready


def test_a_run_goes_through(desk):
    """Run, events, done; the history is listed again and the run marked."""
    desk.load()
    desk.session.request_run()
    name, job, info = desk.engine.calls[-1]
    assert name == "run_job" and desk.session.run.state == "queued"
    for event in replay(job, info):
        desk.engine.emit(event)
    assert desk.session.run.state == "done"
    assert desk.session.history.opened == "/history/run.json"
    assert desk.engine.names()[-1] == "list_history"
    assert not desk.problems


def test_run_waits_for_the_engine_and_can_be_taken_back(qapp, tmp_path):
    """Pressed before the engine is ready, it starts as soon as it is; cancelled before that, it never starts."""
    desk = Desk(tmp_path, ready=False).start()
    desk.load()
    desk.session.request_run()
    assert desk.session.run.state == "queued" and "run_job" not in desk.engine.names()
    desk.session.cancel()
    assert desk.session.run.state == "ready"
    desk.session.request_run()
    desk.engine.emit(events.EngineReady(FACTS))
    assert desk.engine.names().count("run_job") == 1


def test_a_file_with_code_is_asked_about_first(desk):
    """Nothing is started until the answer, and a refusal starts nothing."""
    entry = desk.load(kind="module", requires_trust=True, unsafe_globals=("nets.Net",))
    desk.session.request_run()
    assert [request.paths for request in desk.trust] == [(entry.path,)] and "run_job" not in desk.engine.names()
    desk.session.agreement.answer(desk.trust[0], "no")
    assert "run_job" not in desk.engine.names() and len(desk.problems) == 1


def test_once_holds_for_this_window_and_always_for_this_file(desk, tmp_path):
    """Trust is for this exact file's bytes."""
    entry = desk.load(kind="module", requires_trust=True)
    desk.session.request_run()
    desk.session.agreement.answer(desk.trust[0], "once")
    answer_examination(desk.engine)
    assert desk.engine.calls[-1][1].model.trusted
    desk.session.run.abort()
    desk.session.request_run()
    assert len(desk.trust) == 1 and desk.engine.names().count("run_job") == 2
    assert not desk.preferences.value.trusted_sha256
    desk.session.agreement.answer(desk.trust[0], "always")
    assert SettingsFile(desk.preferences.file.path).value.trusted_sha256 == (entry.info.sha256,)


def test_after_the_yes_guessed_inputs_are_tried_before_they_are_measured(desk):
    """What ran is what the job gets."""
    desk.load(kind="module", requires_trust=True)
    desk.session.request_run()
    desk.session.agreement.answer(desk.trust[0], "once")
    assert desk.engine.names()[-1] == "examine" and desk.session.run.state == "ready"
    answer_examination(desk.engine)
    name, job, _ = desk.engine.calls[-1]
    assert name == "run_job" and job.inputs and all(spec.ran for spec in job.inputs)


@pytest.mark.parametrize("ending", ["refused", "stopped", "edited", "another"])
def test_a_try_without_success_begins_no_run(desk, ending):
    """Neither then nor when a later look succeeds."""
    entry = desk.load(kind="module", requires_trust=True)
    desk.session.request_run()
    desk.session.agreement.answer(desk.trust[0], "once")
    if ending == "refused":
        answer_examination(desk.engine, failure("input-mismatch", "input-own-words", {"given": "f32[B,3]", "error": "no"}))
    elif ending == "stopped":
        desk.session.stop_looking()
    elif ending == "edited":
        desk.session.models.set_inputs(entry.inputs)
        desk.session.discovery.on_inputs_edited()
    else:
        desk.load("/models/b.jit")
    assert "run_job" not in desk.engine.names()
    desk.session.models.select(0)
    desk.session.discovery.find_inputs()
    answer_examination(desk.engine)
    assert "run_job" not in desk.engine.names()


def test_inputs_that_the_user_gave_are_measured_at_once(desk):
    """He knows them; a refusal is a row of the table."""
    desk.load(kind="module", requires_trust=True)
    desk.session.models.set_inputs((parse_input("f32[B,3]"),))
    desk.session.request_run()
    desk.session.agreement.answer(desk.trust[0], "once")
    assert desk.engine.names()[-1] == "run_job"


def test_what_is_dangerous_is_refused_whatever_the_answer(desk):
    """The window has no yes for it."""
    desk.load(kind="module", requires_trust=True, danger="dangerous")
    desk.session.request_run()
    desk.session.agreement.answer(desk.trust[0], "once")
    assert "run_job" not in desk.engine.names() and len(desk.problems) == 1


def test_other_bytes_are_asked_about_again(desk):
    """A file that changed is another file."""
    entry = desk.load(kind="module", requires_trust=True)
    desk.session.request_run()
    desk.session.agreement.answer(desk.trust[0], "always")
    desk.session.run.abort()
    changed = inspected(entry.path, kind="module", requires_trust=True)
    desk.engine.emit(msgspec.structs.replace(changed, info=msgspec.structs.replace(changed.info, sha256="f" * 64)))
    desk.session.request_run()
    assert len(desk.trust) == 2


def test_a_python_file_names_the_class_of_the_weights(desk):
    """Without weights that need one it says so."""
    desk.session.opening.open(["/nets.py"])
    assert len(desk.problems) == 1
    desk.load("/w.pth", kind="state-dict")
    desk.session.opening.open(["/nets.py"])
    assert desk.classes == ["/nets.py"]


def test_the_class_is_remembered_for_these_weights(desk):
    """Opened again, the weights have their class."""
    desk.load("/w.pth", kind="state-dict")
    desk.session.discovery.set_class("/nets.py:Net")
    desk.session.models.remove(0)
    assert desk.load("/w.pth", kind="state-dict").architecture == "/nets.py:Net"


def test_a_refused_file_is_a_problem_in_both_languages(desk):
    """The sentence follows the language."""
    from gui import text

    desk.load("/bad.pth", info=None, refusal=UNREADABLE)
    english = desk.problems[0].summary
    text.set_language("zh")
    try:
        assert desk.problems[0].summary != english
    finally:
        text.set_language("en")
    assert not desk.session.models.entries


def test_recent_files_are_newest_first_and_forgotten_when_gone(desk, tmp_path):
    """A file that was moved away is said and taken off."""
    there = tmp_path / "b.jit"
    there.touch()
    desk.load("/gone/a.jit")
    desk.load(str(there))
    assert desk.preferences.value.recents == (str(there), "/gone/a.jit")
    desk.session.opening.open_recent("/gone/a.jit")
    assert desk.preferences.value.recents == (str(there),) and len(desk.problems) == 1
    desk.session.opening.open_recent(str(there))
    assert desk.session.models.current.path == str(there)


def test_an_old_run_opens_only_between_jobs(desk):
    """While a job runs its rows stay."""
    run = make_run()
    desk.session.open_run("/r.json")
    desk.engine.emit(events.RunLoaded("/r.json", run))
    assert desk.session.run.run is run and desk.session.history.opened == "/r.json"
    desk.load()
    desk.session.request_run()
    desk.session.open_run("/r.json")
    assert desk.engine.names().count("load_run") == 1 and len(desk.problems) == 1


def test_keep_measuring_names_row_and_file(desk):
    """The selected row of the run that is shown; its class was named once, where the model is plain weights."""
    run = make_run()
    desk.preferences.change(lambda settings: with_class(settings, run.model.sha256, run.model.architecture))
    desk.engine.emit(events.RunLoaded("/r.json", run))
    desk.session.run.select(1, by_user=True)
    desk.session.keep_measuring()
    assert desk.engine.calls[-1] == ("keep_measuring", run, 1, "/r.json")


@pytest.mark.parametrize("changes", [{"kind": "module", "trusted": True}, {"kind": "state-dict", "architecture": "os:system('x')"}])
def test_a_run_from_a_file_agrees_to_nothing(desk, changes):
    """What it claims to have been trusted with is loaded again only where the user's own settings say so."""
    run = make_run(model=make_model(**changes))
    desk.engine.emit(events.RunLoaded("/r.json", run))
    desk.session.run.select(0, by_user=True)
    desk.session.keep_measuring()
    assert "keep_measuring" not in desk.engine.names() and "resnet50.pth" in desk.problems[0].summary
    desk.preferences.change(lambda settings: with_class(with_trusted(settings, run.model.sha256), run.model.sha256, run.model.architecture or ""))
    desk.session.keep_measuring()
    assert desk.engine.names()[-1] == "keep_measuring"


def test_a_run_of_the_history_names_its_class_by_itself(desk, tmp_path, monkeypatch):
    """Kept by the program itself: pressing Run, or --arch, was the consent."""
    monkeypatch.setenv("MODEL_DYNO_HOME", str(tmp_path))
    run = make_run(model=make_model(kind="state-dict", architecture="/nets.py:Net"))
    desk.session.run.load(run, str(tmp_path / "history" / "r.json"))
    desk.session.run.select(0, by_user=True)
    desk.session.keep_measuring()
    assert desk.engine.names()[-1] == "keep_measuring"


def test_load_once_holds_for_more_of_the_same_run(desk):
    """The run says that its file was trusted, and appending to it does not ask again."""
    desk.load("/models/a.pth", requires_trust=True)
    desk.session.request_run()
    desk.session.agreement.answer(desk.trust[0], "once")
    answer_examination(desk.engine)
    _, job, info = desk.engine.calls[-1]
    assert info.trusted
    desk.session.run.load(make_run(id=job.id, model=info), "/r.json")
    desk.session.run.select(0, by_user=True)
    desk.session.keep_measuring()
    assert desk.engine.names()[-1] == "keep_measuring"


def test_a_fault_of_the_engine_in_a_run_ends_it(desk):
    """Rows without an outcome have failed, and the window can run again."""
    desk.load()
    desk.session.request_run()
    desk.engine.emit(events.EngineFailed(UNREADABLE))
    assert desk.session.run.state == "failed" and desk.session.engine_state == "ready" and len(desk.problems) == 1
    desk.session.request_run()
    assert desk.engine.names().count("run_job") == 2


def test_an_engine_that_does_not_start_is_said(qapp, tmp_path):
    """A run that waited for it is taken back."""
    desk = Desk(tmp_path, ready=False).start()
    desk.load()
    desk.session.request_run()
    desk.engine.emit(events.EngineFailed(UNREADABLE))
    assert desk.session.engine_state == "failed" and desk.session.run.state == "ready" and len(desk.problems) == 1


def test_a_saved_report_is_a_notice_and_a_failure_a_problem(desk):
    """Both are told in the same place."""
    desk.engine.emit(events.ReportSaved("/p.html"))
    desk.engine.emit(events.ReportSaved("/p.html", UNREADABLE))
    assert [met.is_notice for met in desk.problems] == [True, False]
    assert "/p.html" in desk.problems[0].summary


def test_the_demo_comes_with_class_and_inputs(desk):
    """Nothing is missing but the look at the file."""
    from engine.demo import demo_source

    path, architecture, inputs = demo_source()
    desk.engine.files[path] = inspected(path, kind="state-dict")
    desk.session.opening.open_demo()
    assert desk.session.setup.missing() is None
    job = desk.session.setup.job()
    assert (job.model.architecture, job.inputs) == (architecture, inputs)
    assert desk.preferences.value.recents == ()


def test_a_teaching_run_goes_the_way_of_every_run(desk):
    """With the question about trust before it."""
    desk.load()
    desk.session.request_run(teach=True)
    name, job, _ = desk.engine.calls[-1]
    assert name == "run_job" and job.compare_outputs and len(job.configurations) > 4
    desk.session.run.clear(True)
    desk.load("/models/b.pth", kind="module", requires_trust=True, unsafe_globals=("nets.Net",))
    desk.session.request_run(teach=True)
    desk.session.agreement.answer(desk.trust[0], "once")
    answer_examination(desk.engine)
    name, job, _ = desk.engine.calls[-1]
    assert name == "run_job" and job.compare_outputs and job.model.trusted
