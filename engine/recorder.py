"""Everything measured of one configuration, and the outcome it amounts to at any moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from engine import messages, statistics, trust
from engine.inputs import takes_batch
from engine.job import Configuration, Job
from engine.link import Link
from engine.machine_state import MachineNotes
from engine.matrix import batch_remark
from engine.memory_parts import MemoryParts
from engine.result import Copies, Failure, Largest, Latency, Memory, ModelInfo, Outcome, Outputs, Phases, Reason
from engine.sampling import STEADY, WARM_UP, SampleBuffer, encode_for_run
from engine.snippet import snippet
from engine.statistics import Int64s
from engine.time_left import Pace, Standing
from engine.timeline import Timeline
from engine.words import say

STATUS_OF_CODE = {"out-of-memory": "out-of-memory", "unsupported": "unsupported", "not-swapped": "unsupported"}

IDLE_CALLS, IDLE_LIMIT_S, GPU_EXTRAS_S = 20, 20.0, 2.6
"""What engine.extras takes, for the estimate of the time left."""
RECENT = 1000
"""Samples that say how long a call takes now."""
PEAKS = ("load_peak_bytes", "process_peak_bytes", "allocated_peak_bytes", "reserved_peak_bytes", "device_peak_bytes")
KEPT = ("link", "log", "notes", "limit_bytes", "load_before", "in_turn")
"""Of a record whose batch is lowered: its worker, which is still to end, what was said, and what does not come from the batch."""


class Recorder:
    """The growing record of one configuration of a job."""

    def __init__(self, index: int, job: Job, configuration: Configuration, info: ModelInfo, cores: int | None) -> None:
        self.index, self.job, self.configuration, self.info, self._cores = index, job, configuration, info, cores
        self.samples = SampleBuffer()
        self.timeline = Timeline()
        self.phases = Phases()
        self.link: Link | None = None
        self.loaded: messages.Loaded | None = None
        self.notes: list[Reason] = []
        self.uncounted = 0
        self.visits = 0
        self.in_turn = False
        """Its blocks are those of a comparison."""
        self.visit_spans_s: list[tuple[float, float]] = []
        self.peaks: dict[str, int] = {}
        self.pace = Pace()
        self.parts = MemoryParts()
        self._memory_kept: MemoryParts | None = None
        self.device_memory_source: str | None = None
        self.stopped: Reason | None = None
        self.warm_up: Reason | None = None
        self.status: str | None = None
        """None until the one outcome is made."""
        self.error: Failure | None = None
        self.other_cpu_percent: list[float] = []
        self.load_before: float | None = None
        """The machine's load average before the job; None where it is not known, or may be this program's own."""
        self.gpu_clocks: list[float] = []
        self.foreign_compute: int | None = None
        self.throttle_reasons = 0
        self.graphics_percent: list[float] = []
        self.machine = MachineNotes()
        self.log = ""
        self.energy: dict[str, Any] | None = None
        self.copies: Copies | None = None
        self.gpu_busy_ms: float | None = None
        self.idle_latency: Latency | None = None
        self.idle_gap_ms: float | None = None
        self.outputs: Outputs | None = None
        self.weights_bytes: int | None = None
        self.largest: Largest | None = None
        self.limit_bytes = job.memory_limit_bytes if configuration.device == "cpu" else None
        """No worker of this configuration may hold more."""
        self.final: Outcome | None = None
        self._was_ok = False
        self._steady_before_ms = 0.0
        if not takes_batch(job.inputs):
            self.note(*batch_remark(job.inputs, configuration.batch_size))

    @property
    def links(self) -> tuple[Link, ...]:
        """The workers that live for it."""
        return () if self.link is None else (self.link,)

    def take_links(self) -> tuple[Link, ...]:
        """The workers, which are its own no longer: the machine is watched while they end."""
        links, self.link = self.links, None
        return links

    def keep_log(self, links: Sequence[Link]) -> None:
        """What its workers printed."""
        self.log = self.log or "".join(link.log.text() for link in links)

    def parts_with_pid(self) -> list[tuple[Recorder, int]]:
        """The records that have a worker each, and its pid: itself, or of several replicas each one."""
        return [] if self.link is None else [(self, self.link.pid)]

    def blamed(self) -> Recorder:
        """Whose device and memory a failure is about."""
        return self

    def worded(self, why: Failure) -> Failure:
        """A failure as the outcome is to say it."""
        return why

    def restore(self, outcome: Outcome, visits: int) -> None:
        """Begin where an earlier outcome of the same configuration ended, whose samples and readings were added already."""
        self.visits, self._was_ok = visits, outcome.status == "ok"
        self.phases, self.notes, self.uncounted = outcome.phases_ms, list(outcome.notes), outcome.uncounted_calls
        self.weights_bytes, self.device_memory_source = outcome.memory.weights_bytes, outcome.memory.device_memory_source
        self.energy, self.copies, self.gpu_busy_ms, self.idle_latency = outcome.energy, outcome.copies, outcome.gpu_busy_ms, outcome.idle_latency
        self.idle_gap_ms, self.outputs = outcome.idle_gap_ms, outcome.outputs
        self._steady_before_ms, self.largest = outcome.phases_ms.steady or 0.0, outcome.largest
        for name in PEAKS:
            self.raise_peak(name, getattr(outcome.memory, name))

    def begin_attempt(self) -> None:
        """A worker comes. Until there is a visit it takes the place of one that got nowhere, whose memory is no part of what this one takes."""
        if self.visits == 0:
            self.peaks, self.parts, self.device_memory_source, self.warm_up = {}, MemoryParts(), None, None

    def begin_again(self) -> None:
        """The batch that was found does not fit after all: nothing that was seen of it is a figure of a smaller one."""
        fresh = Recorder(self.index, self.job, self.configuration, self.info, self._cores)
        vars(self).update({name: value for name, value in vars(fresh).items() if name not in KEPT})

    @property
    def over(self) -> bool:
        """Whether the one outcome has been made."""
        return self.status is not None

    def note(self, code: str, values: dict[str, Any]) -> None:
        """Remember a coded statement about the configuration, once."""
        reason = Reason(code, values, say(code, values))
        if reason not in self.notes:
            self.notes.append(reason)

    def add_block(self, block: messages.BlockDone, visit: int, steady: bool, zero_ns: int) -> tuple[Int64s, Int64s, Int64s | None]:
        """Take in a block; start (ns since the run's start), latency and device arrays."""
        start = np.frombuffer(block.start_ns, "<i8") - zero_ns
        latency = np.frombuffer(block.latency_ns, "<i8")
        device = None if block.device_ns is None else np.frombuffer(block.device_ns, "<i8")
        enqueue = None if block.enqueue_ns is None else np.frombuffer(block.enqueue_ns, "<i8")
        self.samples.extend(start, latency, phase=STEADY if steady else WARM_UP, visit=visit, device_ns=device, enqueue_ns=enqueue)
        if steady:
            self.uncounted += block.uncounted
            self.pace.took(visit, latency)
        return start, latency, device

    def add_reading(self, t_ns: int, values: dict[str, float]) -> None:
        """Take in what a monitor saw."""
        self.timeline.add(t_ns, values)

    def keep_memory(self) -> None:
        """A plan's next worker comes: memory stays that of the first one, or parts of one would stand beside peaks of another."""
        if self._memory_kept is None:
            self._memory_kept = self.parts
        self.parts = MemoryParts()

    def settled(self, warm_up: Reason) -> None:
        """How warming up ended; of several workers' the one that never did counts."""
        if self.warm_up is None or warm_up.code == "warm-up-never-settled":
            self.warm_up = warm_up

    def raise_peak(self, name: str, value: int | None) -> None:
        """Keep the larger of the peak so far and `value`."""
        if value is not None and self._memory_kept is None:
            self.peaks[name] = max(value, self.peaks.get(name, 0))

    def measured_s(self) -> float:
        """Seconds spent in visits."""
        return sum(end - start for start, end in self.visit_spans_s)

    def span_s(self) -> float:
        """Seconds from the first visit's start to the last one's end."""
        return self.visit_spans_s[-1][1] - self.visit_spans_s[0][0] if self.visit_spans_s else 0.0

    def standing(self) -> Standing:
        """Where this configuration stands, for the estimate of the time left."""
        recent = self.samples.recent_latency_ns(RECENT)
        call_s = float(np.median(recent)) / 1e9 if len(recent) else None
        return self.pace.standing(
            time.perf_counter(), self.visit_spans_s, over=self.over, visits=self.visits, count=self.samples.steady_count, call_s=call_s,
            beside_s=self._beside_s(call_s or 0.0),
        )

    def _beside_s(self, call_s: float) -> float:
        """What figures beside the loop will take: energy, copies and GPU-busy time on a GPU, calls after a rest where asked for."""
        rests = 0.0 if self.job.idle_gap_s is None else min(IDLE_LIMIT_S, IDLE_CALLS * (self.job.idle_gap_s + call_s))
        return rests + (GPU_EXTRAS_S if self.configuration.device.startswith("cuda") else 0.0)

    def fail(self, failure: Failure) -> None:
        """The configuration ends for a reason that is not success; what was measured is kept."""
        self.status = STATUS_OF_CODE.get(failure.code, "failed")
        self.error = failure
        self.log = str(failure.details.get("log", ""))

    def cancel(self) -> None:
        """The user stopped it: nothing or only a part was measured. What was complete before more was appended stays so."""
        count = len(self.samples.steady())
        code, values = ("cancelled-partly", {"count": count}) if count else ("cancelled", {})
        self.status = "ok" if self._was_ok else "cancelled"
        self.stopped = Reason(code, values, say(code, values))

    def conclude(self) -> Outcome:
        """The one outcome, made once the configuration is over."""
        if self.final is None:
            self.machine.close()
            self.final = self.outcome(with_samples=True)
        return self.final

    def interim(self) -> Outcome:
        """What stands on disk until the configuration is over: should the program be killed, it was stopped after so many samples, and is not done."""
        values = {"count": self.samples.steady_count}
        return msgspec.structs.replace(
            self.outcome(with_samples=True), status="ok" if self._was_ok else "cancelled", stopped_because=Reason("interrupted-partly", values, say("interrupted-partly", values))
        )

    def outcome(self, with_samples: bool) -> Outcome:
        """What the record amounts to now; without `with_samples` the arrays stay out, which is quick."""
        steady = self.samples.steady()
        latency = statistics.summarize(steady.latency_ns, steady.visit) if len(steady) else None
        device = statistics.summarize(steady.device_ns, steady.visit) if latency and steady.device_ns is not None else None
        return Outcome(
            configuration=self.configuration, status=self.status or "ok", phases_ms=self._phases(), latency=latency, device_latency=device,
            enqueue_p50_ms=statistics.percentile_ns(steady.enqueue_ns, 0.5) / 1e6 if device and steady.enqueue_ns is not None else None,
            stopped_because=self.stopped, throughput_per_s=statistics.throughput_per_s(steady.latency_ns, self.configuration.batch_size),
            memory=self.memory(), trust=self._trust(steady, latency) if latency else None, uncounted_calls=self.uncounted,
            notes=self._notes(), log=self.log, code=self._code(), error=self.error,
            samples=encode_for_run(self.samples.arrays()) if with_samples and len(self.samples) else None,
            timeline=self.timeline.tracks() if with_samples else (), energy=self.energy, copies=self.copies, gpu_busy_ms=self.gpu_busy_ms,
            idle_latency=self.idle_latency, idle_gap_ms=self.idle_gap_ms, outputs=self.outputs, largest=self.largest,
        )

    def _phases(self) -> Phases:
        spent = self._steady_before_ms + self.measured_s() * 1e3
        return msgspec.structs.replace(self.phases, steady=spent) if spent else self.phases

    def _notes(self) -> tuple[Reason, ...]:
        values = {"count": self.uncounted}
        rest = (Reason("uncounted", values, say("uncounted", values)),) if self.uncounted else ()
        return (*self.notes, *rest)

    def memory(self) -> Memory:
        """What is known of its memory now."""
        peaks, source = dict(self.peaks), self.device_memory_source
        if source == "difference" and self.foreign_compute:
            # Others took and gave memory meanwhile: the difference is nobody's figure.
            peaks.pop("device_peak_bytes", None)
            source = None
        parts = self._memory_kept or self.parts
        return parts.of(Memory(weights_bytes=self.weights_bytes, device_memory_source=source, **peaks), is_shared=bool(self.foreign_compute))

    def _trust(self, steady: Any, latency: Any) -> Any:
        half = statistics.relative_half_width(latency)
        return trust.grade(
            steady.latency_ns, steady.start_ns, steady.visit, self.stopped, self._machine_state(), warm_up=self.warm_up, half_width=half, in_turn=self.in_turn,
        )

    def _machine_state(self) -> trust.MachineState:
        return trust.MachineState(
            cores=self._cores, threads=self.configuration.threads,
            other_cpu_percent=float(np.mean(self.other_cpu_percent)) if self.other_cpu_percent else None, gpus=self.gpu_state(),
            load_before=self.load_before, busiest=self.machine.busiest,
            steal_percent=self.machine.steal_percent, clock_mhz=tuple(self.machine.clocks_mhz), power=self.machine.power,
        )

    def gpu_state(self) -> tuple[trust.GpuState, ...]:
        """What its GPU did during the visits."""
        if not self.configuration.device.startswith("cuda"):
            return ()
        return (
            trust.GpuState(
                device=self.configuration.device, clock_mhz=tuple(self.gpu_clocks), throttle_reasons=self.throttle_reasons,
                foreign_compute=self.foreign_compute, graphics_percent=float(np.mean(self.graphics_percent)) if self.graphics_percent else None,
            ),
        )

    def _code(self) -> str:
        return snippet(self.info, self.job.inputs, self.configuration, self.job.model.architecture)
