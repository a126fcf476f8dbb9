"""The table on standard output with several devices at once."""

from __future__ import annotations

from engine.commands.table import COLUMNS, print_table
from engine.job import Configuration
from engine.result import Latency, Memory, Replica
from engine.scaling import scaled
from tests.support.runs import make_outcome, make_run

ONE, BOTH = Configuration(device="cuda:0", batch_size=8), Configuration(device="cuda:0+cuda:1", batch_size=8)
REPLICAS = (
    Replica(device="cuda:0", latency=Latency(count=50, visits=1, p50_ms=4.0), throughput_per_s=100.0, memory=Memory(device_peak_bytes=1 << 30)),
    Replica(device="cuda:1", latency=Latency(count=5, visits=1), throughput_per_s=90.0, memory=Memory(process_peak_bytes=2 << 30)),
)


def test_each_replica_has_a_line_below_the_row_of_all(capsys):
    outcomes = scaled((make_outcome(ONE, throughput_per_s=100.0), make_outcome(BOTH, throughput_per_s=190.0, replicas=REPLICAS)))
    print_table(make_run(outcomes))
    head, alone, both, first, second, scaling = capsys.readouterr().out.splitlines()
    assert head.split() == list(COLUMNS)
    assert alone.startswith("cuda:0 fp32")
    assert both.startswith("cuda:0+1 at once fp32")
    assert first.split() == ["cuda:0", "4.00", "ms", "—", "100/s", "1.00", "GiB"]
    assert second.split()[0] == "cuda:1" and "90.0/s" in second and "2.00 GiB" in second
    assert first.index("100/s") == both.index("190/s"), "the columns are those of the row above"
    assert scaling.startswith("2 replicas together: 190/s, 1.90 times cuda:0 alone")


def test_a_row_on_one_device_is_one_line(capsys):
    print_table(make_run((make_outcome(ONE),)))
    assert len(capsys.readouterr().out.splitlines()) == 2
