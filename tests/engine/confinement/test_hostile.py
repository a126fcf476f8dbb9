"""Models that attack, through the real engine: nothing of it reaches the disk, the network or another process; one outcome each, and the next one runs."""

from __future__ import annotations

import dataclasses
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import psutil
import pytest
import torch

from engine import looking, visits
from engine.confinement import PROTECTIONS, policy
from engine.events import OutcomeUpdated
from engine.job import Configuration, Job, ModelSource
from engine.process import APPLICATION_FOLDER, can_fork
from engine.supervisor import Engine
from engine.workers import default_python
from tests.support import hostile, jobs, nets
from tests.support.command import still_living

pytestmark = pytest.mark.skipif(not can_fork(), reason="confinement is Linux's")
GIB = 1 << 30


@pytest.fixture(scope="module")
def shared():
    made = Engine(keep_history=False)
    link = made.workers.start(default_python(), policy.Policy(data_bytes=policy.memory_bound()))
    held = link.held
    made.workers.end(link)
    if missing := set(PROTECTIONS) - set(held):
        made.close()
        pytest.skip(f"this kernel or container does not give: {', '.join(sorted(missing))}")
    yield made
    made.close()


@pytest.fixture
def engine(shared):
    shared.events = []
    shared.emit = shared.events.append
    shared.allow()
    return shared


@pytest.fixture
def place(tmp_path):
    """A folder with the class file, one with the weights, and a home folder with a secret."""
    for name in ("model", "weights", "home"):
        (tmp_path / name).mkdir()
    shutil.copy(hostile.__file__, tmp_path / "model" / "hostile.py")
    (tmp_path / "home" / "secret.txt").write_text("verysecret")
    jobs.save(tmp_path / "weights", nets.Linears())
    return tmp_path


@pytest.fixture
def bystander():
    """A process of ours that has nothing to do with it."""
    process = subprocess.Popen(["sleep", "1000"])
    yield process
    process.kill()
    process.wait()


def state_of(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Everything in a folder: mode, time of change, content."""
    return {
        str(path.relative_to(folder)): (path.stat().st_mode, path.stat().st_mtime_ns, path.read_bytes().hex() if path.is_file() else "")
        for path in folder.rglob("*")
    }


def job_of(place: Path, call: str, batches: tuple[int, ...] = (1,), **fields: object):
    path = place / "weights" / "weights.pth"
    source = ModelSource(str(path), "state-dict", f"{place / 'model' / 'hostile.py'}:Hostile({call})")
    configurations = tuple(Configuration(batch_size=size) for size in batches)
    job = Job(id="job", model=source, inputs=(jobs.parse_input("f32[B,16]"),), configurations=configurations, plan=jobs.BRIEF, **fields)
    return job, jobs.info_of(path, "state-dict")


def run_one(engine, place, call, **fields):
    """The one outcome of a job, told once; afterwards a good model runs."""
    (outcome,) = engine.run_job(*job_of(place, call, **fields)).outcomes
    assert sum(isinstance(event, OutcomeUpdated) and event.final for event in engine.events) == 1
    engine.events.clear()
    assert [each.status for each in engine.run_job(*job_of(place, "'nothing'")).outcomes] == ["ok"]
    return outcome


def targets_of(engine, place, bystander):
    engine.warm_up()
    (server,) = engine.workers._servers.values()
    return {
        "secret": str(place / "home" / "secret.txt"), "model": str(place / "weights" / "weights.pth"), "engine": os.getpid(), "sibling": bystander.pid,
        "server": server.pid, "program": str(APPLICATION_FOLDER),
    }


def tried_in(log: str) -> dict[str, str]:
    return json.loads(re.search(r"tried (\{.*\}) end", log)[1])


def assert_all_refused(tried):
    done = {name: result for name, result in tried.items() if name not in hostile.allowed()}
    assert {name: result for name, result in done.items() if result not in ("EPERM", "EACCES", "EROFS", "ENOENT", "ESRCH", "ENOSYS")} == {}
    assert {name: tried[name] for name in hostile.allowed()} == dict.fromkeys(hostile.allowed(), "done")


def test_everything_that_a_forward_tries_is_refused(engine, place, bystander, monkeypatch):
    before = state_of(place)
    targets = targets_of(engine, place, bystander)
    outcome = run_one(engine, place, f"'everything', {json.dumps(targets)!r}")
    assert outcome.status == "ok", outcome.error
    assert_all_refused(tried_in(outcome.log))
    assert state_of(place) == before
    assert bystander.poll() is None and psutil.Process(bystander.pid).status() == psutil.STATUS_SLEEPING
    assert not Path("/tmp/model-dyno-hostile").exists()
    assert "verysecret" not in outcome.log


class Loaded:
    """Pickled, it runs code of its own when somebody loads it."""

    def __init__(self, code):
        self.code = code

    def __reduce__(self):
        return exec, (self.code,)


def test_everything_that_a_pickle_tries_is_refused(engine, place, bystander):
    """A whole module whose loading runs code: after the user's yes, and confined."""
    targets = targets_of(engine, place, bystander)
    path = place / "weights" / "module.pt"
    code = f"import sys; sys.path.append({str(place / 'model')!r}); import hostile; hostile.tell({targets!r})"
    torch.save(Loaded(code), path, pickle_module=pickle)
    shutil.copy(hostile.__file__, place / "weights" / "hostile.py")
    before = state_of(place)
    source = ModelSource(str(path), "module", f"{place / 'model' / 'hostile.py'}:Hostile('nothing')", trusted=True)
    job = Job(id="job", model=source, inputs=(jobs.parse_input("f32[B,16]"),), configurations=(Configuration(),), plan=jobs.BRIEF)
    (outcome,) = engine.run_job(job, jobs.info_of(path, "module")).outcomes
    assert outcome.status == "failed"
    assert_all_refused(tried_in(outcome.error.details.get("log") or outcome.log))
    assert state_of(place) == before
    assert bystander.poll() is None


def test_secrets_of_the_environment_stay_here(place, monkeypatch):
    """Neither in the worker's own nor in the one that its server was started with."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "verysecret")
    monkeypatch.setenv("HF_TOKEN", "verysecret")
    monkeypatch.setenv("TORCH_HUB_TOKEN", "verysecret")
    fresh = Engine(keep_history=False)
    try:
        job, info = job_of(place, "'everything', " + repr(json.dumps(
            dict.fromkeys(("engine", "sibling", "server"), 1) | dict.fromkeys(("secret", "model", "program"), str(place / "home" / "secret.txt")))))
        (outcome,) = fresh.run_job(job, info).outcomes
        (server,) = fresh.workers._servers.values()
        assert "verysecret" not in str(psutil.Process(server.pid).environ())
    finally:
        fresh.close()
    assert tried_in(outcome.log)["secrets of its own"] == "EPERM"


def test_a_thousand_forks_are_none(engine, place):
    outcome = run_one(engine, place, "'forks'")
    assert (outcome.status, re.search(r"forked (\d+) end", outcome.log)[1]) == ("ok", "0")


@pytest.mark.slow
def test_threads_without_end_come_to_one(engine, place):
    """Bounded by the namespace's own pid_max or by memory, and the machine goes on."""
    outcome = run_one(engine, place, "'threads'", timeout_s=30.0)
    found = re.search(r"started (\d+) end", outcome.log or (outcome.error.details.get("log", "") if outcome.error else ""))
    assert found and int(found[1]) < 4096


def test_memory_without_end_is_an_outcome(engine, place, monkeypatch):
    """Private memory by the kernel's limit: 2 GiB here, most of what is free otherwise."""
    monkeypatch.setattr(policy, "memory_bound", lambda: 2 * GIB)
    outcome = run_one(engine, place, "'memory'")
    assert (outcome.status, outcome.error.code) == ("out-of-memory", "out-of-memory")


def short_soon(monkeypatch):
    """The engine believes that the machine is short once 0.5 GiB more are taken."""
    monkeypatch.setattr("engine.watch.RESERVE_BYTES", psutil.virtual_memory().available - GIB // 2)


def test_shared_memory_without_end_is_ended_in_a_job(engine, place, monkeypatch):
    """Which no limit of the kernel counts: the engine watches."""
    with monkeypatch.context() as patched:
        short_soon(patched)
        (outcome,) = engine.run_job(*job_of(place, "'shared_memory'")).outcomes
    assert (outcome.status, outcome.error.say) == ("out-of-memory", "out-of-memory-stopped")


def test_shared_memory_without_end_is_ended_outside_of_a_job(engine, place, monkeypatch):
    job, _ = job_of(place, "'shared_memory'")
    short_soon(monkeypatch)
    examined = engine.examine(job.model, job.inputs)
    assert (examined.failure.code, examined.failure.say) == ("out-of-memory", "memory-ran-out")
    assert "weights.pth" in examined.failure.summary
    assert engine.workers.alive == ()


def shared_memory_files():
    """All but those of a browser, which another test may run at the same time."""
    return {path for path in Path("/dev/shm").iterdir() if not path.name.startswith(".org.chromium")}


def test_the_scratch_folder_has_a_size(engine, place):
    before = shared_memory_files()
    outcome = run_one(engine, place, "'scratch'")
    assert 0 < int(re.search(r"wrote (\d+) end", outcome.log)[1]) <= 256 << 20
    assert shared_memory_files() <= before, "the scratch folder is nobody else's"


@pytest.mark.slow
def test_a_gigabyte_of_prints_costs_little(engine, place):
    outcome = run_one(engine, place, "'shout'")
    assert outcome.status == "ok"
    assert "quiet end" in outcome.log
    assert len(outcome.log) < 150_000


def test_garbage_is_a_protocol_error(engine, place):
    outcome = run_one(engine, place, "'garbage'")
    assert (outcome.status, outcome.error.code) == ("failed", "protocol-error")


def test_no_grandchild_is_left(engine, place):
    outcome = run_one(engine, place, "'grandchild'")
    assert len(re.findall("^grandchild E(?:PERM|ACCES)$", outcome.log, re.MULTILINE)) == 3


def test_a_good_model_runs_confined_beside_a_hostile_one(engine, place):
    """Both configurations of one job are confined; inputs from a file are readable."""
    data = place / "home" / "data.npy"
    import numpy as np

    np.save(data, np.ones((2, 16), dtype=np.float32))
    job, info = job_of(place, "'nothing'")
    job = msgspec.structs.replace(job, inputs=(msgspec.structs.replace(jobs.parse_input("f32[2,16]"), data_path=str(data)),), configurations=(Configuration(batch_size=2),))
    (outcome,) = engine.run_job(job, info).outcomes
    assert outcome.status == "ok", outcome.error


@pytest.mark.parametrize("how", ["fork server", "engine's end"])
def test_nothing_confined_outlives_its_server(how):
    """Keeper and worker, although the kernel's parent signal does not cross namespaces."""
    from engine.process import ForkServer

    server = ForkServer(sys.executable)
    assert server.wait_ready(60.0)
    worker = server.spawn(policy.Policy(data_bytes=GIB))
    ours = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    assert worker.pid in {process.pid for process in ours}
    if how == "fork server":
        os.kill(server.pid, signal.SIGKILL)
    else:
        server._control.close()
    assert still_living(ours, 1.0) == []
    worker.collect()
    server.close()


def test_the_engine_asks_for_confinement_wherever_code_runs():
    """Both places that start workers for a model hand a policy over."""
    assert looking.policy_for is policy.policy_for
    assert visits.policy_for is policy.policy_for


def test_a_policy_for_cuda_holds_as_much_here(engine):
    """Without a GPU too: it differs by devices, the bound of memory and sockets that reach nobody."""
    link = engine.workers.start(default_python(), policy.Policy(cuda=True))
    engine.workers.end(link, at_once=True)
    assert link.held == tuple(code for code in PROTECTIONS if code != "memory")


def test_with_what_cuda_needs_everything_else_is_still_refused(engine, place, bystander, monkeypatch):
    """Names of threads and sockets that listen are allowed; the system's part of /proc is not writable, nor is anything else."""
    before, free = state_of(place), visits.policy_for
    monkeypatch.setattr(visits, "policy_for", lambda *arguments, **named: dataclasses.replace(free(*arguments, **named), cuda=True))
    outcome = run_one(engine, place, f"'everything', {json.dumps(targets_of(engine, place, bystander))!r}")
    assert outcome.status == "ok", outcome.error
    tried = tried_in(outcome.log)
    assert {name: tried.pop(name) for name in ("unix", "socketpair", "name a thread")} == {"unix": "done", "socketpair": "done", "name a thread": "done"}
    assert_all_refused(tried)
    assert state_of(place) == before and bystander.poll() is None


@pytest.mark.parametrize(("layers", "lost"), [("no-namespaces", {"processes"}), ("limits", {"network", "write", "read", "processes", "signals"})])
def test_a_weaker_confinement_promises_no_more_than_holds(engine, monkeypatch, layers, lost):
    """What a GPU's driver that does not work in all of it leaves."""
    monkeypatch.setitem(engine.workers.gpu_layers, default_python(), layers)
    link = engine.workers.start(default_python(), policy.Policy(cuda=True))
    engine.workers.end(link, at_once=True)
    assert set(PROTECTIONS) - set(link.held) == lost | {"memory"}


def test_a_plain_new_process_is_confined_as_far_as_it_can_be(engine, place, monkeypatch):
    """Where there is no fork server: all but the pid namespace, which begins with a child."""
    monkeypatch.setattr("engine.workers.can_fork", lambda: False)
    plain = Engine(keep_history=False)
    try:
        (outcome,) = plain.run_job(*job_of(place, "'forks'")).outcomes
        link = plain.workers.start(default_python(), policy.Policy(data_bytes=4 * GIB))
        assert set(PROTECTIONS) - set(link.held) <= {"processes"}
    finally:
        plain.close()
    assert (outcome.status, re.search(r"forked (\d+) end", outcome.log)[1]) == ("ok", "0")


def test_the_probe_knows_what_holds(engine, monkeypatch):
    monkeypatch.setattr("engine.facts_cache.read", lambda interpreter: None)
    assert engine.probe().confinement == PROTECTIONS


LAYERS = {
    "namespaces": ("engine.confinement.namespaces.enter = lambda *a: set()", {"processes"}),
    "mounts": ("engine.confinement.namespaces.arrange_mounts = lambda *a, **k: (set(), None)", {"processes"}),
    "read-only mounts": ("engine.confinement.namespaces._make_readonly = lambda: False", set()),
    "Landlock": ("engine.confinement.landlock.restrict = lambda *a: False", {"read"}),
    "seccomp": ("engine.confinement.seccomp.install = lambda *a: False", {"network", "processes", "signals"}),
    "limits": ("engine.confinement.limits.bound = lambda *a, **k: None", {"memory"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS)
def test_where_the_system_lacks_a_layer_a_model_runs_and_no_more_is_promised_than_holds(place, monkeypatch, layer):
    """A fork server whose confinement finds that layer missing; what hangs on it is not among what holds."""
    line, missing = LAYERS[layer]
    code = f"import sys, engine.launch, engine.confinement.worker; {line}; engine.launch.main(sys.argv[1:])"
    start = subprocess.Popen
    monkeypatch.setattr("engine.process.subprocess.Popen", lambda command, **named: start([command[0], "-c", code, *command[3:]], **named))
    poorer = Engine(keep_history=False)
    try:
        (outcome,) = poorer.run_job(*job_of(place, "'nothing'")).outcomes
        assert outcome.status == "ok", outcome.error
        link = poorer.workers.start(default_python(), policy.Policy(data_bytes=4 * GIB))
        poorer.workers.end(link, at_once=True)
    finally:
        poorer.close()
    assert set(PROTECTIONS) - set(link.held) == missing


def test_a_class_in_the_home_folder_brings_its_neighbours_and_no_keys(place, monkeypatch):
    """Python files and packages beside it are importable; what else lies in the home folder is not readable."""
    home = place / "home"
    for name, text in {"neighbour.py": "WIDTH = 16\n", "package/__init__.py": "OUT = 4\n", ".ssh/key": "verysecret", "documents/letter.py": "verysecret"}.items():
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(text)
    (home / "net.py").write_text(
        "import torch\nimport neighbour\nimport package\n\nclass Net(torch.nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.first, self.second = torch.nn.Linear(neighbour.WIDTH, 16), torch.nn.Linear(16, package.OUT)\n"
        "    def forward(self, x):\n        for name in ('.ssh/key', 'secret.txt', 'documents/letter.py'):\n            try:\n"
        f"                print('read', open({str(home)!r} + '/' + name).read())\n            except PermissionError:\n                print('refused', name)\n"
        "        return self.second(self.first(x))\n"
    )
    monkeypatch.setenv("HOME", str(home))
    fresh = Engine(keep_history=False)
    try:
        job, info = job_of(place, "'nothing'")
        job = msgspec.structs.replace(job, model=msgspec.structs.replace(job.model, architecture=f"{home / 'net.py'}:Net"))
        (outcome,) = fresh.run_job(job, info).outcomes
    finally:
        fresh.close()
    assert outcome.status == "ok", outcome.error
    assert "verysecret" not in outcome.log
    assert {"refused .ssh/key", "refused secret.txt", "refused documents/letter.py"} <= set(outcome.log.split("\n"))
