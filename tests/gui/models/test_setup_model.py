"""The set-up becomes a job, or says what is missing."""

from __future__ import annotations

import pytest

from engine.inputs import InputError, format_input
from engine.job import InputSpec
from gui.models.lists import format_list, parse_batch_text, parse_threads_text
from gui.models.matrix import Axes
from gui.models.model_list import ModelList, architecture_of
from gui.models.setup_model import SetupModel
from tests.support.fake_engine import FACTS, finished_run, inspected


@pytest.fixture
def models(qapp):
    return ModelList()


@pytest.fixture
def setup(models):
    made = SetupModel(models)
    made.set_facts(FACTS)
    return made


def add(models, path="/m.jit", **changes):
    entry = models.add(path)
    models.apply(inspected(path, **changes))
    return entry


def test_what_is_missing_is_named_step_by_step(setup, models):
    """No model, not looked at yet, no class, open sizes, nothing possible, ready."""
    assert setup.missing() == "run.no-model"
    models.add("/w.pth")
    assert setup.missing() == "run.inspecting"
    models.apply(inspected("/w.pth", kind="state-dict"))
    assert setup.missing() == "run.needs-class"
    models.set_architecture("/nets.py:Net")
    models.set_inputs((InputSpec(name="x", shape=("B", 3, "H", 64)),))
    assert setup.missing() == "run.needs-sizes"
    models.set_input_text(0, "x=f32[B,3,64,64]")
    setup.set_axes(Axes(devices=("cuda:0",)))
    assert setup.missing() == "run.nothing-possible"
    setup.set_axes(Axes())
    assert setup.missing() is None


def test_the_job_is_what_was_chosen(setup, models):
    """Model, class, inputs, cells and plan reach the engine."""
    add(models, "/w.pth", kind="state-dict")
    models.set_architecture("/nets.py:Net(3)")
    models.set_input_text(0, "f32[B,8]")
    setup.set_axes(Axes(precisions=("fp32", "bf16"), batches=(1, 4)))
    setup.set_plan("quick")
    job = setup.job(trusted=True)
    assert (job.model.path, job.model.architecture, job.model.trusted, job.plan.name) == ("/w.pth", "/nets.py:Net(3)", True, "quick")
    assert [(each.precision, each.batch_size) for each in job.configurations] == [("fp32", 1), ("fp32", 4), ("bf16", 1), ("bf16", 4)]
    assert [format_input(spec) for spec in job.inputs] == ["f32[B,8]"]
    assert setup.job().id != job.id


def test_cells_that_cannot_exist_stay_out_of_the_job_and_are_counted(setup, models):
    """The note under the settings says how many and why."""
    add(models, kind="state-dict")
    setup.set_axes(Axes(precisions=("fp32", "bf16"), quantizations=("dynamic-int8",), batches=(1, 2)))
    assert len(setup.possible()) == 2
    (choice, count), = setup.left_out()
    assert (choice.code, count) == ("int8-needs-fp32", 2)


def test_the_last_value_of_an_axis_stays(setup):
    """There is always a device to run on."""
    setup.toggle("precisions", "bf16", chosen=True)
    setup.toggle("precisions", "fp32", chosen=False)
    setup.toggle("precisions", "bf16", chosen=False)
    assert setup.axes.precisions == ("bf16",)


def test_chips_keep_the_order_of_the_axis(setup):
    """Choosing in another order changes nothing."""
    setup.toggle("precisions", "bf16", chosen=True)
    setup.toggle("precisions", "fp16", chosen=True)
    assert setup.axes.precisions == ("fp32", "fp16", "bf16")


def test_more_cells_take_longer(setup, models):
    """The estimate follows the matrix and the plan."""
    add(models)
    one = setup.estimate_s()
    setup.set_axes(Axes(batches=(1, 8, 32)))
    three = setup.estimate_s()
    setup.set_plan("quick")
    assert three > one > 0
    assert setup.estimate_s() < three


def test_a_refused_file_leaves_the_list(models, qtbot):
    """The refusal is handed on, and the model before it is current again."""
    add(models, "/a.jit")
    models.add("/b.pth")
    with qtbot.waitSignal(models.refused):
        models.apply(inspected("/b.pth", info=None))
    assert [entry.name for entry in models.entries] == ["a.jit"]
    assert models.current.name == "a.jit"


def test_a_file_opened_twice_stands_once(models):
    """It becomes current again."""
    add(models, "/a.jit")
    add(models, "/b.jit")
    models.add("/a.jit")
    assert len(models.entries) == 2 and models.current.name == "a.jit"


@pytest.mark.parametrize(("removed", "current"), [(0, "c"), (2, "b"), (1, "c")])
def test_taking_a_model_off_keeps_a_current_one(models, removed, current):
    """The index follows what is left."""
    for name in "abc":
        add(models, f"/{name}")
    models.remove(removed)
    assert models.current.name == current


def test_inputs_are_edited_as_specs(models):
    """Changed, appended, removed; a spec that cannot be read changes nothing."""
    add(models, inputs=(InputSpec(name="x", shape=("B", 3), source="declared"),))
    models.set_input_text(0, "x=f32[B,4]")
    models.set_input_text(1, "16000")
    assert [format_input(spec) for spec in models.current.inputs] == ["x=f32[B,4]", "16000"]
    with pytest.raises(InputError):
        models.set_input_text(0, "f99[B]")
    models.set_input_text(0, "")
    assert [format_input(spec) for spec in models.current.inputs] == ["16000"]


def test_guessed_inputs_come_back_with_the_run(setup, models):
    """What the worker guessed can be seen and changed afterwards; what was given stays."""
    add(models)
    job = setup.job()
    guessed = finished_run(job, models.current.info)
    guessed = type(guessed)(model=models.current.info, inputs=(InputSpec(shape=("B", 8), source="guessed"),))
    models.learn_inputs(guessed)
    assert models.current.inputs[0].source == "guessed"
    models.set_input_text(0, "f32[B,9]")
    models.learn_inputs(guessed)
    assert models.current.inputs[0].shape == ("B", 9)


def test_typed_lists_take_chinese_punctuation_and_come_back():
    """A full-width comma or colon is what a Chinese keyboard gives."""
    assert parse_batch_text("1，8、32") == (1, 8, 32)
    assert parse_batch_text("1：8") == (1, 2, 4, 8)
    assert parse_threads_text("") == () == parse_batch_text("")
    assert parse_batch_text(format_list((1, 8))) == (1, 8)


def test_a_class_is_named_as_on_the_command_line(tmp_path):
    """Path, name and literal arguments."""
    from engine.classes import ClassEntry

    assert architecture_of("/n.py", ClassEntry(name="Net", line=1)) == "/n.py:Net"
    assert architecture_of("/n.py", ClassEntry(name="Net", line=1), " depth=3 ") == "/n.py:Net(depth=3)"


def test_switches_multiply_and_the_gap_goes_with_the_job(setup, models):
    """Defaults are no options."""
    add(models)
    setup.set_axes(Axes(grads=("inference", "kept"), modes=("eval", "train"), idle_gap_s=0.1))
    job = setup.job()
    assert [each.options for each in job.configurations] == [{}, {"mode": "train"}, {"grad": "kept"}, {"grad": "kept", "mode": "train"}]
    assert (job.idle_gap_s, job.compare_outputs) == (0.1, False)


def test_a_model_that_has_no_switches_runs_plain(setup, models):
    """What was chosen for another model, or by another program, stays in the axes and out of the job."""
    add(models, "/m.pt2", kind="exported-program")
    setup.set_axes(Axes(grads=("no_grad", "dreamt"), modes=("train",)))
    assert (setup.chosen("modes"), setup.chosen("grads")) == (("eval",), ("no_grad",))
    assert [cell.configuration.options for cell in setup.possible()] == [{"grad": "no_grad"}]
    assert setup.axes.modes == ("train",)


def test_a_teaching_run_throws_each_switch_alone(setup, models):
    """From the first row whose batch is a number, with the answers compared; the chips that are down change nothing."""
    add(models)
    models.set_inputs((InputSpec(shape=("B", 3, 8, 8)),))
    setup.set_axes(Axes(batches=("max", 4), grads=("kept",), threads=(2,)))
    job = setup.job(teach=True)
    assert job.compare_outputs and {each.batch_size for each in job.configurations} == {4}
    assert [each.options for each in job.configurations] == [
        {}, {"grad": "no_grad"}, {"grad": "kept"}, {"grad": "backward"}, {"mode": "train"}, {"memory_format": "channels_last"}, {}, {},
    ]
    assert [each.threads for each in job.configurations] == [2] * 6 + [1, 4]


def test_without_a_model_there_is_nothing_to_teach(setup):
    assert setup.lessons() == ()
