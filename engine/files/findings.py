"""What a reader of one format found out: the common shape of all their answers."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

from engine.files.danger import DANGEROUS, grades, worst
from engine.files.nodes import Node, Program
from engine.files.reading import Refused, clean
from engine.files.settings import settings_of
from engine.files.tensors import Tensor, TensorEntry, count_values
from engine.files.weights import Found, classify
from engine.job import InputSpec

_AT_HAND = sys.stdlib_module_names | {"torch", "numpy"}


@dataclass
class Findings:
    """A recognised model: its kind and what is known without running it."""

    kind: str
    architecture: str | None = None
    weights_at: str | None = None
    weights_places: tuple[str, ...] = ()
    entries: list[TensorEntry] = field(default_factory=list)
    dtypes: dict[str, int] = field(default_factory=dict)
    weights_bytes: int | None = None
    parameters: int | None = None
    buffers: int | None = None
    inputs: tuple[InputSpec, ...] | None = None
    globals: list[tuple[str, str]] = field(default_factory=list)
    """What loading would import; for kinds whose loading runs Python's pickle."""
    runs_code: bool = False
    """Loading cannot do without running code of the file's, or without the full unpickler."""
    config: dict[str, Any] = field(default_factory=dict)
    """Plain values found beside the weights."""
    missing_classes: tuple[str, ...] = ()
    """Of a whole module: what loading imports beyond torch, numpy and the standard library."""
    module: Node = None
    """The described module itself, where there is one: its layers tell more than its weights."""
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    program: Program | None = None
    """The described pickle, where weights may lie in several of its places."""

    def note(self, code: str, **values: Any) -> None:
        """Add a remark: a code of engine.words.files with its values."""
        self.notes.append((code, values))


def from_program(program: Program, at: str | None = None) -> Findings:
    """What a torch.save pickle is, taken from the place `at` where there are several; raises Refused when there is no model in it."""
    found = _classified(program, at)
    findings = Findings(
        found.kind, architecture=found.class_name, weights_at=found.at, weights_places=found.places, globals=program.globals, program=program
    )
    findings.runs_code = found.kind == "module" or not program.plain
    if not program.plain and found.kind != "module":
        findings.note("note-new-protocol")
    add_tensors(findings, found)
    findings.config = settings_of(program.root)
    if found.kind == "module":
        count_kinds(findings, found)
        findings.missing_classes = foreign_classes(program.globals)
        findings.module = found.node
    return findings


def taken_from(findings: Findings, at: str | None) -> Findings:
    """The same file with its weights (or module) taken from another of its places; a place that is not there changes nothing."""
    if findings.program is None or at in (None, findings.weights_at) or at not in findings.weights_places:
        return findings
    moved = from_program(findings.program, at)
    moved.globals = findings.globals
    return moved


def count_kinds(findings: Findings, found: Found) -> None:
    """Fill in parameters and buffers, where the tensors tell which they are."""
    findings.parameters = sum(count_values(tensor for _, tensor in found.tensors if tensor.parameter).values())
    findings.buffers = sum(count_values(tensor for _, tensor in found.tensors if not tensor.parameter).values())


def foreign_classes(names: list[tuple[str, str]]) -> tuple[str, ...]:
    """Those of `names` that are neither torch's nor numpy's nor Python's own, in their order."""
    foreign = (f"{module}.{name}" for module, name in names if module.split(".", 1)[0] not in _AT_HAND)
    return tuple(dict.fromkeys(foreign))


def _classified(program: Program, at: str | None) -> Found:
    try:
        return classify(program.root, at)
    except Refused as refused:
        raise refuse_pickle(program, refused) from None


def refuse_pickle(program: Program, refused: Refused) -> Refused:
    """`refused`, with what the pickle wanted to call beside it; where that is dangerous, it is all that matters."""
    graded = grades(program.globals)
    if worst(graded) == DANGEROUS:
        refused = Refused("file-dangerous", names=", ".join([name for name, one in graded.items() if one == DANGEROUS][:5]))
    refused.grades = graded
    return refused


def add_tensors(findings: Findings, found: Found) -> None:
    """Fill the tensor list, the counts and the weights' bytes."""
    tensors = [tensor for _, tensor in found.tensors]
    findings.entries = [entry(name, tensor) for name, tensor in found.tensors]
    findings.dtypes = count_values(tensors)
    findings.weights_bytes = sum(storage.size_bytes for storage in {tensor.storage.key: tensor.storage for tensor in tensors}.values())


def entry(name: str, tensor: Tensor) -> TensorEntry:
    """The public description of one tensor."""
    return TensorEntry(name, clean(tensor.dtype), tensor.shape, tensor.contiguous, tensor.storage.key, tensor.storage.device, tensor.parameter)
