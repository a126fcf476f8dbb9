"""`profile` in this process: exit codes, two-line errors, what is written; plans of a tenth of a second and one fork server for all."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from engine import history, sampling
from engine.commands import profile
from engine.files import inspect_in_child
from engine.job import PLANS
from engine.units import format_duration_ms
from tests.support import jobs, model_files, nets, schema
from tests.support.command import two_lines
from tests.support.warm import WarmEngine

NETS = jobs.NETS


@pytest.fixture(scope="module", autouse=True)
def servers():
    """The fork servers end with the module."""
    yield
    WarmEngine.close_servers()


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of `nets.Linears`."""
    return jobs.save(tmp_path_factory.mktemp("weights"), nets.Linears())


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Where history and cache lie."""
    monkeypatch.setenv("MODEL_DYNO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def command(home, tmp_path, monkeypatch, capsys):
    """Call it: (exit code, standard output, standard error)."""
    monkeypatch.setattr(profile, "Engine", WarmEngine)
    monkeypatch.setitem(PLANS, "quick", jobs.BRIEF)
    monkeypatch.setitem(PLANS, "standard", jobs.TURNS)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        code = profile.main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return code, out, err

    return call


@pytest.fixture
def linears(command, weights):
    """Call it for the weights of `nets.Linears`, quickly."""
    return lambda *more: command(weights, "--arch", f"{NETS}:Linears", "--input", "f32[B,16]", "--plan", "quick", *more)


@pytest.fixture
def misbehaving(command, weights):
    """Call it for a network that does `what` from call `at` on."""

    def call(what, at, *more):
        return command(weights, "--arch", f"{NETS}:Misbehaving({what!r}, {at})", "--input", "f32[B,16]", "--plan", "quick", *more)

    return call


@pytest.fixture(scope="module")
def linears_inspected(weights):
    """What the file of weights is."""
    return inspect_in_child(str(weights))


@pytest.fixture
def inspected_once(linears_inspected, monkeypatch):
    """For tests that are about what comes after the inspection: it was done before."""
    monkeypatch.setattr(WarmEngine, "inspect", lambda engine, path, near=(), at=None: linears_inspected)


def kept(home):
    return sorted((home / "history").glob("*.json"))


# -- what it does ------------------------------------------------------------------------------------------------------


def test_it_measures_and_writes_all_that_was_asked_for(linears, home, tmp_path):
    code, out, err = linears("--batch", "1,3", "--json", "run.json", "--report", "page.html", "--samples", "all.npz")
    assert (code, err) == (0, "")
    run = json.loads((tmp_path / "run.json").read_bytes())
    schema.check_run(run)
    assert [outcome["configuration"]["batch_size"] for outcome in run["outcomes"]] == [1, 3]
    header, first, second = out.splitlines()
    assert header.split()[:3] == ["configuration", "p50", "p99"]
    for line, outcome in ((first, run["outcomes"][0]), (second, run["outcomes"][1])):
        assert format_duration_ms(outcome["latency"]["p50_ms"]) in line
        assert format_duration_ms(outcome["latency"]["p50_ms"]) in (tmp_path / "page.html").read_text(encoding="utf-8")
    with np.load(tmp_path / "all.npz") as samples:
        assert len(samples["outcome1_latency_ns"]) == run["outcomes"][1]["samples"]["count"]
    (path,) = kept(home)
    assert history.load_run(path).id == run["id"]


def test_no_history_keeps_nothing(linears, home):
    assert linears("--no-history")[0] == 0
    assert kept(home) == []


def test_samples_hold_what_the_run_had_to_reduce(linears, monkeypatch, tmp_path):
    whole = sampling.encode_for_run
    monkeypatch.setattr("engine.recorder.encode_for_run", lambda arrays: whole(arrays, limit=20))
    assert linears("--json", "run.json", "--samples", "all.npz")[0] == 0
    (outcome,) = json.loads((tmp_path / "run.json").read_bytes())["outcomes"]
    with np.load(tmp_path / "all.npz") as samples:
        steady = samples["outcome0_latency_ns"][samples["outcome0_phase"] == sampling.STEADY]
        assert outcome["samples"]["count"] <= 20 < len(steady) == outcome["latency"]["count"]
        assert len(samples["outcome0_start_ns"]) == outcome["samples"]["reduced_from"]


def test_each_configuration_runs_once_however_often_it_is_named(linears, tmp_path):
    assert linears("--batch", "1,1,1:1", "--threads", "1,1", "--precision", "amp,amp-bf16,fp32,fp32", "--device", "auto,cpu", "--json", "run.json")[0] == 0
    outcomes = json.loads((tmp_path / "run.json").read_bytes())["outcomes"]
    assert [outcome["configuration"]["precision"] for outcome in outcomes] == ["amp-bf16", "fp32"]


def test_lists_multiply(linears, tmp_path):
    code, _, err = linears("--batch", "1:4", "--precision", "fp32,bf16", "--quantization", "none,dynamic-int8", "--json", "run.json")
    assert (code, err) == (0, "")
    outcomes = json.loads((tmp_path / "run.json").read_bytes())["outcomes"]
    assert len(outcomes) == 12
    # int8 under bf16 cannot be: those are no failure, and have their reason.
    assert [outcome["status"] for outcome in outcomes].count("unsupported") == 3
    assert all(outcome["status"] == "ok" for outcome in outcomes if outcome["error"] is None)
    int8 = [outcome for outcome in outcomes if outcome["configuration"]["quantization"] == "dynamic-int8" and outcome["status"] == "ok"]
    assert [note["values"]["swapped"] for outcome in int8 for note in outcome["notes"] if note["code"] == "swapped"] == [2, 2, 2]


def test_a_demo_writes_its_page_here_and_prints_where(command, tmp_path):
    code, out, err = command("--demo", "--plan", "quick")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == str(tmp_path / "model-dyno-demo.html")
    assert (tmp_path / "model-dyno-demo.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_demo_in_a_folder_that_takes_no_file_writes_to_the_history_folder(command, home, monkeypatch):
    monkeypatch.chdir("/proc")
    code, out, err = command("--demo", "--plan", "quick")
    assert (code, err) == (0, "")
    assert out.splitlines()[-1] == str(home / "history" / "model-dyno-demo.html")


def test_the_printed_command_measures_the_same_again(linears, command, tmp_path):
    assert linears("--batch", "1,2", "--precision", "amp", "--timeout", "7.5", "--json", "first.json")[0] == 0
    first = json.loads((tmp_path / "first.json").read_bytes())
    words = shlex.split(first["command"])
    assert words[:3] == ["python3", "main.py", "profile"]
    assert command(*words[3:], "--json", "second.json")[0] == 0
    second = json.loads((tmp_path / "second.json").read_bytes())
    for name in ("inputs", "plan", "command"):
        assert first[name] == second[name]
    assert [outcome["configuration"] for outcome in first["outcomes"]] == [outcome["configuration"] for outcome in second["outcomes"]]


def test_a_class_file_in_a_folder_with_parentheses(command, weights, tmp_path):
    folder = tmp_path / "models (1) 模型"
    folder.mkdir()
    (folder / "my nets.py").write_bytes(NETS.read_bytes())
    assert command(weights, "--arch", "models (1) 模型/my nets.py:Linears(width=16)", "--input", "f32[B,16]", "--plan", "quick")[0] == 0


@pytest.mark.slow
def test_a_class_of_a_package_on_the_users_path(command, weights, tmp_path, monkeypatch):
    package = tmp_path / "lib" / "somebodys_nets"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "small.py").write_bytes(NETS.read_bytes())
    monkeypatch.setenv("MODEL_DYNO_PYTHONPATH", str(tmp_path / "lib"))
    WarmEngine.close_servers()      # a fork server keeps the environment that it was started with
    assert command(weights, "--arch", "somebodys_nets.small:Linears", "--input", "f32[B,16]", "--plan", "quick")[0] == 0
    WarmEngine.close_servers()


@pytest.mark.slow
def test_a_pipe_that_is_closed_early_loses_no_file(weights, home, tmp_path):
    """As in `profile ... | head -0`: in a process of its own, since it is about the end of the interpreter."""
    text = (
        "import sys\nfrom engine.commands import profile\nfrom engine.job import PLANS\nfrom tests.support import jobs\nPLANS['quick'] = jobs.BRIEF\n"
        "sys.exit(profile.main(sys.argv[1:]))"
    )
    read, write = os.pipe()
    os.close(read)
    arguments = [str(weights), "--arch", f"{NETS}:Linears", "--input", "f32[B,16]", "--plan", "quick", "--json", str(tmp_path / "run.json")]
    done = subprocess.run(
        [sys.executable, "-c", text, *arguments], stdout=write, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3], timeout=60,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONIOENCODING": "ascii"},
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "")
    schema.check_run(json.loads((tmp_path / "run.json").read_bytes()))


# -- files made here: everything that the contract promises of a run ----------------------------------------------------


def checked(command, tmp_path, *arguments, said=""):
    """A run that must go well, with nothing but `said` on standard error."""
    code, _, err = command(*arguments, "--plan", "quick", "--json", "run.json", "--report", "page.html")
    assert (code, err) == (0, said)
    run = json.loads((tmp_path / "run.json").read_bytes())
    schema.check_run(run)
    for outcome in run["outcomes"]:
        assert format_duration_ms(outcome["latency"]["p50_ms"]) in (tmp_path / "page.html").read_text(encoding="utf-8")
    return run


def test_a_whole_module_under_trust_with_a_guessed_input(command, tmp_path):
    torch.save(torch.nn.Sequential(torch.nn.Linear(16, 4), torch.nn.ReLU()), tmp_path / "<script>alert(1)<img src=x onerror=alert(1)>.pth")
    run = checked(command, tmp_path, "<script>alert(1)<img src=x onerror=alert(1)>.pth", "--trust", said="Guessed the inputs, and the model ran with them: f32[B,16]\n")
    assert (run["model"]["kind"], run["model"]["trusted"], run["inputs"][0]["source"]) == ("module", True, "guessed")
    assert "<img src=x" not in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_traced_module_and_data_from_a_file(command, tmp_path):
    torch.jit.trace(nets.Linears().eval(), torch.zeros(1, 16)).save(str(tmp_path / "模型 one.pt"))
    np.save(tmp_path / "rows.npy", np.zeros((3, 16), np.float32))
    run = checked(command, tmp_path, "模型 one.pt", "--input", "@rows.npy", "--batch", "2,5")
    assert (run["model"]["kind"], run["model"]["path"], run["inputs"][0]["data_path"]) == ("torchscript", str(tmp_path / "模型 one.pt"), str(tmp_path / "rows.npy"))


def test_an_onnx_graph_says_what_it_wants(command, tmp_path):
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(torch.ones(16, 4).numpy(), "w")
    given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", size]) for name, size in (("x", 16), ("y", 4)))
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "one", [given], [made], [weight])
    (tmp_path / "m.onnx").write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    run = checked(command, tmp_path, "m.onnx", "--batch", "1,4")
    assert [(spec["name"], spec["shape"], spec["source"]) for spec in run["inputs"]] == [("x", ["B", 16], "declared")]


@pytest.mark.parametrize("kind", ["onnx", "pt2"])
@pytest.mark.filterwarnings("ignore")
def test_a_batch_that_the_file_fixes(command, tmp_path, kind):
    """Its rows are labelled and counted as what they are, whatever --batch says, and one sentence says why; measured again by its command it is the same."""
    from onnx import TensorProto, helper, numpy_helper

    if kind == "onnx":
        weight = numpy_helper.from_array(torch.ones(16, 4).numpy(), "w")
        given, made = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, size]) for name, size in (("x", 16), ("y", 4)))
        graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "one", [given], [made], [weight])
        (tmp_path / "m.onnx").write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString())
    else:
        torch.export.save(torch.export.export(torch.nn.Linear(16, 4).eval(), (torch.zeros(2, 16),)), tmp_path / "m.pt2")
    code, out, err = command(f"m.{kind}", "--batch", "1,8", "--plan", "quick", "--json", "run.json")
    assert code == 0 and "f32[2,16]" in err and "batch is 2" in err and len(err.splitlines()) == 1 and " b2 " in out and len(out.splitlines()) == 2
    run = json.loads((tmp_path / "run.json").read_bytes())
    (outcome,) = run["outcomes"]
    assert outcome["configuration"]["batch_size"] == 2 and outcome["notes"][0]["code"] == "batch-fixed" and "2, 16" in outcome["code"]
    assert outcome["throughput_per_s"] == pytest.approx(2000 / outcome["latency"]["mean_ms"], rel=0.01)
    again = shlex.split(run["command"])[3:]
    code, _, err = command(*again, "--json", "again.json")
    assert (code, err) == (0, "") and json.loads((tmp_path / "again.json").read_bytes())["outcomes"][0]["configuration"]["batch_size"] == 2


def test_a_model_for_groups_of_four_is_measured_so(command, tmp_path):
    """Its default batch is the one that it was seen to take; one that was asked for stays refused."""
    (tmp_path / "fours.py").write_text(
        "from torch import nn\n\n\nclass Fours(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.last = nn.Linear(3, 4)\n\n"
        "    def forward(self, x):\n        return self.last(x.view(-1, 4, 3))\n"
    )
    torch.save(torch.nn.ModuleDict({"last": torch.nn.Linear(3, 4)}).state_dict(), tmp_path / "w.pth")
    code, _, err = command("w.pth", "--arch", "fours.py:Fours", "--plan", "quick", "--json", "run.json")
    assert code == 0 and "Batch 4: the model refused one row." in err
    assert [outcome["configuration"]["batch_size"] for outcome in json.loads((tmp_path / "run.json").read_bytes())["outcomes"]] == [4]
    code, _, err = command("w.pth", "--arch", "fours.py:Fours", "--plan", "quick", "--batch", "1")
    assert code == 2 and "Use batch 4" in err


def test_an_onnx_graph_refuses_a_wrong_shape(command, models_folder):
    code, _, err = command(models_folder / "ppocr_cls.onnx", "--input", "f32[B,4,48,192]", "--plan", "quick")
    assert code == 2
    two_lines(err)


# -- refused before anything is measured: 2 ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "one FILE"), (["--demo", "a.pth"], "one FILE"), (["a.pth", "b.pth"], "b.pth"), (["a.pth", "--bogus"], "--bogus"), (["a.pth", "--json"], "--json"),
        (["a.pth", "--timeout", "soon"], "soon"), (["a.pth", "--timeout", "-1"], "-1"), (["a.pth", "--timeout", "nan"], "nan"), (["a.pth", "--jso", "x"], "--jso"),
        (["a.pth"], "a.pth"), (["."], "folder"),
    ],
)
def test_arguments_that_make_no_command(command, home, arguments, words):
    code, out, err = command(*arguments)
    assert (code, out) == (2, "")
    assert words in " ".join(two_lines(err))
    assert kept(home) == []


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--precision", "fp8"], "fp8"), (["--precision", "fp32,"], "''"), (["--device", "gpu"], "gpu"), (["--device", "cuda:x"], "cuda:x"), (["--backend", "tvm"], "tvm"),
        (["--quantization", "int3"], "int3"), (["--batch", "0"], "'0'"), (["--batch", "max:0%"], "max:0%"), (["--batch", "8:1"], "8:1"), (["--threads", "many"], "many"),
        (["--plan", "fast"], "fast"), (["--plan", ""], "''"), (["--plan", "quick,standard"], "quick,standard"),
        (["--input", "f32[B,x]"], "size x"), (["--input", "f33[B]"], "f33"), (["--input", ""], "empty"), (["--input", "@nowhere.npy"], "nowhere.npy"),
        (["--arch", "nowhere.py:Net"], "nowhere.py"), (["--arch", "Net"], "Net"), (["--arch", "nets.py:Net(open('x'))"], "plain values"),
        (["--python", "/nowhere/python"], "/nowhere/python"), (["--json", "same", "--report", "same"], "--report"),
    ],
)
def test_values_that_do_not_exist(linears, inspected_once, home, more, word):
    code, out, err = linears(*more)
    assert (code, out) == (2, "")
    first, _ = two_lines(err)
    assert word in first
    assert kept(home) == []


def test_an_output_never_takes_the_models_place(linears, weights):
    before = weights.read_bytes()
    code, _, err = linears("--json", weights)
    assert code == 2
    assert str(weights) in two_lines(err)[0]
    assert weights.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"<!DOCTYPE html><html><body>404</body></html>", b"/home/somebody/project\n", b"import sys\n"], ids=["empty", "html", "path", "import"])
def test_files_that_are_no_models(command, tmp_path, content):
    (tmp_path / "m.pth").write_bytes(content)
    code, out, err = command("m.pth")
    assert (code, out) == (2, "")
    assert "m.pth" in two_lines(err)[0]


def test_a_truncated_download(command, weights, tmp_path):
    (tmp_path / "cut.pth").write_bytes(weights.read_bytes()[:-300])
    code, _, err = command("cut.pth", "--arch", f"{NETS}:Linears")
    assert code == 2
    assert "cut.pth" in two_lines(err)[0]


def test_a_name_that_is_no_unicode(command, weights, tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.pth"
    with open(path, "wb") as stream:
        stream.write(weights.read_bytes())
    code, _, err = command(os.fsdecode(path), "--arch", f"{NETS}:Linears")
    assert code == 2
    assert "\\xff.pth" in err or "\\udcff.pth" in err
    two_lines(err)


def test_a_harmful_pickle_is_never_run(command, tmp_path):
    """Neither alone, nor inside an archive, nor with --trust; only with both words, which is the user's own deed."""
    effect = tmp_path / "effect"
    harm = model_files.harmful(effect)
    (tmp_path / "bare.pth").write_bytes(model_files.pickled(harm))
    (tmp_path / "inside.pth").write_bytes(model_files.zipped(model_files.module(parameters={"weight": model_files.tensor("0", 2, 2)}, buffers={"b": harm})))
    for name in ("bare.pth", "inside.pth"):
        for more in ([], ["--trust"], ["--trust", "--trust-dangerous", "other.pth"], ["--trust-dangerous", name]):
            code, out, err = command(name, "--input", "f32[B,2]", *more)
            assert (code, out) == (2, ""), (name, more)
            assert name in " ".join(two_lines(err))
            assert not effect.exists()
    assert "posix.system" in command("inside.pth", "--input", "f32[B,2]", "--trust")[2]


def test_a_kind_that_is_known_but_not_run(command, tmp_path):
    (tmp_path / "model.pte").write_bytes(b"\x1c\x00\x00\x00ET12" + bytes(200))
    code, _, err = command("model.pte", "--input", "f32[B,2]")
    assert code == 2
    assert "model.pte is of the kind executorch" in two_lines(err)[0]


def test_code_in_a_file_wants_an_explicit_yes(command, tmp_path):
    torch.save(torch.nn.Sequential(torch.nn.Linear(16, 4)), tmp_path / "whole.pt")
    code, out, err = command("whole.pt", "--input", "f32[B,16]", "--plan", "quick")
    assert (code, out) == (2, "")
    first, second = two_lines(err)
    assert "whole.pt contains code" in first
    assert "--trust" in second
    assert command("whole.pt", "--input", "f32[B,16]", "--plan", "quick", "--trust")[0] == 0


def test_weights_without_a_class(command, weights):
    code, _, err = command(weights, "--input", "f32[B,16]")
    assert code == 2
    first, second = two_lines(err)
    assert "4 tensors, 340 values" in first
    assert "--arch" in second


# -- refused by the worker: the class or the input does not fit: 2 ------------------------------------------------------


def test_a_class_that_does_not_fit_names_what_differs(command, weights, tmp_path):
    (tmp_path / "other.py").write_text(
        "from torch import nn\n\n\nclass Other(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first, self.third = nn.Linear(16, 99), nn.Linear(16, 4)\n"
    )
    code, out, err = command(weights, "--arch", "other.py:Other", "--input", "f32[B,16]", "--plan", "quick")
    assert code == 2
    first, _ = two_lines(err)
    assert "Missing: third.weight, third.bias" in first
    assert "Unexpected: second.weight, second.bias" in first
    assert "first.weight [16, 16] (class: [99, 16])" in first
    assert "failed" in out


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("nets.py:Nothing", "defines no Nothing"), ("nets.py:sys", "defines no sys"), ("broken.py:Net", "broken.py could not be imported"), ("lacking.py:Net", "no_such_package"),
        ("plain.py:Plain", "not a torch.nn.Module"), ("nets.py:Linears('wide')", "could not be built"), ("no_such_package.nets:Net", "no_such_package"),
    ],
)
def test_a_class_that_cannot_be_made(command, weights, tmp_path, spec, words):
    (tmp_path / "nets.py").write_bytes(NETS.read_bytes())
    (tmp_path / "broken.py").write_text("def (:\n")
    (tmp_path / "lacking.py").write_text("import no_such_package\n")
    (tmp_path / "plain.py").write_text("class Plain:\n    pass\n")
    code, _, err = command(weights, "--arch", spec, "--input", "f32[B,16]", "--plan", "quick")
    assert code == 2
    assert words in two_lines(err)[0]


def test_two_inputs_of_a_network_that_takes_one(linears):
    code, _, err = linears("--input", "f32[B,7]")
    assert code == 2
    assert two_lines(err)[0] == "Inputs given: 2; forward takes (x)."


def test_a_wrong_shape_of_the_only_input(command, weights):
    code, _, err = command(weights, "--arch", f"{NETS}:Linears", "--input", "f32[B,7]", "--plan", "quick")
    assert code == 2
    first, second = two_lines(err)
    assert "`first` wants 16" in first
    assert "f32[B,16]" in second


def test_one_input_too_many(linears):
    code, _, err = linears("--input", "16000")
    assert code == 2
    assert two_lines(err)[0] == "Inputs given: 2; forward takes (x)."


# -- measured, and nothing ended ok: 3 ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "at", "code", "words"),
    [
        ("fail", 1, "forward-raised", "no such luck"), ("fail", 5, "forward-raised", "no such luck"), ("hoard", 1, "out-of-memory", "4.00 TiB"), ("hoard", 30, "out-of-memory", "4.00 TiB"),
        ("leave", 5, "exited", "code 7"), ("kill", 5, "killed-by-signal", "SIGSEGV"), ("sleep", 5, "timeout", "No answer for 1 s"), ("endless", 1, "timeout", "No answer for 1 s"),
    ],
)
def test_what_a_forward_can_do(misbehaving, home, what, at, code, words):
    exit_code, out, err = misbehaving(what, at, *(("--timeout", "1") if code == "timeout" else ()))
    assert exit_code == 3
    assert words in two_lines(err)[0]
    (path,) = kept(home)
    (outcome,) = history.load_run(path).outcomes
    assert (outcome.error.code, outcome.status) == (code, "out-of-memory" if code == "out-of-memory" else "failed")
    assert outcome.status in out


def test_debug_shows_where_a_forward_raised(weights, command, capsys):
    arguments = [weights, "--arch", f"{NETS}:Misbehaving('fail', 1)", "--input", "f32[B,16]", "--plan", "quick"]
    assert profile.main([*map(str, arguments), "--debug"]) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "nets.py" in err


def test_a_device_that_is_not_here_is_unsupported(linears):
    code, out, err = linears("--device", "cuda:7")
    assert code == 3
    assert "unsupported" in out
    first, second = two_lines(err)
    assert first.endswith("What there is: auto, cpu.")
    assert "doctor" in second


def test_one_failure_beside_a_success_is_one_line_and_0(command, weights, tmp_path):
    (tmp_path / "picky.py").write_text(
        "import torch\nfrom torch import nn\n\n\nclass Picky(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first, self.second = nn.Linear(16, 16), nn.Linear(16, 4)\n\n    def forward(self, x):\n        if len(x) == 2:\n"
        "            raise ValueError('two\\nis one too many')\n        return self.second(self.first(x))\n"
    )
    code, out, err = command(weights, "--arch", "picky.py:Picky", "--input", "f32[B,16]", "--batch", "1,2,3", "--plan", "quick")
    assert code == 0
    assert len(err.splitlines()) == 1
    assert "one too many" in err
    assert len(out.splitlines()) == 4


# -- measured, and not written: 5 --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "path", "words"),
    [("--json", "/dev/full", "full"), ("--report", "/dev/full", "full"), ("--report", "run.txt/page.html", "page.html"), ("--samples", "/proc/no.npz", "no.npz"), ("--report", "nowhere/page.html", "page.html"), ("--json", ".", "")],
)
def test_a_place_that_takes_no_file(linears, home, tmp_path, option, path, words):
    (tmp_path / "run.txt").write_text("a regular file")
    code, out, err = linears(option, path)
    assert code == 5
    assert len(out.splitlines()) == 2
    first, _, last = err.splitlines()
    assert words in first
    (run,) = kept(home)
    assert last.endswith(str(run))
    assert [outcome.status for outcome in history.load_run(run).outcomes] == ["ok"]


def test_a_history_that_cannot_be_kept_is_told(linears, home, tmp_path):
    home.mkdir()
    (home / "history").write_text("a regular file")
    code, out, err = linears("--json", "run.json")
    assert code == 5
    assert "history" in two_lines(err)[0]
    schema.check_run(json.loads((tmp_path / "run.json").read_bytes()))
    assert len(out.splitlines()) == 2


# -- a disk that is full -----------------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 200 KB; where nobody may mount one, a folder with a link to the device that is always full."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = shutil.which("mount") and not subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], capture_output=True).returncode
    if not mounted:
        (place / "page.html").symlink_to("/dev/full")
    yield place
    if mounted:
        subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full_while_the_page_is_saved(linears, home, small_disk):
    page = small_disk / "page.html"
    code, out, err = linears("--report", page)
    assert code == 5
    first, _, last = err.splitlines()
    assert str(page) in first
    assert "full" in first
    (run,) = kept(home)
    assert last.endswith(str(run))
    assert history.load_run(run).outcomes[0].status == "ok"
    assert [path for path in small_disk.iterdir() if not path.is_symlink()] == []
    assert len(out.splitlines()) == 2


def test_a_history_on_a_full_disk_loses_neither_figures_nor_other_files(linears, small_disk, monkeypatch, tmp_path):
    if not os.path.ismount(small_disk):
        pytest.skip("nobody may mount a small disk here")
    (small_disk / "fill").write_bytes(bytes(195 * 1024))
    monkeypatch.setenv("MODEL_DYNO_HOME", str(small_disk / "home"))
    code, out, err = linears("--json", "run.json")
    assert code == 5
    assert "full" in two_lines(err)[0]
    schema.check_run(json.loads((tmp_path / "run.json").read_bytes()))
    assert len(out.splitlines()) == 2
