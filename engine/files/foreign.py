"""Files that are no models, or none that this program runs: recognised by their first bytes and refused by name."""

from __future__ import annotations

import codecs
import json
import re

from engine.files.reading import HEAD_BYTES, Refused, Source

_ARCHIVES = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!", "RAR"),
             (b"\x28\xb5\x2f\xfd", "Zstandard"), (b"\x04\x22\x4d\x18", "LZ4"))
_LIBRARIES = ((b"\x89HDF\r\n\x1a\n", "Keras (HDF5)"), (b"GGUF", "llama.cpp (GGUF)"), (b"ftrt", "TensorRT"), (b"ptrt", "TensorRT"))
_OTHERS = ((b"\x93NUMPY", "file-numpy"), (b"\x89PNG", "file-picture"), (b"\xff\xd8\xff", "file-picture"), (b"GIF8", "file-picture"),
           (b"%PDF", "file-document"), (b"\x7fELF", "file-program"), (b"MZ", "file-program"), (b"#!", "file-program"))
_LFS = b"version https://git-lfs.github.com/spec/"
_HTML = re.compile(rb"\s*(<!doctype html|<html|<head|<body|<\?xml|<!--)", re.IGNORECASE)
_PATH_LINE = re.compile(r"(import[ \t].+|#.*|[^<>|\"'{}();=]+)$")
_RELATIVE = re.compile(r"[\w.-]+$|[A-Za-z]:[\\/]", re.ASCII)
_PYTHON_LINE = re.compile(r"^(import \w|from \w[\w.]* import |def \w|class \w)", re.MULTILINE)
_OPENVINO = re.compile(rb"\s*(<\?xml[^>]{0,200}\?>)?\s*<net\s", re.IGNORECASE)
# A SavedModel: its version, then a graph whose tag is `serve`; a frozen graph: nodes of a name and a known operator.
_SAVED_MODEL = re.compile(rb"\x08\x01\x12", re.DOTALL)
_GRAPH_NODE = re.compile(rb"\x0a.{1,3}\x0a.[\w./-]{1,120}\x12.(Placeholder|Const|NoOp|VarHandleOp|VariableV2|Identity|ReadVariableOp)", re.DOTALL)
_JSON_LIMIT_BYTES = 16 << 20


def refuse_foreign(source: Source) -> None:
    """Raises Refused when the first bytes tell what the file is and it is no model."""
    head = source.head
    for magic, name in _ARCHIVES:
        if head.startswith(magic):
            raise Refused("file-packed", format=name)
    if head[257:262] == b"ustar":
        raise Refused("file-packed", format="tar")
    _refuse_library(head)
    for magic, code in _OTHERS:
        if head.startswith(magic):
            raise Refused(code)
    if head.startswith(_LFS):
        raise Refused("file-lfs-pointer", size=_lfs_size(head))
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")):
        raise Refused("file-web-page")
    if head.count(0) == len(head):
        raise Refused("file-zeros")


def _refuse_library(head: bytes) -> None:
    name = next((name for magic, name in _LIBRARIES if head.startswith(magic)), None)
    if head[4:8] == b"TFL3":
        name = "TensorFlow Lite"
    elif _OPENVINO.match(head):
        name = "OpenVINO"
    if name is not None:
        raise Refused("file-other-library", library=name)


def refuse_tensorflow(source: Source) -> None:
    """Raises Refused for TensorFlow's protocol buffers, SavedModel and frozen graph."""
    head = source.head
    if _GRAPH_NODE.match(head) or (_SAVED_MODEL.match(head) and (b"serve" in head or b"Placeholder" in head or b"VarHandleOp" in head)):
        raise Refused("file-other-library", library="TensorFlow")
    if source.path.lower().endswith(".pb"):
        raise Refused("file-other-library", library="TensorFlow")


def _lfs_size(head: bytes) -> str:
    match = re.search(rb"^size (\d{1,18})$", head, re.MULTILINE)
    return f"{int(match[1]):,}" if match else "?"


def refuse_text(source: Source) -> None:
    """Raises Refused when the file is text: a path file, JSON, Python, or anything else."""
    text = _as_text(source.head)
    if text is None:
        return
    start = text.lstrip()
    if start[:1] in ("{", "["):
        raise _json(source)
    if _is_path_file(source, text):
        raise Refused("file-path-configuration")
    if source.path.endswith(".py") or _PYTHON_LINE.search(text):
        raise Refused("file-python")
    raise Refused("file-text", start=" ".join(start[:60].split()))


def _as_text(head: bytes) -> str | None:
    try:
        # A full head may end within a letter.
        text = codecs.getincrementaldecoder("utf-8")().decode(head, final=len(head) < HEAD_BYTES)
    except UnicodeDecodeError:
        return None
    return None if any(ord(letter) < 32 and letter not in "\t\n\r\f" for letter in text) else text


def _is_path_file(source: Source, text: str) -> bool:
    """Whether it reads as a path configuration file of site-packages: a directory or an import on every line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return source.path.lower().endswith(".pth") and source.size_bytes < 65536 and bool(lines) and all(_PATH_LINE.match(line) for line in lines) \
        and any(line.startswith(("import ", "/", ".", "#")) or _RELATIVE.match(line) for line in lines)


def _json(source: Source) -> Refused:
    try:
        content = json.loads(source.read_at(0, min(source.size_bytes, _JSON_LIMIT_BYTES)))
    except (ValueError, RecursionError):
        return Refused("file-text", start="{")
    if isinstance(content, dict) and "weight_map" in content:
        return Refused("file-shard-index")
    if isinstance(content, dict) and content.keys() & {"error", "message", "detail", "errors"}:
        return Refused("file-json-error")
    if isinstance(content, dict) and ("architectures" in content or "model_type" in content):
        return Refused("file-json-config")
    return Refused("file-json")
