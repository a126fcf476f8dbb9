"""The page with several devices at once: names, each replica's line, the scaling, curves of each GPU."""

from __future__ import annotations

import pytest

from engine.job import Configuration
from engine.report import names, rows, series
from engine.report.labels import Labels
from engine.result import Latency, Memory, Replica, Track
from engine.scaling import scaled
from tests.support.runs import make_outcome, make_run

BOTH = Configuration(device="cuda:0+cuda:1", batch_size=8)
REPLICAS = tuple(
    Replica(device=f"cuda:{index}", latency=Latency(count=50, visits=1, p50_ms=4.0 + index), throughput_per_s=100.0, memory=Memory(device_peak_bytes=1 << 30)) for index in (0, 1)
)


def outcomes():
    return scaled((make_outcome(Configuration(device="cuda:0", batch_size=8), throughput_per_s=100.0), make_outcome(BOTH, throughput_per_s=200.0, replicas=REPLICAS)))


@pytest.mark.parametrize(("language", "name", "title"), [("en", "fp32 · batch 8 · cuda:0+1 at once", "Each replica"), ("zh", "cuda:0+1 同时", "各副本")])
def test_the_row_has_a_line_for_each_replica(language, name, title):
    labels = Labels(language)
    row = rows.make_row(1, outcomes()[1], labels)
    assert name in row.name
    lines = dict(row.facts)[title]
    assert [device for device, _ in lines] == ["cuda:0", "cuda:1"]
    assert "4.00 ms" in lines[0][1] and "100/s" in lines[0][1] and "1.00 GiB" in lines[0][1]
    assert any("2.00" in note and "100" in note for note in row.notes), "the scaling"


def test_on_the_cpu_threads_are_named():
    assert names.configuration_name(Configuration(device="cpu+cpu", threads=3), Labels("en")).endswith("2 × cpu at once · 3 threads")


def test_each_gpu_has_its_curve():
    tracks = tuple(Track(name=f"gpu{index}_{name}_bytes", unit="B", t_ns=[0, 10**9], values=[1.0, 2.0 + index]) for index in (0, 1) for name in ("memory", "process"))
    drawn, broken = series.make_series(make_run((make_outcome(BOTH, replicas=REPLICAS, timeline=tracks),)))
    assert broken == []
    assert [(line.kind, line.values.tolist()) for line in drawn[0].tracks] == [("process_bytes", [1.0, 2.0]), ("process_bytes", [1.0, 3.0])]


def test_peaks_say_whose_they_are():
    found = rows.peak_memory(make_outcome(BOTH, replicas=REPLICAS), Labels("en"))
    assert "cuda:0+1 at once" in found[1]
    assert rows.peak_memory(make_outcome(Configuration(device="cpu+cpu")), Labels("en"))[1] == Labels("en")("peak-process")
