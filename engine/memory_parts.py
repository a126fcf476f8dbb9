"""What a worker's memory is made of: readings at quiet moments between calls, and the parts that they amount to at the peak."""

from __future__ import annotations

import msgspec

from engine.result import Memory


class DeviceMemory(msgspec.Struct, frozen=True):
    """One GPU's memory at one moment, as its driver tells it."""

    used_bytes: int
    """All of it, as nvidia-smi shows it."""
    own_bytes: int | None
    """Of the worker; None where the driver does not know its process."""
    others_bytes: int | None
    """Of all other processes together, as listed by the driver; None where it does not tell of each."""


class MemoryParts:
    """The readings of one configuration's worker, taken when nothing ran."""

    def __init__(self) -> None:
        self._before: DeviceMemory | None = None
        self.context_bytes: int | None = None
        self._allocated_bytes: int | None = None
        self._inputs_bytes: int | None = None
        self._outside_bytes: int | None = None
        self._last: DeviceMemory | None = None
        self._is_difference = False
        self._loaded_private_bytes: int | None = None
        self._excursion_base_bytes: int | None = None
        self._settled_private_bytes: int | None = None

    # -- on a GPU ----------------------------------------------------------------------------------------------------

    def before_context(self, seen: DeviceMemory | None) -> None:
        """The worker has not touched the GPU yet."""
        self._before = seen

    def with_context(self, seen: DeviceMemory | None, reserved_bytes: int | None) -> None:
        """The worker's context was made; its allocator reserved so much for the first tensor."""
        own = self._own(seen)
        if own is not None and reserved_bytes is not None:
            self.context_bytes = max(0, own - reserved_bytes)

    def settled(self, allocated_bytes: int | None, inputs_bytes: int | None) -> None:
        """The worker is warm: what its allocator holds between two calls, and of that the inputs."""
        self._allocated_bytes, self._inputs_bytes = allocated_bytes, inputs_bytes

    def after_visit(self, seen: DeviceMemory | None, reserved_bytes: int | None) -> None:
        """A visit is over; what the process holds beyond its allocator's reserve is the context and what libraries added to it."""
        own = self._own(seen)
        if own is not None:
            self._last = seen
        if own is not None and reserved_bytes is not None:
            self._outside_bytes = max(0, own - reserved_bytes)

    def held_bytes(self, seen: DeviceMemory | None) -> int | None:
        """What the worker holds of a GPU; None where nobody can tell."""
        return self._own(seen)

    def _own(self, seen: DeviceMemory | None) -> int | None:
        """The worker's share; where the driver does not know its process, what the device's use grew by since it came."""
        if seen is None:
            return None
        if seen.own_bytes is not None:
            return seen.own_bytes
        self._is_difference = True
        return None if self._before is None else max(0, seen.used_bytes - self._before.used_bytes)

    # -- on the CPU --------------------------------------------------------------------------------------------------

    def loaded(self, private_bytes: int | None) -> None:
        """The model is loaded and nothing ran: private memory (USS)."""
        self._loaded_private_bytes = private_bytes

    def high_water_reset(self, private_bytes: int | None, resident_bytes: int | None) -> None:
        """The kernel counts the peak anew from here."""
        self._settled_private_bytes, self._excursion_base_bytes = private_bytes, resident_bytes

    # -- what it amounts to ------------------------------------------------------------------------------------------

    def of(self, memory: Memory, is_shared: bool = False) -> Memory:
        """The memory with its parts; what was not read stays None. `is_shared`: other programs computed on the GPU too."""
        known = {
            "inputs_bytes": self._inputs_bytes, "activations_bytes": self._activations(memory), "cached_bytes": _cached(memory), "growth_bytes": self._growth(memory),
        }
        if not (is_shared and self._is_difference):      # a difference then holds what the others took and gave
            known |= {"context_bytes": self.context_bytes, "workspace_bytes": self._workspace(memory), **self._driver(memory)}
        return msgspec.structs.replace(memory, **{name: value for name, value in known.items() if value is not None})

    def _activations(self, memory: Memory) -> int | None:
        if memory.allocated_peak_bytes is None or self._allocated_bytes is None:
            return None
        return max(0, memory.allocated_peak_bytes - self._allocated_bytes)

    def _workspace(self, memory: Memory) -> int | None:
        """In torch's allocator: what lies there between calls and is neither weights nor inputs. Outside of it: what the context grew by."""
        if self._allocated_bytes is None or self._outside_bytes is None or self.context_bytes is None or memory.weights_bytes is None:
            return None
        inside = self._allocated_bytes - memory.weights_bytes - (self._inputs_bytes or 0)
        return max(0, inside) + max(0, self._outside_bytes - self.context_bytes)

    def _growth(self, memory: Memory) -> int | None:
        """Private memory at the end of the warm-up, and from there to the kernel's high-water mark: what rises above it is the worker's own."""
        peak, base = memory.process_peak_bytes, self._excursion_base_bytes
        if peak is None or base is None or self._settled_private_bytes is None or self._loaded_private_bytes is None:
            return None
        return max(0, self._settled_private_bytes - self._loaded_private_bytes + max(0, peak - base))

    def _driver(self, memory: Memory) -> dict[str, int]:
        """All that the driver counts as used while this worker was at its peak, and what of it is others'."""
        if self._last is None or memory.device_peak_bytes is None:
            return {}
        others = self._last.others_bytes
        if others is None:
            others = max(0, self._last.used_bytes - (self._own(self._last) or 0))
        return {"driver_bytes": self._last.used_bytes, "others_bytes": others}


def _cached(memory: Memory) -> int | None:
    if memory.reserved_peak_bytes is None or memory.allocated_peak_bytes is None:
        return None
    return max(0, memory.reserved_peak_bytes - memory.allocated_peak_bytes)
