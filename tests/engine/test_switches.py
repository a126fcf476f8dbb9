"""Switches as options: what can be with what, the teaching set, and rows that really ran with them."""

from __future__ import annotations

import msgspec
import pytest

from engine import switches
from engine.command_line import command_line
from engine.inputs import parse_input
from engine.job import Configuration
from engine.matrix import SettingError, configurations, parse_switch
from engine.supervisor import Engine
from tests.support import jobs, nets

PICTURE, VECTOR = (parse_input("f32[B,3,8,8]"),), (parse_input("f32[B,16]"),)


def test_a_default_is_no_option():
    assert switches.options_of(memory_format="contiguous", grad="inference", mode="eval") == {}
    assert switches.options_of(memory_format="channels_last", grad="kept", mode="train") == {"memory_format": "channels_last", "grad": "kept", "mode": "train"}


def test_lists_multiply_and_unknown_values_are_refused():
    found = configurations(None, "state-dict", grads=("inference", "kept"), modes=("eval", "train"))
    assert [each.options for each in found] == [{}, {"mode": "train"}, {"grad": "kept"}, {"grad": "kept", "mode": "train"}]
    with pytest.raises(SettingError) as caught:
        parse_switch("eval,trian", "mode")
    assert "trian" in caught.value.summary
    assert "eval, train" in caught.value.hint


@pytest.mark.parametrize(("kind", "changes", "code"), [
    ("onnx", {"options": {"grad": "no_grad"}}, "switch-needs-module"),
    ("state-dict", {"options": {"mode": "train"}, "backend": "onnxruntime"}, "switch-needs-module"),
    ("exported-program", {"options": {"mode": "train"}}, "switch-no-modes"),
    ("state-dict", {"options": {"grad": "backward"}, "quantization": "dynamic-int8"}, "switch-needs-floats"),
])
def test_what_cannot_be_has_its_reason(kind, changes, code):
    assert switches.obstacle(kind, Configuration(**changes))[1] == code


@pytest.mark.parametrize(("kind", "options"), [("state-dict", {"mode": "train"}), ("torchscript", {"grad": "kept"}), ("onnx", {}), ("exported-program", {"grad": "no_grad"})])
def test_what_can_be_has_no_obstacle(kind, options):
    assert switches.obstacle(kind, Configuration(options=options)) is None


def test_the_teaching_set_throws_each_switch_alone():
    found = switches.teaching_set(Configuration(threads=1, options={"mode": "train", "micro_batch": 2}), "state-dict", PICTURE, 4)
    assert found[0].options == {"micro_batch": 2}
    assert [switches.thrown(each.options) for each in found] == [[], ["no_grad"], ["kept"], ["backward"], ["train"], ["channels_last"], []]
    assert [each.threads for each in found] == [1, 1, 1, 1, 1, 1, 4]


def test_the_teaching_set_leaves_out_what_cannot_be():
    assert [switches.thrown(each.options) for each in switches.teaching_set(Configuration(threads=2), "state-dict", VECTOR, 2)] == [
        [], ["no_grad"], ["kept"], ["backward"], ["train"], [],
    ]
    assert [each.options for each in switches.teaching_set(Configuration(device="cuda:0"), "onnx", PICTURE, 8)] == [{}]


def test_the_command_line_says_the_switches(tmp_path):
    job, _ = jobs.make_job(jobs.save(tmp_path, nets.Linears()), "Linears", configurations=(Configuration(), Configuration(options={"grad": "kept"})), idle_gap_s=0.1)
    assert "--grad inference,kept" in command_line(job)
    assert "--idle-gap 0.1" in command_line(job)
    assert "--teach" in command_line(msgspec.structs.replace(job, compare_outputs=True))
    assert "--grad" not in command_line(msgspec.structs.replace(job, compare_outputs=True))


@pytest.fixture
def engine(tmp_path):
    made = Engine(history_folder=tmp_path / "history")
    yield made
    made.close()


def run(engine, tmp_path, network, spec, given, rows, **fields):
    job, info = jobs.make_job(jobs.save(tmp_path, network), spec, (given,), rows, **fields)
    return engine.run_job(job, info).outcomes


def test_rows_with_switches_run_each_in_a_worker_of_its_own(engine, tmp_path):
    rows = switches.teaching_set(Configuration(batch_size=2), "state-dict", PICTURE, 2)
    outcomes = run(engine, tmp_path, nets.SmallNormed(), "SmallNormed", "f32[B,3,8,8]", rows, compare_outputs=True)
    assert [outcome.status for outcome in outcomes] == ["ok"] * len(rows)
    by_name = {(switches.thrown(outcome.configuration.options) or [f"{outcome.configuration.threads}t"])[0]: outcome for outcome in outcomes}
    for name in ("1t", "no_grad", "kept", "backward", "channels_last", "2t"):
        assert by_name[name].outputs.max_abs_difference < 1e-5, name
        assert by_name[name].outputs.state_changed is False, name
    assert by_name["train"].outputs.max_abs_difference > 1e-3
    assert by_name["train"].outputs.state_changed is True
    assert by_name["backward"].latency.p50_ms > by_name["no_grad"].latency.p50_ms
    assert "backward-included" in {note.code for note in by_name["backward"].notes}


def test_a_batch_of_one_in_train_mode_is_explained_and_the_next_runs(engine, tmp_path):
    rows = (Configuration(options={"mode": "train"}), Configuration())
    first, second = run(engine, tmp_path, nets.SmallNormed(), "SmallNormed", "f32[B,3,8,8]", rows)
    assert (first.status, first.error.say) == ("failed", "train-batch-one")
    assert "BatchNorm1d" in first.error.summary
    assert second.status == "ok"
    assert second.outputs is None


def test_a_switch_that_cannot_be_is_unsupported(engine, tmp_path):
    rows = (Configuration(options={"grad": "backward"}, quantization="dynamic-int8"), Configuration())
    engine.start()
    first, second = run(engine, tmp_path, nets.Linears(), "Linears", "f32[B,16]", rows)
    assert (first.status, first.error.say, second.status) == ("unsupported", "switch-needs-floats", "ok")
