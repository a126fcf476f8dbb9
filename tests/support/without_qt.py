"""A pytest plug-in: nothing of Qt can be imported, as on a machine where it is not installed."""

from __future__ import annotations

import sys

BLOCKED = frozenset({"PySide6", "shiboken6", "pyqtgraph", "qtawesome", "qtpy", "superqt"})


class Blocker:
    """Refuses Qt before anybody else is asked."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked in this run", name=name)


def pytest_addoption(parser):
    """pytest-qt is away, its settings in pyproject.toml are not."""
    for name in ("qt_api", "qt_log_level_fail"):
        parser.addini(name, "belongs to pytest-qt")


def pytest_configure(config):
    """Block before the first test module is imported."""
    present = BLOCKED & set(sys.modules)
    assert not present, f"{sorted(present)} were imported before they could be blocked"
    sys.meta_path.insert(0, Blocker)
