"""Words can be read on every ground, in dark and light, and a change reaches whoever paints by hand."""

from __future__ import annotations

import itertools
import re

import pytest
from PySide6.QtGui import QColor, QFontMetrics, QIcon, QPalette

from gui import theme

GROUNDS = ("window", "surface", "button", "hover", "selection")
WORDS = ("text", "muted", "accent", "good", "caution", "bad")
BOTH = [theme.LIGHT, theme.DARK]


def luminance(colour):
    parts = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in QColor(colour).getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def themed(qapp):
    yield qapp
    theme.apply_theme(qapp, "light")


@pytest.mark.parametrize("appearance", BOTH, ids=lambda each: each.name)
@pytest.mark.parametrize(("word", "ground"), list(itertools.product(WORDS, GROUNDS)))
def test_words_stand_out_from_every_ground(appearance, word, ground):
    """4.5 to 1 is what people with weak sight need."""
    assert contrast(getattr(appearance, word), getattr(appearance, ground)) >= 4.5


@pytest.mark.parametrize("appearance", BOTH, ids=lambda each: each.name)
def test_labels_of_lines_can_be_read(appearance):
    """Lines are named in their own colour, so six colours are words too; the primary button's words stand on the accent."""
    assert len(set(appearance.series)) == 6
    for colour in appearance.series:
        assert contrast(colour, appearance.surface) >= 4.5
    assert contrast(appearance.accent_text, appearance.accent) >= 4.5


@pytest.mark.parametrize("appearance", BOTH, ids=lambda each: each.name)
def test_marks_stand_out_from_the_plot(appearance):
    """Warm-up points are grey, but they are there to be seen."""
    assert contrast(appearance.faint, appearance.surface) >= 2.0


def test_both_themes_are_in_force_at_once(themed):
    """Palette, style sheet and `current` change together, and it is told."""
    told = []
    theme.notifier.changed.connect(lambda: told.append(theme.current().name))
    theme.apply_theme(themed, "dark")
    assert themed.palette().color(QPalette.ColorRole.Window) == QColor(theme.DARK.window)
    assert theme.DARK.accent in themed.styleSheet()
    theme.apply_theme(themed, "light")
    assert themed.palette().color(QPalette.ColorRole.Base) == QColor(theme.LIGHT.surface)
    assert theme.LIGHT.accent in themed.styleSheet()
    assert told == ["dark", "light"]


def test_the_system_decides_when_asked_to(themed):
    """Without a desktop that prefers dark it is light."""
    theme.apply_theme(themed, "system")
    assert theme.current() in BOTH


@pytest.mark.parametrize("appearance", BOTH, ids=lambda each: each.name)
def test_the_style_sheet_is_complete(appearance):
    """Every name was replaced, and every picture that it names is there."""
    sheet = theme.style_sheet(appearance)
    without_comments = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    assert "$" not in without_comments
    pictures = re.findall(r'url\("([^"]+)"\)', sheet)
    assert pictures
    assert all(not QIcon(picture).pixmap(12, 12).isNull() for picture in pictures)


@pytest.mark.parametrize("name", sorted(theme.ICONS))
def test_every_icon_is_drawn_in_the_themes_colour(themed, name):
    """An icon follows the appearance."""
    pictures = []
    for appearance in ("light", "dark"):
        theme.apply_theme(themed, appearance)
        pictures.append(theme.icon(name).pixmap(16, 16).toImage())
    assert not pictures[0].isNull()
    assert pictures[0] != pictures[1]


@pytest.mark.parametrize("size", theme.TYPE_SIZES)
def test_digits_have_one_width(qapp, size):
    """A figure that changes does not move its neighbours."""
    metrics = QFontMetrics(theme.font(size))
    assert len({metrics.horizontalAdvance(digit) for digit in "0123456789"}) == 1


def test_code_is_monospaced(qapp):
    """In code every character is as wide as any other."""
    metrics = QFontMetrics(theme.font(11, monospaced=True))
    assert metrics.horizontalAdvance("iiii") == metrics.horizontalAdvance("MMMM")
