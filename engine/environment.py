"""The machine and the software of a run, without importing torch."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import psutil

from engine.capabilities import Facts
from engine.result import Environment

PACKAGES = ("torch", "numpy", "onnxruntime", "onnxruntime-gpu", "onnx", "openvino", "torchao", "torchvision", "triton", "safetensors", "msgspec")
"""Distributions whose version may explain a figure."""


def collect(facts: Facts | None = None, gpus: Mapping[int, Any] | None = None, interpreter: str = "") -> Environment:
    """What a run should say of its machine; `facts` from the probe win, since the model may run in another Python.

    `gpus` are the monitor's devices (`Monitor.gpus`), which add what torch does not know; `interpreter` is the Python that runs the model.
    """
    found = Environment(
        platform=platform.platform(),
        cpu=cpu_name(),
        cores=psutil.cpu_count(logical=False) or os.cpu_count() or 1,
        memory_bytes=psutil.virtual_memory().total,
        python=platform.python_version(),
        interpreter=interpreter,
        packages=installed_packages(),
        load_before=load_average(),
    )
    if facts is None and interpreter not in ("", sys.executable):       # another Python, and nobody knows what it has
        return msgspec.structs.replace(found, python="", packages={})
    found = msgspec.structs.replace(found, torch=found.packages.get("torch", ""))
    return found if facts is None else _with_facts(found, facts, gpus or {})


def _with_facts(found: Environment, facts: Facts, gpus: Mapping[int, Any]) -> Environment:
    """What the probe saw in the Python that runs the model, in place of what this one has."""
    return msgspec.structs.replace(
        found,
        cpu=facts.cpu_name or found.cpu,
        cores=max(facts.cores, 1),
        memory_bytes=facts.memory_bytes or found.memory_bytes,
        gpus=tuple(_gpu_facts(gpu, gpus.get(gpu.index)) for gpu in facts.gpus),
        driver=facts.driver,
        python=facts.python or found.python,
        torch=facts.torch,
        packages=facts.packages or found.packages,
    )


def _gpu_facts(gpu: Any, device: Any | None) -> dict[str, Any]:
    """One GPU as torch and, where they are known, the driver name it."""
    described: dict[str, Any] = msgspec.to_builtins(gpu)
    if device is not None:
        described |= {name: value for name, value in (("uuid", device.uuid), ("bus_id", device.bus_id)) if value}
    return described


def finished(environment: Environment) -> Environment:
    """The environment at the end of a run: with the load that was left behind."""
    return msgspec.structs.replace(environment, load_after=load_average())


def load_average() -> float | None:
    """Mean number of running processes over the last minute; None where the system keeps none (Windows)."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def cpu_name(read: Callable[[], str] | None = None) -> str:
    """The processor's name as its maker writes it."""
    try:
        lines = (read or _cpuinfo)().splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.lower().startswith(("model name", "hardware", "cpu model"))]
    return next((name for name in names if name), "") or platform.processor() or platform.machine()


def _cpuinfo() -> str:
    return Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")


def installed_packages(names: tuple[str, ...] = PACKAGES, version: Callable[[str], str] = importlib.metadata.version) -> dict[str, str]:
    """Versions of those packages that are installed, from their metadata: nothing is imported."""
    found: dict[str, str] = {}
    for name in names:
        try:
            found[name] = version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
