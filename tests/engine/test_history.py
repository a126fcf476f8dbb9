"""Runs on disk: a kill loses no outcome, a broken file is never deleted, a list reads little."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import history, sampling, storage
from engine.history import HistoryError, RunWriter
from engine.job import Configuration, InputSpec
from engine.result import Application, Environment, Failure, Latency, ModelInfo, Outcome, Reason, Run, Track


def outcome(batch: int = 1, p50_ms: float | None = 5.0, status: str = "ok", samples: int = 20) -> Outcome:
    """An outcome with everything in it."""
    arrays = sampling.SampleArrays(
        start_ns=np.arange(samples) * 100, latency_ns=np.arange(samples) + 50, phase=np.ones(samples, np.uint8), visit=np.zeros(samples, np.int32)
    )
    return Outcome(
        configuration=Configuration(batch_size=batch, options={"note": "模型 </script>"}),
        status=status,
        latency=Latency(count=samples, visits=1, p50_ms=p50_ms),
        stopped_because=Reason("plan-done", {"count": samples}, "done"),
        samples=sampling.encode(arrays),
        timeline=(Track(name="worker_resident_bytes", unit="B", t_ns=[0, 10], values=[1.0, 2.0]),),
        error=None if status == "ok" else Failure("out-of-memory", "too big"),
    )


def make_run(identity: str = "r1", created_at: str = "2026-01-02T03:04:05Z", outcomes: tuple[Outcome, ...] = ()) -> Run:
    """A run of a model with a hostile name."""
    return Run(
        id=identity,
        app=Application(version="1"),
        created_at=created_at,
        model=ModelInfo(path='/x/"outcomes":[]/模型 one.pth', sha256="ab" * 32, kind="state-dict"),
        inputs=(InputSpec(shape=("B", 3)),),
        environment=Environment(cpu="test"),
        plan={"name": "quick"},
        outcomes=outcomes,
    )


def finished(folder: Path, identity: str = "r1", created_at: str = "2026-01-02T03:04:05Z", outcomes: tuple[Outcome, ...] = ()) -> Path:
    """A finished run on disk."""
    writer = RunWriter(folder)
    writer.begin(make_run(identity, created_at))
    return writer.finish(make_run(identity, created_at, outcomes))


def test_a_run_comes_back_as_it_was(tmp_path: Path) -> None:
    """Everything that was measured is read again, and the list shows its summary."""
    outcomes = (outcome(), outcome(8, 3.5), outcome(64, None, "out-of-memory"))
    path = finished(tmp_path, outcomes=outcomes)
    assert history.load_run(path) == make_run(outcomes=outcomes)
    (entry,) = history.list_runs(tmp_path)
    assert (entry.path, entry.model_name, entry.file_bytes) == (str(path), "模型 one.pth", path.stat().st_size)
    summary = entry.summary
    assert (summary.outcomes, summary.ok, summary.fastest_p50_ms, summary.plan, summary.finished) == (3, 2, 3.5, "quick", True)


def test_the_file_is_schema_1_for_other_programs(tmp_path: Path) -> None:
    """Any JSON reader finds the contract's names."""
    content = json.loads(finished(tmp_path, outcomes=(outcome(),)).read_bytes())
    assert content["schema"] == 1
    assert content["model"]["kind"] == "state-dict"
    assert content["outcomes"][0]["configuration"]["batch_size"] == 1
    assert {"id", "app", "created_at", "inputs", "environment", "plan", "outcomes"} <= content.keys()


def test_after_each_outcome_the_file_is_whole(tmp_path: Path) -> None:
    """What a kill leaves is a run that says it is unfinished, with every outcome so far."""
    writer, outcomes = RunWriter(tmp_path), (outcome(1), outcome(2), outcome(4))
    path = writer.begin(make_run())
    assert history.load_run(path).outcomes == ()
    for index, each in enumerate(outcomes):
        writer.add_outcome(index, each)
        left = history.load_run(path)
        assert (left.outcomes, left.finished) == (outcomes[: index + 1], False)
    assert writer.path == path


def test_an_outcome_is_replaced_by_its_number(tmp_path: Path) -> None:
    """More visits of one row replace it and leave the others, whatever order they end in."""
    writer = RunWriter(tmp_path)
    path = writer.begin(make_run(outcomes=(outcome(1), outcome(2))))
    writer.add_outcome(1, outcome(2, 9.0))
    writer.add_outcome(0, outcome(1, 8.0))
    assert [each.latency.p50_ms for each in history.load_run(path).outcomes if each.latency] == [8.0, 9.0]


def test_each_outcome_is_encoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty configurations cost twenty encodings, not two hundred and ten."""
    encoded: list[Any] = []
    monkeypatch.setattr(history, "_encode", lambda value: encoded.append(value) or msgspec.json.encode(value))
    writer, outcomes = RunWriter(tmp_path), tuple(outcome(n + 1) for n in range(20))
    writer.begin(make_run())
    for index, each in enumerate(outcomes):
        writer.add_outcome(index, each)
    path = writer.finish(make_run(outcomes=outcomes))
    assert sum(isinstance(value, Outcome) for value in encoded) == 20
    assert history.load_run(path) == make_run(outcomes=outcomes)


def test_an_outcome_that_changed_at_the_end_is_written_anew(tmp_path: Path) -> None:
    """The finished run is what was handed over, not what was first written."""
    writer = RunWriter(tmp_path)
    writer.begin(make_run())
    writer.add_outcome(0, outcome(1, 5.0))
    path = writer.finish(make_run(outcomes=(outcome(1, 6.0),)))
    assert history.load_run(path) == make_run(outcomes=(outcome(1, 6.0),))


def test_writing_before_beginning_is_a_mistake(tmp_path: Path) -> None:
    """There is no run to add to yet."""
    with pytest.raises(RuntimeError, match="begin"):
        RunWriter(tmp_path).add_outcome(0, outcome())


def test_a_failed_write_keeps_the_outcomes_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told, the file before stands, and the next write holds both outcomes."""
    writer = RunWriter(tmp_path)
    path = writer.begin(make_run())
    writer.add_outcome(0, outcome(1))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(storage.StorageError) as caught:
            writer.add_outcome(1, outcome(2))
    assert caught.value.code == "disk-full"
    assert history.load_run(path).outcomes == (outcome(1),)
    writer.add_outcome(2, outcome(3))
    assert history.load_run(path).outcomes == (outcome(1), outcome(2), outcome(3))


def test_a_run_that_could_not_be_begun_has_no_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is shown a file that is not there; a second beginning may work."""
    writer = RunWriter(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
        with pytest.raises(storage.StorageError):
            writer.begin(make_run())
    assert writer.path is None
    assert list(tmp_path.iterdir()) == []
    assert writer.begin(make_run()) == writer.path


def test_newest_first(tmp_path: Path) -> None:
    """The list is in the order of time, not of names."""
    for identity, day in (("z", 1), ("a", 3), ("m", 2)):
        finished(tmp_path, identity, f"2026-01-0{day}T00:00:00Z")
    assert [entry.summary.id for entry in history.list_runs(tmp_path)] == ["a", "m", "z"]
    assert history.list_runs(tmp_path / "none yet") == ()


def test_the_list_reads_only_the_beginning(tmp_path: Path) -> None:
    """What follows the summary is not decoded: damage there does not matter to the list."""
    path = finished(tmp_path, outcomes=(outcome(samples=5000),))
    content = path.read_bytes()
    path.write_bytes(content[:-200] + b"\xff" * 200)
    (entry,) = history.list_runs(tmp_path)
    assert entry.summary.ok == 1
    assert path.exists()


def test_a_run_of_another_writer_is_listed_and_read(tmp_path: Path) -> None:
    """A file without our summary, pretty-printed by another program, is a run all the same."""
    run = make_run(outcomes=(outcome(), outcome(2, 3.0)))
    path = tmp_path / "other.json"
    path.write_text(json.dumps(json.loads(msgspec.json.encode(run)), indent=1), encoding="utf-8")
    (entry,) = history.list_runs(tmp_path)
    assert (entry.summary.ok, entry.summary.fastest_p50_ms, entry.summary.plan) == (2, 3.0, "quick")
    assert history.load_run(path) == run


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": 1}', b'{"summary":{"ok":1},"schema":1', b"\x00" * 64, b"[" * 200_000])
def test_a_broken_run_is_put_aside_with_a_sentence(tmp_path: Path, content: bytes) -> None:
    """In the history's folder the file is renamed, never deleted, and the sentence names both names."""
    path = tmp_path / "run.json"
    path.write_bytes(content)
    with pytest.raises(HistoryError) as caught:
        history.load_run(path, aside=True)
    said = caught.value.failure
    assert (said.code, said.say) == ("load-failed", "run-put-aside")
    assert "run.json.broken-1" in said.summary
    assert (tmp_path / "run.json.broken-1").read_bytes() == content


def test_broken_runs_do_not_stop_the_list(tmp_path: Path) -> None:
    """The good ones are listed, the broken one lies aside."""
    finished(tmp_path)
    (tmp_path / "bad.json").write_bytes(b"{")
    assert len(history.list_runs(tmp_path)) == 1
    assert (tmp_path / "bad.json.broken-1").exists()


def test_a_broken_run_that_cannot_be_renamed_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder that is read-only the list goes on, and opening tells what is wrong."""

    def refuse(path: Path) -> Path:
        raise storage.StorageError(path, PermissionError(13, "Permission denied"))

    monkeypatch.setattr(storage, "put_aside", refuse)
    finished(tmp_path)
    (tmp_path / "bad.json").write_bytes(b"{")
    assert len(history.list_runs(tmp_path)) == 1
    with pytest.raises(HistoryError) as caught:
        history.load_run(tmp_path / "bad.json", aside=True)
    assert caught.value.failure.say == "run-broken"


def test_a_file_of_the_user_is_never_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what lies in the history's folder is ours to rename."""
    monkeypatch.setenv(storage.HOME_VARIABLE, str(tmp_path))
    mine, users = tmp_path / "history" / "a.json", tmp_path / "package.json"
    mine.parent.mkdir()
    for path in (mine, users):
        path.write_bytes(b'{"name": "x"}')
        with pytest.raises(HistoryError):
            history.load_run(path)
    assert not mine.exists()
    assert users.exists()


def test_a_newer_schema_is_told_and_kept(tmp_path: Path) -> None:
    """A run of a later version is listed, not opened and not put aside."""
    content = json.loads(finished(tmp_path).read_bytes()) | {"schema": 2, "model": {"path": "x", "changed": True}}
    path = tmp_path / "new.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(HistoryError) as caught:
        history.load_run(path, aside=True)
    assert caught.value.failure.say == "run-newer"
    assert path.exists()


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """The path stands in the sentence."""
    with pytest.raises(HistoryError) as caught:
        history.load_run(tmp_path / "none.json")
    assert str(tmp_path / "none.json") in caught.value.failure.summary
    assert caught.value.failure.hint


def test_a_run_is_saved_where_the_user_says(tmp_path: Path) -> None:
    """The saved copy reads like the one in the history."""
    run = make_run(outcomes=(outcome(),))
    history.save_run(run, tmp_path / "out.json")
    assert history.load_run(tmp_path / "out.json") == run


def test_two_programs_keep_apart(tmp_path: Path) -> None:
    """Runs written at the same time, even of one id-less kind, do not meet."""
    errors: list[BaseException] = []

    def write(number: int) -> None:
        try:
            writer = RunWriter(tmp_path)
            writer.begin(make_run(f"p{number}"))
            for index in range(5):
                writer.add_outcome(index, outcome(index + 1))
                history.list_runs(tmp_path)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert errors == []
    assert [entry.summary.outcomes for entry in history.list_runs(tmp_path)] == [5] * 4
    assert not list(tmp_path.glob("*.broken-*")) + list(tmp_path.glob(".*"))


def test_a_run_without_an_id_has_a_name_of_its_own() -> None:
    """Names never clash, and hold nothing but letters and digits."""
    nameless = make_run(identity="../../x", created_at="")
    assert history.file_name(nameless) == "00000000000000-x.json"
    assert history.file_name(make_run(identity="")) != history.file_name(make_run(identity=""))


@given(data=st.data())
def test_any_damage_is_told_or_harmless(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Cut or changed at any place, a run is read or refused in a sentence; nothing else escapes."""
    content = bytearray(msgspec.json.encode(make_run(outcomes=(outcome(samples=2),))))
    folder = tmp_path_factory.mktemp("damage")
    if data.draw(st.booleans()):
        history.save_run(make_run(outcomes=(outcome(samples=2),)), folder / "x")
        content = bytearray((folder / "x").read_bytes())
    for at in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=4)):
        content[at] = data.draw(st.integers(0, 255))
    path = folder / "run.json"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    history.list_runs(folder)
    try:
        run = history.load_run(path if path.exists() else next(folder.glob("*.broken-1")))
    except HistoryError as error:
        assert error.failure.summary and error.failure.hint
    else:
        assert isinstance(run, Run)
