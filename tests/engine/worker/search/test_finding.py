"""Arguments found from weights: sizes, depths, lists, strings, truths; within bounds, the same every time."""

from __future__ import annotations

import textwrap

import pytest
import torch

from engine.candidates import Candidate
from engine.job import ModelSource
from engine.messages import FindClasses
from engine.worker.search import ranking
from engine.worker.search.building import Builder
from engine.worker.search.finding import BUILDS_LIMIT, Finder
from engine.worker.search.parameters import MISSING, Parameter

HEAD = "import torch\nfrom torch import nn\nfrom typing import Literal\n"
CASES = {
    "width": ("""
class Net(nn.Module):
    def __init__(self, width=16, inside=16):
        super().__init__()
        self.first, self.second = nn.Linear(inside, width), nn.Linear(width, 4)
""", {"width": 24, "inside": 7}),
    "two linked and required": ("""
class Net(nn.Module):
    def __init__(self, in_channels, hidden_dim, num_classes):
        super().__init__()
        self.a, self.b, self.c = nn.Conv2d(in_channels, hidden_dim, 3), nn.BatchNorm2d(hidden_dim), nn.Linear(2 * hidden_dim, num_classes)
""", {"in_channels": 5, "hidden_dim": 12, "num_classes": 7}),
    "depth": ("""
class Net(nn.Module):
    def __init__(self, depth=2, dim=8):
        super().__init__()
        self.blocks = nn.ModuleList([nn.Linear(dim, dim) for _ in range(depth)])
""", {"depth": 5, "dim": 48}),
    "list of widths": ("""
class Net(nn.Module):
    def __init__(self, hidden=[64, 64], inputs=10, outputs=2):
        super().__init__()
        layers, before = [], inputs
        for width in hidden:
            layers += [nn.Linear(before, width), nn.ReLU()]
            before = width
        self.net = nn.Sequential(*layers, nn.Linear(before, outputs))
""", {"hidden": [30, 20, 15], "inputs": 9, "outputs": 3}),
    "all sizes in one required list": ("""
class Net(nn.Module):
    def __init__(self, layer_sizes):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(layer_sizes[:-1], layer_sizes[1:]))
""", {"layer_sizes": [9, 30, 20, 3]}),
    "tuple of depths": ("""
class Net(nn.Module):
    def __init__(self, depths=(2, 2), dim=6):
        super().__init__()
        self.stages = nn.ModuleList(nn.ModuleList(nn.Linear(dim, dim) for _ in range(depth)) for depth in depths)
""", {"depths": (1, 3, 2)}),
    "name compared": ("""
class Net(nn.Module):
    def __init__(self, size="base"):
        super().__init__()
        if size == "small":
            width = 8
        elif size in ("base", "large"):
            width = {"base": 16, "large": 32}[size]
        else:
            raise ValueError(size)
        self.first = nn.Linear(width, width)
""", {"size": "large"}),
    "name required, looked up in a table": ("""
TABLE = {"xs": (4, 8), "xl": (12, 16)}
class Net(nn.Module):
    def __init__(self, variant):
        super().__init__()
        inside, outside = TABLE[variant]
        self.first = nn.Linear(inside, outside)
""", {"variant": "xl"}),
    "literal type and match": ("""
class Net(nn.Module):
    def __init__(self, kind: Literal["gru", "lstm"] = "gru", hidden_size: int = 8, norm="none"):
        super().__init__()
        self.rnn = nn.LSTM(5, hidden_size) if kind != "gru" else nn.GRU(5, hidden_size)
        match norm:
            case "layer" | "both": self.norm = nn.LayerNorm(hidden_size)
            case "batch": self.norm = nn.BatchNorm1d(hidden_size)
""", {"kind": "lstm", "hidden_size": 20, "norm": "batch"}),
    "truths": ("""
class Net(nn.Module):
    def __init__(self, bias=True, use_norm=False, bilinear: bool = True):
        super().__init__()
        self.first = nn.Linear(4, 4, bias=bias)
        if use_norm:
            self.norm = nn.LayerNorm(4)
        if not bilinear:
            self.up = nn.ConvTranspose2d(4, 4, 2)
""", {"bias": False, "use_norm": True, "bilinear": False}),
    "optional": ("""
class Net(nn.Module):
    def __init__(self, dim=8, out_dim=None):
        super().__init__()
        self.first, self.second = nn.Linear(dim, 3 * dim), nn.Linear(dim, out_dim or dim)
""", {"dim": 11, "out_dim": 5}),
    "values needed while building": ("""
class Net(nn.Module):
    def __init__(self, dim=8, depth=2):
        super().__init__()
        rates = [rate.item() for rate in torch.linspace(0, 0.1, depth)]
        self.blocks = nn.ModuleList(nn.Sequential(nn.Dropout(rate), nn.Linear(dim, dim)) for rate in rates)
""", {"dim": 12, "depth": 4}),
    "required and harmless": ("""
class Net(nn.Module):
    def __init__(self, vocab_size, d_model, dropout, pretrained=True):
        super().__init__()
        assert pretrained is False, "would download"
        self.words, self.drop, self.out = nn.Embedding(vocab_size, d_model), nn.Dropout(dropout), nn.Linear(d_model, vocab_size)
""", {"vocab_size": 100, "d_model": 24, "dropout": 0.1, "pretrained": False}),
}


def files(tmp_path, source, arguments, name="Net"):
    """The class file, and weights of the class built with these arguments."""
    path = tmp_path / "net.py"
    path.write_text(HEAD + textwrap.dedent(source))
    names = {}
    exec(compile(path.read_text(), str(path), "exec"), names)
    torch.save(names[name](**arguments).state_dict(), tmp_path / "weights.pth")
    return path, names[name]


def ranked(tmp_path, path, config=None, spec="Net"):
    command = FindClasses(ModelSource(str(tmp_path / "weights.pth"), "state-dict"), (Candidate(spec=f"{path}:{spec}", origin="file", score=0.5),), config or {})
    return ranking.rank(command)


@pytest.mark.parametrize("case", CASES)
def test_arguments_are_found(tmp_path, case):
    """The class, with the arguments found, takes the weights without a word; twice the same answer."""
    source, arguments = CASES[case]
    path, maker = files(tmp_path, source, arguments)
    found = ranked(tmp_path, path)
    (best,) = found.candidates
    assert best.perfect, (best, found.notes)
    named = ranking.parse_architecture(best.spec).named
    maker(**named).load_state_dict(torch.load(tmp_path / "weights.pth"))
    harmless = {"dropout"}
    assert {name: value for name, value in named.items() if name not in harmless} == {
        name: value for name, value in arguments.items() if name not in harmless}
    assert ranked(tmp_path, path) == found


def test_the_files_configuration_is_asked_first(tmp_path):
    """Names and other words for the same; what shapes cannot tell (heads) comes from there alone."""
    source = """
class Net(nn.Module):
    def __init__(self, dim, num_heads, n_classes=2):
        super().__init__()
        self.mix, self.head = nn.MultiheadAttention(dim, num_heads), nn.Linear(dim, n_classes)
"""
    path, _ = files(tmp_path, source, {"dim": 24, "num_heads": 6, "n_classes": 5})
    (best,) = ranked(tmp_path, path, {"hidden_size": 24, "nhead": 6, "nb_classes": 5}).candidates
    assert best.spec == f"{path}:Net(dim=24, num_heads=6, n_classes=5)"
    assert best.perfect


def test_what_the_weights_do_not_tell_has_to_be_typed(tmp_path):
    """Several numbers of heads fit alike: the fit is whole, but it is not taken silently. Typed, it is."""
    source = """
class Net(nn.Module):
    def __init__(self, dim, num_heads):
        super().__init__()
        self.mix = nn.MultiheadAttention(dim, num_heads)
"""
    path, _ = files(tmp_path, source, {"dim": 24, "num_heads": 6})
    found = ranked(tmp_path, path)
    (best,) = found.candidates
    assert best.fit.perfect and best.needs == ("num_heads",) and not best.perfect
    assert found.notes == (("search-untold", {"spec": "net.py:Net", "arguments": "num_heads"}),)
    (typed,) = ranked(tmp_path, path, spec="Net(num_heads=6)").candidates
    assert (typed.spec, typed.perfect) == (f"{path}:Net(num_heads=6, dim=24)", True)


def test_an_argument_of_no_plain_kind_has_to_be_typed(tmp_path):
    source = """
class Net(nn.Module):
    def __init__(self, backbone, dim=8):
        super().__init__()
        self.backbone, self.head = backbone, nn.Linear(dim, 2)
"""
    path, _ = files(tmp_path, source, {"backbone": torch.nn.Linear(2, 2)})
    found = ranked(tmp_path, path)
    assert [(each.fit, each.needs) for each in found.candidates] == [(None, ("backbone",))]
    assert found.notes == (("search-needs-arguments", {"spec": "net.py:Net", "arguments": "backbone"}),)


def test_positional_arguments_given_are_kept(tmp_path):
    path, _ = files(tmp_path, CASES["width"][0], {"width": 24, "inside": 7})
    (best,) = ranked(tmp_path, path, spec="Net(24)").candidates
    assert (best.spec, best.perfect) == (f"{path}:Net(24, inside=7)", True)


def test_a_partial_fit_says_what_does_not_match(tmp_path):
    """The best arguments all the same, and the lists."""
    path, _ = files(tmp_path, CASES["depth"][0], {"depth": 3, "dim": 10})
    torch.save(torch.load(tmp_path / "weights.pth") | {"extra.weight": torch.zeros(2, 3)}, tmp_path / "weights.pth")
    (best,) = ranked(tmp_path, path).candidates
    assert best.spec == f"{path}:Net(depth=3, dim=10)"
    assert (best.fit.matching, best.fit.keys, best.fit.unexpected) == (6, 7, ("extra.weight",))
    assert best.score == pytest.approx(6 / 7) and not best.perfect


class Clock:
    """Time that goes on by itself: a step a look."""

    def __init__(self, step_s):
        self.now_s, self.step_s = 0.0, step_s

    def __call__(self):
        self.now_s += self.step_s
        return self.now_s


def never_fits(**values):
    return torch.nn.Linear(1, 1)


def finder(clock, count=6):
    parameters = [Parameter(f"p{number}", 0, "int", list(range(1, 60)), MISSING) for number in range(count)]
    return Finder(lambda values: never_fits(**values), parameters, {"other.weight": (3, 3), "weight": (2, 1)}, Builder(), 10.0, clock)


def test_builds_are_bounded():
    search = finder(Clock(0.0))
    result = search.best()
    assert result is not None and not result.fit.perfect
    assert search.builds <= BUILDS_LIMIT + 1


def test_time_is_bounded():
    search = finder(Clock(0.5))
    assert search.best() is not None
    assert search.builds <= 21


def test_a_build_that_hangs_is_left(tmp_path):
    """Even one that catches every exception."""
    def endless(values):
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    search = Finder(endless, [], {"weight": (1,)}, Builder(), 0.1)
    assert search.best() is None
    assert search.reason == "not built within 1 s"
