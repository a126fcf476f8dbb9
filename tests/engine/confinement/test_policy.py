"""Which model is confined, and what its worker may still read."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.confinement import PROTECTIONS, Policy, policy_for, sentence_codes
from engine.confinement.policy import memory_bound
from engine.inputs import parse_input
from engine.job import InputSpec, ModelSource
from engine.words import say


def source(path="/models/m.pt", kind="state-dict", **fields):
    return ModelSource(str(path), kind, **fields)


@pytest.mark.parametrize("kind", ["module", "torchscript", "exported-program", "huggingface"])
def test_files_that_are_programs_are_confined(kind):
    assert policy_for(source(kind=kind)) is not None


@pytest.mark.parametrize("kind", ["state-dict", "checkpoint", "safetensors"])
def test_bare_weights_are_confined_with_a_class_a_search_or_consent(kind):
    assert policy_for(source(kind=kind)) is None
    assert policy_for(source(kind=kind, architecture="torchvision.models:resnet18")) is not None
    assert policy_for(source(kind=kind), also=("timm:create_model",)) is not None
    assert policy_for(source(kind=kind, trusted=True)) is not None


def test_onnx_is_data():
    assert policy_for(source(kind="onnx")) is None


def test_the_file_its_class_and_data_are_readable_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.delenv("MODEL_DYNO_PYTHONPATH", raising=False)
    for name in ("a/net.py", "b/other.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("class Net: pass\n")
    inside = InputSpec(container="tuple", parts=(InputSpec(data_path="/data/inner.npy"), parse_input("f32[B,3]")))
    found = policy_for(
        source(architecture=f"{tmp_path}/a/net.py:Net(width=2)"), (InputSpec(data_path="/data/x.npy"), inside), also=(f"{tmp_path}/b/other.py:Net", "package:Net")
    )
    assert set(found.read) == {"/models/m.pt", str(tmp_path / "a"), str(tmp_path / "b"), "/data/x.npy", "/data/inner.npy"}


def test_the_users_own_python_path_is_readable(monkeypatch):
    monkeypatch.setenv("MODEL_DYNO_PYTHONPATH", os.pathsep.join(["relative", "/somewhere/code"]))
    assert policy_for(source(kind="module")).read == ("/models/m.pt", "/somewhere/code")


def test_a_class_file_that_is_gone_is_the_workers_to_tell():
    assert policy_for(source(architecture="/nowhere/net.py:Net")).read[0] == "/models/m.pt"


def test_a_folder_of_links_may_be_followed(tmp_path):
    """As the cache of a download keeps its files."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    (blobs / "abc").write_bytes(b"x")
    (snapshot / "model.safetensors").symlink_to(blobs / "abc")
    assert set(policy_for(source(snapshot, "huggingface")).read) >= {str(snapshot), str(blobs)}


def test_memory_is_bounded_on_a_cpu_only():
    """CUDA maps more than there is."""
    cpu, cuda = policy_for(source(kind="module")), policy_for(source(kind="module"), device="cuda:0")
    assert (cpu.cuda, cuda.cuda, cuda.data_bytes) == (False, True, None)
    if Path("/proc/meminfo").exists():
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        assert 0 < cpu.data_bytes < total
        assert abs(cpu.data_bytes - memory_bound()) < total / 2


def test_it_travels_as_json():
    policy = Policy(("/a", "/b é"), True, 5)
    assert Policy.from_wire(json.loads(json.dumps(policy.on_the_wire()))) == policy


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_protection_has_a_sentence_for_both_cases(language):
    both = (*sentence_codes(PROTECTIONS), *sentence_codes(()))
    assert len(set(both)) == 2 * len(PROTECTIONS)
    assert len({say(code, language=language) for code in both}) == len(both)
    assert sentence_codes(("read",))[PROTECTIONS.index("read")] == "confined-read"
    assert sentence_codes(("read",)).count("unconfined-network") == 1
