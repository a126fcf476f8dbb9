"""Classes read from source against keys: what a constructor builds is followed, however it is written."""

from __future__ import annotations

import textwrap
import time

import pytest

from engine.classes import SourceError
from engine.search.beside import FILE_LIMIT_BYTES
from engine.search.scoring import key_tree, score
from engine.search.source import SourceFile


def scores(folder, source, keys):
    path = folder / "net.py"
    path.write_text("import torch\nfrom torch import nn\n" + textwrap.dedent(source))
    read, tree = SourceFile(str(path), FILE_LIMIT_BYTES), key_tree(keys.items())
    found = {name: score(read.tree_of_class(name), tree) for name in read.classes}
    built = {name: read.tree_of_function(name) for name in read.functions}
    return found | {name: score(tree_of, tree) for name, tree_of in built.items() if tree_of is not None}


CONV = {"conv.weight": (8, 3, 3, 3), "conv.bias": (8,), "bn.weight": (8,), "bn.bias": (8,), "bn.running_mean": (8,), "bn.running_var": (8,),
        "bn.num_batches_tracked": (), "fc.weight": (10, 8), "fc.bias": (10,)}
PLAIN = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.bn, self.fc = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Linear(8, 10)
"""


def test_literal_shapes_make_a_perfect_score(tmp_path):
    assert scores(tmp_path, PLAIN, CONV) == {"Net": 1.0}


def test_a_shape_that_differs_costs(tmp_path):
    """Another kernel, and another number of dimensions."""
    assert 0.8 < scores(tmp_path, PLAIN.replace("3, 8, 3", "3, 8, 5"), CONV)["Net"] < 0.95
    assert 0.8 < scores(tmp_path, PLAIN.replace("Conv2d(3, 8, 3)", "Conv1d(3, 8, 3)"), CONV)["Net"] < 0.95


def test_what_the_file_lacks_costs(tmp_path):
    """A layer of the class without a key in the file."""
    more = PLAIN + "        self.extra, self.other = nn.Linear(3, 3), nn.Linear(3, 3)\n"
    assert scores(tmp_path, more, CONV)["Net"] == pytest.approx(8 / 10)


def test_a_layer_that_may_be_absent_costs_nothing(tmp_path):
    more = PLAIN.replace("def __init__(self)", "def __init__(self, wide=False)") + "        if wide:\n            self.extra = nn.Linear(3, 3)\n"
    assert scores(tmp_path, more, CONV)["Net"] == 1.0


def test_sizes_that_are_arguments_fit_any(tmp_path):
    """The number of dimensions is compared all the same."""
    source = PLAIN.replace("def __init__(self)", "def __init__(self, width=99)").replace("8", "width")
    assert 0.93 < scores(tmp_path, source, CONV)["Net"] < 1.0


NESTED = {"stem.0.weight": (8, 3, 3, 3), "blocks.0.conv.weight": (8, 8, 3, 3), "blocks.1.conv.weight": (8, 8, 3, 3), "blocks.2.conv.weight": (8, 8, 3, 3),
          "head.weight": (10, 8), "head.bias": (10,), "token": (1, 1, 8)}
BLOCK = """
class Block(nn.Module):
    def __init__(self, inside, outside):
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, bias=False)
"""
WAYS = {
    "comprehension": "self.blocks = nn.ModuleList([Block(8, 8) for _ in range(n)])",
    "star": "self.blocks = nn.Sequential(*[Block(8, 8) for _ in range(n)])",
    "appended": "self.blocks = nn.ModuleList()\n        for _ in range(n):\n            self.blocks.append(Block(8, 8))",
    "list": "layers = []\n        for _ in range(n):\n            layers.append(Block(8, 8))\n        self.blocks = nn.Sequential(*layers)",
    "added": "layers = []\n        for _ in range(n):\n            layers += [Block(8, 8)]\n        self.blocks = nn.Sequential(*layers)",
    "method": "self.blocks = self._make(8, n)",
    "handed over": "self.blocks = self._make_of(Block, n)",
    "whole": "self.blocks = nn.Sequential(Block(8, 8), Block(8, 8), Block(8, 8))",
    "named": "self.blocks = nn.Sequential()\n        for i in range(n):\n            self.blocks.add_module(f'{i}', Block(8, 8))",
}


@pytest.mark.parametrize("way", WAYS)
def test_blocks_in_all_the_ways_they_are_written(tmp_path, way):
    """Lists, loops, methods and classes handed over lead to the same keys."""
    source = BLOCK + f"""
class Base(nn.Module):
    def __init__(self, classes):
        super().__init__()
        self.head = nn.Linear(8, classes)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))

class Net(Base):
    def __init__(self, n=3, classes=10):
        super().__init__(classes)
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.ReLU())
        {WAYS[way]}
        self.scale = torch.ones(3)

    def _make(self, width, n):
        return nn.Sequential(*(Block(width, width) for _ in range(n)))

    def _make_of(self, block, n):
        layers = [block(8, 8)]
        for _ in range(1, n):
            layers.append(block(8, 8))
        return nn.Sequential(*layers)
"""
    found = scores(tmp_path, source, NESTED)
    assert found["Net"] > 0.95
    assert found["Base"] < 0.6
    assert found["Block"] < 0.3


def test_sequential_bases_named_children_and_builders(tmp_path):
    """A class that is a Sequential, an OrderedDict of layers, and a function that returns a model."""
    keys = {"body.0.weight": (4, 2), "body.0.bias": (4,), "body.1.weight": (4,), "body.1.bias": (4,)}
    found = scores(tmp_path, """
class Pair(nn.Sequential):
    def __init__(self, inside):
        super().__init__(nn.Linear(inside, 4), nn.LayerNorm(4))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = Pair(2)

def build():
    return nn.Sequential(OrderedDict([("body", Pair(2))]))

def count(x):
    return len(x)
""", keys)
    assert found == {"Pair": 0.0, "Net": 1.0, "build": 1.0}


def test_recurrent_and_attention_layers(tmp_path):
    keys = {"rnn.weight_ih_l0": (32, 5), "rnn.weight_hh_l0": (32, 8), "rnn.bias_ih_l0": (32,), "rnn.bias_hh_l0": (32,), "rnn.weight_ih_l1": (32, 8),
            "rnn.weight_hh_l1": (32, 8), "rnn.bias_ih_l1": (32,), "rnn.bias_hh_l1": (32,), "mix.layers.0.self_attn.in_proj_weight": (24, 8),
            "mix.layers.0.self_attn.out_proj.weight": (8, 8), "mix.layers.0.linear1.weight": (16, 8), "mix.layers.0.linear2.weight": (8, 16),
            "mix.layers.0.norm1.weight": (8,), "mix.layers.0.norm2.weight": (8,), "words.weight": (100, 8)}
    found = scores(tmp_path, """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.LSTM(5, 8, num_layers=2)
        layer = nn.TransformerEncoderLayer(8, 2, 16)
        self.mix = nn.TransformerEncoder(layer, 1)
        self.words = nn.Embedding(100, 8)
""", keys)
    assert found["Net"] > 0.95


HOSTILE = {
    "itself": "class Net(nn.Module):\n    def __init__(self):\n        self.a = Net()\n        self.b = Net()\n",
    "each other": "class A(nn.Module):\n    def __init__(self):\n        self.b = B()\n        self.c = B()\nclass B(nn.Module):\n    def __init__(self):\n"
                  "        self.a = A()\n        self.d = A()\n",
    "its own base": "class Net(Net):\n    pass\n",
    "bases in a ring": "class A(B):\n    pass\nclass B(A):\n    pass\n",
    "function calls itself": "def f():\n    return f()\nclass Net(nn.Module):\n    def __init__(self):\n        self.x = f()\n",
    "method calls itself": "class Net(nn.Module):\n    def __init__(self):\n        self.m()\n    def m(self):\n        self.m()\n        self.m()\n",
    "doubling list": "class Net(nn.Module):\n    def __init__(self):\n        a = [nn.ReLU()]\n" + "        a = a + a\n" * 60 + "        self.a = nn.Sequential(*a)\n",
    "doubling modules": "".join(f"class N{i}(nn.Module):\n    def __init__(self):\n        self.a, self.b = N{i + 1}(), N{i + 1}()\n" for i in range(60)),
    "huge numbers": "class Net(nn.Module):\n    def __init__(self):\n        x = 2\n" + "        x = x * x\n" * 200 + "        self.a = nn.Linear(x, -x)\n",
    "odd calls": "class Net(nn.Module):\n    def __init__(self):\n        self.a = nn.Linear(*x, **y)\n        self.b = nn.Conv2d()\n        self.c = nn.Sequential(*self.c)\n"
                 "        self[0] = 1\n        x[::2], *y = nn.Linear(1, 1)\n        self.d = (lambda: 0)()\n        self.e = [][5] // 0 % 0\n        self.f = f'{self!r:>{9}}'\n"
                 "        self.g = {**a, 1: 2}[1] if a else not b\n        self.h = nn.GroupNorm(1, [1])\n        super().__init__(*a)\n        self.add_module()\n",
    "deep expression": "class Net(nn.Module):\n    def __init__(self):\n        self.a = " + "-" * 900 + "1\n        self.b = " + "+".join(["x"] * 900) + "\n",
    "patterns": "class Net(nn.Module):\n    def __init__(self):\n" + "        self.add_module(f'{a}{b}{c}{d}{e}{f}{g}{h}', nn.Linear(1, 1))\n" * 40,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_source_ends_soon(tmp_path, name):
    """Nothing is raised and nothing takes long, whatever the source does."""
    began = time.process_time()
    found = scores(tmp_path, HOSTILE[name], CONV | {"a" * 40 + "." + "b" * 40 + ".weight": (1,), "a.b.a.b.a.b.weight": (3,)})
    assert all(0.0 <= share <= 1.0 for share in found.values())
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize("source", [b"class Net(:\n", b"\0\0", b"\xff\xfe\xfa", b"(" * 100_000, b"-" * 1_000_000 + b"1", b"# coding: nonsense\n"])
def test_what_is_no_python_is_refused(tmp_path, source):
    path = tmp_path / "net.py"
    path.write_bytes(source)
    with pytest.raises(SourceError):
        SourceFile(str(path), FILE_LIMIT_BYTES)
