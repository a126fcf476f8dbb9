"""Several devices at once on the real command line: real workers, the JSON, the page, the table; what is refused; Ctrl-C."""

from __future__ import annotations

import json
import signal
import time

import pytest

from tests.support import jobs, nets, schema
from tests.support.command import Bell, begin, command, end_group, profile, two_lines

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Weights of `nets.Linears`."""
    return jobs.save(tmp_path_factory.mktemp("weights"), nets.Linears())


def given(weights):
    return (weights, "--arch", f"{jobs.NETS}:Linears", "--input", "f32[B,16]")


def test_two_replicas_from_the_command_to_the_page(tmp_path, weights):
    done = profile(tmp_path, tmp_path / "home", *given(weights), "--device", "cpu,cpu+cpu", "--plan", "quick", "--threads", "1", "--json", "run.json", "--report", "run.html")
    assert (done.returncode, done.stderr) == (0, "")
    run = json.loads((tmp_path / "run.json").read_bytes())
    schema.check_run(run)
    alone, both = run["outcomes"]
    assert (alone["configuration"]["device"], both["configuration"]["device"]) == ("cpu", "cpu+cpu")
    assert alone["replicas"] == []
    assert [each["device"] for each in both["replicas"]] == ["cpu", "cpu"]
    assert both["throughput_per_s"] == pytest.approx(sum(each["throughput_per_s"] for each in both["replicas"]))
    assert both["latency"]["count"] == sum(each["latency"]["count"] for each in both["replicas"])
    assert all(each["latency"]["count"] >= 64 and each["memory"]["process_peak_bytes"] > 0 for each in both["replicas"])
    assert "--device cpu,cpu+cpu" in run["command"]
    lines = done.stdout.splitlines()
    assert lines[2].startswith("2 × cpu at once fp32") and lines[3].startswith("  cpu #1") and lines[4].startswith("  cpu #2")
    assert lines[5].startswith("2 replicas together: ")
    page = (tmp_path / "run.html").read_text(encoding="utf-8")
    assert "2 × cpu at once" in page and "Each replica" in page and lines[5] in page


@pytest.mark.parametrize("device", ["cpu+cuda:0", "cuda:0+cuda:0", "cpu+", "auto+cpu"])
def test_what_cannot_be_joined_is_refused_before_anything_runs(tmp_path, weights, device):
    done = profile(tmp_path, tmp_path / "home", *given(weights), "--device", device)
    assert (done.returncode, done.stdout) == (2, "")
    two_lines(done.stderr)


def test_the_largest_batch_is_not_sought_on_several(tmp_path, weights):
    done = profile(tmp_path, tmp_path / "home", *given(weights), "--device", "cpu+cpu", "--batch", "max")
    assert done.returncode == 3
    assert "The largest batch is sought on one device" in done.stdout + done.stderr


def test_a_side_of_a_comparison_is_on_one_device(tmp_path, weights):
    done = command(tmp_path, tmp_path / "home", "compare", f"{weights}::device=cpu", f"{weights}::device=cpu+cpu", *given(weights)[1:])
    assert (done.returncode, done.stdout) == (2, "")
    assert "compare takes turns on one device each" in two_lines(done.stderr)[0]


def test_ctrl_c_twice_stops_all_of_them(tmp_path, weights):
    """The first one would let the configuration finish."""
    bell = Bell(tmp_path / "bell")
    arch = f"{bell.ringing}:Ringing({str(bell.path)!r}, at=120, pause_s=0.01)"
    words = (weights, "--arch", arch, "--input", "f32[B,16]", "--device", "cpu+cpu", "--plan", "standard", "--json", "run.json")
    process = begin(tmp_path, tmp_path / "home", *words)
    try:
        bell.wait(process)
        process.send_signal(signal.SIGINT)
        assert process.stderr.readline() == "Finishing the running configuration; Ctrl-C again stops now.\n"
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        process.communicate(timeout=30)
        took = time.monotonic() - began
    finally:
        end_group(process)
        bell.close()
    assert process.returncode == 130
    assert took < 2.0
    (outcome,) = json.loads((tmp_path / "run.json").read_bytes())["outcomes"]
    assert outcome["stopped_because"]["code"] == "cancelled-partly" and len(outcome["replicas"]) == 2
