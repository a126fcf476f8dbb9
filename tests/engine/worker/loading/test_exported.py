"""Exported programs run; those that do more than compute are not opened without a yes."""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import warnings
import zipfile

import msgspec
import pytest
import torch
from torch import nn

from engine.files import inspect_file
from engine.job import ModelSource
from engine.worker.errors import WorkerError
from engine.worker.loading import load, load_timed
from engine.worker.loading.exported_safety import what_runs_code

CPU = torch.device("cpu")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 5))

    def forward(self, x):
        return {"scores": self.body(x), "twice": x * 2}


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(1)
    return Net().eval()


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    """The network with any batch and any size."""
    path = tmp_path_factory.mktemp("exported") / "net.pt2"
    sizes = {0: torch.export.Dim("batch"), 2: torch.export.Dim("height", min=8, max=64), 3: torch.export.Dim("width", min=8, max=64)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(network, (torch.randn(2, 3, 16, 16),), dynamic_shapes=(sizes,)), path)
    return path


def source(path, **fields):
    return ModelSource(str(path), "exported-program", **fields)


def changed(exported, tmp_path, **replaced):
    """The archive with strings of its program replaced, or with more entries."""
    path = tmp_path / "changed.pt2"
    with zipfile.ZipFile(exported) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name.endswith("models/model.json"):
                text = data.decode()
                for before, after in replaced.get("strings", ()):
                    assert before in text
                    text = text.replace(before, json.dumps(after)[1:-1])
                data = text.encode()
            new.writestr(name, replaced.get("entries", {}).get(name.partition("/")[2], data))
        root = old.namelist()[0].partition("/")[0]
        for name, data in replaced.get("more", {}).items():
            new.writestr(f"{root}/{name}", data)
    return path


@pytest.mark.parametrize("shape", [(1, 3, 16, 16), (3, 3, 9, 20)])
def test_it_answers_as_the_network_did(exported, network, shape):
    loaded = load(source(exported), CPU)
    x = torch.randn(shape)
    with torch.inference_mode():
        found, wanted = loaded.module(x), network(x)
    assert torch.allclose(found["scores"], wanted["scores"], atol=1e-6)
    assert torch.equal(found["twice"], wanted["twice"])
    assert sum(each.numel() for each in loaded.module.parameters()) == sum(each.numel() for each in network.parameters())
    assert sum(each.numel() for each in loaded.module.buffers()) == sum(each.numel() for each in network.buffers())


def test_it_is_read_and_nothing_moves_on_a_cpu(exported):
    _, times = load_timed(source(exported), CPU)
    assert 0 < times.reading_ns <= times.load_ns
    assert times.moving_ns is None


def test_moving_it_changes_the_devices_in_its_graph(tmp_path):
    class Makes(nn.Module):
        def forward(self, x):
            return x + torch.ones(3, device="cpu")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(Makes(), (torch.zeros(3),)), tmp_path / "makes.pt2")
    loaded = load(source(tmp_path / "makes.pt2"), CPU)
    moved = loaded.move(torch.device("meta"))
    assert any(str(node.kwargs.get("device")) == "meta" for node in moved.graph.nodes)


def test_an_ordinary_program_only_computes(exported):
    assert what_runs_code(exported) == {}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("torch.ops.aten.relu.default", "torch.serialization.os.system"), ("torch.ops.aten.relu.default", "torch.hub.load"),
        ("torch.ops.aten.relu.default", "torch.ops.load_library"), ("torch.ops.aten.relu.default", "_operator.methodcaller"),
        ("torch.ops.aten.relu.default", "torch.ops.aten.from_file.default"), ("torch.ops.aten.relu.default", "torch.ops.__class__.load_library"), ("torch.ops.aten.relu.default", "torch.ops.aten.__class__.__base__"),
        ("positive=True", "positive=__import__('os').mkdir('DONE')"), ("builtins.dict", "collections.defaultdict"),
    ],
)
def test_what_does_more_is_not_opened(exported, tmp_path, monkeypatch, before, after):
    monkeypatch.chdir(tmp_path)
    path = changed(exported, tmp_path, strings=[(before, after)])
    with pytest.raises(WorkerError) as met:
        load(source(path), CPU)
    assert (met.value.code, met.value.say) == ("needs-trust", "exported-runs-code")
    # Whoever looks at the file says the same, in the same words.
    inspected = inspect_file(str(path))
    assert inspected.requires_trust
    assert met.value.values["found"] == ", ".join(f"{name} ({grade})" for name, grade in inspected.grades.items())
    assert not (tmp_path / "DONE").exists()


def test_compiled_code_beside_the_program_is_not_opened(exported, tmp_path):
    with pytest.raises(WorkerError) as met:
        load(source(changed(exported, tmp_path, more={"data/aotinductor/model/evil.so": b"x"})), CPU)
    assert met.value.code == "needs-trust"


class Deed:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return (os.mkdir, (self.path,))


def with_samples(exported, tmp_path):
    torch.save(((Deed(tmp_path / "done"),), {}), tmp_path / "deed.pt")
    return changed(exported, tmp_path, entries={"data/sample_inputs/model.pt": (tmp_path / "deed.pt").read_bytes()})


def with_object(exported, tmp_path):
    """A constant that the list calls no pickle; torch unpickles it all the same, for its name."""
    with zipfile.ZipFile(exported) as archive:
        listed = next(name for name in archive.namelist() if name.endswith("model_weights_config.json"))
        described = next(iter(json.loads(archive.read(listed))["config"].values()))["tensor_meta"]
    config = {"config": {"c": {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": False, "tensor_meta": {**described, "dtype": 1, "requires_grad": False}}}}
    return changed(exported, tmp_path, entries={"data/constants/model_constants_config.json": json.dumps(config).encode()},
                   more={"data/constants/opaque_obj_0": pickle.dumps(Deed(tmp_path / "done"), 2)})


@pytest.mark.parametrize("make", [with_samples, with_object])
def test_a_pickle_inside_is_found_and_nothing_of_it_runs(exported, tmp_path, make):
    path = make(exported, tmp_path)
    with pytest.raises(WorkerError) as met:
        load(source(path), CPU)
    assert (met.value.code, inspect_file(str(path)).danger, "posix.mkdir" in met.value.values["found"]) == ("needs-trust", "dangerous", True)
    assert not (tmp_path / "done").exists()


@pytest.mark.parametrize("make", [with_samples, with_object])
def test_a_pickle_that_was_overlooked_would_not_run_either(exported, tmp_path, monkeypatch, make):
    path = make(exported, tmp_path)
    monkeypatch.setattr("engine.worker.loading.exported.what_runs_code", lambda path: {})
    before = torch.load, pickle.loads
    with pytest.raises(WorkerError) as met:
        load(source(path), CPU)
    assert met.value.say == "exported-refused"
    assert not (tmp_path / "done").exists()
    assert (torch.load, pickle.loads) == before


@pytest.mark.parametrize("make", [with_samples, with_object])
def test_after_a_yes_it_would(exported, tmp_path, make):
    """The proof that these files do what they say."""
    with contextlib.suppress(Exception):    # whatever else is wrong with it
        load(source(make(exported, tmp_path), trusted=True), CPU)
    assert (tmp_path / "done").exists()


@pytest.mark.parametrize("name", ["models/another.txt_", "models/another.json"])
def test_every_program_in_the_archive_counts_however_its_name_ends(exported, tmp_path, name):
    more = {name: json.dumps({"graph_module": {"graph": {"nodes": [{"target": "torch.os.system"}]}}}).encode()}
    path = changed(exported, tmp_path, more=more)
    with pytest.raises(WorkerError) as met:
        load(source(path), CPU)
    assert (met.value.code, inspect_file(str(path)).unsafe_globals) == ("needs-trust", ("torch.os.system",))


def test_a_program_outside_of_the_folder_is_refused(exported, tmp_path):
    """Torch falls back to it when the newer one fails."""
    path = changed(exported, tmp_path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("serialized_exported_program.json", b"{}")
    with pytest.raises(WorkerError) as met:
        load(source(path), CPU)
    assert (met.value.say, inspect_file(str(path)).refusal.code) == ("exported-refused", "file-damaged")


def test_what_is_damaged_is_refused_in_words(exported, tmp_path):
    for name, content in (("cut.pt2", exported.read_bytes()[:2000]), ("empty.pt2", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WorkerError) as met:
            load(source(tmp_path / name), CPU)
        assert (met.value.say, met.value.values["file"]) == ("exported-refused", name)
        assert msgspec.msgpack.encode(met.value.values)     # torch's version is no plain text
