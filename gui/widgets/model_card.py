"""What the current model is: kind, size, class, how it loads, what is being done with it and what it needs."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from gui import text, theme
from gui.models import card_words
from gui.models.model_code import loading_code
from gui.models.model_list import ModelEntry, ModelList
from gui.models.problem import details_text, failure_problem
from gui.widgets.boxes import ScrolledBox
from gui.widgets.code_block import CodeBlock
from gui.widgets.collapsible import Collapsible
from gui.widgets.labels import label, set_role
from gui.widgets.problem_dialog import ProblemDialog


class ModelCard(QFrame):
    """Facts about the current model, and what it needs."""

    class_requested = Signal()
    """The user wants to choose its class."""
    place_chosen = Signal(str)
    """The user wants the weights from another place in the checkpoint."""
    stop_requested = Signal()
    """The user wants what is being done with the file to end."""

    def __init__(self, models: ModelList, trusted: frozenset[str] = frozenset(), parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("modelCard")
        self.setProperty("role", "card")
        self._models, self._trusted = models, trusted
        self._line = label("strong", "modelFacts", wraps=True)
        self._saved = label("muted", "modelSaved", wraps=True)
        self._first = label("muted", "modelFirstLayer", wraps=True)
        self._load = label("muted", "modelLoad", wraps=True)
        self._code = label("muted", "modelCode", wraps=True)
        self._notes = label("muted", "modelNotes", wraps=True)
        self._place_label = label("muted")
        self.place_box = ScrolledBox(objectName="weightsPlaceBox")
        self._class = label("", "modelClass", wraps=True)
        self._fit = label("muted", "modelFit", wraps=True)
        self.class_button = QPushButton(objectName="chooseClassButton")
        self._picture, self._state = label(), label("small", "modelState", wraps=True)
        self.stop_button, self.details_button = _small("stopLookingButton"), _small("modelDetailsButton")
        self._section = Collapsible("modelCodeSection", is_open=False)
        self._mistake, self._block = label("muted", wraps=True), CodeBlock("modelCodeView")
        self._lay_out()
        self._connect()
        self.retranslate()

    def set_trusted(self, trusted: frozenset[str]) -> None:
        """Take the files (by sha256) that may always run code."""
        self._trusted = trusted
        self.retranslate()

    def retranslate(self) -> None:
        """Show the current model in the language of the moment."""
        entry = self._models.current
        self.setVisible(entry is not None)
        if entry is not None:
            self._show_facts(entry)
            self._show_class(entry)
            self._show_places(entry)
            self._show_code(entry)
            self.show_state()

    def show_state(self) -> None:
        """Show what is being done with the file at the moment, or what came of it."""
        entry = self._models.current
        line = card_words.state_line(entry) if entry else None
        for widget in (self._picture, self._state):
            widget.setVisible(line is not None)
        self.stop_button.setVisible(entry is not None and entry.looking is not None)
        failure = card_words.failure_of(entry) if entry and not entry.looking else None
        self.details_button.setVisible(failure is not None and bool(details_text(failure)))
        if line is not None:
            icon, colour, words = line
            self._picture.setPixmap(theme.icon(icon, colour).pixmap(QSize(12, 12)))
            self._state.setText(card_words.breakable(words))

    def _lay_out(self) -> None:
        place, state, buttons = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        place.addWidget(self._place_label)
        place.addWidget(self.place_box, 1)
        state.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignTop)
        state.addWidget(self._state, 1)
        for button in (self.stop_button, self.details_button):
            buttons.addWidget(button)
        buttons.addStretch(1)
        self._section.body.setContentsMargins(0, 0, 0, 0)
        self._section.body.addWidget(self._mistake)
        self._section.body.addWidget(self._block)
        self._place_label.setBuddy(self.place_box)
        self.place_box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.place_box.setMinimumContentsLength(8)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(4)
        for widget in (self._line, self._saved, self._first, self._load, self._code, self._notes):
            column.addWidget(widget)
        column.addLayout(place)
        for widget in (self._class, self._fit, self.class_button):
            column.addWidget(widget)
        column.addLayout(state)
        column.addLayout(buttons)
        column.addWidget(self._section)
        column.setAlignment(self.class_button, Qt.AlignmentFlag.AlignLeft)

    def _connect(self) -> None:
        self.class_button.clicked.connect(self.class_requested)
        self.stop_button.clicked.connect(self.stop_requested)
        self.details_button.clicked.connect(self._show_details)
        self.place_box.activated.connect(lambda index: self._choose_place(self.place_box.itemData(index)))
        models = self._models
        for signal in (models.entries_changed, models.current_changed, models.entry_changed, text.current.changed, theme.notifier.changed):
            signal.connect(self.retranslate)
        models.looking_changed.connect(self.show_state)

    def _show_facts(self, entry: ModelEntry) -> None:
        info = entry.info
        self._line.setText(card_words.facts_line(entry))
        self._load.setToolTip(text.say("card.load.tip"))
        lines = {
            self._saved: card_words.saved_line(info) if info else "", self._first: card_words.first_layer_line(entry), self._load: card_words.load_line(entry),
            self._code: card_words.consent_line(entry, self._trusted) if info else "", self._notes: card_words.notes_lines(entry),
        }
        set_role(self._code, "bad" if entry.inspected and entry.inspected.danger == "dangerous" else "muted")
        for line, words in lines.items():
            line.setText(card_words.breakable(words))
            line.setVisible(bool(words))

    def _show_class(self, entry: ModelEntry) -> None:
        role, words = card_words.class_line(entry)
        self._class.setText(words)
        self._class.setVisible(bool(words))
        set_role(self._class, role)
        fit = entry.fit
        is_partial = fit is not None and not fit.perfect
        self._fit.setVisible(is_partial)
        if fit is not None and is_partial:
            self._fit.setText(text.say("card.fit-partly", matching=fit.matching, keys=fit.keys))
        needed = "card.choose-class-file" if entry.missing_classes else "card.choose-class"
        self.class_button.setVisible(entry.takes_class)
        self.class_button.setText(text.say(needed if entry.needs_class else "card.change-class"))
        set_role(self.class_button, "accent" if entry.needs_class else "link")

    def _show_places(self, entry: ModelEntry) -> None:
        places = entry.inspected.weights_places if entry.inspected else ()
        self._place_label.setText(text.say("card.place"))
        self.place_box.setAccessibleName(text.say("card.place"))
        self.place_box.setToolTip(text.say("card.place.tip"))
        for widget in (self._place_label, self.place_box):
            widget.setVisible(len(places) > 1)
        with QSignalBlocker(self.place_box):
            self.place_box.clear()
            for place in places:
                self.place_box.addItem(place or text.say("card.place-whole"), place)
            self.place_box.setCurrentIndex(max(0, self.place_box.findData(entry.weights_place)))

    def _show_code(self, entry: ModelEntry) -> None:
        code, lines = loading_code(entry)
        self._section.setVisible(bool(code))
        self._section.set_title(text.say("code.section"))
        if code:
            self._mistake.setText(text.say(code))
            self._block.show_text(lines, text.say("code.section"))
        self._block.retranslate()
        self.stop_button.setText(text.say("look.stop"))
        self.stop_button.setToolTip(text.say("look.stop.tip"))
        self.details_button.setText(text.say("problem.details"))

    def _choose_place(self, place: str) -> None:
        entry = self._models.current
        if entry is not None and place != entry.weights_place:
            self.place_chosen.emit(place)

    def _show_details(self) -> None:
        entry = self._models.current
        failure = card_words.failure_of(entry) if entry else None
        if failure is not None:
            ProblemDialog(failure_problem(failure), self).open()


def _small(name: str) -> QPushButton:
    button = QPushButton(objectName=name)
    button.setProperty("role", "small")
    return button
