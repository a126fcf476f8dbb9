"""Compares two configurations: both workers alive at once, blocks in turn, rounds of fresh workers, until there is a verdict or the time is up."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
import numpy as np

from engine import messages, verdict
from engine.events import ComparisonUpdated, OutcomeUpdated, Progressed
from engine.inputs import format_input
from engine.job import PLANS, Configuration, Job, Plan
from engine.pump import Pump
from engine.recorder import Recorder
from engine.result import Comparison, Failure, Outcome, Reason
from engine.runner import WAITING_SHOWN_S, Flags
from engine.statistics import Int64s
from engine.visits import Visitor
from engine.watch import MachineWatch
from engine.words import failure, say
from engine.workers import ConfigurationEnded, Interrupted, Workers

QUADS, BLOCK_S, BLOCK_CALLS = 3, 0.05, 1200
"""Of a round; of a block, which ends after whichever comes first. Tried on three models: longer blocks and more quads narrow a round's value little, for
what differs between two pairs of workers stays."""
LONG_CALL_S = 0.15
"""From here on a block is about a call, and a round is one quad."""
REFRESH_S = 1.5
"""Where starting both takes longer, the same two workers serve all rounds, and the rows say so."""
LIMIT_S = 60.0
"""From the moment when both are warm."""
PLAN: Plan = msgspec.structs.replace(PLANS["standard"], name="compare", block_s=BLOCK_S, target_relative=verdict.SAME_WITHIN, measuring_limit_s=LIMIT_S)
BRIEFLY_WARMED: Plan = msgspec.structs.replace(PLAN, warm_up_s=0.1, warm_up_calls=3, warm_up_limit_s=1.0)
"""For workers after the first: what they load is warm, and how long warming up takes was told."""


class TurnVisitor(Visitor):
    """A visitor that goes from one worker to the other, a block at a time."""

    def turn(self, record: Recorder) -> float:
        """One counted block; its median in ns."""
        self.current, self.phase, self.in_steady = record, "steady", True
        began = time.perf_counter()
        try:
            assert record.link is not None
            self._workers.send(record.link, messages.RunBlock(record.visits + 1, int(BLOCK_S * 1e9), BLOCK_CALLS), self.phase)
            latency = self._take_block(record, self._receive_block(record), record.visits, steady=True)
        finally:
            self.in_steady = False
        record.visits += 1
        record.visit_spans_s.append((began, time.perf_counter()))
        return max(1.0, float(np.median(latency)))

    def read_peaks(self, record: Recorder) -> None:
        """Between rounds: the allocator's peaks and the process's."""
        self._read_peaks(record)

    def _take_block(self, record: Recorder, block: messages.BlockDone, visit: int, steady: bool) -> Int64s:
        """The warm-up of a refreshed worker is no sample of the run: there would be more of it than of figures."""
        if steady or record.visits == 0:
            return super()._take_block(record, block, visit, steady)
        self._check_block(record, block)
        return np.frombuffer(block.latency_ns, "<i8")


class Comparer:
    """The rounds of one comparison; `records` are A's and B's, in this order."""

    def __init__(
        self, records: tuple[Recorder, Recorder], visitor: TurnVisitor, workers: Workers, pump: Pump, flags: Flags, emit: Callable[[object], None],
        saved: Callable[[Recorder], None], watch: MachineWatch, clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.records = records
        self._visitor, self._workers, self._pump, self._flags, self._emit, self._saved = visitor, workers, pump, flags, emit, saved
        for record in records:
            record.in_turn = True
        self._watch, self._clock = watch, clock
        self.rounds: list[tuple[float, ...]] = []
        self.medians_ms: tuple[list[float], list[float]] = ([], [])
        self.steps: list[tuple[int, float, float, float]] = []
        self.failure: Failure | None = None
        self._began = self._clock()
        self._warm_s: float | None = None
        self._refreshes = False
        self._is_judged = False
        """The number of rounds was not chosen by who stopped it: the interval may be acted upon."""

    # -- the whole way -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Measure until there is a verdict; never raises for what a model or a user does."""
        refused = next((record for record in self.records if record.over), None)
        self.failure = refused.error if refused else None
        try:
            if refused is None and self._guarded(self._begin):
                while self._guarded(self._round) and not self._over():
                    continue
        except Interrupted:
            pass
        self._end()

    def comparison(self) -> Comparison:
        """The standing: a verdict only where the rules of stopping ended it."""
        found = verdict.judge(self.rounds, self._doubt)
        if not self._is_judged and found.verdict != verdict.CANNOT_TELL:
            found = msgspec.structs.replace(found, verdict=verdict.CANNOT_TELL, samples_needed=self._blocks_to_look())
        medians_a, medians_b = (tuple(each) for each in self.medians_ms)
        return msgspec.structs.replace(found, medians_a_ms=medians_a, medians_b_ms=medians_b, steps=tuple(self.steps))

    def _blocks_to_look(self) -> int:
        """Blocks of each until the next look, where the interval would already do."""
        missing = verdict.look_ahead(len(self.rounds) + 1).rounds - len(self.rounds)
        return max(1, missing) * 2 * self._quads()

    def _end(self) -> None:
        self.release_all()
        for record in self.records:
            if not record.over:
                self._conclude(record)
            self._emit(OutcomeUpdated(record.index, outcome_of(record), final=True))
        self._emit(ComparisonUpdated(comparison=self.comparison(), rounds=len(self.rounds), is_final=True))

    def _conclude(self, record: Recorder) -> None:
        """The outcome of one that did not fail itself."""
        if self._is_judged:
            record.stopped, record.status = self._why_over(), "ok"
            return
        record.cancel()
        if self.failure is not None:
            record.stopped = Reason("compare-other-ended", {}, say("compare-other-ended"))

    def _why_over(self) -> Reason:
        found = verdict.judge(self.rounds, self._doubt)
        values = {"rounds": len(self.rounds), "blocks": found.blocks, "seconds": LIMIT_S}
        code = "compare-time-limit" if self._is_late() else "compare-exhausted"
        code = code if found.verdict == verdict.CANNOT_TELL else "compare-done"
        return Reason(code, values, say(code, values))

    def _guarded(self, act: Callable[[], None]) -> bool:
        """Do it; what ends one of the two ends the comparison and becomes its outcome."""
        if self._flags.stop:
            raise Interrupted
        try:
            act()
        except ConfigurationEnded as ended:
            record = self._visitor.current or self.records[0]
            self.failure = self._with_other(record, ended.failure)
            record.fail(self.failure)
            return False
        return not self._flags.cancel

    def _with_other(self, record: Recorder, why: Failure) -> Failure:
        """Out of memory while the other's worker lives too: what does not fit are the two together, as far as anybody knows."""
        other = self.records[1 - record.index]
        if why.code != "out-of-memory" or other.link is None or why.say == "compare-no-room":
            return why
        return failure(why.code, "compare-no-room", {"this": name_of(record.configuration), "other": name_of(other.configuration), "said": why.summary}, why.details)

    def stop_for_memory(self, values: dict[str, str], held: str, say_code: str = "out-of-memory-stopped") -> None:
        """The machine's memory runs out: both go before the system's killer picks its own victim."""
        record = self._visitor.current
        if record is None or record.link is None or record.link.has_exited():
            return
        other, log = self.records[1 - record.index], record.link.log.text()
        said = {"this": name_of(record.configuration), "other": name_of(other.configuration), "said": _memory_said(values, held, record, say_code)}
        for each in (record, other):
            link, each.link = each.link, None
            if link is not None:
                self._workers.end(link, at_once=True)
        raise ConfigurationEnded(failure("out-of-memory", "compare-no-room", said, {"log": log}))

    # -- rounds ------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        """Both workers, warm; how long that took decides whether each round has new ones."""
        for record in self.records:
            self._visitor.start(record)
        phases = [record.phases for record in self.records]
        started_s = sum((each.load or 0.0) + (each.prepare or 0.0) + (each.first_call or 0.0) for each in phases) / 1e3
        self._refreshes = started_s <= REFRESH_S
        for record in self.records:
            record.job = msgspec.structs.replace(record.job, plan=BRIEFLY_WARMED)
            record.note(*(("compare-fresh-workers", {}) if self._refreshes else ("compare-same-workers", {"seconds": started_s})))
        self._warm_s = self._clock()

    def _round(self) -> None:
        number = len(self.rounds)
        if number and self._refreshes:
            self._refresh(number)
        quads: list[float] = []
        for quad in range(self._quads()):
            quads.append(self._quad(swapped=(number + quad) % 2 == 1))
            if self._flags.cancel:
                break
        self.rounds.append(tuple(quads))
        for record in self.records:
            self._visitor.read_peaks(record)
        self._tell()

    @property
    def _doubt(self) -> float:
        """What one pair of workers cannot know."""
        return 0.0 if self._refreshes else verdict.PAIR_DOUBT

    def _refresh(self, number: int) -> None:
        """A new pair; who starts first lies better in memory now and then, so they take turns at that too."""
        for record in self.records:
            self._release(record)
        for record in self.records if number % 2 == 0 else reversed(self.records):
            self._visitor.start(record)

    def _quads(self) -> int:
        slowest_s = max((max(each[-4:], default=0.0) for each in self.medians_ms), default=0.0) / 1e3
        return 1 if slowest_s >= LONG_CALL_S else QUADS

    def _quad(self, swapped: bool) -> float:
        """A B B A, or B A A B; the logarithm of B's medians over A's."""
        outer, inner = (1, 0) if swapped else (0, 1)
        first, second, third, fourth = (self._block(index) for index in (outer, inner, inner, outer))
        ratio = verdict.quad_log_ratio((first, fourth), (second, third))
        return -ratio if swapped else ratio

    def _block(self, index: int) -> float:
        if self._flags.stop:
            raise Interrupted
        median_ns = self._visitor.turn(self.records[index])
        self.medians_ms[index].append(median_ns / 1e6)
        return median_ns

    def _over(self) -> bool:
        self._is_judged = verdict.is_over(self.rounds, self._doubt) or self._is_late()
        return self._is_judged

    def _is_late(self) -> bool:
        return self._warm_s is not None and self._clock() - self._warm_s >= LIMIT_S

    def _tell(self) -> None:
        found = verdict.judge(self.rounds, self._doubt)
        if found.ratio is not None and found.ci95 is not None:
            self.steps.append((found.blocks, found.ratio, *found.ci95))
        self._emit(ComparisonUpdated(comparison=self.comparison(), rounds=len(self.rounds)))
        self._saved(self.records[len(self.rounds) % 2])

    # -- workers, progress --------------------------------------------------------------------------------------------

    def _release(self, record: Recorder) -> None:
        link, record.link = record.link, None
        if link is not None:
            self._workers.end(link, at_once=self._flags.stop)
            record.log = record.log or link.log.text()

    def release_all(self) -> None:
        """Let both workers go."""
        for record in self.records:
            self._release(record)

    def seconds_left(self) -> float | None:
        """Until the look at which the present width would do; None before both are warm."""
        if self._warm_s is None or not self.rounds:
            return None
        spent_s = self._clock() - self._warm_s
        needed = min(verdict.rounds_expected(self.rounds, self._doubt), verdict.LOOKS[-1].rounds)
        return max(0.0, min((needed - len(self.rounds)) * spent_s / len(self.rounds), LIMIT_S - spent_s))

    def report_progress(self) -> None:
        """Say where the comparison stands; called by the pump's tick."""
        left_s, spent_s = self.seconds_left(), self._clock() - self._began
        fraction = 0.0 if left_s is None else spent_s / max(spent_s + left_s, 1e-9)
        since = self._workers.waiting_since
        waited_s = 0.0 if since is None else time.monotonic() - since
        current = self._visitor.current
        self._emit(Progressed(fraction, left_s, current.index if current else None, self._visitor.phase, waited_s if waited_s >= WAITING_SHOWN_S else 0.0))

    def tick(self) -> None:
        """Read the machine; called by the pump's tick."""
        self._watch.tick(self)


def outcome_of(record: Recorder) -> Outcome:
    """The record's outcome; blocks that lie so close share what disturbs them, so their median has no interval of its own: the ratio has."""
    outcome = record.conclude()
    if outcome.latency is None or outcome.latency.p50_ci95_ms is None:
        return outcome
    record.final = msgspec.structs.replace(outcome, latency=msgspec.structs.replace(outcome.latency, p50_ci95_ms=None))
    return record.final


def name_of(configuration: Configuration) -> str:
    """A configuration in a few words that need no translation."""
    parts = [configuration.precision, *([configuration.quantization] if configuration.quantization != "none" else [])]
    return " ".join([*parts, f"b{configuration.batch_size}", configuration.device, f"{configuration.threads}t"])


def comparable(job: Job) -> Job:
    """The job as it is measured here: its one configuration, with the plan of comparisons."""
    if len(job.configurations) != 1:
        raise ValueError(f"a side of a comparison has one configuration, not {len(job.configurations)}")
    return msgspec.structs.replace(job, plan=PLAN)


def inputs_note(job: Job) -> tuple[str, dict[str, str]]:
    """What B is called with, where that is not what A is called with."""
    return "compare-inputs", {"inputs": ", ".join(format_input(spec) for spec in job.inputs)}


def _memory_said(values: dict[str, str], held: str, record: Recorder, say_code: str) -> str:
    if "limit" not in values:
        return say("compare-memory-short", values)
    return say(say_code, {**values, "held": held, "batch_size": str(record.configuration.batch_size)})
