"""What holds a worker that runs foreign code: standard library only, because it acts in a worker of any Python before anything else does.

That worker's interpreter is the user's: Python 3.9 or later with torch, numpy and msgspec, and no library for namespaces, Landlock or seccomp can be
expected there. So the few system calls are made through ctypes. Each layer is put on as far as the system allows and stands for itself:

- `namespaces`: its own users, processes, network, mounts and SysV objects; everything read-only, a small tmpfs as scratch, a fresh /proc
- `landlock`: files by an allow-list; no TCP; signals and abstract sockets stay inside
- `seccomp`: no sockets, no new processes, no signals to others, nothing that looks into other processes or changes the system
- `limits`: no capabilities, bounded memory, files and threads, a home of its own, an environment without secrets

`proof` then tries what must not work, and only what was refused is told to the engine.
"""

from __future__ import annotations

from engine.confinement.environment import without_secrets
from engine.confinement.policy import LAYERS, PROTECTIONS, Policy, memory_bound, policy_for, sentence_codes

__all__ = ["LAYERS", "PROTECTIONS", "Policy", "memory_bound", "policy_for", "sentence_codes", "without_secrets"]
