"""What is no model is refused by name, with one sentence and one next step in both languages."""

from __future__ import annotations

import io
import os
import socket
import string
import struct
import tarfile
import zipfile

import pytest

from engine.files import Refused, inspect_file, tensor_index
from engine.words import say, table
from engine.words.files import TABLE
from tests.support import model_files as make

WEIGHTS = make.state_dict()
REFUSED = {
    "empty": (b"", "m.pth", "file-empty"),
    "zeros": (bytes(5000), "m.pth", "file-zeros"),
    "html": (b"\n<!DOCTYPE html><html><body>Sign in</body></html>", "m.pth", "file-web-page"),
    "html with bom": (b"\xef\xbb\xbf<html>", "m.onnx", "file-web-page"),
    "xml": (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "m.pth", "file-web-page"),
    "json error": (b'{"error": "Repository not found"}', "m.safetensors", "file-json-error"),
    "json config": (b'{"architectures": ["Bert"]}', "config.json", "file-json-config"),
    "json index": (b'{"metadata": {}, "weight_map": {}}', "model.safetensors.index.json", "file-shard-index"),
    "json": (b'[1, 2, 3]', "x.json", "file-json"),
    "deep json": (b'{"a":' * 3000, "x.pth", "file-text"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12345678\n", "m.pth", "file-lfs-pointer"),
    "path file": (b"/usr/lib/python3/dist-packages\n", "easy-install.pth", "file-path-configuration"),
    "path file of a project": (b"../src/project\n", "project.pth", "file-path-configuration"),
    "path file with code": (b"import os; var = 'SETUPTOOLS_USE_DISTUTILS'; enabled = True\n", "distutils-precedence.pth", "file-path-configuration"),
    "python": (b"import torch\n\nclass Net(torch.nn.Module):\n    pass\n", "net.py", "file-python"),
    "python named pth": (b"import torch\n\nclass Net(torch.nn.Module):\n    x = {'a': (1, 2)}\n", "net.pth", "file-python"),
    "text": ("这是一个文本文件\n".encode(), "notes.pth", "file-text"),
    "long text": (b"a" + "好".encode() * 5000, "notes.pth", "file-text"),
    "gzip": (b"\x1f\x8b\x08\0" + bytes(40), "m.pth.gz", "file-packed"),
    "7z": (b"7z\xbc\xaf\x27\x1c" + bytes(40), "m.7z", "file-packed"),
    "zip of a model": (make.zip_of({"best.pth": b"x"}), "download.pth", "file-archive-with"),
    "zip": (make.zip_of({"a.txt": b"x"}), "m.pth", "file-archive"),
    "empty zip": (make.zip_of({}), "m.pth", "file-archive"),
    "npz": (make.zip_of({"a.npy": b"x"}), "m.npz", "file-numpy"),
    "npy": (b"\x93NUMPY\x01\0" + bytes(40), "m.npy", "file-numpy"),
    "keras zip": (make.zip_of({"config.json": b"{}", "metadata.json": b"{}", "model.weights.h5": b""}), "m.keras", "file-other-library"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "m.h5", "file-other-library"),
    "gguf": (b"GGUF\x03\0\0\0" + bytes(40), "m.gguf", "file-other-library"),
    "tflite": (b"\x1c\0\0\0TFL3" + bytes(40), "m.tflite", "file-other-library"),
    "tensorflow graph": (make.proto((1, b"\x0a\x03abc"), (4, b"xy")) + bytes(3), "frozen.pb", "file-other-library"),
    "sklearn": (make.pickled(make.Made(make.Ref("sklearn.linear_model._base", "LinearRegression"), new=True), 4), "m.pkl", "file-other-library"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(40), "m.pth", "file-picture"),
    "pdf": (b"%PDF-1.7" + bytes(40), "m.pth", "file-document"),
    "program": (b"\x7fELF" + bytes(40), "m.pth", "file-program"),
    "unknown": (bytes(range(128, 256)) * 3, "m.pth", "file-unknown"),
    "optimizer": (make.zipped({"state": {0: {"exp_avg": make.tensor("0", 4)}}, "param_groups": [{"lr": 0.1}]}), "opt.pth", "file-optimizer-only"),
    "optimizer inside": (make.zipped({"optimizer": {"state": {}, "param_groups": []}, "epoch": 1}), "opt.pth", "file-optimizer-only"),
    "two tensors": (make.zipped({"x": make.tensor("0", 4), "y": make.tensor("1", 4)}), "data.pt", "file-data-tensors"),
    "list of tensors": (make.zipped([make.tensor("0", 4), make.tensor("1", 4)]), "data.pt", "file-data-tensors"),
    "tensor": (make.zipped(make.tensor("0", 4)), "data.pt", "file-single-tensor"),
    "namespace": (make.zipped(make.Made(make.Ref("argparse", "Namespace"), state={"lr": 0.1}, new=True)), "args.pt", "file-no-weights-object"),
    "dict": (make.zipped({"vocabulary": 3, "words": [1]}), "vocab.pt", "file-no-weights-dict"),
    "number": (make.zipped(3), "x.pt", "file-no-weights-other"),
    "pickle": (make.pickled({"a": 1}), "x.pkl", "file-no-weights-dict"),
    "pickle of weights": (make.pickled(WEIGHTS), "x.pkl", "file-plain-pickle-weights"),
    "evil pickle": (make.pickled(make.Made(make.Ref("posix", "system"), ("true",))), "x.pth", "file-dangerous"),
    "evil text pickle": (b"cposix\nsystem\n(S'true'\ntR.", "x.pth", "file-dangerous"),
    "evil zip": (make.zipped(make.Made(make.Ref("subprocess", "Popen"), (["true"],))), "x.pth", "file-dangerous"),
    "onnx with data elsewhere": (make.onnx(initializers=(make.onnx_tensor("w", (3,), location="w.data"),)), "m.onnx", "file-onnx-data-missing"),
    "onnx with data outside": (make.onnx(initializers=(make.onnx_tensor("w", (3,), location="../../etc/passwd"),)), "m.onnx", "file-onnx-data-outside"),
    "damaged onnx": (b"\x08\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "m.onnx", "file-damaged"),
    "bad safetensors": (struct.pack("<Q", 20) + b'{"a":{"dtype":"F32"}' + bytes(9), "m.safetensors", "file-damaged"),
    "wrong sizes": (make.safetensors({"a": ("F32", (2,))}).replace(b"[2]", b"[9]"), "m.safetensors", "file-damaged"),
    "storage missing": (make.zip_of({"a/data.pkl": make.pickled(WEIGHTS), "a/version": b"3"}), "m.pth", "file-damaged"),
    "two entries of one name": (make.zipped(WEIGHTS, extra={"DATA.PKL": b"N."}), "m.pth", "file-damaged"),
}


@pytest.mark.parametrize(("content", "name", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_by_name(tmp_path, content, name, code):
    """Each with its code, a sentence that names the file, and what to do next."""
    path = tmp_path / name
    path.write_bytes(content)
    found = inspect_file(str(path))
    assert found.info is None
    refusal = found.refusal
    assert refusal.code == refusal.say == code
    assert name in refusal.summary
    assert refusal.hint
    for language in ("en", "zh"):
        assert say(refusal.say, refusal.values, language)
        assert say(refusal.say + ".hint", refusal.values, language)
    with pytest.raises(Refused):
        tensor_index(str(path))


def test_places_that_are_no_files(tmp_path):
    """Nothing there, a folder, a folder with models, an unpacked model, a pipe, a socket, a broken link."""
    inside = tmp_path / "inside"
    inside.mkdir()
    assert inspect_file(str(tmp_path / "no.pth")).refusal.code == "file-missing"
    assert inspect_file(str(inside)).refusal.code == "file-folder"
    (inside / "best.pth").write_bytes(b"x")
    refusal = inspect_file(str(inside) + "/").refusal
    assert (refusal.code, refusal.values) == ("file-folder-with", {"name": "inside", "inside": "best.pth"})
    assert inspect_file(str(inside / "best.pth" / "x")).refusal.code == "file-missing"
    os.mkfifo(tmp_path / "pipe.pth")
    assert inspect_file(str(tmp_path / "pipe.pth")).refusal.code == "file-special"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s"))
        assert inspect_file(str(tmp_path / "s")).refusal.code == "file-special"
    (tmp_path / "link.pth").symlink_to("nowhere")
    assert inspect_file(str(tmp_path / "link.pth")).refusal.code == "file-missing"
    assert inspect_file("a\0b").refusal.code == "file-not-opened"
    assert inspect_file("/dev/zero").refusal.code == "file-special"
    assert inspect_file(str(tmp_path / ("x" * 300))).refusal.code == "file-not-opened"
    assert inspect_file("").refusal.code == "file-missing"


def test_permission_denied(tmp_path, monkeypatch):
    """A file that may not be read says so (root may read everything, so the refusal is put in its way)."""
    path = tmp_path / "m.pth"
    path.write_bytes(b"x")
    if os.geteuid() == 0:
        def refuse(*arguments):
            raise PermissionError(13, "Permission denied")
        monkeypatch.setattr("engine.files.inspection.os.open", refuse)
    else:
        path.chmod(0)
    assert inspect_file(str(path)).refusal.code == "file-unreadable"


def test_tar_is_packed(tmp_path):
    """A tar archive is to be unpacked first."""
    path = tmp_path / "m.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(__file__, "a.py")
    assert inspect_file(str(path)).refusal.values["format"] == "tar"


TRUNCATED = {"zip": make.zipped({"a.weight": make.tensor("0", 1000)}), "legacy": make.legacy({"a.weight": make.tensor("0", 1000)}),
             "safetensors": make.safetensors({"a": ("F32", (1000,))})}


@pytest.mark.parametrize(("kind", "cut"), [("legacy", 1), ("legacy", 3000), ("safetensors", 1), ("safetensors", 3999), ("safetensors", 4010)])
def test_missing_bytes_are_counted(tmp_path, kind, cut):
    """Where the format tells how long the file should be, the sentence says how much is missing."""
    path = tmp_path / "m.bin"
    path.write_bytes(TRUNCATED[kind][:-cut])
    refusal = inspect_file(str(path)).refusal
    assert (refusal.code, refusal.values["missing"]) == ("file-truncated-by", f"{cut:,}" if cut <= 4000 else "10")


def test_missing_bytes_of_a_zip(tmp_path):
    """Without its end record a torch archive still tells, by its pickle, how much must follow at least."""
    data = TRUNCATED["zip"]
    start = data.index(b"archive/byteorder") - 30
    path = tmp_path / "m.pth"
    path.write_bytes(data[:start])
    refusal = inspect_file(str(path)).refusal
    assert (refusal.code, refusal.values["missing"]) == ("file-truncated-by", "4,000")
    path.write_bytes(data[:-30])
    assert inspect_file(str(path)).refusal.code == "file-truncated"


def test_compressed_torch_archive_is_read(tmp_path):
    """Somebody zipped it again: its pickle is unpacked within limits."""
    path = tmp_path / "m.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("m/data.pkl", make.pickled(WEIGHTS))
        for key, size in make.storages_of(WEIGHTS).items():
            archive.writestr(f"m/data/{key}", bytes(size))
    assert inspect_file(str(path)).info.values == 125


@pytest.mark.parametrize("entry", ["m/data.pkl", "m/code/__torch__/nets.py"])
def test_damage_within_a_compressed_entry(tmp_path, entry):
    """A sum that does not match is damage, wherever it stands."""
    path = tmp_path / "m.pth"
    with zipfile.ZipFile(io.BytesIO(make.torchscript())) as source, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info in source.infolist():
            archive.writestr("m/" + info.filename.partition("/")[2], source.read(info))
        offset = archive.getinfo(entry).header_offset
    data = bytearray(path.read_bytes())
    at = data.index(b"PK\x01\x02")
    while int.from_bytes(data[at + 42 : at + 46], "little") != offset:
        at = data.index(b"PK\x01\x02", at + 4)
    data[at + 16] ^= 255
    path.write_bytes(data)
    assert inspect_file(str(path)).refusal.code == "file-damaged"


def test_onnx_with_its_data_beside_it(tmp_path):
    """External data that is there is no obstacle."""
    path = tmp_path / "m.onnx"
    path.write_bytes(make.onnx(initializers=(make.onnx_tensor("w", (3,), location="w.data"),)))
    (tmp_path / "w.data").write_bytes(bytes(12))
    assert inspect_file(str(path)).info.values == 3


def test_every_sentence_has_two_languages_and_a_next_step():
    """Refusals come with a hint; both languages take the same values."""
    assert TABLE.items() <= table().items()
    for code, (english, chinese) in TABLE.items():
        names = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (english, chinese)]
        assert names[0] == names[1], code
        assert any("一" <= letter <= "鿿" for letter in chinese), code
        if code.startswith("file-") and not code.endswith(".hint"):
            assert f"{code}.hint" in TABLE, code
            assert english.startswith("{name}"), code
