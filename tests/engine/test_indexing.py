"""The engine fills the libraries' index with a worker, and ranks classes with one; stand-ins for the libraries lie on the user's path."""

from __future__ import annotations

import pytest
import torch

from engine.candidates import Candidate
from engine.events import ClassesRanked, LibraryIndexed
from engine.files import inspect_in_child
from engine.job import ModelSource
from engine.search import index_file
from engine.supervisor import Engine
from engine.workers import Interrupted
from tests.support import jobs, libraries, nets


@pytest.fixture
def events():
    return []


@pytest.fixture
def engine(tmp_path, monkeypatch, events):
    """An engine whose workers find the stand-ins; two of timm's models bring their worker down."""
    monkeypatch.setenv("MODEL_DYNO_PYTHONPATH", str(libraries.lay(tmp_path / "site", killers=("killer_a", "mixer_zz"))))
    made = Engine(events.append, keep_history=False)
    yield made
    made.close()


def test_index_then_inspect(engine, events, tmp_path):
    """Told in steps, past what kills a worker, kept, and the next inspection knows the file: perfect, without a class file."""
    engine.index_libraries()
    ends = {event.library: event for event in events if isinstance(event, LibraryIndexed)}
    assert (ends["torchvision"].version, ends["torchvision"].done, ends["torchvision"].total) == ("0.99.0", 4, 4)
    assert (ends["timm"].version, ends["timm"].done, ends["timm"].total, ends["timm"].failure) == ("1.0.99", 8, 8, None)
    assert {index.library: len(index.specs) for index in index_file.indexes()} == {"torchvision": 3, "timm": 6}
    torch.save({f"module.{key}": value for key, value in mixer(12).items()}, tmp_path / "w.pth")
    best, *_ = inspect_in_child(str(tmp_path / "w.pth")).candidates
    assert (best.spec, best.origin, best.perfect, best.fit.prefix) == ("timm:create_model('mixer_12')", "timm", True, "module.")
    events.clear()
    engine.index_libraries()
    assert [(event.library, event.done) for event in events] == [("torchvision", 4), ("timm", 8)], "what is complete is not built again"


def mixer(dim):
    weights = {f"blocks.{number}.1.weight": torch.zeros(dim, dim) for number in range(3)} | {f"blocks.{number}.1.bias": torch.zeros(dim) for number in range(3)}
    return weights | {"head.weight": torch.zeros(1000, dim), "head.bias": torch.zeros(1000)}


def test_stopped_on_the_way_it_goes_on_from_there(engine, events):
    def stop_at_first(event):
        events.append(event)
        if isinstance(event, LibraryIndexed):
            engine.stop_now()

    engine.emit = stop_at_first
    with pytest.raises(Interrupted):
        engine.index_libraries()
    (kept,) = index_file.indexes()
    assert kept.library == "torchvision" and kept.done > 0
    engine.allow()
    engine.emit = events.append
    engine.index_libraries()
    assert {index.library: index.complete for index in index_file.indexes()} == {"torchvision": True, "timm": True}


def test_classes_are_ranked_in_a_worker(engine, events, tmp_path):
    """What the inspection only read is built now; of the file's other statements none is run, and what cannot be built has its sentence."""
    canary = tmp_path / "ran"
    path = tmp_path / "net.py"
    path.write_text(f"import torch\nopen({str(canary)!r}, 'w').close()\n"
                    "class Linears(torch.nn.Module):\n    def __init__(self, width=3):\n        super().__init__()\n"
                    "        self.first, self.second = torch.nn.Linear(width, width), torch.nn.Linear(width, 4)\n"
                    "class Broken(torch.nn.Module):\n    def __init__(self):\n        self.first, self.second = torch.nn.Linear(1, 1), 1 / 0\n")
    weights = jobs.save(tmp_path, nets.Linears(24))
    inspected = inspect_in_child(str(weights))
    assert inspected.candidates[0].spec == f"{path}:Linears"
    both = (*inspected.candidates[:1], Candidate(spec=f"{path}:Broken", origin="file", score=0.4))
    ranked = engine.rank_classes(ModelSource(str(weights), "state-dict"), both, inspected.config)
    assert isinstance(events[-1], ClassesRanked) and events[-1] == ranked
    assert [(each.spec, each.perfect) for each in ranked.candidates] == [(f"{path}:Linears(width=24)", True)], ranked
    assert [note.code for note in ranked.notes] == ["search-not-built"]
    assert "net.py:Broken" in ranked.notes[0].sentence
    assert not canary.exists()
