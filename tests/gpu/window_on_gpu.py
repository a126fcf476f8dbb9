"""The real window on a CUDA machine without a display: `QT_QPA_PLATFORM=offscreen python3 -m tests.gpu.window_on_gpu WEIGHTS CLASS_SPEC INPUT FOLDER`.

Runs the model on the first GPU (`auto`) in four configurations, grabs the window while it measures and at the end, and prints what the table says.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from engine.inputs import parse_input
from gui import app as window
from gui.models.consent import ask_for_classes
from gui.models.matrix import Axes
from gui.widgets.trust_dialog import TrustDialog

LIMIT_S = 150.0


def main(weights: str, spec: str, given: str, folder: str) -> int:
    """Drive the window's own session; 0 when all four configurations ended ok."""
    qt = QApplication(["model-dyno"])
    application = window.Application(qt, window.engine_thread, native_dialogs=False)
    application.window.resize(1920, 1080)
    application.open([weights])
    session, began, grabbed = application.session, time.monotonic(), []

    def look() -> None:
        state = session.run.state
        if state == "ready" and session.engine_state == "ready" and session.models.current and session.models.current.info and not grabbed:
            session.discovery.set_class(spec)
            session.models.set_inputs((parse_input(given),))
            session.setup.set_axes(Axes(devices=("auto",), precisions=("fp32", "fp16"), batches=(1, 64)))
            grabbed.append("started")
            session.request_run()
        elif state == "running" and len(grabbed) == 1 and any(row.outcome for row in session.run.rows[1:]):
            grabbed.append("running")
            application.window.grab().save(str(Path(folder, "window-running.png")))
        elif state in ("done", "failed") and grabbed:
            application.window.grab().save(str(Path(folder, "window-done.png")))
            print([(row.configuration.precision, row.configuration.batch_size, row.outcome and row.outcome.status) for row in session.run.rows])
            dialog = TrustDialog(ask_for_classes((spec.partition(":")[0],), session.discovery.agreement.facts), application.window)
            dialog.grab().save(str(Path(folder, "trust-dialog.png")))
            print("torch in the window:", "torch" in sys.modules)
            timer.stop()
            application.window.close()
        elif time.monotonic() - began > LIMIT_S:
            print("gave up in state", state, session.engine_state)
            timer.stop()
            application.window.stop_and_close()

    timer = QTimer()
    timer.timeout.connect(look)
    timer.start(100)
    qt.exec()
    ok = bool(session.run.rows) and all(row.outcome is not None and row.outcome.status == "ok" for row in session.run.rows)
    window.let_go(qt, application)
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
