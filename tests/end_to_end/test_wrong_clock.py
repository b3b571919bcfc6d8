"""A computer whose clock is three days behind its server's."""

import time
from collections.abc import Callable
from datetime import timedelta

from app.domain.dates import format_date
from app.domain.entry import EntryFilter
from app.ui.desktop import Desktop
from tests.end_to_end.test_server_away import register, save
from tests.support.servers import RunningServer

BEHIND = timedelta(days=3)


def test_entries_have_the_date_of_the_server_and_the_clock_is_told(
    open_program, start_server: Callable[..., RunningServer]
) -> None:
    server = start_server(lambda: time.time() + BEHIND.total_seconds())
    with open_program(Desktop()) as (driver, desk):
        register(driver, server)
        right = Desktop(offset=lambda: BEHIND).today()
        driver.wait("the sentence", lambda: driver.find("clock_banner").isVisible())
        assert driver.text("clock_banner_text") == (
            f"This computer's clock is 3 days behind. Bahi uses the right date, {format_date(right)}. "
            "Please set the clock."
        )
        assert driver.text("date_field") == format_date(right)
        assert driver.text("date_field_hint") == "Today"
        save(driver, "100", "Auto")
        driver.wait("the entry at the server", lambda: desk.services.sync.waiting() == 0)
        page = desk.services.entries.page(EntryFilter(), None)
        assert [entry.entry_date for entry in page.entries] == [right]
