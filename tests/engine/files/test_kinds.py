"""Every kind of model file is known by its bytes, whatever it is called."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from engine.files import InspectionProcess, inspect_file, tensor_index
from tests.support import model_files as make

S = make.state_dict
RECOGNISED = {
    "state-dict zip": (make.zipped(S()), "state-dict", 125, 6),
    "state-dict legacy": (make.legacy(S()), "state-dict", 125, 6),
    "checkpoint": (make.zipped({"epoch": 1, "state_dict": S()}), "checkpoint", 125, 6),
    "checkpoint legacy": (make.legacy({"epoch": 1, "model": S()}), "checkpoint", 125, 6),
    "module": (make.zipped(make.net()), "module", 10, 3),
    "module legacy": (make.legacy(make.net()), "module", 10, 3),
    "torchscript": (make.torchscript(), "torchscript", 8, 2),
    "safetensors": (make.safetensors({"a.weight": ("F32", (2, 3)), "a.bias": ("I64", (4,))}), "safetensors", 10, 2),
    "onnx": (make.onnx(initializers=(make.onnx_tensor("w", (3, 5)),)), "onnx", 15, 1),
    "onnx constants": (make.onnx(nodes=(make.constant("w", make.onnx_tensor("", (7,))),)), "onnx", 7, 1),
    "executorch": (b"\x20\0\0\0ET12" + bytes(64), "executorch", None, None),
    "torch-package": (make.zip_of({"p/.data/extern_modules": b"torch", "p/.data/0.storage": bytes(16), "p/model/model.pkl": b"N."}), "torch-package",
                      None, None),
    "exported-program": (make.zip_of({"e/archive_format": b"pt2", "e/models/model.json": b"{}"}), "exported-program", None, None),
    "aotinductor": (make.zip_of({"e/archive_format": b"pt2", "e/data/aotinductor/model/x.so": b"\x7fELF"}), "aotinductor", None, None),
}


@pytest.mark.parametrize(("content", "kind", "values", "tensors"), RECOGNISED.values(), ids=RECOGNISED.keys())
@pytest.mark.parametrize("name", ["model.pth", "model.onnx", "model"])
def test_kind_does_not_hang_on_the_name(tmp_path, content, kind, values, tensors, name):
    """The same bytes are the same kind under any ending."""
    path = tmp_path / name
    path.write_bytes(content)
    found = inspect_file(str(path))
    assert found.refusal is None
    assert (found.info.kind, found.info.values, found.info.tensors) == (kind, values, tensors)
    assert found.info.file_bytes == len(content)
    assert found.path == found.info.path == str(path)


@pytest.mark.parametrize("name", ["</script><img src=x onerror=alert(1)>.pth", "模型 one.pth", "a\nb\x1b[31m.pth", "--json.pth", "{name}.pth"])
def test_names_of_files_are_only_names(tmp_path, name):
    """No file name is harmful or lost; in a sentence it is shown without control characters."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(make.zipped(S()))
    assert inspect_file(str(path)).info.kind == "state-dict"
    path.write_bytes(b"")
    refused = inspect_file(str(path)).refusal
    assert refused.code == "file-empty"
    assert "\n" not in refused.summary and "\x1b" not in refused.summary
    assert path.name.split("\n")[0][:5] in refused.summary


def test_hash_is_the_files_own(tmp_path):
    """sha256 as sha256sum gives it; it can be left out."""
    path = tmp_path / "m.pth"
    path.write_bytes(make.zipped(S()))
    expected = subprocess.run(["sha256sum", path], capture_output=True, check=True, text=True).stdout.split()[0]
    assert inspect_file(str(path)).info.sha256 == expected
    assert inspect_file(str(path), with_hash=False).info.sha256 == ""


def test_tied_weights_count_once_and_parts_of_one_storage_each(tmp_path):
    """Two names for one tensor are one; two halves of one storage are two; a slice is as large as it shows."""
    path = tmp_path / "m.pth"
    halves = {"up.weight": make.tensor("1", 10, numel=20), "down.weight": make.tensor("1", 10, numel=20, offset=10)}
    tied = {"a.weight": make.tensor("0", 4, 4), "b.weight": make.tensor("0", 4, 4)}
    expanded = {"wide.weight": make.tensor("2", 50, 3, strides=(0, 1), numel=3)}
    path.write_bytes(make.zipped({**tied, **halves, **expanded}))
    info = inspect_file(str(path)).info
    assert (info.values, info.tensors, info.weights_bytes) == (16 + 20 + 3, 5, 4 * (16 + 20 + 3))


def test_devices_and_types_are_told(tmp_path):
    """Where the tensors were saved, and how many numbers of which type."""
    path = tmp_path / "m.pth"
    path.write_bytes(make.zipped({"w.weight": make.tensor("0", 3, kind="HalfStorage", device="cuda:1"), "w.bias": make.tensor("1", 2)}))
    info = inspect_file(str(path)).info
    assert info.saved_on == ("cpu", "cuda:1")
    assert info.dtypes == {"float16": 3, "float32": 2}


def test_tensor_index_gives_names_shapes_and_order(tmp_path):
    """What the class is fitted to: keys without the checkpoint's own, shapes, and whether the numbers lie in row order."""
    path = tmp_path / "m.pth"
    path.write_bytes(make.zipped({"model": {"a.weight": make.tensor("0", 2, 3, strides=(1, 2)), "a.bias": make.tensor("1", 2)}}))
    assert [(entry.key, entry.shape, entry.contiguous) for entry in tensor_index(str(path))] == [("a.weight", (2, 3), False), ("a.bias", (2,), True)]


CHECKPOINTS = {
    "lightning": ({"epoch": 1, "state_dict": S(), "optimizer_states": [{"state": {0: {"exp_avg": make.tensor("9", 4)}}, "param_groups": []}]}, "state_dict"),
    "two levels": ({"best": {"model": S(), "score": 1.0}}, "best.model"),
    "ema": ({"ema": S(first=10), "model": S()}, "model"),
    "ema only": ({"ema": {"shadow": S()}, "step": 4}, "ema.shadow"),
    "with a tensor beside": ({"state_dict": S(), "mean": make.tensor("8", 3), "std": make.tensor("7", 3)}, "state_dict"),
    "in an object": ({"run": make.Made(make.Ref("argparse", "Namespace"), (), state={"weights": S()}, new=True)}, "run.weights"),
    "two networks": ({"discriminator": {"d.weight": make.tensor("9", 3)}, "generator": S()}, "generator"),
    "in a list": ([S(), {"lr": 1}], "0"),
}


@pytest.mark.parametrize(("content", "at"), CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_weights_are_found_inside_a_checkpoint(tmp_path, content, at):
    """The weights' place is found and named, the optimizer's tensors are passed by."""
    path = tmp_path / "c.ckpt"
    path.write_bytes(make.zipped(content))
    found = inspect_file(str(path))
    assert (found.info.kind, found.info.weights_at, found.info.values) == ("checkpoint", at, 125)
    assert found.weights_places[0] == at


def test_other_weights_in_the_checkpoint_are_named(tmp_path):
    """Where several fit, all places are listed, and the note says which one was taken."""
    path = tmp_path / "c.ckpt"
    path.write_bytes(make.zipped({"ema": S(first=10), "model": S()}))
    found = inspect_file(str(path))
    assert found.weights_places == ("model", "ema")
    assert [note.code for note in found.notes] == ["note-other-weights", "note-state-dict-not-model"]
    assert "ema" in found.note


def test_all_that_is_told_is_about_the_chosen_place(tmp_path):
    """Counts, keys, first layer and code; a place that is not there changes nothing, and the answer says which one it is about."""
    path = tmp_path / "gan.pt"
    critic = {"d.weight": make.tensor("9", 3, 5), "d.bias": make.tensor("8", 3, kind="HalfStorage")}
    path.write_bytes(make.zipped({"critic": critic, "generator": S()}))
    first, second = inspect_file(str(path)), inspect_file(str(path), at="critic")
    assert first.info.weights_at == "generator" and first.weights_places == second.weights_places
    info = second.info
    assert (info.weights_at, info.tensors, info.values, info.dtypes) == ("critic", 2, 18, {"float32": 15, "float16": 3})
    assert info.weights_bytes == 66 and info.sha256 == first.info.sha256 and second.fingerprint != first.fingerprint
    assert second.first_layer.values == {"layer": "d", "features": 5}
    assert second.guessed != first.guessed and "['critic']" in second.note
    assert {note.code: note.values for note in second.notes}["note-other-weights"] == {"at": "critic", "others": "generator"}
    assert inspect_file(str(path), at="best") == first
    assert InspectionProcess(str(path), at="critic").result() == second


def test_the_chosen_module_of_several(tmp_path):
    """Class, counts and layers are those of the module that lies there."""
    linear = make.module(make.Ref("torch.nn.modules.linear", "Linear"), {"weight": make.parameter(make.tensor("9", 2, 7))})
    path = tmp_path / "two.pt"
    path.write_bytes(make.zipped({"net": make.net(), "head": linear}))
    found = inspect_file(str(path), at="head")
    assert (found.info.kind, found.info.weights_at, found.info.parameters, found.weights_places) == ("module", "head", 14, ("net", "head"))
    assert found.info.architecture == "torch.nn.modules.linear.Linear"


def test_module_inside_a_checkpoint(tmp_path):
    """A whole module under a key is a module, with its place."""
    path = tmp_path / "yolo.pt"
    path.write_bytes(make.zipped({"model": make.net(), "epoch": 3}))
    found = inspect_file(str(path))
    assert (found.info.kind, found.info.weights_at, found.info.architecture) == ("module", "model", "__main__.Net")


def test_module_tells_parameters_from_buffers(tmp_path):
    """A pickled module names its class, its tensors by their dotted names, and which are parameters."""
    path = tmp_path / "m.pt"
    path.write_bytes(make.zipped(make.net()))
    found = inspect_file(str(path))
    assert (found.info.parameters, found.info.buffers, found.info.architecture) == (8, 2, "__main__.Net")
    assert [entry.key for entry in tensor_index(str(path))] == ["scale", "linear.weight", "linear.bias"]
    assert found.requires_trust
    assert found.grades == {"__main__.Net": "unknown", "torch.nn.modules.linear.Linear": "harmless"}


def test_torchscript_needs_no_trust_and_names_its_class(tmp_path):
    """Its archive is read by torch's own runtime; parameters are those that the code lists."""
    path = tmp_path / "m.pt"
    path.write_bytes(make.torchscript())
    found = inspect_file(str(path))
    assert (found.requires_trust, found.info.architecture, found.info.parameters, found.info.buffers) == (False, "nets.Net", 6, 2)


def test_huggingface_folder(tmp_path):
    """A folder with config.json and weights is one model: its class by name, its tensors over all shards."""
    (tmp_path / "config.json").write_text('{"architectures": ["BertModel"], "hidden_size": 3}')
    (tmp_path / "model-1.safetensors").write_bytes(make.safetensors({"a": ("F32", (2,))}))
    (tmp_path / "model-2.safetensors").write_bytes(make.safetensors({"b": ("F16", (3,))}))
    found = inspect_file(str(tmp_path))
    assert (found.info.kind, found.info.architecture, found.info.values, found.info.tensors) == ("huggingface", "BertModel", 5, 2)
    assert found.info.sha256 != inspect_file(str(tmp_path / "model-1.safetensors")).info.sha256
    assert len(found.info.sha256) == 64


def test_newer_pickle_protocols_need_trust(tmp_path):
    """Weights-only loading knows protocol 2; what goes beyond it cannot be promised to load without the full unpickler."""
    path = tmp_path / "m.pt"
    path.write_bytes(make.zipped({"a.weight": make.tensor("0", 2), "a.bias": make.tensor("1", 2)}, protocol=4))
    found = inspect_file(str(path))
    assert found.info.kind == "state-dict"
    assert found.requires_trust
    assert [note.code for note in found.notes] == ["note-new-protocol", "note-state-dict-not-model"]


@pytest.fixture(scope="session")
def written_by_torch(tmp_path_factory):
    """Files that the installed torch wrote, from a process of its own."""
    folder = tmp_path_factory.mktemp("torch")
    subprocess.run([sys.executable, Path(make.__file__).with_name("torch_files.py"), folder], check=True, timeout=120)
    return folder


BY_TORCH = {
    "state_dict.pt": ("state-dict", 129, 7), "state_dict_legacy.pt": ("state-dict", 129, 7), "checkpoint.pt": ("checkpoint", 129, 7),
    "module.pt": ("module", 129, 7), "module_legacy.pt": ("module", 129, 7), "module_inside.pt": ("module", 129, 7), "half.pt": ("state-dict", 129, 7),
    "torchscript.pt": ("torchscript", 129, 7), "exported.pt2": ("exported-program", 129, 7), "package.pt": ("torch-package", 129, 7),
    "tied.pt": ("state-dict", 24, 4), "slice.pt": ("state-dict", 200, 1), "parameters.pt": ("state-dict", 7, 2),
    "optimizer.pt": "file-optimizer-only", "tensor.pt": "file-single-tensor",
}


def test_files_that_torch_wrote(written_by_torch):
    """What torch itself writes is known; one network has the same numbers in every format."""
    seen = {}
    for path in written_by_torch.iterdir():
        found = inspect_file(str(path))
        seen[path.name] = (found.info.kind, found.info.values, found.info.tensors) if found.info else found.refusal.code
    assert seen == BY_TORCH
    for name in ("module.pt", "module_legacy.pt", "torchscript.pt", "exported.pt2", "package.pt"):
        info = inspect_file(str(written_by_torch / name)).info
        assert (info.parameters, info.buffers) == (120, 9), name
