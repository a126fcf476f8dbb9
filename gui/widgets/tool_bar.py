"""The line at the top: open, recent files, demo, the machine's readings, language, appearance, help."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QComboBox, QFrame, QHBoxLayout, QMenu, QToolButton, QWidget

from gui import text, theme

HEIGHT = 40
THEMES = ("system", "light", "dark")
LANGUAGE_NAMES = {"en": "English", "zh": "简体中文"}


class ToolBar(QFrame):
    """Asks the window by signals; holds the device strip that it is given."""

    open_requested = Signal()
    demo_requested = Signal()
    help_requested = Signal()
    recent_chosen = Signal(str)
    language_chosen = Signal(str)
    theme_chosen = Signal(str)
    left_toggled = Signal(bool)
    right_toggled = Signal(bool)

    def __init__(self, device_strip: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolBar")
        self.setFixedHeight(HEIGHT)
        self._recents: tuple[str, ...] = ()
        self.open_button = self._button("openButton", self.open_requested, beside=True)
        self.recent_menu = QMenu(self, objectName="recentList")
        self.demo_button = self._button("demoButton", self.demo_requested, beside=True)
        self.language_box = QComboBox(objectName="languageBox")
        self.theme_button = self._button("themeButton", None)
        self.help_button = self._button("helpButton", self.help_requested)
        self.left_button = self._button("leftPaneButton", self.left_toggled, checkable=True)
        self.right_button = self._button("rightPaneButton", self.right_toggled, checkable=True)
        self._theme_actions = self._theme_menu()
        self._lay_out(device_strip)
        self.language_box.addItems(list(LANGUAGE_NAMES.values()))
        self.language_box.activated.connect(lambda index: self.language_chosen.emit(list(LANGUAGE_NAMES)[index]))
        text.current.changed.connect(self.retranslate)
        theme.notifier.changed.connect(self.retranslate)
        self.retranslate()

    def set_recents(self, paths: tuple[str, ...]) -> None:
        """Offer these files in the menu beside Open."""
        self._recents = paths
        self.recent_menu.clear()
        for path in paths:
            action = self.recent_menu.addAction(f"{Path(path).name}    {_short(Path(path).parent)}".replace("&", "&&"))
            action.triggered.connect(lambda _=False, path=path: self.recent_chosen.emit(path))
        if not paths:
            self.recent_menu.addAction(text.say("tool.recent.none")).setEnabled(False)

    def set_theme(self, name: str) -> None:
        """Tick the appearance that is in force."""
        self._theme_actions[name].setChecked(True)

    def retranslate(self) -> None:
        """Say every word again."""
        for button, code, picture in (
            (self.open_button, "tool.open", "open"), (self.demo_button, "tool.demo", "demo"), (self.theme_button, "tool.theme", "theme"),
            (self.help_button, "tool.help", "help"), (self.left_button, "tool.left", "left-pane"), (self.right_button, "tool.right", "right-pane"),
        ):
            tip = f"{code}.tip" if f"{code}.tip" in text.TABLE else code
            button.setText(text.say(code))
            button.setToolTip(text.say(tip))
            button.setAccessibleName(text.say(code))
            button.setIcon(theme.icon(picture))
        self.language_box.setAccessibleName(text.say("tool.language"))
        self.language_box.setToolTip(text.say("tool.language"))
        self.language_box.setCurrentIndex(list(LANGUAGE_NAMES).index(text.language()))
        self.recent_menu.setTitle(text.say("tool.recent"))
        for name, action in self._theme_actions.items():
            action.setText(text.say(f"tool.theme.{name}"))
        self.set_recents(self._recents)

    def _button(self, name: str, pressed: object, beside: bool = False, checkable: bool = False) -> QToolButton:
        button = QToolButton(objectName=name)
        button.setAutoRaise(True)
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon if beside else Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setCheckable(checkable)
        if pressed is not None:
            button.clicked.connect(pressed)
        return button

    def _theme_menu(self) -> dict[str, QAction]:
        menu, group = QMenu(self), QActionGroup(self)
        actions = {}
        for name in THEMES:
            action = menu.addAction(name)
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, name=name: self.theme_chosen.emit(name))
            group.addAction(action)
            actions[name] = action
        self.theme_button.setMenu(menu)
        self.theme_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        return actions

    def _lay_out(self, device_strip: QWidget) -> None:
        self.open_button.setMenu(self.recent_menu)
        self.open_button.setPopupMode(QToolButton.ToolButtonPopupMode.MenuButtonPopup)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 0, 8, 0)
        row.setSpacing(4)
        for widget in (self.left_button, self.open_button, self.demo_button):
            row.addWidget(widget)
        row.addSpacing(8)
        row.addWidget(device_strip, 1)
        row.addSpacing(8)
        for widget in (self.language_box, self.theme_button, self.help_button, self.right_button):
            row.addWidget(widget)


def _short(folder: Path) -> str:
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
