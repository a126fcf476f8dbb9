"""The whole path in a real window: drop a model from another program, then its class, run, watch, save the page, read it in a browser."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from tests.support import nets
from tests.support.chromium import opened
from tests.support.desktop import desk, until, xdotool

pytestmark = pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="needs X11 and xdotool")


@pytest.fixture
def home(tmp_path):
    """Places of its own, and a settled window size: 1280 x 800 at the corner of the screen."""
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def test_drop_class_run_watch_save(home, tmp_path, models_folder):
    model = tmp_path / "模型 one.pth"
    shutil.copy(models_folder / "pnet.pt", model)
    shutil.copy(nets.__file__, tmp_path / "nets.py")
    with desk(home) as window:
        window.widget("emptyState")
        window.picture(tmp_path / "empty.png")
        window.drag(model, home, lambda: window.ask("rows", name="modelList") == [["模型 one.pth"]])
        window.drag(tmp_path / "nets.py", home, lambda: window.ask("widget", name="trustDialog"))
        window.click("trustOnceButton")
        until(lambda: any("PNet" in text for text in window.ask("texts", name="modelCard")), "the class that fits", 60)
        window.picture(tmp_path / "class.png")
        window.click("runButton")
        until(lambda: any("measuring" in text for text in window.ask("texts", name="statusStrip")), "the run to begin")
        first = window.picture(tmp_path / "live1.png", "latencyPlot")
        until(lambda: window.picture(tmp_path / "live2.png", "latencyPlot") != first, "the graph to move", 10)
        memory = window.picture(tmp_path / "memory1.png", "memoryPlot")
        until(lambda: window.picture(tmp_path / "memory2.png", "memoryPlot") != memory, "the memory graph to move", 10)
        window.picture(tmp_path / "running.png")
        until(lambda: (button := window.ask("widget", name="saveReportButton")) and button["enabled"], "the run to end", 90)
        window.picture(tmp_path / "done.png")
        (row,) = window.ask("rows", name="resultsTable")
        assert "torch" not in window.ask("modules"), "the model ran in the window's process"
        page_path = save_report(window, tmp_path / "<img src=x onerror=alert(1)>.html")
        close(window)
    with opened(page_path) as page:
        assert page.errors == []
        assert page.evaluate("document.getElementById('p50').textContent.trim()") == row[1]
        assert "模型 one.pth" in page.text()
    (saved,) = (home / "history").glob("*.json")
    assert [outcome["status"] for outcome in json.loads(saved.read_bytes())["outcomes"]] == ["ok"]


def save_report(window, path):
    """Save the page through the file dialog, typing the path."""
    window.click("saveReportButton")
    window.widget("fileNameEdit")
    xdotool("key", "ctrl+a", "type", "--delay", "8", str(path))
    xdotool("key", "Return")
    until(path.exists, path.name, 30)
    return path


def close(window):
    """Close the window with the keyboard; the program ends with 0."""
    # No window manager gives the focus back after a dialog: a click does.
    window.click("statusStrip")
    xdotool("key", "ctrl+q")
    until(lambda: window.process.poll() is not None, "the program to end", 10)
    said = window.process.communicate()[0].decode()
    assert (window.process.returncode, said) == (0, "")
