"""Saving a new entry, over HTTP."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.contract import limits, paths, shapes
from tests.support.api import BookApi, a_document, an_entry, new_id, now_us, refusal
from tests.support.examples import examples
from tests.support.postgres import dump_of_book, rows
from tests.support.servers import RunningServer, StillClock

SOME_ID = "0197e3a5-1111-7aaa-8bbb-123456789abc"
TODAY = date.today()  # noqa: DTZ011 - any day near today will do


def _post(book: BookApi, text: bytes | str) -> tuple[int, dict[str, Any]]:
    answer = book.call("POST", paths.ENTRIES, data=text.encode() if isinstance(text, str) else text)
    return answer.status_code, answer.json()


def _changed(body: shapes.CreateEntry, **changes: object) -> shapes.CreateEntry:
    return msgspec.structs.replace(body, **changes)


def test_a_new_entry_is_confirmed_and_found_as_it_was_sent(book: BookApi) -> None:
    bill = a_document(file_name="Quittung für März.png")
    book.upload(bill)
    body = an_entry(amount="1250.5", cr_dr="CR", documents=[bill.pinned()])
    saved = book.create(body)
    assert (saved.op_id, saved.superseded, saved.server_id, saved.region) == (
        *(body.op_id, False, "test-1"),
        "test",
    )
    assert saved.entry.amount == "1250.50"
    found = book.get(body.id)
    assert found.entry == saved.entry
    assert found.documents == saved.documents
    assert saved.documents[0] == shapes.Document(
        *(bill.id, bill.doc_code, "Quittung für März.png", "image/png", len(bill.data), bill.sha256)
    )
    assert book.page().entries == [saved.entry]


def test_create_answers_created(book: BookApi) -> None:
    assert _post(book, msgspec.json.encode(an_entry()))[0] == HTTPStatus.CREATED


def test_the_same_operation_again_gives_the_same_answer_and_changes_nothing(
    server: RunningServer, book: BookApi
) -> None:
    bill = a_document()
    book.upload(bill)
    body = an_entry(documents=[bill.pinned()])
    first = book.create(body)
    before = dump_of_book(server.config.database_url, book.book_id)["journal"]
    assert [book.create(body) for _ in range(3)] == [first] * 3
    assert book.create(_changed(body, amount="1250")) == first  # the same amount, written shorter
    assert dump_of_book(server.config.database_url, book.book_id)["journal"] == before


@pytest.mark.parametrize(
    "changes",
    [
        {"amount": "1250.01"},
        {"cr_dr": "CR"},
        {"category": "Travel"},
        {"description": ""},
        {"entry_date": "2020-01-01"},
        {"human_code": "T01-999999"},
        {"id": new_id()},
        {"ver": now_us() - 1},
    ],
)
def test_the_same_operation_with_another_body_is_refused(book: BookApi, changes: dict[str, Any]) -> None:
    body = an_entry()
    saved = book.create(body)
    error = refusal(lambda: book.create(_changed(body, **changes)))
    assert (error.status, error.code) == (HTTPStatus.UNPROCESSABLE_ENTITY, "operation_reused")
    assert book.all() == [saved.entry]


def test_the_same_operation_with_more_or_fewer_bills_is_refused(book: BookApi) -> None:
    one, two = a_document(), a_document()
    book.upload(one, two)
    body = an_entry(documents=[one.pinned()])
    book.create(body)
    for documents in ([], [two.pinned()], [one.pinned(), two.pinned()]):
        error = refusal(lambda documents=documents: book.create(_changed(body, documents=documents)))
        assert error.code == "operation_reused"
    assert [d.id for d in book.get(body.id).documents] == [one.id]


def test_an_entry_that_is_in_the_book_by_another_operation_is_refused(book: BookApi) -> None:
    saved = book.add()
    error = refusal(lambda: book.create(an_entry(id=saved.entry.id, amount="9.99")))
    assert (error.status, error.code) == (HTTPStatus.CONFLICT, "entry_exists")
    assert book.all() == [saved.entry]


def test_a_bill_that_belongs_to_another_entry_is_refused_whole(book: BookApi) -> None:
    bill = a_document()
    book.add(bill)
    error = refusal(lambda: book.create(an_entry(documents=[bill.pinned()])))
    assert error.code == "entry_exists"
    assert len(book.all()) == 1


def test_identical_posts_at_once_make_one_row_and_get_equal_answers(
    server: RunningServer, book: BookApi
) -> None:
    for _ in range(8):
        bill = a_document()
        book.upload(bill)
        body = an_entry(documents=[bill.pinned()])
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(lambda _, body=body: book.create(body), range(4)))
        assert answers == answers[:1] * 4
        count = "select count(*) from public.journal where book_id = %s and op_id = %s"
        assert rows(server.config.database_url, count, book.book_id, body.op_id) == [(2,)]


def test_one_file_may_be_two_documents_of_an_entry(book: BookApi) -> None:
    bill = a_document()
    book.upload(bill)
    twice = [bill.pinned(), bill.pinned(id=new_id(), doc_code="01-000001-2")]
    saved = book.create(an_entry(documents=twice))
    assert saved.entry.document_count == 2


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "0.00"}, "amount"),
        ({"amount": "-5"}, "amount"),
        ({"amount": "+5"}, "amount"),
        ({"amount": "1.234"}, "amount"),
        ({"amount": "1,250.00"}, "amount"),
        ({"amount": "1e3"}, "amount"),
        ({"amount": "NaN"}, "amount"),
        ({"amount": " 5"}, "amount"),
        ({"amount": "5\n"}, "amount"),
        ({"amount": ""}, "amount"),
        ({"amount": "12345678901234567"}, "amount"),
        ({"amount": "१२"}, "amount"),
        ({"entry_date": "2026-13-01"}, "entryDate"),
        ({"entry_date": "20260101"}, "entryDate"),
        ({"entry_date": "2026-W01-1"}, "entryDate"),
        ({"entry_date": "1899-12-31"}, "entryDate"),
        ({"entry_date": (TODAY + timedelta(days=400)).isoformat()}, "entryDate"),
        ({"entry_date": "9999-12-31"}, "entryDate"),
        ({"entry_date": ""}, "entryDate"),
        ({"category": ""}, "category"),
        ({"category": "   "}, "category"),
        ({"category": "x" * 101}, "category"),
        ({"category": " Travel"}, "category"),
        ({"category": "Tra\nvel"}, "category"),
        ({"description": "x" * 501}, "description"),
        ({"description": "nul \x00 inside"}, "description"),
        ({"description": "line\u2028separator"}, "description"),
        ({"description": "escape \x1b[31m"}, "description"),
        ({"description": "c1 \x85 control"}, "description"),
        ({"description": "trailing "}, "description"),
        ({"currency": "USD"}, "currency"),
        ({"human_code": ""}, "humanCode"),
        ({"human_code": "0K7-42"}, "humanCode"),
        ({"human_code": "0K7-000042\n"}, "humanCode"),
        ({"human_code": "0K7-०००००१"}, "humanCode"),
        ({"human_code": "=1+1"}, "humanCode"),
        ({"op_id": "not-a-uuid"}, "opId"),
        ({"id": SOME_ID.upper()}, "id"),
        ({"id": f"{{{SOME_ID}}}"}, "id"),
        ({"ver": 0}, "ver"),
        ({"ver": -1}, "ver"),
        ({"ver": 2**63}, "ver"),
    ],
)
def test_a_field_that_cannot_be_is_refused_with_a_sentence(
    book: BookApi, changes: dict[str, Any], field: str
) -> None:
    error = refusal(lambda: book.create(an_entry(**changes)))
    assert (error.status, error.code) == (HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_fields")
    assert list(error.fields) == [field]
    assert error.message == error.fields[field]
    assert error.message[0].isupper()
    assert error.message.endswith(".")
    assert book.all() == []


def test_every_wrong_field_is_named_at_once(book: BookApi) -> None:
    error = refusal(lambda: book.create(an_entry(amount="0", category="", entry_date="x", ver=0)))
    assert set(error.fields) == {"amount", "category", "entryDate", "ver"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"sha256": "A" * 64}, "sha256"),
        ({"sha256": "../../../../etc/passwd"}, "sha256"),
        ({"byte_size": 0}, "byteSize"),
        ({"byte_size": limits.MAX_DOCUMENT_BYTES + 1}, "byteSize"),
        ({"media_type": "text/html"}, "mediaType"),
        ({"id": "x"}, "documents.id"),
        ({"doc_code": "K7-000042"}, "documents.docCode"),
        ({"doc_code": "K7-००००४२-1"}, "documents.docCode"),
        ({"file_name": ""}, "fileName"),
        ({"file_name": "x" * 201}, "fileName"),
        ({"file_name": "a\nb.png"}, "fileName"),
        ({"file_name": "../b.png"}, "fileName"),
        ({"file_name": "C:\\b.png"}, "fileName"),
    ],
)
def test_a_document_that_cannot_be_is_refused_with_a_sentence(
    book: BookApi, changes: dict[str, Any], field: str
) -> None:
    error = refusal(lambda: book.create(an_entry(documents=[a_document().pinned(**changes)])))
    assert error.code == "invalid_fields"
    assert list(error.fields) == [field]
    assert error.message.endswith(".")


@pytest.mark.parametrize("amount", ["0.01", "9999999999999999.99", "9999999999999999", "00000012.5"])
def test_amounts_up_to_sixteen_digits_are_kept_to_the_paisa(book: BookApi, amount: str) -> None:
    saved = book.add(amount=amount)
    assert Decimal(saved.entry.amount) == Decimal(amount)
    assert book.get(saved.entry.id).entry.amount == saved.entry.amount == f"{Decimal(amount):.2f}"


def test_totals_of_the_greatest_amounts_stay_exact(book: BookApi) -> None:
    for _ in range(3):
        book.add(amount="9999999999999999.99")
    assert book.summary().money_out == "29999999999999999.97"


def test_texts_of_any_script_come_back_unchanged(book: BookApi) -> None:
    texts = {
        "category": "किराया और बिजली",
        "description": "दुकान का किराया — नवंबर 🏪 ‘एक’ 100% \\ _ ; ' \" =SUM(A1)",
    }
    saved = book.add(**texts)
    found = book.get(saved.entry.id).entry
    assert (found.category, found.description) == tuple(texts.values())


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(min_size=1, max_size=100),
    st.text(max_size=500),
    st.decimals("0.01", "9999999999999999.99", places=2),
    st.dates(date(1900, 1, 1), TODAY + timedelta(days=365)),
)
def test_whatever_is_taken_comes_back_as_it_was_sent(
    book: BookApi, category: str, description: str, amount: Decimal, day: date
) -> None:
    body = an_entry(
        category=category, description=description, amount=f"{amount:.2f}", entry_date=day.isoformat()
    )
    status, answer = _post(book, msgspec.json.encode(body))
    if status == HTTPStatus.CREATED:
        found = book.get(body.id).entry
        assert (found.category, found.description) == (category, description)
        assert (found.amount, found.entry_date) == (body.amount, body.entry_date)
    else:
        assert answer["error"]["code"] == "invalid_fields"
        assert {e["field"] for e in answer["error"]["detail"]["fields"]} <= {"category", "description"}


def test_the_longest_texts_of_four_bytes_fit(book: BookApi) -> None:
    bill = a_document(file_name="🧾" * 196 + ".png")
    saved = book.add(bill, category="🏪" * limits.MAX_CATEGORY, description="🧾" * limits.MAX_DESCRIPTION)
    assert saved.entry.description == "🧾" * 500


def test_a_version_too_far_ahead_is_refused_with_the_servers_time(
    start_server: Callable[..., RunningServer],
) -> None:
    clock = StillClock()
    book, now = start_server(clock).api().register(), int(clock() * 1_000_000)
    error = refusal(lambda: book.create(an_entry(ver=now + 300_000_001)))
    assert (error.status, error.code) == (HTTPStatus.UNPROCESSABLE_ENTITY, "clock_ahead")
    assert error.detail == {"serverTimeUs": now}
    book.add(ver=now + 300_000_000)


def test_an_entry_from_a_clock_far_behind_is_taken(book: BookApi) -> None:
    saved = book.add(ver=1)
    assert saved.entry.created_at == "1970-01-01T00:00:00.000001Z"
    assert book.get(saved.entry.id).entry == saved.entry


def test_twenty_documents_fit_and_twenty_one_do_not(book: BookApi) -> None:
    bills = [a_document(number=n + 1) for n in range(21)]
    saved = book.add(*bills[:20])
    assert saved.entry.document_count == 20
    assert [d.id for d in book.get(saved.entry.id).documents] == [d.id for d in saved.documents]
    error = refusal(lambda: book.create(an_entry(documents=[b.pinned(id=new_id()) for b in bills])))
    assert list(error.fields) == ["documents"]


def test_documents_come_back_in_the_order_of_their_numbers(book: BookApi) -> None:
    bills = [a_document() for _ in range(11)]
    book.upload(*bills)
    pinned = [bill.pinned(doc_code=f"01-000001-{n + 1}") for n, bill in enumerate(bills)]
    saved = book.create(an_entry(documents=pinned))
    assert [d.doc_code for d in book.get(saved.entry.id).documents] == [d.doc_code for d in pinned]


def test_two_documents_of_one_id_are_refused(book: BookApi) -> None:
    bill = a_document()
    error = refusal(lambda: book.create(an_entry(documents=[bill.pinned(), bill.pinned()])))
    assert list(error.fields) == ["documents"]


def test_an_entry_whose_bytes_are_not_there_is_refused_whole(book: BookApi) -> None:
    there, missing = a_document(), a_document()
    book.upload(there)
    error = refusal(lambda: book.create(an_entry(documents=[there.pinned(), missing.pinned()])))
    assert (error.status, error.code) == (HTTPStatus.CONFLICT, "documents_missing")
    assert error.detail == {"sha256": [missing.sha256]}
    assert book.all() == []


def test_bytes_of_another_size_or_kind_than_said_are_refused(book: BookApi) -> None:
    bill = a_document()
    book.upload(bill)
    wrong_size = an_entry(documents=[bill.pinned(byte_size=len(bill.data) + 1)])
    assert refusal(lambda: book.create(wrong_size)).code == "documents_missing"
    wrong_kind = an_entry(documents=[bill.pinned(media_type="application/pdf")])
    assert refusal(lambda: book.create(wrong_kind)).code == "media_type_refused"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "not json",
        "[]",
        "null",
        "{}",
        '"text"',
        b"\xff\xfe",
        "[" * 100_000,
        '{"documents":' + "[" * 50_000,
    ],
)
def test_a_body_that_is_not_the_shape_is_refused(book: BookApi, text: bytes | str) -> None:
    status, answer = _post(book, text)
    assert (status, answer["error"]["code"]) == (HTTPStatus.BAD_REQUEST, "bad_request")


@pytest.mark.parametrize("name", ["note", "voidedAt"])
def test_a_field_of_a_newer_program_is_refused_by_a_code_of_its_own(book: BookApi, name: str) -> None:
    body = {**msgspec.to_builtins(an_entry()), name: "2026-01-01"}
    status, answer = _post(book, msgspec.json.encode(body))
    assert (status, answer["error"]["code"]) == (HTTPStatus.BAD_REQUEST, "unknown_field")
    assert f"`{name}`" in answer["error"]["message"]
    assert book.all() == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ver", "1"),
        ("ver", 1.5),
        ("ver", True),
        ("amount", 1250.0),
        ("amount", None),
        ("crDr", "XX"),
        ("crDr", "dr"),
        ("documents", {}),
        ("documents", [{}]),
        ("description", ["x"]),
    ],
)
def test_a_wrong_type_is_refused(book: BookApi, name: str, value: object) -> None:
    body = {**msgspec.to_builtins(an_entry()), name: value}
    status, answer = _post(book, msgspec.json.encode(body))
    assert (status, answer["error"]["code"]) == (HTTPStatus.BAD_REQUEST, "bad_request")
    assert book.all() == []


def test_a_lone_surrogate_is_refused(book: BookApi) -> None:
    text = msgspec.json.encode(an_entry(description="SURROGATE")).replace(b"SURROGATE", rb"\ud800")
    assert _post(book, text)[0] in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY}


def test_a_request_that_is_too_large_is_refused(book: BookApi) -> None:
    text = msgspec.json.encode(an_entry(description="x" * limits.MAX_REQUEST_BYTES))
    status, answer = _post(book, text)
    assert (status, answer["error"]["code"]) == (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")


@pytest.mark.parametrize("id_", ["x", "0", SOME_ID.upper(), f"urn:uuid:{SOME_ID}", "%00", SOME_ID])
def test_an_entry_that_is_not_there_is_not_found(book: BookApi, id_: str) -> None:
    error = refusal(lambda: book.get(id_))
    assert (error.status, error.code) == (HTTPStatus.NOT_FOUND, "not_found")
