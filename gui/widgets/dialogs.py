"""The dialogs of the window: each opens without blocking, and hands its answer to the session."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QDialog, QFileDialog, QMessageBox, QWidget

from gui import text
from gui.models.consent import TrustRequest
from gui.models.session import Session

PATTERNS = {
    "models": "*.pth *.pt *.bin *.ckpt *.jit *.ts *.onnx *.safetensors *.pt2 *.pte *.pkl",
    "python": "*.py",
    "runs": "*.json",
    "all": "*",
}


class Dialogs(QObject):
    """Asks the user for files, a class, trust; `native` False uses Qt's own file dialog."""

    def __init__(self, session: Session, window: QWidget, native: bool = True) -> None:
        super().__init__(window)
        self._session, self._window, self._native = session, window, native

    def ask_open(self) -> None:
        """Let the user choose model files."""
        filters = [f"{text.say(f'open.filter-{name}')} ({pattern})" for name, pattern in PATTERNS.items()]
        dialog = self._file_dialog("openDialog", text.say("open.title"), filters)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.filesSelected.connect(self._session.opening.open)
        dialog.open()

    def ask_class(self, path: str = "") -> None:
        """Let the user choose the class of the current weights, from `path` or another Python file."""
        from gui.widgets.class_picker import ClassPicker

        entry = self._session.models.current
        if entry is None or self._window.findChild(ClassPicker) is not None:
            return
        where, known, _ = (entry.architecture or "").partition(".py:")
        discovery = self._session.discovery
        dialog = ClassPicker(self._session.models, path or (f"{where}.py" if known else ""), self._native, self._window)
        dialog.rank_requested.connect(discovery.rank)
        dialog.accepted.connect(lambda: discovery.set_class(dialog.architecture, dialog.allow_missing))
        self._open(dialog)

    def ask_trust(self, request: TrustRequest) -> None:
        """Ask before code is run."""
        from gui.widgets.trust_dialog import TrustDialog

        dialog = TrustDialog(request, self._window)
        dialog.finished.connect(lambda _: self._session.agreement.answer(request, dialog.decision))
        self._open(dialog)

    def ask_python(self) -> None:
        """Let the user choose the interpreter that runs models."""
        dialog = self._file_dialog("pythonDialog", text.say("python.browse"), [f"{text.say('python.filter')} (python*)", f"{text.say('open.filter-all')} (*)"])
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(self._session.choose_python)
        dialog.rejected.connect(self._session.setup.changed)
        dialog.open()

    def ask_report(self) -> None:
        """Ask where the report is to lie, and write it."""
        run = self._session.run.run
        if run is None:
            return
        dialog = self._file_dialog("reportDialog", text.say("report.title"), [f"{text.say('report.filter')} (*.html)"])
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix("html")
        dialog.selectFile(f"{Path(run.model.path).stem}.html")
        dialog.fileSelected.connect(self._session.save_report)
        dialog.open()

    def ask_close(self, stop: Callable[[], None]) -> None:
        """Ask once whether a running job is to be stopped; `stop` when it is."""
        from gui.widgets.close_dialog import CloseDialog

        if self._window.findChild(CloseDialog) is None:
            dialog = CloseDialog(self._session.run, self._window)
            dialog.accepted.connect(stop)
            self._open(dialog)

    def show_help(self) -> None:
        """Show what the program is, and its keys."""
        box = QMessageBox(QMessageBox.Icon.NoIcon, text.say("tool.help"), text.say("tool.help.text"), parent=self._window)
        box.setObjectName("helpDialog")
        box.addButton(text.say("tool.help.close"), QMessageBox.ButtonRole.AcceptRole)
        self._open(box)

    def _open(self, dialog: QDialog) -> None:
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()

    def _file_dialog(self, name: str, title: str, filters: list[str]) -> QFileDialog:
        dialog = QFileDialog(self._window, title)
        dialog.setObjectName(name)
        dialog.setNameFilters(filters)
        dialog.setOption(QFileDialog.Option.DontUseNativeDialog, not self._native)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog
