"""Puts every layer on the process that calls it, from the outermost to the innermost."""

from __future__ import annotations

import os

from engine.confinement import kernel, landlock, limits, namespaces, proof, reach, seccomp
from engine.confinement.policy import Policy


def confine(policy: Policy, had: set[str]) -> tuple[str, ...]:
    """Confine this process for good: codes of PROTECTIONS that hold. `had` are the namespaces that it already has.

    A layer that the system does not know is left out and so is not among those that hold; one that fails otherwise raises OSError.
    """
    machine = kernel.machine()
    if machine is None:     # no Linux, or numbers of system calls that nobody wrote down
        limits.drop_variables()
        return ("environment",)
    read, names = reach.opened((*reach.pythons_own(), *policy.read))
    layers, scratch = namespaces.arrange_mounts(had, (*read, *names), names_threads=policy.cuda)
    limits.live_in(scratch)
    limits.bound(policy.data_bytes, namespaces.SCRATCH_BYTES, own_user="user" in had)
    limits.drop_capabilities()
    limits.no_new_privileges()
    if policy.layers == "limits":
        return proof.held(layers, policy.data_bytes)
    threads = (_keep_threads(),) if policy.cuda else ()
    if landlock.restrict((*reach.SYSTEM, *read), names, (scratch,) if scratch else (), (*reach.devices(policy.cuda), *threads)):
        layers.add("landlock")
    if seccomp.install(seccomp.program(machine, os.getpid(), metadata="readonly" not in layers, local=policy.cuda)):
        layers.add("seccomp")
    return proof.held(layers, policy.data_bytes)


def _keep_threads() -> str:
    """The folder in which CUDA names its threads (`/proc/self/task/TID/comm`): without that it does not start.

    A right of Landlock hangs on the folder's inode, which /proc would make anew; an open descriptor keeps it for the worker's life.
    """
    os.open(reach.THREADS, os.O_PATH | os.O_CLOEXEC)
    return reach.THREADS
