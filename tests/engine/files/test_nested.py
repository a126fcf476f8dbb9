"""Pickles inside files that look like text and tensors: every name in them is graded, and none of them is run."""

from __future__ import annotations

import json

import pytest

from engine.files import inspect_file, inspect_in_child
from engine.files.danger import DANGEROUS
from tests.support import model_files as make

META = {"dtype": 7, "sizes": [{"as_int": 4}], "device": {"type": "cpu"}}


def exported(**entries: bytes) -> bytes:
    """An exported program of one weight, with further entries (`__` for `/`)."""
    config = json.dumps({"config": {"w": {"path_name": "weight_0", "is_param": True, "tensor_meta": META}}}).encode()
    plain = {"archive_format": b"pt2", "models/model.json": b"{}", "data/weights/model_weights_config.json": config, "data/weights/weight_0": bytes(16)}
    return make.zip_of({f"e/{name}": content for name, content in {**plain, **{name.replace("__", "/"): content for name, content in entries.items()}}.items()})


def pickled_weight(kind: str, content: bytes) -> bytes:
    """An exported program whose list says that one tensor is a pickle."""
    listed = json.dumps({"config": {"w": {"path_name": "tensor_0", "is_param": True, "use_pickle": True, "tensor_meta": META}}}).encode()
    return exported(**{f"data/{kind}/model_{kind}_config.json": listed, f"data/{kind}/tensor_0": content})


PLACES = {
    "samples": lambda bad: exported(**{"data/sample_inputs/model.pt": make.zipped((bad, {}))}),
    "samples, format before 1.6": lambda bad: exported(**{"data/sample_inputs/model.pt": make.legacy((bad, {}))}),
    "samples, broken behind the call": lambda bad: exported(**{"data/sample_inputs/model.pt": make.pickled(bad)[:-1] + b"\xff"}),
    "constants": lambda bad: pickled_weight("constants", make.zipped(bad)),
    "weights": lambda bad: pickled_weight("weights", make.zipped(bad)),
    "state dict of an older file": lambda bad: make.zip_of({"serialized_exported_program.json": b"{}", "serialized_state_dict.pt": make.zipped({"w": bad}), "version": b"8.8"}),
    "package": lambda bad: make.zip_of({"p/.data/extern_modules": b"torch", "p/model/model.pkl": make.pickled(bad)}),
    "package, broken behind the call": lambda bad: make.zip_of({"p/.data/extern_modules": b"torch", "p/model/model.pkl": make.pickled(bad)[:-1] + b"\xff"}),
    "folder of .bin": make.zipped,
}


@pytest.mark.parametrize("place", PLACES)
def test_a_call_is_found_wherever_it_lies(tmp_path, place):
    """Named dangerous, and its effect does not come."""
    effect, path = tmp_path / "effect", tmp_path / "m.pt2"
    bad = make.harmful(effect)
    if place == "folder of .bin":
        path.mkdir()
        (path / "config.json").write_text('{"model_type": "tiny"}')
        (path / "pytorch_model.bin").write_bytes(make.zipped(make.ordered({"a.weight": make.tensor("0", 3), "b.weight": make.tensor("1", 3), "c": bad})))
    else:
        path.write_bytes(PLACES[place](bad))
    found = inspect_file(str(path))
    assert inspect_in_child(str(path)) == found
    assert (found.danger, found.requires_trust) == (DANGEROUS, True)
    assert "posix.system" in found.unsafe_globals
    assert not effect.exists()


def test_compiled_code_beside_a_program_is_dangerous(tmp_path):
    """Torch opens the library together with the program."""
    path = tmp_path / "m.pt2"
    path.write_bytes(exported(**{"data/aotinductor/model/x.so": b"\x7fELF"}))
    found = inspect_file(str(path))
    assert (found.info.kind, found.danger) == ("exported-program", DANGEROUS)


def test_raw_numbers_that_begin_like_a_pickle_are_numbers(tmp_path):
    """Only what the list calls a pickle is unpickled, so only that is read as one."""
    path = tmp_path / "m.pt2"
    path.write_bytes(exported(**{"data/weights/weight_0": make.pickled(make.harmful(tmp_path / "effect"))[:16].ljust(16)}))
    found = inspect_file(str(path))
    assert (found.info.values, found.unsafe_globals) == (4, ())


SIGNATURE = {"signature": {"input_specs": []}}


@pytest.mark.parametrize("place", ["models/model.json", "models/another.json"])
@pytest.mark.parametrize(("program", "name"), [
    ({"graph_module": {"graph": {"tensor_values": {"x": {"sizes": [{"as_expr": {"expr_str": "__import__('os')"}}]}}}}}, "builtins.__import__"),
    ({"guards_code": ["__import__('os').system('true')"]}, "builtins.__import__"),
    ({"graph_module": {"graph": {"nodes": [{"target": "torch.os.system"}]}}}, "torch.os.system"),
    ({"graph_module": {"graph": {"nodes": [{"target": "_operator.attrgetter"}]}}}, "operator.attrgetter"),
    ({"graph_module": {"graph": {"nodes": [{"target": "torch.ops.aten.from_file.default"}]}}}, "torch.ops.aten.from_file.default"),
    ({"graph_module": {"module_call_graph": [{"fqn": "a", "signature": {"in_spec": '{"type": "builtins.tuple", "context": {"__enum__": true}}'}}]}}, "importlib.import_module"),
])
def test_texts_that_loading_evaluates_are_graded(tmp_path, program, name, place):
    """Sizes, guards, operators and forms of arguments, in the model and in one that lies beside it."""
    path = tmp_path / "m.pt2"
    content = json.dumps({**program, "graph_module": {**SIGNATURE, **program.get("graph_module", {})}}).encode()
    path.write_bytes(make.zip_of({"e/archive_format": b"pt2", f"e/{place}": content}))
    found = inspect_file(str(path))
    assert (found.danger, name in found.unsafe_globals) == (DANGEROUS, True)
    assert ("note-operators" if "target" in str(program) else "note-evaluated-text") in [note.code for note in found.notes]


def test_a_plain_pickle_of_large_weights_is_read_in_place(tmp_path):
    """Storages of megabytes lie in strings that are stepped over; what they are is read from their own beginning."""
    path = tmp_path / "m.pkl"
    call = make.Made(make.Ref("torch.storage", "_load_from_bytes"), (make.legacy(make.Stored(("storage", make.Ref("torch", "FloatStorage"), "0", "cpu", 500_000, None))),))
    weight = make.Made(make.Ref("torch._utils", "_rebuild_tensor_v2"), (call, 0, (500, 1000), (1000, 1), False, make.ordered({})))
    path.write_bytes(make.pickled(make.ordered({"a.weight": weight}), 4))
    refusal = inspect_file(str(path)).refusal
    assert (refusal.code, refusal.values["tensors"]) == ("file-plain-pickle-weights", 1)
