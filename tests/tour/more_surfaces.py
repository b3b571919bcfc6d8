"""The part of the tour that looks at the camera, the pages of the help, and a full list of last entries."""

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QAbstractButton, QDialog

from tests.support.fed_cameras import DESK, LID, FedCameras
from tests.tour.driver import Driver

_MORE = 8
"""Entries that are added, so that the list of the last entries is full."""


def look_at_last_entries(driver: Driver) -> None:
    """Add entries until there are ten, and look at the list."""
    driver.click("nav_add")
    for number in range(_MORE):
        driver.type("amount_field", str(100 + 7 * number))
        driver.type("category_field", "Stationery")
        driver.type("description_field", f"Account book, pens and files {number + 1}")
        driver.find("amount_field").setFocus()
        driver.click("save_button")
        _wait_saved(driver, f"-{number + 5:06}")
    recent = driver.window.entry.recent
    driver.wait("ten entries", lambda: recent.table.model().rowCount() == 10)
    driver.picture("80-last-entries", "The last ten entries, each with Edit and Undo.")


def _wait_saved(driver: Driver, code: str) -> None:
    driver.wait(f"“Saved …{code}”", lambda: code in driver.text("saved_label"))


def look_at_help(driver: Driver) -> None:
    """Open the pages of the help, and the licences."""
    driver.click("help_button")
    dialog = driver.find("help_dialog", QDialog)
    for page in ("keys", "data"):
        driver.click(f"help_{page}")
        driver.picture(f"81-help-{page}", f"The help: {page}.", of=dialog)
    dialog.reject()
    driver.click("about_button")
    about = driver.find("about_dialog", QDialog)
    driver.click("about_licences")
    licences = driver.find("licences_dialog", QDialog)
    driver.wait("the licences", lambda: driver.find("licences_text").isEnabled())
    driver.picture("82-licences", "The licences of everything that Bahi is made of.", of=licences)
    licences.reject()
    about.reject()


def look_at_camera(driver: Driver, cameras: FedCameras) -> None:
    """Open the camera: without one, live, with a picture to cut, and with three pictures taken."""
    driver.click("nav_add")
    driver.click("camera_button")
    dialog = driver.find("camera_dialog", QDialog)
    again = driver.find("camera_again", QAbstractButton)
    driver.wait("the sentence", again.isVisible)
    driver.picture("83-no-camera", "There is no camera, and what to do.", of=dialog)
    cameras.picture = _desk()
    cameras.plug(DESK, LID)
    take = driver.find("camera_capture", QAbstractButton)
    driver.wait("the live picture", lambda: take.isVisible() and take.isEnabled())
    driver.picture("84-camera", "The live picture, and the choice of the camera.", of=dialog)
    for number in range(3):
        driver.wait("the live picture again", lambda: take.isVisible() and take.isEnabled())
        driver.click("camera_capture")
        if number == 0:
            driver.picture("85-shot", "The picture, with its corners to drag.", of=dialog)
        driver.click("camera_use")
    driver.wait("three pictures", lambda: driver.text("camera_add") == "Add 3 bills")
    driver.picture("86-strip", "Three pictures, to be attached together.", of=dialog)
    cameras.plug()
    driver.wait("the sentence again", again.isVisible)
    driver.picture("87-unplugged", "The camera was unplugged; the pictures stay.", of=dialog)
    dialog.reject()


def _desk() -> QImage:
    """Return the picture of a bill on a desk."""
    made = QImage(1280, 720, QImage.Format.Format_RGB32)
    made.fill(QColor("#5b4636"))
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(QPointF(640, 360))
    painter.rotate(6)
    paper = QRectF(-170, -260, 340, 520)
    painter.fillRect(paper, QColor("#f4f1e8"))
    painter.setPen(QColor("#222222"))
    painter.drawText(
        paper.adjusted(30, 40, -30, -40), Qt.AlignmentFlag.AlignLeft, "SHREE STORES\n\nTotal  ₹450.00"
    )
    painter.end()
    return made
