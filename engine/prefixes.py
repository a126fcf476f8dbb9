"""Wrapper prefixes of weights' names: what DataParallel, torch.compile and trainers put before every key."""

from __future__ import annotations

from collections.abc import Iterable

WRAPPERS = ("module.", "_orig_mod.", "model.", "net.", "network.")


def strip(names: Iterable[str]) -> tuple[str, list[str]]:
    """What wrappers put before every one of `names` (repeatedly: `module.model.`), and the names without it, in their order."""
    listed, taken = list(names), ""
    while listed and (prefix := next((each for each in WRAPPERS if all(name.startswith(each) for name in listed)), "")):
        listed, taken = [name.removeprefix(prefix) for name in listed], taken + prefix
    return taken, listed
