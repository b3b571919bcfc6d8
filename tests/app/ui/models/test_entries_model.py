"""The model of the listing: pages in the background, the outbox laid over, refresh in place."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryFilter, EntryState
from app.errors import ServerError
from app.ui.models.columns import Column
from app.ui.models.entries_model import EntriesModel
from app.ui.tasks import Tasks
from tests.support.fake_services import TODAY, FakeServices

ROOT = QModelIndex()


@pytest.fixture
def model(qtbot: QtBot, fake: FakeServices, tasks: Tasks, owner: None) -> EntriesModel:
    fake.book.page_size = 50
    made = EntriesModel(fake.services(), tasks, None, lambda: TODAY)
    QAbstractItemModelTester(made, QAbstractItemModelTester.FailureReportingMode.Warning, made)
    with qtbot.waitSignal(made.loaded):
        made.set_filter(EntryFilter())
    return made


def codes(model: EntriesModel) -> list[str]:
    return [str(model.index(row, Column.CODE).data()) for row in range(model.rowCount())]


def load_all(qtbot: QtBot, model: EntriesModel) -> None:
    while model.canFetchMore(ROOT):
        with qtbot.waitSignal(model.loaded):
            model.fetchMore(ROOT)


def test_the_first_page_is_loaded_and_more_can_be_fetched(model: EntriesModel) -> None:
    assert model.rowCount() == 50
    assert model.canFetchMore(ROOT)
    assert not model.complete


def test_all_pages_are_loaded_once_and_in_order(
    qtbot: QtBot, model: EntriesModel, fake: FakeServices
) -> None:
    load_all(qtbot, model)
    assert codes(model) == [row.human_code for row in fake.book.entries]
    assert model.complete


def test_one_page_is_loaded_at_a_time(qtbot: QtBot, model: EntriesModel, fake: FakeServices) -> None:
    asked = fake.book.calls.count("page")
    with qtbot.waitSignal(model.loaded):
        model.fetchMore(ROOT)
        model.fetchMore(ROOT)
        assert not model.canFetchMore(ROOT)
    assert fake.book.calls.count("page") == asked + 1


def test_the_answer_to_an_older_filter_is_dropped(
    qtbot: QtBot, model: EntriesModel, fake: FakeServices, tasks: Tasks
) -> None:
    gate, asked = threading.Event(), fake.book.calls.count("page")
    fake.book.gates["page"] = lambda: gate.wait(60)
    model.set_filter(EntryFilter(text="rent"))
    qtbot.waitUntil(lambda: fake.book.calls.count("page") == asked + 1)
    fake.book.gates["page"] = lambda: True
    with qtbot.waitSignal(model.loaded):
        model.set_filter(EntryFilter(text="courier"))
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)  # the older one has come too
    assert {str(model.index(row, Column.CATEGORY).data()) for row in range(model.rowCount())} == {"Freight"}


def test_unsent_entries_are_merged_newest_first(
    qtbot: QtBot, model: EntriesModel, fake: FakeServices
) -> None:
    fresh = replace(fake.book.entries[0], id="f", human_code="0K7-000999", state=EntryState.WAITING)
    fake.wait(fresh)
    model.refresh()
    qtbot.waitUntil(lambda: codes(model)[0] == "0K7-000999")
    assert codes(model)[1] == "0K7-000120"


def test_a_confirmed_entry_is_updated_in_its_row(
    qtbot: QtBot, model: EntriesModel, fake: FakeServices
) -> None:
    fresh = replace(fake.book.entries[5], id="f", human_code="0K7-000999", state=EntryState.WAITING)
    fake.wait(fresh)
    model.refresh()
    qtbot.waitUntil(lambda: model.row_of("f") >= 0 and not model.loading)
    row = model.row_of("f")
    fake.sync.send_pending()
    removed: list[object] = []
    model.rowsRemoved.connect(lambda *args: removed.append(args))
    model.refresh()

    def confirmed() -> bool:
        entry = model.entry_at(row)
        return entry is not None and (entry.id, entry.state) == ("f", EntryState.CONFIRMED)

    qtbot.waitUntil(confirmed)
    assert removed == []


def test_refresh_keeps_every_page_and_finds_entries_added_in_between(
    qtbot: QtBot, model: EntriesModel, fake: FakeServices
) -> None:
    load_all(qtbot, model)
    middle = fake.book.entries[70]
    fake.book.entries.append(replace(middle, id=middle.id + "a", human_code="0K7-000998"))
    del fake.book.entries[30]
    expected = sorted(fake.book.entries, key=lambda row: row.sort_key, reverse=True)
    model.refresh()  # looking at a row is what then has its page read again
    qtbot.waitUntil(lambda: codes(model) == [row.human_code for row in expected])


def test_without_a_server_the_rows_come_from_the_cache_and_that_is_reported(
    qtbot: QtBot, model: EntriesModel, fake: FakeServices
) -> None:
    load_all(qtbot, model)  # a page that is still to be read from the server would fail first
    fake.book.offline = True
    with qtbot.waitSignal(model.source_changed) as told:
        model.refresh()
    assert told.args == [True]
    assert model.from_cache


def test_a_failure_is_reported_once_and_can_be_retried(
    qtbot: QtBot, model: EntriesModel, fake: FakeServices
) -> None:
    fake.book.errors["page"] = ServerError("The server is busy.")
    with qtbot.waitSignal(model.load_failed):
        model.set_filter(EntryFilter(text="rent"))
    fake.book.errors.clear()
    with qtbot.waitSignal(model.loaded):
        model.refresh()
    assert model.rowCount() > 0


def test_cells_have_texts_for_screen_readers(model: EntriesModel) -> None:
    role = Qt.ItemDataRole.AccessibleTextRole
    assert model.index(0, Column.AMOUNT).data(role) == "Debit ₹640.00"
    assert model.index(0, Column.DOCUMENTS).data(role) == "2 bills"
    assert model.index(0, Column.STATE).data(role) == "Saved"


def test_money_in_has_a_plus(model: EntriesModel) -> None:
    assert model.index(2, Column.AMOUNT).data() == "+₹1,120.00"
    assert model.index(0, Column.AMOUNT).data() == "₹640.00"
