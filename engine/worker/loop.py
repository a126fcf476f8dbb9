"""The worker's life: take a command, do it, answer; the engine decides everything else."""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable
from typing import Any

from engine import messages, wire
from engine.worker.session import Session


def obey(channel: socket.socket) -> None:
    """Answer commands until the engine hangs up; a command that fails is answered with `Failed` and ends the worker."""
    session = Session()
    while (command := wire.receive_command(channel)) is not None:
        try:
            reply = wire.frame(HANDLERS[type(command)](session, command))
        except Exception as error:  # a model may raise anything: it becomes an answer, with its traceback
            channel.sendall(wire.frame(session.describe(error)))
            return
        channel.sendall(reply)


def _probe(session: Session, command: messages.Probe) -> messages.Message:
    from engine.worker.probe import facts

    return messages.Facted(facts())


def _examine(session: Session, command: messages.Examine) -> messages.Message:
    from engine.worker.examine import examine

    return examine(command)


def _find_classes(session: Session, command: messages.FindClasses) -> messages.Message:
    from engine.worker.search.ranking import rank

    return rank(command)


def _index_libraries(session: Session, command: messages.IndexLibraries) -> messages.Message:
    from engine.worker.search.index import index_library

    return index_library(command)


def _load(session: Session, command: messages.Load) -> messages.Message:
    began = time.perf_counter_ns()
    loaded, times = session.load(command)
    took = time.perf_counter_ns() - began
    parameters, buffers, weights = session.sizes()
    return messages.Loaded(
        took, parameters, buffers, weights, loaded.architecture, reading_ns=times.reading_ns, moving_ns=times.moving_ns, load_peak_bytes=times.load_peak_bytes
    )


def _prepare(session: Session, command: messages.Prepare) -> messages.Message:
    began = time.perf_counter_ns()
    prepared = session.prepare()
    took = time.perf_counter_ns() - began
    # What lives now lives to the end: the collector need not walk it again.
    gc.collect()
    gc.freeze()
    return messages.Prepared(took, prepared.weights_bytes, None, prepared.notes)


def _first_call(session: Session, command: messages.FirstCall) -> messages.Message:
    return session.first_call()


def _run_block(session: Session, command: messages.RunBlock) -> messages.Message:
    return session.run_block(command)


def _reset_peaks(session: Session, command: messages.ResetPeaks) -> messages.Message:
    return session.reset_peaks()


def _read_memory(session: Session, command: messages.ReadMemory) -> messages.Message:
    return session.read_memory()


def _make_context(session: Session, command: messages.MakeContext) -> messages.Message:
    return session.make_context(command)


def _measure_copies(session: Session, command: messages.MeasureCopies) -> messages.Message:
    return session.measure_copies(command)


def _measure_busy(session: Session, command: messages.MeasureBusy) -> messages.Message:
    return session.measure_busy(command)


HANDLERS: dict[type, Callable[[Session, Any], messages.Message]] = {
    messages.Probe: _probe,
    messages.Examine: _examine,
    messages.FindClasses: _find_classes,
    messages.IndexLibraries: _index_libraries,
    messages.Load: _load,
    messages.Prepare: _prepare,
    messages.FirstCall: _first_call,
    messages.RunBlock: _run_block,
    messages.ResetPeaks: _reset_peaks,
    messages.ReadMemory: _read_memory,
    messages.MakeContext: _make_context,
    messages.MeasureCopies: _measure_copies,
    messages.MeasureBusy: _measure_busy,
}
