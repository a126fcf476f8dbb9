"""Runs one job: its configurations' visits in turn, spread over time, until each has its one outcome."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from engine import stopping, time_left
from engine.events import OutcomeUpdated, PhaseStarted, Progressed
from engine.finding import Finder
from engine.link import Link
from engine.out_of_memory import explain
from engine.pump import Pump
from engine.recorder import Recorder
from engine.result import Failure
from engine.units import format_bytes
from engine.visits import Visitor
from engine.watch import MachineWatch
from engine.words import failure
from engine.workers import ConfigurationEnded, Interrupted, Workers

PROGRESS_S = 0.25
WAITING_SHOWN_S = 2.0
RESTED_S = 0.001


class Flags:
    """What the user asked for while the job runs; set from any thread."""

    def __init__(self) -> None:
        self.cancel = False
        self.stop = False
        self.closing = False
        """The engine ends: what is asked to stop now stays so."""


class JobRunner:
    """The turns of one job's configurations on one pump."""

    def __init__(
        self, records: list[Recorder], visitor: Visitor, workers: Workers, pump: Pump, flags: Flags, emit: Callable[[object], None],
        saved: Callable[[Recorder], None], watch: MachineWatch, extras: Callable[[Recorder], None] | None = None, finder: Finder | None = None,
    ) -> None:
        self._records, self._visitor, self._workers, self._pump, self._flags, self._emit = records, visitor, workers, pump, flags, emit
        self._saved, self._watch, self._extras, self._finder = saved, watch, extras, finder
        self._random = random.Random(records[0].job.seed if records else 0)
        self._began = time.perf_counter()
        self._acting: Recorder | None = None
        """Whose turn it is; None while all rest."""
        self.finishing: Recorder | None = None
        """After a cancel: the one configuration that may still go on."""

    def run(self) -> None:
        """Measure until every configuration is over; never raises for what a model or a user does."""
        try:
            for record in self._records:
                if record.over:
                    self._finish(record)
            for record in self._records:
                if self._flags.cancel:
                    break
                self._guarded(record, lambda record=record: self._first_visit(record))  # type: ignore[misc]
            while (due := self._next()) is not None:
                self._guarded(due, lambda due=due: self._another_visit(due))  # type: ignore[misc]
        except Interrupted:
            # Every worker goes before any record is encoded and saved: that may take longer than a stop may.
            self.release_all()
        for record in self._records:
            if not record.over:
                self._cancel(record)

    def release_all(self) -> None:
        """Let all workers of the job go."""
        for record in self._records:
            self._release(record)

    def _guarded(self, record: Recorder, act: Callable[[], None]) -> None:
        """Do it; what ends the configuration becomes its outcome."""
        if record.over:
            return
        try:
            self._act(record, act)
        except ConfigurationEnded as ended:
            if ended.failure.code == "out-of-memory" and self._evict_others(record):
                self._drop(record)
                self._guarded(record, act)
                return
            if ended.failure.code == "out-of-memory" and self._finder is not None and self._finder.may_lower(record):
                self._drop(record)
                self._guarded(record, act)
                return
            self._close(record, self._explained(record, ended.failure))
        else:
            if not record.over:
                self._after_visit(record)

    def _act(self, record: Recorder, act: Callable[[], None]) -> None:
        before, self._acting = self._acting, record
        try:
            act()
        finally:
            self._acting = before

    def _explained(self, record: Recorder, why: Failure) -> Failure:
        """Out of memory: who holds what, by name; other failures as they are."""
        where = record.blamed()
        why = self._with_others(where, why)
        holders = self._watch.holders(where.configuration.device) if why.say == "out-of-memory" else []
        return record.worded(explain(why, where.configuration, holders, where.limit_bytes, where.weights_bytes or record.info.weights_bytes))

    def _with_others(self, record: Recorder, why: Failure) -> Failure:
        """Out of a GPU's memory: what others hold, as the driver lists it (the worker itself can only subtract, and would count its own context)."""
        others = self._watch.held_by_others_bytes(record.configuration.device) if why.say == "out-of-memory" else None
        if others is None:
            return why
        return failure(why.code, why.say, {**why.values, "others": format_bytes(others)}, why.details)

    def _evict_others(self, record: Recorder | None) -> bool:
        """Free what idle workers hold, so that out of memory is this configuration's own; False when none was idle."""
        others = [other for other in self._records if other is not record and other.links]
        for other in others:
            self._release(other)
        return bool(others)

    def _first_visit(self, record: Recorder) -> None:
        if self._watch.memory_is_short():
            self._evict_others(record)
        if self._finder is not None and self._finder.is_due(record):
            self._evict_others(record)
            self._finder.settle(record, self._act)
        self._visitor.start(record)
        self._visitor.visit(record, rested=False)

    def _another_visit(self, record: Recorder) -> None:
        if any(link.has_exited() for link in record.links):
            self._release(record)
        fresh = not record.links
        if fresh:
            if record.job.plan.fresh_workers:
                record.keep_memory()
            else:
                record.note("fresh-visits", {})
            self._visitor.start(record)
        self._visitor.visit(record, rested=not fresh)

    def _after_visit(self, record: Recorder) -> None:
        outcome = record.outcome(with_samples=False)
        decision = None if outcome.latency is None else stopping.configuration_over(
            outcome.latency, record.visits, record.measured_s(), record.span_s(), record.job.plan
        )
        if decision is not None:
            record.stopped = decision.reason()
            self._emit(OutcomeUpdated(record.index, outcome, final=False))
            self._beside(record)
            record.status = "ok"
            self._finish(record)
        else:
            if record.job.plan.fresh_workers:
                self._release(record)
            self._emit(OutcomeUpdated(record.index, outcome, final=False))
            self._emit(PhaseStarted(record.index, "rest"))
            self._saved(record)

    def _beside(self, record: Recorder) -> None:
        """The figures beside the loop, while its worker still lives; a stop leaves them out and loses nothing that was measured."""
        extras = self._extras
        if extras is None or not record.links:
            return
        try:
            self._act(record, lambda: extras(record))
        except Interrupted:
            self.release_all()
            record.status = "ok"
            self._finish(record)
            raise

    def _finish(self, record: Recorder) -> None:
        self._release(record)
        self._emit(OutcomeUpdated(record.index, record.conclude(), final=True))
        self._saved(record)

    def _close(self, record: Recorder, why: Failure) -> None:
        record.fail(why)
        self._finish(record)

    def _cancel(self, record: Recorder) -> None:
        record.cancel()
        self._finish(record)

    def _release(self, record: Recorder) -> None:
        """Let the configuration's worker go, keeping what it printed."""
        record.keep_log(self._drop(record))

    def _drop(self, record: Recorder, at_once: bool = False) -> tuple[Link, ...]:
        links, at_once = record.take_links(), at_once or self._flags.stop
        self._workers.end_all(links, at_once=at_once)
        return links

    def _next(self) -> Recorder | None:
        """The configuration whose turn is next, after resting until it is due; None when all are over (or may not go on)."""
        while True:
            waiting = [record for record in self._records if not record.over and record.visits]
            if self._flags.cancel:
                waiting = self._only_running(waiting)
            if not waiting:
                return None
            now = time.perf_counter()
            due = {record.index: self._due_s(record) for record in waiting}
            ready = [record for record in waiting if due[record.index] <= now]
            if ready:
                fewest = min(record.visits for record in ready)
                return self._random.choice([record for record in ready if record.visits == fewest])
            self._rest(min(due.values()) - now)

    def _only_running(self, waiting: list[Recorder]) -> list[Recorder]:
        """After a cancel: the configuration that was running goes on to its end, the others end now."""
        if self.finishing is None:
            self.finishing = self._visitor.current if self._visitor.current in waiting else None
        for record in waiting:
            if record is not self.finishing:
                self._cancel(record)
        return [record for record in waiting if record is self.finishing]

    def _due_s(self, record: Recorder) -> float:
        spans = record.visit_spans_s
        return stopping.next_visit_due_s(record.visits, spans[0][0], spans[-1][0], record.job.plan)

    def _rest(self, seconds: float) -> None:
        if self._flags.stop:
            raise Interrupted
        self._pump.turn(seconds)

    def report_progress(self) -> None:
        """Say where the job stands; called by the pump's tick."""
        standings = [record.standing() for record in self._records]
        plan = self._records[0].job.plan
        elapsed_s = time.perf_counter() - self._began
        since = self._workers.waiting_since
        waited = 0.0 if since is None else time.monotonic() - since
        current = self._visitor.current
        self._emit(
            Progressed(
                time_left.fraction_done(standings, elapsed_s, plan), time_left.seconds_left(standings, plan), current.index if current else None,
                self._visitor.phase, waited if waited >= WAITING_SHOWN_S else 0.0,
            )
        )

    def stop_for_memory(self, values: dict[str, str], held: str, say_code: str = "out-of-memory-stopped") -> None:
        """The machine's memory runs out: end the configuration that runs before the system's killer picks its own victim; while all rest, let their workers go."""
        record = self._acting
        if record is None:
            self._evict_others(None)
            return
        if not record.links or all(link.has_exited() for link in record.links):
            return
        values = {**values, "batch_size": str(record.configuration.batch_size), "held": held}
        log = "".join(link.log.text() for link in record.links)
        self._drop(record, at_once=True)
        raise ConfigurationEnded(failure("out-of-memory", say_code, values, {"log": log}))
