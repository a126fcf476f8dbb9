"""What a machine and the torch of an interpreter can do, and what holds foreign code there: workers are started and say."""

from __future__ import annotations

import msgspec

from engine import facts_cache, messages
from engine.capabilities import Facts
from engine.confinement import LAYERS, Policy, memory_bound
from engine.monitor import Monitor
from engine.words import failure
from engine.workers import ConfigurationEnded, Workers

PROBE_S = 60.0


def probe(workers: Workers, monitor: Monitor, interpreter: str) -> Facts:
    """Facts, from the cache where nothing has changed; raises ConfigurationEnded with the reason that nothing can run there.

    From then on the interpreter's workers for a GPU are confined as far as the GPU was seen to work.
    """
    facts = facts_cache.read(interpreter)
    if facts is None:
        facts = _found(workers, monitor, interpreter)
        facts_cache.write(interpreter, facts)
    workers.gpu_layers[interpreter] = facts.gpu_layers
    return facts


def _found(workers: Workers, monitor: Monitor, interpreter: str) -> Facts:
    facts, _ = _ask(workers, interpreter, None)
    link = workers.start(interpreter, Policy(data_bytes=memory_bound()))
    workers.end(link, at_once=True)
    layers, held = _with_gpu(workers, interpreter, facts)
    return msgspec.structs.replace(
        facts, confinement=link.held, confinement_gpu=held, gpu_layers=layers, driver=monitor.driver,
        driver_gpus=tuple(gpu.name for gpu in monitor.gpus.values()),
    )


def _with_gpu(workers: Workers, interpreter: str, facts: Facts) -> tuple[str, tuple[str, ...]]:
    """The strongest confinement under which torch finds the GPUs that it finds without, and what then holds."""
    if not facts.gpus:
        return LAYERS[0], ()
    for layers in LAYERS:
        workers.gpu_layers[interpreter] = layers
        confined, held = _ask(workers, interpreter, Policy(cuda=True))
        if confined.gpus == facts.gpus:
            break
    return layers, held


def _ask(workers: Workers, interpreter: str, policy: Policy | None) -> tuple[Facts, tuple[str, ...]]:
    """What one worker finds, and what held it meanwhile."""
    link = workers.start(interpreter, policy)
    try:
        answer = workers.ask(link, messages.Probe(), PROBE_S, "probe")
    finally:
        workers.end(link, at_once=True)
    if not isinstance(answer, messages.Facted):
        raise ConfigurationEnded(failure("protocol-error", "protocol-error", {"error": type(answer).__name__}))
    return answer.facts, link.held
