"""The peak of memory comes from the kernel's own mark."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.worker import memory


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
