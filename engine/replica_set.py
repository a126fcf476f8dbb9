"""The record of replicas that run at once, one on each device: one for each of them, and what they amount to together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from engine import devices, statistics, trust
from engine.job import Configuration, Job
from engine.link import Link
from engine.recorder import Recorder
from engine.result import Failure, Memory, ModelInfo, Outcome, Phases, Reason, Replica
from engine.snippet import snippet
from engine.words import failure, say, table

SUMMED = tuple(name for name in Memory.__struct_fields__ if name.endswith("_bytes"))


class ReplicaSet(Recorder):
    """A record whose figures are of all replicas together; each one's own are in `members`."""

    def __init__(self, index: int, job: Job, configuration: Configuration, info: ModelInfo, cores: int | None) -> None:
        self.members: list[Recorder] = []
        super().__init__(index, job, configuration, info, cores)
        self.members = [Recorder(index, job, devices.alone(configuration, member), info, cores) for member in devices.members(configuration.device)]
        self.names = devices.member_names(configuration.device)
        limits = [member.limit_bytes for member in self.members]
        self.limit_bytes = sum(limit for limit in limits if limit is not None) if None not in limits else None
        self.culprit: Recorder | None = None
        """The replica that ended the configuration, where it was one of them."""
        self.window_ns, self.least_busy_ns, self.left_out = 0, [0] * len(self.members), 0
        """The time in which all of them measured; how much of it each spent in calls; calls outside of it."""

    # -- workers -----------------------------------------------------------------------------------------------------

    @property
    def links(self) -> tuple[Link, ...]:
        """The workers of those replicas that have one."""
        return tuple(member.link for member in self.members if member.link is not None)

    def take_links(self) -> tuple[Link, ...]:
        """The workers, which are its own no longer."""
        links = self.links
        for member in self.members:
            member.link = None
        return links

    def keep_log(self, links: Sequence[Link]) -> None:
        """What each worker printed, under its device's name."""
        texts = [(name, link.log.text()) for name, link in zip(self.names, links, strict=False)]
        self.log = self.log or "\n".join(f"[{name}]\n{text}" for name, text in texts if text)

    def parts_with_pid(self) -> list[tuple[Recorder, int]]:
        """Each replica's record and its worker's pid."""
        return [(member, member.link.pid) for member in self.members if member.link is not None]

    def member_of(self, link: Link | None) -> Recorder | None:
        """The replica that this worker serves."""
        return next((member for member in self.members if link is not None and member.link is link), None)

    def blamed(self) -> Recorder:
        """Whose device and memory a failure is about."""
        return self.culprit or self

    def worded(self, why: Failure) -> Failure:
        """The failure with the device that it came from."""
        culprit, self.culprit = self.culprit, None
        if culprit is None:
            return why
        name = self.names[self.members.index(culprit)]
        values = {"device": name, "said": _said(why, ""), "hint": _said(why, ".hint")}
        return failure(why.code, "replica-ended", values, {**why.details, "device": name})

    # -- what they amount to -------------------------------------------------------------------------------------------

    def take_up(self, again: bool) -> None:
        """All replicas are up: what bringing them up has told."""
        for member in self.members:
            for note in member.notes:
                self.note(note.code, note.values)
        if again:
            return
        first = self.members[0]
        self.loaded, self.weights_bytes, self.outputs = first.loaded, first.weights_bytes, first.outputs
        self.take_phases()

    def take_phases(self) -> None:
        """Of each phase the longest: it is over when the last replica is through."""
        fields = Phases.__struct_fields__
        known = {name: [value for member in self.members if (value := getattr(member.phases, name)) is not None] for name in fields}
        self.phases = Phases(**{name: max(values) if values else None for name, values in known.items()})

    def take_warm_up(self) -> None:
        """How warming up ended: of those that never settled the first, else as it did on the first device."""
        for member in self.members:
            if member.warm_up is not None:
                self.settled(member.warm_up)

    def take_window(self, span_ns: int, busy_ns: Sequence[int], left_out: int) -> None:
        """A visit is over: how long all of them measured at once, the time that each spent in calls, and how many calls began outside of it."""
        self.window_ns += span_ns
        self.least_busy_ns = [before + more for before, more in zip(self.least_busy_ns, busy_ns, strict=True)]
        self.left_out += left_out

    def keep_memory(self) -> None:
        """Memory stays that of the first workers."""
        for member in self.members:
            member.keep_memory()

    def raise_peak(self, name: str, value: int | None) -> None:
        """Peaks belong to the replicas; those together are their sum."""

    def replicas(self) -> tuple[Replica, ...]:
        """Each one's own figures."""
        return tuple(self._replica(member) for member in self.members)

    def _replica(self, member: Recorder) -> Replica:
        steady = member.samples.steady()
        return Replica(
            device=member.configuration.device, latency=statistics.summarize(steady.latency_ns, steady.visit) if len(steady) else None,
            throughput_per_s=statistics.throughput_per_s(steady.latency_ns, self.configuration.batch_size), memory=member.memory(),
        )

    def outcome(self, with_samples: bool) -> Outcome:
        """Latency over all calls of all replicas, throughput and memory as sums, and each one's own."""
        replicas = self.replicas()
        rates = [each.throughput_per_s for each in replicas]
        total = None if None in rates else sum(rate for rate in rates if rate is not None)
        found = super().outcome(with_samples)
        return msgspec.structs.replace(found, throughput_per_s=total, replicas=replicas if found.latency is not None else ())

    def memory(self) -> Memory:
        """Sums over the replicas; what is not known of each is known of none."""
        each = [member.memory() for member in self.members]
        sums: dict[str, Any] = {}
        for name in SUMMED:
            values = [getattr(memory, name) for memory in each]
            if None not in values:
                sums[name] = sum(values)
        sources = {memory.device_memory_source for memory in each}
        return Memory(device_memory_source=sources.pop() if len(sources) == 1 else None, **sums)

    def _notes(self) -> tuple[Reason, ...]:
        notes = super()._notes()
        if not self.window_ns:
            return notes
        values = {
            "count": len(self.members), "seconds": self.window_ns / 1e9, "percent": min(self.least_busy_ns) / self.window_ns * 100.0, "left_out": self.left_out,
        }
        return (*notes, Reason("replicas-pooled", values, say("replicas-pooled", values)))

    def _machine_state(self) -> trust.MachineState:
        found = super()._machine_state()
        threads = self.configuration.threads * len(self.members)
        return msgspec.structs.replace(found, threads=threads, replicas_ms=tuple(self._medians()))

    def _medians(self) -> Iterable[tuple[str, float]]:
        for name, member in zip(self.names, self.members, strict=True):
            steady = member.samples.steady()
            if len(steady) >= statistics.sample_floor(0.5):
                yield name, statistics.percentile_ns(steady.latency_ns, 0.5) / 1e6

    def gpu_state(self) -> tuple[trust.GpuState, ...]:
        """What its GPU did during the visits."""
        return tuple(state for member in self.members for state in member.gpu_state())

    def _beside_s(self, call_s: float) -> float:
        """Nothing is measured beside the loop."""
        return 0.0

    def _code(self) -> str:
        """What each replica runs, here on the first device: one such process a device, all at once."""
        each = devices.members(self.configuration.device)
        code = snippet(self.info, self.job.inputs, devices.alone(self.configuration, each[0]), self.job.model.architecture)
        return f"# One process a device, all at the same time: {', '.join(each)}. This is the one on {each[0]}.\n{code}"


def recorder_for(index: int, job: Job, configuration: Configuration, info: ModelInfo, cores: int | None) -> Recorder:
    """The record of a configuration: of one worker, or of replicas."""
    kind = ReplicaSet if devices.is_joint(configuration.device) else Recorder
    return kind(index, job, configuration, info, cores)


def _said(why: Failure, ending: str) -> Any:
    """A failure's sentence (or hint) as a value of another one's, to be worded in the language of the moment."""
    code = f"{why.say}{ending}"
    if why.say and code in table():
        return {"say": code, "values": why.values}
    return why.hint if ending else why.summary
