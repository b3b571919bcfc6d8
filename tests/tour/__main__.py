"""`python -m tests.tour DIR [WIDTHxHEIGHT [SCALE]]`: run the tour; leave its pictures and a CSV in DIR.

It needs no display: the screen is one in memory, of the size in pixels that is given. With SCALE 1.5, texts
are half as large again, as on a screen that is set to 150 %.
"""

import json
import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.bootstrap import make_desk
from app.local_server import forget_server_data
from app.paths import Paths
from app.services import Services

_USUAL = "1280x800"


def main(arguments: list[str]) -> int:
    """Run the tour in empty folders of its own; return the exit status."""
    if not 1 <= len(arguments) <= 3:
        sys.stderr.write("usage: python -m tests.tour DIR [WIDTHxHEIGHT [SCALE]]\n")
        return 2
    with tempfile.TemporaryDirectory(prefix="bahi-tour-") as home:
        paths = Paths(Path(home))
        screen = _set_screen(Path(home), *arguments[1:])
        from tests.tour.run import run_tour  # only now: Qt reads the environment when it is imported

        try:
            return run_tour(Path(arguments[0]), lambda: _open_services(paths), fill_screen=screen)
        finally:
            forget_server_data(paths.server)


def _set_screen(home: Path, size: str = "", scale: str = "1") -> bool:
    """Tell Qt which screen there is. Return whether a size is given, which the windows then fill."""
    width, height = (int(number) for number in (size or _USUAL).lower().split("x"))
    screen = {"name": "tour", "x": 0, "y": 0, "width": width, "height": height}
    dots = {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    file = home / "screen.json"
    file.write_text(json.dumps({"screens": [screen | dots]}), encoding="utf-8")
    os.environ |= {"QT_QPA_PLATFORM": f"offscreen:configfile={file}", "QT_SCALE_FACTOR": scale}
    return bool(size)


@contextmanager
def _open_services(paths: Paths) -> Generator[Services, None, None]:
    desk = make_desk(paths)
    try:
        yield desk.services
    finally:
        desk.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
