"""What each switch does, in the real window: a chip is set, the button pressed, the table read; and what was set is still set the next time."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from tests.end2end.test_drop_run_save import close
from tests.support.desktop import desk, until

pytestmark = [pytest.mark.skipif(sys.platform != "linux" or not shutil.which("xdotool"), reason="needs X11 and xdotool"), pytest.mark.slow]


def test_each_switch_once_in_one_table(tmp_path):
    """Time, memory and outputs of each against the plain row."""
    home = tmp_path / "home"
    (home / "settings").mkdir(parents=True)
    (home / "settings" / "settings.json").write_text(json.dumps({"plan": "quick", "more_open": True}))
    with desk(home) as window:
        window.click("demoButton")
        until(lambda: (found := window.ask("widget", name="teachButton")) and found["enabled"], "the demo model to be ready", 60)
        window.scroll_down("setupPane")
        window.click("idleGapBox.on")
        window.click("gradBox.kept")
        until(lambda: "Run 2" in window.widget("runButton")["text"], "two configurations")
        window.click("teachButton")
        (saved,) = until(lambda: _finished(home), "the run to end", 120)
        rows = until(lambda: (found := window.ask("rows", name="teachingTable")) and all("×" in row[1] for row in found[1:]) and found, "every row's figures")
        window.picture(tmp_path / "taught.png")
        names = [row[0] for row in rows]
        assert names[:6] == ["plain", "no_grad", "grad kept", "with backward", "train mode", "channels_last"]
        assert all(row[1] and row[2] != "—" and row[3] != "—" for row in rows)
        by_name = dict(zip(names, rows, strict=True))
        assert by_name["plain"][3] == "same" == by_name["grad kept"][3]
        assert "differ by" in by_name["train mode"][3] and "buffers rewritten" in by_name["train mode"][3]
        close(window)
    run = json.loads(saved.read_bytes())
    assert [outcome["configuration"]["options"] for outcome in run["outcomes"]][:3] == [{}, {"grad": "no_grad"}, {"grad": "kept"}]
    assert all(outcome["idle_latency"]["count"] > 0 and outcome["idle_gap_ms"] == 100.0 for outcome in run["outcomes"])
    kept = json.loads((home / "settings" / "settings.json").read_bytes())["axes"]
    assert (kept["grads"], kept["idle_gap_s"]) == (["inference", "kept"], 0.1)


def _finished(home):
    """The one run in the history, once it has ended."""
    found = list((home / "history").glob("*.json"))
    return found if len(found) == 1 and json.loads(found[0].read_bytes()).get("finished") else None
