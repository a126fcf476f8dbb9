"""Of a script only imports, classes, functions and constants are executed; what was left out is known by name and line."""

from __future__ import annotations

import ast
import linecache
import sys
import traceback
import warnings
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.worker.errors import WorkerError
from engine.worker.loading.classes import build, class_file, import_file
from engine.worker.loading.definitions import LEFT_OUT, Selection, load_definitions
from engine.worker.loading.explaining import explained, outdated

TRAINING = """\
\"\"\"Trains a network.\"\"\"
from __future__ import annotations
import os
import torch
import torch.nn as nn
from functools import partial
try:
    import no_such_package_anywhere as fancy
except ImportError:
    fancy = None

WIDTH = 4 * 2
SIZES = [WIDTH, WIDTH + 1, *(2 ** i for i in range(3))]
SIZES[0] = 16
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
norm = partial(nn.LayerNorm, eps=1e-6)
act: type = nn.ReLU
if WIDTH > 4:
    from collections import OrderedDict as Ordered
else:
    Ordered = dict

open("started.txt", "w").write("the training has begun")
dataset = [torch.randn(3) for _ in range(10)]
WIDTH = len(dataset)
for epoch in range(3):
    loss = epoch * 2.0
torch.manual_seed(int(os.environ["SEED"]))

class Net(nn.Module):
    def __init__(self, width: Unknown = SIZES[1]):
        super().__init__()
        self.layer = norm(width)

    def forward(self, x):
        return self.layer(x) + len(dataset)

def late():
    return epoch, loss

model = Net().to(DEVICE)

if __name__ == "__main__":
    results = model(torch.zeros(1))
"""


@pytest.fixture(autouse=True)
def modules_as_before(monkeypatch, tmp_path):
    """Modules and search path of a test end with it; its folder is where the script would write."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = dict(sys.modules)
    yield
    for name in sys.modules.keys() - before.keys():
        if name.startswith(("_model_class_", "pack", "near", "script")):
            del sys.modules[name]


def written(tmp_path, text, name="train.py"):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_training_script_gives_its_class_and_starts_nothing(tmp_path):
    module = load_definitions(written(tmp_path, TRAINING), "script")
    assert not (tmp_path / "started.txt").exists()
    assert module.SIZES == [16, 9, 1, 2, 4]
    assert module.fancy is None
    assert module.Ordered.__name__ == "OrderedDict"
    assert type(module.DEVICE).__name__ == "device"
    assert module.Net().layer.eps == 1e-6
    assert not hasattr(module, "model")
    assert not hasattr(module, "results")
    assert "__main__" not in module.__name__


def test_what_was_left_out_is_remembered_with_its_line(tmp_path):
    path = written(tmp_path, TRAINING)
    load_definitions(path, "script")
    lines = TRAINING.splitlines()
    left = LEFT_OUT[str(path)]
    assert set(left) >= {"dataset", "epoch", "loss", "model", "results", "WIDTH"}
    assert all(name in lines[left[name] - 1] or name in "\n".join(lines[left[name] - 1 : left[name] + 2]) for name in left)
    assert lines[left["dataset"] - 1].startswith("dataset =")


def test_a_constant_that_a_statement_left_out_would_change_is_not_used_stale(tmp_path):
    module = load_definitions(written(tmp_path, "n = 10\nn = len(open('x').read())\ndef f():\n    return n\n"), "script")
    with pytest.raises(NameError) as met:
        module.f()
    found = explained(met.value)
    assert (found.say, found.values["name"], found.values["line"]) == ("name-left-out", "n", 2)


def test_a_name_error_in_the_forward_names_the_statement(tmp_path):
    import torch

    path = written(tmp_path, TRAINING)
    network = build(f"{path}:Net")
    with pytest.raises(NameError) as met:
        network(torch.zeros(1, 9))
    found = explained(met.value, phase="forward")
    assert (found.code, found.say) == ("forward-raised", "name-left-out")
    assert found.values == {"name": "dataset", "line": TRAINING.splitlines().index("dataset = [torch.randn(3) for _ in range(10)]") + 1, "file": "train.py"}


def test_a_name_error_while_building_names_the_statement(tmp_path):
    path = written(tmp_path, "import torch\nclasses = open('c').read()\nclass Net(torch.nn.Module):\n    def __init__(self):\n        self.n = classes\n")
    with pytest.raises(WorkerError) as met:
        build(f"{path}:Net")
    assert (met.value.say, met.value.values["name"], met.value.values["line"]) == ("name-left-out", "classes", 2)


def test_another_name_error_is_not_blamed_on_the_script(tmp_path):
    module = load_definitions(written(tmp_path, "def f():\n    return nowhere\n"), "script")
    with pytest.raises(NameError) as met:
        module.f()
    assert explained(met.value) is None


def test_a_package_that_a_try_could_not_import_is_named_when_it_is_needed(tmp_path):
    module = load_definitions(
        written(tmp_path, "try:\n    import no_such.part as part\nexcept ImportError:\n    print('install it')\ndef f():\n    return part.x\n"), "script"
    )
    with pytest.raises(NameError) as met:
        module.f()
    found = explained(met.value)
    assert (found.say, found.values["package"]) == ("class-import-missing", "no_such")


def test_asking_for_what_a_statement_would_have_made_says_so(tmp_path):
    path = written(tmp_path, TRAINING)
    with pytest.raises(WorkerError) as met:
        build(f"{path}:model")
    assert (met.value.say, met.value.values["line"]) == ("class-not-executed", TRAINING.splitlines().index("model = Net().to(DEVICE)") + 1)


def test_a_missing_package_of_the_class_file_is_named(tmp_path):
    path = written(tmp_path, "import torch\nimport no_such_package.inner\nclass Net(torch.nn.Module): ...\n")
    with pytest.raises(WorkerError) as met:
        build(f"{path}:Net")
    assert (met.value.code, met.value.say, met.value.values) == ("load-failed", "class-import-missing", {"where": "train.py", "package": "no_such_package"})


def test_tracebacks_show_the_real_line(tmp_path):
    path = written(tmp_path, "import torch\nprint('deed')\n\ndef f():\n    raise KeyError('here')\n")
    module = load_definitions(path, "script")
    linecache.checkcache()
    with pytest.raises(KeyError) as met:
        module.f()
    frame = traceback.extract_tb(met.value.__traceback__)[-1]
    assert (frame.filename, frame.lineno, frame.line) == (str(path), 5, "raise KeyError('here')")


def test_future_annotations_hold_only_where_the_file_says_so(tmp_path):
    assert load_definitions(written(tmp_path, "from __future__ import annotations\ndef f(x: Nowhere): ...\n"), "script").f.__annotations__ == {"x": "Nowhere"}
    with pytest.raises(NameError):
        load_definitions(written(tmp_path, "def f(x: Nowhere): ...\n", "other.py"), "script2")


def test_relative_imports_of_a_package_work(tmp_path):
    written(tmp_path, "", "pack/__init__.py")
    written(tmp_path, "WIDTH = 3\n", "pack/sizes.py")
    path = written(tmp_path, "import torch\nfrom .sizes import WIDTH\nclass Net(torch.nn.Linear):\n    def __init__(self):\n        super().__init__(WIDTH, 1)\n", "pack/net.py")
    assert build(f"{path}:Net").in_features == 3


def test_a_neighbour_is_found_but_takes_no_librarys_place(tmp_path):
    written(tmp_path, "raise SystemExit('numpy of the folder')\n", "numpy.py")
    written(tmp_path, "WIDTH = 5\n", "near.py")
    path = written(tmp_path, "import sys, os\nsys.path.insert(0, os.path.dirname(__file__))\nimport numpy\nfrom near import WIDTH\n")
    assert import_file(path).WIDTH == 5


def test_a_definition_that_needs_what_was_left_out_is_left_out_too(tmp_path):
    path = written(tmp_path, "loader = open('x')\ndef train(data=loader): ...\nclass Net: ...\n")
    module = load_definitions(path, "script")
    assert hasattr(module, "Net")
    assert LEFT_OUT[str(path)]["train"] == 2


def test_another_modules_settings_are_not_changed(tmp_path):
    target = SimpleNamespace(value=1)
    sys.modules["near_settings"] = target
    load_definitions(written(tmp_path, "import near_settings\nnear_settings.value = 2\nx = y = near_settings\n"), "script")
    assert target.value == 1


def test_a_file_that_is_no_python_is_refused(tmp_path):
    with pytest.raises(WorkerError) as met:
        build(f"{written(tmp_path, 'class Net(:')}:Net")
    assert met.value.say == "class-import-raised"


@pytest.mark.parametrize("spec", ["Net", "a-b:Net", "/no/such/file.py:Net"])
def test_a_spec_that_names_nothing_is_refused(spec):
    with pytest.raises(WorkerError) as met:
        class_file(spec)
    assert met.value.say.startswith("architecture-")


def test_an_object_that_lacks_what_its_class_uses_is_outdated():
    import torch

    layer = torch.nn.Linear(1, 1)
    with pytest.raises(AttributeError) as met:
        layer.newer  # noqa: B018
    found = outdated(met.value, "forward")
    assert (found.code, found.say, found.values) == ("forward-raised", "object-outdated", {"type": "torch.nn.modules.linear.Linear", "name": "newer"})
    with pytest.raises(AttributeError) as met:
        (1).newer  # noqa: B018
    assert outdated(met.value) is None


# No top-level call of a script is ever made, however it is dressed.
HITS: list[str] = []
CALLS = ["boom()", "boom(a)", "boom.now()", "(lambda: boom())()", "[boom][0]()", "(boom if a else boom)()", "sorted([2, 1], key=boom)", "max(a, boom())", "Made()", "f()", "made.go()"]


def dressed(inner):
    return st.one_of(
        inner.map("({})".format), inner.map("[{}, 1]".format), inner.map("{{1: {}}}".format), inner.map("(a + {})".format), inner.map("(not {})".format),
        inner.map("({} if a else 2)".format), inner.map("[{} for _ in range(2)]".format), inner.filter(lambda text: "'" not in text).map("f'{{{}}}'".format), inner.map("(a and {})".format),
        inner.map("{{**{{1: {}}}}}".format), inner.map("(1, *[{}])".format), inner.map("int({})".format), inner.map("[1, 2][{}]".format), inner.map("({} == 1)".format),
        inner.map("(z := {})".format), inner.map("dict(k={})".format), inner.map("partial({}, 1)".format),
    )


deeds = st.recursive(st.sampled_from(CALLS), dressed, max_leaves=3)
statements = st.one_of(
    deeds, deeds.map("x = {}".format), deeds.map("a = {}".format), deeds.map("x: int = {}".format), deeds.map("b, c = 1, {}".format), deeds.map("assert {}".format),
    deeds.map("for i in {}:\n    x = i".format), deeds.map("if {}:\n    import os".format), deeds.map("while {}:\n    break".format), deeds.map("with {} as w:\n    pass".format),
    deeds.map("try:\n    import os\n    x = {}\nexcept ImportError:\n    pass".format), deeds.map("try:\n    import no_such_thing\nexcept ImportError:\n    x = {}".format),
    deeds.map("if a:\n    x = {}\nelse:\n    import os".format), deeds.map("if __name__ == '__main__':\n    {}".format), deeds.map("if __name__ != '__main__':\n    {}".format),
    deeds.map("match a:\n    case 1:\n        {}".format), deeds.map("a += {}".format), deeds.map("table[{}] = 1".format), deeds.map("made.x = {}".format), deeds.map("raise {}".format),
    st.just("del a"), st.just("import os"), st.just("a = 7"), st.just("table['k'] = a"), deeds.map("def g():\n    return {}".format), deeds.map("class D:\n    def m(self):\n        {}".format),
    deeds.map("later = lambda: {}".format), deeds.map("class E:\n    pass\nE.x = {}".format), deeds.map("async def h():\n    {}".format),
)
BEFORE = "from functools import partial\nfrom near_hits import boom, made\na = 1\ntable = {}\nclass Made:\n    def __init__(self):\n        boom()\ndef f():\n    boom()\n"


def parses(text):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(text)
        except SyntaxError:
            return False
    return True


@given(st.lists(statements.filter(parses), min_size=1, max_size=6))
def test_no_top_level_call_is_made(parts):
    near = ModuleType("near_hits")
    near.boom = lambda *given: HITS.append("hit")
    near.boom.now = near.boom
    near.made = SimpleNamespace(go=near.boom, x=0)
    sys.modules["near_hits"] = near
    HITS.clear()
    tree = ast.parse(BEFORE + "\n".join(parts))
    tree.body = Selection().select(tree.body)
    scope = {"__name__": "script_of_hypothesis"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            exec(compile(tree, "script", "exec"), scope)
    except Exception:
        pass    # half of a script that makes no sense: only what it did counts
    finally:
        del sys.modules["near_hits"]
    assert HITS == []
    assert near.made.x == 0
