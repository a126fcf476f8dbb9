"""Every sort of file that people call a model, and what is often taken for one: how each is made, and what it must be called."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.support import model_files as make

LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"ab" * 32 + b"\nsize 102530333\n"


@dataclass(frozen=True)
class Variant:
    """One file: its name, how it came about, and the kind (or the refusal's code) that it must get."""

    name: str
    made: str
    expected: str
    run: bool = False
    """It can be measured: alone, or with the class beside it."""
    canary: bool = False
    """Loading it as it asks for would create the file `canary`."""


def _bare(name: str, made: str, kind: str = "checkpoint") -> Variant:
    return Variant(name, made, kind, run=True)


BY_TORCH = (
    _bare("weights.pth", "`torch.save(model.state_dict())`", "state-dict"), _bare("weights_legacy.pth", "the same in the format before 1.6", "state-dict"),
    _bare("data_parallel.pt", "the same from DataParallel: `module.` before every key", "state-dict"),
    _bare("compiled.pt", "the same from torch.compile: `_orig_mod.` before every key", "state-dict"), _bare("half.pth", "the same as float16", "state-dict"),
    Variant("tied.pth", "two layers that share their weights", "state-dict"),
    _bare("trainer.pth.tar", "weights under `state_dict`, with optimizer and arguments (a Namespace)"), _bare("model_and_ema.pt", "weights under `model`, averaged ones under `ema`"),
    _bare("model_state.pt", "weights under `model_state`"), _bare("two_levels.pt", "weights under `model.state_dict`"),
    _bare("ema_only.pt", "averaged weights alone, under `ema.shadow`"), _bare("list_items.pt", "a list whose first item is the state dict"),
    _bare("lightning.ckpt", "a Lightning checkpoint"), Variant("module.pt", "`torch.save(model)`; class in net.py", "module", run=True),
    Variant("module_legacy.pt", "the same in the format before 1.6", "module", run=True), Variant("module_inside.pt", "a whole module under `model`", "module", run=True),
    Variant("module_of_a_script.pt", "`torch.save(model)` in a script: class `__main__.Net`", "module", run=True),
    Variant("module_sequential.pt", "a Sequential of torch's own layers", "module", run=True),
    Variant("traced.pth", "`torch.jit.trace`, called .pth", "torchscript", run=True), Variant("scripted.bin", "`torch.jit.script`, called .bin", "torchscript", run=True),
    Variant("lite.ptl", "saved for the lite interpreter", "torchscript", run=True),
    Variant("exported.pt2", "`torch.export.save`, fixed shapes", "exported-program", run=True),
    Variant("exported_batch.pt2", "the same with an open batch", "exported-program", run=True),
    Variant("exported_2_5.pt2", "the same in the layout of torch 2.1 to 2.7", "exported-program", run=True), Variant("exported_2_8.pt2", "the same in the layout of torch 2.8", "exported-program", run=True),
    Variant("exported_harmful.pt2", "the same with a call in place of a size", "exported-program", canary=True),
    Variant("package.pt", "`torch.package`", "torch-package"),
    Variant("optimizer.pt", "`torch.save(optimizer.state_dict())`", "file-optimizer-only"), Variant("two_tensors.pt", "a dict of two tensors", "file-data-tensors"),
    Variant("tensor.pt", "one tensor", "file-single-tensor"), Variant("namespace.pt", "a Namespace in torch.save", "file-no-weights-object"),
    Variant("namespace.pkl", "a Namespace in pickle.dump", "file-no-weights-object"), Variant("pickled_weights.pkl", "`pickle.dump(model.state_dict())`", "file-plain-pickle-weights"),
    Variant("pickled_module.pkl", "`pickle.dump(model)`", "file-plain-pickle-module"), Variant("pickled_arrays.pkl", "NumPy arrays in pickle.dump", "file-plain-pickle-arrays"),
    Variant("net.py", "the class file itself", "file-python"),
)
BY_HAND = (
    Variant("cuda.pth", "a state dict saved on cuda:0", "state-dict"), Variant("weights.safetensors", "safetensors", "safetensors"),
    Variant("model-00001-of-00003.safetensors", "one part of three", "safetensors"), Variant("hf_safetensors", "folder: config.json, model.safetensors", "huggingface"),
    Variant("hf_bin", "folder: config.json, pytorch_model.bin, training_args.bin", "huggingface"),
    Variant("hf_sharded", "folder: config.json, an index and two parts", "huggingface"), Variant("hf_incomplete", "the same, one part missing", "file-shards-missing"),
    Variant("parts_only", "folder: index and parts without config.json", "file-folder-shards"),
    Variant("model.safetensors.index.json", "the index alone", "file-shard-index"), Variant("net.onnx", "ONNX with an open batch", "onnx"),
    Variant("external.onnx", "ONNX, weights in a file beside it", "onnx"), Variant("external_lost.onnx", "the same without that file", "file-onnx-data-missing"),
    Variant("compiled_package.pt2", "AOTInductor", "aotinductor"), Variant("mobile.pte", "ExecuTorch", "executorch"),
    Variant("distutils-precedence.pth", "a path file of site-packages", "file-path-configuration"), Variant("pointer.pth", "a Git LFS pointer", "file-lfs-pointer"),
    Variant("page.pth", "a sign-in page (HTML)", "file-web-page"), Variant("error.pth", "a server's error (JSON)", "file-json-error"),
    Variant("empty.pth", "0 bytes", "file-empty"), Variant("zeros.pth", "a download that was only reserved", "file-zeros"),
    Variant("cut.pth", "a state dict cut short", "file-truncated-by"), Variant("cut_legacy.pth", "the same, format before 1.6", "file-truncated-by"),
    Variant("cut.safetensors", "safetensors cut short", "file-truncated-by"), Variant("cut.onnx", "ONNX cut short", "file-truncated-by"),
    Variant("sklearn.pkl", "scikit-learn in pickle.dump", "file-other-library"), Variant("sklearn.joblib", "scikit-learn in joblib.dump", "file-other-library"),
    Variant("keras.h5", "Keras, HDF5", "file-other-library"), Variant("keras.keras", "Keras, zip", "file-other-library"),
    Variant("saved_model", "folder: a TensorFlow SavedModel", "file-other-library"), Variant("frozen.pb", "a frozen TensorFlow graph", "file-other-library"),
    Variant("saved_model.bin", "saved_model.pb under another name", "file-other-library"), Variant("lite.tflite", "TensorFlow Lite", "file-other-library"),
    Variant("openvino.xml", "OpenVINO", "file-other-library"), Variant("llama.gguf", "llama.cpp", "file-other-library"),
    Variant("download.zip", "a zip around weights", "file-archive-with"), Variant("weights.pth.gz", "gzip", "file-packed"), Variant("weights.tar", "tar", "file-packed"),
    Variant("arrays.npz", "NumPy arrays", "file-numpy"), Variant("unpacked", "folder: a model archive, unpacked", "file-folder-unpacked"),
    Variant("notes.pth", "a text", "file-text"), Variant("picture.pth", "a picture", "file-picture"),
    Variant("harmful.pth", "a pickle whose `__reduce__` runs a shell", "file-dangerous", canary=True),
    Variant("harmful_weights.pth", "weights with such a call among them", "state-dict", canary=True),
    Variant("harmful_module.pt", "a whole module with such a call in it", "module", canary=True),
    Variant("harmful_nested.pkl", "pickled weights with such a call in a storage's own pickle", "file-dangerous", canary=True),
)
VARIANTS = BY_TORCH + BY_HAND


def write_all(folder: Path) -> None:
    """Make every file of VARIANTS."""
    subprocess.run([sys.executable, str(Path(__file__).with_name("sorts_torch.py")), str(folder)], check=True, timeout=240)
    write_by_hand(folder)


def write_by_hand(folder: Path) -> None:
    """Make those that need no torch; nothing in them was ever run."""
    weights = {"conv.weight": make.tensor("0", 4, 3, 3, 3), "conv.bias": make.tensor("1", 4)}
    safe = make.safetensors({"conv.weight": ("F32", (4, 3, 3, 3)), "conv.bias": ("F32", (4,))}, {"format": "pt"})
    graph = make.onnx(inputs=(make.onnx_input("x", ("batch", 3)),), initializers=(make.onnx_tensor("w", (3, 5)),))
    whole, old = make.zipped(make.ordered(weights)), make.legacy(make.ordered(weights))
    bad = make.harmful(folder / "canary")
    for name, content in {
        "cuda.pth": make.zipped(make.state_dict("cuda:0")), "weights.safetensors": safe, "model-00001-of-00003.safetensors": safe, "net.onnx": graph,
        "external.onnx": make.onnx(initializers=(make.onnx_tensor("w", (3,), location="external.data"),)), "external.data": bytes(12),
        "external_lost.onnx": make.onnx(initializers=(make.onnx_tensor("w", (3,), location="lost.data"),)), "mobile.pte": b"\x20\0\0\0ET12" + bytes(64),
        "compiled_package.pt2": make.zip_of({"e/archive_format": b"pt2", "e/data/aotinductor/model/x.so": b"\x7fELF"}),
        "model.safetensors.index.json": b'{"metadata": {}, "weight_map": {}}', "pointer.pth": LFS, "empty.pth": b"", "zeros.pth": bytes(5000),
        "distutils-precedence.pth": b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = True\n",
        "page.pth": b"<!DOCTYPE html><html><body>Sign in</body></html>", "error.pth": b'{"error": "Repository not found"}',
        "cut.pth": whole[: whole.index(b"archive/byteorder") - 30], "cut_legacy.pth": old[:-100], "cut.safetensors": safe[:-100], "cut.onnx": graph[:-20],
        "keras.h5": b"\x89HDF\r\n\x1a\n" + bytes(40), "keras.keras": make.zip_of({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b""}),
        "frozen.pb": make.proto((1, make.proto((1, "input"), (2, "Placeholder")))), "saved_model.bin": saved_model(), "lite.tflite": b"\x1c\0\0\0TFL3" + bytes(40),
        "openvino.xml": b'<?xml version="1.0"?>\n<net name="m" version="11"><layers/></net>', "llama.gguf": b"GGUF\x03\0\0\0" + bytes(40),
        "download.zip": make.zip_of({"best.pth": whole}), "weights.pth.gz": gzip.compress(whole), "weights.tar": tar_of("weights.pth", whole),
        "arrays.npz": make.zip_of({"a.npy": b"x"}), "notes.pth": b"To do: train longer.\n", "picture.pth": b"\x89PNG\r\n\x1a\n" + bytes(40),
        "sklearn.pkl": make.pickled(estimator(), 4), "sklearn.joblib": make.pickled(estimator(), 4)[:-1] + b"\x00raw numbers of an array\xff",
        "harmful.pth": make.zipped(bad), "harmful_weights.pth": make.zipped(make.ordered({**weights, "extra": bad})),
        "harmful_module.pt": make.zipped(make.module(buffers={"w": make.tensor("0", 2)}, children={"bad": bad})),
        "harmful_nested.pkl": nested(make.legacy({"hook": bad})),
    }.items():
        (folder / name).write_bytes(content)
    write_folders(folder, safe, make.zipped(make.ordered(weights)))


def write_folders(folder: Path, safe: bytes, saved: bytes) -> None:
    """Folders: Hugging Face in its forms, TensorFlow's, an unpacked archive."""
    config = json.dumps({"architectures": ["TinyForImages"], "model_type": "tiny", "hidden_size": 4}).encode()
    parts = [f"model-0000{number}-of-00002.safetensors" for number in (1, 2)]
    index = json.dumps({"weight_map": {"conv.weight": parts[0], "head.weight": parts[1]}}).encode()
    second = make.safetensors({"head.weight": ("F16", (5, 4))})
    for name, files in {
        "hf_safetensors": {"config.json": config, "model.safetensors": safe, "optimizer.pt": b"x"},
        "hf_bin": {"config.json": config, "pytorch_model.bin": saved, "training_args.bin": b"x"},
        "hf_sharded": {"config.json": config, "model.safetensors.index.json": index, parts[0]: safe, parts[1]: second},
        "hf_incomplete": {"config.json": config, "model.safetensors.index.json": index, parts[0]: safe},
        "parts_only": {"model.safetensors.index.json": index, parts[0]: safe, parts[1]: second},
        "saved_model": {"saved_model.pb": saved_model()}, "unpacked": {"data.pkl": b"", "version": b"3"},
    }.items():
        (folder / name).mkdir(exist_ok=True)
        for file, content in files.items():
            (folder / name / file).write_bytes(content)


def saved_model() -> bytes:
    """The beginning of a TensorFlow SavedModel."""
    node = make.proto((1, make.proto((1, "serving_default_x"), (2, "Placeholder"))))
    return make.proto((1, 1), (2, make.proto((1, make.proto((4, "serve"))), (2, node))))


def estimator() -> make.Made:
    """A fitted estimator of scikit-learn, as it lies in a pickle."""
    return make.Made(make.Ref("sklearn.linear_model._base", "LinearRegression"), state={"coef_": make.Made(make.Ref("joblib.numpy_pickle", "NumpyArrayWrapper"), new=True)}, new=True)


def nested(storage: bytes) -> bytes:
    """A plain pickle of one weight, whose storage is a file of torch.save in a string."""
    call = make.Made(make.Ref("torch.storage", "_load_from_bytes"), (storage,))
    weight = make.Made(make.Ref("torch._utils", "_rebuild_tensor_v2"), (call, 0, (1,), (1,), False, make.ordered({})))
    return make.pickled(make.ordered({"layer.weight": weight}), 3)


def tar_of(name: str, content: bytes) -> bytes:
    """A tar archive of one file."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return stream.getvalue()
