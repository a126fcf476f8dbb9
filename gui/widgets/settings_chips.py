"""The axes of the matrix: chips for devices, precisions, quantizations and backends; fields for batch and threads; the plan."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from engine import capabilities
from engine.capabilities import Choice
from engine.devices import is_joint
from engine.job import PLANS
from engine.matrix import SettingError
from gui import text
from gui.models import card_words
from gui.models.lists import format_list, parse_batch_text, parse_threads_text
from gui.models.setup_model import SetupModel
from gui.widgets.batch_box import BatchBox
from gui.widgets.boxes import ScrolledBox
from gui.widgets.chips import ChipBox
from gui.widgets.idle_gap_box import IdleGapBox
from gui.widgets.labels import label, set_role
from gui.widgets.memory_limit_field import MemoryLimitField
from gui.widgets.python_box import PythonBox
from gui.widgets.teach_button import TeachButton

CAPTION_WIDTH = 62
_BOXES = {
    "devices": "deviceBox", "precisions": "precisionBox", "quantizations": "quantizationBox", "backends": "backendBox", "memory_formats": "memoryFormatBox",
    "grads": "gradBox", "modes": "modeBox",
}


class SettingsChips(QWidget):
    """Settings of the next job; `more_toggled` when the lower part is opened or closed; `python_chosen(path)` and `python_browsed` for the interpreter."""

    more_toggled = Signal(bool)
    python_chosen = Signal(str)
    python_browsed = Signal()
    teach_requested = Signal()

    def __init__(self, setup: SetupModel, more_open: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setup = setup
        self._boxes = {axis: self._box(axis) for axis in _BOXES}
        self._captions = {name: label("section") for name in (*_BOXES, "batch", "threads", "memory", "idle_gap", "plan", "python")}
        self.batch_field = self._field("batchField", self._batch_edited)
        self.threads_field = self._field("threadsField", self._threads_edited)
        self.batch_box, self.memory_field = BatchBox(setup, self.batch_field), MemoryLimitField(setup)
        self.plan_box = ScrolledBox(objectName="planBox")
        self.python_box, self.idle_gap_box = PythonBox(setup), IdleGapBox(setup)
        self.teach_button = TeachButton(setup)
        self._error = label("bad", "settingsError", wraps=True)
        self._batch_note = label("muted", "batchNote", wraps=True)
        self.more_button = QToolButton(objectName="moreSettings")
        self._more = QWidget()
        self._lay_out()
        self._connect(more_open)
        self.retranslate()

    @property
    def is_valid(self) -> bool:
        """Whether both typed lists can be read."""
        return not self._error.text()

    def set_pythons(self, paths: tuple[str, ...]) -> None:
        """Offer these interpreters besides the program's own."""
        self.python_box.set_pythons(paths)

    def retranslate(self) -> None:
        """Say every word again."""
        for name, caption in self._captions.items():
            caption.setText(text.say(f"axis.{name}"))
        for axis, box in self._boxes.items():
            box.setAccessibleName(text.say(f"axis.{axis}"))
        for name, field in (("batch", self.batch_field), ("threads", self.threads_field)):
            field.setAccessibleName(text.say(f"axis.{name}"))
        self.batch_box.retranslate()
        self.memory_field.retranslate()
        self.idle_gap_box.setAccessibleName(text.say("axis.idle_gap"))
        self.more_button.setText(text.say("more.open"))
        self.plan_box.setAccessibleName(text.say("axis.plan"))
        self.plan_box.setToolTip(text.say("plan.tip"))
        for index, plan in enumerate(PLANS):
            self.plan_box.setItemText(index, text.say(f"plan.{plan}"))
        self.show_model()

    def show_model(self) -> None:
        """Show what the model holds now; a field that is being typed in is left alone."""
        setup, axes = self._setup, self._setup.axes
        for axis, box in self._boxes.items():
            box.set_choices(setup.chips(axis), setup.chosen(axis))
        threads = capabilities.default_threads(setup.facts)
        self.threads_field.setToolTip(text.say("threads.tip", threads=threads))
        self.threads_field.setPlaceholderText(str(threads))
        self._show_batches()
        _show_list(self.threads_field, axes.threads)
        self.batch_box.show_model()
        self.memory_field.show_model()
        self.idle_gap_box.show_model()
        self.teach_button.show_model()
        self.plan_box.setCurrentIndex(list(PLANS).index(setup.plan))
        self._show_error()

    def _show_batches(self) -> None:
        """The sizes, and why they are not the user's; where the inputs leave no choice the field is closed."""
        batches = self._setup.batches()
        why = text.say_reason(batches.code, batches.values) if batches.code else ""
        self.batch_field.setEnabled(batches.can_choose)
        self.batch_field.setToolTip(text.say("batch.tip") if batches.can_choose else why)
        self._batch_note.setText(card_words.breakable(why))
        self._batch_note.setVisible(bool(why))
        if batches.can_choose:
            _show_list(self.batch_field, batches.sizes)
        else:
            self.batch_field.setText(format_list(batches.sizes))

    def _box(self, axis: str) -> ChipBox:
        box = ChipBox(_BOXES[axis], chip_label, lambda choice: chip_tip(choice, self._setup))
        box.toggled.connect(lambda value, chosen: self._setup.toggle(axis, value, chosen))
        return box

    def _field(self, name: str, edited: Callable[[], None]) -> QLineEdit:
        field = QLineEdit(objectName=name)
        field.textEdited.connect(edited)
        field.editingFinished.connect(self.show_model)
        return field

    def _lay_out(self) -> None:
        always, more = QGridLayout(), QGridLayout(self._more)
        shown = {**self._boxes, "batch": self.batch_box}
        hidden = {"quantizations": shown.pop("quantizations"), "backends": shown.pop("backends"), "threads": self.threads_field}
        hidden |= {axis: shown.pop(axis) for axis in ("memory_formats", "grads", "modes")}
        hidden |= {"idle_gap": self.idle_gap_box, "memory": self.memory_field, "plan": self.plan_box, "python": self.python_box}
        for grid, widgets in ((always, shown), (more, hidden)):
            grid.setContentsMargins(0, 0, 0, 0)
            grid.setHorizontalSpacing(8)
            grid.setVerticalSpacing(8)
            grid.setColumnStretch(1, 1)
            for line, (name, widget) in enumerate(widgets.items()):
                grid.addWidget(self._captions[name], line, 0, Qt.AlignmentFlag.AlignTop)
                self._captions[name].setMinimumWidth(CAPTION_WIDTH)
                self._captions[name].setContentsMargins(0, 5, 0, 0)
                grid.addWidget(widget, line, 1)
        more.addWidget(self.teach_button, more.rowCount(), 0, 1, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(always)
        for widget in (self._batch_note, self.more_button, self._more, self._error):
            column.addWidget(widget)

    def _connect(self, more_open: bool) -> None:
        self.more_button.setCheckable(True)
        self.more_button.setProperty("role", "disclosure")
        self.more_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.more_button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.more_button.toggled.connect(self._open_more)
        self.more_button.toggled.connect(self.more_toggled)
        self._open_more(more_open)
        self.more_button.setChecked(more_open)
        self.plan_box.addItems(list(PLANS))
        self.plan_box.activated.connect(lambda index: self._setup.set_plan(list(PLANS)[index]))
        self.python_box.chosen.connect(self.python_chosen)
        self.python_box.browsed.connect(self.python_browsed)
        self.teach_button.clicked.connect(self.teach_requested)
        self._setup.changed.connect(self.show_model)
        text.current.changed.connect(self.retranslate)

    def _open_more(self, is_open: bool) -> None:
        self._more.setVisible(is_open)
        self.more_button.setArrowType(Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow)

    def _batch_edited(self) -> None:
        self._edited(self.batch_field, "batches")

    def _threads_edited(self) -> None:
        self._edited(self.threads_field, "threads")

    def _edited(self, field: QLineEdit, axis: str) -> None:
        values = _read(field)
        self._show_error()
        if values is not None:
            self._setup.set_axes(msgspec.structs.replace(self._setup.axes, **{axis: values}))
        self._setup.changed.emit()

    def _show_error(self) -> None:
        problems = [_problem(field) for field in (self.batch_field, self.threads_field)]
        for field, problem in zip((self.batch_field, self.threads_field), problems, strict=True):
            set_role(field, "invalid" if problem else "")
        problems.append(self.memory_field.problem())
        self._error.setText(next((problem for problem in problems if problem), ""))
        self._error.setVisible(any(problems))


def _parse(field: QLineEdit) -> tuple[int, ...] | tuple[int | str, ...]:
    return parse_threads_text(field.text()) if field.objectName() == "threadsField" else parse_batch_text(field.text())


def _show_list(field: QLineEdit, values: tuple[int, ...] | tuple[int | str, ...]) -> None:
    """What is being typed, or cannot be read, is left alone."""
    is_typed = field.hasFocus() and field.isModified()
    if not is_typed and field.property("role") != "invalid" and _read(field) != values:
        field.setText(format_list(values))


def _read(field: QLineEdit) -> tuple[int, ...] | tuple[int | str, ...] | None:
    try:
        return _parse(field)
    except SettingError:
        return None


def _problem(field: QLineEdit) -> str:
    try:
        _parse(field)
    except SettingError as error:
        return " ".join((text.say_reason(error.say, error.values, error.summary), text.say_hint(error.say, error.values, error.hint)))
    return ""


def chip_label(choice: Choice) -> str:
    """What stands on a chip; names that are the same in every language stand as they are."""
    if is_joint(choice.value):
        return text.say("chip.all-gpus")
    return text.say(f"chip.{choice.value}") if f"chip.{choice.value}" in text.TABLE else choice.value


def chip_tip(choice: Choice, setup: SetupModel) -> str:
    """Two lines on what it means, and why it is greyed when it is."""
    lines = [_meaning(choice.value, setup)]
    if choice.code:
        lines.append(text.say_reason(choice.code, choice.values))
    return "\n".join(line for line in lines if line)


def _meaning(value: str, setup: SetupModel) -> str:
    facts = setup.facts
    if is_joint(value):
        return text.say("chip.all-gpus.tip")
    if value == "auto":
        return text.say("chip.auto.tip", device=capabilities.resolve_device("auto", facts))
    if value == "cpu":
        return text.say("chip.cpu.tip", name=facts.cpu_name if facts else "")
    if value.startswith("cuda:") and facts:
        return next((text.say("chip.cuda.tip", index=gpu.index, name=gpu.name) for gpu in facts.gpus if f"cuda:{gpu.index}" == value), "")
    return text.say(f"chip.{value}.tip") if f"chip.{value}.tip" in text.TABLE else ""
