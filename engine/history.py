"""Runs kept on disk: one JSON file each (schema 1), written as the run goes, listed without reading the samples."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from engine import storage
from engine.result import Failure, Outcome, Run
from engine.words import failure

SCHEMA = 1
HEAD_BYTES = 65_536
"""Holds any summary: a path of at most 4 KB and a number for each of some thousand outcomes; a longer one is found by reading the whole."""
SUMMARY_KEY, OUTCOMES_KEY, CLOSING = b'{"summary":', b',"outcomes":[', b"]}\n"


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What the list of runs shows; it stands first in the file, so that a list reads one block of each."""

    schema: int = SCHEMA
    id: str = ""
    created_at: str = ""
    model_path: str = ""
    sha256: str = ""
    kind: str = ""
    plan: str = ""
    outcomes: int = 0
    ok: int = 0
    fastest_p50_ms: float | None = None
    finished: bool = True
    outcome_bytes: tuple[int, ...] = ()
    """Length of each outcome, which stand last in the file: so they can be decoded one at a time."""


class Entry(msgspec.Struct, frozen=True):
    """A run on disk, as the list shows it."""

    path: str
    file_bytes: int
    summary: Summary

    @property
    def model_name(self) -> str:
        """The model's file name."""
        return re.split(r"[/\\]", self.summary.model_path)[-1]


class HistoryError(Exception):
    """A run that cannot be read; `failure` says why and what to do."""

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.summary)


class RunWriter:
    """Writes one run as it goes: each outcome is encoded once, and the file is whole after each step.

    With 200,000 samples an outcome takes 3 ms to encode; writing frees the interpreter.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path: Path | None = None
        self._run: Run | None = None
        self._parts: dict[int, tuple[Outcome, bytes]] = {}

    @property
    def path(self) -> Path | None:
        """The file of the run, once begun."""
        return self._path

    def begin(self, run: Run, path: Path | None = None) -> Path:
        """Write the run without new outcomes (its own are kept), to a file of its own or over `path`; raises StorageError, and then has no path."""
        storage.make_folder(self._folder)
        target = path or self._folder / file_name(run)
        self._parts = {index: (outcome, _encode(outcome)) for index, outcome in enumerate(run.outcomes)}
        self._run = msgspec.structs.replace(run, outcomes=(), finished=False)
        storage.write_atomically(target, _chunks(self._run, self._parts))
        self._path = target
        return target

    def add_outcome(self, index: int, outcome: Outcome) -> None:
        """Add or replace the outcome of one configuration; raises StorageError."""
        self._parts[index] = (outcome, _encode(outcome))
        self._write()

    def replace_head(self, run: Run) -> None:
        """What the run says beside its outcomes, from the next writing on."""
        self._run = msgspec.structs.replace(run, outcomes=())

    def finish(self, run: Run) -> Path:
        """Write the run as it ended; only outcomes that changed since are encoded again."""
        known = self._parts
        self._parts = {}
        for index, outcome in enumerate(run.outcomes):
            stored = known.get(index)
            self._parts[index] = stored if stored is not None and stored[0] is outcome else (outcome, _encode(outcome))
        self._run = msgspec.structs.replace(run, outcomes=())
        self._write()
        assert self._path is not None
        return self._path

    def _write(self) -> None:
        if self._run is None or self._path is None:
            raise RuntimeError("begin() comes first")
        storage.write_atomically(self._path, _chunks(self._run, self._parts))


def file_name(run: Run) -> str:
    """A name that sorts by time and is the run's alone."""
    time = re.sub(r"\D", "", run.created_at)[:14] or "00000000000000"
    identity = re.sub(r"[^A-Za-z0-9]", "", run.id)[:32] or secrets.token_hex(8)
    return f"{time}-{identity}.json"


def save_run(run: Run, path: Path) -> None:
    """Write a whole run to a place the user chose; raises StorageError."""
    parts = {index: (outcome, _encode(outcome)) for index, outcome in enumerate(run.outcomes)}
    storage.write_atomically(path, _chunks(msgspec.structs.replace(run, outcomes=()), parts))


def _encode(value: Any) -> bytes:
    return msgspec.json.encode(value)


def _chunks(run: Run, parts: Mapping[int, tuple[Outcome, bytes]]) -> Iterator[bytes]:
    """The file piece by piece, so that no call copies all of it; the outcomes come last."""
    ordered = [parts[index] for index in sorted(parts)]
    yield SUMMARY_KEY + _encode(_summarize(run, ordered))
    for name in Run.__struct_fields__:
        if name != "outcomes":
            yield b',"' + name.encode() + b'":' + _encode(getattr(run, name))
    yield OUTCOMES_KEY
    for number, (_, encoded) in enumerate(ordered):
        yield b"," if number else b""
        yield encoded
    yield CLOSING


def _summarize(run: Run, parts: list[tuple[Outcome, bytes]]) -> Summary:
    outcomes = [outcome for outcome, _ in parts]
    p50s = [outcome.latency.p50_ms for outcome in outcomes if outcome.latency is not None]
    return Summary(
        schema=run.schema,
        id=run.id,
        created_at=run.created_at,
        model_path=run.model.path,
        sha256=run.model.sha256,
        kind=run.model.kind,
        plan=str(run.plan.get("name", "")),
        outcomes=len(outcomes),
        ok=sum(outcome.status == "ok" for outcome in outcomes),
        fastest_p50_ms=min((p50 for p50 in p50s if p50 is not None), default=None),
        finished=run.finished,
        outcome_bytes=tuple(len(encoded) for _, encoded in parts),
    )


class _SlimLatency(msgspec.Struct):
    p50_ms: float | None = None


class _SlimOutcome(msgspec.Struct):
    status: str
    latency: _SlimLatency | None = None


class _SlimModel(msgspec.Struct):
    path: str
    sha256: str = ""
    kind: str = ""


class _SlimRun(msgspec.Struct):
    """A run without what fills it: msgspec passes over fields that are not named here."""

    model: _SlimModel
    schema: int
    id: str = ""
    created_at: str = ""
    plan: dict[str, Any] = {}
    outcomes: tuple[_SlimOutcome, ...] = ()
    finished: bool = True


def read_entry(path: Path) -> Entry:
    """The list's view of one file: its summary, or for a run that another program wrote, a pass over the whole; raises as msgspec and open do."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES)
        summary = _leading_summary(head)
        file_bytes = stream.seek(0, 2)
        if summary is None:
            stream.seek(0)
            summary = _slim_summary(stream.read())
    return Entry(str(path), file_bytes, summary)


def _leading_summary(head: bytes) -> Summary | None:
    """The summary at the file's beginning, where our own writer put it."""
    if not head.startswith(SUMMARY_KEY):
        return None
    try:
        found, _ = json.JSONDecoder().raw_decode(head.decode("utf-8", "ignore"), len(SUMMARY_KEY))
        return msgspec.convert(found, Summary)
    except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
        return None


def _slim_summary(content: bytes) -> Summary:
    slim = msgspec.json.decode(content, type=_SlimRun)
    p50s = [outcome.latency.p50_ms for outcome in slim.outcomes if outcome.latency is not None]
    return Summary(
        schema=slim.schema,
        id=slim.id,
        created_at=slim.created_at,
        model_path=slim.model.path,
        sha256=slim.model.sha256,
        kind=slim.model.kind,
        plan=str(slim.plan.get("name", "")),
        outcomes=len(slim.outcomes),
        ok=sum(outcome.status == "ok" for outcome in slim.outcomes),
        fastest_p50_ms=min((p50 for p50 in p50s if p50 is not None), default=None),
        finished=slim.finished,
    )


def list_runs(folder: Path) -> tuple[Entry, ...]:
    """The runs in a folder of ours, newest first; a broken file is put aside, one that cannot be opened is passed over."""
    entries = []
    for path in folder.glob("*.json"):
        try:
            entries.append(read_entry(path))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            _try_aside(path)
        except OSError:
            continue  # Taken away or put aside by another program since the folder was read, or not ours to read.
    return tuple(sorted(entries, key=lambda entry: (entry.summary.created_at, entry.path), reverse=True))


class _Schema(msgspec.Struct):
    schema: int


def load_run(path: Path, *, aside: bool | None = None) -> Run:
    """A run from its file; raises HistoryError with the sentence.

    A broken file is renamed only where `aside` says so (default: in the history's own folder): a file that the user named is the user's.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise HistoryError(failure("load-failed", "run-unreadable", {"path": str(path), "cause": error.strerror or str(error)})) from error
    try:
        head, parts = _split(content) or (content, [])
        schema = msgspec.json.decode(head, type=_Schema).schema
        if schema > SCHEMA:
            raise HistoryError(failure("load-failed", "run-newer", {"path": str(path), "schema": schema, "known": SCHEMA}))
        run = msgspec.json.decode(head, type=Run)
        return msgspec.structs.replace(run, outcomes=tuple(msgspec.json.decode(part, type=Outcome) for part in parts)) if parts else run
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        own = path.absolute().parent == storage.history_folder() if aside is None else aside
        raise HistoryError(_broken(path, str(error), own)) from error


def _split(content: bytes) -> tuple[bytes, list[memoryview]] | None:
    """The run without outcomes and each outcome's bytes, where our own writer wrote it; decoding 40 MB in one call would hold the interpreter 60 ms."""
    summary = _leading_summary(content[:HEAD_BYTES])
    if summary is None or not summary.outcome_bytes or min(summary.outcome_bytes) < 2:
        return None
    at = len(content) - len(CLOSING) - sum(summary.outcome_bytes) - len(summary.outcome_bytes) + 1
    if at < len(OUTCOMES_KEY) or content[at - len(OUTCOMES_KEY) : at] != OUTCOMES_KEY or not content.endswith(CLOSING):
        return None
    head, parts = content[:at] + CLOSING, []
    for size in summary.outcome_bytes:
        parts.append(memoryview(content)[at : at + size])
        at += size + 1
    return head, parts


def _try_aside(path: Path) -> Path | None:
    """Put a broken file aside; None where the folder does not let us, and then it stays as it is."""
    try:
        return storage.put_aside(path)
    except storage.StorageError:
        return None


def _broken(path: Path, cause: str, aside: bool) -> Failure:
    """The sentence for a broken run, after putting it aside where it is ours."""
    if not aside:
        return failure("load-failed", "run-broken", {"path": str(path), "cause": cause})
    moved = _try_aside(path)
    if moved is None:
        return failure("load-failed", "run-broken", {"path": str(path), "cause": cause})
    return failure("load-failed", "run-put-aside", {"path": str(path), "aside": moved.name, "cause": cause})
