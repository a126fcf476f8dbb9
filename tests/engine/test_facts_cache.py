"""Facts are remembered for as long as what they depend on stays the same, and never a failure."""

from __future__ import annotations

import os
import sys

import pytest

from engine import facts_cache, storage
from engine.capabilities import Facts

FACTS = Facts(torch="2.8.0", cores=3)


def test_what_was_written_is_read():
    assert facts_cache.read(sys.executable) is None
    facts_cache.write(sys.executable, FACTS)
    assert facts_cache.read(sys.executable) == FACTS


@pytest.mark.parametrize("change", ["driver", "visible", "cores", "machine", "packages"])
def test_a_change_means_another_probe(monkeypatch, change):
    facts_cache.write(sys.executable, FACTS)
    if change == "driver":
        monkeypatch.setattr(facts_cache, "_driver", lambda: "NVRM 999")
    elif change == "visible":
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    elif change == "cores":
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
        monkeypatch.setattr(os, "cpu_count", lambda: 97)
    elif change == "machine":
        monkeypatch.setattr("platform.node", lambda: "the other one")
    else:
        monkeypatch.setattr(facts_cache, "_versions", lambda interpreter: ["torch==9"])
    assert facts_cache.read(sys.executable) is None


def test_a_gpu_that_failed_is_asked_again():
    facts_cache.write(sys.executable, Facts(torch="2.8.0", cuda_error="CUDA driver initialization failed"))
    assert facts_cache.read(sys.executable) is None


@pytest.mark.parametrize("name", ["site-packages", "dist-packages"])
def test_another_interpreter_is_known_by_its_packages_folder(tmp_path, monkeypatch, name):
    packages = tmp_path / "env" / "lib" / "python3.12" / name
    packages.mkdir(parents=True)
    python = str(tmp_path / "env" / "bin" / "python")
    facts_cache.write(python, FACTS)
    assert facts_cache.read(python) == FACTS
    os.utime(packages, ns=(1, 1))
    assert facts_cache.read(python) is None


def test_an_interpreter_whose_packages_nobody_sees_is_probed_each_time(tmp_path, monkeypatch):
    monkeypatch.setattr(facts_cache, "_versions", lambda interpreter: [])
    facts_cache.write(str(tmp_path / "python"), FACTS)
    assert facts_cache.read(str(tmp_path / "python")) is None
    assert not storage.cache_folder().exists()


@pytest.mark.parametrize("content", [b"", b"{", b'{"torch": 5}', b"\xff\xfe", b"[]"])
def test_a_broken_cache_means_a_probe(content):
    facts_cache.write(sys.executable, FACTS)
    (path,) = storage.cache_folder().glob("facts-*.json")
    path.write_bytes(content)
    assert facts_cache.read(sys.executable) is None


def test_a_place_that_cannot_be_written_costs_nothing_else(monkeypatch):
    def refuse(path, data):
        raise storage.StorageError(path, OSError(28, "No space left on device"))

    monkeypatch.setattr(storage, "write_atomically", refuse)
    facts_cache.write(sys.executable, FACTS)
    assert facts_cache.read(sys.executable) is None
