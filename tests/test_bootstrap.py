"""Set-up as a whole, on a copy of the program with small wheels: from nothing, interrupted, twice at once, refused."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bootstrap
from tests.support.bare import Bare, torch_wheel

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def ready(tmp_path_factory):
    """A copy that was set up once, by two starts at the same time."""
    bare = Bare(tmp_path_factory.mktemp("bare"))
    starts = [bare.start("report", name) for name in ("a", "b")]
    bare.said = [start.communicate(timeout=120) for start in starts]
    bare.codes = [start.returncode for start in starts]
    return bare


def test_two_starts_at_once_make_one_environment(ready):
    assert ready.codes == [7, 7], ready.said
    assert [json.loads(out) for out, _ in ready.said] == [[[name], str(ready.venv)] for name in ("a", "b")]
    told = [err for _, err in ready.said]
    assert sum("Setting up Model Dyno in" in err for err in told) == 1
    assert sum("Waiting for it" in err for err in told) == 1


def test_what_comes_is_said_beforehand(ready):
    told = "".join(err for _, err in ready.said)
    size = sum(path.stat().st_size for path in ready.wheels.glob("[st][mo][ar]*.whl"))
    assert f"Packages: 2, {round(size / 1e3)} kB to fetch. PyTorch: 2.13.0+cpu, CPU build" in told
    assert told.index("to fetch") < told.index("Unpacking")
    assert "Set-up is complete. PyTorch 2.13.0+cpu (CPU build)." in told


def test_the_second_start_says_nothing_and_starts_no_pip(ready):
    log = (ready.venv / "setup.log").stat()
    again = ready.run("report", "x", PIP_FIND_LINKS="/nonexistent")
    assert (again.returncode, again.stderr) == (7, "")
    assert (ready.venv / "setup.log").stat().st_mtime_ns == log.st_mtime_ns


def test_the_environment_runs_with_a_safe_path(ready):
    code = "import os, sys; print(os.environ['PYTHONSAFEPATH'], os.environ.get('PYTHONPATH'), os.environ['MODEL_DYNO_PYTHONPATH'], sys.flags.safe_path)"
    (ready.root / "engine" / "commands" / "inspect.py").write_text(f"def main(argv):\n    {code}\n    return 0\n")
    done = ready.run("inspect", "f", PYTHONPATH="/mine")
    assert done.stdout.split() == ["1", "None", "/mine", "True"], done.stderr


def test_a_changed_list_brings_the_environment_up_to_date(ready, tmp_path):
    constraints = ready.root / "constraints.txt"
    before = constraints.read_text()
    constraints.write_text(before + "# changed\n")
    try:
        done = ready.run("report")
    finally:
        constraints.write_text(before)
    assert done.returncode == 7
    assert "The list of packages changed" in done.stderr
    assert "All packages are there already." in done.stderr


def test_a_half_installed_package_is_mended(ready):
    (site,) = ready.venv.glob("lib/python3.*/site-packages")
    (ready.venv / "setup.stamp").unlink()
    (site / "small.py").write_text("x")
    (site / "~mall").mkdir(exist_ok=True)
    done = ready.run("report")
    assert done.returncode == 7
    assert "Taking off what was half installed: small" in done.stderr
    assert (site / "small.py").read_text() == "x = 1\n"
    assert not (site / "~mall").exists()


def test_another_python_makes_the_environment_anew(ready):
    config = ready.venv / "pyvenv.cfg"
    config.write_text(config.read_text().replace("version = 3.", "version = 3.0"))
    done = ready.run("report")
    assert done.returncode == 7
    assert "Making the virtual environment" in done.stderr
    assert ready.run("report").stderr == ""


def test_an_interrupted_set_up_goes_on(tmp_path):
    bare = Bare(tmp_path)
    first = bare.start("report")
    wait_for(lambda: any(bare.venv.glob("lib/python3.*/site-packages/pip")))
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert not (bare.venv / "setup.stamp").exists()
    second = bare.run("report")
    assert second.returncode == 7, second.stderr
    assert "Going on with the set-up that was interrupted." in second.stderr


def test_ctrl_c_ends_with_130_and_a_sentence(tmp_path):
    bare = Bare(tmp_path)
    first = bare.start("report")
    wait_for((bare.venv / "setup.lock").exists)
    first.send_signal(signal.SIGINT)
    _, err = first.communicate(timeout=60)
    assert first.returncode == 130, err
    assert err.endswith("Set-up was interrupted.\nStart again: it goes on where it stopped.\n")


def test_cuda_packages_are_refused_without_a_driver(ready):
    for path in ready.wheels.glob("torch-*"):
        path.unlink()
    torch_wheel(ready.wheels, "2.13.0", "13.0", ["nvidia-cublas"])
    from tests.support.bare import wheel

    wheel(ready.wheels, "nvidia_cublas", "1.0", {"nvidia_cublas.py": ""})
    (site,) = ready.venv.glob("lib/python3.*/site-packages")
    (site / "torch-2.13.0+cpu.dist-info" / "RECORD").unlink()
    (ready.venv / "setup.stamp").unlink()
    done = ready.run("report", MODEL_DYNO_TORCH_INDEX="", https_proxy="http://127.0.0.1:9")
    assert done.returncode == 1
    assert "the package index has the CUDA build only" in done.stderr
    assert "MODEL_DYNO_TORCH_INDEX" in done.stderr
    assert not list(site.glob("nvidia*"))
    assert not (ready.venv / "setup.stamp").exists()


def test_a_missing_package_is_a_sentence_with_its_name(tmp_path, ready):
    torch_wheel(ready.wheels)
    (ready.wheels / "small-1.0-py3-none-any.whl").unlink()
    (site,) = ready.venv.glob("lib/python3.*/site-packages")
    (site / "small-1.0.dist-info" / "RECORD").unlink(missing_ok=True)
    (ready.venv / "setup.stamp").unlink(missing_ok=True)
    done = ready.run("report")
    assert done.returncode == 1
    summary, hint = done.stderr.splitlines()[-2:]
    assert "small" in summary
    assert "PIP_INDEX_URL" in hint
    assert "Traceback" not in done.stderr


def test_set_up_needs_nothing_but_the_standard_library():
    modules = ["main", "bootstrap", *(f"engine.setup.{path.stem}" for path in (ROOT / "engine" / "setup").glob("[a-z]*.py"))]
    code = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfor name in {modules!r}: __import__(name)\nassert 'PySide6' not in sys.modules"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


def test_a_ready_start_costs_under_50_ms(tmp_path):
    code = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
begun = time.perf_counter()
import bootstrap
from engine.setup.places import Places
places = Places()
places._stamped = lambda: [places.wanted()]
bootstrap.prepare(places)
assert not {{"subprocess", "tomllib", "ssl", "engine.setup.environment"}} & set(sys.modules)
print(time.perf_counter() - begun)
"""
    took_s = min(float(subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True).stdout) for _ in range(5))
    assert took_s < 0.05


def test_the_check_is_done_once_and_only_by_the_process_that_passed_it(monkeypatch):
    prepared = []
    monkeypatch.setattr(bootstrap, "prepare", lambda *a, **k: prepared.append(1))
    monkeypatch.setattr(bootstrap, "run_again", lambda places, entry: None)
    for name in ("PYTHONSAFEPATH", "PYTHONPATH"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv(bootstrap.CHECKED_VARIABLE, str(os.getpid()))
    bootstrap.ensure("x")
    assert not prepared
    assert bootstrap.CHECKED_VARIABLE not in os.environ
    monkeypatch.setenv(bootstrap.CHECKED_VARIABLE, "1")
    bootstrap.ensure("x")
    assert prepared


def wait_for(condition, limit_s=60):
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.005)       # the other process gives no sign that one could wait for
