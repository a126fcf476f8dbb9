"""Comparing rows in the window: which two, who may be loaded again, and that the run on the screen stays as it is."""

from __future__ import annotations

import msgspec
import pytest

from engine import events
from engine.job import Configuration
from engine.result import Comparison
from engine.words import failure
from gui import text
from gui.models import comparison_words as words
from gui.models.comparison_model import ComparisonModel
from gui.models.preferences import Preferences
from gui.models.session import Session
from gui.settings import SettingsFile
from tests.support.fake_engine import FakeEngine, block, inspected, replay
from tests.support.runs import make_model, make_outcome, make_run

FOUND = Comparison(
    verdict="SLOWER", ratio=1.05, ci95=(1.04, 1.06), blocks=48, samples_needed=0, medians_a_ms=(1.0, 1.1, 1.0), medians_b_ms=(1.05, 1.15, 1.06),
    steps=((18, 1.06, 0.98, 1.14), (48, 1.05, 1.04, 1.06)),
)
UNSURE = msgspec.structs.replace(FOUND, verdict="CANNOT-TELL", ci95=(0.99, 1.11), samples_needed=24)


class Desk:
    """A session with a fake engine that has measured a run of two rows."""

    def __init__(self, folder):
        self.session = Session(Preferences(SettingsFile(folder / "settings.json")))
        self.engine = FakeEngine()
        self.problems, self.shown = [], []
        self.session.problem_met.connect(self.problems.append)
        self.comparisons = self.session.comparisons
        self.comparisons.began.connect(lambda: self.shown.append(True))
        self.engine.told.connect(self.session.apply)
        self.engine.start_engine()
        self.session.set_engine(self.engine)

    def measure(self, **changes):
        self.engine.files["/models/a.jit"] = inspected("/models/a.jit", **changes)
        self.session.opening.open(["/models/a.jit"])
        self.session.request_run()
        name, job, info = self.engine.calls[-1]
        assert name == "run_job"
        job = msgspec.structs.replace(job, configurations=(Configuration(), Configuration(batch_size=2)))
        for event in replay(job, info):
            self.engine.emit(event)
        return self.session.run.run

    def start(self, a=0, b=1):
        self.comparisons.compare_rows(a, b)
        name, job_a, info_a, job_b, info_b = self.engine.calls[-1]
        assert name == "compare"
        self.engine.emit(events.ComparisonStarted(job_a=job_a, job_b=job_b, model_a=info_a, model_b=info_b, start_ns=0, run_path="/history/c.json"))
        return job_a, info_a, job_b, info_b

    def finish(self, found=FOUND, status="ok", failed=None):
        run = comparison_run(found, status)
        self.engine.emit(events.ComparisonFinished(run=run, run_path="/history/c.json", failure=failed))
        return run

    @property
    def model(self):
        return self.comparisons.model


def comparison_run(found=FOUND, status="ok", **changes):
    outcomes = tuple(make_outcome(Configuration(batch_size=size), status=status) for size in (1, 2))
    return make_run(outcomes, comparison=found, id="compared", **changes)


@pytest.fixture
def desk(qapp, tmp_path):
    made = Desk(tmp_path)
    yield made
    text.set_language("en")


def test_two_rows_are_compared_with_the_job_that_made_them(desk):
    desk.measure()
    job_a, info_a, job_b, info_b = desk.start(0, 1)
    assert [job.configurations for job in (job_a, job_b)] == [(Configuration(),), (Configuration(batch_size=2),)]
    assert job_a.model == job_b.model == desk.session.run.job.model
    assert info_a == info_b == desk.session.run.run.model
    assert desk.model.state == "running" and desk.shown
    assert desk.model.names == ("a.jit · fp32 · b1", "a.jit · fp32 · b2")


def test_the_run_on_the_screen_stays_as_it_is(desk):
    """Blocks and outcomes of the two sides touch no row; the machine's readings still reach the device strip."""
    desk.measure()
    run = desk.session.run
    before = [(row.revision, len(row.samples)) for row in run.rows]
    desk.start()
    for event in (
        events.PhaseStarted(0, "load"), block(0), block(1), events.OutcomeUpdated(0, make_outcome(status="cancelled"), True), events.Progressed(0.5, 9.0, 1, "steady"),
        events.ComparisonUpdated(comparison=UNSURE, rounds=8),
    ):
        desk.engine.emit(event)
    desk.engine.emit(events.MonitorSampled(0, 5, {"machine_cpu_percent": 77.0}))
    assert run.readings["machine_cpu_percent"] == 77.0
    desk.finish()
    assert [(row.revision, len(row.samples)) for row in run.rows] == before
    assert run.state == "done" and run.progress is None
    assert "list_history" in desk.engine.names()[desk.engine.names().index("compare") :]


def test_live_ratio_and_then_the_verdict(desk):
    desk.measure()
    desk.start()
    desk.engine.emit(events.Progressed(0.5, 9.0, 1, "steady"))
    desk.engine.emit(events.ComparisonUpdated(comparison=UNSURE, rounds=8))
    assert desk.model.verdict == "" and words.headline(desk.model)[0] == "Measuring in turn"
    assert "105.0 %" in words.ratio_text(desk.model) and "24 more" in words.standing_text(desk.model) and "left" in words.standing_text(desk.model)
    desk.finish()
    assert desk.model.verdict == "SLOWER" and words.headline(desk.model) == ("B is slower", "SLOWER", "bad")
    assert "more" not in words.standing_text(desk.model)
    text.set_language("zh")
    assert words.headline(desk.model)[0] == "B 更慢"


@pytest.mark.parametrize("said", ["FASTER", "SLOWER", "SAME", "CANNOT-TELL"])
def test_each_verdict_has_a_word_a_shape_and_a_colour(desk, said):
    desk.comparisons.show(comparison_run(msgspec.structs.replace(FOUND, verdict=said, samples_needed=24 if said == "CANNOT-TELL" else 0)), "/history/c.json")
    word, shape, role = words.headline(desk.model)
    assert word == text.say(f"compare.{said}") and shape == said and role in ("good", "bad", "caution")


def test_what_ended_early_has_no_verdict(desk):
    desk.measure()
    desk.start()
    desk.finish(UNSURE, status="cancelled")
    assert desk.model.verdict == "" and words.headline(desk.model)[0] == "Ended without a verdict"


def test_a_failure_is_told_with_its_sentence(desk):
    desk.measure()
    desk.start()
    why = failure("timeout", "timeout", {"seconds": 60.0, "phase": "steady"})
    desk.finish(UNSURE, status="failed", failed=why)
    assert desk.problems[-1].summary == why.summary and why.summary in words.standing_text(desk.model)


def test_stop_lets_the_round_end_and_pressed_again_ends_at_once(desk):
    desk.measure()
    desk.start()
    desk.comparisons.stop()
    assert desk.engine.names()[-1] == "cancel" and desk.model.is_stopping
    desk.comparisons.stop()
    assert desk.engine.names()[-1] == "stop_now"
    desk.finish(UNSURE, status="cancelled")
    count = len(desk.engine.calls)
    desk.comparisons.stop()
    assert len(desk.engine.calls) == count


def test_while_a_comparison_runs_nothing_else_begins(desk):
    desk.measure()
    desk.start()
    begun = desk.engine.names()
    desk.session.request_run()
    desk.session.keep_measuring()
    desk.session.open_run("/history/other.json")
    desk.comparisons.compare_rows(1, 0)
    assert desk.engine.names() == begun and len(desk.problems) == 2
    assert desk.session.is_busy


def test_while_a_job_runs_no_comparison_begins(desk):
    desk.measure()
    desk.session.request_run()
    desk.comparisons.compare_rows(0, 1)
    assert "compare" not in desk.engine.names()


def test_a_baseline_of_another_run_is_kept_and_compared_with(desk):
    """Two files: each side with its own model."""
    desk.measure()
    desk.comparisons.set_baseline(0)
    assert desk.comparisons.baseline.name.startswith("a.jit")
    other = make_run((make_outcome(Configuration(precision="bf16")),), model=make_model("/models/b.jit", kind="torchscript", architecture=None))
    desk.engine.emit(events.RunLoaded("/elsewhere/b.json", other))
    desk.comparisons.compare_with_baseline(0)
    _, job_a, info_a, job_b, info_b = desk.engine.calls[-1]
    assert (info_a.path, info_b.path) == ("/models/a.jit", "/models/b.jit")
    assert (job_a.model.path, job_b.model.path) == ("/models/a.jit", "/models/b.jit")
    assert job_b.configurations == (Configuration(precision="bf16"),)


def test_an_old_run_that_loads_code_is_not_compared_without_consent(desk):
    """The rule of Keep measuring."""
    other = make_run((make_outcome(), make_outcome(Configuration(batch_size=2))), model=make_model("/models/m.pt", kind="module", trusted=True))
    desk.engine.emit(events.RunLoaded("/elsewhere/m.json", other))
    desk.comparisons.compare_rows(0, 1)
    assert "compare" not in desk.engine.names() and "m.pt" in desk.problems[-1].summary and desk.problems[-1].hint
    assert desk.model.state == "empty"


def test_rows_without_figures_or_on_several_devices_are_not_offered(desk):
    rows = (make_outcome(), make_outcome(status="failed"), make_outcome(Configuration(device="cuda:0+cuda:1")))
    desk.engine.emit(events.RunLoaded("/elsewhere/m.json", make_run(rows)))
    assert [row.index for row in desk.comparisons.rows()] == [0]
    assert desk.comparisons.side(1) is None
    desk.comparisons.compare_rows(0, 2)
    desk.comparisons.set_baseline(1)
    assert "compare" not in desk.engine.names() and desk.comparisons.baseline is None


def test_a_saved_comparison_shows_its_verdict_and_can_be_compared_again(desk):
    second = make_model("/models/b.jit", kind="torchscript", architecture=None)
    run = comparison_run(model=make_model("/models/a.jit", kind="torchscript", architecture=None), other_model=second)
    desk.engine.emit(events.RunLoaded("/history/c.json", run))
    assert desk.model.verdict == "SLOWER" and desk.model.steps == FOUND.steps and desk.shown
    assert desk.model.names == ("a.jit · fp32 · b1", "b.jit · fp32 · b2")
    desk.comparisons.again()
    name, job_a, _, job_b, info_b = desk.engine.calls[-1]
    assert name == "compare" and (job_a.model.path, job_b.model.path) == ("/models/a.jit", "/models/b.jit") and info_b == second


def test_nothing_is_appended_to_one_row_of_a_comparison(desk):
    desk.engine.emit(events.RunLoaded("/history/c.json", comparison_run()))
    desk.session.keep_measuring()
    assert "keep_measuring" not in desk.engine.names() and desk.problems


def test_an_engine_that_fails_ends_it(desk):
    """The file has changed, for example: that is found before anything is loaded."""
    desk.measure()
    desk.comparisons.compare_rows(0, 1)
    desk.engine.emit(events.EngineFailed(failure("failed", "file-changed", {"file": "a.jit"})))
    assert desk.model.state == "empty" and not desk.session.is_busy and "a.jit" in desk.problems[-1].summary
    assert desk.session.run.state == "done"


def test_a_model_without_a_comparison_is_empty(qapp):
    model = ComparisonModel()
    assert (model.steps, model.verdict, words.ratio_text(model), words.standing_text(model), words.side_text(model, 0)) == ((), "", "", "", "")
