"""The button below the results: two chosen rows are compared at once; for one, it offers what to compare it with."""

from __future__ import annotations

from PySide6.QtWidgets import QMenu, QPushButton

from gui import text, theme
from gui.models.comparisons import Comparisons, side_name
from gui.models.run_model import RunModel
from gui.widgets.results_table import ResultsTable


class CompareButton(QPushButton):
    """Compares rows of the table that is above it."""

    def __init__(self, comparisons: Comparisons, run: RunModel, table: ResultsTable) -> None:
        super().__init__(objectName="compareButton")
        self._comparisons, self._run, self._table = comparisons, run, table
        self.menu_shown = QMenu(self)
        self.clicked.connect(self._press)
        table.rows_chosen.connect(self.retranslate)
        for signal in (run.state_changed, run.reset, run.selection_changed, run.row_changed, comparisons.model.changed, text.current.changed, theme.notifier.changed):
            signal.connect(self.retranslate)
        self.retranslate()

    def retranslate(self) -> None:
        """Say the words again, and whether there is something to compare."""
        pair = self._pair()
        self.setText(text.say("compare.button-two" if pair else "compare.button"))
        self.setToolTip(text.say("compare.button.tip"))
        self.setIcon(theme.icon("compare"))
        self.setEnabled(not self._comparisons.is_blocked() and (pair is not None or self._chosen() is not None))

    def _able(self) -> list[int]:
        return [row.index for row in self._comparisons.rows()]

    def _pair(self) -> tuple[int, int] | None:
        """The two rows that are chosen, in the order on the screen: A, then B."""
        chosen = self._table.chosen_rows()
        return (chosen[0], chosen[1]) if len(chosen) == 2 and set(chosen) <= set(self._able()) else None

    def _chosen(self) -> int | None:
        """The one row that is shown, where it can be compared."""
        return self._run.selected if self._run.selected in self._able() else None

    def _press(self) -> None:
        pair = self._pair()
        if pair is not None:
            self._comparisons.compare_rows(*pair)
        elif self._chosen() is not None:
            self.fill_menu()
            self.menu_shown.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def fill_menu(self) -> None:
        """What the chosen row (it is B) can be compared with."""
        run, chosen, menu = self._run.run, self._chosen(), self.menu_shown
        menu.clear()
        if run is None or chosen is None:
            return
        menu.addSection(text.say("compare.menu-title", name=side_name(run, chosen)))
        others = [index for index in self._able() if index != chosen]
        for index in others:
            menu.addAction(side_name(run, index)).triggered.connect(lambda _=False, index=index: self._comparisons.compare_rows(index, chosen))
        baseline = self._comparisons.baseline
        if baseline is not None and not baseline.is_row(run.id, chosen):
            added = menu.addAction(text.say("compare.menu-baseline", name=baseline.name))
            added.triggered.connect(lambda: self._comparisons.compare_with_baseline(chosen))
        elif not others:
            menu.addAction(text.say("compare.menu-none")).setEnabled(False)
        menu.addSeparator()
        menu.addAction(text.say("compare.menu-set")).triggered.connect(lambda: self._comparisons.set_baseline(chosen))
