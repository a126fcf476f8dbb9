"""Confined workers on a CUDA machine: run by hand with `python3 -m pytest tests/gpu/test_confined.py -m gpu -s`, figures in docs/gpu.md."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from engine import visits
from engine.confinement import PROTECTIONS, landlock, policy_for
from engine.job import PLANS, Configuration
from engine.supervisor import Engine
from engine.workers import default_python
from tests.support import hostile, jobs, nets

pytestmark = pytest.mark.gpu
CUDA = Configuration(device="cuda:0")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    made = Engine(history_folder=tmp_path_factory.mktemp("history"))
    facts = made.start()
    if not facts.gpus:
        made.close()
        pytest.skip("no CUDA device")
    print("\nconfinement on a CPU here:", facts.confinement, "Landlock ABI", landlock.abi())
    yield made
    made.close()


@pytest.fixture
def job(tmp_path):
    """Weights of a small model, and its class file beside them."""
    shutil.copy(hostile.__file__, tmp_path / "hostile.py")

    def make(call: str, plan: str = "quick"):
        made, info = jobs.make_job(jobs.save(tmp_path, nets.Linears()), None, configurations=(CUDA,), plan=PLANS[plan])
        return msgspec.structs.replace(made, model=msgspec.structs.replace(made.model, architecture=f"{tmp_path / 'hostile.py'}:Hostile({call})")), info

    return make


def p50_of(engine, made, info):
    (outcome,) = engine.run_job(made, info).outcomes
    assert outcome.status == "ok", (outcome.error, outcome.log, outcome.error and outcome.error.details)
    return outcome.latency.p50_ms


def test_cuda_runs_confined_with_equal_figures(engine, job, monkeypatch):
    made, info = job("'nothing'")
    link = engine.workers.start(default_python(), policy_for(made.model, made.inputs, device="cuda:0"))
    print("held with CUDA:", link.held)
    engine.workers.end(link)
    assert set(link.held) >= set(PROTECTIONS) - {"memory"}
    confined, free = [], []
    for _ in range(3):
        confined.append(p50_of(engine, made, info))
        with monkeypatch.context() as patched:
            patched.setattr(visits, "policy_for", lambda *arguments, **named: None)
            free.append(p50_of(engine, made, info))
    print("p50 ms confined", confined, "free", free)
    folder = os.environ.get("GPU_FIGURES")
    if folder:
        Path(folder, "confined.json").write_text(json.dumps({"held": link.held, "confined_p50_ms": confined, "free_p50_ms": free}))
    assert min(confined) < 1.5 * max(free)


def test_a_hostile_model_is_refused_on_cuda_too(engine, job, tmp_path):
    """The same attempts as on a CPU, by a process that holds a CUDA context."""
    secret = tmp_path.parent / "secret"
    secret.write_text("verysecret")
    targets = {"secret": str(secret), "model": str(tmp_path / "weights.pth"), "program": str(tmp_path.parent)} | dict.fromkeys(("engine", "sibling", "server"), 1)
    made, info = job(f"'everything', {json.dumps(targets)!r}, at=2")
    (outcome,) = engine.run_job(made, info).outcomes
    assert outcome.status == "ok", (outcome.error, outcome.log)
    tried = json.loads(outcome.log.partition("tried ")[2].partition(" end")[0])
    print({name: result for name, result in tried.items() if result == "done"})
    assert {name for name, result in tried.items() if result == "done"} - {"unix", "socketpair", "name a thread"} == set(hostile.allowed())


LAYERS = {
    "namespaces": "engine.confinement.namespaces.enter = lambda *a: set()",
    "mounts": "engine.confinement.namespaces.arrange_mounts = lambda *a, **k: (set(), None)",
    "Landlock": "engine.confinement.landlock.restrict = lambda *a: False",
    "seccomp": "engine.confinement.seccomp.install = lambda *a: False",
    "sockets of its own": "p = engine.confinement.seccomp.program; engine.confinement.seccomp.program = lambda *a, **k: p(*a, **{**k, 'local': False})",
    "limits": "engine.confinement.limits.bound = lambda *a, **k: None",
    "capabilities": "engine.confinement.limits.drop_capabilities = lambda: None",
}


@contextlib.contextmanager
def lacking(engine, monkeypatch, name):
    """Meanwhile the fork server's confinement lacks a layer."""
    code = f"import sys, engine.launch, engine.confinement.worker; {LAYERS[name]}; engine.launch.main(sys.argv[1:])"
    start = subprocess.Popen
    engine.workers._drop_server(default_python())
    with monkeypatch.context() as patched:
        patched.setattr("engine.process.subprocess.Popen", lambda command, **named: start([command[0], "-c", code, *command[3:]], **named))
        yield
    engine.workers._drop_server(default_python())


NEEDED = {"mounts", "sockets of its own"}
"""What CUDA does not start without: a /proc that knows its pid namespace, and a socket that listens."""


def test_layers_one_by_one(engine, job, monkeypatch):
    """When the others fail this says which layer CUDA does not live with: the outcome without each, from a fork server that lacks it."""
    made, info = job("'nothing'")
    said = {"everything on": _outcome_in_words(engine, made, info)}
    for name in LAYERS:
        with lacking(engine, monkeypatch, name):
            said[f"without {name}"] = _outcome_in_words(engine, made, info)
    print(json.dumps(said, indent=1))
    assert {name for name, outcome in said.items() if outcome != "ok"} == {f"without {name}" for name in NEEDED}, said


def test_a_driver_that_does_not_work_so_is_confined_less_and_works(engine, job, monkeypatch):
    """The probe finds the strongest confinement that CUDA starts in; a job then runs in it, and what does not hold is known."""
    monkeypatch.setattr("engine.facts_cache.read", lambda interpreter: None)
    with lacking(engine, monkeypatch, "mounts"):
        facts = engine.probe()
        print("without mounts:", facts.gpu_layers, facts.confinement_gpu)
        said = _outcome_in_words(engine, *job("'nothing'"))
    whole = engine.probe()
    assert (said, facts.gpu_layers, whole.gpu_layers) == ("ok", "no-namespaces", "all")
    assert set(facts.confinement_gpu) == set(PROTECTIONS) - {"memory", "processes"}
    assert set(whole.confinement_gpu) == set(PROTECTIONS) - {"memory"}


def _outcome_in_words(engine, made, info):
    (outcome,) = engine.run_job(made, info).outcomes
    return outcome.status if outcome.error is None else f"{outcome.error.summary} {str(outcome.error.details)[-600:]}"
