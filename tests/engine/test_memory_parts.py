"""Memory's parts: they add up to what the driver shows, and what was not read is None."""

from __future__ import annotations

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.memory_parts import DeviceMemory, MemoryParts
from engine.result import Memory

MIB = 1 << 20
sizes = st.integers(0, 80 << 30)


def gpu(context, weights, inputs, workspace, activations, cached, outside, others, known=True):
    """A worker with these parts, as the engine would read it; `known` whether the driver lists its process."""
    parts = MemoryParts()
    held = weights + inputs + workspace
    peak = held + activations
    reserved = peak + cached

    def seen(own):
        return DeviceMemory(own + others, own, others) if known else DeviceMemory(own + others, None, None)

    parts.before_context(seen(0))
    parts.with_context(seen(context + 2 * MIB), 2 * MIB)
    parts.settled(held, inputs)
    parts.after_visit(seen(context + outside + reserved), reserved)
    memory = Memory(
        weights_bytes=weights, allocated_peak_bytes=peak, reserved_peak_bytes=reserved, device_peak_bytes=context + outside + reserved,
        device_memory_source="process" if known else "difference",
    )
    return parts.of(memory)


@given(sizes, sizes, sizes, sizes, sizes, sizes, sizes, sizes, st.booleans())
def test_the_parts_add_up_to_the_drivers_figure(context, weights, inputs, workspace, activations, cached, outside, others, known):
    memory = gpu(context, weights, inputs, workspace, activations, cached, outside, others, known)
    assert (memory.context_bytes, memory.inputs_bytes, memory.activations_bytes, memory.cached_bytes) == (context, inputs, activations, cached)
    assert (memory.workspace_bytes, memory.others_bytes) == (workspace + outside, others)
    parts = (memory.context_bytes, memory.weights_bytes, memory.inputs_bytes, memory.activations_bytes, memory.workspace_bytes, memory.cached_bytes)
    assert sum(parts) + memory.others_bytes == memory.driver_bytes


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
