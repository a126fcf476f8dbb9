"""Devices as configurations name them: one (`cpu`, `cuda:1`), or several joined by plus (`cuda:0+cuda:1`), each with a replica of the model, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from engine.job import Configuration
from engine.words import say

JOIN = "+"


def members(device: str) -> tuple[str, ...]:
    """The devices that a configuration's device names: one for most."""
    return tuple(device.split(JOIN))


def is_joint(device: str) -> bool:
    """Whether several replicas are to run at once."""
    return JOIN in device


def join(devices: Iterable[str]) -> str:
    """Several devices as one configuration names them."""
    return JOIN.join(devices)


def on_cpu(device: str) -> bool:
    """Whether all of it is the CPU."""
    return all(member == "cpu" for member in members(device))


def on_cuda(device: str) -> bool:
    """Whether all of it are CUDA devices."""
    return all(member.startswith("cuda") for member in members(device))


def gpu_index(device: str) -> int | None:
    """Number of a CUDA device, of several of the first; None for another device."""
    first = members(device)[0]
    kind, _, number = first.partition(":")
    return int(number or "0") if kind == "cuda" else None


def twice(device: str) -> str | None:
    """A GPU that is named more than once; the CPU may be."""
    return next((member for member, count in Counter(members(device)).items() if count > 1 and member != "cpu"), None)


def is_mixed(device: str) -> bool:
    """Whether CPU and GPUs stand side by side."""
    return len({member.partition(":")[0] for member in members(device)}) > 1


def member_names(device: str) -> tuple[str, ...]:
    """A name for each replica that tells it from the others: `cuda:0`, `cuda:1`; `cpu #1`, `cpu #2`."""
    each = members(device)
    if len(set(each)) == len(each):
        return each
    return tuple(f"{member} #{place}" for place, member in enumerate(each, 1))


def short_name(device: str) -> str:
    """`cuda:0+1`, `cuda:0-7`, `2 × cpu`; one device as it is."""
    each = members(device)
    if len(each) == 1:
        return device
    if len(set(each)) == 1:
        return f"{len(each)} × {each[0]}"
    numbers = [gpu_index(member) for member in each]
    if None in numbers or len(set(numbers)) < len(numbers):
        return device
    known = [number for number in numbers if number is not None]
    if len(known) > 2 and all(after == before + 1 for before, after in pairwise(known)):
        return f"cuda:{known[0]}-{known[-1]}"
    return f"cuda:{'+'.join(map(str, known))}"


def shown(device: str, language: str = "en") -> str:
    """One device as it is, several as `cuda:0+1 at once`."""
    return say("replicas-name", {"device": short_name(device)}, language) if is_joint(device) else device


def alone(configuration: Configuration, member: str) -> Configuration:
    """The same on one of its devices alone."""
    return msgspec.structs.replace(configuration, device=member)
