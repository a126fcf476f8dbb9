"""A run is on disk while it goes; a full disk stops the keeping, not the measuring."""

from __future__ import annotations

import msgspec
import pytest

from engine import history, keeper, storage
from engine.keeper import Keeper
from tests.support import runs

FULL = OSError(28, "No space left on device")


class FakeRecord:
    """A record that is over or not, with an outcome made by hand."""

    def __init__(self, index=0, over=True):
        self.index, self.over = index, over
        self.outcome = runs.make_outcome()

    def conclude(self):
        assert self.over
        return self.outcome

    def interim(self):
        assert not self.over
        return msgspec.structs.replace(self.outcome, status="cancelled")


@pytest.fixture
def run():
    return msgspec.structs.replace(runs.make_run(), outcomes=(), finished=False)


@pytest.fixture
def full_disk(monkeypatch):
    """Call it with True and no file can be written; with False, again."""
    write = storage.write_atomically

    def switch(is_full):
        def refuse(path, data):
            raise storage.StorageError(path, FULL)

        monkeypatch.setattr(storage, "write_atomically", refuse if is_full else write)

    return switch


def test_a_finished_outcome_is_on_disk_at_once(tmp_path, run):
    kept = Keeper(tmp_path, run)
    kept.keep(FakeRecord(0))
    kept.keep(FakeRecord(1))
    loaded = history.load_run(kept.path)
    assert [outcome.status for outcome in loaded.outcomes] == ["ok", "ok"]
    assert not loaded.finished


def test_an_unfinished_outcome_is_written_now_and_then(tmp_path, run, monkeypatch):
    kept = Keeper(tmp_path, run)
    kept.keep(FakeRecord(over=False))
    assert history.load_run(kept.path).outcomes == ()
    monkeypatch.setattr(keeper, "PARTIAL_S", 0.0)
    kept.keep(FakeRecord(over=False))
    assert [outcome.status for outcome in history.load_run(kept.path).outcomes] == ["cancelled"]


def test_the_run_as_it_ended_takes_the_files_place(tmp_path, run):
    kept = Keeper(tmp_path, run)
    record = FakeRecord()
    kept.keep(record)
    assert kept.finish(msgspec.structs.replace(run, outcomes=(record.outcome,), finished=True)) is None
    assert history.load_run(kept.path).finished
    assert len(list(tmp_path.glob("*.json"))) == 1


def test_a_disk_that_is_full_from_the_beginning_has_no_path_and_says_why(tmp_path, run, full_disk):
    full_disk(True)
    kept = Keeper(tmp_path, run)
    kept.keep(FakeRecord())
    assert kept.path is None
    assert kept.failure.code == "disk-full"
    assert kept.finish(run).code == "disk-full"


def test_a_disk_that_was_full_for_a_while_holds_the_whole_run_in_the_end(tmp_path, run, full_disk):
    full_disk(True)
    kept = Keeper(tmp_path, run)
    record = FakeRecord()
    kept.keep(record)
    full_disk(False)
    assert kept.finish(msgspec.structs.replace(run, outcomes=(record.outcome,), finished=True)) is None
    assert [outcome.status for outcome in history.load_run(kept.path).outcomes] == ["ok"]


def test_a_disk_that_fills_up_keeps_what_was_there(tmp_path, run, full_disk):
    kept = Keeper(tmp_path, run)
    kept.keep(FakeRecord(0))
    full_disk(True)
    kept.keep(FakeRecord(1))
    assert kept.failure.code == "disk-full"
    assert kept.finish(run).code == "disk-full"
    assert len(history.load_run(kept.path).outcomes) == 1


def test_appended_visits_go_into_the_same_file(tmp_path, run):
    first = Keeper(tmp_path, run)
    whole = msgspec.structs.replace(run, outcomes=(FakeRecord().outcome,), finished=True)
    first.finish(whole)
    again = Keeper(tmp_path, whole, first.path)
    assert again.path == first.path
    assert len(history.load_run(first.path).outcomes) == 1, "a kill before anything was appended loses nothing"
