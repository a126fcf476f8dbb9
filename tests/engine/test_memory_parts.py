"""Memory's parts: they add up to what the driver shows, and what was not read is None."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.memory_parts import DeviceMemory, MemoryParts
from engine.result import Memory

MIB = 1 << 20
sizes = st.integers(0, 80 << 30)


def gpu(context, weights, inputs, workspace, activations, cached, outside, others, later=None, known=True, is_shared=False):
    """A worker with these parts, as the engine would read it; `known` whether the driver lists its process. Others hold `others` before, and `later` at the visit."""
    parts = MemoryParts()
    held = weights + inputs + workspace
    peak = held + activations
    reserved = peak + cached

    def seen(own, theirs):
        return DeviceMemory(own + theirs, own, theirs) if known else DeviceMemory(own + theirs, None, None)

    later = others if later is None else later
    parts.before_context(seen(0, others))
    parts.with_context(seen(context + 2 * MIB, others), 2 * MIB)
    parts.settled(held, inputs)
    last = seen(context + outside + reserved, later)
    parts.after_visit(last, reserved)
    memory = Memory(
        weights_bytes=weights, allocated_peak_bytes=peak, reserved_peak_bytes=reserved, device_peak_bytes=parts.held_bytes(last),
        device_memory_source="process" if known else "difference",
    )
    return parts.of(memory, is_shared)


def adds_up(memory):
    """Whether the parts are the driver's figure."""
    parts = (memory.context_bytes, memory.weights_bytes, memory.inputs_bytes, memory.activations_bytes, memory.workspace_bytes, memory.cached_bytes)
    return sum(parts) + memory.others_bytes == memory.driver_bytes


@given(sizes, sizes, sizes, sizes, sizes, sizes, sizes, sizes, sizes, st.booleans())
def test_the_parts_add_up_to_the_drivers_figure(context, weights, inputs, workspace, activations, cached, outside, others, later, is_shared):
    """Whatever other programs take and give meanwhile: the driver tells whose is whose."""
    memory = gpu(context, weights, inputs, workspace, activations, cached, outside, others, later, is_shared=is_shared)
    assert (memory.context_bytes, memory.inputs_bytes, memory.activations_bytes, memory.cached_bytes) == (context, inputs, activations, cached)
    assert (memory.workspace_bytes, memory.others_bytes) == (workspace + outside, later)
    assert adds_up(memory)


@given(sizes, sizes, sizes, sizes, sizes, sizes, sizes, sizes)
def test_without_our_pid_they_add_up_while_nobody_else_moves(context, weights, inputs, workspace, activations, cached, outside, others):
    memory = gpu(context, weights, inputs, workspace, activations, cached, outside, others, known=False)
    assert (memory.context_bytes, memory.workspace_bytes, memory.others_bytes) == (context, workspace + outside, others)
    assert adds_up(memory)


@given(sizes, sizes, sizes, sizes, sizes, sizes, sizes, sizes, sizes)
def test_without_our_pid_nothing_is_told_apart_beside_others_that_compute(context, weights, inputs, workspace, activations, cached, outside, others, later):
    """What they took since would stand in our workspace or be missing there; the allocator's own parts stay."""
    memory = gpu(context, weights, inputs, workspace, activations, cached, outside, others, later, known=False, is_shared=True)
    assert (memory.context_bytes, memory.workspace_bytes, memory.driver_bytes, memory.others_bytes) == (None, None, None, None)
    assert (memory.inputs_bytes, memory.activations_bytes, memory.cached_bytes) == (inputs, activations, cached)


def test_what_others_took_meanwhile_is_what_would_be_wrong():
    """The same figures without the knowledge that others compute: 3 GiB of theirs would be our workspace."""
    sizes_of = dict.fromkeys(("weights", "inputs", "workspace", "activations", "cached", "outside"), MIB)
    assert gpu(400 * MIB, **sizes_of, others=MIB, later=MIB + 3072 * MIB, known=False).workspace_bytes == (1 + 1 + 3072) * MIB


def test_a_reading_that_fails_takes_nothing_back():
    parts = MemoryParts()
    parts.before_context(DeviceMemory(0, 0, 7))
    parts.with_context(DeviceMemory(400, 300, 100), 100)
    parts.settled(60, 10)
    parts.after_visit(DeviceMemory(1000, 600, 400), 200)
    before = parts.of(Memory(weights_bytes=50, device_peak_bytes=600))
    parts.after_visit(None, 200)
    assert parts.of(Memory(weights_bytes=50, device_peak_bytes=600)) == before
    assert (before.workspace_bytes, before.driver_bytes, before.others_bytes) == (200, 1000, 400)


def test_without_a_driver_only_the_allocators_parts_are_known():
    parts = MemoryParts()
    parts.before_context(None)
    parts.with_context(None, 2 * MIB)
    parts.settled(10 * MIB, MIB)
    parts.after_visit(None, 40 * MIB)
    memory = parts.of(Memory(weights_bytes=8 * MIB, allocated_peak_bytes=30 * MIB, reserved_peak_bytes=40 * MIB))
    assert (memory.activations_bytes, memory.cached_bytes, memory.inputs_bytes) == (20 * MIB, 10 * MIB, MIB)
    assert (memory.context_bytes, memory.workspace_bytes, memory.driver_bytes, memory.others_bytes) == (None, None, None, None)


@given(sizes, sizes, sizes, sizes)
def test_growth_on_the_cpu_is_private_memory_and_what_rose_above_it(loaded, warm, resident, rise):
    parts = MemoryParts()
    parts.loaded(loaded)
    parts.high_water_reset(loaded + warm, resident)
    memory = parts.of(Memory(weights_bytes=1, process_peak_bytes=resident + rise))
    assert memory.growth_bytes == warm + rise


def test_growth_is_unknown_where_the_peak_could_not_be_counted_anew():
    parts = MemoryParts()
    parts.loaded(100)
    assert parts.of(Memory(process_peak_bytes=500)) == Memory(process_peak_bytes=500)


def test_what_was_known_before_stays_where_nothing_was_read():
    memory = Memory(**dict.fromkeys(("context_bytes", "activations_bytes", "driver_bytes", "growth_bytes"), 7))
    assert MemoryParts().of(memory) == memory
    assert msgspec.to_builtins(memory)["cached_bytes"] is None
