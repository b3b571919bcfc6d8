"""Around every call: request ids, error bodies, and what is logged."""

import io
import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec
import psycopg
import pytest
import requests

from server.contract import paths
from server.contract.errors import STATUS, ErrorBody, ErrorCode
from server.entries.long_reads import LongReads
from server.entries.service import EntryService
from server.http.responses import status_error
from server.log import json_lines
from tests.support.api import PASSWORD, BookApi, a_document, a_name, an_entry, refusal
from tests.support.servers import RunningServer
from tests.support.waiting import wait_until

Start = Callable[..., RunningServer]


def _error(answer: requests.Response) -> tuple[int, str]:
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    body = msgspec.json.decode(answer.content, type=ErrorBody)
    assert body.error.message.endswith(".")
    assert STATUS[ErrorCode(body.error.code)] == answer.status_code
    return answer.status_code, body.error.code


# --- request ids --------------------------------------------------------------------------------------


def test_every_answer_carries_a_request_id_of_its_own(server: RunningServer) -> None:
    ids = {
        server.api().call("GET", path).headers[paths.REQUEST_ID_HEADER]
        for path in (paths.HEALTH_LIVE, paths.HEALTH_LIVE, paths.ENTRIES, "/nowhere")
    }
    assert len(ids) == 4
    assert all(re.fullmatch("[0-9a-f]{16}", id_) for id_ in ids)


def test_a_callers_request_id_comes_back(server: RunningServer) -> None:
    headers = {paths.REQUEST_ID_HEADER: "client-7.a_B"}
    answer = server.api().call("GET", paths.HEALTH_LIVE, headers=headers)
    assert answer.headers[paths.REQUEST_ID_HEADER] == "client-7.a_B"


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a;b", 'a"b', "é"])
def test_a_request_id_that_could_break_a_log_is_replaced(server: RunningServer, given: str) -> None:
    headers = {paths.REQUEST_ID_HEADER: given.encode()}
    answer = server.api().call("GET", paths.HEALTH_LIVE, headers=headers)
    assert re.fullmatch("[0-9a-f]{16}", answer.headers[paths.REQUEST_ID_HEADER])


# --- errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/v1", "/v1/entries/", "/v1/entries/a/b", "/v1/blobs/", "//v1/entries", "/docs"]
)
def test_an_address_that_is_not_there_is_not_found(server: RunningServer, path: str) -> None:
    answer = server.api().call("GET", server.url + path, allow_redirects=False)
    assert _error(answer) == (HTTPStatus.NOT_FOUND, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", paths.ENTRIES),
        ("PATCH", paths.ENTRIES),
        ("POST", paths.ENTRIES_SUMMARY),
        ("GET", paths.AUTH_LOGIN),
        ("POST", paths.HEALTH_LIVE),
        ("DELETE", "/v1/blobs/x"),
        ("TRACE", paths.ENTRIES),
    ],
)
def test_a_method_that_is_not_there_is_refused(server: RunningServer, method: str, path: str) -> None:
    assert _error(server.api().call(method, path)) == (HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed")


def test_an_unexpected_failure_tells_nothing_of_its_inside(
    start_server: Start, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise ZeroDivisionError("a secret 1250.00")

    server = start_server()
    book = server.api().register()
    server.services.entries = Broken()  # type: ignore[assignment]
    answer = book.call("GET", paths.ENTRIES)
    assert _error(answer) == (HTTPStatus.INTERNAL_SERVER_ERROR, "internal")
    assert "secret" not in answer.text
    # asyncio tells what the collector found of other tests whenever that is
    (record,) = [r for r in caplog.records if r.levelname == "ERROR" and r.name != "asyncio"]
    line = json_lines().format(record)
    assert "ZeroDivisionError" in line
    assert "api/entries.py" in line
    assert "secret" not in line


def test_a_database_that_is_gone_is_told_and_comes_back(start_server: Start) -> None:
    server = start_server()
    book = server.api().register()
    pool = server.services.pool

    class Gone:
        def connection(self) -> object:
            raise psycopg.OperationalError("connection to 10.0.0.7 failed")

    server.services.entries = EntryService(Gone(), LongReads.of(pool))  # type: ignore[arg-type]
    answer = book.call("GET", paths.ENTRIES)
    assert _error(answer) == (HTTPStatus.SERVICE_UNAVAILABLE, "database_unavailable")
    assert answer.headers["Retry-After"] == "1"
    assert "10.0.0.7" not in answer.text
    server.services.entries = EntryService(pool, LongReads.of(pool))
    assert book.all() == []


def test_connections_that_the_database_cut_are_replaced(start_server: Start) -> None:
    server = start_server()
    book = server.api().register()
    with psycopg.connect(server.config.database_url, autocommit=True) as connection:
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )

    def answers() -> bool:
        return book.call("GET", paths.ENTRIES).ok

    wait_until(answers)


def test_an_upload_that_breaks_off_is_no_unexpected_failure(
    server: RunningServer, book: BookApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    (plan,) = book.plan(a_document())
    assert plan.upload is not None
    parts = urlsplit(plan.upload.url)
    assert parts.hostname is not None
    with socket.create_connection((parts.hostname, parts.port or 80)) as connection:
        head = f"PUT {parts.path} HTTP/1.1\r\nHost: x\r\nContent-Length: 64\r\n\r\n"
        connection.sendall(head.encode() + b"\x89PNG")

    def calls() -> list[str]:
        return [r.__dict__["method"] for r in caplog.records if r.getMessage() == "call"]

    wait_until(lambda: "PUT" in calls())
    assert not [r for r in caplog.records if r.levelname == "ERROR" and r.name != "asyncio"]


def test_every_refusal_of_the_router_has_a_code() -> None:
    for status in (400, 404, 405, 413):
        assert status_error(status).code in ErrorCode


# --- logs ---------------------------------------------------------------------------------------------


@contextmanager
def _log_lines() -> Iterator[io.StringIO]:
    lines = io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(json_lines())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    try:
        yield lines
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


def test_the_log_of_a_whole_day_holds_nothing_of_the_book(start_server: Start) -> None:
    server = start_server()
    name = a_name()
    bill = a_document(
        b"%PDF-1.7 contents of the bill", file_name="Secretfile.pdf", media_type="application/pdf"
    )
    with _log_lines() as lines:
        book = server.api().register(name)
        again = server.api().login(name)
        refusal(lambda: server.api().login(name, "a wrong password"))
        saved = book.add(
            bill, amount="98765.43", category="Secretcategory", description="Secretdescription", cr_dr="CR"
        )
        refusal(lambda: book.create(an_entry(id=saved.entry.id, description="Secretdescription")))
        refusal(lambda: book.create(an_entry(amount="98765.439", description="Secretdescription")))
        link = book.link(bill.id)
        book.fetch(bill.id)
        book.all(q="Secretdescription 98765.43", category="Secretcategory")
        book.summary(q="Secretsearch")
        book.descriptions("Secretd")
        book.export(q="Secretsearch")
        book.call("POST", paths.ENTRIES, data=b'{"amount": "98765.43", "surprise": 1}')
        book.call("GET", "/nowhere/Secretpath")
        fresh = book.refresh(book.signed_in.refresh_token, "Secretrefreshid")
        refusal(lambda: book.refresh(book.signed_in.refresh_token, "another one"))
    text = lines.getvalue()
    secrets = [
        *("98765.43", "Secret", "secret", "contents of the bill", "a wrong password", PASSWORD, name),
        *(book.signed_in.access_token, book.signed_in.refresh_token, again.signed_in.access_token),
        *(fresh.access_token, fresh.refresh_token, link.url, link.url.rpartition("/")[2]),
        *(server.config.database_url, book.signed_in.access_token.rpartition(".")[2]),
    ]
    assert [secret for secret in secrets if secret in text] == []
    parsed = [msgspec.json.decode(line) for line in text.splitlines()]
    by_chance = {"at", "ms", "request_id"}  # of any digits
    assert "98765" not in str([{k: v for k, v in line.items() if k not in by_chance} for line in parsed])
    calls = [line for line in parsed if line["message"] == "call"]
    assert {"request_id", "method", "path", "status", "ms"} <= set(calls[0])
    assert (paths.BLOB, "PUT", 204) in {(c["path"], c["method"], c["status"]) for c in calls}
    assert ("unknown", "GET", 404) in {(c["path"], c["method"], c["status"]) for c in calls}
    assert any("reused" in line["message"] for line in parsed)


def test_one_call_gives_one_line_with_its_request_id(server: RunningServer) -> None:
    id_ = uuid4().hex
    with _log_lines() as lines:
        server.api().call("GET", paths.ENTRIES, headers={paths.REQUEST_ID_HEADER: id_})
        wait_until(lambda: id_ in lines.getvalue())
    (line,) = [text for text in lines.getvalue().splitlines() if id_ in text]
    decoded = msgspec.json.decode(line)
    assert (decoded["path"], decoded["method"], decoded["status"]) == (paths.ENTRIES, "GET", 401)
