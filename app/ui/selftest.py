"""The parts of the self-test that need Qt."""

from PySide6.QtGui import QFontDatabase, QGuiApplication

from app import resources

_LEAST_FONTS = 2  # Inter and a font for Devanagari


def missing_fonts() -> list[str]:
    """Return the names of the program's font files that Qt cannot load."""
    application = QGuiApplication.instance() or QGuiApplication(["bahi"])
    assert isinstance(application, QGuiApplication)
    paths = resources.font_paths()
    refused = [path.name for path in paths if QFontDatabase.addApplicationFont(str(path)) < 0]
    return refused if len(paths) >= _LEAST_FONTS else [*refused, "no file in the folder of fonts"]
