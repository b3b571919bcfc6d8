"""Running the tour: the Qt application, the story, and the page at the end."""

import shutil
import sys
from pathlib import Path

from PySide6.QtWidgets import QApplication

from app import resources
from tests.tour.driver import TourError
from tests.tour.report import write_page
from tests.tour.story import Opener, Story


def run_tour(folder: Path, open_services: Opener, *, fill_screen: bool = False) -> int:
    """Leave pictures, transactions.csv and index.html in `folder`; return 0 only if every step held.

    With `fill_screen`, the windows are as large as the screen.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.png"), folder / "transactions.csv", folder / "index.html"):
        old.unlink(missing_ok=True)
    application = QApplication.instance() or QApplication(["bahi"])
    assert isinstance(application, QApplication)
    # Copies: what is dropped and browsed are a person's own files, not the program's.
    samples = folder / "bills"
    shutil.copytree(resources.ROOT / "samples", samples, dirs_exist_ok=True)
    story = Story(application, open_services, samples, folder, fill_screen)
    outcome, status = "Every step did what it says.", 0
    try:
        story.tell()
    except TourError as error:
        outcome, status = f"The tour stopped: {error}", 1
    page = write_page(folder, story.pictures, outcome, export=story.csv.name)
    sys.stdout.write(f"{outcome}\n{len(story.pictures)} pictures: {page}\nExport: {story.csv}\n")
    return status
