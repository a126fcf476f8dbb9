"""torch.package archives: the pickled model inside, the sources and libraries that it would import."""

from __future__ import annotations

from engine.files.archive import Archive
from engine.files.findings import Findings, add_tensors, count_kinds
from engine.files.machine import Names
from engine.files.nested import PICKLE_LIMIT_BYTES, saved_program
from engine.files.reading import Broken, Refused
from engine.files.weights import Found, classify

_PICKLES_LIMIT = 50


def read_package(archive: Archive) -> Findings:
    """What a torch.package archive is. Loading it runs the Python sources that it brings along."""
    findings = Findings("torch-package", runs_code=True)
    findings.weights_bytes = sum(size for name, size in archive.sizes.items() if name.startswith(".data/") and name.endswith(".storage"))
    seen: Names = {}
    models: list[Found] = []
    for name in [name for name in archive.names if name.endswith(".pkl")][:_PICKLES_LIMIT]:
        try:
            models.append(classify(saved_program(archive.inner(name, PICKLE_LIMIT_BYTES), seen).root))
        except (Refused, Broken):
            continue    # not every pickle in a package is a model; their names count all the same
    if models:
        best = max(models, key=lambda found: len(found.tensors))
        add_tensors(findings, best)
        findings.architecture = best.class_name
        count_kinds(findings, best)
    findings.globals = list(seen)
    findings.note("note-recognised-only", kind="torch.package")
    return findings
