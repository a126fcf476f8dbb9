"""Writes what was asked for: the run, the page, the samples."""

from __future__ import annotations

import argparse
import io
import os
import sys
from pathlib import Path

import numpy as np

from engine import history, storage
from engine.commands.options import Refused, absolute, tell
from engine.demo import PAGE_NAME
from engine.events import BlockMeasured
from engine.result import EncodedSamples, Run
from engine.sampling import STEADY, WARM_UP, SampleArrays, SampleBuffer, decode
from engine.words import say


class Writer:
    """The files that the options name, resolved before anything is measured."""

    def __init__(self, options: argparse.Namespace, model: str) -> None:
        self._json, self._report, self._samples = (_resolved(given) for given in (options.json, options.report, options.samples))
        self._demo = bool(options.demo)
        self._measured: dict[int, SampleBuffer] = {}
        self._check_apart({"FILE": Path(model)} | {f"--{name}": path for name, path in (("json", self._json), ("report", self._report), ("samples", self._samples)) if path})

    def _check_apart(self, places: dict[str, Path]) -> None:
        """Raise Refused where one file would take the place of another, the model above all."""
        taken: dict[str, str] = {}
        for option, path in places.items():
            # A device such as /dev/null takes whatever is written.
            if (other := taken.setdefault(os.path.realpath(path), option)) != option and not (path.exists() and not path.is_file()):
                raise Refused(say("output-onto", {"option": option, "path": path if other == "FILE" else f"{other} {path}"}), say("output-onto.hint"))

    def write(self, run: Run, kept: Path | None) -> bool:
        """Write all; False when one could not be written (the run is then still in the history, whose path is printed)."""
        done = [self._try(path, write, run) for path, write in ((self._json, self._write_json), (self._samples, self._write_samples)) if path]
        report = self._report or (_demo_page() if self._demo else None)
        if report:
            done.append(self._try(report, self._write_report, run))
        if not all(done) and kept is not None:
            print(say("run-kept", {"path": str(kept)}), file=sys.stderr)
        if self._demo and report and done[-1]:
            print(report)
        return all(done)

    def _try(self, path: Path, write: object, run: Run) -> bool:
        try:
            write(path, run)  # type: ignore[operator]
        except storage.StorageError as error:
            tell(error.failure.summary, error.failure.hint)
            return False
        return True

    def _write_json(self, path: Path, run: Run) -> None:
        history.save_run(run, path)

    def _write_samples(self, path: Path, run: Run) -> None:
        arrays = {
            f"outcome{index}_{name}": column
            for index, outcome in enumerate(run.outcomes) if outcome.samples is not None
            for name, column in self._all_samples(index, outcome.samples).columns().items()
        }
        stream = io.BytesIO()
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
        storage.write_atomically(path, stream.getvalue())

    def _write_report(self, path: Path, run: Run) -> None:
        from engine.report import render

        storage.write_atomically(path, render(run).encode())


    def take(self, event: object) -> None:
        """Keep every sample for --samples: the run itself holds a reduction where there are too many."""
        if self._samples is not None and isinstance(event, BlockMeasured):
            buffer = self._measured.setdefault(event.index, SampleBuffer())
            phase = STEADY if event.steady else WARM_UP
            buffer.extend(event.start_ns, event.latency_ns, phase=phase, visit=event.visit, device_ns=event.device_ns)

    def _all_samples(self, index: int, encoded: EncodedSamples) -> SampleArrays:
        return decode(encoded) if encoded.reduced_from is None else self._measured[index].arrays()


def _resolved(given: str | None) -> Path | None:
    """The path from the root, while the current folder is the one that the user meant; raises Refused."""
    return Path(absolute(given)) if given else None


def _demo_page() -> Path:
    """Where the demo's page goes: the current folder, else the history folder."""
    try:
        here = Path.cwd()
    except FileNotFoundError:
        return storage.history_folder() / PAGE_NAME
    return here / PAGE_NAME if _writable(here) else storage.history_folder() / PAGE_NAME


def _writable(folder: Path) -> bool:
    """Whether a file can be made in the folder; tried, since permissions do not tell all (a full or read-only disk)."""
    probe = folder / f".model-dyno-{id(folder):x}"
    try:
        storage.write_atomically(probe, b"")
    except storage.StorageError:
        return False
    probe.unlink()
    return True
