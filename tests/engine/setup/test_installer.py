"""pip's lines: how far it is, and why it failed."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.setup import installer
from engine.setup.fetching import FETCHING_SHARE, Fetching
from engine.setup.installer import Package, Pip
from engine.setup.places import Places
from engine.setup.speech import SetupStopped

BIG = Package("torch", "2.13.0+cpu", "https://x/torch-2.13.0%2Bcpu-py3-none-any.whl", 300)
SMALL = Package("small", "1.0", "https://x/small-1.0-py3-none-any.whl", 100)


def test_the_fraction_follows_bytes_and_then_packages(tmp_path):
    fetching = Fetching([BIG, SMALL], tmp_path)
    assert fetching.hear("Collecting torch") is None
    assert fetching.hear("  Downloading torch-2.13.0+cpu-py3-none-any.whl (0.3 kB)") == ("Fetching torch 2.13.0+cpu (0 kB)", 0.0)
    assert fetching.hear("Progress 150 of 300")[1] == pytest.approx(FETCHING_SHARE * 150 / 400)
    assert fetching.hear("  Using cached https://x/small-1.0-py3-none-any.whl (0.1 kB)")[1] == pytest.approx(FETCHING_SHARE * 300 / 400)
    assert fetching.hear("Installing collected packages: torch, small")[1] == FETCHING_SHARE
    (tmp_path / "small-1.0.dist-info").mkdir()
    (tmp_path / "small-1.0.dist-info" / "RECORD").touch()
    assert fetching.hear("") == ("Unpacking, 1 of 2 packages are in place", FETCHING_SHARE + (1 - FETCHING_SHARE) / 2)


@given(st.lists(st.text(max_size=60), max_size=20))
def test_no_line_of_pip_breaks_the_progress(lines):
    fetching = Fetching([BIG, SMALL], Places().venv / "nowhere")
    for line in lines:
        shown = fetching.hear(line)
        assert shown is None or 0.0 <= shown[1] <= 1.0


@pytest.fixture
def pip_that_says(tmp_path):
    """A pip that prints a text and fails."""

    def make(text):
        places = Places(tmp_path)
        places.python.parent.mkdir(parents=True)
        places.python.write_text(f"#!{sys.executable}\nimport sys\nprint({text!r})\nsys.exit(3)\n")
        places.python.chmod(0o755)
        reading, writing = os.pipe()
        os.close(reading)
        return Pip(places, writing)

    yield make


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "setup-disk-full"),
        ("WARNING: Retrying ... NewConnectionError: Failed to establish a new connection\nERROR: No matching distribution found for x", "setup-no-network"),
        ("ERROR: No matching distribution found for torch==2.13.0", "setup-no-package"),
        ("ERROR: something else", "setup-pip-failed"),
        ("", "setup-pip-failed"),
    ],
)
def test_each_failure_has_its_sentence_and_its_log(pip_that_says, text, code):
    pip = pip_that_says(text)
    with pytest.raises(SetupStopped) as stopped:
        pip.run(["install", "x"], lambda line: None)
    os.close(pip.lock)
    assert stopped.value.code == code
    assert stopped.value.summary
    assert stopped.value.hint
    assert text in pip.places.log.read_text()


def test_settings_that_lead_astray_are_dropped_and_mirrors_stay(monkeypatch):
    for name, value in {"PIP_TARGET": "/x", "PYTHONPATH": "/y", "PIP_USER": "1", "PIP_INDEX_URL": "https://mirror.example/simple", "PIP_CERT": "/c"}.items():
        monkeypatch.setenv(name, value)
    environment = installer.environment()
    assert "PIP_TARGET" not in environment
    assert "PYTHONPATH" not in environment
    assert environment["PIP_USER"] == "0"
    assert environment["PIP_INDEX_URL"] == "https://mirror.example/simple"
    assert environment["PIP_CERT"] == "/c"


def test_every_requirement_has_an_exact_version():
    places = Places()
    for line in installer.requirements(places, ["tests"]):
        name = line.split(">")[0].split("<")[0]
        assert installer.pinned(places, name.replace("-", "[-_]").replace("[-_]", "-")) or installer.pinned(places, name.replace("-", "_")), name


def test_sizes_come_from_the_file(tmp_path):
    (tmp_path / "a b.whl").write_bytes(b"12345")
    assert installer.size_bytes((tmp_path / "a b.whl").as_uri()) == 5
    assert installer.size_bytes((tmp_path / "gone.whl").as_uri()) is None
    assert installer.size_bytes("http://127.0.0.1:9/x.whl") is None
