"""The theme: the Fusion style with a palette and style sheet from colour tokens, and the bundled fonts."""

from enum import StrEnum
from string import Template
from typing import Final

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from app import resources
from app.ui.tokens import DARK, LIGHT, ThemeTokens

_FAMILIES: Final = ["Inter", "Noto Sans Devanagari"]
THEME_KEY: Final = "theme"
"""The setting that stores the chosen mode."""
_POINTS: Final = 10.5  # 14 px at 96 dpi
_ARROWS: Final = ("back", "forward", "up")


class Mode(StrEnum):
    """The theme that the user chose. The values are stored in the settings."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Theme(QObject):
    """Applies the theme to the application. After `changed`, icons and painted widgets must be redrawn."""

    changed = Signal()

    def __init__(self, app: QApplication, mode: str = Mode.SYSTEM) -> None:
        super().__init__(app)
        self._app = app
        self._mode = Mode(mode) if mode in set(Mode) else Mode.SYSTEM
        if not app.styleSheet():  # else a theme before this one has done it
            app.setStyle("Fusion")  # the native styles ignore parts of the palette and the style sheet
            load_fonts()
            app.setFont(text_font())
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow_system)
        self._apply()

    @property
    def mode(self) -> Mode:
        """The chosen mode."""
        return self._mode

    def set_mode(self, mode: Mode) -> None:
        """Set the mode and apply it at once."""
        self._mode = mode
        self._apply()

    def _follow_system(self, _scheme: Qt.ColorScheme) -> None:
        if self._mode is Mode.SYSTEM:
            self._apply()

    def _dark(self) -> bool:
        if self._mode is Mode.SYSTEM:
            return QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return self._mode is Mode.DARK

    def _apply(self) -> None:
        _ask_for_frames(self._mode)
        tokens = DARK if self._dark() else LIGHT
        _Active.tokens = tokens
        if (sheet := style_sheet(tokens)) != self._app.styleSheet():  # to set one polishes every widget anew
            self._app.setPalette(palette(tokens))
            self._app.setStyleSheet(sheet)
        self.changed.emit()


def _ask_for_frames(mode: Mode) -> None:
    """Ask for frames, native dialogs and menus of the theme `mode`. Not every platform can give them."""
    hints = QGuiApplication.styleHints()
    if mode is Mode.SYSTEM:
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(Qt.ColorScheme.Dark if mode is Mode.DARK else Qt.ColorScheme.Light)


class _Active:
    """The current tokens. They are global because there is one application per process."""

    tokens: ThemeTokens = LIGHT


def active() -> ThemeTokens:
    """Return the current tokens."""
    return _Active.tokens


def colour(token: str) -> QColor:
    """Return the current colour of the token `token`."""
    return QColor(str(getattr(_Active.tokens, token)))


def style_sheet(tokens: ThemeTokens) -> str:
    """Return the style sheet with the colours of `tokens`."""
    files = {"check": "check-dark" if tokens.dark else "check-light"} | {name: name for name in _ARROWS}
    paths = {name: resources.style_path(f"{file}.svg").as_posix() for name, file in files.items()}
    return Template(resources.style_text("bahi")).substitute(tokens.colours(), **paths)


def palette(tokens: ThemeTokens) -> QPalette:
    """Return the palette for Fusion with the colours of `tokens`."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: tokens.canvas,
        QPalette.ColorRole.WindowText: tokens.text,
        QPalette.ColorRole.Base: tokens.surface,
        QPalette.ColorRole.AlternateBase: tokens.sunken,
        QPalette.ColorRole.Text: tokens.text,
        QPalette.ColorRole.PlaceholderText: tokens.text_muted,
        QPalette.ColorRole.Button: tokens.surface,
        QPalette.ColorRole.ButtonText: tokens.text,
        QPalette.ColorRole.BrightText: tokens.danger,
        QPalette.ColorRole.Highlight: tokens.accent,
        QPalette.ColorRole.HighlightedText: tokens.on_accent,
        QPalette.ColorRole.Accent: tokens.accent,
        QPalette.ColorRole.Link: tokens.accent_text,
        QPalette.ColorRole.LinkVisited: tokens.accent_text,
        QPalette.ColorRole.ToolTipBase: tokens.surface,
        QPalette.ColorRole.ToolTipText: tokens.text,
        QPalette.ColorRole.Mid: tokens.border_strong,
        QPalette.ColorRole.Midlight: tokens.border,
        QPalette.ColorRole.Dark: tokens.border_strong,
        QPalette.ColorRole.Light: tokens.surface,
    }
    for role, value in roles.items():
        made.setColor(role, QColor(value))
    for role in (QPalette.ColorRole.Text, QPalette.ColorRole.WindowText, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, QColor(tokens.disabled))
    return made


def load_fonts() -> None:
    """Register the bundled fonts, once per application."""
    if "Inter" in QFontDatabase.families():
        return
    for path in resources.font_paths():
        QFontDatabase.addApplicationFont(str(path))


def text_font(scale: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the text font at `scale` times its normal size."""
    font = QFont()
    font.setFamilies(_FAMILIES)
    font.setPointSizeF(_POINTS * scale)
    font.setWeight(weight)
    return font


def figures_font(scale: float = 1.0, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Return the font for amounts, dates and codes. Its digits have equal width, so that columns align."""
    font = text_font(scale, weight)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font
