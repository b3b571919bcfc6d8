"""The window of the real program on screens of many sizes, and where it is at the next start."""

import json
from pathlib import Path

import pytest

from app.paths import Paths
from app.store.database import Database
from app.store.settings import Settings
from app.ui.window_geometry import DETAILS_KEY, GEOMETRY_KEY
from tests.end_to_end.watching import watched

_DOTS = {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}


def on_screens(folder: Path, *areas: tuple[int, int, int, int], scale: str = "1") -> dict[str, str]:
    """Return an environment with screens at these areas, in pixels of the device."""
    screens = [
        {"name": f"screen-{number}", "x": x, "y": y, "width": width, "height": height} | _DOTS
        for number, (x, y, width, height) in enumerate(areas)
    ]
    file = folder / "screens.json"
    file.write_text(json.dumps({"screens": screens}), encoding="utf-8")
    return {"QT_QPA_PLATFORM": f"offscreen:configfile={file}", "QT_SCALE_FACTOR": scale}


@pytest.mark.parametrize(
    ("width", "height", "scale"),
    [
        (800, 560, 1.0),
        pytest.param(1366, 768, 1.5, marks=pytest.mark.slow),
        pytest.param(1366, 768, 2.0, marks=pytest.mark.slow),
        pytest.param(2560, 1440, 1.25, marks=pytest.mark.slow),
        pytest.param(3840, 2160, 2.0, marks=pytest.mark.slow),
        pytest.param(3840, 2160, 1.0, marks=pytest.mark.slow),
    ],
)
def test_the_first_window_fits_the_screen(tmp_path: Path, width: int, height: int, scale: float) -> None:
    with watched(tmp_path, on_screens(tmp_path, (0, 0, width, height), scale=str(scale))) as program:
        x, y, wide, high = program.area("main_window")
    assert x >= 0
    assert y >= 0
    assert (x + wide) * scale <= width + 1
    assert (y + high) * scale <= height + 1
    assert wide >= min(1180, int(width / scale) - 9)


@pytest.mark.slow
def test_the_window_is_where_it_was_unless_that_screen_has_gone(tmp_path: Path) -> None:
    both = on_screens(tmp_path, (0, 0, 1366, 768), (1366, 0, 1920, 1080))
    home = Paths(tmp_path / "Bahi")
    database = Database(home.database)
    settings = Settings(database)
    settings.set(GEOMETRY_KEY, "1500 100 1200 800")
    settings.set(DETAILS_KEY, "400")
    database.close()
    with watched(tmp_path, both) as program:
        assert program.area("main_window") == [1500, 100, 1200, 800]
        program.tell("close")
        program.end()
    with watched(tmp_path, on_screens(tmp_path, (0, 0, 1024, 700))) as program:
        x, y, wide, high = program.area("main_window")
        assert x >= 0
        assert y >= 0
        assert x + wide <= 1024
        assert y + high <= 700
        program.tell("close")
        program.end()
    database = Database(home.database)
    settings = Settings(database)
    assert settings.get(GEOMETRY_KEY) == f"{x} {y} {wide} {high}"
    assert settings.get(DETAILS_KEY) == "400"
    database.close()
