"""`inspect FILE`: readable answer, JSON by the contract, two lines for an error; no torch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from engine.commands.inspect import main
from tests.support import model_files as make

ROOT = Path(__file__).parents[3]
MODEL_KEYS = {"path", "sha256", "kind", "values", "parameters", "buffers", "file_bytes", "weights_bytes", "dtypes", "architecture", "trusted"}


@pytest.fixture
def model(tmp_path):
    """A state dict."""
    path = tmp_path / "</script><img src=x onerror=alert(1)>" / "模型 one.pth"
    path.parent.mkdir(parents=True)
    path.write_bytes(make.zipped(make.state_dict("cuda:0")))
    return path


def test_says_what_it_is(model, capsys):
    """Kind, counts and where the tensors were saved, in words; nothing on standard error."""
    assert main([str(model)]) == 0
    out, err = capsys.readouterr()
    lines = dict(line.split(maxsplit=1) for line in out.splitlines())
    assert (lines["kind"], lines["tensors"], lines["file"]) == ("state-dict", "6", str(model))
    assert "125 (124 float32, 1 int64)" in out
    assert "cuda:0" in out
    assert err == ""


def test_json_by_the_contract(model, tmp_path, capsys):
    """The names that other programs rely on."""
    target = tmp_path / "out.json"
    assert main([str(model), "--json", str(target)]) == 0
    content = json.loads(target.read_bytes())
    assert content["model"].keys() >= MODEL_KEYS
    assert content["model"]["path"] == str(model)
    assert (content["inputs"], content["candidates"], content["requires_trust"], content["unsafe_globals"]) == (None, [], False, [])
    capsys.readouterr()


def test_declared_inputs_in_json(tmp_path, capsys):
    """An ONNX file declares its inputs; weights among them are none."""
    path, target = tmp_path / "m.onnx", tmp_path / "out.json"
    path.write_bytes(make.onnx(inputs=(make.onnx_input("x", ("batch", 3, None, None)), make.onnx_input("ids", ("batch", "length"), 7),
                                       make.onnx_input("w", (2,)), make.onnx_input("n", (), 7)), initializers=(make.onnx_tensor("w", (2,)),)))
    assert main([str(path), "--json", str(target)]) == 0
    inputs = json.loads(target.read_bytes())["inputs"]
    assert [(one["name"], one["dtype"], one["shape"], one["source"]) for one in inputs] == [
        ("x", "float32", ["B", 3, "H", "W"], "declared"), ("ids", "int64", ["B", "length"], "declared"), ("n", "int64", [], "declared")]
    assert "x: float32 [B, 3, H, W]; ids: int64 [B, length]" in capsys.readouterr().out


def test_code_in_the_file_is_announced(tmp_path, capsys):
    """What a whole module calls, with grades."""
    path, target = tmp_path / "m.pt", tmp_path / "out.json"
    path.write_bytes(make.zipped(make.net()))
    assert main([str(path), "--json", str(target)]) == 0
    content = json.loads(target.read_bytes())
    assert content["requires_trust"] is True
    assert content["unsafe_globals"] == ["__main__.Net", "torch.nn.modules.linear.Linear"]
    out = capsys.readouterr().out
    assert "__main__.Net (unknown)" in out and "--trust" in out


def test_harmless_values_beside_the_weights_are_told_and_ask_nothing(tmp_path, capsys):
    """They are not made; their names stay known."""
    path, target = tmp_path / "m.pth.tar", tmp_path / "out.json"
    path.write_bytes(make.zipped({"state_dict": make.state_dict(), "args": make.Made(make.Ref("argparse", "Namespace"), (), {"lr": 0.1}, new=True)}))
    assert main([str(path), "--json", str(target)]) == 0
    content = json.loads(target.read_bytes())
    assert (content["requires_trust"], content["unsafe_globals"], content["grades"]) == (False, [], {"argparse.Namespace": "harmless"})
    assert "runs no code of the file's; beside the weights, and not made: argparse.Namespace" in capsys.readouterr().out


@pytest.mark.parametrize("content", [b"", b"<html>", make.pickled(make.Made(make.Ref("posix", "system"), ("true",)))])
def test_refusals_are_two_lines_and_exit_2(tmp_path, capsys, content):
    """What is wrong with which thing; what to do. No file is written."""
    path, target = tmp_path / "m.pth", tmp_path / "out.json"
    path.write_bytes(content)
    assert main([str(path), "--json", str(target)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 2
    assert "m.pth" in err.splitlines()[0]
    assert not target.exists()


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["a", "--jso"], ["--json"]])
def test_wrong_arguments_are_two_lines_and_exit_2(capsys, arguments):
    """The same form for what argparse finds."""
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_json_that_cannot_be_written(model, tmp_path, capsys):
    """The answer stands on standard output; exit 5 says that the file is missing."""
    assert main([str(model), "--json", str(tmp_path / "no" / "folder.json")]) == 5
    out, err = capsys.readouterr()
    assert "state-dict" in out
    assert "folder.json" in err and len(err.splitlines()) == 2


def test_help_is_not_an_error(capsys):
    """--help prints and ends with 0."""
    assert main(["--help"]) == 0
    assert "FILE" in capsys.readouterr().out


def test_no_torch_and_any_terminal(model):
    """The command imports no torch, onnx or Qt, and prints on a terminal that knows ASCII only."""
    text = ("import sys\nfrom engine.commands.inspect import main\ncode = main(sys.argv[1:])\n"
            "assert not {'torch', 'onnx', 'onnxruntime', 'PySide6'} & set(sys.modules), 'imported'\nsys.exit(code)")
    done = subprocess.run([sys.executable, "-c", text, model], capture_output=True, text=True, cwd=ROOT, timeout=30, env={"PYTHONIOENCODING": "ascii", "PATH": ""})
    assert (done.returncode, done.stderr) == (0, "")
    assert "?? one.pth" in done.stdout


# -- what else is known without running it -----------------------------------------------------------------------------

NET = "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.conv = nn.Conv2d(3, 4, 3)\n        self.norm = nn.BatchNorm2d(4)\n"


def content_of(path, tmp_path, *more):
    """The JSON of an inspection that goes well."""
    target = tmp_path / "out.json"
    assert main([str(path), "--json", str(target), *more]) == 0
    return json.loads(target.read_bytes())


def test_where_it_was_saved_and_where_it_goes(model, capsys):
    """The phrase of the model card."""
    assert main([str(model)]) == 0
    assert "cuda:0, loaded to cpu" in capsys.readouterr().out


def test_candidates_beside_the_weights(model, tmp_path, capsys):
    """Found by their source alone: what does not fit is not known, and is null."""
    (model.parent / "net.py").write_text(NET)
    (best, *_) = content_of(model, tmp_path)["candidates"]
    assert best["architecture"] == f"{model.parent / 'net.py'}:Net"
    assert (best["origin"], best["perfect"], best["missing"], best["missing_count"]) == ("file", False, None, None)
    assert 0.5 < best["score"] <= 1
    assert f"{model.parent / 'net.py'}:Net  (file)".split()[0] in capsys.readouterr().out


def test_candidates_in_a_file_that_is_named(model, tmp_path, capsys):
    """Somewhere else, handed over with --arch."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "net.py").write_text(NET)
    (best, *_) = content_of(model, tmp_path, "--arch", str(tmp_path / "elsewhere" / "net.py"))["candidates"]
    assert best["architecture"] == f"{tmp_path / 'elsewhere' / 'net.py'}:Net"
    capsys.readouterr()


def test_another_place_of_a_checkpoint(tmp_path, capsys):
    """Counts, first layer and candidates are about the weights that lie there; an unknown place is answered with those that there are."""
    path = tmp_path / "c.ckpt"
    weights = {"conv.weight": make.tensor("9", 4, 3, 3, 3), "conv.bias": make.tensor("8", 4), "head.weight": make.tensor("7", 2, 4), "head.bias": make.tensor("6", 2)}
    path.write_bytes(make.zipped({"model": make.state_dict(), "critic": weights}))
    (tmp_path / "net.py").write_text(NET.replace("self.norm = nn.BatchNorm2d(4)", "self.head = nn.Linear(4, 2)"))
    first, content = content_of(path, tmp_path), content_of(path, tmp_path, "--weights-at", "critic")
    assert (content["model"]["weights_at"], content["model"]["tensors"], content["model"]["values"]) == ("critic", 4, 122)
    assert content["first_layer"]["values"]["channels"] == 3 and content["fingerprint"] != first["fingerprint"]
    assert [each["score"] for each in content["candidates"]] == [1.0] and all(each["score"] < 1 for each in first["candidates"])
    assert "weights at   critic" in capsys.readouterr().out
    assert main([str(path), "--weights-at", "best"]) == 2
    assert "model, critic" in capsys.readouterr().err.splitlines()[1]


def test_facts_of_a_whole_module_of_a_script(tmp_path, capsys):
    """The class that it lacks, in text and JSON, with the mistake explained."""
    path = tmp_path / "m.pt"
    path.write_bytes(make.zipped(make.net()))
    content = content_of(path, tmp_path)
    assert content["missing_classes"] == ["__main__.Net"]
    assert content["first_layer"] is None or content["first_layer"]["sentence"]
    assert [note["code"] for note in content["notes"]].count("note-module-needs-class") == 1
    out = capsys.readouterr().out
    assert "class is in  __main__.Net" in out
    assert "The code that works" in out


@pytest.mark.parametrize(("option", "value"), [("--trust", None), ("--input", "f32[B,3]"), ("--python", "python3"), ("--arch", "a.b:C"), ("--allow-missing", None)])
def test_options_of_deep_alone_are_refused(model, capsys, option, value):
    """Two lines that name the option."""
    assert main([str(model), option, *([value] if value else [])]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert option in first
    assert "--deep" in second


def test_an_examination_in_rows_and_json(tmp_path):
    """Inputs with their origin, outputs, the parts of loading; what could not be measured is left out."""
    from engine.candidates import Fit
    from engine.commands import facts
    from engine.events import FileInspected, ModelExamined
    from engine.job import InputSpec, ModelSource
    from engine.result import Reason
    from engine.words import failure

    examined = ModelExamined(
        path="/m.pth", source=ModelSource("/m.pth", "state-dict", "a.py:Net(width=3)"), inputs=(InputSpec(shape=("B", 3), source="guessed", ran=True),), outputs="[B, 4]",
        parameters=10, buffers=None, architecture="Net", fit=Fit(matching=1, keys=2, missing=("x",), missing_count=1), phases_ms={"load": 12.0, "reading": 9.0}, load_peak_bytes=1 << 20,
    )
    rows = dict(facts.examined_rows(examined))
    assert (rows["input"], rows["outputs"], rows["fit"], rows["buffers"]) == ("f32[B,3] (guessed, ran)", "[B, 4]", "missing x", None)
    assert rows["load"] == "12.0 ms, reading 9.00 ms, peak memory 1.00 MiB"
    inspected = FileInspected(path="/m.pth", inputs=None)
    content = json.loads(facts.as_json(inspected, (), examined))
    assert (content["inputs"][0]["ran"], content["deep"]["architecture"], content["deep"]["failure"]) == (True, "a.py:Net(width=3)", None)
    refused = json.loads(facts.as_json(inspected, (), None, failure("class-mismatch", "class-needed", {"tensors": 1, "values_count": 2})))
    assert refused["deep"]["failure"]["say"] == "class-needed"
    assert "deep" not in json.loads(facts.as_json(inspected))
    proved = Reason("first-layer-conv2d-from", {"least": 11}, "any height and width from 11")
    examined = msgspec.structs.replace(examined, first_layer=proved, least_batch=4)
    content = json.loads(facts.as_json(msgspec.structs.replace(inspected, first_layer=Reason("first-layer-conv2d")), (), examined))
    assert content["first_layer"] == content["deep"]["first_layer"] and content["first_layer"]["values"] == {"least": 11} and content["deep"]["least_batch"] == 4
    assert dict(facts.examined_rows(examined))["wants"] == "any height and width from 11"
