"""The program's read-only files: icons, fonts and style sheets, next to the code or in the bundle."""

from pathlib import Path
from typing import Final

import resources

ROOT: Final = Path(resources.__path__[0])


def icon_text(name: str) -> str:
    """Return the SVG text of the icon `name`. Its strokes have the colour `currentColor`."""
    return (ROOT / "icons" / f"{name}.svg").read_text(encoding="utf-8")


def style_text(name: str) -> str:
    """Return the style sheet template `name`. It has `${token}` in place of each colour."""
    return (ROOT / "styles" / f"{name}.qss").read_text(encoding="utf-8")


def style_path(name: str) -> Path:
    """Return the path of a picture that a style sheet refers to."""
    return ROOT / "styles" / name


def font_paths() -> list[Path]:
    """Return the bundled font files, in a stable order."""
    folder = ROOT / "fonts"
    return sorted([*folder.glob("*.otf"), *folder.glob("*.ttf")])
