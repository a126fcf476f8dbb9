"""The models that are loaded: a drop-down, and a button that takes one off."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QToolButton, QWidget

from gui import text, theme
from gui.models.model_list import ModelList
from gui.widgets.boxes import ScrolledBox


class ModelListView(QWidget):
    """Shows a `ModelList` and lets one choose and remove."""

    def __init__(self, models: ModelList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._models = models
        self.box = ScrolledBox(objectName="modelList")
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(8)
        self.remove_button = QToolButton(objectName="removeModelButton")
        self.remove_button.setAutoRaise(True)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        row.addWidget(self.box, 1)
        row.addWidget(self.remove_button)
        self.box.activated.connect(models.select)
        self.remove_button.clicked.connect(lambda: models.remove(models.index))
        models.entries_changed.connect(self.show_model)
        models.current_changed.connect(self.show_model)
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.retranslate)
        self.retranslate()

    def retranslate(self) -> None:
        """Say every word again."""
        self.box.setAccessibleName(text.say("models.list"))
        self.remove_button.setIcon(theme.icon("close"))
        self.remove_button.setToolTip(text.say("models.remove"))
        self.remove_button.setAccessibleName(text.say("models.remove"))
        self.show_model()

    def show_model(self) -> None:
        """Show the list as it is now."""
        with QSignalBlocker(self.box):
            self.box.clear()
            for index, entry in enumerate(self._models.entries):
                self.box.addItem(entry.name)
                self.box.setItemData(index, entry.path, Qt.ItemDataRole.ToolTipRole)
            self.box.setCurrentIndex(self._models.index)
        current = self._models.current
        self.box.setToolTip(current.path if current else "")
        self.setVisible(current is not None)
