"""Out of memory, in words that help: who holds what, and what fits instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import msgspec
import psutil

from engine.job import Configuration
from engine.nvml import GpuProcess
from engine.result import Failure, Outcome
from engine.units import format_bytes
from engine.words import failure, table

SHOWN = 3
"""Others named in a sentence; the details have all of them."""
LISTED = 10
_SIGNS = ("MemoryError", "bad_alloc", "allocate memory", "Cannot allocate", "out of memory", "Thread creation failed")
DEATHS = ("exited", "killed-by-signal")


class Holder(msgspec.Struct, frozen=True):
    """Another program that holds memory where the model was to run; None where the system does not say how much."""

    name: str
    pid: int
    held_bytes: int | None


def died_of_memory(why: Failure) -> bool:
    """Whether a worker that died without an answer had said in its log that it got no memory."""
    log = str(why.details.get("log", ""))
    return why.code in DEATHS and any(sign in log for sign in _SIGNS)


def explain(why: Failure, configuration: Configuration, holders: Sequence[Holder], limit_bytes: int | None, weights_bytes: int | None) -> Failure:
    """The same failure, saying what this model, its cache and other programs hold; failures of another kind are returned as they are."""
    if limit_bytes is not None and died_of_memory(why):
        values = {"batch_size": configuration.batch_size, "device": configuration.device, "limit": format_bytes(limit_bytes)}
        return failure("out-of-memory", "out-of-memory-died", values, why.details)
    if why.say != "out-of-memory":
        return why
    values = {**why.values, **_held(why, weights_bytes), "holders": listed(holders), "limit": format_bytes(limit_bytes)}
    details = {**why.details, "holders": "\n".join(map(named, holders[:LISTED]))}
    return failure(why.code, _code(configuration, holders, limit_bytes), values, details)


def _code(configuration: Configuration, holders: Sequence[Holder], limit_bytes: int | None) -> str:
    if configuration.device == "cpu":
        return "out-of-memory-limit" if limit_bytes is not None else "out-of-memory-cpu" if holders else "out-of-memory"
    return "out-of-memory-gpu" if holders else "out-of-memory-gpu-alone"


def _held(why: Failure, weights_bytes: int | None) -> dict[str, Any]:
    """What the worker itself held, in words."""
    own, allocated = why.values.get("own_bytes"), why.values.get("allocated_bytes")
    cached = max(0, own - allocated) if isinstance(own, int) and isinstance(allocated, int) else None
    return {
        "own": format_bytes(own if isinstance(own, int) else None), "weights": format_bytes(weights_bytes),
        "allocated": format_bytes(allocated if isinstance(allocated, int) else None), "cached": format_bytes(cached),
    }


def listed(holders: Sequence[Holder]) -> str:
    """`python (pid 123) 3.1 GiB, ...`: the largest."""
    return ", ".join(map(named, holders[:SHOWN])) + (", ..." if len(holders) > SHOWN else "")


def named(holder: Holder) -> str:
    """Its name, number and memory."""
    return f"{holder.name} (pid {holder.pid}) {format_bytes(holder.held_bytes)}"


def gpu_holders(processes: Iterable[GpuProcess], own: Collection[int], name_of: Callable[[int], str] | None = None) -> list[Holder]:
    """The other programs on a GPU, the largest first."""
    name_of = name_of or process_name
    found = [Holder(name_of(each.pid), each.pid, each.memory_bytes) for each in processes if each.pid not in own]
    return sorted(found, key=lambda each: -(each.held_bytes or 0))


def process_name(pid: int) -> str:
    """A program's name; `?` where it is not ours to see (in a container the driver lists pids of the host)."""
    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return "?"


def cpu_holders(own: Collection[int], most: int = LISTED) -> list[Holder]:
    """The programs with most resident memory, the largest first; this program and what it started are none of them."""
    ours = {os.getpid(), *own, *_descendants()}
    found = []
    for process in psutil.process_iter(("pid", "name", "memory_info")):
        memory = process.info["memory_info"]
        if memory is not None and process.info["pid"] not in ours:
            found.append(Holder(process.info["name"] or "?", process.info["pid"], memory.rss))
    return sorted(found, key=lambda each: -(each.held_bytes or 0))[:most]


def _descendants() -> set[int]:
    try:
        return {child.pid for child in psutil.Process().children(recursive=True)}
    except psutil.Error:
        return set()


def offered(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """The outcomes; those out of memory say what fits in their place, where the run has seen it."""
    return tuple(_offer(outcome, outcomes) for outcome in outcomes)


def _offer(outcome: Outcome, outcomes: Sequence[Outcome]) -> Outcome:
    error = outcome.error
    fitting = largest_fitting(outcome.configuration, outcomes) if error is not None and error.code == "out-of-memory" else None
    if error is None or fitting is None or fitting >= outcome.configuration.batch_size or f"{error.say}-fits" not in table():
        return outcome
    values = {**error.values, "fitting": fitting, "parts": parts_for(outcome.configuration.batch_size, fitting)}
    better = failure(error.code, f"{error.say}-fits", values, error.details)
    return msgspec.structs.replace(outcome, error=better)


def largest_fitting(configuration: Configuration, outcomes: Iterable[Outcome]) -> int | None:
    """The largest batch that the run saw fit with all other settings the same; None where it saw none."""
    same = [each for each in outcomes if without_batch(each.configuration) == without_batch(configuration)]
    sizes = [each.configuration.batch_size for each in same if each.status == "ok"]
    sizes += [each.largest.batch_size for each in same if each.largest is not None]
    return max(sizes, default=None)


def parts_for(batch: int, fitting: int) -> int:
    """Into how many equal micro-batches a batch is cut so that each fits: the fewest."""
    return -(-batch // fitting)


def without_batch(configuration: Configuration) -> tuple[object, ...]:
    """What makes two configurations the same but for their batch."""
    options = {name: value for name, value in configuration.options.items() if name != "batch"}
    return msgspec.structs.replace(configuration, batch_size=1, options=options).key()
