"""A whole module beside the script that saved it, in the real window: the script is named and offered, and after a yes the model runs with its class."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from tests.end2end.test_drop_run_save import close
from tests.support.desktop import desk, until

pytestmark = [pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="needs X11 and xdotool"), pytest.mark.slow]
SCRIPT = """
import sys, torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(8, 4)

    def forward(self, x):
        return self.layer(x)

open("trained", "a").write("once ")
torch.save(Net(), sys.argv[1])
"""


def test_the_script_beside_a_module_is_offered_and_loads_it(tmp_path):
    """Dropped alone: the card names the file, the picker has it chosen, nothing runs before the yes, and no training begins."""
    folder, home = tmp_path / "tutorial", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    (folder / "train.py").write_text(SCRIPT)
    subprocess.run([sys.executable, "train.py", "whole.pth"], cwd=folder, check=True, timeout=60)
    with desk(home) as window:
        window.widget("emptyState")
        window.drag(folder / "whole.pth", home, lambda: window.ask("rows", name="modelList"))
        until(lambda: any("train.py beside it defines Net" in each.replace("\u200b", "") for each in window.ask("texts", name="modelCard")), "the file to be named")
        window.click("chooseClassButton")
        window.widget("classPicker")
        window.picture(tmp_path / "picker.png", "classPicker")
        window.click("useClassButton")
        until(lambda: window.ask("widget", name="classPicker") is None, "the choice")
        assert not window.ask("rows", name="inputsTable") or "ran" not in window.ask("rows", name="inputsTable")[0][4]
        window.click("findInputsButton")
        window.click("trustOnceButton")
        until(lambda: [row[4] for row in window.ask("rows", name="inputsTable")] == ["guessed (ran)"], "the inputs", 60)
        close(window)
    assert (folder / "trained").read_text() == "once "
