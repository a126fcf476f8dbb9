"""What set-up shows: on a terminal, without one, and in its window."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from engine.setup import progress, speech
from engine.setup.window import State, draw
from engine.words.setup import TABLE


def test_without_a_terminal_each_twentieth_is_a_line(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    teller = progress.TerminalProgress()
    teller.say("Begin")
    for number in range(101):
        teller.step(f"at {number}", number / 100)
    teller.close()
    lines = stream.getvalue().splitlines()
    assert lines[0] == "Begin"
    assert 15 <= len(lines) <= 22
    assert "\r" not in stream.getvalue()


def test_on_a_terminal_the_bar_is_redrawn_in_its_line(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

        def fileno(self):
            return 0

    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(os, "get_terminal_size", lambda number: os.terminal_size((60, 20)))
    teller = progress.TerminalProgress()
    teller.step("Fetching torch " * 10, 0.5)
    teller.step("Fetching numpy", 0.75)
    teller.close()
    first, second, last = stream.getvalue().split("\r\x1b[K")
    assert first.startswith("[############............]  50% Fetching torch")
    assert len(first) == 59
    assert second.startswith("[##################......]  75% Fetching numpy")
    assert last == ""


def test_closing_the_window_interrupts(monkeypatch):
    monkeypatch.setenv("MODEL_DYNO_SETUP_WINDOW", "x11")
    if not os.environ.get("DISPLAY"):
        pytest.skip("no X display")
    teller = progress.WindowProgress()
    teller.step("Fetching", 0.5)
    teller._child.kill()
    teller._child.wait()
    with pytest.raises(KeyboardInterrupt):
        teller.step("Fetching", 0.6)
    teller.close()


def test_without_any_way_to_a_window_the_failure_is_still_said(monkeypatch):
    environment = {**os.environ, "MODEL_DYNO_SETUP_WINDOW": "none", "LANG": "C"}
    window = os.path.join(os.path.dirname(progress.__file__), "window.py")
    done = subprocess.run([sys.executable, window], input='{"say": "a"}\n{"fail": "It broke"}\n', env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "It broke\n")


class Paper:
    """A window that remembers its lines."""

    def __init__(self):
        self.lines, self.bars = [], []

    def clear(self):
        self.lines, self.bars = [], []

    def text(self, x, y, line):
        self.lines.append(line)

    def bar(self, x, y, width, height, fraction):
        self.bars.append(fraction)


def test_the_drawing_shows_progress_or_the_failure():
    state, paper = State(), Paper()
    state.take('{"say": "' + "long words " * 20 + '"}')
    state.take('{"step": "Fetching", "fraction": 0.25}')
    draw(paper, state)
    assert len(paper.lines) > 3
    assert paper.lines[-1] == "Fetching"
    assert paper.bars == [0.25]
    state.take('{"fail": "Broken\\n\\nRun this"}')
    draw(paper, state)
    assert paper.lines == ["Broken", "", "Run this"]
    assert paper.bars == []


@pytest.mark.parametrize(("environment", "language"), [({"LANG": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN", "LC_ALL": "C"}, "en"), ({"LANGUAGE": "zh:en", "LANG": "C"}, "zh"), ({}, "en")])
def test_set_up_speaks_the_systems_language(monkeypatch, environment, language):
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert speech.system_language() == language


def test_both_languages_take_the_same_values():
    import string

    for code, (english, chinese) in TABLE.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
        assert fields[0] == fields[1], code


@pytest.mark.parametrize(("count", "said"), [(500, "0 kB"), (12_345, "12 kB"), (1_500_000, "1.5 MB"), (191_700_000, "192 MB"), (2_460_000_000, "2.5 GB")])
def test_sizes_for_the_eye(count, said):
    assert speech.say_bytes(count) == said
