"""One model under one configuration, from loading to the last block."""

from __future__ import annotations

import importlib
import time
from contextlib import AbstractContextManager
from typing import Any

import torch

from engine import messages
from engine.worker import backends, errors, extras, memory, micro_batches, switches
from engine.worker.inputs import Arguments, make_arguments, shapes_of, tensors_in
from engine.worker.loading import LoadedModel, LoadTimes, load_timed
from engine.worker.loading.explaining import cause
from engine.worker.refusal import FirstCallWatch
from engine.worker.timing import BlockRunner, pack


class Session:
    """What a worker holds between commands."""

    def __init__(self) -> None:
        self._phase = "load"
        self._command: messages.Load | None = None
        self._device = torch.device("cpu")
        self._loaded: LoadedModel | None = None
        self._prepared: backends.Prepared | None = None
        self._runner: BlockRunner | None = None

    def describe(self, error: Exception) -> messages.Failed:
        """The answer for an error that escaped."""
        batch_size = self._command.configuration.batch_size if self._command else 1
        if self._prepared is not None and (explained := switches.explained(error, self._prepared.module)) is not None:
            error = explained.with_traceback(error.__traceback__)
        elif not errors.is_out_of_memory(error):
            error = cause(error, self._command.model.kind if self._command else "", self._phase) or error
        return errors.describe(error, self._phase, self._device, batch_size)

    def make_context(self, command: messages.MakeContext) -> messages.ContextMade:
        """Let the device come to life before anything is loaded."""
        device = torch.device(command.device)
        began = time.perf_counter_ns()
        reserved = memory.make_context(device)
        return messages.ContextMade(None if reserved is None else time.perf_counter_ns() - began, reserved)

    def load(self, command: messages.Load) -> tuple[LoadedModel, LoadTimes]:
        """Bring the model into memory on the configuration's device."""
        self._command = command
        self._device = torch.device(command.configuration.device)
        torch.set_num_threads(command.configuration.threads)
        torch.manual_seed(command.seed)
        if self._device.type == "cuda":
            torch.cuda.set_device(self._device)
        self._loaded, times = load_timed(command.model, self._device)
        self._synchronize()
        return self._loaded, times

    def sizes(self) -> tuple[int | None, int | None, int | None]:
        """Parameters, buffers and bytes of the loaded model; None for what torch does not hold."""
        if self._loaded is None:
            return None, None, None
        module = self._loaded.module
        if module is None:
            return self._loaded.parameters, None, self._loaded.weights_bytes
        parameters, buffers = memory.count(module)
        return parameters, buffers, memory.weights_bytes(module)

    def prepare(self) -> backends.Prepared:
        """Apply precision, quantization and backend; make the inputs."""
        self._phase = "prepare"
        if self._command is None or self._loaded is None:
            raise errors.WorkerError("protocol-error", "out-of-order", command="Prepare")
        configuration = self._command.configuration
        arguments: Arguments = make_arguments(self._command.inputs, configuration.batch_size, self._command.seed)
        self._loaded = micro_batches.wrapped(self._loaded, configuration, self._command.inputs, self._command.model.kind)
        backend = importlib.import_module(f"engine.worker.backends.{backends.BACKENDS[configuration.backend]}")
        with self._context():
            self._prepared = backend.prepare(self._loaded, configuration, arguments, self._device, self._command.seed, self._command.compare_outputs)
        self._prepared.notes = (*self._loaded.notes, *self._prepared.notes)
        self._synchronize()
        self._arguments = arguments
        return self._prepared

    def _context(self) -> AbstractContextManager[object]:
        """What every call runs in: inference_mode, unless a switch says otherwise."""
        return switches.context(self._command.configuration.options if self._command is not None else {})

    def first_call(self) -> messages.FirstCalled:
        """Run the forward once: ns, the shapes that came out, and what switches did to the answers. A refused input is named with the layer that refused it."""
        self._phase = "forward"
        if self._prepared is None or self._command is None:
            raise errors.WorkerError("protocol-error", "out-of-order", command="FirstCall")
        with self._context(), FirstCallWatch(self._prepared.module, self._command.inputs, self._arguments):
            began = time.perf_counter_ns()
            result = self._prepared.call()
            self._synchronize()
            took = time.perf_counter_ns() - began
        self._check(result)
        shapes = shapes_of(result)
        del result      # with gradients it holds a graph
        self._runner = BlockRunner(self._prepared.call, self._device, self._context)
        return messages.FirstCalled(took, shapes, None if self._prepared.check is None else self._prepared.check.run())

    def _check(self, result: object) -> None:
        precision = self._command.configuration.precision if self._command else ""
        for tensor in tensors_in(result):
            if not tensor.is_floating_point():
                continue
            if bool(torch.isnan(tensor).any()):
                raise errors.WorkerError("non-finite", "non-finite", precision=precision)
            # In fp32 infinity may be meant, and minus infinity (a mask) anywhere; elsewhere plus infinity is an overflow.
            if precision != "fp32" and bool(torch.isposinf(tensor).any()):
                raise errors.WorkerError("non-finite", "non-finite-infinite", precision=precision)

    def run_block(self, command: messages.RunBlock) -> messages.BlockDone:
        """One block of timed calls."""
        if self._runner is None:
            raise errors.WorkerError("protocol-error", "out-of-order", command="RunBlock")
        samples = self._runner.run(command.duration_ns, command.max_calls, command.rest_ns)
        allocated, reserved = memory.current(self._device)
        return messages.BlockDone(
            command.block, pack(samples.start_ns) or b"", pack(samples.latency_ns) or b"", samples.gap_ns, samples.uncounted,
            pack(samples.device_ns), pack(samples.enqueue_ns), allocated, reserved,
        )

    def reset_peaks(self) -> messages.PeaksReset:
        """Forget the allocator's peaks; what it holds between two calls.

        Where outputs keep their graph the last one goes first. What lies there is then weights, inputs and workspace, and the peak above it the activations
        that are kept for a backward: the figure that somebody who forgot no_grad looks for.
        """
        if self._prepared is not None:
            self._prepared.rest()
        self._synchronize()
        memory.reset_peaks(self._device)
        inputs = self._prepared.inputs if self._prepared is not None else None
        on_device = None if inputs is None or self._device.type == "cpu" else memory.storage_bytes(tensors_in(inputs))
        return messages.PeaksReset(*memory.current(self._device), on_device)

    def read_memory(self) -> messages.MemoryRead:
        """Peak bytes allocated and reserved, and reserved now; None on a CPU."""
        return messages.MemoryRead(*memory.peaks(self._device), memory.current(self._device)[1])

    def measure_copies(self, command: messages.MeasureCopies) -> messages.CopiesMeasured:
        """Times of copying the inputs to the device and the outputs back; empty where there is nothing to copy."""
        if self._prepared is None:
            raise errors.WorkerError("protocol-error", "out-of-order", command="MeasureCopies")
        if self._device.type == "cpu" or self._prepared.inputs is None:
            return messages.CopiesMeasured(b"", b"", 0, 0)
        host = torch.device("cpu")
        with self._context():
            given = [tensor.to(host) for tensor in tensors_in(self._prepared.inputs)]
            made = [tensor for tensor in tensors_in(self._prepared.call()) if tensor.device == self._device]
            to_device = extras.time_copies(given, self._device, self._device, command.duration_ns)
            from_device = extras.time_copies(made, self._device, host, command.duration_ns)
        return messages.CopiesMeasured(pack(to_device) or b"", pack(from_device) or b"", extras.nbytes(given), extras.nbytes(made))

    def measure_busy(self, command: messages.MeasureBusy) -> messages.BusyMeasured:
        """How long the GPU itself computes in a call; empty where that cannot be told."""
        if self._prepared is None:
            raise errors.WorkerError("protocol-error", "out-of-order", command="MeasureBusy")
        if self._device.type != "cuda" or self._prepared.inputs is None:
            return messages.BusyMeasured(b"")
        with self._context():
            return messages.BusyMeasured(pack(extras.time_busy(self._prepared.call, self._device, command.rounds)) or b"")

    def _synchronize(self) -> None:
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)


def import_everything() -> tuple[Any, ...]:
    """Modules that every eager configuration needs, imported in the fork server so that no worker waits for them."""
    names = ("loading.weights", "loading.whole", "loading.torchscript", "loading.exported", "loading.onnx", "backends.eager", "quantization")
    return tuple(importlib.import_module(f"engine.worker.{name}") for name in names)


import_everything()
