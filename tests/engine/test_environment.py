"""What a run says of its machine."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from engine import environment
from engine.capabilities import Facts, Gpu

ROOT = Path(__file__).resolve().parents[2]


def test_this_machine_is_described() -> None:
    """Every field that any machine has is filled."""
    found = environment.collect()
    assert found.platform and found.cpu and found.python
    assert found.cores >= 1
    assert found.memory_bytes == psutil.virtual_memory().total
    assert found.packages["numpy"] == importlib.metadata.version("numpy")
    assert found.torch == found.packages.get("torch", "")


def test_the_probes_facts_win() -> None:
    """The model may run in another Python: its torch is the one that counts."""
    facts = Facts(
        torch="2.5.1+cu121", gpus=(Gpu(0, "H100", 80 * 2**30, (9, 0)),), cpu_name="EPYC", cores=48, memory_bytes=2**40, python="3.12.1",
        packages={"torch": "2.5.1"}, driver="550.1",
    )
    found = environment.collect(facts, {0: SimpleNamespace(uuid="GPU-1", bus_id="")})
    assert (found.torch, found.python, found.cpu, found.cores, found.driver) == ("2.5.1+cu121", "3.12.1", "EPYC", 48, "550.1")
    assert found.packages == {"torch": "2.5.1"}
    (gpu,) = found.gpus
    assert (gpu["name"], gpu["memory_bytes"], gpu["uuid"]) == ("H100", 80 * 2**30, "GPU-1")
    assert "bus_id" not in gpu


def test_facts_that_are_empty_do_not_erase() -> None:
    """A probe that could not tell leaves what this Python knows."""
    found = environment.collect(Facts(torch="2.13"))
    assert found.memory_bytes == psutil.virtual_memory().total
    assert found.cpu and found.python and found.packages


def test_load_before_and_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """The load is taken at both ends; None where the system keeps none."""
    monkeypatch.setattr(os, "getloadavg", lambda: (0.5, 0.0, 0.0))
    found = environment.collect()
    monkeypatch.setattr(os, "getloadavg", lambda: (1.5, 0.0, 0.0))
    ended = environment.finished(found)
    assert (ended.load_before, ended.load_after) == (0.5, 1.5)
    monkeypatch.delattr(os, "getloadavg")
    assert environment.load_average() is None


def test_name_of_the_processor() -> None:
    """As /proc writes it, on x86 and on ARM; else what Python knows."""
    assert environment.cpu_name(lambda: "processor\t: 0\nmodel name\t: AMD EPYC 9R14\nmodel name\t: other\n") == "AMD EPYC 9R14"
    assert environment.cpu_name(lambda: "processor\t: 0\nHardware\t: BCM2835\n") == "BCM2835"

    def missing() -> str:
        raise FileNotFoundError("/proc/cpuinfo")

    assert environment.cpu_name(missing)


def test_packages_that_are_not_installed_are_left_out() -> None:
    """No empty versions stand in the table."""
    assert environment.installed_packages(("numpy", "no-such-package-of-ours")).keys() == {"numpy"}


def test_nothing_heavy_is_imported() -> None:
    """Describing the machine imports neither torch nor Qt."""
    code = "import sys; from engine import environment; environment.collect(); print([m for m in ('torch', 'PySide6', 'onnxruntime') if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert shown.stdout.strip() == "[]"
