"""What is to be measured, as chosen in the set-up pane: model, axes, plan; turns into a job, or says what is missing."""

from __future__ import annotations

import uuid
from collections import Counter

import msgspec
from PySide6.QtCore import QObject, Signal

from engine import capabilities
from engine.capabilities import Choice, Facts
from engine.inputs import unknown_sizes
from engine.job import PLANS, Configuration, Job
from engine.matrix import Batches, settle_batches
from engine.switches import teaching_set
from engine.time_left import estimate_job_s
from gui.models import matrix
from gui.models.matrix import Axes, Cell
from gui.models.model_list import ModelEntry, ModelList

FINDING_S = 15.0
"""About how long the largest batch of a small model is sought, before anything is known of it."""
AXES = ("devices", "precisions", "quantizations", "backends")


class SetupModel(QObject):
    """The set-up of the next job. `changed` comes after any change of model, axes, plan or facts."""

    changed = Signal()

    def __init__(self, models: ModelList, axes: Axes = Axes(), plan: str = "standard", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.models = models
        self.axes = axes
        self.plan = plan if plan in PLANS else "standard"
        self.facts: Facts | None = None
        self.interpreter: str | None = None
        """The Python that runs models; None is the program's own."""
        for signal in (models.entries_changed, models.current_changed, models.entry_changed):
            signal.connect(self.changed)

    @property
    def kind(self) -> str:
        """The current model's kind; a bare module's while there is none."""
        return self.models.current.kind if self.models.current else "module"

    def set_facts(self, facts: Facts | None) -> None:
        """Take what the machine can do."""
        self.facts = facts
        self.changed.emit()

    def set_interpreter(self, interpreter: str | None) -> None:
        """Run models in another Python; what it can do is not known yet."""
        self.interpreter, self.facts = interpreter, None
        self.changed.emit()

    def set_plan(self, name: str) -> None:
        """Choose how exactly to measure: `quick`, `standard` or `publication`."""
        if name != self.plan and name in PLANS:
            self.plan = name
            self.changed.emit()

    def set_axes(self, axes: Axes) -> None:
        """Choose values on all axes at once."""
        if axes != self.axes:
            self.axes = axes
            self.changed.emit()

    def toggle(self, axis: str, value: str, chosen: bool) -> None:
        """Take a value of an axis in or out; the last one of an axis stays (no backend at all means the default one)."""
        values: tuple[str, ...] = self.chosen(axis)
        left = tuple(dict.fromkeys((*values, value))) if chosen else tuple(each for each in values if each != value)
        if left:
            order = [choice.value for choice in self.chips(axis)]
            self.set_axes(msgspec.structs.replace(self.axes, **{axis: tuple(sorted(left, key=lambda each: _place(order, each)))}))
        else:
            self.changed.emit()

    def chips(self, axis: str) -> list[Choice]:
        """Every value of `axis`, open or with the reason why not."""
        if axis == "devices":
            return matrix.device_chips(self.facts)
        if axis == "precisions":
            return matrix.precision_chips(self.axes, self.kind, self.facts)
        if axis == "quantizations":
            return matrix.quantization_chips(self.axes, self.kind, self.facts)
        return matrix.switch_chips(axis, self.kind) if axis in matrix.SWITCHES else matrix.backend_chips(self.kind, self.facts)

    def chosen(self, axis: str) -> tuple[str, ...]:
        """The chosen values of `axis`; for a model that none of them fits, its default."""
        values: tuple[str, ...] = getattr(self.axes, axis)
        if axis != "backends" and axis not in matrix.SWITCHES:
            return values
        possible = {choice.value for choice in self.chips(axis) if choice.available}
        default = capabilities.default_backend(self.kind) if axis == "backends" else self.chips(axis)[0].value
        return tuple(value for value in values if value in possible) or (default,)

    def batches(self) -> Batches:
        """The batch sizes of the job, and why they are not the user's: what the model was seen to take, or what its inputs leave no choice of."""
        entry = self.models.current
        if entry is None:
            return settle_batches(self.axes.batches, ())
        declared = (entry.inspected.inputs if entry.inspected else None) or ()
        return settle_batches(self.axes.batches, entry.inputs, declared, entry.examined.least_batch if entry.examined else None)

    def cells(self) -> tuple[Cell, ...]:
        """Every cell of the matrix, possible or not."""
        batches = self.batches()
        possible = {axis: self.chosen(axis) for axis in ("backends", *matrix.SWITCHES)}
        axes = msgspec.structs.replace(self.axes, batches=batches.sizes, **possible)
        return matrix.cells(axes, self.kind, self.facts, batches.least)

    def possible(self) -> tuple[Cell, ...]:
        """The cells that a job would run."""
        return tuple(cell for cell in self.cells() if cell.choice.available)

    def left_out(self) -> list[tuple[Choice, int]]:
        """Why cells are left out, and how many for each reason."""
        choices = {_reason(cell): cell.choice for cell in self.cells() if not cell.choice.available}
        counts = Counter(_reason(cell) for cell in self.cells() if not cell.choice.available)
        return [(choices[reason], count) for reason, count in counts.items()]

    def estimate_s(self) -> float:
        """About how long the job would take."""
        possible = self.possible()
        searches = sum("batch" in cell.configuration.options for cell in possible)
        return estimate_job_s(PLANS[self.plan], len(possible)) + searches * FINDING_S

    def missing(self) -> str | None:
        """Why a job cannot be made yet: a code of `gui.text`, or None."""
        entry = self.models.current
        if entry is None:
            return "run.no-model"
        if not entry.is_ready:
            return "run.inspecting"
        if entry.needs_class:
            return "run.needs-class-file" if entry.missing_classes else "run.needs-class"
        if any(unknown_sizes(spec) for spec in entry.inputs):
            return "run.needs-sizes"
        return None if self.possible() else "run.nothing-possible"

    def lessons(self) -> tuple[Configuration, ...]:
        """What a teaching run would run: the first cell plain, then each switch thrown alone; empty where there is no cell."""
        found = [cell.configuration for cell in self.possible()]
        base = next((each for each in found if "batch" not in each.options), found[0]) if found else None     # rows of one batch size can be told apart
        entry = self.models.current
        return teaching_set(base, self.kind, entry.inputs, self.facts.cores if self.facts else None) if base is not None and entry is not None else ()

    def job(self, trusted: bool = False, teach: bool = False) -> Job:
        """The job as chosen, or the teaching run; only when nothing is missing."""
        entry = self._entry()
        return Job(
            id=uuid.uuid4().hex, model=entry.source(trusted), inputs=entry.inputs,
            configurations=self.lessons() if teach else tuple(cell.configuration for cell in self.possible()), plan=PLANS[self.plan],
            interpreter=self.interpreter, memory_limit_bytes=self.axes.memory_limit_bytes, idle_gap_s=self.axes.idle_gap_s, compare_outputs=teach,
        )

    def _entry(self) -> ModelEntry:
        if self.models.current is None:
            raise LookupError("no model is chosen")
        return self.models.current


def _reason(cell: Cell) -> str:
    return cell.choice.code + repr(sorted(cell.choice.values.items()))


def _place(order: list[str], value: str) -> int:
    return order.index(value) if value in order else len(order)
