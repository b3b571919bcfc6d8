"""The part of the tour that looks at bills: several of one entry, a turned one, and one with a password."""

from pathlib import Path

import pikepdf
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QListWidget

from tests.tour.driver import Driver

_TABLE = "entry_table"
_PASSWORD = "udaipur"


def look_at_bills(driver: Driver, samples: Path) -> None:
    """Drop two more bills on the newest entry, then turn one and open the other with its password."""
    locked = samples / "locked-invoice.pdf"
    with pikepdf.open(samples / "hotel-invoice.pdf") as document:
        document.save(locked, encryption=pikepdf.Encryption(owner=_PASSWORD, user=_PASSWORD))
    driver.click("nav_entries")
    driver.select_row(_TABLE, 0)
    driver.drop(samples / "taxi-receipt.jpg", locked)
    strip = driver.find("bill_strip", QListWidget)
    driver.wait("three bills", lambda: strip.count() == 3)
    viewer = driver.window.listing.details.viewer
    viewer.show_bill(1)
    driver.wait(
        "the receipt", lambda: ".jpg" in driver.text("document_name") and viewer.tools.left.isEnabled()
    )
    driver.picture("65-bills", "Several bills of one entry.")
    upright = viewer.canvas.zoom
    driver.press("document_viewer", Qt.Key.Key_R)
    driver.wait("the turned receipt", lambda: viewer.canvas.zoom != upright)
    driver.picture("66-turned", "A bill that lies on its side is turned with R, and stays turned.")
    viewer.show_bill(2)
    driver.wait("the question", lambda: viewer.canvas.wants_password)
    driver.picture("67-locked", "A PDF with a password asks for it.")
    driver.type("page_password_field", "wrong")
    driver.press("page_password_field", Qt.Key.Key_Return)
    driver.wait("the question again", lambda: "Wrong" in viewer.canvas.message())
    driver.picture("68-wrong-password", "A wrong password is told.")
