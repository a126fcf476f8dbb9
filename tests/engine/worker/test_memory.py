"""The peak of memory comes from the kernel's own mark."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from engine.worker import memory
from engine.worker.backends import Prepared
from engine.worker.session import Session


@pytest.mark.skipif(memory.status_bytes("VmHWM") is None, reason="this system keeps no high-water mark")
def test_a_short_peak_is_seen_and_an_older_one_is_not():
    def peak_of(size_bytes):
        watch = memory.PeakWatch()
        held = bytearray(size_bytes)
        held[::4096] = b"x" * len(held[::4096])
        del held
        return watch.grown_bytes()

    large = peak_of(64 << 20)
    assert large >= 60 << 20
    small = peak_of(4 << 20)
    assert small is None or small < 40 << 20


def test_where_the_mark_cannot_be_reset_an_older_peak_hides_it(monkeypatch):
    monkeypatch.setattr(memory, "_reset_high_water", lambda: False)
    figures = {"VmRSS": 100, "VmHWM": 900}
    monkeypatch.setattr(memory, "status_bytes", figures.get)
    watch = memory.PeakWatch()
    assert watch.grown_bytes() is None
    figures["VmHWM"] = 1000
    assert watch.grown_bytes() == 900


def test_a_system_without_figures_gives_none(monkeypatch):
    def unreadable(self, *given, **named):
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", unreadable)
    monkeypatch.setattr(Path, "write_text", unreadable)
    assert memory.status_bytes("VmHWM") is None
    assert memory.PeakWatch().grown_bytes() is None


def test_each_storage_counts_once():
    whole = torch.zeros(100)
    assert memory.storage_bytes([whole, whole, whole[10:20], whole.view(10, 10)]) == 400
    assert memory.storage_bytes([torch.zeros(1, 3).expand(1000, 3)]) == 12, "an expanded tensor repeats what lies there once"
    assert memory.storage_bytes([whole, torch.zeros(5, dtype=torch.float64)]) == 440
    assert memory.storage_bytes([torch.zeros(0), torch.zeros(0)]) == 0
    assert memory.storage_bytes([torch.zeros(7, device="meta"), torch.zeros(9, device="meta")]) == 64
    tied = nn.Linear(8, 8, bias=False)
    assert memory.weights_bytes(nn.Sequential(tied, tied)) == 256


def test_inputs_on_a_device_are_what_they_take_there(monkeypatch):
    """Else an expanded input would stand in the memory's parts with more than the allocator holds."""
    monkeypatch.setattr(memory, "reset_peaks", lambda device: None)
    monkeypatch.setattr(memory, "current", lambda device: (5000, 9000))
    session = Session()
    session._device = torch.device("meta")
    mask = torch.zeros(1, 64)
    session._prepared = Prepared(lambda: None, inputs=([torch.zeros(2, 3), mask.expand(32, 64)], {"mask": mask}))
    assert session.reset_peaks().inputs_bytes == 24 + 256
