"""Whoever looks at an exported program and whoever loads it agree on every name; and what both call computing is what torch makes operators of."""

from __future__ import annotations

import json
import math
import operator
import warnings

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch._export.serde.serialize import GraphModuleDeserializer

from engine.files import inspect_file
from engine.files.operators import beyond_computing
from engine.job import ModelSource
from engine.worker.errors import WorkerError
from engine.worker.loading import load
from engine.worker.loading.exported_safety import what_runs_code
from tests.support import model_files as make

PARTS = ["torch", "ops", "aten", "relu", "default", "from_file", "save", "load_library", "import_module", "higher_order", "cond", "_operator", "operator", "math", "floor",
         "attrgetter", "methodcaller", "call", "itemgetter", "add", "__class__", "__dict__", "__and__", "os", "system", "sym_max", "_sym_sqrt", "nn", "hub", "load", "x", ""]
TARGETS = st.lists(st.sampled_from(PARTS) | st.text("ab_.#: \n", max_size=4), min_size=1, max_size=6).map(".".join)
KEYS = st.sampled_from(["target", "as_operator"])


def program(path, node):
    """An archive with one program of one node."""
    content = json.dumps({"graph_module": {"signature": {"input_specs": []}, "graph": {"nodes": [node]}}}).encode()
    path.write_bytes(make.zip_of({"e/archive_format": b"pt2", "e/models/model.json": content}))
    return path


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=TARGETS, key=KEYS)
def test_both_sides_say_the_same_of_any_name(tmp_path, target, key):
    """Nothing that inspecting calls harmless is refused as code, and nothing else is loaded without a yes."""
    path = program(tmp_path / "m.pt2", {key: target})
    found = inspect_file(str(path))
    assert found.grades == what_runs_code(path)
    assert found.requires_trust == bool(found.grades) == (beyond_computing(target) is not None)
    with pytest.raises(WorkerError) as met:     # it is no whole program: without a yes it is refused, else torch refuses it
        load(ModelSource(str(path), "exported-program"), torch.device("cpu"))
    assert met.value.code == ("needs-trust" if found.requires_trust else "load-failed")


TEXTS = st.lists(st.sampled_from(["s0", "2*s0", "Mod(s0, 4)", "set(s0)", "dict(s0)", "len(s0)", "print(s0)", "s0.size(0)", "s0.__class__", "(lambda: 0)()", "'a b'", "a["]), min_size=1).map(" + ".join)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS, place=st.sampled_from(["expr_str", "in_spec", "out_spec"]))
def test_both_sides_say_the_same_of_any_text(tmp_path, text, place):
    """Sizes and forms of arguments."""
    path = program(tmp_path / "m.pt2", {"x": {place: text}})
    found = inspect_file(str(path))
    assert (found.grades, found.requires_trust) == (what_runs_code(path), bool(found.grades))


def _names():
    """Whatever can be reached from the places that torch begins to walk at, three steps far."""
    for namespace in dir(torch.ops):
        yield f"torch.ops.{namespace}"
        yield from (f"torch.ops.{namespace}.{name}" for name in dir(getattr(torch.ops, namespace)))
    for schema in torch._C._jit_get_all_schemas():
        name = f"torch.ops.{schema.name.replace('::', '.')}"
        yield from (name, f"{name}.{schema.overload_name or 'default'}")
    for place, found in (("torch.ops.aten.relu", torch.ops.aten.relu), ("torch.ops.higher_order.cond", torch.ops.higher_order.cond)):
        yield from (f"{place}.{name}" for name in dir(found))
    for place, module in (("_operator", operator), ("math", math), ("torch", torch)):
        yield from (f"{place}.{name}" for name in dir(module))


OPERATORS = (torch._ops.OpOverload, torch._ops.OpOverloadPacket, torch._ops.HigherOrderOperator)
REACHING = (operator.attrgetter, operator.methodcaller, getattr(operator, "call", None))


def test_what_is_called_computing_is_an_operator_of_torchs_or_arithmetic():
    """Of all names that can be reached, resolved by torch itself."""
    deserializer, computing, files = object.__new__(GraphModuleDeserializer), 0, 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for target in dict.fromkeys(_names()):
            files += "from_file" in target
            if beyond_computing(target) is not None:
                continue
            computing += 1
            found = deserializer.deserialize_operator(target)
            own = any(getattr(module, getattr(found, "__name__", ""), None) is found for module in (operator, math)) and found not in REACHING
            symbolic = target.startswith(("torch.sym_", "torch._sym_"))
            listing = target.startswith("torch.ops.aten.relu.") and not isinstance(found, type)     # a packet's own list of overloads
            assert isinstance(found, (*OPERATORS, str, float)) or own or symbolic or listing, target
            assert not any(name in target for name in ("from_file", "aten.save", "load_library"))
    assert (computing > 4000, files > 1) == (True, True)
