"""Schema 1 of docs/contract.md as a check: required names, types, and what the figures must agree on."""

from __future__ import annotations

import math
import re

import msgspec
import numpy as np

from engine.result import EncodedSamples
from engine.sampling import STEADY, decode

NUMBER = (int, float)
OPTIONAL_NUMBER = (int, float, None)
REASON = {"code": str, "values": dict, "sentence": str}
FLOORS = {"p50_ms": 11, "p90_ms": 64, "p95_ms": 130, "p99_ms": 662}
ERROR_CODES = {
    "out-of-memory", "timeout", "killed-by-signal", "exited", "protocol-error", "engine-lost", "forward-raised", "load-failed", "class-mismatch",
    "input-mismatch", "not-swapped", "non-finite", "device-error", "disk-full", "needs-trust", "unsupported",
}
STATUSES = {"ok", "out-of-memory", "unsupported", "failed", "cancelled"}
LATENCY = {
    "count": int, "visits": int, "mean_ms": OPTIONAL_NUMBER, "stdev_ms": OPTIONAL_NUMBER, "min_ms": OPTIONAL_NUMBER, "max_ms": OPTIONAL_NUMBER,
    "p25_ms": OPTIONAL_NUMBER, "p50_ms": OPTIONAL_NUMBER, "p75_ms": OPTIONAL_NUMBER, "p50_ci95_ms": ([NUMBER], None), "p90_ms": OPTIONAL_NUMBER,
    "p95_ms": OPTIONAL_NUMBER, "p99_ms": OPTIONAL_NUMBER,
}
OUTCOME = {
    "configuration": {"device": str, "precision": str, "quantization": str, "backend": str, "batch_size": int, "threads": int, "options": dict},
    "status": STATUSES,
    "phases_ms": {"load": OPTIONAL_NUMBER, "prepare": OPTIONAL_NUMBER, "first_call": OPTIONAL_NUMBER, "warm_up": OPTIONAL_NUMBER},
    "latency": (LATENCY, None),
    "stopped_because": (REASON, None),
    "device_latency": (LATENCY, None),
    "throughput_per_s": OPTIONAL_NUMBER,
    "memory": {
        "weights_bytes": (int, None), "saved_bytes": (int, None), "process_peak_bytes": (int, None), "allocated_peak_bytes": (int, None),
        "reserved_peak_bytes": (int, None), "device_peak_bytes": (int, None), "device_memory_source": ({"process", "difference"}, None), "context_bytes": (int, None),
    },
    "accuracy": (dict, None),
    "energy": (dict, None),
    "trust": ({"grade": {"good", "noisy", "poor"}, "reasons": [REASON]}, None),
    "advice": [REASON],
    "samples": (
        {"encoding": {"i64le+zlib+base64"}, "count": int, "reduced_from": (int, None), "start_ns": str, "latency_ns": str, "phase": str, "visit": str}, None,
    ),
    "replicas": [{"device": str, "latency": (LATENCY, None), "throughput_per_s": OPTIONAL_NUMBER, "memory": {"process_peak_bytes": (int, None)}}],
    "timeline": [{"name": str, "unit": str, "t_ns": [int], "values": [NUMBER]}],
    "error": ({"code": ERROR_CODES, "summary": str, "hint": str, "details": dict}, None),
}
RUN = {
    "schema": {1}, "id": str, "app": {"name": str, "version": str}, "created_at": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)"),
    "model": {
        "path": str, "sha256": re.compile(r"[0-9a-f]{64}"), "kind": str, "values": (int, None), "parameters": (int, None), "buffers": (int, None),
        "file_bytes": int, "weights_bytes": (int, None), "dtypes": dict, "architecture": (str, None), "trusted": bool,
    },
    "inputs": [{"name": (str, None), "dtype": str, "shape": [(int, str)], "range": ([int], None), "source": {"declared", "guessed", "given", "file"}}],
    "environment": {
        "platform": str, "cpu": str, "cores": int, "memory_bytes": int, "gpus": [dict], "driver": (str, None), "python": str, "torch": str,
        "packages": dict, "load_before": OPTIONAL_NUMBER, "load_after": OPTIONAL_NUMBER,
    },
    "plan": dict,
    "outcomes": [OUTCOME],
}


def check_run(run: dict) -> None:
    """Fail with the place of whatever is not schema 1, or does not agree with itself."""
    match(run, RUN, "run")
    for number, outcome in enumerate(run["outcomes"]):
        check_outcome(outcome, f"outcomes[{number}]")


def check_outcome(outcome: dict, where: str) -> None:
    """Status, error, figures, samples and timeline of one outcome agree."""
    code = outcome["error"]["code"] if outcome["error"] else None
    expected = {"ok": {None}, "cancelled": {None}, "out-of-memory": {"out-of-memory"}, "unsupported": {"unsupported", "not-swapped"}}
    assert code in expected.get(outcome["status"], ERROR_CODES), where
    for track in outcome["timeline"]:
        assert len(track["t_ns"]) == len(track["values"]) > 0, f"{where} {track['name']}"
        assert track["t_ns"] == sorted(track["t_ns"]), f"{where} {track['name']}"
        assert track["t_ns"][0] >= 0
    if outcome["status"] == "ok":
        assert all(outcome["phases_ms"][name] is not None for name in ("load", "prepare", "first_call", "warm_up")), where
        assert outcome["latency"], where
        assert outcome["trust"], where
        assert outcome["stopped_because"], where
        assert outcome["memory"]["process_peak_bytes"] > 1_000_000, where
        assert {track["name"] for track in outcome["timeline"]} >= {"worker_resident_bytes"}, where
    if outcome["latency"] is not None:
        check_figures(outcome, where)


def check_figures(outcome: dict, where: str) -> None:
    """The figures are those of the samples beside them, and none is shown below its floor."""
    samples, latency = decode(msgspec.convert(outcome["samples"], EncodedSamples)), outcome["latency"]
    assert np.all(np.diff(samples.start_ns) >= 0), f"{where}: the samples are in order"
    assert samples.start_ns[0] >= 0, where
    assert np.all(samples.latency_ns > 0), where
    assert outcome["replicas"] or np.all(samples.start_ns[1:] >= (samples.start_ns + samples.latency_ns)[:-1]), f"{where}: no two calls at once"
    assert set(np.unique(samples.phase)) <= {0, 1}, where
    for name, floor in FLOORS.items():
        assert (latency[name] is None) == (latency["count"] < floor), f"{where} {name}"
    if outcome["samples"]["reduced_from"] is not None:
        return
    steady = np.sort(samples.latency_ns[samples.phase == STEADY])
    assert latency["count"] == len(steady), where
    assert latency["visits"] == len(set(samples.visit[samples.phase == STEADY].tolist())), where
    for name, share in (("p50_ms", 0.5), ("p90_ms", 0.9), ("p95_ms", 0.95), ("p99_ms", 0.99)):
        if latency[name] is not None:
            assert math.isclose(latency[name], steady[math.ceil(share * len(steady)) - 1] / 1e6), f"{where} {name}"
    if outcome["replicas"]:
        check_replicas(outcome, where)
        return
    per_s = outcome["configuration"]["batch_size"] * len(steady) / (steady.sum() / 1e9)
    assert math.isclose(outcome["throughput_per_s"], per_s, rel_tol=1e-6), where


def check_replicas(outcome: dict, where: str) -> None:
    """Those of all together are the sums of each one's."""
    replicas = outcome["replicas"]
    assert "+".join(replica["device"] for replica in replicas) == outcome["configuration"]["device"], where
    assert sum(replica["latency"]["count"] for replica in replicas) == outcome["latency"]["count"], where
    assert {replica["latency"]["visits"] for replica in replicas} == {outcome["latency"]["visits"]}, where
    assert math.isclose(outcome["throughput_per_s"], sum(replica["throughput_per_s"] for replica in replicas), rel_tol=1e-9), where


def match(value: object, wanted: object, where: str) -> None:
    """`wanted`: a type, a set of values, a pattern, a dict of members, a list of one item, a tuple of alternatives."""
    if isinstance(wanted, tuple):
        assert any(_matches(value, each, where) for each in wanted), f"{where}: {str(value)[:80]!r}"
    elif isinstance(wanted, dict):
        assert isinstance(value, dict), f"{where}: {str(value)[:80]!r}"
        assert value.keys() >= wanted.keys(), f"{where} lacks {sorted(wanted.keys() - value.keys())}"
        for name, part in wanted.items():
            match(value[name], part, f"{where}.{name}")
    elif isinstance(wanted, list):
        assert isinstance(value, list), f"{where}: {str(value)[:80]!r}"
        for number, item in enumerate(value):
            match(item, wanted[0], f"{where}[{number}]")
    else:
        assert _is(value, wanted), f"{where}: {str(value)[:80]!r} is no {wanted}"


def _matches(value: object, wanted: object, where: str) -> bool:
    """One alternative; a dict that does not fit is told with its place when the value is a dict as well."""
    if isinstance(wanted, dict) and isinstance(value, dict):
        match(value, wanted, where)
        return True
    if isinstance(wanted, list) and isinstance(value, list):
        match(value, wanted, where)
        return True
    return not isinstance(wanted, dict | list) and _is(value, wanted)


def _is(value: object, wanted: object) -> bool:
    if wanted is None:
        return value is None
    if isinstance(wanted, set):
        return value in wanted
    if isinstance(wanted, re.Pattern):
        return isinstance(value, str) and wanted.fullmatch(value) is not None
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))
