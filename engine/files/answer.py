"""From what a reader found to what the program tells: counts, hash, fingerprint, first layer, grades and remarks."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from engine.candidates import Candidate
from engine.events import FileInspected
from engine.files import candidates, danger
from engine.files.findings import Findings
from engine.files.folders import is_part, read_config
from engine.files.layers import first_layer
from engine.files.reading import Refused, clean
from engine.files.settings import settings_of_json
from engine.files.tensors import TensorEntry
from engine.guess import guess_inputs
from engine.job import InputSpec
from engine.prefixes import strip
from engine.result import ModelInfo, Reason
from engine.search.defining import defining_candidates
from engine.words import failure, say

_TRAINER = "pytorch-lightning_version"
_BARE = ("state-dict", "checkpoint", "safetensors")


def refusal_of(path: str, refused: Refused) -> FileInspected:
    """The answer about a file that is no model, or none that can be taken."""
    values: dict[str, Any] = {"name": _name(path), **refused.values}
    return FileInspected(path=path, refusal=failure(refused.code, refused.code, values), unsafe_globals=tuple(refused.grades), grades=refused.grades,
                         danger=danger.worst(refused.grades))


def accepted(path: str, findings: Findings, files: list[Path], near: tuple[str, ...] = (), *, with_hash: bool) -> FileInspected:
    """The answer about a model; `near` are further places to look for its class."""
    if findings.kind in _BARE:
        # The file of a Hugging Face folder, opened alone: what stands beside it belongs to it.
        findings.config = {**settings_of_json(read_config(Path(path).parent)), **findings.config}
    graded, said = danger.grades(findings.globals), first_layer(findings.entries, findings.module)
    notes, print_of_keys = _notes(path, findings, graded), fingerprint(findings.entries)
    asks = _runs_code(findings, graded)
    return FileInspected(
        path=path, info=_info(path, findings, files, with_hash, weights_only=not (findings.runs_code or graded)), inputs=findings.inputs, guessed=_guess(findings),
        requires_trust=asks, unsafe_globals=tuple(graded) if asks else (), danger=danger.worst(graded), grades=graded,
        weights_places=findings.weights_places, notes=notes, note=" ".join(note.sentence for note in notes), fingerprint=print_of_keys,
        config=findings.config, missing_classes=findings.missing_classes, first_layer=said and Reason(*said, say(*said)),
        candidates=_candidates(path, findings, near, print_of_keys))


def _runs_code(findings: Findings, graded: dict[str, str]) -> bool:
    """Whether loading it takes more than weights-only loading; of bare weights that knows harmless values too."""
    if findings.kind in ("state-dict", "checkpoint"):
        return findings.runs_code or not danger.loads_as_weights(findings.globals)
    return findings.runs_code or bool(graded)


def fingerprint(entries: list[TensorEntry]) -> str:
    """sha256 of keys and shapes, wrapper prefixes taken off, in no order: equal for one network trained twice. Empty without tensors."""
    if not entries:
        return ""
    _, names = strip(entry.key for entry in entries)
    lines = sorted(f"{name} {','.join(map(str, entry.shape))}" for name, entry in zip(names, entries, strict=True))
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _candidates(path: str, findings: Findings, near: tuple[str, ...], print_of_keys: str) -> tuple[Candidate, ...]:
    folder = path if os.path.isdir(path) else os.path.dirname(path)
    if findings.missing_classes:
        return defining_candidates(findings.missing_classes, findings.architecture, os.path.abspath(folder), near)
    if findings.kind not in candidates.KINDS:
        return ()
    return candidates.find_candidates(findings.entries, findings.config, folder, near, print_of_keys)


def _name(path: str) -> str:
    return clean(os.path.basename(path.rstrip("/")) or path)


def _info(path: str, findings: Findings, files: list[Path], with_hash: bool, *, weights_only: bool) -> ModelInfo:
    sizes = [file.stat().st_size for file in files]
    return ModelInfo(
        path=path, sha256=_hash(files) if with_hash else "", kind=findings.kind, values=sum(findings.dtypes.values()) if findings.entries else None,
        parameters=findings.parameters, buffers=findings.buffers, file_bytes=sum(sizes), weights_bytes=findings.weights_bytes, dtypes=findings.dtypes,
        architecture=findings.architecture, tensors=len(findings.entries) if findings.entries else None,
        saved_on=tuple(sorted({entry.device for entry in findings.entries} - {""})), weights_at=findings.weights_at,
        weights_only=weights_only or findings.kind not in _BARE)


def _guess(findings: Findings) -> tuple[InputSpec, ...]:
    """What the first layer's weights suggest, where the file declares nothing."""
    return () if findings.inputs else guess_inputs((entry.key, entry.shape) for entry in findings.entries)


def _notes(path: str, findings: Findings, graded: dict[str, str]) -> tuple[Reason, ...]:
    notes = list(findings.notes)
    if findings.kind in _BARE and (part := is_part(path)) is not None:
        notes.append(("note-one-part", {"number": part[0], "count": part[1]}))
    if len(findings.weights_places) > 1:
        notes.append(("note-other-weights", {"at": findings.weights_at, "others": ", ".join(place for place in findings.weights_places if place != findings.weights_at)}))
    if graded:
        opinion = danger.second_opinion(name for name in findings.globals if ".".join(name) in graded)
        if opinion:
            notes.append(("note-picklescan", {"names": ", ".join(clean(name) for name in opinion[:8])}))
    return tuple(Reason(code, values, say(code, values)) for code, values in [*notes, *_mistakes(path, findings, graded)])


def _mistakes(path: str, findings: Findings, graded: dict[str, str]) -> list[tuple[str, dict[str, Any]]]:
    """The two mistakes of every tutorial, beside the code that works: weights taken for a model, a module without its class."""
    name = _name(path)
    if findings.kind in _BARE:
        return [("note-state-dict-not-model", {"read": _reading(name, findings, graded)})]
    if findings.kind == "module" and findings.missing_classes:
        missing = findings.missing_classes[0]
        module, _, cls = missing.rpartition(".")
        own = module == "__main__"
        return [("note-module-needs-class", {"cls": missing, "name": name, "code": (
            f"from net import {cls}; import __main__; __main__.{cls} = {cls}" if own else f"import {module}")
            + f"; model = torch.load({name!r}, map_location='cpu', weights_only=False)" + "".join(f"[{key!r}]" for key in (findings.weights_at or "").split(".") if key)})]
    return []


def _reading(name: str, findings: Findings, graded: dict[str, str]) -> str:
    """The expression that reads the weights, as the network alone names them."""
    read = _plainly(name, findings, graded)
    prefix, _ = strip(entry.key for entry in findings.entries)
    # Who wrote `model.` or `net.` is a class's own matter, but for a trainer, which puts its module's name there.
    if not prefix or not ({"module", "_orig_mod"} & set(prefix.split(".")) or _TRAINER in findings.config):
        return read
    return f"{{key.removeprefix({prefix!r}): value for key, value in {read}.items()}}"


def _plainly(name: str, findings: Findings, graded: dict[str, str]) -> str:
    if findings.kind == "safetensors":
        return f"safetensors.torch.load_file({name!r})"
    keys = (findings.weights_at or "").split(".")
    # Torch by itself refuses harmless values too. Where more than that is named, nothing is offered that would run it.
    full = ", weights_only=False" if graded and not _runs_code(findings, graded) else ""
    return f"torch.load({name!r}, map_location='cpu'{full})" + "".join(f"[{int(key)}]" if key.isascii() and key.isdigit() else f"[{key!r}]" for key in keys if key)


def _hash(files: list[Path]) -> str:
    """sha256 of the file; of a folder, of its files' names and hashes."""
    if len(files) == 1:
        return _file_hash(files[0])
    together = hashlib.sha256()
    for file in files:
        together.update(f"{file.name}\0{_file_hash(file)}\n".encode("utf-8", "surrogateescape"))
    return together.hexdigest()


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Refused("file-not-opened", reason=clean(error.strerror or str(error))) from error
