"""Colours, spacing, fonts and icons: one place, live; whoever paints by hand asks here and listens to `notifier.changed`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from string import Template
from typing import Any, Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QIcon, QPalette

Name = Literal["system", "light", "dark"]
RESOURCES = Path(__file__).resolve().parents[1] / "resources"
SPACING = (4, 8, 12, 16, 24)
TYPE_SIZES = (11, 13, 15, 20, 28)
FAMILIES = ("Noto Sans", "Open Sans", "Liberation Sans", "DejaVu Sans")
MONOSPACED_FAMILIES = ("Noto Sans Mono", "DejaVu Sans Mono", "Liberation Mono")
"""Where no desktop names a font: the first of these that is installed."""
CJK_FAMILIES = ("Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "WenQuanYi Micro Hei")


@dataclass(frozen=True)
class Theme:
    """One appearance; every colour is `#rrggbb`."""

    name: str
    window: str
    surface: str
    button: str
    hover: str
    selection: str
    border: str
    grid: str
    text: str
    muted: str
    faint: str
    """Warm-up and rows that are not selected; for marks, never for words."""
    disabled: str
    accent: str
    accent_text: str
    good: str
    caution: str
    bad: str
    series: tuple[str, ...]
    """Six that people with any kind of colour vision tell apart; dark enough (or light enough) for words too."""

    @property
    def is_dark(self) -> bool:
        """Light words on a dark ground."""
        return self.name == "dark"


LIGHT = Theme(
    name="light", window="#f4f5f7", surface="#ffffff", button="#e9ecf1", hover="#dfe4eb", selection="#dbe8fa", border="#cfd5de", grid="#e8ebf0",
    text="#1b1f27", muted="#566070", faint="#a3abb8", disabled="#8b94a3", accent="#0a5fc0", accent_text="#ffffff", good="#176b2d", caution="#845300", bad="#b3261e",
    series=("#0068a8", "#a84a00", "#00735a", "#9a4478", "#7a5c00", "#3d6f8f"),
)
DARK = Theme(
    name="dark", window="#16181d", surface="#1d2026", button="#2a2e37", hover="#343944", selection="#24405f", border="#383d48", grid="#2a2e36",
    text="#e8eaee", muted="#a5adbb", faint="#5f6775", disabled="#747d8c", accent="#6cb2ff", accent_text="#0b1420", good="#5ccb7e", caution="#e8b34b", bad="#ff938a",
    series=("#6cb6f5", "#f0955a", "#3fc7a0", "#e39ac4", "#e6b23c", "#9ad4f5"),
)
ICONS = {
    "open": "fa6s.folder-open", "demo": "fa6s.flask", "theme": "fa6s.circle-half-stroke", "help": "fa6s.circle-question", "left-pane": "fa6s.bars",
    "right-pane": "fa6s.circle-info", "close": "fa6s.xmark", "save": "fa6s.download", "copy": "fa6s.copy", "history": "fa6s.clock-rotate-left",
    "good": "fa6s.circle-check", "noisy": "fa6s.triangle-exclamation", "poor": "fa6s.circle-xmark", "queued": "fa6s.ellipsis", "running": "fa6s.play",
    "resting": "fa6s.pause", "done": "fa6s.check", "failed": "fa6s.xmark", "cancelled": "fa6s.minus", "unsupported": "fa6s.ban", "out-of-memory": "fa6s.memory",
    "expanded": "fa6s.chevron-down", "collapsed": "fa6s.chevron-right", "problem": "fa6s.triangle-exclamation", "notice": "fa6s.circle-check",
    "compare": "fa6s.right-left", "FASTER": "fa6s.forward", "SLOWER": "fa6s.backward", "SAME": "fa6s.equals", "CANNOT-TELL": "fa6s.question", "stop": "fa6s.stop",
    "follow": "fa6s.location-crosshairs", "measure": "fa6s.plus", "drop": "fa6s.file-arrow-down",
}


class _Notifier(QObject):
    """`changed` comes after every change of appearance."""

    changed = Signal()


notifier = _Notifier()


class _State:
    """What is in force, and what was asked for."""

    def __init__(self) -> None:
        self.theme = LIGHT
        self.app: Any = None
        self.asked: Name = "light"


_state = _State()


def current() -> Theme:
    """The appearance in force."""
    return _state.theme


colours = current


def apply_theme(app: Any, name: Name) -> None:
    """Put an appearance in force everywhere, now; `system` follows the desktop from here on."""
    if app is not _state.app:
        _state.app = app
        app.setStyle("Fusion")
        app.setFont(font())
        app.styleHints().colorSchemeChanged.connect(_follow_system)
    _state.asked = name
    _put(_system_theme() if name == "system" else DARK if name == "dark" else LIGHT)


def _system_theme() -> Theme:
    return DARK if QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark else LIGHT


def _follow_system(_scheme: Qt.ColorScheme) -> None:
    if _state.asked == "system" and _system_theme() is not _state.theme:
        _put(_system_theme())


def _put(theme: Theme) -> None:
    _state.theme = theme
    _state.app.setPalette(palette(theme))
    _state.app.setStyleSheet(style_sheet(theme))
    notifier.changed.emit()


def palette(theme: Theme) -> QPalette:
    """The theme for Fusion."""
    made, role = QPalette(), QPalette.ColorRole
    pairs = {
        role.Window: theme.window, role.WindowText: theme.text, role.Base: theme.surface, role.AlternateBase: theme.window, role.Text: theme.text,
        role.Button: theme.button, role.ButtonText: theme.text, role.BrightText: theme.bad, role.Highlight: theme.selection, role.HighlightedText: theme.text,
        role.ToolTipBase: theme.surface, role.ToolTipText: theme.text, role.PlaceholderText: theme.muted, role.Link: theme.accent, role.LinkVisited: theme.accent,
        role.Light: theme.hover, role.Midlight: theme.button, role.Mid: theme.border, role.Dark: theme.border, role.Shadow: theme.window, role.Accent: theme.accent,
    }
    for each, colour in pairs.items():
        made.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(QPalette.ColorGroup.Disabled, each, QColor(theme.disabled))
    return made


def style_sheet(theme: Theme) -> str:
    """resources/style.qss with the theme's colours put in."""
    values = {field.name.replace("_", ""): getattr(theme, field.name) for field in fields(theme)}
    source = (RESOURCES / "style.qss").read_text(encoding="utf-8")
    return Template(source).substitute(values, folder=(RESOURCES / "icons").as_posix())


def font(size: int = 13, weight: QFont.Weight = QFont.Weight.Normal, monospaced: bool = False) -> QFont:
    """The interface's font, with digits of one width and a family for Chinese behind it."""
    kind = QFontDatabase.SystemFont.FixedFont if monospaced else QFontDatabase.SystemFont.GeneralFont
    made = QFontDatabase.systemFont(kind)
    installed = _installed_families()
    wanted = (made.family(), *(MONOSPACED_FAMILIES if monospaced else FAMILIES))
    made.setFamilies([*(family for family in wanted if family in installed), *CJK_FAMILIES])
    made.setPixelSize(size)
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


@cache
def _installed_families() -> frozenset[str]:
    return frozenset(QFontDatabase.families())


def icon(name: str, role: str = "text") -> QIcon:
    """An icon in a colour of the theme; ask again when the theme changes."""
    import qtawesome  # late: its fonts are read on first use, after the first paint

    theme = _state.theme
    return qtawesome.icon(ICONS[name], color=getattr(theme, role), color_disabled=theme.disabled)

